// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace ser {

bool iequals(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  // Most texts that are equal are equal in case, too.
  if (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

int icompare(std::string_view a, std::string_view b) noexcept {
  const std::size_t n = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < n; ++i) {
    const int d = static_cast<unsigned char>(to_lower(a[i])) - static_cast<unsigned char>(to_lower(b[i]));
    if (d != 0) return d;
  }
  return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

bool istarts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

std::size_t ifind(std::string_view text, std::string_view needle) noexcept {
  if (needle.empty()) return 0;
  for (std::size_t i = 0; i + needle.size() <= text.size(); ++i) {
    if (to_lower(text[i]) == to_lower(needle[0]) && iequals(text.substr(i, needle.size()), needle)) return i;
  }
  return std::string_view::npos;
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_lws(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_lws(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::uint32_t> parse_u32(std::string_view text, std::uint32_t max) noexcept {
  const auto value = parse_u64(text);
  if (!value || *value > max) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<std::uint64_t> parse_u64(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::size_t print_u64(char* out, std::uint64_t value) noexcept {
  char digits[20];
  std::size_t n = 0;
  do {
    digits[n++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  for (std::size_t i = 0; i < n; ++i) out[i] = digits[n - 1 - i];
  return n;
}

namespace {

/// Eight digits at once: the nibbles are spread over the bytes of a word, then each becomes its character.
std::uint64_t hex_word(std::uint32_t value) noexcept {
  std::uint64_t word = value;
  word = (word << 32 | word >> 16) & 0x0000FFFF0000FFFFULL;
  word = (word << 16 | word >> 8) & 0x00FF00FF00FF00FFULL;
  word = (word << 8 | word >> 4) & 0x0F0F0F0F0F0F0F0FULL;
  const std::uint64_t letters = (word + 0x0606060606060606ULL) >> 4 & 0x0101010101010101ULL;
  return word + 0x3030303030303030ULL + letters * ('a' - '9' - 1);
}

}  // namespace

void print_hex(char* out, std::uint64_t value, unsigned digits) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    for (; digits >= 8; value >>= 32) {
      digits -= 8;
      const std::uint64_t word = hex_word(static_cast<std::uint32_t>(value));
      std::memcpy(out + digits, &word, 8);
    }
  }
  for (unsigned i = digits; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
}

std::optional<std::uint64_t> parse_hex(std::string_view text) noexcept {
  if (text.empty() || text.size() > 16) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = hex_value(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}

std::string_view split_off(std::string_view& rest, char sep) noexcept {
  const std::size_t at = rest.find(sep);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return head;
}

unsigned edit_distance(std::string_view a, std::string_view b, unsigned limit) noexcept {
  if (a.size() > 64 || b.size() > 64) return limit + 1;
  std::array<unsigned, 65> row{};
  for (unsigned j = 0; j <= b.size(); ++j) row[j] = j;
  for (unsigned i = 1; i <= a.size(); ++i) {
    unsigned diagonal = row[0];
    row[0] = i;
    for (unsigned j = 1; j <= b.size(); ++j) {
      const unsigned above = row[j];
      const unsigned change = diagonal + (to_lower(a[i - 1]) == to_lower(b[j - 1]) ? 0U : 1U);
      row[j] = std::min({above + 1, row[j - 1] + 1, change});
      diagonal = above;
    }
  }
  return std::min(row[b.size()], limit + 1);
}

}  // namespace ser
