// SPDX-License-Identifier: Apache-2.0
// The syntax tree as text, for golden tests and for people who debug the parser.
#pragma once
#include <string>

#include "script/ast.h"

namespace ser::script {

/// One line per item and statement, indented by two per level. Stable: golden files hold it.
std::string dump_syntax(const Ast& ast);

/// One expression on one line: calls as written, operators in prefix form `(== uri myself)`.
std::string dump_expression(const Expression& expression);

/// `==`, `not` … as dumps print it. Static storage.
std::string_view to_string(Operator op) noexcept;
/// `src_ip`, `msg:len` … as scripts write it. Static storage.
std::string_view to_string(CoreField field) noexcept;
/// "request", "failure" … Static storage.
std::string_view to_string(BlockKind kind) noexcept;

}  // namespace ser::script
