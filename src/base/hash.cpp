// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <bit>
#include <cstring>

namespace ser {

namespace {
constexpr std::uint64_t kInit0 = 0x736f6d6570736575ULL;
constexpr std::uint64_t kInit1 = 0x646f72616e646f6dULL;
constexpr std::uint64_t kInit2 = 0x6c7967656e657261ULL;
constexpr std::uint64_t kInit3 = 0x7465646279746573ULL;

[[gnu::always_inline]] inline void sip_round(std::uint64_t& v0, std::uint64_t& v1, std::uint64_t& v2,
                                             std::uint64_t& v3) noexcept {
  v0 += v1;
  v1 = std::rotl(v1, 13) ^ v0;
  v0 = std::rotl(v0, 32);
  v2 += v3;
  v3 = std::rotl(v3, 16) ^ v2;
  v0 += v3;
  v3 = std::rotl(v3, 21) ^ v0;
  v2 += v1;
  v1 = std::rotl(v1, 17) ^ v2;
  v2 = std::rotl(v2, 32);
}
}  // namespace

SipHasher::SipHasher(const HashKey& key) noexcept
    : x_v0(key.k0 ^ kInit0), x_v1(key.k1 ^ kInit1), x_v2(key.k0 ^ kInit2), x_v3(key.k1 ^ kInit3) {}

[[gnu::always_inline]] inline void SipHasher::round() noexcept {
  sip_round(x_v0, x_v1, x_v2, x_v3);
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
  // As SipHasher does it, in one function, so that all of the state stays in registers.
  std::uint64_t v0 = key.k0 ^ kInit0;
  std::uint64_t v1 = key.k1 ^ kInit1;
  std::uint64_t v2 = key.k0 ^ kInit2;
  std::uint64_t v3 = key.k1 ^ kInit3;
  const auto round = [&]() __attribute__((always_inline)) { sip_round(v0, v1, v2, v3); };
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t m;
    std::memcpy(&m, at, 8);
    v3 ^= m;
    round();
    v0 ^= m;
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
  if (std::endian::native == std::endian::little && left != 0 && bytes.size() >= 8) {
    // The last eight bytes, of which some were hashed already: those are shifted out.
    std::uint64_t m;
    std::memcpy(&m, at + left - 8, 8);
    last |= m >> (64 - 8 * left);
  } else {
    for (unsigned i = 0; i < left; ++i)
      last |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  }
  v3 ^= last;
  round();
  v0 ^= last;
  v2 ^= 0xFF;
  round();
  round();
  round();
  return v0 ^ v1 ^ v2 ^ v3;
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
