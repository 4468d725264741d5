// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace ser {

Instant SystemClock::now() noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<Instant>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

std::int64_t SystemClock::wall_seconds() noexcept {
  return static_cast<std::int64_t>(std::time(nullptr));
}

void SystemRandom::reseed() noexcept {
  fill_random(x_state, sizeof x_state);
}

std::uint64_t SystemRandom::next() noexcept {
  // xoshiro256** 1.0 (Blackman and Vigna, public domain algorithm).
  const auto rotl = [](std::uint64_t x, int k) { return x << k | x >> (64 - k); };
  const std::uint64_t result = rotl(x_state[1] * 5, 7) * 9;
  const std::uint64_t t = x_state[1] << 17;
  x_state[2] ^= x_state[0];
  x_state[3] ^= x_state[1];
  x_state[1] ^= x_state[2];
  x_state[0] ^= x_state[3];
  x_state[2] ^= t;
  x_state[3] = rotl(x_state[3], 45);
  return result;
}

std::uint64_t SeededRandom::next() noexcept {
  // splitmix64: good enough to look random, the same on every machine.
  std::uint64_t z = (x_state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
  return z ^ z >> 31;
}

void fill_random(void* out, std::size_t bytes) noexcept {
  auto* at = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t n = getrandom(at, bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) std::abort();
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
}

}  // namespace ser
