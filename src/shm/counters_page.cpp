// SPDX-License-Identifier: Apache-2.0
#include "shm/counters_page.h"

namespace ser::shm {

Result<CounterPages> CounterPages::create(Segment& segment, std::uint16_t slots,
                                          std::size_t counters) noexcept {
  CounterPages pages;
  pages.x_stride = (counters + 7) & ~std::size_t{7};
  const std::size_t bytes = pages.x_stride * (std::size_t{slots} + 1) * sizeof(std::uint64_t);
  void* at = segment.reserve(bytes, 64);
  if (at == nullptr) return {Errc::no_space, "segment too small for the counters"};
  pages.x_cells = static_cast<std::uint64_t*>(at);
  pages.x_counters = counters;
  pages.x_slots = slots;
  pages.x_started = segment.header().started_wall;
  segment.header().counters = at;
  return pages;
}

Counters CounterPages::page(std::uint16_t slot) const noexcept {
  if (slot > x_slots) return {};
  return Counters({x_cells + slot * x_stride, x_counters});
}

std::uint64_t CounterPages::sum(CounterId id) const noexcept {
  std::uint64_t total = 0;
  for (std::uint16_t slot = 0; slot <= x_slots; ++slot) total += page(slot).value(id);
  return total;
}

void CounterPages::reset(CounterId id) noexcept {
  if (id.index >= x_counters) return;
  for (std::size_t slot = 0; slot <= x_slots; ++slot) {
    std::atomic_ref<std::uint64_t>(x_cells[slot * x_stride + id.index]).store(0, std::memory_order_relaxed);
  }
}

}  // namespace ser::shm
