// SPDX-License-Identifier: Apache-2.0
// Statistics: declared before the fork, counted without locks in a page per worker, summed by whoever reads.
#pragma once
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ser {

/// Names a counter of a CounterTable. Default: the throw-away cell 0, so that an unregistered counter is
/// harmless.
struct CounterId {
  std::uint16_t index = 0;
};

/// All counters of the program by name. Filled while starting; unchanged after the first fork.
class CounterTable {
 public:
  struct Entry {
    std::string group;   ///< "core", "sl" …
    std::string name;    ///< "rcv_requests"
    std::string help;    ///< one sentence for people
    bool gauge = false;  ///< may go down
  };
  CounterTable();
  /// Declares group.name, or finds it. Aborts above 4095 counters (a programming error).
  CounterId add(std::string_view group, std::string_view name, std::string_view help, bool gauge = false);
  /// CounterId{0} when there is none.
  CounterId find(std::string_view group, std::string_view name) const noexcept;
  std::span<const Entry> entries() const noexcept { return x_entries; }
  std::size_t size() const noexcept { return x_entries.size(); }

 private:
  std::vector<Entry> x_entries;
};

/// One worker's page of counters: only that worker writes it, anybody may read.
class Counters {
 public:
  Counters() = default;
  /// `cells` has CounterTable::size() elements and outlives this object.
  explicit Counters(std::span<std::uint64_t> cells) noexcept : x_cells(cells) {}
  void add(CounterId id, std::uint64_t n = 1) noexcept {
    if (id.index < x_cells.size()) {
      std::atomic_ref<std::uint64_t> cell(x_cells[id.index]);
      cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
  }
  void subtract(CounterId id, std::uint64_t n = 1) noexcept { add(id, ~n + 1); }
  std::uint64_t value(CounterId id) const noexcept {
    if (id.index >= x_cells.size()) return 0;
    return std::atomic_ref<std::uint64_t>(x_cells[id.index]).load(std::memory_order_relaxed);
  }

 private:
  std::span<std::uint64_t> x_cells;
};

}  // namespace ser
