// SPDX-License-Identifier: Apache-2.0
// What operators do with values: conversions, comparison, arithmetic. Rules of Kamailio's expressions.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "proxy/value.h"
#include "script/ast.h"

namespace ser::script {

/// Null is 0; a text is its decimal number with an optional sign, else 0.
std::int64_t integer_of(const proxy::Value& value) noexcept;
/// True when integer_of() is not 0.
inline bool truth_of(const proxy::Value& value) noexcept {
  return value.is_integer() ? value.integer != 0 : integer_of(value) != 0;
}
/// The whole text is a decimal number with an optional sign that fits.
bool parse_integer(std::string_view text, std::int64_t& out) noexcept;

/// `==` of two values: the left one's type decides, null takes the type of the other side.
bool equal(const proxy::Value& left, const proxy::Value& right, Arena& arena) noexcept;

/// Result of an operator that needs no regular expression. False: division by zero or no memory; `out` is
/// null then.
bool apply_unary(Operator op, const proxy::Value& operand, Arena& arena, proxy::Value& out) noexcept;
bool apply_binary(Operator op, const proxy::Value& left, const proxy::Value& right, Arena& arena,
                  proxy::Value& out) noexcept;
/// `left op right` for == != > < >= <=.
bool compare(Operator op, std::int64_t left, std::int64_t right) noexcept;

/// `a` and `b` joined in the arena; data() is nullptr when there is no memory.
std::string_view join(std::string_view a, std::string_view b, Arena& arena) noexcept;

/// Operators that compare two values and give a truth.
bool is_comparison(Operator op) noexcept;

}  // namespace ser::script
