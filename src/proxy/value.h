// SPDX-License-Identifier: Apache-2.0
// Value: what a script variable holds. Avp: a named value that lives as long as the message (later: the
// transaction).
#pragma once
#include <cstdint>
#include <string_view>

namespace ser::proxy {

/// Null, integer or string. Strings are views into the message, its arena or the program; trivially copyable.
struct Value {
  enum class Kind : std::uint8_t { null, integer, string };
  std::int64_t integer = 0;
  std::string_view text;
  Kind kind = Kind::null;

  static Value null() noexcept { return {}; }
  static Value of(std::int64_t i) noexcept { return {i, {}, Kind::integer}; }
  static Value of(std::string_view s) noexcept { return {0, s, Kind::string}; }
  bool is_null() const noexcept { return kind == Kind::null; }
  bool is_integer() const noexcept { return kind == Kind::integer; }
  bool is_string() const noexcept { return kind == Kind::string; }
};

/// One attribute-value pair of a message: newest first in RunState::avps. Name and value lie in the arena.
struct Avp {
  std::string_view name;  ///< "s:" names as they are, integer names as decimal digits with is_number
  bool is_number = false;
  Value value;
  Avp* next = nullptr;
};

}  // namespace ser::proxy
