// SPDX-License-Identifier: Apache-2.0
#include "txn/pool.h"

#include <new>

namespace ser::txn {

using shm::LockLevel;
using shm::Section;

namespace {

/// Nobody else's cells have it.
constexpr shm::Owner kOwner = shm::Owner::make(shm::OwnerKind::system, 1, 0);

/// Everything of a former transaction but what outlives it. A response that came too late for that one may
/// wait still: who holds the next one sees that it is not its own, and frees it.
void clear(Transaction& cell) noexcept {
  cell.due.store(0, std::memory_order_relaxed);
  cell.sequence.store(0, std::memory_order_relaxed);
  cell.in_table.previous = 0;
  cell.in_answered = {};
  cell.call = 0;
  cell.hash = 0;
  cell.timer.type = 0;
  cell.server = {};
  cell.request = {};
  cell.key = nullptr;
  cell.branches = nullptr;
  cell.paused = {};
  cell.waits_for = {};
  cell.reply = {};
  cell.cancel_reason = {};
  cell.reply_to = {};
  cell.status.store(0, std::memory_order_relaxed);
  cell.branch_count = 0;
  cell.invite = cell.cancelled = cell.reply_is_local = false;
  cell.has_ended = cell.in_hand = cell.untidy = false;
  cell.on_branch = cell.on_reply = cell.on_failure = kNoRoute;
  cell.no_reason = false;
  cell.trying = 0;
  cell.t1 = cell.t2 = cell.fr = cell.fr_inv = cell.created = cell.lifetime = 0;
}

}  // namespace

/// Who dies between noting the memory and giving it its owner leaves a note that says nothing.
void* Pool::memory_of_dead() const noexcept {
  void* noted = x_root.noted;
  return noted != nullptr && x_heap.valid(noted) && x_heap.owner_of(noted) == kOwner ? noted : nullptr;
}

/// Cells must never be swept once somebody can see them: the memory is the pool's before they are.
bool Pool::grow(Section<8>& section) noexcept {
  if (x_root.chunk_count == PoolRoot::kMaxChunks) return false;
  constexpr std::size_t kBytes = sizeof(Transaction) * PoolRoot::kCellsPerChunk;
  void* memory = memory_of_dead();
  if (memory == nullptr) {
    memory = x_heap.alloc(x_self, kBytes, x_account);
    if (memory == nullptr) return false;
    x_root.noted = memory;
    x_self.step();
    x_heap.transfer(memory, kOwner);
    x_self.step();
  }
  auto* cells = new (memory) Transaction[PoolRoot::kCellsPerChunk]{};
  const std::uint32_t first = x_root.chunk_count * PoolRoot::kCellsPerChunk;
  for (std::uint32_t i = 0; i < PoolRoot::kCellsPerChunk; ++i) {
    cells[i].number = first + i;
    cells[i].busy.store(Transaction::kNobody, std::memory_order_relaxed);
  }
  section.set_atomic(x_root.chunks[x_root.chunk_count], cells, std::memory_order_release);
  section.set(x_root.chunk_count, x_root.chunk_count + 1);
  section.set(x_root.noted, nullptr);
  section.commit();
  return true;
}

bool Pool::repair() noexcept {
  return static_cast<bool>(Section<8>(x_root.lock, x_self, LockLevel::module));
}

Transaction* Pool::take() noexcept {
  Section<8> section(x_root.lock, x_self, LockLevel::module);
  if (!section) return nullptr;
  if (x_root.free_head == 0 && x_root.fresh == x_root.chunk_count * PoolRoot::kCellsPerChunk &&
      !grow(section)) {
    return nullptr;
  }
  Transaction* cell = at(x_root.free_head != 0 ? x_root.free_head - 1 : x_root.fresh);
  clear(*cell);
  if (x_root.free_head != 0)
    section.set(x_root.free_head, cell->in_table.next);
  else
    section.set(x_root.fresh, x_root.fresh + 1);
  section.set_atomic(cell->busy, x_self.lock_word());
  section.set_atomic(cell->generation, cell->generation.load(std::memory_order_relaxed) + 1);
  section.set_atomic(x_root.in_use, in_use() + 1);
  section.set_atomic(cell->phase, Phase::raw, std::memory_order_release);
  section.commit();
  cell->in_table.next = 0;
  return cell;
}

bool Pool::give(Transaction& transaction) noexcept {
  Section<8> section(x_root.lock, x_self, LockLevel::module);
  if (!section) return false;
  section.set(transaction.in_table.next, x_root.free_head);
  section.set(x_root.free_head, transaction.number + 1);
  section.set_atomic(x_root.in_use, in_use() - 1);
  section.set_atomic(transaction.phase, Phase::free, std::memory_order_release);
  section.set_atomic(transaction.busy, Transaction::kNobody, std::memory_order_seq_cst);
  section.commit();
  return true;
}

Transaction* Pool::at(std::uint32_t number) const noexcept {
  const std::uint32_t chunk = number / PoolRoot::kCellsPerChunk;
  if (chunk >= PoolRoot::kMaxChunks) return nullptr;
  Transaction* cells = x_root.chunks[chunk].load(std::memory_order_acquire);
  return cells != nullptr ? cells + number % PoolRoot::kCellsPerChunk : nullptr;
}

std::uint32_t Pool::size() const noexcept {
  std::uint32_t chunks = 0;
  while (chunks < PoolRoot::kMaxChunks && x_root.chunks[chunks].load(std::memory_order_acquire) != nullptr)
    ++chunks;
  return chunks * PoolRoot::kCellsPerChunk;
}

}  // namespace ser::txn
