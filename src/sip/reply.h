// SPDX-License-Identifier: Apache-2.0
// Responses made from a request (RFC 3261 8.2.6, 12.1.1, 16.7).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "sip/message.h"
#include "sip/via_stamp.h"

namespace ser::sip {

/// What a response has that the request does not say.
struct ReplySpec {
  std::uint16_t status = 200;      ///< 100..699
  std::string_view reason;         ///< empty: default_reason(status). No CR, LF or NUL
  std::string_view to_tag;         ///< added to To when that has none and status is not 100; empty: never
  std::string_view server;         ///< value of the Server field; empty: none
  std::string_view extra_headers;  ///< whole lines with CRLF; see check_header_lines()
  std::string_view content_type;   ///< for the body; empty: none
  std::string_view body;
  ViaStamp via;  ///< goes into the top Via
};

/// Writes a response straight into `out`, one pass over the header fields: all Via in order, From, To,
/// Call-ID and CSeq as received, Record-Route for 101..299 (RFC 3261 12.1.1), Timestamp for 100 (8.2.6.1),
/// then what `spec` adds and Content-Length. Works for malformed requests as far as their lines can be told
/// apart. Errc::no_space; out_of_range (status); syntax (CR, LF or NUL in reason, tag, server or
/// content_type); refused when `request` is no request.
Result<std::size_t> write_reply(const Message& request, const ReplySpec& spec, std::span<char> out) noexcept;

/// An upper bound of what write_reply() needs.
std::size_t reply_size(const Message& request, const ReplySpec& spec) noexcept;

/// The usual phrase for a status ("Not Found"); for an unknown one that of its class (x00). Static storage.
std::string_view default_reason(std::uint16_t status) noexcept;

}  // namespace ser::sip
