// SPDX-License-Identifier: Apache-2.0
// Segment: the one piece of memory all workers share, mapped before the first fork, at one address for all of
// them.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/packet.h"
#include "base/result.h"
#include "shm/owner.h"

namespace ser::shm {

/// Address tried first; it works plain, under ASan, TSan and valgrind alike.
inline constexpr std::uintptr_t kSegmentBase = 0x5520'0000'0000;
inline constexpr std::size_t kPage = 4096;

/// A root by name: modules find their tables by it after a fork. Names are cut to 31 bytes.
struct NamedRoot {
  char name[32];
  void* root;
};

/// Start of the segment. Readable by the supervisor at any time: fixed place, fixed size, no pointer is
/// followed.
struct SegmentHeader {
  static constexpr std::uint64_t kMagic = 0x3167'6573'2e72'6573;  // "ser.seg1"
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::uint32_t kMaxRoots = 64;

  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t root_count;
  std::uint64_t size;         ///< bytes of address space
  std::uint64_t limit;        ///< bytes the heap may use
  HashKey branch_key;         ///< of Via branch tokens: outlives workers and reloads
  HashKey table_key;          ///< of hash tables fed by strangers
  HashKey check_key;          ///< of check words of cells
  std::int64_t started_wall;  ///< seconds since 1970 when the segment was made
  void* heap;                 ///< HeapRoot
  void* slots;                ///< array of WorkerSlot
  void* counters;             ///< CountersRoot
  void* timers;               ///< TimersRoot
  void* dns_cache;
  std::uint64_t static_next;  ///< offset of the first unused byte of the static part
  std::uint64_t static_end;   ///< offset of the heap
  std::atomic<std::uint64_t>
      corruptions;                        ///< check words found wrong so far; above 0: replace the generation
  std::atomic<std::uint64_t> corrupt_at;  ///< address of the last one
  std::atomic<std::uint32_t> corrupt_line;  ///< line of shm/heap*.cpp that found it
  NamedRoot roots[kMaxRoots];
};
static_assert(Storable<SegmentHeader> && sizeof(SegmentHeader) <= kPage);

/// What to map. Defaults are the server's; tests map small ones, several in one process.
struct SegmentOptions {
  std::size_t size = std::size_t{64} << 30;  ///< address space wanted; halved until it maps
  std::size_t min_size = std::size_t{16} << 20;
  std::uint64_t limit = 0;  ///< bytes of `-m`; 0: what memory_limit() says
};

/// Owns the mapping: the destructor unmaps it. Made once, before the first fork; children inherit it. The
/// handle itself is private memory; everything it points to is shared. MAP_SHARED | MAP_NORESERVE, anonymous,
/// pages on demand, not in core dumps.
class Segment {
 public:
  /// Errors: system (nothing could be mapped).
  static Result<Segment> create(const SegmentOptions& options) noexcept;
  Segment(Segment&& other) noexcept;
  Segment& operator=(Segment&& other) noexcept;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();

  char* base() const noexcept { return x_base; }
  std::size_t size() const noexcept { return x_size; }
  SegmentHeader& header() const noexcept { return *reinterpret_cast<SegmentHeader*>(x_base); }
  /// True when [at, at + bytes) lies inside: before following anything that may have been overwritten.
  bool contains(const void* at, std::size_t bytes = 1) const noexcept {
    const auto offset = reinterpret_cast<std::uintptr_t>(at) - reinterpret_cast<std::uintptr_t>(x_base);
    return offset < x_size && bytes <= x_size - offset;
  }

  /// Zeroed memory that lives as long as the segment. Before the first fork only (no lock). nullptr: static
  /// part full (an eighth of the segment, at most 2 GiB). `align`: a power of two up to a page.
  void* reserve(std::size_t bytes, std::size_t align = 64) noexcept;
  /// A T in reserve()d memory, value-initialised; or nullptr.
  template <Storable T>
  T* reserve_object() noexcept {
    void* at = reserve(sizeof(T), alignof(T) < 64 ? 64 : alignof(T));
    return at == nullptr ? nullptr : new (at) T{};
  }

  /// Publishes a root for modules under a name ("tm", "usrloc"). Before the first fork. False: table full or
  /// name taken.
  bool set_root(std::string_view name, void* root) noexcept;
  /// nullptr when there is none.
  void* root(std::string_view name) const noexcept;

 private:
  Segment(char* base, std::size_t size) noexcept : x_base(base), x_size(size) {}
  char* x_base = nullptr;
  std::size_t x_size = 0;
};

/// Where memory_limit() reads. Tests point it elsewhere.
struct MemoryPaths {
  std::string cgroup_root = "/sys/fs/cgroup";
  std::string self_cgroup = "/proc/self/cgroup";
  std::string meminfo = "/proc/meminfo";
};

/// Bytes the segment may use by default: 80 % of the tightest cgroup limit (v2 or v1, own group and all above
/// it) or of the machine's memory, whichever is smaller. Unreadable files count as no limit; 512 MiB when
/// nothing can be read.
std::uint64_t memory_limit(const MemoryPaths& paths = {});

}  // namespace ser::shm
