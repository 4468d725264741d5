// SPDX-License-Identifier: Apache-2.0
// What people and tools are told about flows that ran.
#pragma once
#include <string>
#include <vector>

#include "conf/source_map.h"
#include "flow/runner.h"

namespace ser::flow {

struct ReportStyle {
  std::size_t width = 100;  ///< columns, 60 to 200
  bool colour = false;
  bool verbose = false;  ///< the diagram and the log of passed scenarios, too
};

/// The results of one flow file.
struct FlowResults {
  std::string path;
  std::vector<ScenarioResult> scenarios;
};

/// A diagram of the messages in order of time: nodes side by side, an arrow each.
std::string ladder(const ScenarioResult& result, std::size_t width);
/// Expected and got side by side; differing rows begin with `!`.
std::string side_by_side(const std::vector<Row>& rows, const ReportStyle& style);
/// One scenario: a line, and all about a failure.
std::string describe(const std::string& path, const ScenarioResult& result, const conf::SourceMap& sources,
                     const ReportStyle& style);
/// "12 passed, 1 failed".
std::string summary(std::size_t passed, std::size_t failed);
/// JUnit's XML: a testsuite a file, a testcase a scenario.
std::string junit(const std::vector<FlowResults>& all, const conf::SourceMap& sources);

}  // namespace ser::flow
