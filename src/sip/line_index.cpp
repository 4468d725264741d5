// SPDX-License-Identifier: Apache-2.0
// Sixty-four bytes at a time: one mask of LFs, one of CRs, one of colons.
#include "sip/line_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ser::sip {

namespace {

constexpr std::size_t kBlock = 64;

struct Masks {
  std::uint64_t lf = 0;
  std::uint64_t cr = 0;
  std::uint64_t colon = 0;
};

#ifdef __SSE2__
std::uint64_t bits_of(__m128i bytes, char c) noexcept {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))));
}

Masks masks_of(const char* block) noexcept {
  Masks masks;
  for (unsigned i = 0; i < 4; ++i) {
    __m128i bytes;
    std::memcpy(&bytes, block + 16 * i, 16);
    masks.lf |= bits_of(bytes, '\n') << (16 * i);
    masks.cr |= bits_of(bytes, '\r') << (16 * i);
    masks.colon |= bits_of(bytes, ':') << (16 * i);
  }
  return masks;
}
#else
Masks masks_of(const char* block) noexcept {
  Masks masks;
  for (unsigned i = 0; i < kBlock; ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    if (block[i] == '\n') masks.lf |= bit;
    if (block[i] == '\r') masks.cr |= bit;
    if (block[i] == ':') masks.colon |= bit;
  }
  return masks;
}
#endif

/// Bits 0..bit. With bit 63 the shift leaves nothing and the subtraction makes all ones.
constexpr std::uint64_t up_to(unsigned bit) noexcept {
  return (std::uint64_t{2} << bit) - 1;
}

}  // namespace

HeaderScan scan_lines(std::string_view text, std::span<LineEnd> room) noexcept {
  const std::size_t size = std::min<std::size_t>(text.size(), 65535);
  const char* const base = text.data();
  HeaderScan scan;
  std::size_t count = 0;
  std::size_t physical = 0;  // offset of the physical line in hand
  std::size_t colon = 0;     // offset of the first colon of the field in hand
  std::uint64_t after_cr = 0;
  std::uint64_t bare = 0;
  char tail[kBlock];
  for (std::size_t at = 0; at < size; at += kBlock) {
    const char* block = base + at;
    if (size - at < kBlock) {
      std::memset(tail, 0, kBlock);
      std::memcpy(tail, block, size - at);
      block = tail;
    }
    const Masks masks = masks_of(block);
    const std::uint64_t bare_here = (masks.cr << 1 | after_cr) & ~masks.lf;
    after_cr = masks.cr >> 63;
    std::uint64_t colons = masks.colon;
    for (std::uint64_t rest = masks.lf; rest != 0; rest &= rest - 1) {
      const auto bit = static_cast<unsigned>(std::countr_zero(rest));
      const std::size_t lf = at + bit;
      if (lf - physical < 2 && (lf == physical || base[physical] == '\r')) {
        scan.count = static_cast<std::uint32_t>(count);
        scan.blank_line = static_cast<std::uint16_t>(physical);
        scan.header_end = static_cast<std::uint16_t>(lf + 1);
        scan.complete = true;
        scan.bare_cr = (bare | (bare_here & up_to(bit))) != 0;
        return scan;
      }
      physical = lf + 1;
      if (colon == 0 && (colons & up_to(bit)) != 0)
        colon = at + static_cast<unsigned>(std::countr_zero(colons));
      colons &= ~up_to(bit);
      // A fold belongs to the field before it; behind the start line there is none.
      if (count != 0 && physical < size && (base[physical] == ' ' || base[physical] == '\t')) continue;
      if (count < room.size())
        room[count] = {static_cast<std::uint16_t>(physical), static_cast<std::uint16_t>(colon)};
      ++count;
      colon = 0;
    }
    if (colon == 0 && colons != 0) colon = at + static_cast<unsigned>(std::countr_zero(colons));
    bare |= bare_here;
  }
  scan.count = static_cast<std::uint32_t>(count);
  scan.blank_line = scan.header_end = static_cast<std::uint16_t>(size);
  scan.bare_cr = (bare | after_cr) != 0;
  return scan;
}

}  // namespace ser::sip
