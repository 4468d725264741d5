// SPDX-License-Identifier: Apache-2.0
// Pool: the cells of transactions. A cell stays one for ever, so that who comes late with its number, from a
// branch token or a timer, may always look at it.
#pragma once
#include <atomic>
#include <cstdint>

#include "shm/heap.h"
#include "shm/section.h"
#include "txn/transaction.h"

namespace ser::txn {

/// In the segment. Cells come from the heap by the chunk and are never given back.
struct PoolRoot {
  static constexpr std::uint32_t kCellsPerChunk =
      49152 / sizeof(Transaction);                    ///< 48 KiB: a size class of the heap
  static constexpr std::uint32_t kMaxChunks = 65536;  ///< 8 million transactions

  shm::LoggedLock<8> lock;
  std::uint32_t free_head;  ///< number + 1
  std::uint32_t chunk_count;
  std::uint32_t fresh;  ///< cells ever used
  void* noted;          ///< memory that is about to become cells; nullptr: none
  std::atomic<std::uint32_t> in_use;
  std::atomic<Transaction*> chunks[kMaxChunks];
};
static_assert(shm::Storable<PoolRoot>);

/// Handle of one worker. Errors are nullptr; nothing waits longer than a lock does.
class Pool {
 public:
  Pool(PoolRoot& root, shm::Heap& heap, shm::Actor& self, shm::AccountId account) noexcept
      : x_root(root), x_heap(heap), x_self(self), x_account(account) {}

  /// A transaction in phase raw, held by us, all else zero. nullptr: no memory, or the lock is not to be had.
  Transaction* take() noexcept;
  /// Back to the free cells. We hold it, it is in phase over, and all its memory was given back. False: the
  /// lock is not to be had; it stays in phase over.
  bool give(Transaction& transaction) noexcept;
  /// Calls f() while the cell is free and nobody can take it. `f` takes no lock. Not when it is in use, or
  /// the lock is not to be had.
  template <class F>
  void if_free(const Transaction& cell, F&& f) noexcept {
    const shm::Section<8> section(x_root.lock, x_self, shm::LockLevel::transaction);
    if (section && cell.phase.load(std::memory_order_relaxed) == Phase::free) f();
  }
  /// The cell of that number, whatever is in it; nullptr when there is none.
  Transaction* at(std::uint32_t number) const noexcept;
  /// Cells that may be looked at: numbers below this.
  std::uint32_t size() const noexcept;
  std::uint32_t in_use() const noexcept { return x_root.in_use.load(std::memory_order_relaxed); }
  /// Takes back what a dead worker was doing to the free cells. Before anything is concluded from the words
  /// of a cell that a dead worker holds. False: the lock is not to be had.
  bool repair() noexcept;

 private:
  bool grow(shm::Section<8>& section) noexcept;
  void* memory_of_dead() const noexcept;

  PoolRoot& x_root;
  shm::Heap& x_heap;
  shm::Actor& x_self;
  shm::AccountId x_account;
};

}  // namespace ser::txn
