// SPDX-License-Identifier: Apache-2.0
// A discrete event simulation: a clock that jumps from event to event, and nothing else makes time pass.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/clock.h"

namespace ser::flow {

/// The time of a simulated world. Instant 0 is the start of a scenario plus kStart, because 0 means "never"
/// in places.
class SimClock final : public Clock {
 public:
  static constexpr Instant kStart = 1'000'000'000'000;
  static constexpr std::int64_t kWallStart = 1'767'225'600;  ///< 2026-01-01T00:00:00Z

  Instant now() noexcept override { return x_now; }
  std::int64_t wall_seconds() noexcept override { return kWallStart + elapsed() / 1'000'000'000; }
  /// Nanoseconds since the start of the scenario.
  Instant elapsed() const noexcept { return x_now - kStart; }
  void set(Instant now) noexcept { x_now = now; }

 private:
  Instant x_now = kStart;
};

/// What will happen, in order of time; of two things at the same moment the one that was put in first.
class EventQueue {
 public:
  static constexpr Instant kNever = INT64_MAX;
  explicit EventQueue(SimClock& clock) noexcept : x_clock(clock) {}

  /// `at` in the past counts as now.
  void at(Instant when, std::function<void()> what) {
    x_events.emplace(std::pair(std::max(when, x_clock.now()), x_serial++), std::move(what));
  }
  Instant next() const noexcept { return x_events.empty() ? kNever : x_events.begin()->first.first; }
  /// Runs the next event at its time; the clock stands there afterwards.
  void run_one() {
    auto node = x_events.extract(x_events.begin());
    x_clock.set(node.key().first);
    node.mapped()();
  }
  /// Runs everything up to `until`, which the clock shows afterwards.
  void run_until(Instant until) {
    while (next() <= until) run_one();
    x_clock.set(std::max(until, x_clock.now()));
  }

 private:
  SimClock& x_clock;
  std::uint64_t x_serial = 0;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> x_events;
};

}  // namespace ser::flow
