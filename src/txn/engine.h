// SPDX-License-Identifier: Apache-2.0
// Engine: what a stateful proxy does with requests, responses and time (RFC 3261 16 and 17). One per worker,
// over the transactions that all workers share. It sends by the worker's sink and runs the script's blocks by
// the worker's RouteRunner; it waits for nothing.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "base/counters.h"
#include "proxy/keeper.h"
#include "proxy/local_reply.h"
#include "proxy/run.h"
#include "proxy/services.h"
#include "txn/answered.h"
#include "txn/response_choice.h"
#include "txn/table.h"
#include "txn/timers.h"
#include "txn/transaction.h"

namespace ser::txn {

/// The response that is being put to a transaction, or taken back. Who dies in the middle leaves it here.
struct WaitingNote {
  shm::FutexLock lock;
  WaitingResponse* response;  ///< nullptr: none
  TransactionId of;
};

/// All transactions. In the segment, made before the first fork.
struct Root {
  PoolRoot pool;
  TableRoot table;
  AnsweredRoot answered;
  WaitingNote waiting;
  shm::AccountId cell_account;  ///< pays for the pool's chunks, which stay; 0: core
};
static_assert(shm::Storable<Root>);

/// Names of what is counted; registered by the module.
struct EngineCounters {
  CounterId created, answered, finished, local_replies, retransmissions, requests_sent_again,
      replies_sent_again, cancels, timeouts, stray_responses, waiting_full, no_memory;
};

/// tm's parameters. Read-only after the start.
struct EngineConfig {
  TimerValues timers;
  bool trying_at_once = true;  ///< auto_inv_100
  std::string_view trying_reason = "trying -- your call is important to us";
  bool pass_reason = true;         ///< e2e_cancel_reason: the Reason of a client's CANCEL goes into ours
  bool own_reason = true;          ///< local_cancel_reason: CANCELs to the losers of a fork say who won
  bool keep_503 = false;           ///< remap_503_500 = 0
  bool drop_earlier_legs = false;  ///< failure_reply_mode = 3: replies of legs before a failure route are out
};

/// How somebody came to a transaction.
enum class Access : std::uint8_t {
  held,  ///< it is ours until release()
  busy,  ///< another worker has it, or a run that waits
  gone,  ///< there is none of that generation
};

class Engine {
 public:
  /// All outlive the engine. `services.shared` is set. `account` pays for what a transaction has until it
  /// ends. `event_type`: of timer entries and inbox events.
  Engine(Root& root, const EngineConfig& config, const EngineCounters& counters, proxy::Services& services,
         shm::AccountId account, std::uint32_t event_type) noexcept;

  // In the run of a request.

  /// What the request is to a transaction we have. A retransmission is answered (or left to who works on the
  /// transaction), an ACK to a failure response absorbed: then the run ends. `id`: the transaction found.
  enum class Found : std::uint8_t { nothing, retransmission, ack, cancel };
  Found match(proxy::Run& run, TransactionId& id) noexcept;
  /// The same as a question: nothing is answered.
  Found find(proxy::Run& run, TransactionId& id) noexcept;
  /// The request is the ACK to a 2xx that we let pass, or sent, not long ago: it is for the script to
  /// forward.
  bool is_ack_to_2xx(proxy::Run& run) noexcept;
  /// Answers the retransmission that find() saw, as match() does. False: the transaction is no more.
  bool retransmit_reply(TransactionId id) noexcept;
  /// The transaction is in another worker's hands just now.
  bool in_work(TransactionId id) const noexcept;
  /// Makes the transaction of the run's request, held by us until end_of_run(). Errc::overlap: it exists, and
  /// the retransmission was answered; no_memory.
  Result<Transaction*> create(proxy::Run& run) noexcept;
  /// Sends the request to its current destination and to those of the branch set; each is a branch. How many
  /// left. Sets last_error when none did. The transaction is held.
  Result<unsigned> relay(Transaction& transaction, proxy::Run& request) noexcept;
  /// To those of the branch set only.
  Result<unsigned> relay_appended(Transaction& transaction, proxy::Run& request) noexcept;
  /// The one target `to` instead of the destination of the run.
  Result<unsigned> relay_to(Transaction& transaction, proxy::Run& request, const SockAddr& to) noexcept;
  /// A copy of the request to `to`, whose responses go nowhere.
  Result<unsigned> replicate(Transaction& transaction, proxy::Run& request, const SockAddr& to) noexcept;
  /// Answers the request, whatever branches are doing: those are cancelled by a final. In a reply route
  /// `request` may be the response.
  Result<void> reply(Transaction& transaction, proxy::Run& request, const proxy::LocalReply& reply) noexcept;
  /// The CANCEL in hand: its INVITE's branches are cancelled, the CANCEL is answered. False: no such INVITE.
  bool cancel(proxy::Run& run) noexcept;
  void cancel_branches(Transaction& transaction) noexcept;
  /// Cancels the branch of that index, or all others; how many.
  unsigned cancel_some(Transaction& transaction, unsigned index, bool others) noexcept;
  /// t_set_fr() on branches that wait: they begin to wait anew.
  void restart_timeouts(Transaction& transaction) noexcept;
  /// Sends what was answered last again. False: nothing yet.
  bool retransmit_reply(Transaction& transaction) noexcept;
  /// Forgets it as soon as the run ends (t_release).
  void release_early(Transaction& transaction) noexcept { transaction.has_ended = true; }
  /// The post-script hook: puts the request down and lets others at the transaction.
  void end_of_run(proxy::Run& run) noexcept;

  // Runs that wait (engine_suspended.cpp); as proxy::Transactions has them.

  bool begin_pending(proxy::Run& run) noexcept;
  /// The script asks for a transaction of a run that has waited: it is no longer pending. Null: it never was.
  static Transaction* take_pending(proxy::Run& run) noexcept;
  void put_aside(proxy::Run& run) noexcept;
  proxy::KeptMessage* take_up(proxy::RunState& state) noexcept;
  void resume(proxy::SuspendedRun& suspended, proxy::RestOfRoute& rest) noexcept;

  // Everything else.

  /// A response whose token names a transaction of ours. True: it ends here.
  bool on_response(proxy::Run& response) noexcept;
  /// A deadline. In the timer worker (no scripts there) what needs the script is left to the event worker.
  void on_clock(TransactionId id) noexcept;

  /// Takes the transaction when nobody has it.
  Access acquire(Transaction& transaction, std::uint32_t generation) noexcept;
  Transaction* at(TransactionId id) const noexcept { return x_pool.at(id.cell); }
  /// Does what others left to do, arms the timer and lets go; ends the transaction when it is over. Where
  /// what is sent is gathered, that waits for after_flush(): the next event of the transaction must not
  /// overtake, in another worker, what this one sends.
  void release(Transaction& transaction) noexcept;
  void after_flush() noexcept;

  /// After a death: every transaction that a dead worker held goes on without it, or ends when it was being
  /// made. Where the last final response of a branch was in hand, the client gets another one (500, or 487
  /// after its CANCEL). In the event worker. Linear in the transactions.
  void put_right() noexcept;

  Branch* branch(const Transaction& transaction, unsigned index) const noexcept;
  /// Of the response that led to the failure route which is running: as t_check_status() sees it.
  Choice failure() const noexcept { return x_failure; }

 private:
  class RequestInHand;

  TimerValues timers(const Transaction& transaction) const noexcept;
  Instant now() const noexcept { return x_now; }
  void read_clock() noexcept { x_now = x_services.clock.now(); }

  // engine_request.cpp
  Found look_up(proxy::Run& run, TransactionId& id, bool leave_word) noexcept;
  Result<void> may_relay(Transaction& transaction, proxy::Run& request) const noexcept;
  static bool is_new_target(const Transaction& transaction, const proxy::Run& request) noexcept;
  Result<void> begin_fork(proxy::Run& request, std::size_t targets) noexcept;
  Result<void> limit_breadth(proxy::Run& request, const Branch& branch) noexcept;
  void try_at_once(Transaction& transaction, proxy::Run& request) noexcept;
  Result<unsigned> relay(Transaction& transaction, proxy::Run& request, bool current) noexcept;
  Result<void> add_branch(Transaction& transaction, proxy::Run& request, const SockAddr* to,
                          bool replica = false) noexcept;
  Result<void> send_branch(Transaction& transaction, proxy::Run& request, Branch& branch) noexcept;
  bool run_branch_route(Transaction& transaction, proxy::Run& request, Branch& branch) noexcept;
  void send_trying(Transaction& transaction, proxy::Run& request) noexcept;
  void keep_reason(Transaction& transaction, sip::Message& cancel) noexcept;
  Result<void> answer(Transaction& transaction, proxy::Run& request, proxy::LocalReply reply) noexcept;

  // engine_waiting.cpp
  void leave_to_holder(Transaction& transaction, const proxy::Run& response,
                       std::uint32_t generation) noexcept;
  bool wait_for_holder(Transaction& transaction, const proxy::Run& response,
                       std::uint32_t generation) noexcept;
  bool put_in(Transaction& transaction, WaitingResponse* waiting) noexcept;
  void free_late(Transaction& transaction) noexcept;
  static WaitingResponse* first_waiting(const Transaction& transaction) noexcept;
  void take_out(Transaction& transaction, WaitingResponse& waiting) noexcept;
  void take_waiting(Transaction& transaction, WaitingResponse& waiting) noexcept;
  void free_waiting(Transaction& transaction) noexcept;
  void repair_waiting() noexcept;

  // engine_response.cpp
  bool on_cancel_response(proxy::Run& response) noexcept;
  void take_cancel_response(Transaction& transaction, proxy::Run& response, unsigned index,
                            std::string_view via_branch) noexcept;
  void take_response(Transaction& transaction, proxy::Run& response, unsigned index) noexcept;
  proxy::RouteEnd run_reply_route(Transaction& transaction, proxy::Run& response, Branch& branch,
                                  proxy::RestOfRoute* rest) noexcept;
  void end_reply_route(Transaction& transaction, proxy::Run& response, Branch& branch,
                       proxy::RouteEnd ended) noexcept;
  void keep_response(Transaction& transaction, Branch& branch, const proxy::Run& response) noexcept;
  void settle(Transaction& transaction, Branch& branch, proxy::Run* response) noexcept;
  void relay_response(Transaction& transaction, proxy::Run& response) noexcept;
  void finish(Transaction& transaction, const Choice& choice, proxy::Run* response) noexcept;
  bool run_failure_route(Transaction& transaction, const Choice& choice) noexcept;
  bool go_through_failure_route(Transaction& transaction, std::uint16_t route,
                                proxy::RestOfRoute* rest) noexcept;
  void send_choice(Transaction& transaction, const Choice& choice, proxy::Run* response) noexcept;
  void relay_stored(Transaction& transaction, Branch& branch, const Choice& choice) noexcept;
  void add_challenges(Transaction& transaction, proxy::Run& response, const Choice& choice) noexcept;

  // engine_clock.cpp
  bool needs_script(const Transaction& transaction) const noexcept;
  void clock(Transaction& transaction, bool suspended) noexcept;
  void clock_server(Transaction& transaction) noexcept;
  void clock_branch(Transaction& transaction, Branch& branch) noexcept;
  void do_due(Transaction& transaction, bool suspended) noexcept;
  void hand_over(Transaction& transaction) noexcept;
  void give_reason(Transaction& transaction, std::uint16_t winner) noexcept;
  void cancel_branch(Transaction& transaction, Branch& branch) noexcept;
  void send_cancel(Transaction& transaction, Branch& branch) noexcept;
  void send_ack(Transaction& transaction, Branch& branch, proxy::Run& response) noexcept;
  void send_again(const StoredBytes& bytes, const TxTarget& target) noexcept;
  Instant next_due(const Transaction& transaction) const noexcept;
  void arm(Transaction& transaction) noexcept;
  void arm_for(Transaction& transaction, Instant due) noexcept;
  void let_go(Transaction& transaction) noexcept;
  bool over(const Transaction& transaction) const noexcept;
  bool end(Transaction& transaction) noexcept;
  void free_memory(Transaction& transaction) noexcept;

  // engine_deaths.cpp
  bool repair() noexcept;
  bool is_held_by_dead(const Transaction& transaction, std::uint32_t holder) noexcept;
  void take_from_dead(Transaction& transaction) noexcept;
  void finish_step(Transaction& transaction) noexcept;
  void finish_step(Transaction& transaction, Branch& branch) noexcept;

  // engine_suspended.cpp
  bool is_ours(const Transaction& transaction) const noexcept { return transaction.held_by(x_shared.self); }
  void leave_to_run(Transaction& transaction, char* block) noexcept;
  static char* block_of(const Transaction& transaction) noexcept;
  void call_event_worker(TransactionId id) noexcept;
  void look_after(Transaction& transaction, std::uint32_t generation) noexcept;
  void arm_suspended(Transaction& transaction) noexcept;
  void resume_failure_route(Transaction& transaction, proxy::RestOfRoute& rest) noexcept;
  void resume_reply_route(Transaction& transaction, proxy::SuspendedRun& suspended,
                          proxy::RestOfRoute& rest) noexcept;

  void note_sent(Transaction& transaction, std::uint16_t status) noexcept;
  void note_answered(Transaction& transaction, sip::Message& message, std::uint16_t status) noexcept;
  bool store(Transaction& transaction, StoredBytes& stored, std::string_view bytes) noexcept;
  void drop(StoredBytes& stored) noexcept;
  void count(CounterId id) noexcept { x_services.counters.add(id); }

  /// Room to parse a stored response in without touching the segment.
  static constexpr std::size_t kScratchRoom = 4096;

  proxy::Services& x_services;
  proxy::SharedServices& x_shared;
  WaitingNote& x_waiting;
  const EngineConfig& x_config;
  const EngineCounters& x_counters;
  Pool x_pool;
  Table x_table;
  Answered x_answered;
  shm::AccountId x_account;
  std::uint32_t x_event_type;
  static constexpr unsigned kMaxHeld = 32;  ///< more than a receive batch has messages
  Transaction* x_held[kMaxHeld] = {};       ///< ours until after_flush()
  unsigned x_held_count = 0;
  Instant x_now = 0;
  Choice x_failure;
  proxy::Run* x_request = nullptr;  ///< of the transaction whose reply route runs
  /// Of the parallel fork that t_relay() makes just now (RFC 5393); zero: none.
  struct Fork {
    std::uint32_t loop_hash = 0;
    std::uint32_t breadth = 0;
    std::size_t targets = 0, next = 0;
  } x_fork;
};

}  // namespace ser::txn
