// SPDX-License-Identifier: Apache-2.0
// Stateless forwarding of requests and responses (RFC 3261 16.6, 16.7, 16.11, 18.2; SER rows forward, send,
// receive_msg).
#pragma once
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "proxy/run.h"
#include "proxy/services.h"
#include "proxy/via_token.h"

namespace ser::proxy {

inline constexpr std::uint16_t kDefaultPort = 5060;  ///< where nothing else is said (RFC 3261 18.2.2, 19.1.2)

/// host and port as text or address, resolved without waiting. Errc::pending: the name is being looked up
/// (counted; the caller answers 503); Errc::not_found; Errc::syntax; Errc::unsupported (a protocol we do not
/// speak).
Result<SockAddr> resolve(Services& services, std::string_view host, std::uint16_t port, Proto proto) noexcept;
/// The same for a function of a script. Errc::suspended: the name is being looked up and the run will wait
/// for it: the function answers Outcome::again() and must have had no effect before. Errc::pending only where
/// the run cannot wait.
Result<SockAddr> resolve(const Run& run, std::string_view host, std::uint16_t port, Proto proto) noexcept;

/// Where the current destination of the run is: $du if set, else the Request-URI (maddr, transport, port
/// honoured). Errc::suspended as above, and nothing is noted in the run then; else sets its last_error.
Result<SockAddr> next_hop(Run& run) noexcept;

/// For who makes a transaction of the request first, whose run cannot wait any more: true when a host name of
/// the run's destination or of one of its branches is being looked up and the run will wait for it. Then the
/// function answers Outcome::again(). What else may be wrong with them next_hop() says.
bool wait_for_destinations(Run& run) noexcept;

/// The socket and source address to reach `to` from. Errc::refused: no host's address; Errc::not_found: no
/// socket of its family.
Result<TxTarget> choose_target(Run& run, const SockAddr& to) noexcept;

/// Sends the request to `to` with our Via on top, received/rport noted, Max-Forwards counted, the run's edits
/// applied and its Request-URI. Sets the run's last_error when it fails. Only the first branch is used.
Result<void> forward_request(Run& run, const SockAddr& to) noexcept;
/// forward() to the destination of the run.
Result<void> forward_request(Run& run) noexcept;

/// Sends the request with our Via of this token on top; the token's branch index says whose edits are
/// applied. The bytes as they left, valid until the next call of the sink. Errors as above, and last_error.
Result<std::string_view> send_request(Run& run, const TxTarget& target, const ViaToken& token) noexcept;

/// send(): the message as received, byte for byte, to `to`; no Via, no changes.
Result<void> send_unchanged(Run& run, const SockAddr& to) noexcept;

/// The way of a response that no module took: our Via off, on to the second Via (received, rport, maddr,
/// sent-by). Errc::refused: not ours and stray replies are not relayed; Errc::missing: no second Via, it was
/// for us; Errc::suspended: the response will wait for a name in that Via.
Result<void> forward_response(Run& run) noexcept;

/// Sends the response without its top Via, with the run's edits. The bytes as they left, valid until the next
/// call of the sink.
Result<std::string_view> send_response(Run& run, const TxTarget& target) noexcept;

/// Where a response to `via` goes (RFC 3261 18.2.2, RFC 3581): received and rport, maddr, sent-by.
Result<SockAddr> response_target(Services& services, const sip::Via& via) noexcept;

}  // namespace ser::proxy
