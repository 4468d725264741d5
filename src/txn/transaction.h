// SPDX-License-Identifier: Apache-2.0
// Transaction and Branch: the state of a request that is proxied statefully. Data only; it lies in the
// segment, where any worker goes on with it. Who holds the busy word works on it, alone (DESIGN 2.10).
#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/packet.h"
#include "proxy/keeper.h"
#include "proxy/run.h"
#include "proxy/suspended_runs.h"
#include "shm/actor.h"
#include "shm/timers.h"
#include "sip/method.h"
#include "txn/client_machine.h"
#include "txn/response_choice.h"
#include "txn/server_machine.h"

namespace ser::txn {

/// Number of no transaction, block of no route.
inline constexpr std::uint32_t kNone = UINT32_MAX;
inline constexpr std::uint16_t kNoRoute = UINT16_MAX;

/// A transaction by name: the cell and which of the transactions that lived in it. What branch tokens, timers
/// and inbox events carry.
struct TransactionId {
  std::uint32_t cell = kNone;
  std::uint32_t generation = 0;
  friend bool operator==(const TransactionId&, const TransactionId&) noexcept = default;
};

/// Bytes of a message as it came or left, in a heap cell of their own. Zero bytes: none.
struct StoredBytes {
  char* bytes;
  std::uint32_t size;
  std::uint32_t room;
  std::string_view view() const noexcept { return {bytes, size}; }
};

/// One outgoing leg. In the arena of the transaction's request.
struct Branch {
  Branch* next = nullptr;  ///< in the order of their indices
  ClientMachine client{};
  ClientMachine cancel{};  ///< of the CANCEL, once it was sent
  StoredBytes request{};   ///< as it left, to be sent again
  StoredBytes response{};  ///< the final response as it came, while others may be better
  StoredBytes cancel_bytes{};
  TxTarget target;
  std::string_view uri;             ///< Request-URI, as script or location gave it
  const char* given_uri = nullptr;  ///< where the script's text of URI and destination lies: t_relay() of
  const char* given_dst = nullptr;  ///< the same again is none
  std::uint32_t flags = 0;          ///< branch flags
  std::uint16_t status = 0;  ///< of the last response, or what the branch came to (408, 503); 0: none yet
  std::uint8_t index = 0;
  bool received = false;  ///< `status` is of a response that came
  bool replied = false;   ///< a response came before the one at hand
  bool settled = false;   ///< the core counts with nothing more but a 2xx
  bool dropped = false;   ///< t_drop_replies(): not to be chosen
  bool replica = false;   ///< t_replicate(): what it comes to is nobody's business
  bool earlier = false;   ///< of a serial leg before the last failure route
};

/// What a request is matched by (RFC 3261 17.2.3). Views into the transaction's request.
struct MatchKey {
  /// What counts, too, where the branch does not name the transaction (clients of RFC 2543).
  struct Rest {
    std::string_view uri, call_id, from_tag, to_tag;
    std::uint32_t cseq = 0;
  };
  std::string_view branch;  ///< of the top Via
  std::string_view host;    ///< sent-by
  std::string_view method_name;
  const Rest* rest = nullptr;  ///< in the arena; nullptr: the branch names the transaction
  std::uint16_t port = 0;      ///< sent-by; 5060 when it has none
  sip::Method method = sip::Method::other;
};

enum class Phase : std::uint32_t {
  free,  ///< no transaction
  raw,   ///< the run that makes it has not ended: a death takes it along
  live,
  over,  ///< nobody finds it any more; its memory is being given back
};

/// What somebody who found the transaction busy wants done: bits of Transaction::due.
enum Due : std::uint32_t {
  kDueClock = 1,           ///< a deadline has passed
  kDueRetransmission = 2,  ///< the request came again
  kDueAck = 4,             ///< the ACK to a failure response came
  kDueCancel = 8,          ///< its CANCEL came
};

/// Neighbours in a chain of transactions: number + 1; 0: none.
struct Links {
  std::uint32_t next, previous;
};

/// A response that found the transaction busy. A heap cell; the bytes follow.
struct WaitingResponse {
  std::uint32_t generation;
  std::uint32_t sequence;  ///< order of arrival
  RxPacket rx;             ///< bytes: behind this
};

/// What follows when a failure route has ended; it may wait.
struct PausedFailure {
  Choice choice;            ///< what led to it
  unsigned branches = 0;    ///< how many there were before it
  proxy::RouteKind kind{};  ///< of the request's run, when it is over
};

struct Transaction {
  static constexpr std::uint32_t kWaiting = 4;

  static constexpr std::uint32_t kNobody = 0x7FFF'FFFF;     ///< in `busy` of a free cell: nobody may take it
  static constexpr std::uint32_t kSuspended = 0x8000'0000;  ///< in `busy`: the run `waits_for` has it

  std::atomic<std::uint32_t> busy;        ///< 0, or Actor::lock_word() of who works on it
  std::atomic<std::uint32_t> generation;  ///< raised when the cell gets a new transaction
  std::atomic<Phase> phase;
  std::atomic<std::uint32_t> due;       ///< Due bits
  std::atomic<std::uint32_t> sequence;  ///< of waiting responses
  std::uint32_t number;                 ///< of this cell
  Links in_table;                       ///< or `next` of the free cells
  Links in_answered;                    ///< of an INVITE that was answered by a 2xx
  std::uint32_t hash;
  std::uint64_t call;  ///< call_hash() while it may be in the table of what was answered; 0: it never was
  std::atomic<WaitingResponse*> waiting[kWaiting];

  shm::TimerEntry
      timer;  ///< one for all deadlines: armed for the earliest, or for an earlier one by then past
  proxy::Ticket waits_for;  ///< of the run that waits, while `busy` says so
  ServerMachine server;
  proxy::KeptMessage request;
  const MatchKey* key;  ///< in the request's arena; constant while it is in the table
  Branch* branches;
  PausedFailure paused;       ///< of the failure route that runs or waits
  StoredBytes reply;          ///< what was sent last upstream
  StoredBytes cancel_reason;  ///< Reason lines for CANCELs (RFC 3326): the client's, or why we cancel
  TxTarget reply_to;
  std::atomic<std::uint16_t> status;  ///< sent last upstream; 0: none
  std::uint8_t branch_count;
  bool invite;
  bool cancelled;       ///< a CANCEL came
  bool reply_is_local;  ///< `reply` was made here
  // Blocks of the script, or kNoRoute; read and cleared when they run.
  std::uint16_t on_branch, on_reply, on_failure;
  bool has_ended;       ///< it ends as soon as it is let go of
  bool in_hand;         ///< its request is taken up (RequestInHand)
  bool no_reason;       ///< t_set_no_e2e_cancel_reason()
  bool untidy;          ///< a death left cells of its own that nothing points to
  std::uint8_t trying;  ///< t_set_auto_inv_100(): 1 on, 2 off; 0: as configured
  Instant fr, fr_inv;   ///< t_set_fr(); 0: as configured
  Instant t1, t2;       ///< t_set_retr(); 0: as configured
  Instant created;
  Instant lifetime;  ///< t_set_max_lifetime(); 0: none

  TransactionId id() const noexcept { return {number, generation.load(std::memory_order_relaxed)}; }
  shm::Owner owner() const noexcept {
    return shm::Owner::make(shm::OwnerKind::transaction, number, generation.load(std::memory_order_relaxed));
  }
  bool held_by(const shm::Actor& self) const noexcept {
    return busy.load(std::memory_order_relaxed) == self.lock_word();
  }
  bool has_final() const noexcept { return status.load(std::memory_order_relaxed) >= 200; }
};
static_assert(shm::Storable<Transaction> && sizeof(Transaction) <= 512);

}  // namespace ser::txn
