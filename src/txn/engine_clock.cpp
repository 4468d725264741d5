// SPDX-License-Identifier: Apache-2.0
// The engine in time: deadlines, what is sent again, and the end of a transaction.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "sip/derive.h"
#include "txn/engine.h"
#include "txn/request_in_hand.h"

namespace ser::txn {

using proxy::Run;
using Kind = ClientEvent::Kind;

namespace {

/// How long after a lock was not to be had the end is tried again.
constexpr Instant kLater = kSecond;
/// How long an event worker may take until the timer asks again.
constexpr Instant kHandOver = 100 * kMillisecond;
constexpr std::uint32_t kSweepSlice = 4096;
/// Bounds a sweep that a stopped holder of a lock keeps from getting on; what is left then is lost until the
/// segment is made anew.
constexpr unsigned kSweepTries = 10'000;

void take_earlier(Instant& earliest, Instant due) noexcept {
  if (due != 0 && (earliest == 0 || due < earliest)) earliest = due;
}

}  // namespace

TimerValues Engine::timers(const Transaction& transaction) const noexcept {
  TimerValues values = x_config.timers;
  if (transaction.fr != 0) values.fr = transaction.fr;
  if (transaction.t1 != 0) values.t1 = transaction.t1;
  if (transaction.t2 != 0) values.t2 = transaction.t2;
  if (transaction.fr_inv != 0) values.fr_inv = transaction.fr_inv;
  if (transaction.lifetime != 0) values.latest = transaction.created + transaction.lifetime;
  return values;
}

bool Engine::store(Transaction& transaction, StoredBytes& stored, std::string_view bytes) noexcept {
  stored.size = 0;
  if (stored.bytes == nullptr || stored.room < bytes.size()) {
    drop(stored);
    auto* cell = static_cast<char*>(
        x_shared.heap.alloc(x_shared.self, bytes.size(), x_account, shm::Priority::reserve));
    if (cell == nullptr) {
      count(x_counters.no_memory);
      return false;
    }
    // What is linked is the transaction's: nobody sweeps it.
    x_shared.heap.transfer(cell, transaction.owner());
    x_shared.self.step();
    stored.room = static_cast<std::uint32_t>(x_shared.heap.usable(cell));
    stored.bytes = cell;
    x_shared.self.step();
  }
  std::memcpy(stored.bytes, bytes.data(), bytes.size());
  stored.size = static_cast<std::uint32_t>(bytes.size());
  return true;
}

void Engine::drop(StoredBytes& stored) noexcept {
  char* cell = stored.bytes;
  if (cell == nullptr) return;
  stored = {};
  x_shared.self.step();
  x_shared.heap.free(x_shared.self, cell);
}

void Engine::send_again(const StoredBytes& bytes, const TxTarget& target) noexcept {
  if (bytes.size == 0) return;
  const std::span<char> out = x_services.sink.reserve(bytes.size);
  if (out.empty()) return;
  std::memcpy(out.data(), bytes.bytes, bytes.size);
  static_cast<void>(x_services.sink.commit(bytes.size, target));
}

/// True when a deadline that has passed may lead into the script.
bool Engine::needs_script(const Transaction& transaction) const noexcept {
  if (transaction.on_failure == kNoRoute) return false;
  for (const Branch* branch = transaction.branches; branch != nullptr; branch = branch->next) {
    if (is_pending(branch->client) && branch->client.ends_at != 0 && branch->client.ends_at <= now())
      return true;
  }
  return false;
}

void Engine::clock_server(Transaction& transaction) noexcept {
  const ServerActions todo = step(transaction.server, {ServerEvent::Kind::clock}, now(), timers(transaction));
  if (todo.send_100) {
    RequestInHand request(x_services, transaction);
    send_trying(transaction, request.run());
  }
  if (todo.send_reply && transaction.reply.size != 0) {
    count(x_counters.replies_sent_again);
    send_again(transaction.reply, transaction.reply_to);
  }
}

void Engine::clock_branch(Transaction& transaction, Branch& branch) noexcept {
  const TimerValues values = timers(transaction);
  if (branch.cancel.state != ClientState::idle &&
      step(branch.cancel, {Kind::clock}, now(), values).send_request) {
    count(x_counters.requests_sent_again);
    send_again(branch.cancel_bytes, branch.target);
  }
  const ClientActions todo = step(branch.client, {Kind::clock}, now(), values);
  if (todo.send_request) {
    count(x_counters.requests_sent_again);
    send_again(branch.request, branch.target);
  }
  if (todo.cancel) {
    // Timer C. As tm does, the branch counts as 408 at once; its 487 is ACKed and goes no further.
    send_cancel(transaction, branch);
    static_cast<void>(step(branch.client, {Kind::give_up}, now(), values));
  }
  if (!todo.timed_out && !todo.cancel && !todo.failed) return;
  if (branch.settled) return;
  count(x_counters.timeouts);
  if (branch.replica) return;
  branch.status = todo.failed ? 503 : 408;
  branch.replied = branch.received;
  branch.received = false;
  branch.settled = true;
  settle(transaction, branch, nullptr);
}

/// `suspended`: a run that waits has the transaction. What a branch comes to is for later then.
void Engine::clock(Transaction& transaction, bool suspended) noexcept {
  clock_server(transaction);
  // A failure route may add branches behind the last one of now.
  const unsigned count_now = transaction.branch_count;
  Branch* branch = transaction.branches;
  for (unsigned i = 0; i < count_now && branch != nullptr; ++i, branch = branch->next) {
    if (suspended && branch->client.ends_at != 0 && branch->client.ends_at <= now()) {
      transaction.due.fetch_or(kDueClock, std::memory_order_relaxed);
      continue;
    }
    clock_branch(transaction, *branch);
    if (!is_ours(transaction)) return;
  }
}

/// For the CANCELs to come: another branch has won (RFC 3326 3.1). The client's Reason goes first.
void Engine::give_reason(Transaction& transaction, std::uint16_t winner) noexcept {
  if (!x_config.own_reason || transaction.cancel_reason.size != 0) return;
  std::array<char, 64> line;
  const auto put = [&](std::string_view text, std::size_t at) {
    std::memcpy(line.data() + at, text.data(), text.size());
    return at + text.size();
  };
  std::size_t size = put("Reason: SIP;cause=", 0);
  size += print_u64(line.data() + size, winner);
  if (winner == 200) size = put(";text=\"Call completed elsewhere\"", size);
  size = put("\r\n", size);
  store(transaction, transaction.cancel_reason, {line.data(), size});
}

void Engine::cancel_branch(Transaction& transaction, Branch& branch) noexcept {
  if (step(branch.client, {Kind::cancel}, now(), timers(transaction)).cancel)
    send_cancel(transaction, branch);
}

void Engine::send_cancel(Transaction& transaction, Branch& branch) noexcept {
  if (branch.cancel.state != ClientState::idle || branch.request.size == 0) return;
  const std::string_view reason = transaction.cancel_reason.view();
  const std::span<char> out = x_services.sink.reserve(sip::derived_size(branch.request.view(), {}, reason));
  if (out.empty()) return;
  const auto size = sip::write_cancel(branch.request.view(), reason, out);
  if (!size || !store(transaction, branch.cancel_bytes, {out.data(), *size})) return;
  count(x_counters.cancels);
  static_cast<void>(step(branch.cancel, {Kind::start}, now(), timers(transaction)));
  static_cast<void>(x_services.sink.commit(*size, branch.target));
}

void Engine::send_ack(Transaction& /*transaction*/, Branch& branch, Run& response) noexcept {
  const sip::HeaderField* to = response.message().find(sip::HeaderId::to);
  if (to == nullptr) return;
  const std::span<char> out =
      x_services.sink.reserve(sip::derived_size(branch.request.view(), to->line(), {}));
  if (out.empty()) return;
  if (const auto size = sip::write_ack(branch.request.view(), response.message(), {}, out); size)
    static_cast<void>(x_services.sink.commit(*size, branch.target));
}

void Engine::cancel_branches(Transaction& transaction) noexcept {
  cancel_some(transaction, UINT32_MAX, true);
}

unsigned Engine::cancel_some(Transaction& transaction, unsigned index, bool others) noexcept {
  unsigned count = 0;
  for (Branch* branch = transaction.branches; branch != nullptr; branch = branch->next) {
    if ((branch->index != index) != others || !is_pending(branch->client)) continue;
    cancel_branch(transaction, *branch);
    ++count;
  }
  return count;
}

void Engine::restart_timeouts(Transaction& transaction) noexcept {
  read_clock();
  for (Branch* branch = transaction.branches; branch != nullptr; branch = branch->next)
    restart_timeout(branch->client, now(), timers(transaction));
}

/// What was left to do by those who found the transaction busy, and everything that is due.
void Engine::do_due(Transaction& transaction, bool suspended) noexcept {
  const std::uint32_t due = transaction.due.exchange(0, std::memory_order_acq_rel);
  // We may have had it for long.
  if (due != 0) read_clock();
  if ((due & kDueCancel) != 0 && !transaction.cancelled) {
    transaction.cancelled = true;
    cancel_branches(transaction);
  }
  if ((due & kDueAck) != 0)
    static_cast<void>(step(transaction.server, {ServerEvent::Kind::ack}, now(), timers(transaction)));
  if ((due & kDueRetransmission) != 0) {
    count(x_counters.retransmissions);
    const ServerActions todo =
        step(transaction.server, {ServerEvent::Kind::retransmission}, now(), timers(transaction));
    // A 2xx made here has nobody else who would send it again.
    const bool own_2xx = transaction.server.state == ServerState::accepted && transaction.reply_is_local;
    if (todo.send_reply || own_2xx) send_again(transaction.reply, transaction.reply_to);
    if (todo.send_100) {
      RequestInHand request(x_services, transaction);
      send_trying(transaction, request.run());
    }
  }
  if ((due & kDueClock) != 0) clock(transaction, suspended);
}

Instant Engine::next_due(const Transaction& transaction) const noexcept {
  Instant earliest = txn::next_due(transaction.server);
  for (const Branch* branch = transaction.branches; branch != nullptr; branch = branch->next) {
    take_earlier(earliest, txn::next_due(branch->client));
    if (branch->cancel.state != ClientState::idle) take_earlier(earliest, txn::next_due(branch->cancel));
  }
  return earliest;
}

void Engine::arm(Transaction& transaction) noexcept {
  if (const Instant due = next_due(transaction); due != 0) arm_for(transaction, due);
}

/// An entry that is armed for an earlier moment stays: it costs less to look once in vain than to move it
/// with every response. One whose moment has passed may be in no queue, since a death.
void Engine::arm_for(Transaction& transaction, Instant due) noexcept {
  shm::TimerEntry& timer = transaction.timer;
  if (shm::Timers::armed(timer)) {
    if (timer.deadline <= due && timer.deadline > now()) return;
    x_shared.timers.cancel(x_shared.self, timer);
    if (shm::Timers::armed(timer)) return;
  }
  timer.type = x_event_type;
  timer.words[0] = transaction.number;
  timer.words[1] = transaction.id().generation;
  x_shared.timers.arm_at(x_shared.self, timer, due, now());
}

bool Engine::over(const Transaction& transaction) const noexcept {
  if (transaction.has_ended) return true;
  // Where a death took a 2xx along that nobody sent again, nothing will ever be answered.
  const bool silent = transaction.untidy && !transaction.has_final() && transaction.branches != nullptr;
  if (transaction.server.state != ServerState::terminated && !silent) return false;
  for (const Branch* branch = transaction.branches; branch != nullptr; branch = branch->next) {
    if (branch->client.state != ClientState::terminated) return false;
  }
  return true;
}

/// Everything the transaction owns but its cell. May be done again after a death in the middle.
void Engine::free_memory(Transaction& transaction) noexcept {
  for (Branch* branch = transaction.branches; branch != nullptr; branch = branch->next) {
    for (StoredBytes* stored : {&branch->request, &branch->response, &branch->cancel_bytes}) drop(*stored);
  }
  drop(transaction.reply);
  drop(transaction.cancel_reason);
  free_waiting(transaction);
  transaction.branches = nullptr;
  proxy::free_kept(x_shared, transaction.request);
}

/// False: not yet, a lock is not to be had; the timer brings it back.
bool Engine::end(Transaction& transaction) noexcept {
  transaction.phase.store(Phase::over, std::memory_order_release);
  bool free = x_table.remove(transaction) && x_answered.remove(transaction);
  if (free && shm::Timers::armed(transaction.timer)) {
    x_shared.timers.cancel(x_shared.self, transaction.timer);
    free = !shm::Timers::armed(transaction.timer);
  }
  if (free) {
    const bool untidy = transaction.untidy;
    const shm::Owner owner = transaction.owner();
    free_memory(transaction);
    if (untidy) {
      shm::SweepCursor cursor;
      for (unsigned tries = 0; tries < kSweepTries; ++tries) {
        if (x_shared.heap.sweep(x_shared.self, owner, cursor, kSweepSlice)) break;
      }
      transaction.untidy = false;
    }
    // Of a retransmission, which found another one in the table, nothing began.
    const bool began = transaction.server.state != ServerState::idle;
    const bool answered = transaction.has_final();
    if (x_pool.give(transaction)) {
      // Who left a response in the last moment saw us still here.
      if (first_waiting(transaction) != nullptr) free_late(transaction);
      if (began) count(x_counters.finished);
      if (began && !answered) count(x_counters.answered);
      return true;
    }
  }
  arm_for(transaction, now() + kLater);
  return false;
}

Access Engine::acquire(Transaction& transaction, std::uint32_t generation) noexcept {
  std::uint32_t nobody = 0;
  if (!transaction.busy.compare_exchange_strong(nobody, x_shared.self.lock_word(),
                                                std::memory_order_seq_cst)) {
    if (nobody == Transaction::kNobody) return Access::gone;
    if (nobody != x_shared.self.lock_word()) return Access::busy;
    // Ours, until what we sent for it has left.
    Transaction** const end = x_held + x_held_count;
    Transaction** const held = std::find(x_held, end, &transaction);
    if (held == end) return Access::busy;  // of the run that is making it
    *held = *(end - 1);
    --x_held_count;
  }
  read_clock();
  if (transaction.generation.load(std::memory_order_relaxed) == generation) return Access::held;
  // Another one lives in the cell: what its own visitors left meanwhile is done.
  release(transaction);
  return Access::gone;
}

void Engine::release(Transaction& transaction) noexcept {
  if (x_shared.batches && x_held_count < kMaxHeld)
    x_held[x_held_count++] = &transaction;
  else
    let_go(transaction);
}

void Engine::after_flush() noexcept {
  while (x_held_count != 0) let_go(*x_held[--x_held_count]);
}

void Engine::let_go(Transaction& transaction) noexcept {
  for (;;) {
    if (transaction.phase.load(std::memory_order_relaxed) != Phase::over) {
      do_due(transaction, false);
      for (WaitingResponse* first = nullptr; is_ours(transaction);) {
        first = first_waiting(transaction);
        if (first == nullptr) break;
        if (x_services.routes == nullptr) return hand_over(transaction);
        take_waiting(transaction, *first);
      }
      // A route waits now: its run has the transaction.
      if (!is_ours(transaction)) return;
    }
    if (transaction.phase.load(std::memory_order_relaxed) == Phase::over || over(transaction)) {
      if (end(transaction)) return;
    } else {
      arm(transaction);
    }
    transaction.busy.store(0, std::memory_order_seq_cst);
    // Who came between the last look and the store saw us still here.
    bool more = transaction.due.load(std::memory_order_seq_cst) != 0;
    for (auto& place : transaction.waiting) more = more || place.load(std::memory_order_seq_cst) != nullptr;
    if (!more) return;
    std::uint32_t nobody = 0;
    if (!transaction.busy.compare_exchange_strong(nobody, x_shared.self.lock_word(),
                                                  std::memory_order_acquire, std::memory_order_relaxed)) {
      return;
    }
  }
}

/// Lets go of a transaction for which the script is needed, and there is none in this worker.
void Engine::hand_over(Transaction& transaction) noexcept {
  const TransactionId id = transaction.id();
  transaction.due.fetch_or(kDueClock, std::memory_order_relaxed);
  // The timer brings it back should the event be lost.
  arm_for(transaction, now() + kHandOver);
  transaction.busy.store(0, std::memory_order_seq_cst);
  x_shared.events.push(x_shared.self, {x_event_type, x_services.slot, {id.cell, id.generation, 0}});
}

void Engine::on_clock(TransactionId id) noexcept {
  Transaction* transaction = at(id);
  if (transaction == nullptr) return;
  // For whoever has it; and for us when we get it.
  switch (acquire(*transaction, id.generation)) {
    case Access::gone:
      return;
    case Access::busy:
      transaction->due.fetch_or(kDueClock, std::memory_order_seq_cst);
      if (acquire(*transaction, id.generation) == Access::held) break;
      if (x_services.routes != nullptr)
        look_after(*transaction, id.generation);
      else
        call_event_worker(id);
      return;
    case Access::held:
      break;
  }
  if (x_services.routes == nullptr && needs_script(*transaction)) {
    transaction->due.fetch_or(kDueClock, std::memory_order_relaxed);
    hand_over(*transaction);
    return;
  }
  transaction->due.fetch_or(kDueClock, std::memory_order_relaxed);
  release(*transaction);
}

}  // namespace ser::txn
