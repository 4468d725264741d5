// SPDX-License-Identifier: Apache-2.0
// CounterPages: a page of counters per worker slot; the sum over all of them is the server's statistic.
#pragma once
#include <atomic>
#include <cstdint>

#include "base/counters.h"
#include "base/result.h"
#include "shm/segment.h"

namespace ser::shm {

/// Handle in private memory; copies are as good. A slot's page goes on with the successor, so that nothing
/// counted by a dead incarnation is lost. One page more than there are slots: the last one belongs to the
/// supervisor.
class CounterPages {
 public:
  /// `counters`: CounterTable::size() when everything is declared. Errors: no_space.
  static Result<CounterPages> create(Segment& segment, std::uint16_t slots, std::size_t counters) noexcept;

  /// The page of a slot, for ser::Counters. One writer at a time. slot == slot_count(): the supervisor's;
  /// above: empty.
  Counters page(std::uint16_t slot) const noexcept;
  std::uint16_t slot_count() const noexcept { return x_slots; }
  /// Over all pages. Each cell is read once, without locks.
  std::uint64_t sum(CounterId id) const noexcept;
  /// Sets a counter to 0 in all pages. What a worker adds at the same moment may be lost.
  void reset(CounterId id) noexcept;
  /// Seconds since 1970 when the pages were made.
  std::int64_t started() const noexcept { return x_started; }

 private:
  CounterPages() = default;
  std::uint64_t* x_cells = nullptr;
  std::size_t x_stride = 0;  ///< cells from page to page, a multiple of a cache line
  std::size_t x_counters = 0;
  std::int64_t x_started = 0;
  std::uint16_t x_slots = 0;
};

}  // namespace ser::shm
