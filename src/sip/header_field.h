// SPDX-License-Identifier: Apache-2.0
// One header field of a message: where its name, value and line are, and what a typed parser said about the
// value.
#pragma once
#include <cstdint>
#include <string_view>

#include "sip/header_id.h"

namespace ser::sip {

/// A row of a message's header table. Lives in the message's arena; views point into the message's bytes.
class HeaderField {
 public:
  HeaderId id() const noexcept { return x_id; }
  /// Name as written, without the LWS before the colon. Empty for a malformed line.
  std::string_view name() const noexcept { return {x_line, x_name_size}; }
  /// Value without surrounding LWS; folds inside are kept. The whole line without its line end when
  /// malformed.
  std::string_view value() const noexcept { return {x_line + x_value_at, x_value_size}; }
  /// The whole field with all its continuation lines and the last line end.
  std::string_view line() const noexcept { return {x_line, x_line_size}; }
  /// Offset of line() in the message.
  std::uint32_t offset() const noexcept { return x_offset; }
  /// Offset of value() in the message.
  std::uint32_t value_offset() const noexcept { return static_cast<std::uint32_t>(x_offset) + x_value_at; }
  /// The line has no legal `name:`; Message::index_all() reports the first such line.
  bool malformed() const noexcept { return x_malformed; }

 private:
  friend class Message;
  enum class Verdict : std::uint8_t { unknown, good, bad, no_memory };

  const char* x_line = nullptr;
  mutable const void* x_typed = nullptr;  // the typed value when good, an Error when bad
  std::uint16_t x_offset = 0;
  std::uint16_t x_line_size = 0;
  std::uint16_t x_name_size = 0;
  std::uint16_t x_value_at = 0;
  std::uint16_t x_value_size = 0;
  std::uint16_t x_number = 0;  // which line of the header it is, from 0
  HeaderId x_id = HeaderId::other;
  mutable Verdict x_verdict = Verdict::unknown;
  bool x_malformed = false;
};
static_assert(sizeof(HeaderField) <= 32);

}  // namespace ser::sip
