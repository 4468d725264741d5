// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <algorithm>
#include <cstdlib>

namespace ser {

namespace {
// The first chunk is small: a message that is kept for a transaction holds it for half a minute.
constexpr std::size_t kMinChunk = 512;
constexpr std::size_t kMaxStep = 4096;
}  // namespace

void* HeapChunks::take(std::size_t& bytes) noexcept {
  return std::malloc(bytes);
}
void HeapChunks::give(void* chunk, std::size_t /*bytes*/) noexcept {
  std::free(chunk);
}

void* Arena::allocate_slow(std::size_t bytes, std::size_t align) noexcept {
  if (bytes > x_limit || x_borrowed >= x_limit) return nullptr;
  // align - 1 bytes are added because a chunk is only known to be aligned to 16.
  const std::size_t step = std::clamp(x_borrowed, kMinChunk, kMaxStep);
  std::size_t size = std::max(step, sizeof(Chunk) + bytes + (align > 16 ? align : 0));
  if (x_borrowed + bytes > x_limit) return nullptr;
  auto* chunk = static_cast<Chunk*>(x_more->take(size));
  if (chunk == nullptr) return nullptr;
  chunk->next = x_chunks;
  chunk->size = size;
  x_chunks = chunk;
  x_borrowed += size;
  x_cur = reinterpret_cast<char*>(chunk + 1);
  x_end = reinterpret_cast<char*>(chunk) + size;
  const auto at = (reinterpret_cast<std::uintptr_t>(x_cur) + (align - 1)) & ~(align - 1);
  x_cur = reinterpret_cast<char*>(at + bytes);
  return reinterpret_cast<void*>(at);
}

void Arena::release_chunks() noexcept {
  while (x_chunks != nullptr) {
    Chunk* next = x_chunks->next;
    x_more->give(x_chunks, x_chunks->size);
    x_chunks = next;
  }
  x_borrowed = 0;
}

}  // namespace ser
