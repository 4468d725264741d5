// SPDX-License-Identifier: Apache-2.0
// SlotChunks: lets an Arena grow inside the segment, so that a message can be kept by whoever takes its cells
// over.
#pragma once
#include <utility>

#include "base/arena.h"
#include "shm/heap.h"

namespace ser::shm {

/// Chunks from the segment's heap, owned by the actor until somebody transfers them. The last small one given
/// back is kept for the next message, whose arena needs one as often as not. Private memory of one worker;
/// `heap` and `self` outlive it.
class SlotChunks final : public ChunkSource {
 public:
  SlotChunks(Heap& heap, Actor& self, AccountId account) noexcept
      : x_heap(heap), x_self(self), x_account(account) {}
  /// May be called per message: responses and in-dialog requests draw on the reserve.
  void set_priority(Priority priority) noexcept { x_priority = priority; }
  SlotChunks(const SlotChunks&) = delete;
  SlotChunks& operator=(const SlotChunks&) = delete;
  ~SlotChunks() override {
    if (x_spare != nullptr) x_heap.free(x_self, x_spare);
  }
  void* take(std::size_t& bytes) noexcept override {
    if (x_spare != nullptr && bytes <= x_spare_bytes) {
      bytes = x_spare_bytes;
      return std::exchange(x_spare, nullptr);
    }
    void* at = x_heap.alloc(x_self, bytes, x_account, x_priority);
    if (at != nullptr) bytes = x_heap.usable(at);
    return at;
  }
  void give(void* chunk, std::size_t bytes) noexcept override {
    if (x_spare == nullptr && bytes <= kMaxSpare) {
      x_spare = chunk;
      x_spare_bytes = bytes;
    } else {
      x_heap.free(x_self, chunk);
    }
  }

 private:
  Heap& x_heap;
  Actor& x_self;
  AccountId x_account;
  Priority x_priority = Priority::normal;
  static constexpr std::size_t kMaxSpare = 8192;
  void* x_spare = nullptr;
  std::size_t x_spare_bytes = 0;
};

}  // namespace ser::shm
