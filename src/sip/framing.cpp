// SPDX-License-Identifier: Apache-2.0
#include "sip/framing.h"

#include <optional>

#include "base/text.h"

namespace ser::sip {

namespace {

/// The logical line at `at`: up to and including the line end that no white space follows.
std::string_view logical_line(std::string_view header, std::size_t at) noexcept {
  std::size_t end = at;
  do {
    end = header.find('\n', end);
    if (end == std::string_view::npos) return header.substr(at);
    ++end;
  } while (end < header.size() && is_space(header[end]));
  return header.substr(at, end - at);
}

/// The value when the line is a Content-Length field.
std::optional<std::string_view> content_length_value(std::string_view line) noexcept {
  const char first = line.empty() ? '\0' : to_lower(line[0]);
  if (first != 'c' && first != 'l') return std::nullopt;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto name = trim(line.substr(0, colon));
  if (!iequals(name, "l") && !iequals(name, "content-length")) return std::nullopt;
  return trim(line.substr(colon + 1));
}

}  // namespace

Result<std::uint32_t> find_content_length(std::string_view header) noexcept {
  std::optional<std::uint32_t> found;
  std::size_t at = logical_line(header, 0).size();
  while (at < header.size()) {
    const auto line = logical_line(header, at);
    const auto value = content_length_value(line);
    if (value) {
      const auto number = parse_u64(*value);
      const auto where = static_cast<std::uint32_t>(at);
      if (!number) return {Errc::syntax, "bad Content-Length", where};
      if (*number > 0xFFFFFFFFU) return {Errc::out_of_range, "Content-Length out of range", where};
      if (found && *found != *number) return {Errc::syntax, "two different Content-Length fields", where};
      found = static_cast<std::uint32_t>(*number);
    }
    at += line.size();
  }
  if (!found) return {Errc::missing, "no Content-Length in a stream"};
  return *found;
}

Frame StreamFramer::fail(Errc code, const char* what, std::string_view header) noexcept {
  x_error = {code, 0, what};
  return {Frame::Kind::error, header, 0, x_error};
}

bool StreamFramer::find_header_end(std::string_view buffered) noexcept {
  for (;;) {
    const std::size_t end = buffered.find('\n', x_scanned);
    if (end == std::string_view::npos) {
      x_scanned = buffered.size();
      return false;
    }
    const std::size_t size = end - x_line;
    x_scanned = end + 1;
    const bool blank = size == 0 || (size == 1 && buffered[x_line] == '\r');
    x_line = end + 1;
    if (blank) {
      x_header_end = end + 1;
      return true;
    }
  }
}

Frame StreamFramer::next(std::string_view buffered) noexcept {
  if (x_error.code != Errc::none) return {Frame::Kind::error, {}, 0, x_error};
  if (x_scanned == 0) {
    if (buffered.size() >= 2 && buffered[0] == '\r' && buffered[1] == '\n') {
      if (x_half_ping) {
        x_half_ping = false;
        return {Frame::Kind::ping, {}, 2, {}};
      }
      if (buffered.size() >= 4 && buffered[2] == '\r' && buffered[3] == '\n')
        return {Frame::Kind::ping, {}, 4, {}};
      x_half_ping = true;
      return {Frame::Kind::pong, {}, 2, {}};
    }
    if (buffered.empty() || buffered == "\r") return {};
    x_half_ping = false;
  }
  if (x_header_end == 0) {
    const bool found = find_header_end(buffered);
    if ((found ? x_header_end : buffered.size()) > x_limits.header_bytes) {
      return fail(Errc::too_long, "header part of a message too long", {});
    }
    if (!found) return {};
    const auto header = buffered.substr(0, x_header_end);
    const auto length = find_content_length(header);
    if (!length) return fail(length.error().code, length.error().what, header);
    if (*length > x_limits.message_bytes || *length + x_header_end > x_limits.message_bytes) {
      return fail(Errc::too_long, "message too long", header);
    }
    x_body = *length;
  }
  const std::size_t whole = x_header_end + x_body;
  if (buffered.size() < whole) return {};
  x_line = x_scanned = x_header_end = x_body = 0;
  return {Frame::Kind::message, buffered.substr(0, whole), whole, {}};
}

}  // namespace ser::sip
