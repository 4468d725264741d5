// SPDX-License-Identifier: Apache-2.0
#include "base/counters.h"

#include <cstdlib>

namespace ser {

CounterTable::CounterTable() {
  x_entries.push_back({"core", "unregistered", "Counted by nobody's name."});
}

CounterId CounterTable::add(std::string_view group, std::string_view name, std::string_view help,
                            bool gauge) {
  if (const CounterId found = find(group, name); found.index != 0) return found;
  if (x_entries.size() > 4095) std::abort();
  x_entries.push_back({std::string(group), std::string(name), std::string(help), gauge});
  return {static_cast<std::uint16_t>(x_entries.size() - 1)};
}

CounterId CounterTable::find(std::string_view group, std::string_view name) const noexcept {
  for (std::size_t i = 1; i < x_entries.size(); ++i) {
    if (x_entries[i].group == group && x_entries[i].name == name) return {static_cast<std::uint16_t>(i)};
  }
  return {};
}

}  // namespace ser
