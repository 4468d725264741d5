// SPDX-License-Identifier: Apache-2.0
// Scanner: the byte-level loops of the library. Character classes, line ends, and a cursor over one field
// value.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ser::sip {

/// Character classes of RFC 3261 25.1, as bits of kCharClass.
enum : std::uint8_t {
  kTokenChar = 1,   ///< token
  kHostChar = 2,    ///< host name or IPv4 address
  kWordChar = 4,    ///< word (Call-ID)
  kSchemeChar = 8,  ///< URI scheme after its first letter
  kUriChar = 16,    ///< printable, not one of < > " LWS: what may stand in a URI we delimit
  kValueChar = 32,  ///< unquoted parameter value: token or host, IPv6 with brackets
  kIpv6Char = 64,   ///< inside the brackets of an IPv6 reference
};

namespace detail {
constexpr std::array<std::uint8_t, 256> make_char_class() {
  std::array<std::uint8_t, 256> table{};
  const auto set = [&table](std::string_view chars, unsigned bits) {
    for (const char c : chars) {
      auto& cell = table[static_cast<unsigned char>(c)];
      cell = static_cast<std::uint8_t>(cell | bits);
    }
  };
  set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 0x3F);
  set("-.!%*_+`'~", kTokenChar | kWordChar | kValueChar);
  set("()<>:\\\"/[]?{}", kWordChar);
  set("-._", kHostChar);
  set("0123456789abcdefABCDEF:.", kIpv6Char);
  set("+-.", kSchemeChar);
  set("[]:", kValueChar);
  for (unsigned c = 0x21; c < 0x100; ++c) {
    if (c != '<' && c != '>' && c != '"' && c != 0x7F)
      table[c] = static_cast<std::uint8_t>(table[c] | kUriChar);
  }
  return table;
}
}  // namespace detail

inline constexpr std::array<std::uint8_t, 256> kCharClass = detail::make_char_class();

/// Is `c` of one of these classes?
inline bool is_class(char c, std::uint8_t bits) noexcept {
  return (kCharClass[static_cast<unsigned char>(c)] & bits) != 0;
}

/// Is the whole text, at least one byte, of the class?
bool all_of_class(std::string_view text, std::uint8_t bits) noexcept;

/// At least one byte, and none of them SP or a control character below it (DEL is not looked for). Words at a
/// time.
bool is_visible(std::string_view text) noexcept;

/// RFC 3261 token: at least one byte, all of the token set.
inline bool is_token(std::string_view text) noexcept {
  return all_of_class(text, kTokenChar);
}

/// The position behind the line end (LF, usually after CR) that ends the header field starting at `p`: lines
/// that begin with SP or HTAB are its continuation. nullptr when there is none before `end`. memchr per line;
/// linear.
inline const char* field_end(const char* p, const char* end) noexcept {
  for (;;) {
    const void* lf = p == end ? nullptr : std::memchr(p, '\n', static_cast<std::size_t>(end - p));
    if (lf == nullptr) return nullptr;
    p = static_cast<const char*>(lf) + 1;
    if (p == end || !is_space(*p)) return p;
  }
}

/// The first `c` in [p, end), or nullptr. For names and methods: looks at the first sixteen bytes in words
/// before it calls memchr.
inline const char* find_near(const char* p, const char* end, char c) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
    for (int words = 0; words < 2 && end - p >= 8; ++words, p += 8) {
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      word ^= kOnes * static_cast<unsigned char>(c);
      // The lowest bit set is exact, bits above it may be not.
      const std::uint64_t hit = (word - kOnes) & ~word & (kOnes << 7);
      if (hit != 0) return p + std::countr_zero(hit) / 8;
    }
  }
  return p == end ? nullptr : static_cast<const char*>(std::memchr(p, c, static_cast<std::size_t>(end - p)));
}

#ifdef __SSE2__
/// Which of the sixteen bytes at `p` are letters, digits, '-' or '.': the first is the lowest bit.
inline unsigned plain_bytes(const char* p) noexcept {
  __m128i bytes;
  std::memcpy(&bytes, p, 16);
  // Each range is moved to the lower end of the signed numbers, where one comparison tells.
  const auto in_range = [](__m128i at, char first, int count) {
    return _mm_cmplt_epi8(_mm_add_epi8(at, _mm_set1_epi8(static_cast<char>(-128 - first))),
                          _mm_set1_epi8(static_cast<char>(-128 + count)));
  };
  const __m128i letters = in_range(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
  const __m128i dash_to_nine = in_range(bytes, '-', '9' - '-' + 1);  // with a slash between
  const __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('/'));
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(letters, _mm_andnot_si128(slash, dash_to_nine))));
}

/// How many of the sixteen bytes at `p`, from the first on, are so.
inline unsigned plain_prefix(const char* p) noexcept {
  return static_cast<unsigned>(std::countr_one(plain_bytes(p)));
}
#endif

/// The end of the longest run of bytes of a class that starts at `p`, byte by byte.
const char* run_end_slowly(const char* p, const char* end, std::uint8_t bits) noexcept;

/// The end of the longest run of bytes of a class that starts at `p`. From `begin` on memory may be read.
[[gnu::always_inline]] inline const char* run_end(const char* begin, const char* p, const char* end,
                                                  std::uint8_t bits) noexcept {
#ifdef __SSE2__
  // What is plain is in every class but the inside of an IPv6 reference, and most runs are nothing else.
  if ((bits & kIpv6Char) == 0 && end - begin >= 16) [[likely]] {
    while (end - p >= 16) {
      const unsigned plain = plain_prefix(p);
      p += plain;
      if (plain != 16) return is_class(*p, bits) ? run_end_slowly(p, end, bits) : p;
    }
    // The last sixteen bytes, of which some were looked at already.
    const unsigned seen = static_cast<unsigned>(16 - (end - p));
    const unsigned plain = plain_bytes(end - 16) >> seen;
    p += std::countr_one(plain);
    return p == end || !is_class(*p, bits) ? p : run_end_slowly(p, end, bits);
  }
#endif
  static_cast<void>(begin);
  return run_end_slowly(p, end, bits);
}

/// Is `text` the literal `name` in any case? `name` is four to eight lower-case letters: two comparisons of
/// words.
template <std::size_t N>
bool is_word(std::string_view text, const char (&name)[N]) noexcept {
  static_assert(N >= 5 && N <= 9);
  if (text.size() != N - 1) return false;
  const auto load = [](const char* p) {
    std::uint32_t word;
    std::memcpy(&word, p, 4);
    return word;
  };
  constexpr std::uint32_t kFold = 0x20202020U;
  const char* p = text.data();
  return (load(p) | kFold) == load(name) && (load(p + N - 5) | kFold) == load(name + N - 5);
}

/// Reads one header field value from left to right. No member goes back over bytes or beyond the end, none
/// allocates.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept
      : x_begin(text.data()), x_pos(text.data()), x_end(text.data() + text.size()) {}

  bool at_end() const noexcept { return x_pos == x_end; }
  const char* position() const noexcept { return x_pos; }
  std::uint32_t offset() const noexcept { return static_cast<std::uint32_t>(x_pos - x_begin); }
  /// Text from `from`, an earlier position(), to here.
  std::string_view since(const char* from) const noexcept {
    return {from, static_cast<std::size_t>(x_pos - from)};
  }
  /// The text not read yet.
  std::string_view rest() const noexcept { return {x_pos, static_cast<std::size_t>(x_end - x_pos)}; }
  bool next_is(char c) const noexcept { return x_pos != x_end && *x_pos == c; }
  void advance(std::size_t bytes) noexcept { x_pos += bytes; }

  /// Takes `c` if it is next.
  bool take(char c) noexcept {
    if (!next_is(c)) return false;
    ++x_pos;
    return true;
  }
  /// Skips LWS: SP, HTAB, and folds (line end followed by SP or HTAB). A bare CR or an unfolded line end
  /// stays. True if something was skipped.
  bool skip_lws() noexcept {
    if (x_pos == x_end || static_cast<unsigned char>(*x_pos) > ' ') return false;
    return skip_lws_slow();
  }
  /// LWS c LWS, the separators of RFC 3261 25.1 (SEMI, EQUAL, COMMA, SLASH, COLON). False: `c` was not there;
  /// leading LWS is consumed all the same.
  bool take_separator(char c) noexcept {
    skip_lws();
    if (!take(c)) return false;
    skip_lws();
    return true;
  }
  /// The longest run of bytes of a class; may be empty.
  std::string_view run(std::uint8_t bits) noexcept {
    const char* from = x_pos;
    x_pos = run_end(x_begin, from, x_end, bits);
    return since(from);
  }
  std::string_view token() noexcept;
  /// Decimal digits, at least one. False: no digit here; the value saturates at UINT64_MAX / 16 or more, so
  /// that any number too large for 32 bits compares above its limit.
  bool number(std::uint64_t& value) noexcept;
  /// A quoted string with the cursor at its first quote: `inside` is the raw text between the quotes. False:
  /// not closed, or it holds a line end that is no fold, or a NUL that is not escaped.
  bool quoted_string(std::string_view& inside) noexcept;
  /// A comment with the cursor at its `(`: nested parentheses and escapes are skipped, by a counter. False:
  /// not closed.
  bool comment() noexcept;
  /// Host as in sent-by: name or IPv4, or `[` IPv6 `]`. Empty: none here or a bracket left open.
  std::string_view host() noexcept;

 private:
  bool skip_lws_slow() noexcept;

  const char* x_begin;
  const char* x_pos;
  const char* x_end;
};

/// One parameter as read by scan_param().
struct Param {
  std::string_view name;
  std::string_view value;     ///< raw text between the quotes when quoted
  const char* end = nullptr;  ///< behind the last byte of the parameter, a closing quote included
  bool has_value = false;
  bool quoted = false;
};

/// Reads `name [ = value ]` with the cursor behind the `;` and its LWS; stops behind the value (LWS after a
/// name may be consumed). False on a syntax error. Unquoted values may hold token characters, brackets and
/// colons.
bool scan_param(Cursor& cursor, Param& param) noexcept;

}  // namespace ser::sip
