// SPDX-License-Identifier: Apache-2.0
// Runs the scenarios of a flow file, each in a fresh world.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "flow/compare.h"
#include "flow/coverage.h"
#include "flow/world.h"

namespace ser::flow {

/// Why a scenario failed.
struct Failure {
  conf::SourceRange range;  ///< of the flow file
  std::string what;         ///< one sentence, lower case, no full stop
  Instant at = 0;           ///< since the start of the scenario
  std::string script;       ///< where the script had come to for this message; empty: none
  std::vector<Row> rows;    ///< expected and got, side by side
  std::string text;         ///< more lines, such as diagnostics
};

struct ScenarioResult {
  std::string name;
  conf::SourceRange range;
  std::optional<Failure> failure;
  std::vector<Passage> passages;
  std::vector<std::string> nodes;  ///< in the order of the diagram
  std::vector<LogLine> log;        ///< of all servers, in order of time
  Instant duration = 0;            ///< virtual
  double seconds = 0;              ///< real
};

struct RunOptions {
  std::uint64_t seed = 1;        ///< when the file names none
  bool seed_given = false;       ///< then it wins over the file's
  std::string filter;            ///< only scenarios whose name holds it, or matches it with * and ?
  Coverage* coverage = nullptr;  ///< filled; null: none
};

/// "*" and "?" as in file names; a text without them may stand anywhere in the name.
bool matches_filter(std::string_view filter, std::string_view name);

/// All scenarios of the file that the filter lets through, in order.
std::vector<ScenarioResult> run_flow(const FlowFile& file, Builtin builtin, const RunOptions& options);

}  // namespace ser::flow
