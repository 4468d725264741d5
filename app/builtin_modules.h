// SPDX-License-Identifier: Apache-2.0
// The modules linked into the program.
#pragma once
#include <span>

#include "mod/spec.h"

namespace ser::app {

/// describe() functions, the core first. Static storage.
std::span<mod::ModuleSpec (*const)()> builtin_modules() noexcept;

}  // namespace ser::app
