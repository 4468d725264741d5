// SPDX-License-Identifier: Apache-2.0
// Output: appends bytes to a buffer of fixed size and remembers when they did not fit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/text.h"

namespace ser::sip {

/// Bytes beyond the end are counted as lost, never written. The buffer is borrowed.
class Output {
 public:
  explicit Output(std::span<char> out) noexcept
      : x_begin(out.data()), x_at(out.data()), x_end(out.data() + out.size()) {}

  [[gnu::always_inline]] void put(std::string_view text) noexcept {
    if (text.size() > static_cast<std::size_t>(x_end - x_at)) [[unlikely]] {
      x_full = true;
      return;
    }
    if (text.empty()) return;
    std::memcpy(x_at, text.data(), text.size());
    x_at += text.size();
  }
  void number(std::uint64_t value) noexcept {
    char digits[20];
    put({digits, print_u64(digits, value)});
  }
  std::size_t size() const noexcept { return static_cast<std::size_t>(x_at - x_begin); }
  /// Bytes written, or Errc::no_space when something did not fit.
  Result<std::size_t> finish() const noexcept {
    if (x_full) return {Errc::no_space, "the message does not fit the buffer"};
    return size();
  }

 private:
  char* x_begin;
  char* x_at;
  char* x_end;
  bool x_full = false;
};

}  // namespace ser::sip
