// SPDX-License-Identifier: Apache-2.0
#include "srv/reference.h"

#include <fmt/format.h>

#include "conf/core_parameter.h"
#include "proxy/services.h"
#include "srv/shared.h"
#include "srv/statistics.h"

namespace ser::srv {

namespace {

using conf::CoreParameter;
using conf::ParameterOrigin;
using conf::ParameterStatus;
using conf::ParameterType;

std::string_view type_text(ParameterType type) {
  switch (type) {
    case ParameterType::integer:
      return "number";
    case ParameterType::boolean:
      return "yes/no";
    case ParameterType::string:
      return "text";
    case ParameterType::string_or_number:
      return "text or number";
    case ParameterType::sockets:
      return "addresses, repeatable";
    case ParameterType::size:
      return "bytes";
  }
  return "";
}

std::string_view origin_text(ParameterOrigin origin) {
  switch (origin) {
    case ParameterOrigin::both:
      return "SER, Kamailio";
    case ParameterOrigin::ser:
      return "SER";
    case ParameterOrigin::kamailio:
      return "Kamailio";
    case ParameterOrigin::ours:
      return "ser";
  }
  return "";
}

std::string names_text(const CoreParameter& parameter) {
  std::string text = fmt::format("`{}`", parameter.name);
  for (const std::string_view name : conf::core_parameter_names()) {
    if (name != parameter.name && conf::find_core_parameter(name) == &parameter)
      text += fmt::format(", `{}`", name);
  }
  return text;
}

std::string range_text(const CoreParameter& parameter) {
  constexpr std::int64_t kNoLimit = 0x7FFFFFFF;
  if (parameter.min == 0 && parameter.max == 0) return {};
  if (parameter.max >= kNoLimit) return fmt::format("from {}", parameter.min);
  return fmt::format("{} to {}", parameter.min, parameter.max);
}

std::string code(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("`{}`", text);
}

/// Rows of one status.
void add_rows(std::string& page, std::span<const CoreParameter> table, ParameterStatus status) {
  for (const CoreParameter& one : table) {
    if (one.status != status) continue;
    if (status == ParameterStatus::honoured) {
      page += fmt::format("| {} | {} | {} | {} | {} | {} |\n", names_text(one), origin_text(one.origin),
                          type_text(one.type), code(one.default_value), range_text(one), one.help);
    } else {
      page += fmt::format("| {} | {} | {} |\n", names_text(one), origin_text(one.origin), one.help);
    }
  }
}

}  // namespace

std::string core_parameters_page() {
  std::string page =
      "# Core parameters\n\n"
      "Written as `name = value` before the routes. Every core parameter of SER 0.8 and Kamailio 5.6 is "
      "known "
      "by its name and its aliases, in both dialects; a name that is not known is an error with a hint. "
      "Where "
      "a default is empty, none is set.\n\n"
      "Dialects differ here: `debug` and `memlog` of a SER script are one higher than Kamailio's for the "
      "same "
      "effect; `port` of a SER script also applies to the last `listen` line before it; in a SER script the "
      "file wins over the command line, in a Kamailio script the command line over the file.\n\n"
      "## With effect\n\n"
      "| parameter | known from | type | default | range | effect |\n|---|---|---|---|---|---|\n";
  add_rows(page, conf::honoured_parameters(), ParameterStatus::honoured);
  page +=
      "\n## Not built yet\n\nChecked, with one warning.\n\n| parameter | known from | what it waits for "
      "|\n|---|---|---|\n";
  add_rows(page, conf::honoured_parameters(), ParameterStatus::later);
  page +=
      "\n## Accepted without effect\n\nWith one notice that gives the reason.\n\n| parameter | known from | "
      "reason |\n|---|---|---|\n";
  add_rows(page, conf::accepted_parameters(), ParameterStatus::accepted);
  return page;
}

std::string statistics_page(std::span<const mod::ModuleSpec> modules) {
  CounterTable table;
  proxy::register_core_counters(table);
  register_server_counters(table);
  for (const mod::ModuleSpec& spec : modules) {
    for (const mod::CounterSpec& counter : spec.counters) table.add(spec.name, counter.name, counter.help);
  }
  std::string page =
      "# Statistics\n\n"
      "SIGUSR1 writes them to the log and to the file of `statistics` (or `-s`), one `name value` a line. "
      "Counters begin with the start and never go down; a worker that is replaced keeps its counts. Those of "
      "a "
      "module are there when it is loaded.\n\n"
      "| statistic | meaning |\n|---|---|\n";
  const auto entries = table.entries();
  for (std::size_t i = 1; i < entries.size(); ++i)
    page += fmt::format("| `{}.{}` | {} |\n", entries[i].group, entries[i].name, entries[i].help);
  page += "\n## Present values\n\n| statistic | meaning |\n|---|---|\n";
  for (const StatisticLine& line : further_statistics())
    page += fmt::format("| `{}` | {} |\n", line.name, line.help);
  return page;
}

}  // namespace ser::srv
