// SPDX-License-Identifier: Apache-2.0
#include "sip/scanner.h"

#include <cstring>

#include "base/text.h"

namespace ser::sip {

namespace {

/// Behind the fold at `p` (CRLF or LF, then SP or HTAB): the position of that SP or HTAB; nullptr when it is
/// none.
const char* after_fold(const char* p, const char* end) noexcept {
  if (*p == '\r') {
    if (++p == end || *p != '\n') return nullptr;
  }
  if (++p == end || !is_space(*p)) return nullptr;
  return p;
}

bool is_control(char c) noexcept {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

/// Inside a quoted string or comment, at a byte that needs care: an escaped pair, a fold, or nothing legal
/// (nullptr).
const char* skip_special(const char* p, const char* end) noexcept {
  if (*p == '\\') {
    if (++p == end || *p == '\r' || *p == '\n') return nullptr;
    return p + 1;
  }
  if (*p == '\r' || *p == '\n') return after_fold(p, end);
  return nullptr;
}

}  // namespace

const char* run_end_slowly(const char* p, const char* end, std::uint8_t bits) noexcept {
  while (p != end && is_class(*p, bits)) ++p;
  return p;
}

bool all_of_class(std::string_view text, std::uint8_t bits) noexcept {
  for (const char c : text) {
    if (!is_class(c, bits)) return false;
  }
  return !text.empty();
}

bool is_visible(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHigh = kOnes * 0x80;
  const char* p = text.data();
  const char* end = p + text.size();
  for (; end - p >= 8; p += 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    if (((word - kOnes * 0x21) & ~word & kHigh) != 0) return false;
  }
  for (; p != end; ++p) {
    if (static_cast<unsigned char>(*p) <= ' ') return false;
  }
  return !text.empty();
}

bool Cursor::skip_lws_slow() noexcept {
  const char* from = x_pos;
  while (x_pos != x_end) {
    if (is_space(*x_pos)) {
      ++x_pos;
    } else if (*x_pos == '\r' || *x_pos == '\n') {
      const char* next = after_fold(x_pos, x_end);
      if (next == nullptr) break;
      x_pos = next;
    } else {
      break;
    }
  }
  return x_pos != from;
}

bool Cursor::number(std::uint64_t& value) noexcept {
  const char* from = x_pos;
  value = 0;
  for (; x_pos != x_end && is_digit(*x_pos); ++x_pos) {
    if (value < UINT64_MAX / 16) value = value * 10 + static_cast<std::uint64_t>(*x_pos - '0');
  }
  return x_pos != from;
}

bool Cursor::quoted_string(std::string_view& inside) noexcept {
  const char* from = ++x_pos;
  while (x_pos != x_end) {
    if (*x_pos == '"') {
      inside = since(from);
      ++x_pos;
      return true;
    }
    if (*x_pos != '\\' && !is_control(*x_pos)) {
      ++x_pos;
      continue;
    }
    const char* next = skip_special(x_pos, x_end);
    if (next == nullptr) return false;
    x_pos = next;
  }
  return false;
}

bool Cursor::comment() noexcept {
  std::uint32_t depth = 0;
  while (x_pos != x_end) {
    if (*x_pos == '\\' || is_control(*x_pos)) {
      const char* next = skip_special(x_pos, x_end);
      if (next == nullptr) return false;
      x_pos = next;
      continue;
    }
    const char c = *x_pos++;
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) return true;
  }
  return false;
}

std::string_view Cursor::token() noexcept {
  return run(kTokenChar);
}

std::string_view Cursor::host() noexcept {
  const char* from = x_pos;
  if (!take('[')) return run(kHostChar);
  if (run(kIpv6Char).empty() || !take(']')) return {};
  return since(from);
}

bool scan_param(Cursor& cursor, Param& param) noexcept {
  param.name = cursor.token();
  param.end = cursor.position();
  param.value = {};
  param.has_value = param.quoted = false;
  if (param.name.empty()) return false;
  if (!cursor.next_is('=')) {
    if (!cursor.skip_lws() || !cursor.next_is('=')) return true;
  }
  cursor.advance(1);
  cursor.skip_lws();
  param.has_value = true;
  if (cursor.next_is('"')) {
    param.quoted = true;
    if (!cursor.quoted_string(param.value)) return false;
  } else {
    param.value = cursor.run(kValueChar);
    if (param.value.empty()) return false;
  }
  param.end = cursor.position();
  return true;
}

}  // namespace ser::sip
