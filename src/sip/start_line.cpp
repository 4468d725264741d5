// SPDX-License-Identifier: Apache-2.0
#include "sip/start_line.h"

#include <cstring>

#include "base/text.h"
#include "sip/scanner.h"

namespace ser::sip {

namespace {

constexpr std::string_view kVersion = "SIP/2.0";
constexpr std::string_view kRequestEnd = " SIP/2.0";

/// SIP/2.0: fine; SIP/digits.digits: Errc::version; anything else: Errc::syntax.
Result<void> check_version(std::string_view version, std::uint32_t offset) noexcept {
  const bool usual =
      version.size() == kVersion.size() && std::memcmp(version.data(), kVersion.data(), kVersion.size()) == 0;
  if (usual || iequals(version, kVersion)) return {};
  Cursor cursor(version.substr(4));
  std::uint64_t part = 0;
  if (cursor.number(part) && cursor.take('.') && cursor.number(part) && cursor.at_end()) {
    return {Errc::version, "SIP version not supported", offset};
  }
  return {Errc::syntax, "malformed SIP version", offset};
}

/// `SIP/2.0 200 OK`, with a byte behind the digits that is a space.
bool read_plain_status_line(std::string_view line, StartLine& out) noexcept {
  constexpr std::size_t kDigits = kVersion.size() + 1;
  if (line.size() <= kDigits + 3 || !begins_with(line, "SIP/2.0 ") || line[kDigits + 3] != ' ') return false;
  const auto digit = [&](std::size_t i) { return static_cast<unsigned>(line[kDigits + i]) - '0'; };
  if (digit(0) - 1 > 5 || digit(1) > 9 || digit(2) > 9) return false;
  out.version = {line.data(), kVersion.size()};
  out.reason = {line.data() + kDigits + 4, line.size() - kDigits - 4};
  out.status = static_cast<std::uint16_t>(digit(0) * 100 + digit(1) * 10 + digit(2));
  return true;
}

Result<void> parse_status_line(std::string_view line, StartLine& out) noexcept {
  if (read_plain_status_line(line, out)) [[likely]]
    return {};
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return {Errc::syntax, "status line without status"};
  out.version = line.substr(0, space);
  TRY_VOID(check_version(out.version, 0));
  Cursor cursor(line.substr(space + 1));
  const auto at = static_cast<std::uint32_t>(space + 1);
  std::uint64_t status = 0;
  const char* from = cursor.position();
  if (!cursor.number(status)) return {Errc::syntax, "malformed status code", at};
  const std::size_t digits = cursor.since(from).size();
  if (!cursor.at_end() && !cursor.next_is(' ')) return {Errc::syntax, "malformed status code", at};
  if (digits != 3 || status < 100 || status > 699)
    return {Errc::out_of_range, "status code out of range", at};
  // RFC 3261 wants a space even before an empty reason phrase; many leave it out with the phrase.
  cursor.take(' ');
  out.reason = cursor.rest();
  out.status = static_cast<std::uint16_t>(status);
  return {};
}

/// The request line is not of the plain form: find out what is wrong and whether it can be answered.
Result<void> examine_request_line(std::string_view line, std::string_view method, StartLine& out) noexcept {
  const auto offset_of = [&](std::string_view part) {
    return static_cast<std::uint32_t>(part.data() - line.data());
  };
  if (!is_token(method)) return {Errc::syntax, "malformed method"};
  std::string_view middle = line.substr(method.size());
  while (!middle.empty() && is_space(middle.back())) middle.remove_suffix(1);
  const std::size_t space = middle.find_last_of(" \t");
  if (space == std::string_view::npos)
    return {Errc::syntax, "request line without version", offset_of(middle)};
  const std::string_view version = middle.substr(space + 1);
  if (!istarts_with(version, "SIP/")) {
    return {Errc::syntax, "request line without version", offset_of(version)};
  }
  out.is_request = true;
  out.method_name = method;
  out.method = parse_method(method);
  out.version = version;
  out.uri = trim(middle.substr(0, space));
  TRY_VOID(check_version(version, offset_of(version)));
  if (!is_visible(out.uri)) return {Errc::syntax, "malformed Request-URI", offset_of(out.uri)};
  if (method.size() + out.uri.size() + version.size() + 2 != line.size() || middle[space] != ' ') {
    return {Errc::syntax, "stray white space in request line", offset_of(out.uri)};
  }
  return {};
}

}  // namespace

Result<void> parse_start_line(std::string_view bytes, StartLine& out) noexcept {
  const std::size_t lf = bytes.find('\n');
  if (lf == std::string_view::npos) {
    out = {};
    return {Errc::incomplete, "no line end"};
  }
  return read_start_line(bytes.substr(0, lf + 1), out);
}

Result<void> read_start_line(std::string_view line, StartLine& out) noexcept {
  line.remove_suffix(1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  out = {};
  out.line = line;
  // The cheap look at one byte spares requests the comparison without regard to case.
  const bool may_be_status = line.size() > 3 && line[3] == '/';
  if (may_be_status && istarts_with(line, "SIP/")) return parse_status_line(line, out);

  const char* const begin = line.data();
  const char* const end = begin + line.size();
  const char* const space = find_near(begin, end, ' ');
  if (space == nullptr) return {Errc::syntax, "malformed request line"};
  const std::string_view method{begin, static_cast<std::size_t>(space - begin)};
  if (end - space <= static_cast<std::ptrdiff_t>(kRequestEnd.size()) || !finishes_with(line, " SIP/2.0"))
    return examine_request_line(line, method, out);
  const char* const uri_end = end - kRequestEnd.size();
  const std::string_view uri{space + 1, static_cast<std::size_t>(uri_end - space - 1)};
  out.method = parse_method(method);
  if (!is_visible(uri) || (out.method == Method::other && !is_token(method))) {
    return examine_request_line(line, method, out);
  }
  out.is_request = true;
  out.method_name = method;
  out.uri = uri;
  out.version = {uri_end + 1, kVersion.size()};
  return {};
}

Result<StartLine> parse_start_line(std::string_view bytes) noexcept {
  StartLine line;
  TRY_VOID(parse_start_line(bytes, line));
  return line;
}

}  // namespace ser::sip
