// SPDX-License-Identifier: Apache-2.0
// The cache of DNS answers: fixed size, plain data in memory given from outside (the segment). One process
// writes, all read without locks.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/hash.h"
#include "base/packet.h"
#include "net/dns_message.h"

namespace ser::net {

/// How good a cached answer is.
enum class DnsFreshness : std::uint8_t {
  miss,   ///< nothing known: ask the event worker
  fresh,  ///< within its TTL
  stale,  ///< TTL over; use it and ask the event worker for a new one
};

/// A handle on the table; copy it freely. Every entry is a seqlock over words that are only touched by atomic
/// operations, so a reader never sees half an entry and ThreadSanitizer agrees. A bit per entry says whether
/// it was ever written: what was not is not even looked at, so its page stays unbacked.
class DnsCache {
 public:
  /// Bytes that `entries` (rounded up to a power of two, 16..65536) need.
  static std::size_t bytes_for(std::size_t entries) noexcept;
  /// Initialises zeroed memory of bytes_for(entries), aligned to 64. Once, before the fork; then copy the
  /// handle.
  static DnsCache create(void* memory, std::size_t entries, const HashKey& key) noexcept;
  /// A handle on memory that create() initialised.
  static DnsCache attach(void* memory) noexcept;
  DnsCache() noexcept = default;

  /// Any process, any time. `out` is written only when the result is not miss. Bounded: an entry that is
  /// being written counts as a miss after some tries.
  DnsFreshness find(std::string_view name, DnsType type, Instant now, DnsAnswer& out) const noexcept;

  /// The writer only. Keeps `answer` for `ttl_seconds`, and stale for `stale_seconds` more.
  /// DnsStatus::failure never replaces an answer with records: that one counts as fresh for another
  /// `ttl_seconds` instead, but not beyond its stale time. When the neighbourhood is full, the entry that
  /// ends first goes. False: the name is not valid.
  bool store(std::string_view name, DnsType type, const DnsAnswer& answer, std::uint32_t ttl_seconds,
             std::uint32_t stale_seconds, Instant now) noexcept;
  /// The writer only. Forgets one entry, or all.
  void erase(std::string_view name, DnsType type) noexcept;
  void clear() noexcept;
  /// A new writer, before its first store(): frees entries that its predecessor was writing when it died.
  void repair() noexcept;

  /// Entries in use. For statistics.
  std::size_t size() const noexcept;
  std::size_t capacity() const noexcept;

  struct Header;
  struct Entry;

 private:
  bool was_written(std::size_t index) const noexcept;
  void note_written(std::size_t index) noexcept;

  Header* x_header = nullptr;
  std::uint64_t* x_written = nullptr;  ///< the bits
  Entry* x_entries = nullptr;
};

/// Addresses of `host` from the cache: A for Family::v4, AAAA for v6, both (A first) for none. `count` is
/// what was put into `out`. The result is the worse of the answers used; miss only when nothing is known of
/// any asked type.
DnsFreshness find_addresses(const DnsCache& cache, std::string_view host, IpAddress::Family family,
                            Instant now, std::span<IpAddress> out, unsigned& count) noexcept;

}  // namespace ser::net
