// SPDX-License-Identifier: Apache-2.0
#include "net/dns_cache.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <new>

namespace ser::net {

namespace {

constexpr unsigned kNeighbours = 8;  // slots a key may lie in
constexpr unsigned kReadTries = 16;  // against a writer that keeps writing
constexpr std::size_t kEntrySize = 2560;
constexpr std::size_t kDataWords = (kEntrySize - 48) / 8;
constexpr std::size_t kDataSize = kDataWords * 8;

using Word = std::atomic_ref<std::uint64_t>;

/// Bytes of the bits that say which entries were ever written, in whole cache lines.
constexpr std::size_t bits_size(std::size_t entries) noexcept {
  return (entries + 511) / 512 * 64;
}

std::size_t rounded(std::size_t entries) noexcept {
  return std::bit_ceil(std::clamp<std::size_t>(entries, 16, 65536));
}

/// What the data words hold, in this order: name, then records. Sizes come from memory that another process
/// writes, so every step is checked.
class Packer {
 public:
  explicit Packer(char* data) noexcept : x_at(data), x_end(data + kDataSize) {}
  bool bytes(const void* from, std::size_t n) noexcept {
    if (n > static_cast<std::size_t>(x_end - x_at)) return false;
    std::memcpy(x_at, from, n);
    x_at += n;
    return true;
  }
  bool name(const DnsName& name) noexcept {
    return bytes(&name.size, 1) && bytes(name.chars.data(), name.size);
  }
  char* at() const noexcept { return x_at; }

 private:
  char* x_at;
  char* x_end;
};

class Unpacker {
 public:
  Unpacker(const char* data, std::size_t size) noexcept : x_at(data), x_end(data + size) {}
  bool bytes(void* to, std::size_t n) noexcept {
    if (n > static_cast<std::size_t>(x_end - x_at)) return false;
    std::memcpy(to, x_at, n);
    x_at += n;
    return true;
  }
  bool name(DnsName& name) noexcept {
    return bytes(&name.size, 1) && name.size <= DnsName::kMax && bytes(name.chars.data(), name.size);
  }

 private:
  const char* x_at;
  const char* x_end;
};

/// The head of the data.
struct Shape {
  std::uint16_t type;
  std::uint8_t status;
  std::uint8_t count;
  std::uint32_t ttl;
};

std::size_t pack(const DnsName& name, DnsType type, const DnsAnswer& answer, char* data) noexcept {
  Packer packer(data);
  const auto count = static_cast<std::uint8_t>(answer.status == DnsStatus::ok ? answer.count : 0);
  const Shape shape{static_cast<std::uint16_t>(type), static_cast<std::uint8_t>(answer.status),
                    std::min<std::uint8_t>(count, DnsAnswer::kMax), answer.ttl};
  packer.bytes(&shape, sizeof shape);
  packer.name(name);
  for (unsigned i = 0; i < shape.count; ++i) {
    if (type == DnsType::srv) {
      const SrvRecord& srv = answer.srv[i];
      const std::uint16_t numbers[3] = {srv.priority, srv.weight, srv.port};
      packer.bytes(numbers, sizeof numbers);
      packer.name(srv.target);
    } else if (type == DnsType::ptr) {
      packer.name(answer.name);
    } else {
      packer.bytes(answer.addresses[i].bytes.data(), type == DnsType::a ? 4 : 16);
    }
  }
  const auto used = static_cast<std::size_t>(packer.at() - data);
  const std::size_t words = (used + 7) / 8;
  std::memset(data + used, 0, words * 8 - used);
  return words;
}

bool unpack(const char* data, std::size_t size, const DnsName& name, DnsType type,
            DnsAnswer& answer) noexcept {
  Unpacker unpacker(data, size);
  Shape shape;
  DnsName key;
  if (!unpacker.bytes(&shape, sizeof shape) || shape.type != static_cast<std::uint16_t>(type)) return false;
  if (shape.count > DnsAnswer::kMax || !unpacker.name(key) || key.view() != name.view()) return false;
  answer.clear(type, static_cast<DnsStatus>(shape.status));
  answer.ttl = shape.ttl;
  for (unsigned i = 0; i < shape.count; ++i) {
    if (type == DnsType::srv) {
      std::uint16_t numbers[3];
      SrvRecord& srv = answer.srv[i];
      if (!unpacker.bytes(numbers, sizeof numbers) || !unpacker.name(srv.target)) return false;
      srv.priority = numbers[0];
      srv.weight = numbers[1];
      srv.port = numbers[2];
    } else if (type == DnsType::ptr) {
      if (!unpacker.name(answer.name)) return false;
    } else {
      IpAddress& ip = answer.addresses[i];
      ip = {};
      ip.family = type == DnsType::a ? IpAddress::Family::v4 : IpAddress::Family::v6;
      if (!unpacker.bytes(ip.bytes.data(), ip.is_v4() ? 4 : 16)) return false;
    }
    answer.count = static_cast<std::uint8_t>(i + 1);
  }
  return true;
}

}  // namespace

struct DnsCache::Header {
  std::uint64_t entries;
  HashKey key;
  std::uint64_t pad[5];
};

/// `sequence` is odd while the entry is being written. All members are touched through atomic_ref only.
struct alignas(64) DnsCache::Entry {
  std::uint64_t sequence;
  std::uint64_t hash;  // 0: free
  std::uint64_t expires;
  std::uint64_t stale_until;
  std::uint64_t words;  // of data in use
  std::uint64_t pad;
  std::uint64_t data[kDataWords];
};

namespace {

/// What a reader took out of an entry in one consistent look.
struct Snapshot {
  std::uint64_t hash = 0;
  Instant expires = 0;
  Instant stale_until = 0;
  std::size_t words = 0;
  std::uint64_t data[kDataWords];
};

std::uint64_t read(std::uint64_t& word) noexcept {
  return Word(word).load(std::memory_order_acquire);
}
// Release keeps the odd sequence visible before any word of the new content; a fence would do, but not for
// TSan.
void write(std::uint64_t& word, std::uint64_t value) noexcept {
  Word(word).store(value, std::memory_order_release);
}

/// False: free, another key, or being written all the time.
bool take_snapshot(DnsCache::Entry& entry, std::uint64_t hash, Snapshot& out) noexcept {
  for (unsigned i = 0; i < kReadTries; ++i) {
    const std::uint64_t before = read(entry.sequence);
    if ((before & 1U) != 0) continue;
    if (read(entry.hash) != hash) return false;
    out.expires = static_cast<Instant>(read(entry.expires));
    out.stale_until = static_cast<Instant>(read(entry.stale_until));
    out.words = std::min<std::size_t>(read(entry.words), kDataWords);
    for (std::size_t w = 0; w < out.words; ++w) out.data[w] = read(entry.data[w]);
    if (read(entry.sequence) == before) return true;
  }
  return false;
}

/// Writes one entry; only the one writer process calls this.
class EntryWriter {
 public:
  explicit EntryWriter(DnsCache::Entry& entry) noexcept : x_entry(entry) {
    x_sequence = read(entry.sequence);
    Word(entry.sequence).store(x_sequence + 1, std::memory_order_relaxed);
  }
  EntryWriter(const EntryWriter&) = delete;
  EntryWriter& operator=(const EntryWriter&) = delete;
  ~EntryWriter() { write(x_entry.sequence, x_sequence + 2); }

 private:
  DnsCache::Entry& x_entry;
  std::uint64_t x_sequence;
};

std::uint64_t hash_of(const HashKey& key, const DnsName& name, DnsType type) noexcept {
  SipHasher hasher(key);
  hasher.add(static_cast<std::uint64_t>(type));
  hasher.add(name.view());
  const std::uint64_t hash = hasher.finish();
  return hash == 0 ? 1 : hash;
}

}  // namespace

std::size_t DnsCache::bytes_for(std::size_t entries) noexcept {
  static_assert(sizeof(Entry) == kEntrySize && sizeof(Header) == 64);
  static_assert(8 + 254 + DnsAnswer::kMax * (6 + 254) <= kDataSize);
  return sizeof(Header) + bits_size(rounded(entries)) + rounded(entries) * sizeof(Entry);
}

DnsCache DnsCache::create(void* memory, std::size_t entries, const HashKey& key) noexcept {
  new (memory) Header{rounded(entries), key, {}};
  return attach(memory);
}

DnsCache DnsCache::attach(void* memory) noexcept {
  DnsCache cache;
  cache.x_header = static_cast<Header*>(memory);
  char* const bits = static_cast<char*>(memory) + sizeof(Header);
  cache.x_written = reinterpret_cast<std::uint64_t*>(bits);
  cache.x_entries = reinterpret_cast<Entry*>(bits + bits_size(cache.x_header->entries));
  return cache;
}

bool DnsCache::was_written(std::size_t index) const noexcept {
  return (read(x_written[index / 64]) >> (index % 64) & 1U) != 0;
}

void DnsCache::note_written(std::size_t index) noexcept {
  std::uint64_t& bits = x_written[index / 64];
  write(bits, read(bits) | std::uint64_t{1} << (index % 64));
}

DnsFreshness DnsCache::find(std::string_view name, DnsType type, Instant now, DnsAnswer& out) const noexcept {
  DnsName key;
  if (x_header == nullptr || !key.assign(name)) return DnsFreshness::miss;
  const std::uint64_t hash = hash_of(x_header->key, key, type);
  const std::uint64_t mask = x_header->entries - 1;
  for (unsigned i = 0; i < kNeighbours; ++i) {
    const std::size_t index = (hash + i) & mask;
    Entry& entry = x_entries[index];
    if (!was_written(index) || read(entry.hash) != hash) continue;
    Snapshot snapshot;
    if (!take_snapshot(entry, hash, snapshot) || snapshot.stale_until <= now) continue;
    const auto* data = reinterpret_cast<const char*>(snapshot.data);
    if (!unpack(data, snapshot.words * 8, key, type, out)) continue;
    return snapshot.expires > now ? DnsFreshness::fresh : DnsFreshness::stale;
  }
  return DnsFreshness::miss;
}

bool DnsCache::store(std::string_view name, DnsType type, const DnsAnswer& answer, std::uint32_t ttl_seconds,
                     std::uint32_t stale_seconds, Instant now) noexcept {
  DnsName key;
  if (x_header == nullptr || !key.assign(name)) return false;
  const std::uint64_t hash = hash_of(x_header->key, key, type);
  const std::uint64_t mask = x_header->entries - 1;
  Entry* place = nullptr;
  for (unsigned i = 0; i < kNeighbours; ++i) {
    const std::size_t index = (hash + i) & mask;
    Entry& entry = x_entries[index];
    if (!was_written(index)) {
      // Keys are looked for in this order and entries are never unwritten, so ours is not behind this one.
      if (place == nullptr || read(place->stale_until) != 0) place = &entry;
      break;
    }
    if (read(entry.hash) == hash) {
      place = &entry;
      break;
    }
    const bool ends_first = place == nullptr || read(entry.stale_until) < read(place->stale_until);
    if (ends_first) place = &entry;
  }
  constexpr Instant kSecond = 1'000'000'000;
  const Instant expires = now + ttl_seconds * kSecond;
  if (answer.status == DnsStatus::failure && read(place->hash) == hash) {
    DnsAnswer old;
    if (find(name, type, now, old) != DnsFreshness::miss && old.status == DnsStatus::ok) {
      // An old answer is better than none; as a fresh one it also keeps everybody from asking again at once.
      const auto until =
          std::min<std::uint64_t>(static_cast<std::uint64_t>(expires), read(place->stale_until));
      if (until > read(place->expires)) {
        const EntryWriter writer(*place);
        write(place->expires, until);
      }
      return true;
    }
  }
  note_written(static_cast<std::size_t>(place - x_entries));
  alignas(8) char data[kDataSize];
  const std::size_t words = pack(key, type, answer, data);
  const EntryWriter writer(*place);
  write(place->hash, hash);
  write(place->expires, static_cast<std::uint64_t>(expires));
  write(place->stale_until, static_cast<std::uint64_t>(expires + stale_seconds * kSecond));
  write(place->words, words);
  for (std::size_t w = 0; w < words; ++w) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + w * 8, 8);
    write(place->data[w], word);
  }
  return true;
}

void DnsCache::erase(std::string_view name, DnsType type) noexcept {
  DnsName key;
  if (x_header == nullptr || !key.assign(name)) return;
  const std::uint64_t hash = hash_of(x_header->key, key, type);
  for (unsigned i = 0; i < kNeighbours; ++i) {
    const std::size_t index = (hash + i) & (x_header->entries - 1);
    Entry& entry = x_entries[index];
    if (!was_written(index) || read(entry.hash) != hash) continue;
    const EntryWriter writer(entry);
    write(entry.hash, 0);
    write(entry.stale_until, 0);
  }
}

void DnsCache::clear() noexcept {
  for (std::size_t i = 0; i < capacity(); ++i) {
    if (!was_written(i) || read(x_entries[i].hash) == 0) continue;
    const EntryWriter writer(x_entries[i]);
    write(x_entries[i].hash, 0);
    write(x_entries[i].stale_until, 0);
  }
}

void DnsCache::repair() noexcept {
  for (std::size_t i = 0; i < capacity(); ++i) {
    if (!was_written(i)) continue;
    Entry& entry = x_entries[i];
    const std::uint64_t sequence = read(entry.sequence);
    if ((sequence & 1U) == 0) continue;
    write(entry.hash, 0);
    write(entry.stale_until, 0);
    write(entry.sequence, sequence + 1);
  }
}

std::size_t DnsCache::size() const noexcept {
  std::size_t n = 0;
  for (std::size_t i = 0; i < capacity(); ++i) n += was_written(i) && read(x_entries[i].hash) != 0 ? 1 : 0;
  return n;
}

std::size_t DnsCache::capacity() const noexcept {
  return x_header == nullptr ? 0 : x_header->entries;
}

DnsFreshness find_addresses(const DnsCache& cache, std::string_view host, IpAddress::Family family,
                            Instant now, std::span<IpAddress> out, unsigned& count) noexcept {
  count = 0;
  DnsFreshness result = DnsFreshness::fresh;
  bool known = false;
  DnsAnswer answer;
  for (const DnsType type : {DnsType::a, DnsType::aaaa}) {
    if (type == DnsType::a ? family == IpAddress::Family::v6 : family == IpAddress::Family::v4) continue;
    const DnsFreshness freshness = cache.find(host, type, now, answer);
    if (freshness != DnsFreshness::fresh) result = DnsFreshness::stale;
    if (freshness == DnsFreshness::miss) continue;
    known = true;
    if (answer.status != DnsStatus::ok) continue;
    for (unsigned i = 0; i < answer.count && count < out.size(); ++i) out[count++] = answer.addresses[i];
  }
  return known ? result : DnsFreshness::miss;
}

}  // namespace ser::net
