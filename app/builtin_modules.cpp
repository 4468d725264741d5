// SPDX-License-Identifier: Apache-2.0
#include "builtin_modules.h"

#include "script/script.h"

namespace ser::app {

namespace {
constexpr mod::ModuleSpec (*kModules[])() = {script::describe_core};
}

std::span<mod::ModuleSpec (*const)()> builtin_modules() noexcept {
  return kModules;
}

}  // namespace ser::app
