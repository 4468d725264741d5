// SPDX-License-Identifier: Apache-2.0
#include "app/builtin_modules.h"

#include "modules/corex/corex.h"
#include "modules/kex/kex.h"
#include "modules/maxfwd/maxfwd.h"
#include "modules/print/print.h"
#include "modules/pv/pv.h"
#include "modules/rr/rr.h"
#include "modules/sanity/sanity.h"
#include "modules/siputils/siputils.h"
#include "modules/sl/sl.h"
#include "modules/textops/textops.h"
#include "modules/tm/tm.h"
#include "modules/xlog/xlog.h"
#include "script/script.h"

namespace ser::app {

namespace {
constexpr mod::ModuleSpec (*kModules[])() = {
    script::describe_core,      modules::describe_corex, modules::describe_kex,     modules::describe_maxfwd,
    modules::describe_print,    modules::describe_pv,    modules::describe_rr,      modules::describe_sanity,
    modules::describe_siputils, modules::describe_sl,    modules::describe_textops, modules::describe_tm,
    modules::describe_xlog,
};
}

std::span<mod::ModuleSpec (*const)()> builtin_modules() noexcept {
  return kModules;
}

}  // namespace ser::app
