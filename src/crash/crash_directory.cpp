// SPDX-License-Identifier: Apache-2.0
#include "crash/crash_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <vector>

#include "base/fd.h"

namespace ser::crash {

namespace {

constexpr std::string_view kSuffix = ".crash";
constexpr std::string_view kUnfinished = ".unfinished";
/// Whatever else lies in the directory: no more entries than this are looked at.
constexpr unsigned kMostEntries = 10'000;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

}  // namespace

Result<void> CrashDirectory::write(std::string_view name, std::string_view bytes) const {
  if (!name.ends_with(kSuffix) || name.find('/') != std::string_view::npos)
    return {Errc::refused, "not the name of a crash file"};
  const std::string final_name(name);
  const std::string temporary = final_name + std::string(kUnfinished);
  ::unlinkat(x_fd, temporary.c_str(), 0);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Fd fd(::openat(x_fd, temporary.c_str(), kFlags, 0600));
  if (!fd) return errno_error("cannot create the crash file");
  if (!write_all(fd.get(), bytes) || ::renameat(x_fd, temporary.c_str(), x_fd, final_name.c_str()) != 0) {
    const Error error = errno_error("cannot write the crash file");
    ::unlinkat(x_fd, temporary.c_str(), 0);
    return error;
  }
  prune();
  return {};
}

void CrashDirectory::prune() const {
  const int fd = ::openat(x_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd));
  if (dir == nullptr) {
    ::close(fd);
    return;
  }
  std::vector<std::string> names;
  for (unsigned i = 0; i < kMostEntries; ++i) {
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    // What a reaper that was killed left unfinished counts as well: it is one of the oldest soon.
    const bool ours =
        name.ends_with(kSuffix) || name.ends_with(std::string(kSuffix) + std::string(kUnfinished));
    if (ours) names.emplace_back(name);
  }
  const std::size_t keep = std::max(x_kept, 1U);
  if (names.size() <= keep) return;
  std::sort(names.begin(), names.end());
  for (std::size_t i = 0; i < names.size() - keep; ++i) ::unlinkat(x_fd, names[i].c_str(), 0);
}

std::string CrashDirectory::name_of(std::int64_t seconds, int pid, unsigned slot, unsigned incarnation) {
  const auto when = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  return fmt::format("{:04}{:02}{:02}-{:02}{:02}{:02}-{}-{}.{}{}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, pid, slot, incarnation,
                     kSuffix);
}

}  // namespace ser::crash
