// SPDX-License-Identifier: Apache-2.0
// Requests made from a request of ours: CANCEL (RFC 3261 9.1), ACK for a final response over 299 (17.1.1.3),
// and a user agent's ACK for a 2xx (13.2.2.4).
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

/// The CANCEL for a request from nothing but its bytes as they left: one pass, no arena, nothing kept. Its
/// lines stand in the order and the form they have there (compact names, folds). `extra_headers` as above.
/// Errc::refused for what is no request, an ACK or a CANCEL; missing (Via, From, To, Call-ID or CSeq is not
/// there), syntax, version, incomplete, out_of_range (CSeq); no_space. Linear time.
Result<std::size_t> write_cancel(std::string_view sent, std::string_view extra_headers,
                                 std::span<char> out) noexcept;

/// The ACK for a final response 300..699 from the bytes of the INVITE as they left, with the To of the
/// response; otherwise as write_cancel() above. Errc::refused, too, for another method or response.
Result<std::size_t> write_ack(std::string_view sent_invite, const Message& response,
                              std::string_view extra_headers, std::span<char> out) noexcept;

/// Room that suffices for both of these: what they add to the request is short.
constexpr std::size_t derived_size(std::string_view sent, std::string_view to,
                                   std::string_view extra_headers) noexcept {
  return sent.size() + to.size() + extra_headers.size() + 128;
}

/// What a user agent adds to its ACK for a 2xx, which is a transaction of its own.
struct Ack2xxSpec {
  std::string_view via;            ///< whole Via line with CRLF, with a new branch
  std::string_view extra_headers;  ///< whole lines with CRLF; Content-Type when there is a body
  std::string_view body;           ///< an answer to an offer in the 2xx
};

/// Most values of a route set.
inline constexpr std::size_t kMaxRouteSet = 64;

/// The ACK for a 2xx to an INVITE of ours without a dialog at hand (RFC 3261 13.2.2.4, 12.2.1.1): to the
/// Contact of the response over its Record-Route in reverse, also when the first of them is a strict router;
/// credentials as in the INVITE. Errc::missing (Contact, Via or what is copied), refused, syntax, too_many
/// (more than kMaxRouteSet routes), no_space.
Result<std::size_t> write_ack_2xx(const Message& invite, const Message& response, const Ack2xxSpec& spec,
                                  std::span<char> out) noexcept;

}  // namespace ser::sip
