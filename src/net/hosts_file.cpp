// SPDX-License-Identifier: Apache-2.0
#include "net/hosts_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "base/fd.h"
#include "base/text.h"

namespace ser::net {

namespace {

constexpr std::size_t kMaxNames = 65536;
constexpr std::size_t kMaxFile = 16U << 20;

/// The next word of `line`, which it is removed from; empty at the end.
std::string_view take_word(std::string_view& line) {
  line = trim(line);
  std::size_t end = 0;
  while (end < line.size() && !is_lws(line[end])) ++end;
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

}  // namespace

void HostsFile::parse(std::string_view text) {
  x_names.clear();
  x_reverse.clear();
  while (!text.empty()) {
    std::string_view line = split_off(text, '\n');
    line = line.substr(0, line.find('#'));
    const auto ip = parse_ip(take_word(line));
    if (!ip) continue;
    bool first = true;
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
      DnsName name;
      if (!name.assign(word) || x_names.size() >= kMaxNames) continue;
      auto& addresses = x_names[std::string(name.view())];
      if (addresses.size() < DnsAnswer::kMax) addresses.push_back(*ip);
      if (first) x_reverse.emplace(reverse_name(*ip).view(), name.view());
      first = false;
    }
  }
}

void HostsFile::refresh(const std::string& path) {
  struct stat state{};
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::fstat(file.get(), &state) != 0 || !S_ISREG(state.st_mode)) {
    if (x_size != -1) parse({});
    x_size = x_modified = -1;
    return;
  }
  const std::int64_t modified = state.st_mtim.tv_sec * 1'000'000'000 + state.st_mtim.tv_nsec;
  if (state.st_size == x_size && modified == x_modified) return;
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t n = 0; text.size() < kMaxFile && (n = ::read(file.get(), part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(n));
  }
  parse(text);
  x_size = state.st_size;
  x_modified = modified;
}

bool HostsFile::answer(std::string_view name, DnsType type, DnsAnswer& out) const {
  DnsName key;
  if (!key.assign(name)) return false;
  if (type == DnsType::ptr) {
    const auto at = x_reverse.find(std::string(key.view()));
    if (at == x_reverse.end()) return false;
    out.clear(type, DnsStatus::ok);
    out.count = 1;
    return out.name.assign(at->second);
  }
  if (type != DnsType::a && type != DnsType::aaaa) return false;
  const auto at = x_names.find(std::string(key.view()));
  if (at == x_names.end()) return false;
  out.clear(type, DnsStatus::no_data);
  for (const IpAddress& ip : at->second) {
    if (ip.is_v4() == (type == DnsType::a)) out.addresses[out.count++] = ip;
  }
  if (out.count != 0) out.status = DnsStatus::ok;
  return true;
}

}  // namespace ser::net
