// SPDX-License-Identifier: Apache-2.0
// A histogram of latencies in fixed memory, within 1.6 % of the true value.
#pragma once
#include <array>
#include <bit>
#include <cstdint>

namespace ser::bench {

/// Values in nanoseconds. Buckets: 64 for each power of two.
class Histogram {
 public:
  void add(std::int64_t nanoseconds) {
    const auto value = static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds);
    ++x_buckets[index(value)];
    ++x_total;
    if (value > x_max) x_max = value;
  }
  std::uint64_t total() const { return x_total; }
  double max_us() const { return static_cast<double>(x_max) / 1e3; }
  /// The value that `share` (0..1) of all values do not exceed, in microseconds; 0 when empty.
  double quantile_us(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(x_total));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < x_buckets.size(); ++i) {
      seen += x_buckets[i];
      if (seen > wanted || (seen == x_total && x_total > 0))
        return static_cast<double>(middle(i) < x_max ? middle(i) : x_max) / 1e3;
    }
    return 0;
  }

 private:
  static constexpr unsigned kBits = 6;
  static std::size_t index(std::uint64_t value) {
    if (value < (1U << (kBits + 1))) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
    return (std::size_t{shift} << kBits) + (value >> shift);
  }
  static std::uint64_t middle(std::size_t i) {
    if (i < (1U << (kBits + 1))) return i;
    const std::size_t shift = (i >> kBits) - 1;
    const std::uint64_t low = (i - (shift << kBits)) << shift;
    return low + ((std::uint64_t{1} << shift) >> 1);
  }
  std::array<std::uint64_t, std::size_t{60} << kBits> x_buckets{};
  std::uint64_t x_total = 0;
  std::uint64_t x_max = 0;
};

}  // namespace ser::bench
