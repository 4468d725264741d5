// SPDX-License-Identifier: Apache-2.0
// Heap: blocks, spans of them, and the limit.
#include <sys/mman.h>

#include <algorithm>
#include <bit>

#include "shm/heap_layout.h"

namespace ser::shm {

namespace {
/// Kept back from Priority::normal: 5 %, but at least 1 MiB (two of the largest slabs) where the limit is not
/// tiny.
std::uint64_t reserve_of(std::uint64_t limit) noexcept {
  return std::min(std::max<std::uint64_t>(limit / 20, std::uint64_t{1} << 20), limit / 4);
}

/// Lowest bit where `blocks` (1, 4 or 8) aligned zero bits begin; -1 when there is none.
int aligned_run(std::uint64_t taken, std::uint32_t blocks) noexcept {
  std::uint64_t open = ~taken;
  if (blocks >= 4) {
    open &= open >> 1;
    open &= open >> 2;
    open &= 0x1111'1111'1111'1111ULL;
  }
  if (blocks == 8) {
    open &= open >> 4;
    open &= 0x0101'0101'0101'0101ULL;
  }
  return open == 0 ? -1 : std::countr_zero(open);
}
}  // namespace

std::uint32_t Heap::find_run(std::uint32_t extent, std::uint32_t blocks) const noexcept {
  const std::uint32_t words = x_root->extent_blocks / 64;
  const std::uint64_t* bits = x_root->bitmap + std::size_t{extent} * words;
  if (blocks == 1 || blocks == 4 || blocks == 8) {
    for (std::uint32_t w = 0; w < words; ++w) {
      const int bit = aligned_run(bits[w], blocks);
      if (bit >= 0) return w * 64 + static_cast<std::uint32_t>(bit) + 1;
    }
    return 0;
  }
  std::uint32_t run = 0;
  for (std::uint32_t block = 0; block < words * 64; ++block) {
    const bool taken = ((bits[block / 64] >> (block % 64)) & 1U) != 0;
    run = taken ? 0 : run + 1;
    if (run == blocks) return block + 2 - blocks;
  }
  return 0;
}

std::uint32_t Heap::take_blocks(Actor& self, std::uint32_t blocks, std::uint64_t bytes,
                                Priority priority) noexcept {
  HeapRoot& root = *x_root;
  Section section(root.pages, self, LockLevel::heap_pages);
  if (!section) return 0;
  const std::uint64_t limit = std::atomic_ref<std::uint64_t>(x_header->limit).load(std::memory_order_relaxed);
  const std::uint64_t kept = priority == Priority::normal ? reserve_of(limit) : 0;
  const std::uint64_t committed = root.committed.load(std::memory_order_relaxed);
  if (committed + bytes + kept > limit) return 0;
  for (std::uint32_t extent = 0; extent < root.extents; ++extent) {
    if (root.free_blocks[extent] < blocks) continue;
    const std::uint32_t found = find_run(extent, blocks);
    if (found == 0) continue;
    const std::uint32_t first = extent * root.extent_blocks + found - 1;
    for (std::uint32_t block = first; block < first + blocks;) {
      const std::uint32_t in_word = std::min(64 - block % 64, first + blocks - block);
      const std::uint64_t mask = (in_word == 64 ? ~0ULL : (1ULL << in_word) - 1) << (block % 64);
      section.set(root.bitmap[block / 64], root.bitmap[block / 64] | mask);
      block += in_word;
    }
    section.set(root.free_blocks[extent], root.free_blocks[extent] - blocks);
    section.set_atomic(root.committed, committed + bytes);
    if (root.high.load(std::memory_order_relaxed) < first + blocks) {
      section.set_atomic(root.high, first + blocks, std::memory_order_release);
    }
    Span& span = x_spans[first];
    span.blocks = blocks;
    span.bytes = bytes;
    section.set_atomic(span.owner, self.owner().word);
    section.set_atomic(span.kind, SpanKind::detached);
    section.commit();
    return first + 1;
  }
  return 0;
}

/// The span must be detached and ours. If the lock is not to be had it stays so, and is swept when we are
/// gone.
void Heap::give_blocks(Actor& self, std::uint32_t first) noexcept {
  HeapRoot& root = *x_root;
  Span& span = x_spans[first];
  const std::uint32_t blocks = span.blocks;
  ::madvise(block_at(first), std::size_t{blocks} * kBlock, MADV_REMOVE);
  self.step();
  Section section(root.pages, self, LockLevel::heap_pages);
  if (!section) return;
  const std::uint32_t extent = first / root.extent_blocks;
  for (std::uint32_t block = first; block < first + blocks;) {
    const std::uint32_t in_word = std::min(64 - block % 64, first + blocks - block);
    const std::uint64_t mask = (in_word == 64 ? ~0ULL : (1ULL << in_word) - 1) << (block % 64);
    section.set(root.bitmap[block / 64], root.bitmap[block / 64] & ~mask);
    block += in_word;
  }
  section.set(root.free_blocks[extent], root.free_blocks[extent] + blocks);
  section.set_atomic(root.committed, root.committed.load(std::memory_order_relaxed) - span.bytes);
  section.set_atomic(span.kind, SpanKind::free);
  section.commit();
}

std::size_t Heap::max_bytes() const noexcept {
  return std::size_t{x_root->extent_blocks - 1} * kBlock - sizeof(Cell);
}

void* Heap::alloc_span(Actor& self, std::size_t bytes, AccountId account, Priority priority) noexcept {
  if (bytes > max_bytes()) return nullptr;
  const std::uint64_t pages = (bytes + sizeof(Cell) + kPage - 1) & ~(kPage - 1);
  const auto blocks = static_cast<std::uint32_t>((pages + kBlock - 1) / kBlock);
  const std::uint32_t got = take_blocks(self, blocks, pages, priority);
  if (got == 0) return nullptr;
  auto* cell = reinterpret_cast<Cell*>(block_at(got - 1));
  cell->size_class = kSpanClass;
  cell->account = account;
  cell->check = check_word(cell, kSpanClass);
  cell->owner.store(self.owner().word, std::memory_order_relaxed);
  HeapRoot& root = *x_root;
  {
    Section section(root.pages, self, LockLevel::heap_pages);
    if (section) {
      section.set_atomic(root.span_bytes[account],
                         root.span_bytes[account].load(std::memory_order_relaxed) + pages);
      section.set_atomic(root.span_cells[account],
                         root.span_cells[account].load(std::memory_order_relaxed) + 1);
      section.set_atomic(x_spans[got - 1].kind, SpanKind::pages, std::memory_order_release);
      section.commit();
      return cell->payload();
    }
  }
  give_blocks(self, got - 1);
  return nullptr;
}

void Heap::free_span(Actor& self, Cell* cell) noexcept {
  HeapRoot& root = *x_root;
  const auto offset = reinterpret_cast<std::uintptr_t>(cell) - reinterpret_cast<std::uintptr_t>(x_begin);
  const auto block = static_cast<std::uint32_t>(offset / kBlock);
  Span& span = x_spans[block];
  if (offset % kBlock != 0 || span.kind.load(std::memory_order_relaxed) != SpanKind::pages)
    return report(cell);
  cell->owner.store(self.owner().word, std::memory_order_relaxed);
  self.step();
  {
    Section section(root.pages, self, LockLevel::heap_pages);
    if (!section) return;  // ours by its owner word: swept when we are gone
    const AccountId account = cell->account % kMaxAccounts;
    section.set_atomic(root.span_bytes[account],
                       root.span_bytes[account].load(std::memory_order_relaxed) - span.bytes);
    section.set_atomic(root.span_cells[account],
                       root.span_cells[account].load(std::memory_order_relaxed) - 1);
    section.set_atomic(span.owner, self.owner().word);
    section.set_atomic(span.kind, SpanKind::detached);
    section.commit();
  }
  give_blocks(self, block);
}

}  // namespace ser::shm
