// SPDX-License-Identifier: Apache-2.0
// How the heap lies in the segment. Only for heap*.cpp and their tests.
#pragma once
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "shm/heap.h"
#include "shm/section.h"

namespace ser::shm {

inline constexpr std::size_t kBlock = 65536;
inline constexpr std::uint8_t kSpanClass = 255;  ///< Cell::size_class of a cell that is a span of its own
inline constexpr std::uint32_t kMaxExtents = 512;
inline constexpr std::size_t kMinExtent = std::size_t{4} << 20;
inline constexpr std::size_t kMaxExtent = std::size_t{128} << 20;

/// Header of every cell; the payload follows. The check word comes first: an overrun of the cell before hits
/// it first.
struct Cell {
  std::uint32_t
      check;  ///< hash of address, class and the segment's key; the same for as long as the span lives
  std::uint8_t size_class;
  std::uint8_t account;
  std::uint16_t spare;
  std::atomic<std::uint64_t>
      owner;  ///< Owner; of a free cell: index + 1 of the next free one in its span, 0: last

  void* payload() noexcept { return this + 1; }
};
static_assert(sizeof(Cell) == 16 && Storable<Cell>);

enum class SpanKind : std::uint32_t {
  free = 0,
  detached,  ///< between free and its use, in either direction: belongs to Span::owner alone
  slab,
  pages,  ///< one cell
};

/// One per block; counts for the first block of a span only.
struct alignas(64) Span {
  std::atomic<SpanKind> kind;
  std::atomic<std::uint32_t> size_class;
  std::uint32_t used;  ///< cells
  std::uint32_t
      fresh;  ///< cells ever given out: those from here on have no header yet and no pages behind them
  std::uint32_t free_head;  ///< index + 1
  std::uint32_t next;       ///< spans of the class with free cells: block + 1
  std::uint32_t prev;
  std::uint32_t blocks;
  std::uint64_t bytes;  ///< counted against the limit
  std::atomic<std::uint64_t> owner;
};
static_assert(Storable<Span>);

struct alignas(64) HeapClass {
  LoggedLock<Heap::kClassLog> lock;
  std::uint32_t partial;  ///< first span with free cells: block + 1
  std::uint32_t cell_bytes;
  std::uint32_t cells;   ///< per span
  std::uint32_t blocks;  ///< per span; spans are aligned to it
  std::atomic<std::uint64_t>
      deferred;  ///< freed while the lock was not to be had: address of a Cell, linked in payloads
  std::atomic<std::uint32_t> used_by[Heap::kMaxAccounts];
};

struct HeapAccount {
  char name[24];
};

struct HeapRoot {
  LoggedLock<Heap::kPagesLog> pages;
  std::atomic<std::uint64_t> committed;
  std::uint64_t* bitmap;  ///< a bit per block, 1: taken. The last block of each extent is its guard
  std::uint64_t* kept;    ///< a bit per block, 1: free, and its pages are still there for who comes next
  std::atomic<std::uint32_t> kept_blocks;
  std::uint32_t kept_end;  ///< words of `kept` from here on are 0
  Span* spans;
  std::uint32_t extents;
  std::uint32_t extent_blocks;      ///< power of two, >= 64
  std::atomic<std::uint32_t> high;  ///< no block from here on was ever used
  std::uint32_t account_count;
  std::uint32_t free_blocks[kMaxExtents];
  std::atomic<std::uint64_t> span_bytes[Heap::kMaxAccounts];
  std::atomic<std::uint64_t> span_cells[Heap::kMaxAccounts];
  HeapAccount accounts[Heap::kMaxAccounts];
  HeapClass classes[Heap::kClasses];
};
static_assert(Storable<HeapRoot>);

/// Index of the smallest class that holds `bytes`; kClasses when none does.
constexpr std::uint32_t class_index(std::size_t bytes) noexcept {
  if (bytes <= 32) return 0;
  if (bytes <= 64) return 1;
  if (bytes > Heap::kMaxClassPayload) return Heap::kClasses;
  const auto log = static_cast<std::uint32_t>(std::bit_width(bytes - 1)) - 1;
  const std::size_t middle = (std::size_t{1} << log) + (std::size_t{1} << (log - 1));
  return 2 + (log - 6) * 2 + (bytes > middle ? 1 : 0);
}
constexpr std::size_t class_payload(std::uint32_t index) noexcept {
  if (index < 2) return index == 0 ? 32 : 64;
  const std::size_t low = std::size_t{64} << ((index - 2) / 2);
  return (index & 1U) == 0 ? low + low / 2 : low * 2;
}
constexpr std::uint32_t class_blocks(std::uint32_t index) noexcept {
  const std::size_t payload = class_payload(index);
  return payload <= 8192 ? 1 : payload <= 32768 ? 4 : 8;
}

}  // namespace ser::shm
