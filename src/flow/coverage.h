// SPDX-License-Identifier: Apache-2.0
// Which lines of the scripts ran.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "flow/server.h"

namespace ser::flow {

/// Counts by file and line, over any number of scenarios. A line is one that has an instruction of its own.
class Coverage {
 public:
  void add(const Server& server);
  /// A table of files with their lines that did not run, and the total, in per cent.
  std::string text() const;
  /// The same for tools: lcov's tracefile.
  std::string lcov() const;

 private:
  std::map<std::string, std::map<std::uint32_t, std::uint64_t>> x_files;
};

}  // namespace ser::flow
