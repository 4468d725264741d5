// SPDX-License-Identifier: Apache-2.0
// For tests of this library: a segment with slots, pages and a dead worker's view of them.
#pragma once
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/log.h"
#include "shm/test_world.h"
#include "srv/shared.h"

namespace ser::srv::testing {

/// Slot 0 with its send area, counters, and a logger that remembers.
struct SlotWorld : shm::World {
  SlotWorld() : server(register_server_counters(table)), cells(table.size(), 0), counters(cells) {
    slot().send_area = static_cast<char*>(segment.reserve(shm::kSendArea, shm::kPage));
  }
  shm::WorkerSlot& slot() const { return *slots.slot(0); }
  std::uint64_t counted(std::string_view group, std::string_view name) const {
    return counters.value(table.find(group, name));
  }

  MemoryLogSink lines;
  Logger log{lines, LogLevel::debug};
  TestClock clock;
  CounterTable table;
  ServerCounters server;
  std::vector<std::uint64_t> cells;
  Counters counters;
};

}  // namespace ser::srv::testing
