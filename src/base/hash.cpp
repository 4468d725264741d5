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

namespace {

/// The last `left` < 8 bytes of a text as a number, the first of them in its lowest byte.
[[gnu::always_inline]] inline std::uint64_t read_rest(std::string_view text, std::size_t left) noexcept {
  const char* const at = text.data() + text.size() - left;
  std::uint64_t m = 0;
  if (std::endian::native == std::endian::little && text.size() >= 8) {
    if (left == 0) return 0;
    // The last eight bytes, of which some were hashed already: those are shifted out.
    std::memcpy(&m, text.data() + text.size() - 8, 8);
    return m >> (64 - 8 * left);
  }
  if (std::endian::native == std::endian::little && left >= 4) {
    // Two halves; where they overlap they are the same.
    std::uint32_t low;
    std::uint32_t high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + left - 4, 4);
    return low | std::uint64_t{high} << (8 * (left - 4));
  }
  for (std::size_t i = 0; i < left; ++i)
    m |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  return m;
}

/// As SipHasher does it, all in one function, so that the state stays in registers.
class Registers {
 public:
  [[gnu::always_inline]] explicit Registers(const HashKey& key) noexcept
      : x_v0(key.k0 ^ kInit0), x_v1(key.k1 ^ kInit1), x_v2(key.k0 ^ kInit2), x_v3(key.k1 ^ kInit3) {}

  /// The text in words; what is left of it goes into one with its size.
  [[gnu::always_inline]] void add(std::string_view text) noexcept {
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 8; left -= 8, at += 8) {
      std::uint64_t m;
      std::memcpy(&m, at, 8);
      mix(m);
    }
    mix(read_rest(text, left) | static_cast<std::uint64_t>(text.size()) << 56);
  }

  [[gnu::always_inline]] std::uint64_t finish() noexcept {
    x_v2 ^= 0xFF;
    sip_round(x_v0, x_v1, x_v2, x_v3);
    sip_round(x_v0, x_v1, x_v2, x_v3);
    sip_round(x_v0, x_v1, x_v2, x_v3);
    return x_v0 ^ x_v1 ^ x_v2 ^ x_v3;
  }

 private:
  [[gnu::always_inline]] void mix(std::uint64_t m) noexcept {
    x_v3 ^= m;
    sip_round(x_v0, x_v1, x_v2, x_v3);
    x_v0 ^= m;
  }

  std::uint64_t x_v0, x_v1, x_v2, x_v3;
};

}  // namespace

std::uint64_t sip_hash(const HashKey& key, std::string_view bytes) noexcept {
  Registers state(key);
  state.add(bytes);
  return state.finish();
}

std::uint64_t sip_hash(const HashKey& key, std::initializer_list<std::string_view> parts) noexcept {
  Registers state(key);
  for (const std::string_view part : parts) state.add(part);
  return state.finish();
}

}  // namespace ser
