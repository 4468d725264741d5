// SPDX-License-Identifier: Apache-2.0
// The server transaction as a state machine without I/O: RFC 3261 17.2, RFC 6026 7.1, RFC 4320.
#pragma once
#include <cstdint>

#include "base/packet.h"
#include "shm/owner.h"
#include "txn/timers.h"

namespace ser::txn {

/// Where a server transaction stands.
enum class ServerState : std::uint8_t {
  idle,        ///< not started; zero bytes
  trying,      ///< nothing was sent yet; the RFC's Proceeding of an INVITE begins here, too
  proceeding,  ///< a provisional response was sent
  completed,   ///< a final response was sent (no 2xx to INVITE), or it ended in silence
  confirmed,   ///< INVITE: its ACK came
  accepted,    ///< INVITE: a 2xx was sent; further ones may follow (RFC 6026)
  terminated,  ///< over: `done` was said
};

/// One server transaction; 32 bytes, lies in the segment. Changed by step() only, but for `reliable` and
/// `invite`, which are set before start. Points in time are of the clock of `now`; 0: not armed.
struct ServerMachine {
  Instant send_at;   ///< trying: when the 100 is due; completed: timer G
  Instant interval;  ///< what G was armed with last
  Instant ends_at;   ///< H, I, J or L
  ServerState state;
  bool invite;
  bool reliable;
  bool silent;  ///< completed without a response (RFC 4320 4.2)
};
static_assert(shm::Storable<ServerMachine> && sizeof(ServerMachine) <= 32);

/// What happens to a server transaction. The core sends its responses itself and tells so afterwards.
struct ServerEvent {
  enum class Kind : std::uint8_t {
    start,            ///< the request came
    retransmission,   ///< the request came again
    ack,              ///< INVITE: an ACK that matches by its branch
    provisional,      ///< a 1xx was sent
    success,          ///< a 2xx was sent
    failure,          ///< a 3xx to 6xx was sent
    silence,          ///< the core has ended without a response: nothing will be sent
    clock,            ///< time has passed: deadlines are looked at
    transport_error,  ///< a response could not be sent
  };
  Kind kind = Kind::clock;

  static constexpr ServerEvent sent(std::uint16_t status) noexcept {
    return {status < 200 ? Kind::provisional : status < 300 ? Kind::success : Kind::failure};
  }
};

/// What is to be done now. They do not exclude each other; do them in this order.
struct ServerActions {
  bool send_reply : 1 = false;   ///< the response sent last, byte for byte again
  bool send_100 : 1 = false;     ///< make a 100 and send it, then step(provisional)
  bool pass_up : 1 = false;      ///< the ACK is to a 2xx: for the proxy core, which forwards it
  bool absorb : 1 = false;       ///< the message in hand ends here
  bool ack_missing : 1 = false;  ///< H fired: no ACK came
  bool done : 1 = false;         ///< may be freed

  bool any() const noexcept { return *this != ServerActions{}; }
  friend bool operator==(const ServerActions&, const ServerActions&) noexcept = default;
};

/// One event. `now` is over 0 and never goes back. Where the RFCs leave a choice or a proxy does better:
/// - The 100 of an INVITE is due after TimerValues::trying_after, at once when that is 0 or when the INVITE
///   comes again before anything was sent. That of another request is due when RFC 4320 4.1 asks for it, and
///   no earlier even on a reliable transport.
/// - transport_error ends nothing. RFC 6026 7.1 says so for INVITE; for others RFC 3261 17.2.4 would end
///   here, and the next retransmission would be forwarded as a new request.
/// - A 2xx after a failure response leaves the machine as it is: the core sends it past the transaction (RFC
///   3261 16.7 step 9), and G and H go on.
/// - After silence retransmissions are absorbed for J (L for an INVITE): otherwise they began anew.
/// - An event that the state does not expect does nothing, but for messages, which are absorbed; after
///   `done` nothing does anything.
ServerActions step(ServerMachine& machine, ServerEvent event, Instant now,
                   const TimerValues& values) noexcept;

/// The earliest time at which step(clock) will do something; 0: never.
Instant next_due(const ServerMachine& machine) noexcept;

/// May the core send a response of this status now?
/// - before a final response: any final; any provisional to an INVITE; to others only 100, and over an
///   unreliable transport not before a client's timer E has come to T2 (RFC 4320 4.1);
/// - after a 2xx to INVITE: 2xx (RFC 6026 7.1); after a failure response to INVITE: 2xx, past the
///   transaction (RFC 3261 16.7 step 5);
/// - 408 to a request that is no INVITE: never (RFC 4320 4.2).
bool may_send(const ServerMachine& machine, std::uint16_t status, Instant now) noexcept;

/// RFC 4320 4.1 and 4.2 for requests of which nothing but the method is known.
constexpr bool may_send_provisional(bool invite, std::uint16_t status) noexcept {
  return invite || status == 100;
}
/// A timeout of all branches ends in silence instead of a 408: the client has given up by then.
constexpr bool suppress_timeout_reply(bool invite) noexcept {
  return !invite;
}

}  // namespace ser::txn
