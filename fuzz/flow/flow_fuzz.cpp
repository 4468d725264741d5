// SPDX-License-Identifier: Apache-2.0
// Fuzz target of flows: whatever the bytes of a flow file are, reading ends, its faults can be printed, and a
// file without faults runs to an end and can be reported. The first byte selects what the rest is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "flow/compare.h"
#include "flow/flow_parser.h"
#include "flow/report.h"
#include "flow/runner.h"
#include "fuzz/world.h"
#include "script/script.h"

namespace {

using namespace ser;
using fuzz::require;

constexpr std::string_view kHead =
    "config\n    #!KAMAILIO\n    request_route { forward(\"198.51.100.7\", 5060); }\n"
    "actor alice 192.0.2.1:5070\nactor bob 198.51.100.7\nscenario \"x\"\n";

void run(const std::string& text, bool also_run) {
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  const flow::FlowFile file = flow::parse_flow("fuzz.flow", text, sources, diagnostics);
  require(conf::print(diagnostics, sources).empty() == (diagnostics.errors() == 0), "errors are printed");
  if (diagnostics.errors() != 0 || !also_run) return;
  static constexpr mod::ModuleSpec (*kCore[])() = {script::describe_core};
  std::vector<flow::FlowResults> all{{file.path, flow::run_flow(file, kCore, {})}};
  for (const flow::ScenarioResult& one : all.front().scenarios)
    require(!flow::describe(file.path, one, sources, {.verbose = true}).empty(), "a result is told");
  require(!flow::junit(all, sources).empty(), "JUnit is written");
}

void message(std::string_view bytes) {
  const flow::MessageText parsed = flow::MessageText::parse(bytes);
  const flow::MessageText again = flow::MessageText::parse(parsed.bytes());
  require(again.fields.size() <= parsed.fields.size() + 1 && again.first_line == parsed.first_line,
          "round trip");
  flow::ReceiveStep step;
  step.method = "INVITE";
  static_cast<void>(flow::compare(step, parsed, [](std::string_view) { return std::nullopt; }));
  for (const char* name : {"Via", "Route"}) static_cast<void>(parsed.list(name));
  static_cast<void>(flow::param_of(bytes, "tag"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      run(text, false);
      break;
    case 1:
      message(text);
      break;
    case 2:
      run(text, text.find("config") != std::string::npos && text.find("config\n") != std::string::npos);
      break;
    default:
      run(std::string(kHead) + text, true);
      break;
  }
  return 0;
}
