// SPDX-License-Identifier: Apache-2.0
#include "crash/fingerprint.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "sip/header_id.h"

namespace ser::crash {

namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestMethod = 32;

/// The next line without its end, and what follows it.
std::string_view next_line(std::string_view& rest) noexcept {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

void add_start_line(SipHasher& hash, std::string_view line) noexcept {
  const std::size_t space = std::min(line.find(' '), line.size());
  if (istarts_with(line, "SIP/")) {
    hash.add(std::string_view("S"));
    hash.add(line.substr(space, 2));  // the blank and the digit of the class
    return;
  }
  const std::string_view method = line.substr(0, std::min(space, kLongestMethod));
  hash.add(std::string_view("R"));
  hash.add(method);
  hash.add(std::uint64_t{method.size()});
}

void add_name(SipHasher& hash, std::string_view line) noexcept {
  const std::size_t colon = line.find(':');
  std::string_view name = trim(line.substr(0, colon == std::string_view::npos ? 0 : colon));
  if (const sip::HeaderId id = sip::header_id(name); id != sip::HeaderId::other) {
    hash.add(static_cast<std::uint64_t>(id));
    return;
  }
  std::array<char, kLongestName> lower{};
  name = name.substr(0, lower.size());
  std::transform(name.begin(), name.end(), lower.begin(), to_lower);
  hash.add(std::string_view(lower.data(), name.size()));
  hash.add(~std::uint64_t{name.size()});  // no id has such a number
}

}  // namespace

std::uint64_t fingerprint(const HashKey& key, std::string_view bytes, const IpAddress& source) noexcept {
  SipHasher hash(key);
  // As the pipeline does before it looks at the start line.
  while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n')) bytes.remove_prefix(1);
  add_start_line(hash, next_line(bytes));
  while (!bytes.empty()) {
    const std::string_view line = next_line(bytes);
    if (line.empty()) break;               // the body may be anything
    if (is_space(line.front())) continue;  // folded: goes on with the value before
    add_name(hash, line);
  }
  hash.add(std::string_view("A"));
  const std::size_t size = source.is_v4() ? 4 : source.is_v6() ? 16 : 0;
  hash.add(std::string_view(reinterpret_cast<const char*>(source.bytes.data()), size));
  const std::uint64_t value = hash.finish();
  return value != 0 ? value : 1;
}

}  // namespace ser::crash
