// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace ser {

/// A line of a script. 8 bytes; zero: not in a script.
struct SourcePlace {
  std::uint32_t line = 0;  ///< from 1
  std::uint16_t file = 0;  ///< index into the program's files
};

}  // namespace ser
