// SPDX-License-Identifier: Apache-2.0
// Where a pseudo-variable ends and what it is made of; shared by the lexer, format strings and module
// parameters.
#pragma once
#include <cstddef>
#include <string_view>

namespace ser::script {

struct VariableExtent {
  std::size_t length = 0;         ///< bytes from the `$`; at least 1
  const char* problem = nullptr;  ///< why it is no variable; null when it is one
};

/// The variable that begins with the `$` at `at`. Looks at no more than 4096 bytes and never past a line end
/// inside of parentheses.
VariableExtent find_variable(std::string_view text, std::size_t at) noexcept;

}  // namespace ser::script
