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

/// Kept beside what is in use: an eighth of it, and so many blocks.
constexpr std::uint32_t kAlwaysKept = 16;
/// Pieces of kept pages given up by one call: each is a system call, and a worker waits for it.
constexpr int kTrimsPerCall = 4;
/// Blocks given up beyond what is needed, so that not each one costs a call.
constexpr std::uint32_t kTrimmedAhead = 4;

/// Marks blocks in a bitmap, word by word.
template <class Locked>
void mark(Locked& section, std::uint64_t* bits, std::uint32_t first, std::uint32_t blocks,
          bool value) noexcept {
  for (std::uint32_t block = first; block < first + blocks;) {
    const std::uint32_t in_word = std::min(64 - block % 64, first + blocks - block);
    const std::uint64_t mask = (in_word == 64 ? ~0ULL : (1ULL << in_word) - 1) << (block % 64);
    std::uint64_t& word = bits[block / 64];
    section.set(word, value ? word | mask : word & ~mask);
    block += in_word;
  }
}

/// How many of these blocks are marked.
std::uint32_t marked(const std::uint64_t* bits, std::uint32_t first, std::uint32_t blocks) noexcept {
  std::uint32_t sum = 0;
  for (std::uint32_t block = first; block < first + blocks; ++block)
    sum += static_cast<std::uint32_t>((bits[block / 64] >> (block % 64)) & 1U);
  return sum;
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
  trim(self, bytes);
  PagesSection section(root.pages, self, LockLevel::heap_pages);
  if (!section) return 0;
  const std::uint64_t limit = std::atomic_ref<std::uint64_t>(x_header->limit).load(std::memory_order_relaxed);
  const std::uint64_t reserve = priority == Priority::normal ? reserve_of(limit) : 0;
  const std::uint64_t committed = root.committed.load(std::memory_order_relaxed);
  if (committed + bytes + reserve > limit) return 0;
  for (std::uint32_t extent = 0; extent < root.extents; ++extent) {
    if (root.free_blocks[extent] < blocks) continue;
    const std::uint32_t found = find_run(extent, blocks);
    if (found == 0) continue;
    const std::uint32_t first = extent * root.extent_blocks + found - 1;
    if (const std::uint32_t kept = marked(root.kept, first, blocks); kept != 0) {
      mark(section, root.kept, first, blocks, false);
      section.set_atomic(root.kept_blocks, root.kept_blocks.load(std::memory_order_relaxed) - kept);
    }
    section.set_atomic(root.committed, committed + bytes);
    if (root.high.load(std::memory_order_relaxed) < first + blocks) {
      section.set_atomic(root.high, first + blocks, std::memory_order_release);
    }
    detach(section, self, first, blocks, bytes);
    section.commit();
    return first + 1;
  }
  return 0;
}

void Heap::detach(PagesSection& section, Actor& self, std::uint32_t first, std::uint32_t blocks,
                  std::uint64_t bytes) noexcept {
  HeapRoot& root = *x_root;
  const std::uint32_t extent = first / root.extent_blocks;
  mark(section, root.bitmap, first, blocks, true);
  section.set(root.free_blocks[extent], root.free_blocks[extent] - blocks);
  Span& span = x_spans[first];
  span.blocks = blocks;
  span.bytes = bytes;
  section.set_atomic(span.owner, self.owner().word);
  section.set_atomic(span.kind, SpanKind::detached);
}

bool Heap::put_back(Actor& self, std::uint32_t first, bool keep) noexcept {
  HeapRoot& root = *x_root;
  Span& span = x_spans[first];
  const std::uint32_t blocks = span.blocks;
  PagesSection section(root.pages, self, LockLevel::heap_pages);
  if (!section) return false;
  mark(section, root.bitmap, first, blocks, false);
  if (keep) {
    mark(section, root.kept, first, blocks, true);
    section.set_atomic(root.kept_blocks, root.kept_blocks.load(std::memory_order_relaxed) + blocks);
    const std::uint32_t end = (first + blocks + 63) / 64;
    if (root.kept_end < end) section.set(root.kept_end, end);
  }
  const std::uint32_t extent = first / root.extent_blocks;
  section.set(root.free_blocks[extent], root.free_blocks[extent] + blocks);
  section.set_atomic(root.committed, root.committed.load(std::memory_order_relaxed) - span.bytes);
  section.set_atomic(span.kind, SpanKind::free);
  section.commit();
  return true;
}

void Heap::give_blocks(Actor& self, std::uint32_t first) noexcept {
  if (put_back(self, first, true)) trim(self, 0);
}

std::uint32_t Heap::may_keep(std::uint64_t room) const noexcept {
  const std::uint64_t limit = std::atomic_ref<std::uint64_t>(x_header->limit).load(std::memory_order_relaxed);
  const std::uint64_t committed = x_root->committed.load(std::memory_order_relaxed) + room;
  const std::uint64_t wanted = committed / 8 / kBlock + kAlwaysKept;
  return static_cast<std::uint32_t>(limit <= committed ? 0 : std::min(wanted, (limit - committed) / kBlock));
}

void Heap::trim(Actor& self, std::uint64_t room) noexcept {
  for (int n = 0; n < kTrimsPerCall; ++n) {
    // Without the lock: nearly always there is nothing to do, and take_kept() looks again.
    if (x_root->kept_blocks.load(std::memory_order_relaxed) <= may_keep(room)) return;
    const std::uint32_t got = take_kept(self, room);
    if (got == 0) return;
    ::madvise(block_at(got - 1), std::size_t{x_spans[got - 1].blocks} * kBlock, MADV_REMOVE);
    self.step();
    put_back(self, got - 1, false);
  }
}

std::uint32_t Heap::take_kept(Actor& self, std::uint64_t room) noexcept {
  HeapRoot& root = *x_root;
  PagesSection section(root.pages, self, LockLevel::heap_pages);
  if (!section) return 0;
  const std::uint32_t allowed = may_keep(room);
  const std::uint32_t kept = root.kept_blocks.load(std::memory_order_relaxed);
  if (kept <= allowed) return 0;
  // From the far end: those in front are taken first when somebody needs some.
  std::uint32_t word = std::min(root.kept_end, x_blocks / 64);
  while (word > 0 && root.kept[word - 1] == 0) --word;
  section.set(root.kept_end, word);
  const std::uint64_t bits = word == 0 ? 0 : root.kept[word - 1];
  if (bits == 0 || (bits & root.bitmap[word - 1]) != 0) [[unlikely]] {
    // Overwritten: from here on nothing is kept that was.
    report(&root.kept_blocks);
    section.set_atomic(root.kept_blocks, 0U);
    section.set(root.kept_end, 0U);
    section.commit();
    return 0;
  }
  const auto last = static_cast<std::uint32_t>(std::bit_width(bits));
  const auto run = static_cast<std::uint32_t>(std::countl_one(bits << (64 - last)));
  const std::uint32_t blocks = std::min({run, kept, kept - allowed + kTrimmedAhead});
  const std::uint32_t first = (word - 1) * 64 + last - blocks;
  mark(section, root.kept, first, blocks, false);
  section.set_atomic(root.kept_blocks, kept - blocks);
  detach(section, self, first, blocks, 0);
  section.commit();
  return first + 1;
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
    PagesSection section(root.pages, self, LockLevel::heap_pages);
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
    PagesSection section(root.pages, self, LockLevel::heap_pages);
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
