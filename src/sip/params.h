// SPDX-License-Identifier: Apache-2.0
// Parameters: `;name`, `;name=token`, `;name="quoted"`, read in place without allocation.
#pragma once
#include <optional>
#include <string_view>

#include "sip/scanner.h"

namespace ser::sip {

/// Walks a parameter text such as `;lr;tag=1;x="a b"` (RFC 3261 25.1 generic-param; LWS and folds around `;`
/// and `=` are legal). Use: `ParamIterator it(text); while (it.next()) …; if (!it.ok) …malformed…`. Views
/// point into `params`.
class ParamIterator {
 public:
  /// `params` is empty or starts with `;` (LWS before it is tolerated).
  explicit ParamIterator(std::string_view params) noexcept : x_cursor(params) {}

  /// Goes to the next parameter. False at the end, and at the first syntax error (then `ok` is false). Linear
  /// time.
  bool next() noexcept;

  /// Offset in `params` where next() stopped.
  std::uint32_t offset() const noexcept { return x_cursor.offset(); }

  std::string_view name;   ///< as written; compare without regard to case
  std::string_view value;  ///< empty for a flag; of a quoted value the raw text between the quotes
  bool has_value = false;  ///< `=` was there
  bool quoted = false;     ///< the value was a quoted string
  bool ok = true;          ///< no syntax error so far

 private:
  Cursor x_cursor;
};

/// Value of the first parameter `name` (any case): empty for a flag, raw text between quotes for a quoted
/// string; nullopt when absent or when the text is malformed before it.
std::optional<std::string_view> find_param(std::string_view params, std::string_view name) noexcept;

}  // namespace ser::sip
