// SPDX-License-Identifier: Apache-2.0
// How much memory this process may use, from the files the kernel shows.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/text.h"
#include "shm/segment.h"

namespace ser::shm {

namespace {
constexpr std::uint64_t kUnknown = std::uint64_t{512} << 20;
constexpr std::uint64_t kNone = UINT64_MAX;

/// At most 16 KiB of a file; empty when it cannot be read.
std::string slurp(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  std::string text(16384, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t n = ::read(fd.get(), text.data() + have, text.size() - have);
    if (n <= 0) break;
    have += static_cast<std::size_t>(n);
  }
  text.resize(have);
  return text;
}

/// "max", nothing and v1's near-2^63 all mean no limit.
std::uint64_t read_limit(const std::string& path) {
  const std::string text = slurp(path);
  const std::optional<std::uint64_t> value = parse_u64(trim(text));
  return value.has_value() && *value != 0 && *value < (std::uint64_t{1} << 60) ? *value : kNone;
}

/// The tightest limit from a group up to the root. In a container the group's path may not exist below
/// `root`; then only the root's own file is there.
std::uint64_t walk_up(const std::string& root, std::string group, const char* file) {
  std::uint64_t least = kNone;
  while (!group.empty() && group.back() == '/') group.pop_back();
  for (;;) {
    least = std::min(least, read_limit(root + group + "/" + file));
    if (group.empty()) return least;
    const std::size_t slash = group.rfind('/');
    group.resize(slash == std::string::npos ? 0 : slash);
  }
}

std::uint64_t machine_memory(const std::string& meminfo) {
  const std::string text = slurp(meminfo);
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = split_off(rest, '\n');
    if (!line.starts_with("MemTotal:")) continue;
    line = trim(line.substr(9));
    const std::optional<std::uint64_t> kib = parse_u64(split_off(line, ' '));
    if (kib.has_value() && *kib != 0 && *kib < (std::uint64_t{1} << 50)) return *kib * 1024;
  }
  return kNone;
}

bool has_controller(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    if (split_off(list, ',') == name) return true;
  }
  return false;
}
}  // namespace

std::uint64_t memory_limit(const MemoryPaths& paths) {
  std::uint64_t least = machine_memory(paths.meminfo);
  const std::string groups = slurp(paths.self_cgroup);
  std::string_view rest = groups;
  while (!rest.empty()) {
    // hierarchy:controllers:path
    std::string_view line = split_off(rest, '\n');
    const std::string_view hierarchy = split_off(line, ':');
    const std::string_view controllers = split_off(line, ':');
    const std::string path(line);
    if (hierarchy == "0" && controllers.empty()) {
      least = std::min(least, walk_up(paths.cgroup_root, path, "memory.max"));
      least = std::min(least, walk_up(paths.cgroup_root + "/unified", path, "memory.max"));
    } else if (has_controller(controllers, "memory")) {
      least = std::min(least, walk_up(paths.cgroup_root + "/memory", path, "memory.limit_in_bytes"));
    }
  }
  return least == kNone ? kUnknown : least / 5 * 4;
}

}  // namespace ser::shm
