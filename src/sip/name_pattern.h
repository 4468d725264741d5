// SPDX-License-Identifier: Apache-2.0
// Is this line that header? One or two comparisons of words, without looking for the colon first.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/text.h"
#include "sip/header_table.h"
#include "sip/name_shape.h"

namespace ser::sip {

/// The name of a header as words of eight bytes: its first and, when it is longer, its last eight.
struct NamePattern {
  /// One word of a name: `bytes` with the bits of `fold` (0x20 for each letter, so that case does not count)
  /// and without those outside of `mask` is `lower`.
  struct Word {
    std::uint64_t mask = 0;
    std::uint64_t fold = 0;
    std::uint64_t lower = 0;
    bool holds(std::uint64_t bytes) const noexcept { return ((bytes & mask) | fold) == lower; }
  };
  Word head;
  Word tail;
  std::uint8_t size = 0;
};

namespace detail {
constexpr NamePattern::Word make_name_word(std::string_view part) noexcept {
  std::array<unsigned char, 8> mask{};
  std::array<unsigned char, 8> fold{};
  std::array<unsigned char, 8> lower{};
  for (std::size_t i = 0; i < part.size(); ++i) {
    mask[i] = 0xFF;
    fold[i] = is_alpha(part[i]) ? 0x20 : 0;
    lower[i] = static_cast<unsigned char>(to_lower(part[i]));
  }
  return {std::bit_cast<std::uint64_t>(mask), std::bit_cast<std::uint64_t>(fold),
          std::bit_cast<std::uint64_t>(lower)};
}

constexpr std::array<NamePattern, kHeaderIds> make_name_patterns() {
  std::array<NamePattern, kHeaderIds> patterns{};
  for (const HeaderRow& row : kHeaderTable) {
    NamePattern& pattern = patterns[static_cast<std::size_t>(row.id)];
    const std::size_t size = row.name.size();
    pattern.head = make_name_word(row.name.substr(0, std::min<std::size_t>(size, 8)));
    if (size > 8) pattern.tail = make_name_word(row.name.substr(size - 8));
    pattern.size = static_cast<std::uint8_t>(size);
  }
  return patterns;
}
inline constexpr std::array<NamePattern, kHeaderIds> kNamePatterns = make_name_patterns();

inline std::uint64_t load_word(const char* p) noexcept {
  std::uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}
}  // namespace detail

/// The size of the name at the start of `text` (a line and all that follows it in the message) if that is the
/// full or compact name of `id` and a colon follows, perhaps behind white space; else 0. Not for `other`.
std::size_t match_name_slowly(std::string_view text, HeaderId id) noexcept;

/// The same, quickly where the name is written as usual, or another one with the same first letters.
[[gnu::always_inline]] inline std::size_t match_name(std::string_view text, HeaderId id) noexcept {
  const NamePattern& pattern = detail::kNamePatterns[static_cast<std::size_t>(id)];
  const char* const p = text.data();
  const std::size_t size = pattern.size;
  if (text.size() > 16 && size <= 16) [[likely]] {
    if (!pattern.head.holds(detail::load_word(p))) {
      if (!ends_compact_name(p[1])) [[likely]]
        return 0;
    } else if (size > 8 && !pattern.tail.holds(detail::load_word(p + size - 8))) {
      return 0;
    } else if (p[size] == ':') [[likely]] {
      return size;
    }
  }
  return match_name_slowly(text, id);
}

}  // namespace ser::sip
