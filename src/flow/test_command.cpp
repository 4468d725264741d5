// SPDX-License-Identifier: Apache-2.0
#include "flow/test_command.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "flow/coverage.h"
#include "flow/flow_parser.h"
#include "flow/report.h"
#include "flow/runner.h"
#include "script/source_reader.h"

namespace ser::flow {

namespace {

void tell(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
}

/// Of the terminal; a pipe has COLUMNS or 100.
ReportStyle style_of(const srv::CommandLine& line) {
  ReportStyle style;
  style.verbose = line.test.verbose;
  const char* no_colour = std::getenv("NO_COLOR");
  style.colour = ::isatty(STDOUT_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0');
  winsize size{};
  const char* columns = std::getenv("COLUMNS");
  if (const auto wanted = parse_u32(columns != nullptr ? columns : "", 1000))
    style.width = *wanted;
  else if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0)
    style.width = size.ws_col;
  style.width = std::min<std::size_t>(std::max<std::size_t>(style.width, 60), 200);
  return style;
}

bool write_file(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  bool good = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr && std::fclose(file) != 0) good = false;
  if (!good) tell(stderr, fmt::format("ser: error: cannot write '{}': {}\n", path, std::strerror(errno)));
  return good;
}

/// What the command line says to every server.
void add_command_line(FlowFile& file, const srv::CommandLine& line) {
  const auto add_to = [&](Setting& setting) {
    for (ServerSpec& server : setting.servers) {
      server.defines.insert(server.defines.end(), line.defines.begin(), line.defines.end());
      if (!line.dialect.empty()) server.dialect = line.dialect;
      server.strict = server.strict || line.strict;
      server.module_path = line.module_path;
    }
  };
  add_to(file.common);
  for (Scenario& scenario : file.scenarios) add_to(scenario.own);
}

class Command {
 public:
  Command(const srv::CommandLine& line, Builtin builtin)
      : x_line(line), x_builtin(builtin), x_style(style_of(line)) {}

  int run() {
    std::vector<FlowFile> files;
    if (!read(files)) return 1;
    if (x_line.test.list) return list(files);
    for (const FlowFile& file : files) run_file(file);
    if (x_line.test.coverage && x_line.test.coverage_file.empty())
      tell(stdout, "\n" + x_coverage.text() + "\n");
    bool written = true;
    if (!x_line.test.coverage_file.empty())
      written = write_file(x_line.test.coverage_file, x_coverage.lcov());
    if (!x_line.test.junit_file.empty())
      written = write_file(x_line.test.junit_file, junit(x_results, x_sources)) && written;
    tell(stdout, summary(x_passed, x_failed) + "\n");
    if (x_passed + x_failed == 0) tell(stderr, "ser: error: the filter lets no scenario through\n");
    return x_failed == 0 && x_passed != 0 && written ? 0 : 1;
  }

 private:
  bool read(std::vector<FlowFile>& files) {
    conf::Diagnostics diagnostics;
    bool good = true;
    script::DiskSourceReader reader;
    for (const std::string& path : x_line.test.files) {
      script::ReadProblem problem;
      auto text = reader.read(path, problem);
      if (!text) {
        tell(stderr, fmt::format("ser: error: cannot read '{}': {}\n", path, problem.text));
        good = false;
        continue;
      }
      files.push_back(parse_flow(path, std::move(*text), x_sources, diagnostics));
      add_command_line(files.back(), x_line);
    }
    tell(stderr, conf::print(diagnostics, x_sources));
    return good && diagnostics.errors() == 0;
  }

  int list(const std::vector<FlowFile>& files) {
    for (const FlowFile& file : files) {
      for (const Scenario& scenario : file.scenarios) {
        if (matches_filter(x_line.test.filter, scenario.name))
          tell(stdout, fmt::format("{}:{}: {}\n", file.path, scenario.range.line, scenario.name));
      }
    }
    return 0;
  }

  void run_file(const FlowFile& file) {
    RunOptions options;
    options.filter = x_line.test.filter;
    options.seed_given = x_line.test.seed.has_value();
    options.seed = static_cast<std::uint64_t>(x_line.test.seed.value_or(1));
    if (x_line.test.coverage) options.coverage = &x_coverage;
    x_results.push_back({file.path, run_flow(file, x_builtin, options)});
    for (const ScenarioResult& one : x_results.back().scenarios) {
      tell(stdout, describe(file.path, one, x_sources, x_style));
      ++(one.failure ? x_failed : x_passed);
    }
    std::fflush(stdout);
  }

  const srv::CommandLine& x_line;
  Builtin x_builtin;
  ReportStyle x_style;
  conf::SourceMap x_sources;
  Coverage x_coverage;
  std::vector<FlowResults> x_results;
  std::size_t x_passed = 0, x_failed = 0;
};

}  // namespace

int run_tests(const srv::CommandLine& line, Builtin builtin) {
  return Command(line, builtin).run();
}

}  // namespace ser::flow
