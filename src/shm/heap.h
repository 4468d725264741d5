// SPDX-License-Identifier: Apache-2.0
// Heap: the allocator of the segment. Slabs per size class, owners and check words per cell, limit, pressure,
// sweep.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "shm/actor.h"
#include "shm/owner.h"
#include "shm/segment.h"

namespace ser::shm {

template <std::uint32_t N>
class Section;
struct HeapRoot;
struct HeapClass;
struct Span;
struct Cell;

/// Who pays: an index into the table of named accounts. 0 is "core".
using AccountId = std::uint8_t;

/// Whether the reserve may be touched.
enum class Priority : std::uint8_t {
  normal,   ///< refused when less than 5 % of the limit is left
  reserve,  ///< responses, in-dialog requests and what frees memory: up to the limit
};

/// How full the heap is.
enum class Pressure : std::uint8_t {
  normal,
  high,       ///< >= 90 % of the limit: answer new INVITE, REGISTER, SUBSCRIBE with 503, statelessly
  exhausted,  ///< >= 99 %: expect refusals of everything
};

/// What one account holds. Sums over the size classes, read without locks: exact while nobody allocates.
struct AccountUse {
  std::uint64_t cells = 0;
  std::uint64_t bytes = 0;  ///< with headers and rounding
};

struct HeapUse {
  std::uint64_t limit = 0;
  std::uint64_t committed = 0;  ///< bytes of all spans: what counts against the limit
  std::uint64_t used = 0;       ///< bytes of cells in use, with headers and rounding
  std::uint64_t cells = 0;
};

/// Where a sweep stands. Private memory of who sweeps; start with a fresh one.
struct SweepCursor {
  std::uint32_t block = 0;
  std::uint32_t cell = 0;
  std::uint64_t freed_cells = 0;
  std::uint64_t freed_bytes = 0;
};

/// A handle in private memory; copies are as good. Payloads are aligned to 16. Classes from 32 B to 64 KiB
/// (powers of two and the midpoints from 64 on), 16 bytes of header each; above that whole spans of 64 KiB
/// blocks.
///
/// Guards: a page protection belongs to one process, so guards cannot come and go with spans after the fork.
/// The heap's address space is cut into extents (4 MiB at least, so many that there are at most 512; twice
/// the limit in all), and the last 64 KiB of each are PROT_NONE from the start, in all workers. Inside an
/// extent check words do the finding.
///
/// Deaths: every change happens in a Section (shm/section.h), so any death leaves a state the next caller
/// repairs. Cells a worker got but did not hand on are found by sweep(). alloc and free are O(1) but for a
/// span now and then.
///
/// Pages: a span that became free keeps its pages while there are few of them (an eighth of what is in use,
/// and 1 MiB), because a server under load takes it again at once, and the kernel's way of taking and
/// clearing 16 pages costs more than a call's transactions do. They count as free, and never beside what is
/// in use beyond the limit.
class Heap {
 public:
  static constexpr std::size_t kMinPayload = 32;
  static constexpr std::size_t kMaxClassPayload = 65536;
  static constexpr std::uint32_t kClasses = 22;
  static constexpr std::uint32_t kMaxAccounts = 32;

  /// Builds the heap in the rest of the segment. Limit: SegmentHeader::limit. Before the first fork. Errors:
  /// no_space.
  static Result<Heap> create(Segment& segment) noexcept;

  /// Uninitialised memory owned by `self` (its incarnation), or nullptr: limit reached, too large, or the
  /// lock not to be had for 50 ms. Hand it on by transfer() before publishing it.
  [[nodiscard]] void* alloc(Actor& self, std::size_t bytes, AccountId account,
                            Priority priority = Priority::normal) noexcept;
  /// nullptr is fine. A wrong check word or a cell that is free already is reported
  /// (SegmentHeader::corruptions) and left alone.
  void free(Actor& self, void* cell) noexcept;
  /// A value-initialised T, owned by `self`, or nullptr.
  template <Storable T>
  [[nodiscard]] T* make(Actor& self, AccountId account, Priority priority = Priority::normal) noexcept {
    void* at = alloc(self, sizeof(T), account, priority);
    return at == nullptr ? nullptr : new (at) T{};
  }

  /// Changes the owner by one store. Only by who owns the cell now, before others can see it. `cell` as
  /// alloc() gave it.
  void transfer(void* cell, Owner owner) noexcept;
  Owner owner_of(const void* cell) const noexcept;
  AccountId account_of(const void* cell) const noexcept;
  /// Bytes that may be used at `cell`: what was asked, rounded up.
  std::size_t usable(const void* cell) const noexcept;
  /// True when `cell` is a cell in use with an intact header. For pointers that come from a dead worker.
  bool valid(const void* cell) const noexcept;
  /// Largest request alloc() can ever serve.
  std::size_t max_bytes() const noexcept;

  /// Frees cells owned by `dead` (a worker that is no more, or something a dead worker had in hand), up to
  /// about `max_cells` looked at per call.
  /// True: done.
  bool sweep(Actor& self, Owner dead, SweepCursor& cursor, std::uint32_t max_cells) noexcept;

  /// Takes every lock once, so that what a dead holder left half done is put right. sweep() begins with it.
  /// False: a stopped worker holds one.
  bool repair(Actor& self) noexcept;

  /// Declares an account, or finds it. Before the first fork. 0 ("core") when the table is full. Cut to 23
  /// bytes.
  AccountId account(std::string_view name) noexcept;
  std::string_view account_name(AccountId id) const noexcept;
  std::uint32_t account_count() const noexcept;
  AccountUse account_use(AccountId id) const noexcept;
  HeapUse use() const noexcept;
  /// Walks everything and compares lists, counts and bitmap. For tests, diagnosis and after a repair; only
  /// while nobody allocates. Error::what names the first thing found wrong. Linear in what is allocated.
  Result<void> verify() const noexcept;
  /// Two loads up to 70 % of the limit, some 700 above: once per batch.
  Pressure pressure() const noexcept;
  /// Changes the limit (bytes). Spans in use stay.
  void set_limit(std::uint64_t bytes) noexcept;

 private:
  static constexpr std::uint32_t kClassLog = 24;
  static constexpr std::uint32_t kPagesLog = 128;  ///< the largest span is 32 words of each bitmap
  using ClassSection = Section<kClassLog>;
  using PagesSection = Section<kPagesLog>;
  friend struct HeapClass;
  friend struct HeapRoot;

  Heap() = default;
  Cell* cell_of(const void* payload) const noexcept;
  std::uint32_t check_word(const Cell* cell, std::uint32_t size_class) const noexcept;
  /// In the heap, aligned, check word right.
  bool intact(const Cell* cell) const noexcept;
  Span& span_of(const Cell* cell, const HeapClass& kind, std::uint32_t& block) const noexcept;
  char* block_at(std::uint32_t block) const noexcept;
  /// Something at `where` makes no sense; `line` of the file that looked tells which check it was.
  void report(const void* where, std::uint32_t line = __builtin_LINE()) const noexcept;
  HeapClass& size_class(std::uint32_t index) const noexcept;

  Cell* pop(ClassSection& section, HeapClass& kind, std::uint32_t index, Actor& self,
            AccountId account) noexcept;
  /// Returns the number of a block + 1 that became empty and must be given back after commit(); or 0.
  std::uint32_t push(ClassSection& section, HeapClass& kind, Cell* cell, Actor& self) noexcept;
  bool grow(ClassSection& section, HeapClass& kind, std::uint32_t index, Actor& self,
            Priority priority) noexcept;
  void defer_free(Actor& self, HeapClass& kind, Cell* cell) noexcept;
  void settle(ClassSection& section, HeapClass& kind, std::uint32_t index, Actor& self,
              std::uint32_t max) noexcept;

  void* alloc_span(Actor& self, std::size_t bytes, AccountId account, Priority priority) noexcept;
  void free_span(Actor& self, Cell* cell) noexcept;
  std::uint32_t find_run(std::uint32_t extent, std::uint32_t blocks) const noexcept;
  /// Number of the first block + 1 of a span in state detached, owned by self; or 0.
  std::uint32_t take_blocks(Actor& self, std::uint32_t blocks, std::uint64_t bytes,
                            Priority priority) noexcept;
  /// Back to the free blocks, their pages kept as far as may_keep() goes; beyond that others' are given up.
  /// The span must be detached and ours. If the lock is not to be had it stays so, and is swept when we are
  /// gone.
  void give_blocks(Actor& self, std::uint32_t block) noexcept;
  /// A free run becomes a span between free and its use, `bytes` of it committed.
  void detach(PagesSection& section, Actor& self, std::uint32_t first, std::uint32_t blocks,
              std::uint64_t bytes) noexcept;
  bool put_back(Actor& self, std::uint32_t block, bool keep) noexcept;
  /// Gives pages of free blocks back to the system until `room` bytes more may be committed.
  void trim(Actor& self, std::uint64_t room) noexcept;
  /// Number of the first block + 1 of some that were kept, now a detached span of ours; or 0.
  std::uint32_t take_kept(Actor& self, std::uint64_t room) noexcept;
  /// Free blocks whose pages may stay: with `room` bytes more committed than now.
  std::uint32_t may_keep(std::uint64_t room) const noexcept;
  void sweep_slab(Actor& self, Owner dead, SweepCursor& cursor, std::uint32_t& budget) noexcept;
  void sweep_block(Actor& self, Owner dead, SweepCursor& cursor, std::uint32_t& budget) noexcept;

  SegmentHeader* x_header = nullptr;
  HeapRoot* x_root = nullptr;
  char* x_begin = nullptr;
  Span* x_spans = nullptr;
  std::uint32_t x_blocks = 0;
  std::uint64_t x_check_key = 0;
};

}  // namespace ser::shm
