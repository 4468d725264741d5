// SPDX-License-Identifier: Apache-2.0
// What became of each transaction, for who wants to lay it beside what happened to the server meanwhile.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ser::bench {

/// Times in ns of CLOCK_MONOTONIC; 0: never.
struct Record {
  std::int64_t due = 0;
  std::int64_t sent = 0;
  std::int64_t at_callee = 0;  ///< first seen there (w1)
  std::int64_t answered = 0;   ///< first final reply
  std::uint32_t replies = 0;   ///< final ones; a successor of a dead worker may send again what left already
  std::uint32_t status = 0;    ///< of the first
};

/// One line each: number, due, sent, at_callee, answered, replies, status. Only what was sent. Errors: the
/// reason.
std::string write_records(const std::string& path, const std::vector<Record>& records);

}  // namespace ser::bench
