// SPDX-License-Identifier: Apache-2.0
// The engine after a death: whoever held a transaction may have stopped between any two stores.
#include "proxy/suspender.h"
#include "txn/engine.h"

namespace ser::txn {

namespace {
/// Each waits for the lock of a stopped worker: about a second.
constexpr unsigned kRepairTries = 20;

bool is_absorbing(const ServerMachine& machine) noexcept {
  return machine.state == ServerState::completed || machine.state == ServerState::confirmed ||
         machine.state == ServerState::accepted;
}
}  // namespace

bool Engine::repair() noexcept {
  for (unsigned tries = 0; tries < kRepairTries; ++tries) {
    if (x_pool.repair()) return true;
  }
  return false;
}

/// A transaction that was being made ends: its request comes again. Another one goes on as far as it had
/// come; only the event in hand is lost.
void Engine::take_from_dead(Transaction& transaction) noexcept {
  transaction.untidy = true;
  // A run that waits for its turn with it does not go on.
  if (x_shared.suspender != nullptr) x_shared.suspender->withdraw(transaction.waits_for);
  transaction.waits_for = {};
  if (transaction.phase.load(std::memory_order_relaxed) == Phase::raw) {
    // What its pointers name may be swept as the dead one's, or be its successor's: nothing is followed, and
    // the sweep finds what is its own.
    transaction.has_ended = true;
    transaction.branches = nullptr;
    transaction.reply = {};
    transaction.cancel_reason = {};
    transaction.request = {};
  }
  if (transaction.in_hand) {
    // What was allocated last is not on record: room begins in a new chunk.
    transaction.in_hand = false;
    transaction.request.arena.cur = transaction.request.arena.end = nullptr;
  }
  // It may look armed and be in no queue.
  x_shared.timers.cancel(x_shared.self, transaction.timer);
}

/// A machine is some words: all that lives must end some time. What a branch came to and did not tell is made
/// up for, but for a 2xx to INVITE, which comes again.
void Engine::finish_step(Transaction& transaction, Branch& branch) noexcept {
  const Instant end = now() + timers(transaction).h();
  for (ClientMachine* machine : {&branch.client, &branch.cancel}) {
    const bool lives = machine->state != ClientState::idle && machine->state != ClientState::terminated;
    if (lives && machine->ends_at == 0) machine->ends_at = end;
  }
  const bool sent = branch.client.state != ClientState::idle;
  if (!sent) branch.client.state = ClientState::terminated;
  if (is_pending(branch.client) || branch.replica || transaction.has_final()) return;
  if (branch.client.state == ClientState::accepted) {
    branch.settled = false;
    return;
  }
  if (branch.settled && (!branch.received || branch.response.size != 0)) return;
  branch.status = transaction.cancelled ? 487 : sent ? 500 : 503;
  branch.received = false;
  branch.settled = true;
}

void Engine::finish_step(Transaction& transaction) noexcept {
  const Instant end = now() + timers(transaction).h();
  if (is_absorbing(transaction.server) && transaction.server.ends_at == 0) transaction.server.ends_at = end;
  if (transaction.has_final() && !is_absorbing(transaction.server)) {
    // It was made, and only not noted. Did it not leave, timer or client ask for it again.
    const std::uint16_t status = transaction.status.load(std::memory_order_relaxed);
    const bool silent = status == 408 && !transaction.invite;
    static_cast<void>(step(transaction.server,
                           silent ? ServerEvent{ServerEvent::Kind::silence} : ServerEvent::sent(status),
                           now(), timers(transaction)));
  }
  Branch* last = nullptr;
  bool open = false;
  for (Branch* branch = transaction.branches; branch != nullptr; branch = branch->next) {
    finish_step(transaction, *branch);
    if (branch->replica) continue;
    open = open || !branch->settled;
    last = branch;
  }
  if (!open && last != nullptr && !transaction.has_final()) settle(transaction, *last, nullptr);
}

/// `holder`: in its busy word.
bool Engine::is_held_by_dead(const Transaction& transaction, std::uint32_t holder) noexcept {
  if (holder == 0 || holder == Transaction::kNobody) return false;
  // Who died with the run in hand has left no such run.
  if (holder == Transaction::kSuspended)
    return x_shared.suspender != nullptr && !x_shared.suspender->waits(transaction.waits_for);
  return !x_shared.self.check()->alive(static_cast<std::uint16_t>((holder >> 20) - 1), holder & 0xFFFFFU);
}

void Engine::put_right() noexcept {
  if (x_shared.self.check() == nullptr || !repair()) return;
  {
    const shm::LockGuard guard(x_waiting.lock, x_shared.self, shm::LockLevel::module);
    if (guard.owns()) repair_waiting();
  }
  const std::uint32_t cells = x_pool.size();
  for (std::uint32_t number = 0; number < cells; ++number) {
    Transaction& transaction = *x_pool.at(number);
    std::uint32_t holder = transaction.busy.load(std::memory_order_relaxed);
    if (!is_held_by_dead(transaction, holder)) continue;
    // It may have died since, with the cell on its way from or to the free ones.
    if (!repair()) return;
    if (!transaction.busy.compare_exchange_strong(holder, x_shared.self.lock_word(),
                                                  std::memory_order_acquire))
      continue;
    read_clock();
    take_from_dead(transaction);
    if (transaction.phase.load(std::memory_order_relaxed) == Phase::live) finish_step(transaction);
    // A failure route that follows may wait.
    if (!is_ours(transaction)) continue;
    transaction.due.fetch_or(kDueClock, std::memory_order_relaxed);
    release(transaction);
  }
}

}  // namespace ser::txn
