// SPDX-License-Identifier: Apache-2.0
// For tests: a message with its own arena and bytes.
#pragma once
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "sip/message.h"

namespace ser::sip::testing {

/// Parses a copy of the text; a `\n` in text made with lf() was turned into CRLF before.
class TestMessage {
 public:
  explicit TestMessage(std::string_view text)
      : x_bytes(text), x_arena(x_block.data(), x_block.size(), x_heap) {
    auto parsed = Message::parse(x_bytes, x_arena, &bad_start);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().what);
    message = parsed ? *parsed : nullptr;
  }
  const Message& operator*() const { return *message; }
  const Message* operator->() const { return message; }
  Arena& arena() { return x_arena; }

  Message* message = nullptr;
  StartLineError bad_start;

 private:
  std::string x_bytes;
  HeapChunks x_heap;
  alignas(16) std::array<char, 4096> x_block{};
  Arena x_arena;
};

/// Text with LF made CRLF.
inline std::string lf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

}  // namespace ser::sip::testing
