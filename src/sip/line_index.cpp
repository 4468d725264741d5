// SPDX-License-Identifier: Apache-2.0
// Sixty-four bytes at a time: one mask of LFs, one of CRs. Where the processor has AVX2 the masks cost half.
#include "sip/line_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "sip/name_shape.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ser::sip {

namespace {

constexpr std::size_t kBlock = 64;

struct Masks {
  std::uint64_t lf = 0;
  std::uint64_t cr = 0;
};

// What a way of looking at bytes is: the masks of a block.

struct Bytewise {
  static Masks masks_of(const char* block) noexcept {
    Masks masks;
    for (unsigned i = 0; i < kBlock; ++i) {
      if (block[i] == '\n') masks.lf |= std::uint64_t{1} << i;
      if (block[i] == '\r') masks.cr |= std::uint64_t{1} << i;
    }
    return masks;
  }
};

#if defined(__x86_64__)
struct Sse2 {
  static std::uint64_t bits_of(__m128i bytes, char c) noexcept {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))));
  }
  static Masks masks_of(const char* block) noexcept {
    Masks masks;
    for (unsigned i = 0; i < 4; ++i) {
      __m128i bytes;
      std::memcpy(&bytes, block + 16 * i, 16);
      masks.lf |= bits_of(bytes, '\n') << (16 * i);
      masks.cr |= bits_of(bytes, '\r') << (16 * i);
    }
    return masks;
  }
};

struct Avx2 : Sse2 {
  [[gnu::target("avx2")]] static std::uint64_t bits_of(__m256i bytes, char c) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c))));
  }
  [[gnu::target("avx2")]] static Masks masks_of(const char* block) noexcept {
    __m256i low;
    __m256i high;
    std::memcpy(&low, block, 32);
    std::memcpy(&high, block + 32, 32);
    return {bits_of(low, '\n') | bits_of(high, '\n') << 32, bits_of(low, '\r') | bits_of(high, '\r') << 32};
  }
};
#endif

bool is_low(char c) noexcept {
  return static_cast<unsigned char>(c) <= ' ';
}

/// Where the blank line ends that begins at `at`; 0: it is none.
std::size_t blank_line_end(const char* base, std::size_t at, std::size_t size) noexcept {
  if (base[at] == '\n') return at + 1;
  return base[at] == '\r' && at + 1 < size && base[at + 1] == '\n' ? at + 2 : 0;
}

/// The first two bytes of a line; behind the end of the text letters that nobody looks at.
struct Begin {
  char first = 'x';
  char second = 'x';
};
[[gnu::always_inline]] inline Begin line_begin(const char* base, std::size_t at, std::size_t size) noexcept {
  Begin begin;
  if (at + 1 < size) [[likely]] {
    begin = {base[at], base[at + 1]};
  } else if (at < size) {
    begin.first = base[at];
  }
  return begin;
}

HeaderScan finished(std::size_t count, std::size_t blank, std::size_t end, bool bare) noexcept {
  HeaderScan scan;
  scan.count = static_cast<std::uint32_t>(count);
  scan.blank_line = static_cast<std::uint16_t>(blank);
  scan.header_end = static_cast<std::uint16_t>(end);
  scan.complete = true;
  scan.bare_cr = bare;
  return scan;
}

template <class Way>
[[gnu::always_inline]] inline HeaderScan scan(std::string_view text, const LineRoom& room) noexcept {
  const std::size_t size = std::min<std::size_t>(text.size(), 65535);
  const char* const base = text.data();
  if (size != 0 && is_low(base[0])) [[unlikely]] {
    if (const std::size_t end = blank_line_end(base, 0, size); end != 0) return finished(0, 0, end, false);
  }
  if (room.size != 0) room.shapes[0] = 0;
  std::uint16_t* const ends = room.ends;
  std::uint8_t* const shapes = room.shapes;
  const std::size_t most = room.size;
  std::size_t count = 0;
  std::uint64_t after_cr = 0;
  std::uint64_t bare = 0;
  char tail[kBlock];
  for (std::size_t at = 0; at < size; at += kBlock) {
    const char* block = base + at;
    if (size - at < kBlock) [[unlikely]] {
      std::memset(tail, 0, kBlock);
      std::memcpy(tail, block, size - at);
      block = tail;
    }
    const Masks masks = Way::masks_of(block);
    const std::uint64_t bare_here = (masks.cr << 1 | after_cr) & ~masks.lf;
    after_cr = masks.cr >> 63;
    for (std::uint64_t rest = masks.lf; rest != 0; rest &= rest - 1) {
      const std::size_t next = at + static_cast<unsigned>(std::countr_zero(rest)) + 1;
      const Begin begin = line_begin(base, next, size);
      if (is_low(begin.first)) [[unlikely]] {
        // A fold belongs to the field before it; behind the start line there is none.
        if (count != 0 && is_space(begin.first)) continue;
        if (const std::size_t end = blank_line_end(base, next, size); end != 0) {
          if (count < most) ends[count] = static_cast<std::uint16_t>(next);
          const std::uint64_t so_far = rest ^ (rest - 1);
          return finished(count + 1, next, end, (bare | (bare_here & so_far)) != 0);
        }
      }
      if (count < most) [[likely]] {
        ends[count] = static_cast<std::uint16_t>(next);
        shapes[count + 1] = name_shape(begin.first, begin.second);
      }
      ++count;
    }
    bare |= bare_here;
  }
  HeaderScan none = finished(count, size, size, (bare | after_cr) != 0);
  none.complete = false;
  return none;
}

#if defined(__x86_64__)
/// What the processor can was found out when the program was loaded; this reads one word.
bool has_avx2() noexcept {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}
#endif

// The loop stands once, and is compiled for each way as a whole.
HeaderScan scan_bytewise(std::string_view text, const LineRoom& room) noexcept {
  return scan<Bytewise>(text, room);
}
#if defined(__x86_64__)
HeaderScan scan_sse2(std::string_view text, const LineRoom& room) noexcept {
  return scan<Sse2>(text, room);
}
[[gnu::target("avx2,bmi")]] HeaderScan scan_avx2(std::string_view text, const LineRoom& room) noexcept {
  return scan<Avx2>(text, room);
}
#endif

}  // namespace

bool can_scan(ScanWay way) noexcept {
#if defined(__x86_64__)
  return way != ScanWay::avx2 || has_avx2();
#else
  return way == ScanWay::bytewise;
#endif
}

HeaderScan scan_lines(std::string_view text, const LineRoom& room, ScanWay way) noexcept {
#if defined(__x86_64__)
  if (way == ScanWay::avx2) return scan_avx2(text, room);
  if (way == ScanWay::sse2) return scan_sse2(text, room);
#endif
  static_cast<void>(way);
  return scan_bytewise(text, room);
}

HeaderScan scan_lines(std::string_view text, const LineRoom& room) noexcept {
#if defined(__x86_64__)
  if (has_avx2()) return scan_avx2(text, room);
  return scan_sse2(text, room);
#else
  return scan_bytewise(text, room);
#endif
}

}  // namespace ser::sip
