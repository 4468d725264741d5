// SPDX-License-Identifier: Apache-2.0
// SlotChunks: lets an Arena grow inside the segment, so that a message can be kept by whoever takes its cells
// over.
#pragma once
#include "base/arena.h"
#include "shm/heap.h"

namespace ser::shm {

/// Chunks from the segment's heap, owned by the actor until somebody transfers them. Private memory of one
/// worker; `heap` and `self` outlive it.
class SlotChunks final : public ChunkSource {
 public:
  SlotChunks(Heap& heap, Actor& self, AccountId account) noexcept
      : x_heap(heap), x_self(self), x_account(account) {}
  /// May be called per message: responses and in-dialog requests draw on the reserve.
  void set_priority(Priority priority) noexcept { x_priority = priority; }
  void* take(std::size_t& bytes) noexcept override {
    void* at = x_heap.alloc(x_self, bytes, x_account, x_priority);
    if (at != nullptr) bytes = x_heap.usable(at);
    return at;
  }
  void give(void* chunk, std::size_t /*bytes*/) noexcept override { x_heap.free(x_self, chunk); }

 private:
  Heap& x_heap;
  Actor& x_self;
  AccountId x_account;
  Priority x_priority = Priority::normal;
};

}  // namespace ser::shm
