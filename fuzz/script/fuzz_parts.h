// SPDX-License-Identifier: Apache-2.0
// The parts of the script fuzz target, chosen by its selector byte.
#pragma once
#include <optional>
#include <string_view>

#include "script/dialect.h"

/// Compiles the text and runs what comes out.
void fuzz_compile(std::string_view text, std::optional<ser::script::Dialect> dialect);
