// SPDX-License-Identifier: Apache-2.0
#include "srv/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace ser::srv {

namespace {

bool resolve_user(std::string_view user, Identity& out, std::string& error) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const auto number = parse_u32(user);
  const std::string name(user);
  if (number) {
    getpwuid_r(*number, &entry, buffer.data(), buffer.size(), &found);
  } else {
    getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  }
  if (found == nullptr && !number) {
    error = fmt::format("user '{}' does not exist; create it or correct the user parameter", user);
    return false;
  }
  out.uid = number ? static_cast<std::int64_t>(*number) : static_cast<std::int64_t>(found->pw_uid);
  if (found != nullptr) {
    out.user_name = found->pw_name;
    out.gid = found->pw_gid;
  }
  return true;
}

bool resolve_group(std::string_view group, Identity& out, std::string& error) {
  if (const auto number = parse_u32(group); number) {
    out.gid = *number;
    return true;
  }
  std::array<char, 16384> buffer{};
  ::group entry{};
  ::group* found = nullptr;
  const std::string name(group);
  getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    error = fmt::format("group '{}' does not exist; create it or correct the group parameter", group);
    return false;
  }
  out.gid = found->gr_gid;
  return true;
}

/// The pid in the file, 0 when there is none.
pid_t read_pid(int fd) {
  std::array<char, 32> text{};
  const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  if (n <= 0) return 0;
  const auto value = parse_u32(trim({text.data(), static_cast<std::size_t>(n)}), 0x7FFFFFFF);
  return value ? static_cast<pid_t>(*value) : 0;
}

bool is_alive(pid_t pid) {
  return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM);
}

/// Is the open file still the one the path names? Its owner may have removed it meanwhile.
bool is_at(int fd, const std::string& path) {
  struct stat open_file = {};
  struct stat named = {};
  return ::fstat(fd, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

}  // namespace

bool resolve_identity(std::string_view user, std::string_view group, Identity& out, std::string& error) {
  if (!user.empty() && !resolve_user(user, out, error)) return false;
  return group.empty() || resolve_group(group, out, error);
}

bool may_become(const Identity& identity) noexcept {
  if (::geteuid() == 0) return true;
  const bool user_ok = identity.uid < 0 || static_cast<uid_t>(identity.uid) == ::geteuid();
  const bool group_ok = identity.gid < 0 || static_cast<gid_t>(identity.gid) == ::getegid();
  return user_ok && group_ok;
}

bool drop_privileges(const Identity& identity, const std::string& chroot_dir, std::string& error) {
  if (!chroot_dir.empty() && (::chroot(chroot_dir.c_str()) != 0 || ::chdir("/") != 0)) {
    error = fmt::format("cannot change root to '{}': {}", chroot_dir, std::strerror(errno));
    return false;
  }
  const bool is_root = ::geteuid() == 0;
  if (identity.gid >= 0) {
    const auto gid = static_cast<gid_t>(identity.gid);
    // The supplementary groups of root must go first: they outlive setgid.
    const int groups = !is_root ? 0
                       : !identity.user_name.empty() && chroot_dir.empty()
                           ? ::initgroups(identity.user_name.c_str(), gid)
                           : ::setgroups(0, nullptr);
    if (groups != 0 || ::setresgid(gid, gid, gid) != 0) {
      error = fmt::format("cannot become group {}: {}", gid, std::strerror(errno));
      return false;
    }
  }
  if (identity.uid >= 0) {
    const auto uid = static_cast<uid_t>(identity.uid);
    if (::setresuid(uid, uid, uid) != 0) {
      error = fmt::format("cannot become user {}: {}", uid, std::strerror(errno));
      return false;
    }
    if (uid != 0 && ::setuid(0) == 0) {
      error = "root could be regained after dropping privileges";
      return false;
    }
  }
  return true;
}

bool PidFile::write(const std::string& path, pid_t pid, std::string& error) {
  if (path.empty()) return true;
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
    // Who reads and replaces the pid holds the lock, so of two that find a stale one the second sees the
    // first.
    if (!fd || ::flock(fd.get(), LOCK_EX) != 0) break;
    if (!is_at(fd.get(), path)) continue;
    if (const pid_t other = read_pid(fd.get()); other != pid && is_alive(other)) {
      error =
          fmt::format("pid file '{}' names the running process {}; stop it, or use another -P", path, other);
      return false;
    }
    const std::string text = fmt::format("{}\n", pid);
    if (::ftruncate(fd.get(), 0) != 0 ||
        ::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
      break;
    x_path = path;
    x_owner = pid;
    return true;
  }
  error = fmt::format("cannot write pid file '{}': {}", path, std::strerror(errno));
  return false;
}

void PidFile::keep_hold() noexcept {
  const std::size_t slash = x_path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : x_path.substr(0, slash + 1);
  if (x_path.empty()) return;
  x_folder = Fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  x_file = Fd(::open(x_path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (x_folder) x_path.erase(0, slash + 1);
}

void PidFile::remove() noexcept {
  if (x_path.empty()) return;
  const int folder = x_folder ? x_folder.get() : AT_FDCWD;
  const Fd fd(::openat(folder, x_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  const bool removed = fd && read_pid(fd.get()) == x_owner && ::unlinkat(folder, x_path.c_str(), 0) == 0;
  if (!removed && x_file && read_pid(x_file.get()) == x_owner) {
    [[maybe_unused]] const int emptied = ::ftruncate(x_file.get(), 0);
  }
  x_path.clear();
}

Result<void> Daemonizer::detach(bool keep_stderr) {
  x_keep_stderr = keep_stderr;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("pipe");
  Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t first = ::fork();
  if (first < 0) return errno_error("fork");
  if (first > 0) {
    writer.reset();
    char byte = 0;
    ssize_t n = 0;
    do n = ::read(reader.get(), &byte, 1);
    while (n < 0 && errno == EINTR);
    ::_exit(n == 1 && byte == 'r' ? 0 : 1);
  }
  ::setsid();
  const pid_t second = ::fork();
  if (second < 0) return errno_error("fork");
  if (second > 0) ::_exit(0);
  x_ready = std::move(writer);
  return {};
}

void Daemonizer::report_ready() noexcept {
  if (!x_ready) return;
  [[maybe_unused]] const ssize_t n = ::write(x_ready.get(), "r", 1);
  x_ready.reset();
  detach_standard_descriptors(x_keep_stderr);
}

void detach_standard_descriptors(bool keep_stderr) noexcept {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return;
  for (const int fd : {0, 1, 2}) {
    if (fd != STDERR_FILENO || !keep_stderr) ::dup2(null.get(), fd);
  }
}

ProcessTitle::ProcessTitle(int argc, char** argv, char*** environment) noexcept {
  if (argc < 1) return;
  // The kernel shows the bytes from argv[0] on, as far as the strings of arguments and environment are
  // contiguous. The environment is moved away first, so that getenv() goes on working; the copies live as
  // long as the process.
  char* end = argv[0] + std::strlen(argv[0]) + 1;
  for (int i = 1; i < argc && argv[i] == end; ++i) end = argv[i] + std::strlen(argv[i]) + 1;
  std::size_t count = 0;
  for (char** at = *environment; *at != nullptr; ++at, ++count) {
    if (*at == end) end = *at + std::strlen(*at) + 1;
  }
  auto** copies = static_cast<char**>(std::calloc(count + 1, sizeof(char*)));
  if (copies == nullptr) return;
  for (std::size_t i = 0; i < count; ++i) copies[i] = ::strdup((*environment)[i]);
  *environment = copies;
  x_begin = argv[0];
  x_size = static_cast<std::size_t>(end - x_begin);
}

void ProcessTitle::set(std::string_view text) noexcept {
  // At most 15 characters of the name; ps -ef and top show the rest from the argument area.
  std::array<char, 16> name{};
  std::memcpy(name.data(), text.data(), std::min<std::size_t>(text.size(), 15));
  if (x_begin == nullptr) return;
  ::prctl(PR_SET_NAME, name.data(), 0, 0, 0);
  if (x_size == 0) return;
  const std::size_t n = std::min(text.size(), x_size - 1);
  std::memcpy(x_begin, text.data(), n);
  std::memset(x_begin + n, 0, x_size - n);
}

unsigned usable_cpus() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

void secure_standard_descriptors() noexcept {
  for (;;) {
    const int fd = ::open("/dev/null", O_RDWR);
    if (fd < 0) return;
    if (fd > 2) {
      ::close(fd);
      return;
    }
  }
}

}  // namespace ser::srv
