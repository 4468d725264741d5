// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <cstring>

namespace ser {

namespace {
std::uint64_t rotl(std::uint64_t x, int b) noexcept {
  return x << b | x >> (64 - b);
}
}  // namespace

SipHasher::SipHasher(const HashKey& key) noexcept
    : x_v0(key.k0 ^ 0x736f6d6570736575ULL),
      x_v1(key.k1 ^ 0x646f72616e646f6dULL),
      x_v2(key.k0 ^ 0x6c7967656e657261ULL),
      x_v3(key.k1 ^ 0x7465646279746573ULL) {}

[[gnu::always_inline]] inline void SipHasher::round() noexcept {
  x_v0 += x_v1;
  x_v1 = rotl(x_v1, 13) ^ x_v0;
  x_v0 = rotl(x_v0, 32);
  x_v2 += x_v3;
  x_v3 = rotl(x_v3, 16) ^ x_v2;
  x_v0 += x_v3;
  x_v3 = rotl(x_v3, 21) ^ x_v0;
  x_v2 += x_v1;
  x_v1 = rotl(x_v1, 17) ^ x_v2;
  x_v2 = rotl(x_v2, 32);
}

[[gnu::always_inline]] inline void SipHasher::word(std::uint64_t m) noexcept {
  x_v3 ^= m;
  round();
  x_v0 ^= m;
}

void SipHasher::add(std::string_view bytes) noexcept {
  const char* at = bytes.data();
  std::size_t n = bytes.size();
  unsigned fill = x_length & 7;
  x_length += n;
  if (fill != 0) {
    while (fill < 8 && n > 0) {
      x_tail |= static_cast<std::uint64_t>(static_cast<unsigned char>(*at++)) << (8 * fill++);
      --n;
    }
    if (fill < 8) return;
    word(x_tail);
    x_tail = 0;
  }
  // On a copy, which stays in registers.
  SipHasher state = *this;
  for (; n >= 8; n -= 8, at += 8) {
    std::uint64_t m;
    std::memcpy(&m, at, 8);
    state.word(m);
  }
  *this = state;
  for (unsigned i = 0; i < n; ++i)
    x_tail |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
}

void SipHasher::add(std::uint64_t value) noexcept {
  char bytes[8];
  std::memcpy(bytes, &value, 8);
  add(std::string_view(bytes, 8));
}

std::uint64_t SipHasher::finish() noexcept {
  word(x_tail | x_length << 56);
  x_v2 ^= 0xFF;
  round();
  round();
  round();
  return x_v0 ^ x_v1 ^ x_v2 ^ x_v3;
}

std::uint64_t sip_hash(const HashKey& key, std::string_view bytes) noexcept {
  SipHasher hasher(key);
  hasher.add(bytes);
  return hasher.finish();
}

std::uint64_t sip_hash(const HashKey& key, std::initializer_list<std::string_view> parts) noexcept {
  // In one piece the hash runs over whole words; the longer way gives the same.
  char whole[256];
  std::size_t size = 0;
  for (const std::string_view part : parts) {
    if (part.size() > sizeof whole - size) [[unlikely]] {
      SipHasher hasher(key);
      for (const std::string_view each : parts) hasher.add(each);
      return hasher.finish();
    }
    if (!part.empty()) std::memcpy(whole + size, part.data(), part.size());
    size += part.size();
  }
  return sip_hash(key, {whole, size});
}

}  // namespace ser
