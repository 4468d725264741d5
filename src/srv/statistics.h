// SPDX-License-Identifier: Apache-2.0
// Statistics as text: every counter summed, the request counters per worker, the segment by owner, the
// workers.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "srv/shared.h"

namespace ser::srv {

/// A line of statistics_text() that is no counter, for the reference page.
struct StatisticLine {
  std::string_view name, help;
};
std::span<const StatisticLine> further_statistics() noexcept;

/// One `group.name value` a line; a worker's share as `core.rcv_requests{worker="3"} value`;
/// `shm.used{owner="core"} bytes`.
std::string statistics_text(const Shared& shared);

/// Writes `text` to `path` in one step (a reader never sees half a file). `error` says why not.
bool write_statistics_file(const std::string& path, const std::string& text, std::string& error);

}  // namespace ser::srv
