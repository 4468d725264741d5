// SPDX-License-Identifier: Apache-2.0
// The first line of a message: Request-Line or Status-Line (RFC 3261 7.1, 7.2).
#pragma once
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "sip/method.h"

namespace ser::sip {

/// A parsed first line. Views point into the message.
struct StartLine {
  bool is_request = false;
  Method method = Method::other;  ///< requests only
  std::uint16_t status = 0;       ///< 100..699 in a response, 0 in a request
  std::string_view method_name;   ///< requests only
  std::string_view uri;           ///< Request-URI as written; not checked beyond holding no white space
  std::string_view version;       ///< "SIP/2.0" as written
  std::string_view reason;        ///< responses only, may be empty
  std::string_view line;          ///< the whole line without its line end
};

/// Reads the first line of `bytes`. Errc::incomplete: no line end; Errc::syntax: not a SIP first line or
/// malformed; Errc::version: SIP/x.y other than 2.0; Errc::out_of_range: status not in 100..699.
Result<StartLine> parse_start_line(std::string_view bytes) noexcept;

/// The same, but fills `out` as far as the line could be read, so that a 505 or 400 can be sent: after
/// Errc::version everything is filled; after Errc::syntax of a line that is a request beyond doubt (token,
/// white space, …, SIP/x) is_request, method, method_name, version and line are, and uri holds what stands
/// between, trimmed. In all other cases `out.method_name` and `out.status` are empty.
Result<void> parse_start_line(std::string_view bytes, StartLine& out) noexcept;
/// The same for a line whose end is known: `line` includes the LF.
Result<void> read_start_line(std::string_view line, StartLine& out) noexcept;

}  // namespace ser::sip
