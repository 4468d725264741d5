// SPDX-License-Identifier: Apache-2.0
#include "app/builtin_modules.h"

#include "modules/maxfwd/maxfwd.h"
#include "modules/sl/sl.h"
#include "script/script.h"

namespace ser::app {

namespace {
constexpr mod::ModuleSpec (*kModules[])() = {
    script::describe_core,
    modules::describe_maxfwd,
    modules::describe_sl,
};
}

std::span<mod::ModuleSpec (*const)()> builtin_modules() noexcept {
  return kModules;
}

}  // namespace ser::app
