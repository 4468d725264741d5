// SPDX-License-Identifier: Apache-2.0
#include "shm/segment.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/fd.h"

namespace ser::shm {

namespace {
constexpr std::uintptr_t kStep = std::uintptr_t{1} << 37;  // 128 GiB from one candidate to the next
constexpr unsigned kCandidates = 16;
constexpr std::uintptr_t kFallback = 0x7e80'0000'0000;

void* map_at(std::uintptr_t at, std::size_t size) noexcept {
  void* got = ::mmap(reinterpret_cast<void*>(at), size, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got == MAP_FAILED) return nullptr;
  if (got == reinterpret_cast<void*>(at)) return got;
  ::munmap(got, size);  // a kernel older than the flag takes the address as a hint
  return nullptr;
}

void* map_anywhere_listed(std::size_t size) noexcept {
  for (unsigned i = 0; i < kCandidates; ++i) {
    if (void* at = map_at(kSegmentBase + i * kStep, size)) return at;
  }
  return map_at(kFallback, size);
}
}  // namespace

Result<Segment> Segment::create(const SegmentOptions& options) noexcept {
  std::size_t size = options.size & ~(kPage - 1);
  const std::size_t least = std::max<std::size_t>(options.min_size, 64 * kPage);
  void* at = nullptr;
  for (; size >= least; size = (size / 2) & ~(kPage - 1)) {
    at = map_anywhere_listed(size);
    if (at != nullptr) break;
  }
  if (at == nullptr) return errno_error("cannot map the shared segment");
  ::madvise(at, size, MADV_DONTDUMP);

  Segment segment(static_cast<char*>(at), size);
  auto* header = new (at) SegmentHeader{};
  header->version = SegmentHeader::kVersion;
  header->size = size;
  const std::uint64_t machine = memory_limit();
  header->limit = options.limit == 0 ? machine : std::min(options.limit, machine);
  fill_random(&header->branch_key, sizeof header->branch_key);
  fill_random(&header->table_key, sizeof header->table_key);
  fill_random(&header->check_key, sizeof header->check_key);
  header->started_wall = SystemClock().wall_seconds();
  header->static_next = kPage;
  header->static_end = std::min<std::uint64_t>(size / 8, std::uint64_t{2} << 30) & ~(kPage - 1);
  header->magic = SegmentHeader::kMagic;
  return segment;
}

Segment::Segment(Segment&& other) noexcept
    : x_base(std::exchange(other.x_base, nullptr)), x_size(std::exchange(other.x_size, 0)) {}

Segment& Segment::operator=(Segment&& other) noexcept {
  std::swap(x_base, other.x_base);
  std::swap(x_size, other.x_size);
  return *this;
}

Segment::~Segment() {
  if (x_base != nullptr) ::munmap(x_base, x_size);
}

void* Segment::reserve(std::size_t bytes, std::size_t align) noexcept {
  SegmentHeader& head = header();
  const std::uint64_t at = (head.static_next + (align - 1)) & ~std::uint64_t{align - 1};
  if (at > head.static_end || bytes > head.static_end - at) return nullptr;
  head.static_next = at + bytes;
  return x_base + at;
}

bool Segment::set_root(std::string_view name, void* root) noexcept {
  SegmentHeader& head = header();
  name = name.substr(0, sizeof(NamedRoot::name) - 1);
  if (head.root_count >= SegmentHeader::kMaxRoots || this->root(name) != nullptr) return false;
  NamedRoot& entry = head.roots[head.root_count];
  std::memcpy(entry.name, name.data(), name.size());
  entry.name[name.size()] = '\0';
  entry.root = root;
  ++head.root_count;
  return true;
}

void* Segment::root(std::string_view name) const noexcept {
  const SegmentHeader& head = header();
  name = name.substr(0, sizeof(NamedRoot::name) - 1);
  for (std::uint32_t i = 0; i < std::min(head.root_count, SegmentHeader::kMaxRoots); ++i) {
    if (std::string_view(head.roots[i].name, ::strnlen(head.roots[i].name, sizeof(NamedRoot::name))) ==
        name) {
      return head.roots[i].root;
    }
  }
  return nullptr;
}

}  // namespace ser::shm
