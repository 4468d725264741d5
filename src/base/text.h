// SPDX-License-Identifier: Apache-2.0
// Small operations on views of bytes. ASCII only, no locale, no allocation.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace ser {

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) noexcept {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
constexpr bool is_alnum(char c) noexcept {
  return is_digit(c) || is_alpha(c);
}
constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t';
}
/// SP, HTAB, CR, LF: what a folded header field value may hold between its words (RFC 3261 25.1 LWS).
constexpr bool is_lws(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
/// Value of a hex digit, or -1.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char l = to_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// Does the text begin, or end, with the literal? One comparison of words, where std::string_view has a loop.
template <std::size_t N>
bool begins_with(std::string_view text, const char (&literal)[N]) noexcept {
  return text.size() >= N - 1 && std::memcmp(text.data(), literal, N - 1) == 0;
}
template <std::size_t N>
bool finishes_with(std::string_view text, const char (&literal)[N]) noexcept {
  return text.size() >= N - 1 && std::memcmp(text.data() + text.size() - (N - 1), literal, N - 1) == 0;
}

/// Case-insensitive equality of ASCII text.
bool iequals(std::string_view a, std::string_view b) noexcept;
/// Case-insensitive three-way order: <0, 0, >0.
int icompare(std::string_view a, std::string_view b) noexcept;
bool istarts_with(std::string_view text, std::string_view prefix) noexcept;
/// Position of `needle` in `text` without regard to case; npos when absent.
std::size_t ifind(std::string_view text, std::string_view needle) noexcept;

/// Without leading and trailing LWS (SP, HTAB, CR, LF).
std::string_view trim(std::string_view text) noexcept;

/// Decimal digits only, the whole text, at least one, value <= max. Linear, never wraps.
std::optional<std::uint32_t> parse_u32(std::string_view text, std::uint32_t max = 0xFFFFFFFFU) noexcept;
std::optional<std::uint64_t> parse_u64(std::string_view text) noexcept;

/// Writes decimal digits at `out` (room for 20); returns the count.
std::size_t print_u64(char* out, std::uint64_t value) noexcept;
/// Writes exactly `digits` lower-case hex digits.
void print_hex(char* out, std::uint64_t value, unsigned digits) noexcept;
/// Exactly text.size() (1..16) hex digits; nullopt otherwise.
std::optional<std::uint64_t> parse_hex(std::string_view text) noexcept;

/// The text before the first `sep`, which is removed from `rest` with it; all of `rest` when there is none.
std::string_view split_off(std::string_view& rest, char sep) noexcept;

/// Edit distance for "did you mean" hints, at most `limit` + 1. Texts over 64 bytes: limit + 1.
unsigned edit_distance(std::string_view a, std::string_view b, unsigned limit) noexcept;

}  // namespace ser
