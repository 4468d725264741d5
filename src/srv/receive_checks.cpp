// SPDX-License-Identifier: Apache-2.0
#include "srv/receive_checks.h"

#include <cstring>

#include "base/text.h"

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

DatagramKind check_start_line(std::string_view line) noexcept {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F) return DatagramKind::bad_start_line;
  }
  return has_version(line) ? DatagramKind::sip : DatagramKind::bad_version;
}

/// Walks the header's line ends until the blank line.
DatagramKind check_line_ends(std::string_view bytes) noexcept {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  const char* line = at;
  while ((at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) !=
         nullptr) {
    const char* const line_end = at > line && at[-1] == '\r' ? at - 1 : at;
    if (std::memchr(line, '\r', static_cast<std::size_t>(line_end - line)) != nullptr)
      return DatagramKind::bare_cr;
    if (line_end == line) return DatagramKind::sip;
    line = ++at;
  }
  return DatagramKind::no_blank_line;
}

}  // namespace

std::string_view strip_trailing_nul(std::string_view bytes) noexcept {
  while (!bytes.empty() && bytes.back() == '\0') bytes.remove_suffix(1);
  return bytes;
}

DatagramKind check_datagram(std::string_view bytes, bool full) noexcept {
  if (bytes.empty() || is_blank(bytes.front())) {
    if (is_keepalive(bytes)) return DatagramKind::keepalive;
    // Empty lines before the start line are legal (RFC 3261 7.5).
    while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n')) bytes.remove_prefix(1);
  }
  if (bytes.size() < kMinDatagram) return DatagramKind::runt;
  if (!full) return DatagramKind::sip;
  const auto* newline = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
  if (newline == nullptr) return DatagramKind::no_blank_line;
  std::string_view line = bytes.substr(0, static_cast<std::size_t>(newline - bytes.data()));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.find('\r') != std::string_view::npos) return DatagramKind::bare_cr;
  if (const DatagramKind kind = check_start_line(line); kind != DatagramKind::sip) return kind;
  return check_line_ends(bytes.substr(static_cast<std::size_t>(newline + 1 - bytes.data())));
}

}  // namespace ser::srv
