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

LineIndex::Verdict scan_lines(std::string_view text, LineIndex& out) noexcept {
  const std::size_t size = std::min<std::size_t>(text.size(), 65535);
  const char* const base = text.data();
  std::size_t count = 0;
  std::size_t line = 0;   // offset of the line in hand
  std::size_t colon = 0;  // offset of its first colon
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
      if (lf - line < 2 && (lf == line || base[line] == '\r')) {
        out.count = static_cast<std::uint16_t>(std::min(count, LineIndex::kMaxLines));
        out.blank_line = static_cast<std::uint16_t>(line);
        out.header_end = static_cast<std::uint16_t>(lf + 1);
        if ((bare | (bare_here & up_to(bit))) != 0) return LineIndex::Verdict::bare_cr;
        return count > LineIndex::kMaxLines ? LineIndex::Verdict::too_many : LineIndex::Verdict::complete;
      }
      if (colon == 0 && (colons & up_to(bit)) != 0)
        colon = at + static_cast<unsigned>(std::countr_zero(colons));
      colons &= ~up_to(bit);
      if (count < LineIndex::kMaxLines)
        out.lines[count] = {static_cast<std::uint16_t>(lf + 1), static_cast<std::uint16_t>(colon)};
      ++count;
      line = lf + 1;
      colon = 0;
    }
    if (colon == 0 && colons != 0) colon = at + static_cast<unsigned>(std::countr_zero(colons));
    bare |= bare_here;
  }
  bare |= after_cr;  // a CR as the very last byte
  return bare != 0 ? LineIndex::Verdict::bare_cr : LineIndex::Verdict::no_blank_line;
}

}  // namespace ser::sip
