// SPDX-License-Identifier: Apache-2.0
#include "srv/receive_checks.h"

#include <cstring>

#include "base/text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ser::srv {

namespace {

constexpr std::string_view kSip = "SIP/";

bool is_blank(char c) noexcept {
  return is_lws(c) || c == '\0';
}

bool is_keepalive(std::string_view bytes) noexcept {
  for (const char c : bytes) {
    if (!is_blank(c)) return false;
  }
  return true;
}

/// A status line begins with SIP/, a request line has it after its last space (RFC 4475 3.1.2.10: a trailing
/// space is answered 400 by the parser, so it must get there).
bool has_version(std::string_view line) noexcept {
  if (istarts_with(line, kSip)) return true;
  while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
  const std::size_t space = line.find_last_of(" \t");
  return space != std::string_view::npos && istarts_with(line.substr(space + 1), kSip);
}

/// False: no byte is a control character, HTAB included.
#ifdef __SSE2__
bool may_have_control(std::string_view line) noexcept {
  char padded[16];
  if (line.size() < sizeof padded) {
    if (line.empty()) return false;
    // A status line is often so short.
    std::memset(padded, ' ', sizeof padded);
    std::memcpy(padded, line.data(), line.size());
    line = {padded, sizeof padded};
  }
  const auto suspicious = [](const char* p) {
    __m128i bytes;
    std::memcpy(&bytes, p, 16);
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    return _mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
  };
  const char* p = line.data();
  const char* const last = p + line.size() - 16;
  __m128i found = suspicious(last);
  for (; p < last; p += 16) found = _mm_or_si128(found, suspicious(p));
  return _mm_movemask_epi8(found) != 0;
}
#else
bool may_have_control(std::string_view) noexcept {
  return true;
}
#endif

DatagramKind check_start_line(std::string_view line) noexcept {
  if (may_have_control(line)) {
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7F) return DatagramKind::bad_start_line;
    }
  }
  return begins_with(line, "SIP/") || finishes_with(line, " SIP/2.0") || has_version(line)
             ? DatagramKind::sip
             : DatagramKind::bad_version;
}

}  // namespace

std::string_view strip_trailing_nul(std::string_view bytes) noexcept {
  while (!bytes.empty() && bytes.back() == '\0') bytes.remove_suffix(1);
  return bytes;
}

std::string_view strip_leading_lines(std::string_view bytes) noexcept {
  while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n')) bytes.remove_prefix(1);
  return bytes;
}

DatagramKind check_datagram(std::string_view bytes, bool full, sip::LineIndex& lines) noexcept {
  if (bytes.empty() || (is_blank(bytes.front()) && is_keepalive(bytes))) return DatagramKind::keepalive;
  if (bytes.size() < kMinDatagram) return DatagramKind::runt;
  sip::scan_lines(bytes, lines);
  if (!full) return DatagramKind::sip;
  if (lines.scan.bare_cr) return DatagramKind::bare_cr;
  if (!lines.scan.complete) return DatagramKind::no_blank_line;
  std::string_view line = bytes.substr(0, lines.scan.count == 0 ? 0 : lines.ends[0] - std::size_t{1});
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return check_start_line(line);
}

}  // namespace ser::srv
