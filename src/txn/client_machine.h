// SPDX-License-Identifier: Apache-2.0
// The client transaction of one branch as a state machine without I/O: RFC 3261 17.1, RFC 6026 7.2.
#pragma once
#include <cstdint>

#include "base/packet.h"
#include "shm/owner.h"
#include "txn/timers.h"

namespace ser::txn {

/// Where a client transaction stands. For a request that is no INVITE `calling` is the RFC's Trying.
enum class ClientState : std::uint8_t {
  idle,        ///< not started; zero bytes
  calling,     ///< no response yet
  proceeding,  ///< a provisional response came
  completed,   ///< a final response other than 2xx to INVITE came, or the branch was given up; absorbs
  accepted,    ///< INVITE: a 2xx came; further ones go up (RFC 6026)
  terminated,  ///< over: `done` was said
};

/// One client transaction; 32 bytes, lies in the segment. Changed by step() only, but for `reliable` and
/// `invite`, which are set before start. Points in time are of the clock of `now`; 0: not armed.
struct ClientMachine {
  Instant retransmit_at;  ///< timer A or E
  Instant interval;       ///< what A or E was armed with last
  Instant ends_at;        ///< B, F or C before the end; D, K or M after it
  ClientState state;
  bool invite;         ///< INVITE; all other methods, CANCEL too, go by 17.1.2
  bool reliable;       ///< TCP, TLS …: nothing is sent again
  bool cancel_wanted;  ///< CANCEL goes out with the first provisional response (9.1)
  bool cancelled;      ///< `cancel` was said
  bool given_up;       ///< the core counts this branch as over: nothing but a 2xx to INVITE goes up
};
static_assert(shm::Storable<ClientMachine> && sizeof(ClientMachine) <= 32);

/// What happens to a client transaction.
struct ClientEvent {
  enum class Kind : std::uint8_t {
    start,            ///< the request goes out
    provisional,      ///< 1xx
    success,          ///< 2xx
    failure,          ///< 3xx to 6xx
    clock,            ///< time has passed: deadlines are looked at
    transport_error,  ///< the request could not be sent
    cancel,           ///< INVITE: CANCEL is wanted; goes out now or with the first provisional response
    give_up,          ///< the core has settled what this branch yields; implies cancel
  };
  Kind kind = Kind::clock;
  std::uint16_t status = 0;  ///< of a response

  static constexpr ClientEvent response(std::uint16_t status) noexcept {
    return {status < 200 ? Kind::provisional : status < 300 ? Kind::success : Kind::failure, status};
  }
};

/// What is to be done now. They do not exclude each other; do them in this order.
struct ClientActions {
  bool send_request : 1 = false;  ///< the request as it stands, the first time or again
  bool send_ack : 1 = false;      ///< the ACK to the final response in hand, or again (17.1.1.3)
  bool cancel : 1 = false;        ///< make a CANCEL with a machine of its own (9.1); once
  bool pass_up : 1 = false;       ///< the response in hand is for the proxy core (16.7)
  bool timed_out : 1 = false;     ///< the branch yields 408 (16.8)
  bool failed : 1 = false;        ///< the branch yields 503 (16.9)
  bool done : 1 = false;          ///< may be freed

  bool any() const noexcept { return *this != ClientActions{}; }
  friend bool operator==(const ClientActions&, const ClientActions&) noexcept = default;
};

/// One event. `now` is over 0 and never goes back. Where the RFCs leave a choice or a proxy does better:
/// - A first provisional response to INVITE ends A and B and starts C; further ones of 101-199 start it anew
///   (16.7 step 2), a 100 does not, so that a peer which says nothing but 100 cannot hold the branch. C thus
///   counts from the first provisional response, not from the sending (16.6 step 11), as tm has it.
/// - When C fires, `cancel` is said, and the branch goes on for 64*T1: the 487 or a 2xx on its way settles
///   it, else `timed_out` (16.8, 9.1). Who wants the branch to count as 408 at once, as tm, does so and steps
///   `give_up`: the 487 is then ACKed and not passed up.
/// - When B or F fires, the RFC destroys the transaction. With TimerValues::wait it lingers, so that a late
///   final gets its ACK and a late 2xx goes up.
/// - A 2xx to INVITE goes up whenever it comes, behind a failure too: 16.7 step 5 makes a forking proxy
///   downstream send it.
/// - transport_error counts while requests are sent: in calling, and in proceeding when it is no INVITE. In
///   completed it was an ACK that was lost, and the next retransmission asks for another one (17.1.1.2 would
///   end here, and the final that is sent again would find nobody).
/// - An event that the state does not expect does nothing; after `done` nothing does anything.
ClientActions step(ClientMachine& machine, ClientEvent event, Instant now,
                   const TimerValues& values) noexcept;

/// The earliest time at which step(clock) will do something; 0: never.
Instant next_due(const ClientMachine& machine) noexcept;

/// t_set_fr() while the branch waits: B, F or C is armed anew from now on. Nothing after a final response or
/// once the branch is cancelled.
void restart_timeout(ClientMachine& machine, Instant now, const TimerValues& values) noexcept;

/// The core may still get a response, 408 or 503 from this branch.
inline bool is_pending(const ClientMachine& machine) noexcept {
  return machine.state == ClientState::calling || machine.state == ClientState::proceeding;
}

}  // namespace ser::txn
