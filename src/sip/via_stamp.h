// SPDX-License-Identifier: Apache-2.0
// What a server notes in the top Via of a request: received (RFC 3261 18.2.1) and rport (RFC 3581).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/text.h"
#include "sip/edit.h"
#include "sip/message.h"
#include "sip/via.h"

namespace ser::sip {

/// Where the request came from, as far as it is to be noted.
struct ViaStamp {
  std::string_view received;  ///< source address without brackets, at most 45 characters; empty: not noted
  std::uint16_t rport =
      0;  ///< source port; noted when the Via asks with `rport`, or when forced. 0: not noted
  bool force_rport = false;
};

/// The edits of a stamp: at most two, in order, made in place of old values where the client wrote some.
/// Holds the texts itself, so it must outlive the use of the edits. Not copyable.
class ViaEdits {
 public:
  /// `via` must be a value of `message`.
  ViaEdits(const Message& message, const Via& via, const ViaStamp& stamp) noexcept;
  ViaEdits(const ViaEdits&) = delete;
  ViaEdits& operator=(const ViaEdits&) = delete;

  std::span<const Edit> span() const noexcept { return {x_edits.data(), x_count}; }

 private:
  static constexpr std::size_t kMaxReceived = 45;

  void add(const char* at, std::size_t removed, std::size_t size) noexcept;

  /// Puts the text together behind the one before; returns its size. x_text holds the longest of both
  /// together.
  template <std::size_t N>
  std::size_t write(const char (&prefix)[N], std::uint16_t number) noexcept {
    char* text = x_text.data() + x_used;
    std::memcpy(text, prefix, N - 1);
    return N - 1 + print_u64(text + N - 1, number);
  }
  template <std::size_t N>
  std::size_t write(const char (&prefix)[N], std::string_view value) noexcept {
    char* text = x_text.data() + x_used;
    std::memcpy(text, prefix, N - 1);
    std::memcpy(text + N - 1, value.data(), value.size());
    return N - 1 + value.size();
  }

  const char* x_bytes;
  std::size_t x_count = 0;
  std::size_t x_used = 0;
  std::array<Edit, 2> x_edits{};
  std::array<char, 96> x_text;
};

}  // namespace ser::sip
