// SPDX-License-Identifier: Apache-2.0
// Heap: comparing everything with everything else.
#include <bit>

#include "shm/heap_layout.h"

namespace ser::shm {

namespace {
struct Tally {
  std::uint64_t used[Heap::kClasses] = {};
  std::uint64_t partial[Heap::kClasses] = {};
  std::uint64_t committed = 0;
  std::uint64_t blocks = 0;
};

/// Every free cell of a slab is on its list, every other one is owned.
Result<void> verify_slab(const Span& span, const HeapClass& kind, char* base) noexcept {
  const auto cell_at = [&](std::uint32_t at) {
    return reinterpret_cast<const Cell*>(base + std::size_t{at} * kind.cell_bytes);
  };
  if (span.used > span.fresh || span.fresh > kind.cells) return {Errc::out_of_range, "counts of a slab"};
  std::uint32_t listed = 0;
  for (std::uint32_t at = span.free_head; at != 0; ++listed) {
    if (at > span.fresh || listed > span.fresh) return {Errc::out_of_range, "free list of a slab"};
    const std::uint64_t owner = cell_at(at - 1)->owner.load(std::memory_order_relaxed);
    if (Owner{owner}.kind() != OwnerKind::free) return {Errc::overlap, "owned cell on a free list"};
    at = static_cast<std::uint32_t>(owner);
  }
  if (listed + span.used != span.fresh) return {Errc::missing, "cell neither used nor on a free list"};
  std::uint32_t owned = 0;
  for (std::uint32_t at = 0; at < span.fresh; ++at) {
    if (Owner{cell_at(at)->owner.load(std::memory_order_relaxed)}.kind() != OwnerKind::free) ++owned;
  }
  if (owned != span.used) return {Errc::missing, "owned cells of a slab do not add up"};
  return {};
}

Result<void> verify_partial(const HeapClass& kind, const Span* spans, std::uint32_t blocks,
                            std::uint64_t expected, std::uint32_t index) noexcept {
  std::uint64_t listed = 0;
  std::uint32_t before = 0;
  for (std::uint32_t at = kind.partial; at != 0; ++listed) {
    if (at > blocks || listed > expected) return {Errc::out_of_range, "list of slabs"};
    const Span& span = spans[at - 1];
    if (span.kind.load(std::memory_order_relaxed) != SpanKind::slab || span.size_class != index ||
        span.prev != before || span.used >= kind.cells) {
      return {Errc::overlap, "slab on the wrong list"};
    }
    before = at;
    at = span.next;
  }
  if (listed != expected) return {Errc::missing, "slab with free cells on no list"};
  return {};
}
}  // namespace

Result<void> Heap::verify() const noexcept {
  const HeapRoot& root = *x_root;
  Tally tally;
  for (std::uint32_t block = 0; block < root.high.load(std::memory_order_relaxed); ++block) {
    const Span& span = x_spans[block];
    const SpanKind state = span.kind.load(std::memory_order_relaxed);
    if (state == SpanKind::free) continue;
    tally.committed += span.bytes;
    tally.blocks += span.blocks;
    if (((root.bitmap[block / 64] >> (block % 64)) & 1U) == 0)
      return {Errc::missing, "span not in the bitmap"};
    if (state != SpanKind::slab) continue;
    if (span.size_class >= kClasses) return {Errc::out_of_range, "class of a slab"};
    const HeapClass& kind = root.classes[span.size_class];
    TRY_VOID(verify_slab(span, kind, block_at(block)));
    tally.used[span.size_class] += span.used;
    if (span.used < kind.cells) ++tally.partial[span.size_class];
  }
  for (std::uint32_t i = 0; i < kClasses; ++i) {
    const HeapClass& kind = root.classes[i];
    if (kind.lock.count != 0) return {Errc::overlap, "undo log of a class not empty"};
    std::uint64_t by_account = 0;
    for (const auto& cells : kind.used_by) by_account += cells.load(std::memory_order_relaxed);
    if (by_account != tally.used[i]) return {Errc::missing, "cells of the accounts"};
    TRY_VOID(verify_partial(kind, x_spans, x_blocks, tally.partial[i], i));
  }
  std::uint64_t taken = 0;
  for (std::uint32_t w = 0; w < x_blocks / 64; ++w)
    taken += static_cast<std::uint64_t>(std::popcount(root.bitmap[w]));
  std::uint64_t open = 0;
  for (std::uint32_t i = 0; i < root.extents; ++i) open += root.free_blocks[i];
  if (taken != tally.blocks + root.extents) return {Errc::missing, "bitmap and spans differ"};
  if (open + taken != x_blocks) return {Errc::missing, "free blocks of the extents"};
  std::uint64_t kept = 0;
  for (std::uint32_t w = 0; w < x_blocks / 64; ++w) {
    if ((root.kept[w] & root.bitmap[w]) != 0) return {Errc::overlap, "a block both kept and taken"};
    if (root.kept[w] != 0 && w >= root.kept_end) return {Errc::missing, "kept blocks beyond their end"};
    kept += static_cast<std::uint64_t>(std::popcount(root.kept[w]));
  }
  if (kept != root.kept_blocks.load(std::memory_order_relaxed)) return {Errc::missing, "kept blocks"};
  if (tally.committed != root.committed.load(std::memory_order_relaxed))
    return {Errc::missing, "committed bytes"};
  return {};
}

}  // namespace ser::shm
