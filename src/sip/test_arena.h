// SPDX-License-Identifier: Apache-2.0
// For the tests of this library: an arena, and messages written with bare LF for legibility.
#pragma once
#include <string>
#include <string_view>

#include "base/arena.h"

namespace ser::sip {

struct TestArena {
  explicit TestArena(std::size_t limit = std::size_t{1} << 20) : arena(block, sizeof block, heap, limit) {}

  alignas(16) char block[256]{};
  HeapChunks heap;
  Arena arena;
};

/// Every LF becomes CRLF.
inline std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

}  // namespace ser::sip
