// SPDX-License-Identifier: Apache-2.0
// Responses that find their transaction busy: they are left with it as copies, and its holder takes them.
#include <array>
#include <cstring>
#include <new>

#include "proxy/via_token.h"
#include "txn/engine.h"

namespace ser::txn {

using proxy::Run;
using proxy::RunState;

namespace {

/// Of a response that waits. Not the transaction's own: what is swept with that must not take along what
/// somebody is bringing just now.
shm::Owner owner_of_waiting(TransactionId of) noexcept {
  return shm::Owner::make(shm::OwnerKind::module, of.cell, of.generation);
}

}  // namespace

/// Leaves a copy of the response for who has the transaction. False: no memory, or too many wait already; the
/// callee sends it again.
bool Engine::wait_for_holder(Transaction& transaction, const Run& response,
                             std::uint32_t generation) noexcept {
  const std::string_view bytes = response.message().bytes();
  auto* memory = static_cast<char*>(x_shared.heap.alloc(
      x_shared.self, sizeof(WaitingResponse) + bytes.size() + 1, x_account, shm::Priority::reserve));
  if (memory == nullptr) return false;
  auto* waiting = new (memory) WaitingResponse{};
  waiting->generation = generation;
  waiting->sequence = transaction.sequence.fetch_add(1, std::memory_order_relaxed);
  waiting->rx = response.state().rx;
  char* copy = memory + sizeof(WaitingResponse);
  std::memcpy(copy, bytes.data(), bytes.size());
  copy[bytes.size()] = '\0';
  waiting->rx.bytes = {copy, bytes.size()};
  if (put_in(transaction, waiting)) return true;
  x_shared.heap.free(x_shared.self, memory);
  return false;
}

void Engine::leave_to_holder(Transaction& transaction, const Run& response,
                             std::uint32_t generation) noexcept {
  if (!wait_for_holder(transaction, response, generation)) {
    count(x_counters.waiting_full);
    return;
  }
  // It may have been let go of before it could see what was left, or have ended.
  const Access access = acquire(transaction, generation);
  if (access == Access::held) release(transaction);
  if (access == Access::gone) free_late(transaction);
}

/// False: the response is ours still.
bool Engine::put_in(Transaction& transaction, WaitingResponse* waiting) noexcept {
  const shm::LockGuard guard(x_waiting.lock, x_shared.self, shm::LockLevel::module);
  if (!guard.owns()) return false;
  repair_waiting();
  x_waiting.of = {transaction.number, waiting->generation};
  x_waiting.response = waiting;
  x_shared.self.step();
  x_shared.heap.transfer(waiting, owner_of_waiting(x_waiting.of));
  x_shared.self.step();
  bool placed = false;
  for (auto& place : transaction.waiting) {
    WaitingResponse* nobody = nullptr;
    placed = place.compare_exchange_strong(nobody, waiting, std::memory_order_seq_cst);
    if (placed) break;
  }
  if (!placed) x_shared.heap.transfer(waiting, x_shared.self.owner());
  x_shared.self.step();
  x_waiting.response = nullptr;
  return placed;
}

/// The transaction ended before anybody saw the response. Where another one lives in the cell by now, its
/// holder frees what is not its own.
void Engine::free_late(Transaction& transaction) noexcept {
  const shm::LockGuard guard(x_waiting.lock, x_shared.self, shm::LockLevel::module);
  if (!guard.owns()) return;
  repair_waiting();
  for (auto& place : transaction.waiting) {
    WaitingResponse* waiting = nullptr;
    x_pool.if_free(transaction, [&] {
      waiting = place.load(std::memory_order_acquire);
      if (waiting == nullptr) return;
      x_waiting.of = {transaction.number, waiting->generation};
      x_waiting.response = waiting;
      x_shared.self.step();
      place.store(nullptr, std::memory_order_relaxed);
      x_shared.self.step();
    });
    if (waiting == nullptr) continue;
    x_shared.heap.transfer(waiting, x_shared.self.owner());
    x_shared.self.step();
    x_waiting.response = nullptr;
    x_shared.heap.free(x_shared.self, waiting);
  }
}

/// With the lock held: whom the note names has died between two stores. What is in no place of the
/// transaction and has the owner of one that waits is nobody's.
void Engine::repair_waiting() noexcept {
  WaitingResponse* const left = x_waiting.response;
  if (left == nullptr) return;
  Transaction* transaction = x_pool.at(x_waiting.of.cell);
  bool placed = transaction == nullptr;
  for (unsigned i = 0; i < Transaction::kWaiting && !placed; ++i)
    placed = transaction->waiting[i].load(std::memory_order_acquire) == left;
  const bool lost =
      !placed && x_shared.heap.valid(left) && x_shared.heap.owner_of(left) == owner_of_waiting(x_waiting.of);
  if (lost) x_shared.heap.transfer(left, x_shared.self.owner());
  x_shared.self.step();
  x_waiting.response = nullptr;
  if (lost) x_shared.heap.free(x_shared.self, left);
}

WaitingResponse* Engine::first_waiting(const Transaction& transaction) noexcept {
  WaitingResponse* first = nullptr;
  for (const auto& place : transaction.waiting) {
    WaitingResponse* waiting = place.load(std::memory_order_acquire);
    if (waiting != nullptr && (first == nullptr || waiting->sequence < first->sequence)) first = waiting;
  }
  return first;
}

/// From now on it is the transaction's own, and goes with it should we die in the middle; in the end it is
/// ours: what follows may end with a route that waits, and the transaction in other hands.
void Engine::take_out(Transaction& transaction, WaitingResponse& waiting) noexcept {
  x_shared.heap.transfer(&waiting, transaction.owner());
  x_shared.self.step();
  for (auto& place : transaction.waiting) {
    WaitingResponse* expected = &waiting;
    if (place.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel)) break;
  }
  x_shared.self.step();
  x_shared.heap.transfer(&waiting, x_shared.self.owner());
}

void Engine::take_waiting(Transaction& transaction, WaitingResponse& waiting) noexcept {
  // Who dies of it must not leave it to the next.
  take_out(transaction, waiting);
  alignas(16) std::array<char, kScratchRoom> block;
  {
    Arena arena(block.data(), block.size(), x_shared.chunks);
    const auto message = sip::Message::parse(waiting.rx.bytes, arena);
    RunState* state = message ? arena.make<RunState>() : nullptr;
    if (state != nullptr && waiting.generation == transaction.id().generation) {
      state->message = *message;
      state->rx = waiting.rx;
      state->kind = proxy::RouteKind::reply;
      state->via_is_ours = state->via_is_stateful = true;
      Run response(*state, x_services);
      const auto top = response.message().via(0);
      const auto below = response.message().via(1);
      const auto token = !top    ? std::nullopt
                         : below ? proxy::read_token(x_services.via_key, (*top)->branch, *below)
                                 : proxy::parse_token((*top)->branch);
      if (token && !below) {
        take_cancel_response(transaction, response, token->branch_index, (*top)->branch);
      } else if (token) {
        state->via_branch_index = token->branch_index;
        take_response(transaction, response, token->branch_index);
      }
    }
  }
  x_shared.heap.free(x_shared.self, &waiting);
}

void Engine::free_waiting(Transaction& transaction) noexcept {
  while (WaitingResponse* waiting = first_waiting(transaction)) {
    take_out(transaction, *waiting);
    x_shared.heap.free(x_shared.self, waiting);
  }
}

}  // namespace ser::txn
