// SPDX-License-Identifier: Apache-2.0
// Reading of configuration files from the disk.
#include "script/source_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/fd.h"
#include "base/text.h"

namespace ser::script {

namespace {

std::nullopt_t refuse(ReadProblem& problem, std::string text, bool missing = false) {
  problem = {missing, std::move(text)};
  return std::nullopt;
}

std::nullopt_t refuse(ReadProblem& problem, int error) {
  std::string text = std::system_category().message(error);
  if (!text.empty()) text[0] = to_lower(text[0]);
  return refuse(problem, std::move(text), error == ENOENT || error == ENOTDIR);
}

// Editors on Windows put it in front of a text.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

std::optional<std::string> DiskSourceReader::read(const std::string& path, ReadProblem& problem) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return refuse(problem, errno);
  if (S_ISDIR(status.st_mode)) return refuse(problem, EISDIR);
  if (!S_ISREG(status.st_mode)) return refuse(problem, "not a regular file");
  if (static_cast<std::uint64_t>(status.st_size) > kMaxSize) return refuse(problem, "larger than 16 MiB");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + have, text.size() - have);
    if (count < 0) return refuse(problem, errno);
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  text.resize(have);
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

std::optional<std::string> MemorySourceReader::read(const std::string& path, ReadProblem& problem) {
  const auto found = x_files.find(path);
  if (found == x_files.end()) return refuse(problem, ENOENT);
  return found->second;
}

}  // namespace ser::script
