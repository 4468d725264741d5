// SPDX-License-Identifier: Apache-2.0
#include "load/record.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace ser::bench {

std::string write_records(const std::string& path, const std::vector<Record>& records) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return "cannot write '" + path + "': " + std::strerror(errno);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    if (record.sent == 0) continue;
    std::fprintf(file, "%zu %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %u %u\n", i, record.due,
                 record.sent, record.at_callee, record.answered, record.replies, record.status);
  }
  const bool failed = std::ferror(file) != 0;
  return std::fclose(file) != 0 || failed ? "cannot write '" + path + "'" : "";
}

}  // namespace ser::bench
