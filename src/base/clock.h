// SPDX-License-Identifier: Apache-2.0
// Time and randomness as interfaces, so that tests never sleep and are the same every time.
#pragma once
#include <cstdint>

#include "base/packet.h"

namespace ser {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic nanoseconds.
  virtual Instant now() noexcept = 0;
  /// Seconds since 1970-01-01 UTC, for log lines and header fields.
  virtual std::int64_t wall_seconds() noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() noexcept override;
  std::int64_t wall_seconds() noexcept override;
};

/// A clock that stands still until told to jump. Tests only.
class TestClock final : public Clock {
 public:
  Instant now() noexcept override { return x_now; }
  std::int64_t wall_seconds() noexcept override { return x_now / 1'000'000'000; }
  void advance_ms(std::int64_t ms) noexcept { x_now += ms * 1'000'000; }

 private:
  Instant x_now = 1'000'000'000'000;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() noexcept = 0;
};

/// xoshiro256** seeded from getrandom(2); reseed() after fork, or two processes draw the same numbers.
/// For tags and jitter; keys come from fill_random().
class SystemRandom final : public Random {
 public:
  SystemRandom() noexcept { reseed(); }
  void reseed() noexcept;
  std::uint64_t next() noexcept override;

 private:
  std::uint64_t x_state[4]{};
};

/// The same numbers for the same seed on every machine: for flows and tests, never for keys of a real server.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) noexcept : x_state(seed) {}
  std::uint64_t next() noexcept override;

 private:
  std::uint64_t x_state;
};

/// Cryptographic bytes from getrandom(2). Aborts if the kernel has none.
void fill_random(void* out, std::size_t bytes) noexcept;

}  // namespace ser
