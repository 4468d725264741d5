// SPDX-License-Identifier: Apache-2.0
// Requests made from a request of ours: CANCEL (RFC 3261 9.1) and ACK for a final response over 299
// (17.1.1.3).
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"
#include "sip/message.h"

namespace ser::sip {

/// Where the derived request differs from what stands in the message it is made from. When that message is
/// the request exactly as it was sent, nothing needs to be given; when it is the request as received by a
/// proxy, give request_uri, via and routes as they went out on the branch. Views are read during the call
/// only.
struct DeriveSpec {
  std::string_view request_uri;  ///< empty: that of the message
  std::string_view via;          ///< whole Via line with CRLF; empty: the top Via value of the message
  std::string_view routes;  ///< whole Route lines; used when has_routes, else the Route fields of the message
  std::string_view extra_headers;  ///< whole lines with CRLF (Reason, User-Agent …)
  bool has_routes = false;
};

/// The CANCEL for a request: same Request-URI, Call-ID, To, From and CSeq number, one Via, same Route.
/// Errc::missing or syntax when the message lacks what is copied; refused for a response, an ACK or a CANCEL;
/// no_space.
Result<std::size_t> write_cancel(const Message& request, const DeriveSpec& spec,
                                 std::span<char> out) noexcept;

/// The ACK for a final response 300..699 to an INVITE: as write_cancel(), with the To of the response (its
/// tag).
Result<std::size_t> write_ack(const Message& invite, const Message& response, const DeriveSpec& spec,
                              std::span<char> out) noexcept;

}  // namespace ser::sip
