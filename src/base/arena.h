// SPDX-License-Identifier: Apache-2.0
// Arena: bump allocation for everything that lives as long as one message. Freed in one step, never
// piecemeal.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ser {

/// Where an arena gets more room: the segment in a worker, the heap in tests and in other people's programs.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  /// At least `bytes` bytes aligned to 16; `bytes` is raised to what was really given. nullptr: exhausted.
  virtual void* take(std::size_t& bytes) noexcept = 0;
  /// Returns what take() gave, with the size it gave.
  virtual void give(void* chunk, std::size_t bytes) noexcept = 0;
};

/// Chunks from malloc. Stateless; one object may serve many arenas of one thread or several.
class HeapChunks final : public ChunkSource {
 public:
  void* take(std::size_t& bytes) noexcept override;
  void give(void* chunk, std::size_t bytes) noexcept override;
};

/// An arena put down: what it is made of, as plain data. It may lie in the segment while nobody works on the
/// message, and be taken up by any worker. Zero bytes: nothing is kept.
struct KeptArena {
  char* cur = nullptr;
  char* end = nullptr;
  void* chunks = nullptr;      ///< the newest; see Arena::for_each_chunk
  std::uint64_t borrowed = 0;  ///< bytes of all chunks
};

/// A handle in private memory on a chain of chunks. The first block belongs to the caller (a receive slot);
/// further chunks come from the source and go back on reset() or destruction. Nothing allocated here is
/// destroyed: only trivially destructible types are accepted. Not thread-safe; one message, one worker at a
/// time.
class Arena {
 public:
  /// `block` must be aligned to 8 and outlive the arena. `limit` bounds what all further chunks may add up
  /// to.
  Arena(void* block, std::size_t size, ChunkSource& more, std::size_t limit = 1U << 20) noexcept
      : x_cur(static_cast<char*>(block)),
        x_end(x_cur + size),
        x_block(x_cur),
        x_block_size(size),
        x_more(&more),
        x_limit(limit) {}
  /// Takes up an arena that put_down() left. `more`: this worker's source, which gets the chunks in the end.
  Arena(const KeptArena& kept, ChunkSource& more, std::size_t limit = 1U << 20) noexcept
      : x_cur(kept.cur),
        x_end(kept.end),
        x_block(kept.end),
        x_block_size(0),
        x_more(&more),
        x_chunks(static_cast<Chunk*>(kept.chunks)),
        x_limit(limit),
        x_borrowed(kept.borrowed) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { release_chunks(); }

  /// Uninitialised storage, or nullptr when the limit is reached or the source is exhausted.
  [[nodiscard]] void* allocate(std::size_t bytes, std::size_t align = 8) noexcept {
    auto at = (reinterpret_cast<std::uintptr_t>(x_cur) + (align - 1)) & ~(align - 1);
    const auto end = reinterpret_cast<std::uintptr_t>(x_end);
    if (at <= end && bytes <= end - at) {
      x_cur = reinterpret_cast<char*>(at + bytes);
      return reinterpret_cast<void*>(at);
    }
    return allocate_slow(bytes, align);
  }

  /// A T constructed in place, or nullptr. Its destructor never runs.
  template <class T, class... Args>
  [[nodiscard]] T* make(Args&&... args) noexcept {
    static_assert(std::is_trivially_destructible_v<T>);
    void* at = allocate(sizeof(T), alignof(T));
    return at == nullptr ? nullptr : new (at) T{std::forward<Args>(args)...};
  }

  /// `count` value-initialised Ts, or nullptr.
  template <class T>
  [[nodiscard]] T* make_array(std::size_t count) noexcept {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count > (std::size_t{1} << 32) / sizeof(T)) return nullptr;
    void* at = allocate(count * sizeof(T), alignof(T));
    return at == nullptr ? nullptr : new (at) T[count]{};
  }

  /// A copy of `text` that lives as long as the arena. data() == nullptr when out of room and text is not
  /// empty.
  [[nodiscard]] std::string_view copy(std::string_view text) noexcept {
    if (text.empty()) return {};
    auto* at = static_cast<char*>(allocate(text.size(), 1));
    if (at == nullptr) return {};
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }

  /// Takes the last allocation back in part: `end` must lie inside the most recent allocation of byte
  /// alignment.
  void shrink_to(char* end) noexcept { x_cur = end; }

  /// Lets go of everything without freeing it: block and chunks are from now on whoever keeps the result's
  /// business. The arena is empty and gives nothing afterwards.
  KeptArena put_down() noexcept {
    const KeptArena kept{x_cur, x_end, x_chunks, x_borrowed};
    x_cur = x_end = x_block = nullptr;
    x_block_size = 0;
    x_chunks = nullptr;
    x_limit = x_borrowed = 0;
    return kept;
  }
  /// Calls f(void* chunk) for each chunk from the source, the newest first. `f` may free it.
  template <class F>
  static void for_each_chunk(const KeptArena& kept, F&& f) {
    for (auto* chunk = static_cast<Chunk*>(kept.chunks); chunk != nullptr;) {
      Chunk* next = chunk->next;
      f(static_cast<void*>(chunk));
      chunk = next;
    }
  }

  /// Bytes that allocate() can give without asking the source.
  std::size_t room() const noexcept { return static_cast<std::size_t>(x_end - x_cur); }
  /// Bytes taken from the source so far.
  std::size_t borrowed() const noexcept { return x_borrowed; }

  /// Forgets everything and starts again in `block`. Chunks go back to the source.
  void reset(void* block, std::size_t size) noexcept {
    release_chunks();
    x_block = x_cur = static_cast<char*>(block);
    x_block_size = size;
    x_end = x_cur + size;
  }
  void reset() noexcept { reset(x_block, x_block_size); }

 private:
  struct Chunk {
    Chunk* next;
    std::size_t size;
  };
  void* allocate_slow(std::size_t bytes, std::size_t align) noexcept;
  void release_chunks() noexcept;

  char* x_cur;
  char* x_end;
  char* x_block;
  std::size_t x_block_size;
  ChunkSource* x_more;
  Chunk* x_chunks = nullptr;
  std::size_t x_limit;
  std::size_t x_borrowed = 0;
};

}  // namespace ser
