// SPDX-License-Identifier: Apache-2.0
// CrashDirectory: where crash files are written, and how many are kept.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ser::crash {

/// Writes through a descriptor opened at the start, so that it works without the right to open the path again
/// and from inside of a chroot. Does not own the descriptor.
class CrashDirectory {
 public:
  static constexpr unsigned kDefaultKept = 100;

  /// `fd`: of the directory, or -1: no files are written. `kept`: how many files stay, 1 at least.
  explicit CrashDirectory(int fd, unsigned kept = kDefaultKept) noexcept : x_fd(fd), x_kept(kept) {}

  bool enabled() const noexcept { return x_fd >= 0; }
  /// Puts `bytes` into the file `name` in one step (written under another name, then renamed; mode 0600), and
  /// removes the oldest files of this kind above the number to keep. No sync: a crash of the machine may lose
  /// it. Errors: system, and refused for a name with a '/' or without the suffix.
  Result<void> write(std::string_view name, std::string_view bytes) const;

  /// "20261124-183000-1234-3.7.crash" of second, pid, slot and incarnation: names sort by time.
  static std::string name_of(std::int64_t seconds, int pid, unsigned slot, unsigned incarnation);

 private:
  void prune() const;
  int x_fd;
  unsigned x_kept;
};

}  // namespace ser::crash
