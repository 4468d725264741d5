// SPDX-License-Identifier: Apache-2.0
#include "srv/state_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace ser::srv {

namespace {

/// An absolute path from the environment, or nothing.
std::string_view path_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? std::string_view(value) : std::string_view();
}

}  // namespace

std::string default_state_dir() {
  if (const std::string_view given = path_of("STATE_DIRECTORY"); !given.empty())
    return std::string(given.substr(0, given.find(':')));
  if (::geteuid() == 0) return "/var/lib/ser";
  if (const std::string_view home = path_of("XDG_STATE_HOME"); !home.empty())
    return fmt::format("{}/ser", home);
  if (const std::string_view home = path_of("HOME"); !home.empty())
    return fmt::format("{}/.local/state/ser", home);
  return {};
}

Fd make_state_directory(const std::string& path, const Identity& identity, std::string& error) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    ::mkdir(path.substr(0, at).c_str(), 0700);  // what fails here fails again below
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    error = fmt::format("cannot make the directory '{}': {}", path, std::strerror(errno));
    return {};
  }
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status = {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    error = fmt::format("cannot open the directory '{}': {}", path, std::strerror(errno));
    return {};
  }
  const bool give = ::geteuid() == 0 && status.st_uid == 0 && identity.uid > 0;
  if (give && ::fchown(fd.get(), static_cast<uid_t>(identity.uid),
                       identity.gid >= 0 ? static_cast<gid_t>(identity.gid) : status.st_gid) != 0) {
    error = fmt::format("cannot give the directory '{}' to user {}: {}", path, identity.uid,
                        std::strerror(errno));
    return {};
  }
  if (!give && ::geteuid() == 0 && identity.uid > 0 && status.st_uid != static_cast<uid_t>(identity.uid)) {
    error =
        fmt::format("the directory '{}' belongs to user {}, not to {}", path, status.st_uid, identity.uid);
    return {};
  }
  if (!give && ::faccessat(fd.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    error = fmt::format("cannot write in the directory '{}': {}", path, std::strerror(errno));
    return {};
  }
  return fd;
}

}  // namespace ser::srv
