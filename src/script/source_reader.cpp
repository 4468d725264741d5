// SPDX-License-Identifier: Apache-2.0
// Reading of configuration files from the disk.
#include "script/source_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

namespace ser::script {

std::optional<std::string> DiskSourceReader::read(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (static_cast<std::uint64_t>(status.st_size) > kMaxSize) return std::nullopt;
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + have, text.size() - have);
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
  }
  text.resize(have);
  return text;
}

std::optional<std::string> MemorySourceReader::read(const std::string& path) {
  const auto found = x_files.find(path);
  if (found == x_files.end()) return std::nullopt;
  return found->second;
}

}  // namespace ser::script
