// SPDX-License-Identifier: Apache-2.0
// What a process of the server does with the operating system: becoming a daemon, pid files, privileges,
// titles.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace ser::srv {

/// Numeric ids of the `user` and `group` parameters. -1: not given, do not change.
struct Identity {
  std::int64_t uid = -1;
  std::int64_t gid = -1;
  std::string user_name;  ///< for initgroups(3); empty when the user was given as a number nobody has
};

/// Names or numbers to ids; a user without a group brings its own group. The error text is one clear line in
/// `error`.
bool resolve_identity(std::string_view user, std::string_view group, Identity& out, std::string& error);

/// chroot (empty: none), then group, then user, for good: regaining root is tried and must fail. `error` as
/// above.
bool drop_privileges(const Identity& identity, const std::string& chroot_dir, std::string& error);

/// True when this process could become `identity` (root or already it): checked before the first fork.
bool may_become(const Identity& identity) noexcept;

/// A pid file that belongs to this process: refused when another live process stands in it, replaced when
/// stale, removed on remove() only by the process that wrote it. Of several that start at once one wins.
/// fork=no: a process that gives up its privileges calls keep_hold() before. remove() then reaches the file
/// also from within a chroot; where the user may not remove it from its folder it is emptied, which the next
/// start takes for stale.
class PidFile {
 public:
  /// Writes `pid` to `path` (empty: does nothing). `error` says what is wrong and what to do.
  bool write(const std::string& path, pid_t pid, std::string& error);
  void keep_hold() noexcept;
  void remove() noexcept;

 private:
  std::string x_path;
  Fd x_folder;  // with x_file: kept across the loss of privileges
  Fd x_file;
  pid_t x_owner = 0;
};

/// fork, setsid, fork; the caller goes on in the grandchild. The first process waits for a byte from
/// report_ready() and leaves with 0, or with 1 when the daemon dies first, so that a start that fails is seen
/// by who started it.
class Daemonizer {
 public:
  /// Returns in the daemon only. Errc::system when fork or pipe fails. `keep_stderr`: standard error is where
  /// the log goes.
  Result<void> detach(bool keep_stderr);
  /// Tells the waiting first process that the service is up, and points 0, 1 (and 2, unless kept) to
  /// /dev/null.
  void report_ready() noexcept;

 private:
  Fd x_ready;
  bool x_keep_stderr = false;
};

/// Shows `text` in ps(1): rewrites the argument area found at construction. One object, made first thing in
/// main().
class ProcessTitle {
 public:
  ProcessTitle(int argc, char** argv, char*** environment) noexcept;
  /// No effect on a default-constructed object (tests, threads).
  ProcessTitle() noexcept = default;
  void set(std::string_view text) noexcept;

 private:
  char* x_begin = nullptr;
  std::size_t x_size = 0;
};

/// CPUs this process may use (sched_getaffinity), at least 1: the default of `children`.
unsigned usable_cpus() noexcept;

/// Points 0 and 1, and 2 unless kept, to /dev/null.
void detach_standard_descriptors(bool keep_stderr) noexcept;

/// Opens /dev/null on 0, 1 and 2 where they are closed, so that a socket never becomes "standard error".
void secure_standard_descriptors() noexcept;

}  // namespace ser::srv
