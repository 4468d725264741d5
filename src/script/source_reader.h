// SPDX-License-Identifier: Apache-2.0
// Where included files come from: the disk in production, memory in tests.
#pragma once
#include <map>
#include <optional>
#include <string>

namespace ser::script {

/// Why a file could not be read.
struct ReadProblem {
  bool missing = false;  ///< there is no such file
  std::string text;      ///< "no such file", "permission denied" …
};

class SourceReader {
 public:
  virtual ~SourceReader() = default;
  /// The text of a file without a UTF-8 byte order mark; nullopt and `problem` when it cannot be read.
  virtual std::optional<std::string> read(const std::string& path, ReadProblem& problem) = 0;
};

/// Reads regular files of at most 16 MiB.
class DiskSourceReader final : public SourceReader {
 public:
  static constexpr std::size_t kMaxSize = 16U << 20;
  std::optional<std::string> read(const std::string& path, ReadProblem& problem) override;
};

/// A table of texts by path.
class MemorySourceReader final : public SourceReader {
 public:
  void add(std::string path, std::string text) { x_files[std::move(path)] = std::move(text); }
  std::optional<std::string> read(const std::string& path, ReadProblem& problem) override;

 private:
  std::map<std::string, std::string> x_files;
};

}  // namespace ser::script
