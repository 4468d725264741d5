// SPDX-License-Identifier: Apache-2.0
// A perfect hash over the words a name begins and ends with, made from header_table.h by the compiler, then
// one comparison in words of eight bytes. Case is folded only where the table has a letter: '-' must stay
// '-'.
#include "sip/header_id.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "sip/header_table.h"

namespace ser::sip {

namespace {

constexpr std::uint64_t kFold = 0x2020202020202020ULL;
/// Any odd number for which no two names share a slot; the assertion below tells when another one is needed.
constexpr std::uint64_t kHashFactor = 0xDC4CDA366A731C43ULL;
constexpr unsigned kHashBits = 10;
constexpr std::size_t kMaxWords = 4;

template <std::size_t kBytes>
constexpr std::uint64_t load(const char* p) noexcept {
  if (std::is_constant_evaluated()) {
    std::array<char, 8> bytes{};
    for (std::size_t i = 0; i < kBytes; ++i)
      bytes[std::endian::native == std::endian::little ? i : 8 - kBytes + i] = p[i];
    return std::bit_cast<std::uint64_t>(bytes);
  }
  if constexpr (kBytes == 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    return word;
  } else {
    std::uint32_t word;
    std::memcpy(&word, p, 4);
    return word;
  }
}

constexpr std::uint64_t byte(char c) noexcept {
  return static_cast<unsigned char>(c);
}

/// The first eight bytes of a name of `size` >= 2, or all of a shorter one.
constexpr std::uint64_t head_word(const char* p, std::size_t size) noexcept {
  if (size >= 8) return load<8>(p);
  if (size >= 4) return load<4>(p) << 32 | load<4>(p + size - 4);
  return byte(p[0]) << 16 | byte(p[1]) << 8 | byte(p[size - 1]);
}

/// The last eight bytes; 0 for a name that the head holds whole.
constexpr std::uint64_t tail_word(const char* p, std::size_t size) noexcept {
  return size > 8 ? load<8>(p + size - 8) : 0;
}

constexpr std::size_t name_hash(std::uint64_t head, std::uint64_t tail, std::size_t size) noexcept {
  return (((head | kFold) ^ std::rotl(tail | kFold, 29)) + size) * kHashFactor >> (64 - kHashBits);
}

/// A name as words: head, tail, and for long names the bytes from 8 and from 16 between them.
struct Pattern {
  std::array<std::uint64_t, kMaxWords> fold{};  // 0x20 where the name has a letter
  std::array<std::uint64_t, kMaxWords> lower{};
  std::uint8_t size = 0;
};

struct Lookup {
  std::array<std::uint8_t, std::size_t{1} << kHashBits> slot{};  // ids by hash, 0: none
  std::array<std::uint8_t, 32> compact{};                        // ids by letter & 31
  std::array<Pattern, kHeaderIds> patterns{};
  bool perfect = true;
};

constexpr Lookup make_lookup() {
  Lookup lookup;
  for (const HeaderRow& row : kHeaderTable) {
    if (row.id == HeaderId::other) continue;
    const auto id = static_cast<std::uint8_t>(row.id);
    if (row.compact != 0) lookup.compact[row.compact & 31] = id;
    std::array<char, kMaxWords * 8> fold{};
    std::array<char, kMaxWords * 8> lower{};
    for (std::size_t i = 0; i < row.name.size(); ++i) {
      fold[i] = is_alpha(row.name[i]) ? 0x20 : 0;
      lower[i] = to_lower(row.name[i]);
    }
    Pattern& pattern = lookup.patterns[id];
    pattern.size = static_cast<std::uint8_t>(row.name.size());
    const std::size_t size = row.name.size();
    pattern.fold = {head_word(fold.data(), size), tail_word(fold.data(), size), load<8>(fold.data() + 8),
                    load<8>(fold.data() + 16)};
    pattern.lower = {head_word(lower.data(), size), tail_word(lower.data(), size), load<8>(lower.data() + 8),
                     load<8>(lower.data() + 16)};
    const char* name = row.name.data();
    std::uint8_t& slot = lookup.slot[name_hash(head_word(name, size), tail_word(name, size), size)];
    if (slot != 0) lookup.perfect = false;
    slot = id;
  }
  return lookup;
}

constexpr Lookup kLookup = make_lookup();
static_assert(kLookup.perfect, "two header names share a slot: choose another kHashFactor");

}  // namespace

HeaderId header_id(std::string_view name) noexcept {
  const std::size_t size = name.size();
  if (size < 2) {
    if (size == 0 || !is_alpha(name[0])) return HeaderId::other;
    return static_cast<HeaderId>(kLookup.compact[static_cast<unsigned char>(name[0]) & 31]);
  }
  const char* p = name.data();
  const std::uint64_t head = head_word(p, size);
  const std::uint64_t tail = tail_word(p, size);
  const std::uint8_t id = kLookup.slot[name_hash(head, tail, size)];
  const Pattern& pattern = kLookup.patterns[id];
  const auto differs = [&pattern](std::uint64_t word, std::size_t k) {
    return (word | pattern.fold[k]) != pattern.lower[k];
  };
  if (pattern.size != size || differs(head, 0) || differs(tail, 1)) return HeaderId::other;
  if (size > 16 && differs(load<8>(p + 8), 2)) return HeaderId::other;
  if (size > 24 && differs(load<8>(p + 16), 3)) return HeaderId::other;
  return static_cast<HeaderId>(id);
}

std::string_view to_string(HeaderId id) noexcept {
  return header_row(id).name;
}

}  // namespace ser::sip
