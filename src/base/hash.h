// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3: the keyed hash for tables fed by strangers and for the branch token.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace ser {

struct HashKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

/// Incremental SipHash-1-3 (Aumasson and Bernstein; reduced rounds as Rust and Linux use them for tables).
class SipHasher {
 public:
  explicit SipHasher(const HashKey& key) noexcept;
  void add(std::string_view bytes) noexcept;
  void add(std::uint64_t word) noexcept;
  std::uint64_t finish() noexcept;

 private:
  void round() noexcept;
  void word(std::uint64_t m) noexcept;
  std::uint64_t x_v0, x_v1, x_v2, x_v3;
  std::uint64_t x_tail = 0;
  std::uint64_t x_length = 0;
};

std::uint64_t sip_hash(const HashKey& key, std::string_view bytes) noexcept;
/// The hash of a list of texts: each as above, with its size (modulo 256), so that where one ends is in it.
/// That of one is that of its text. Faster than to put them together, because each begins with a word of its
/// own.
std::uint64_t sip_hash(const HashKey& key, std::initializer_list<std::string_view> parts) noexcept;

}  // namespace ser
