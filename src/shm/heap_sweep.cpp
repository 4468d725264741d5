// SPDX-License-Identifier: Apache-2.0
// Heap: what a dead worker left, and the figures.
#include <algorithm>
#include <cstring>

#include "shm/heap_layout.h"

namespace ser::shm {

namespace {
/// Cells looked at per hold of a class's lock.
constexpr std::uint32_t kPerHold = 128;
}  // namespace

void Heap::sweep_slab(Actor& self, Owner dead, SweepCursor& cursor, std::uint32_t& budget) noexcept {
  Span& span = x_spans[cursor.block];
  const std::uint32_t index = span.size_class;
  if (index >= kClasses) {
    report(&span);
    cursor.cell = UINT32_MAX;
    return;
  }
  HeapClass& kind = x_root->classes[index];
  // Only workers free; whoever else is swept for has deferred nothing.
  const Owner deferred = dead.kind() == OwnerKind::worker
                             ? Owner::make(OwnerKind::deferred, dead.id(), dead.incarnation())
                             : dead;
  std::uint32_t empty = 0;
  {
    ClassSection section(kind.lock, self, LockLevel::heap_class);
    if (!section) return;  // a stopped holder: the caller comes again
    settle(section, kind, index, self, UINT32_MAX);
    // It may have been given back or reused since we looked without the lock.
    if (span.kind.load(std::memory_order_relaxed) != SpanKind::slab || span.size_class != index) {
      cursor.cell = UINT32_MAX;
      return;
    }
    const std::uint32_t end = std::min(span.fresh, kind.cells);
    std::uint32_t hold = std::min(budget, kPerHold);
    for (; cursor.cell < end && hold > 0 && empty == 0; ++cursor.cell, --hold, --budget) {
      auto* cell =
          reinterpret_cast<Cell*>(block_at(cursor.block) + std::size_t{cursor.cell} * kind.cell_bytes);
      const std::uint64_t owner = cell->owner.load(std::memory_order_relaxed);
      if (owner != dead.word && owner != deferred.word) continue;
      if (!intact(cell) || cell->size_class != index) {
        report(cell);
        continue;
      }
      empty = push(section, kind, cell, self);
      section.commit();
      ++cursor.freed_cells;
      cursor.freed_bytes += kind.cell_bytes;
    }
    if (cursor.cell >= end || empty != 0) cursor.cell = UINT32_MAX;
  }
  if (empty != 0) give_blocks(self, empty - 1);
}

void Heap::sweep_block(Actor& self, Owner dead, SweepCursor& cursor, std::uint32_t& budget) noexcept {
  Span& span = x_spans[cursor.block];
  --budget;
  switch (span.kind.load(std::memory_order_acquire)) {
    case SpanKind::free:
      break;
    case SpanKind::slab:
      return sweep_slab(self, dead, cursor, budget);
    case SpanKind::detached:
      if (span.owner.load(std::memory_order_relaxed) == dead.word) {
        span.owner.store(self.owner().word, std::memory_order_relaxed);
        give_blocks(self, cursor.block);
      }
      break;
    case SpanKind::pages: {
      auto* cell = reinterpret_cast<Cell*>(block_at(cursor.block));
      if (cell->owner.load(std::memory_order_relaxed) != dead.word) break;
      ++cursor.freed_cells;
      cursor.freed_bytes += span.bytes;
      free(self, cell->payload());
      break;
    }
  }
  cursor.cell = UINT32_MAX;
}

bool Heap::repair(Actor& self) noexcept {
  for (HeapClass& kind : x_root->classes) {
    if (ClassSection section(kind.lock, self, LockLevel::heap_class); !section) return false;
  }
  const Section section(x_root->pages, self, LockLevel::heap_pages);
  return static_cast<bool>(section);
}

bool Heap::sweep(Actor& self, Owner dead, SweepCursor& cursor, std::uint32_t max_cells) noexcept {
  std::uint32_t budget = std::max(max_cells, 1U);
  if (cursor.block == 0 && cursor.cell == 0 && !repair(self)) return false;
  while (budget > 0) {
    const std::uint32_t high = std::min(x_root->high.load(std::memory_order_acquire), x_blocks);
    if (cursor.block >= high) return true;
    const std::uint32_t guard = x_root->extent_blocks - 1;
    if ((cursor.block & guard) == guard) {
      ++cursor.block;
      continue;
    }
    const std::uint32_t before = cursor.cell;
    sweep_block(self, dead, cursor, budget);
    if (cursor.cell == UINT32_MAX) {
      cursor.cell = 0;
      ++cursor.block;
    } else if (cursor.cell == before) {
      return false;  // no progress: lock not to be had
    }
  }
  return false;
}

AccountId Heap::account(std::string_view name) noexcept {
  HeapRoot& root = *x_root;
  name = name.substr(0, sizeof(HeapAccount::name) - 1);
  for (std::uint32_t i = 0; i < account_count(); ++i) {
    if (account_name(static_cast<AccountId>(i)) == name) return static_cast<AccountId>(i);
  }
  if (root.account_count >= kMaxAccounts) return 0;
  HeapAccount& entry = root.accounts[root.account_count];
  std::memcpy(entry.name, name.data(), name.size());
  entry.name[name.size()] = '\0';
  return static_cast<AccountId>(root.account_count++);
}

std::string_view Heap::account_name(AccountId id) const noexcept {
  if (id >= account_count()) return {};
  const char* name = x_root->accounts[id].name;
  return {name, ::strnlen(name, sizeof(HeapAccount::name))};
}

std::uint32_t Heap::account_count() const noexcept {
  return std::min(x_root->account_count, kMaxAccounts);
}

AccountUse Heap::account_use(AccountId id) const noexcept {
  AccountUse use;
  if (id >= kMaxAccounts) return use;
  for (const HeapClass& kind : x_root->classes) {
    const std::uint64_t cells = kind.used_by[id].load(std::memory_order_relaxed);
    use.cells += cells;
    use.bytes += cells * kind.cell_bytes;
  }
  use.cells += x_root->span_cells[id].load(std::memory_order_relaxed);
  use.bytes += x_root->span_bytes[id].load(std::memory_order_relaxed);
  return use;
}

HeapUse Heap::use() const noexcept {
  HeapUse use;
  use.limit = std::atomic_ref<std::uint64_t>(x_header->limit).load(std::memory_order_relaxed);
  use.committed = x_root->committed.load(std::memory_order_relaxed);
  for (const HeapClass& kind : x_root->classes) {
    std::uint64_t cells = 0;
    for (std::uint32_t i = 0; i < kMaxAccounts; ++i) cells += kind.used_by[i].load(std::memory_order_relaxed);
    use.cells += cells;
    use.used += cells * kind.cell_bytes;
  }
  for (std::uint32_t i = 0; i < account_count(); ++i) {
    use.cells += x_root->span_cells[i].load(std::memory_order_relaxed);
    use.used += x_root->span_bytes[i].load(std::memory_order_relaxed);
  }
  return use;
}

Pressure Heap::pressure() const noexcept {
  // Below 70 % committed nothing else can matter: two loads in the ordinary case.
  const std::uint64_t limit = std::atomic_ref<std::uint64_t>(x_header->limit).load(std::memory_order_relaxed);
  const std::uint64_t committed = x_root->committed.load(std::memory_order_relaxed);
  if (committed < limit / 10 * 7) return Pressure::normal;
  const std::uint64_t used = use().used;
  if (used >= limit / 100 * 99) return Pressure::exhausted;
  if (used >= limit / 10 * 9) return Pressure::high;
  // New slabs are refused to ordinary requests from here on, and what there is of free cells is little and
  // scattered.
  const std::uint64_t kept = std::min(std::max<std::uint64_t>(limit / 20, std::uint64_t{1} << 20), limit / 4);
  return committed + kept + kBlock > limit && used >= limit / 10 * 7 ? Pressure::high : Pressure::normal;
}

void Heap::set_limit(std::uint64_t bytes) noexcept {
  std::atomic_ref<std::uint64_t>(x_header->limit).store(bytes, std::memory_order_relaxed);
}

std::size_t Heap::usable(const void* payload) const noexcept {
  const Cell* cell = cell_of(payload);
  if (cell->size_class < kClasses) return class_payload(cell->size_class);
  const auto offset = reinterpret_cast<std::uintptr_t>(cell) - reinterpret_cast<std::uintptr_t>(x_begin);
  return x_spans[offset / kBlock].bytes - sizeof(Cell);
}

bool Heap::valid(const void* payload) const noexcept {
  const Cell* cell = cell_of(payload);
  if (!intact(cell)) return false;
  const OwnerKind owner = Owner{cell->owner.load(std::memory_order_acquire)}.kind();
  if (owner == OwnerKind::free || owner == OwnerKind::deferred) return false;
  const auto offset = reinterpret_cast<std::uintptr_t>(cell) - reinterpret_cast<std::uintptr_t>(x_begin);
  const auto block = static_cast<std::uint32_t>(offset / kBlock);
  if (cell->size_class == kSpanClass) {
    return offset % kBlock == 0 && x_spans[block].kind.load(std::memory_order_relaxed) == SpanKind::pages;
  }
  if (cell->size_class >= kClasses) return false;
  const HeapClass& kind = x_root->classes[cell->size_class];
  const std::uint32_t first = block & ~(kind.blocks - 1);
  const Span& span = x_spans[first];
  return span.kind.load(std::memory_order_relaxed) == SpanKind::slab && span.size_class == cell->size_class &&
         (offset - std::size_t{first} * kBlock) % kind.cell_bytes == 0;
}

}  // namespace ser::shm
