// SPDX-License-Identifier: Apache-2.0
// Heap: making it, cells of size classes. Spans: heap_span.cpp. Sweep and figures: heap_sweep.cpp.
#include "shm/heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/fd.h"
#include "shm/heap_layout.h"

namespace ser::shm {

namespace {
constexpr std::uint32_t kSettlePerCall = 16;

/// class_index() for what is asked most.
constexpr std::size_t kSmall = 2048;
constexpr auto kSmallClass = [] {
  std::array<std::uint8_t, kSmall / 16 + 1> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::uint8_t>(class_index(i * 16));
  return table;
}();

void make_classes(HeapRoot& root) noexcept {
  for (std::uint32_t i = 0; i < Heap::kClasses; ++i) {
    HeapClass& kind = root.classes[i];
    kind.cell_bytes = static_cast<std::uint32_t>(class_payload(i) + sizeof(Cell));
    kind.blocks = class_blocks(i);
    kind.cells = static_cast<std::uint32_t>(kind.blocks * kBlock / kind.cell_bytes);
  }
}
}  // namespace

Result<Heap> Heap::create(Segment& segment) noexcept {
  SegmentHeader& header = segment.header();
  const std::uint64_t begin = (header.static_end + kBlock - 1) & ~(kBlock - 1);
  if (begin + kMinExtent > segment.size()) return {Errc::no_space, "segment too small for a heap"};
  const std::uint64_t wanted = std::max<std::uint64_t>(header.limit * 2, 4 * kMinExtent);
  const std::uint64_t space = std::min<std::uint64_t>(segment.size() - begin, wanted);
  std::size_t extent = kMinExtent;
  while (space / extent > kMaxExtents && extent < kMaxExtent) extent *= 2;
  const auto extents = static_cast<std::uint32_t>(std::min<std::uint64_t>(space / extent, kMaxExtents));
  const auto per_extent = static_cast<std::uint32_t>(extent / kBlock);

  Heap heap;
  heap.x_header = &header;
  heap.x_begin = segment.base() + begin;
  heap.x_blocks = extents * per_extent;
  heap.x_check_key = header.check_key.k0 | 1U;
  heap.x_root = segment.reserve_object<HeapRoot>();
  heap.x_spans = static_cast<Span*>(segment.reserve(sizeof(Span) * heap.x_blocks, kPage));
  auto* bitmap = static_cast<std::uint64_t*>(segment.reserve(heap.x_blocks / 8, 64));
  auto* kept = static_cast<std::uint64_t*>(segment.reserve(heap.x_blocks / 8, 64));
  if (heap.x_root == nullptr || heap.x_spans == nullptr || bitmap == nullptr || kept == nullptr) {
    return {Errc::no_space, "segment too small for the heap's tables"};
  }
  HeapRoot& root = *heap.x_root;
  root.bitmap = bitmap;
  root.kept = kept;
  root.spans = heap.x_spans;
  root.extents = extents;
  root.extent_blocks = per_extent;
  make_classes(root);
  for (std::uint32_t i = 0; i < extents; ++i) {
    const std::uint32_t guard = (i + 1) * per_extent - 1;
    bitmap[guard / 64] |= std::uint64_t{1} << (guard % 64);
    root.free_blocks[i] = per_extent - 1;
    if (::mprotect(heap.block_at(guard), kBlock, PROT_NONE) != 0)
      return errno_error("cannot protect a guard page");
  }
  heap.account("core");
  header.heap = heap.x_root;
  return heap;
}

char* Heap::block_at(std::uint32_t block) const noexcept {
  return x_begin + std::size_t{block} * kBlock;
}

HeapClass& Heap::size_class(std::uint32_t index) const noexcept {
  return x_root->classes[index];
}

Cell* Heap::cell_of(const void* payload) const noexcept {
  return reinterpret_cast<Cell*>(reinterpret_cast<std::uintptr_t>(payload) - sizeof(Cell));
}

std::uint32_t Heap::check_word(const Cell* cell, std::uint32_t index) const noexcept {
  const std::uint64_t mixed = (reinterpret_cast<std::uintptr_t>(cell) + index) * x_check_key;
  return static_cast<std::uint32_t>(mixed >> 32) ^ static_cast<std::uint32_t>(mixed);
}

bool Heap::intact(const Cell* cell) const noexcept {
  const auto offset = reinterpret_cast<std::uintptr_t>(cell) - reinterpret_cast<std::uintptr_t>(x_begin);
  if (offset >= std::size_t{x_blocks} * kBlock || offset % 16 != 0) return false;
  // Guard blocks cannot be read. Their place is arithmetic, so nothing that can be overwritten is trusted
  // here.
  const std::uint32_t mask = x_root->extent_blocks - 1;
  if (((offset / kBlock) & mask) == mask) return false;
  return cell->check == check_word(cell, cell->size_class);
}

void Heap::report(const void* where, std::uint32_t line) const noexcept {
  x_header->corrupt_line.store(line, std::memory_order_relaxed);
  x_header->corrupt_at.store(reinterpret_cast<std::uintptr_t>(where), std::memory_order_relaxed);
  x_header->corruptions.fetch_add(1, std::memory_order_release);
}

Span& Heap::span_of(const Cell* cell, const HeapClass& kind, std::uint32_t& block) const noexcept {
  const auto offset = reinterpret_cast<std::uintptr_t>(cell) - reinterpret_cast<std::uintptr_t>(x_begin);
  block = static_cast<std::uint32_t>(offset / kBlock) & ~(kind.blocks - 1);
  return x_spans[block];
}

Cell* Heap::pop(ClassSection& section, HeapClass& kind, std::uint32_t index, Actor& self,
                AccountId account) noexcept {
  Span& span = x_spans[kind.partial - 1];
  char* base = block_at(kind.partial - 1);
  Cell* cell = nullptr;
  if (span.free_head != 0) {
    const std::uint32_t at = span.free_head - 1;
    cell = reinterpret_cast<Cell*>(base + std::size_t{at} * kind.cell_bytes);
    const std::uint64_t next =
        at < span.fresh && at < kind.cells ? cell->owner.load(std::memory_order_relaxed) : ~0ULL;
    if (next > kind.cells || cell->size_class != index || cell->check != check_word(cell, index))
        [[unlikely]] {
      // Overwritten: the links of this span cannot be followed. It is left alone, whole.
      report(cell);
      section.set(kind.partial, span.next);
      if (span.next != 0) section.set(x_spans[span.next - 1].prev, 0U);
      section.set(span.next, 0U);
      section.commit();
      return nullptr;
    }
    section.set(span.free_head, static_cast<std::uint32_t>(next));
  } else {
    cell = reinterpret_cast<Cell*>(base + std::size_t{span.fresh} * kind.cell_bytes);
    cell->size_class = static_cast<std::uint8_t>(index);
    cell->check = check_word(cell, index);
    section.set(span.fresh, span.fresh + 1);
  }
  cell->account = account;
  section.set(span.used, span.used + 1);
  std::atomic<std::uint32_t>& mine = kind.used_by[account];
  section.set_atomic(mine, mine.load(std::memory_order_relaxed) + 1);
  if (span.used >= kind.cells) {
    section.set(kind.partial, span.next);
    if (span.next != 0) section.set(x_spans[span.next - 1].prev, 0U);
    section.set(span.next, 0U);
  }
  section.set_atomic(cell->owner, self.owner().word);
  return cell;
}

std::uint32_t Heap::push(ClassSection& section, HeapClass& kind, Cell* cell, Actor& self) noexcept {
  std::uint32_t block = 0;
  Span& span = span_of(cell, kind, block);
  const auto offset = static_cast<std::uint32_t>(reinterpret_cast<char*>(cell) - block_at(block));
  const std::uint32_t at = offset / kind.cell_bytes;
  if (at * kind.cell_bytes != offset || at >= span.fresh || span.used == 0 ||
      span.kind.load(std::memory_order_relaxed) != SpanKind::slab || span.size_class != cell->size_class)
      [[unlikely]] {
    report(cell);
    return 0;
  }
  const bool was_full = span.used >= kind.cells;
  section.set_atomic(cell->owner, std::uint64_t{span.free_head});
  section.set(span.free_head, at + 1);
  section.set(span.used, span.used - 1);
  std::atomic<std::uint32_t>& mine = kind.used_by[cell->account % kMaxAccounts];
  section.set_atomic(mine, mine.load(std::memory_order_relaxed) - 1);
  if (was_full) {
    section.set(span.prev, 0U);
    section.set(span.next, kind.partial);
    if (kind.partial != 0) section.set(x_spans[kind.partial - 1].prev, block + 1);
    section.set(kind.partial, block + 1);
  }
  // The last span with free cells is kept, so that one cell going to and fro costs no system calls.
  if (span.used != 0 || (span.next == 0 && span.prev == 0)) return 0;
  if (span.prev != 0) {
    section.set(x_spans[span.prev - 1].next, span.next);
  } else {
    section.set(kind.partial, span.next);
  }
  if (span.next != 0) section.set(x_spans[span.next - 1].prev, span.prev);
  section.set_atomic(span.owner, self.owner().word);
  section.set_atomic(span.kind, SpanKind::detached);
  return block + 1;
}

bool Heap::grow(ClassSection& section, HeapClass& kind, std::uint32_t index, Actor& self,
                Priority priority) noexcept {
  const std::uint32_t got = take_blocks(self, kind.blocks, std::uint64_t{kind.blocks} * kBlock, priority);
  if (got == 0) return false;
  Span& span = x_spans[got - 1];
  span.size_class.store(index, std::memory_order_relaxed);
  span.used = 0;
  span.fresh = 0;
  span.free_head = 0;
  span.prev = 0;
  span.next = 0;
  section.set_atomic(span.kind, SpanKind::slab, std::memory_order_release);
  section.set(kind.partial, got);
  section.commit();
  return true;
}

void* Heap::alloc(Actor& self, std::size_t bytes, AccountId account, Priority priority) noexcept {
  const std::uint32_t index = bytes <= kSmall ? kSmallClass[(bytes + 15) / 16] : class_index(bytes);
  if (account >= kMaxAccounts) account = 0;
  if (index >= kClasses) return alloc_span(self, bytes, account, priority);
  HeapClass& kind = x_root->classes[index];
  ClassSection section(kind.lock, self, LockLevel::heap_class);
  if (!section) return nullptr;
  if (kind.deferred.load(std::memory_order_relaxed) != 0) settle(section, kind, index, self, kSettlePerCall);
  // A damaged span is set aside and the next one tried; a few times, then the heap counts as exhausted.
  for (int tries = 0; tries < 4; ++tries) {
    if (kind.partial > x_blocks) {
      report(&kind);
      section.set(kind.partial, 0U);
      section.commit();
    }
    if (kind.partial == 0 && !grow(section, kind, index, self, priority)) return nullptr;
    if (Cell* cell = pop(section, kind, index, self, account); cell != nullptr) {
      section.commit();
      return cell->payload();
    }
  }
  return nullptr;
}

void Heap::free(Actor& self, void* payload) noexcept {
  if (payload == nullptr) return;
  Cell* cell = cell_of(payload);
  if (!intact(cell)) return report(cell);
  const OwnerKind owner = Owner{cell->owner.load(std::memory_order_relaxed)}.kind();
  if (owner == OwnerKind::free || owner == OwnerKind::deferred) return report(cell);
  if (cell->size_class == kSpanClass) return free_span(self, cell);
  if (cell->size_class >= kClasses) return report(cell);
  // Ours before anything else: if we die on the way, the sweep for us finds it.
  cell->owner.store(self.owner().word, std::memory_order_relaxed);
  self.step();
  HeapClass& kind = x_root->classes[cell->size_class];
  std::uint32_t empty = 0;
  {
    ClassSection section(kind.lock, self, LockLevel::heap_class);
    if (!section) return defer_free(self, kind, cell);
    empty = push(section, kind, cell, self);
    section.commit();
  }
  if (empty != 0) give_blocks(self, empty - 1);
}

void Heap::defer_free(Actor& self, HeapClass& kind, Cell* cell) noexcept {
  cell->owner.store(Owner::make(OwnerKind::deferred, self.id().slot, self.id().incarnation).word,
                    std::memory_order_relaxed);
  self.step();
  std::uint64_t head = kind.deferred.load(std::memory_order_relaxed);
  do {
    std::memcpy(cell->payload(), &head, sizeof head);
    self.step();
  } while (!kind.deferred.compare_exchange_weak(head, reinterpret_cast<std::uintptr_t>(cell),
                                                std::memory_order_release, std::memory_order_relaxed));
}

/// Moves deferred cells to their free lists. Only the holder of the lock takes from the stack, so a cell
/// cannot leave and come back between the two loads.
void Heap::settle(ClassSection& section, HeapClass& kind, std::uint32_t index, Actor& self,
                  std::uint32_t max) noexcept {
  for (std::uint32_t n = 0; n < max; ++n) {
    std::uint64_t head = kind.deferred.load(std::memory_order_acquire);
    if (head == 0) return;
    auto* cell = reinterpret_cast<Cell*>(head);
    if (!intact(cell) || cell->size_class != index) {
      report(&kind);
      kind.deferred.store(0, std::memory_order_relaxed);
      return;
    }
    std::uint64_t next = 0;
    std::memcpy(&next, cell->payload(), sizeof next);
    cell->owner.store(self.owner().word, std::memory_order_relaxed);
    self.step();
    if (!kind.deferred.compare_exchange_strong(head, next, std::memory_order_acq_rel)) continue;
    const std::uint32_t empty = push(section, kind, cell, self);
    section.commit();
    // Pages under a class is the order of locks, so an empty span may be given back from here.
    if (empty != 0) give_blocks(self, empty - 1);
  }
}

void Heap::transfer(void* cell, Owner owner) noexcept {
  cell_of(cell)->owner.store(owner.word, std::memory_order_release);
}

Owner Heap::owner_of(const void* cell) const noexcept {
  return {cell_of(cell)->owner.load(std::memory_order_acquire)};
}

AccountId Heap::account_of(const void* cell) const noexcept {
  return cell_of(cell)->account;
}

}  // namespace ser::shm
