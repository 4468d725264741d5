// SPDX-License-Identifier: Apache-2.0
// The engine and runs that wait (DESIGN 2.7): the transaction is theirs meanwhile, and yet its request is
// answered when it comes again, gets its 100, and may be cancelled. Only the event worker looks after such
// transactions, and it is the one that goes on with the run: there is no race between the two.
#include <algorithm>

#include "proxy/suspender.h"
#include "txn/engine.h"
#include "txn/request_in_hand.h"

namespace ser::txn {

using proxy::Run;
using proxy::RunState;

namespace {

/// How long a deadline that is for the run to act on is left alone.
constexpr Instant kPatience = 100 * kMillisecond;

}  // namespace

bool Engine::begin_pending(Run& run) noexcept {
  RunState& state = run.state();
  const sip::Method method = run.message().method();
  if (state.transaction != nullptr || state.pending_transaction != nullptr || !run.is_request() ||
      method == sip::Method::ack || method == sip::Method::cancel) {
    return true;
  }
  const auto made = create(run);
  // Also one that is to end at once, as another was here first.
  state.pending_transaction = state.transaction;
  state.transaction = nullptr;
  return static_cast<bool>(made) || made.error().code != Errc::overlap;
}

Transaction* Engine::take_pending(Run& run) noexcept {
  RunState& state = run.state();
  auto* transaction = static_cast<Transaction*>(state.pending_transaction);
  state.pending_transaction = nullptr;
  state.transaction = transaction;
  return transaction;
}

char* Engine::block_of(const Transaction& transaction) noexcept {
  return transaction.request.whole_copy != nullptr ? transaction.request.whole_copy
                                                   : transaction.request.block;
}

/// The last step of letting a run wait: its transaction is its from here on. `block`: as let_wait() has it.
void Engine::leave_to_run(Transaction& transaction, char* block) noexcept {
  transaction.waits_for = x_shared.suspender->parked();
  arm_suspended(transaction);
  transaction.busy.store(Transaction::kSuspended, std::memory_order_seq_cst);
  // Who came before the store saw us, and left word.
  const bool word_left = transaction.due.load(std::memory_order_seq_cst) != 0;
  const TransactionId id = transaction.id();
  x_shared.suspender->let_wait(block);
  if (word_left) call_event_worker(id);
}

void Engine::put_aside(Run& run) noexcept {
  RunState& state = run.state();
  auto* transaction =
      static_cast<Transaction*>(state.transaction != nullptr ? state.transaction : state.pending_transaction);
  read_clock();
  proxy::put_down(run, x_shared, transaction->owner(), transaction->request);
  leave_to_run(*transaction, block_of(*transaction));
}

proxy::KeptMessage* Engine::take_up(RunState& state) noexcept {
  auto* transaction =
      static_cast<Transaction*>(state.transaction != nullptr ? state.transaction : state.pending_transaction);
  std::uint32_t waits = Transaction::kSuspended;
  if (!transaction->busy.compare_exchange_strong(waits, x_shared.self.lock_word(), std::memory_order_acquire))
    return nullptr;
  transaction->waits_for = {};
  read_clock();
  return &transaction->request;
}

void Engine::resume(proxy::SuspendedRun& suspended, proxy::RestOfRoute& rest) noexcept {
  RunState& state = *suspended.message.state;
  if (take_up(state) == nullptr) return x_shared.suspender->let_go();
  auto& transaction = *static_cast<Transaction*>(state.transaction);
  if (state.kind == proxy::RouteKind::failure)
    resume_failure_route(transaction, rest);
  else
    resume_reply_route(transaction, suspended, rest);
  if (is_ours(transaction)) release(transaction);
}

void Engine::resume_failure_route(Transaction& transaction, proxy::RestOfRoute& rest) noexcept {
  const Choice choice = transaction.paused.choice;
  const bool begun = go_through_failure_route(transaction, kNoRoute, &rest);
  if (!is_ours(transaction)) return;
  x_shared.suspender->let_go();
  if (!begun) send_choice(transaction, choice, nullptr);
}

void Engine::resume_reply_route(Transaction& transaction, proxy::SuspendedRun& suspended,
                                proxy::RestOfRoute& rest) noexcept {
  Arena arena(suspended.message.arena, x_shared.chunks);
  RunState& state = *suspended.message.state;
  state.message->set_arena(arena);
  if (state.edits != nullptr) state.edits->set_arena(arena);
  Run response(state, x_services);
  Branch* branch = this->branch(transaction, state.via_branch_index);
  if (branch != nullptr) {
    const proxy::RouteEnd ended = run_reply_route(transaction, response, *branch, &rest);
    if (ended == proxy::RouteEnd::suspended) return leave_to_run(transaction, nullptr);
    end_reply_route(transaction, response, *branch, ended);
  }
  x_shared.suspender->finish(arena);
}

/// Somebody left word with a transaction whose run waits: the event worker looks after it. With another one
/// it finds nothing to do.
void Engine::call_event_worker(TransactionId id) noexcept {
  const Transaction* transaction = at(id);
  if (transaction == nullptr || transaction->busy.load(std::memory_order_seq_cst) != Transaction::kSuspended)
    return;
  x_shared.events.push(x_shared.self, {x_event_type, x_services.slot, {id.cell, id.generation, 0}});
}

/// The event worker: what can be done for a transaction while its run waits.
void Engine::look_after(Transaction& transaction, std::uint32_t generation) noexcept {
  std::uint32_t waits = Transaction::kSuspended;
  if (!transaction.busy.compare_exchange_strong(waits, x_shared.self.lock_word(), std::memory_order_acquire))
    return;
  read_clock();
  if (transaction.generation.load(std::memory_order_relaxed) == generation) {
    do_due(transaction, true);
    arm_suspended(transaction);
  }
  transaction.busy.store(Transaction::kSuspended, std::memory_order_seq_cst);
}

/// For the next deadline that can be acted on; what is past and left to the run does not wake anybody.
void Engine::arm_suspended(Transaction& transaction) noexcept {
  const Instant due = next_due(transaction);
  if (due == 0 || shm::Timers::armed(transaction.timer)) return;
  const bool left = (transaction.due.load(std::memory_order_relaxed) & kDueClock) != 0;
  arm_for(transaction, left ? std::max(due, now() + kPatience) : due);
}

}  // namespace ser::txn
