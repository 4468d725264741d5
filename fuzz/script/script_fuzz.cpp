// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the script: whatever the bytes are, reading and compiling them ends, its findings can be
// printed, and a program without errors runs. The first byte selects the dialect and the entry point.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fuzz/world.h"
#include "script/parser.h"
#include "script/substitution.h"
#include "script/syntax_dump.h"

namespace {

using namespace ser;
using fuzz::require;

constexpr std::string_view kRequest =
    "INVITE sip:bob@ser.example;a=b SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKa\r\n"
    "From: \"Al\" <sip:al@a.example:5071;x=y>;tag=ff\r\n"
    "To: <sip:bob@b.example>\r\nCall-ID: cid1\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\n"
    "Route: <sip:192.0.2.1;lr>, <sip:192.0.2.8;lr>\r\nX-Multi: m1\r\nX-Multi: m2\r\n"
    "Contact: <sip:c@192.0.2.7>\r\nUser-Agent: me\r\nContent-Length: 3\r\n\r\nabc";
constexpr std::string_view kResponse =
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKa\r\nFrom: <sip:al@a.example>;tag=ff\r\n"
    "To: <sip:bob@b.example>;tag=gg\r\nCall-ID: cid1\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n";

script::ParseOptions parse_options(std::optional<script::Dialect> dialect) {
  script::ParseOptions options;
  options.dialect = dialect;
  options.defines = {"WITH_X", "N=3"};
  return options;
}

void read_script(std::string_view text, std::optional<script::Dialect> dialect) {
  script::MemorySourceReader reader;
  reader.add("a", "#!define FROM_A 1\na=1\n");
  reader.add("b", std::string(text));
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  const auto ast = script::parse_text("fuzz.cfg", text, reader, parse_options(dialect), sources, diagnostics);
  require(script::dump_syntax(*ast).find("invalid\n") == std::string::npos || diagnostics.errors() != 0,
          "a tree without errors holds no invalid node");
  require(conf::print(diagnostics, sources).empty() == (diagnostics.errors() == 0), "errors are printed");
}

void run_script(std::string_view text, std::optional<script::Dialect> dialect) {
  fuzz::World world(text, parse_options(dialect));
  require(!world.report().empty() || world.diagnostics().errors() == 0, "errors are printed");
  if (!world.good()) return;
  world.receive(kRequest);
  world.receive(kRequest);  // what the first message left in the worker does not harm the second
  world.receive(kResponse);
}

/// As the only statements of a request route: gets behind the parser far more often.
void run_statements(std::string_view text, bool ser) {
  std::string whole = ser ? "#!SER\n" : "#!KAMAILIO\n";
  whole += "loadmodule \"sl.so\"\nloadmodule \"maxfwd.so\"\n";
  whole += ser ? "route {\n" : "request_route {\n";
  whole += text;
  whole += "\n}\nroute[1] { return; }\nroute[A] { return(-1); }\n";
  run_script(whole, std::nullopt);
}

void read_format(std::string_view text) {
  script::Ast ast;
  std::size_t bad = 0;
  const auto parts = script::parse_format(text, ast, bad);
  require(parts || bad < text.size(), "a bad format has a bad place");
  script::parse_variable(text, ast);
}

void substitute(std::string_view text) {
  const std::size_t end = text.find('\n');
  script::Substitution substitution;
  std::string problem;
  if (!substitution.compile(text.substr(0, end), problem)) {
    require(!problem.empty(), "a bad substitution is explained");
    return;
  }
  std::string subject(end == std::string_view::npos ? "" : text.substr(end + 1));
  substitution.apply(subject);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 10) {
    case 0:
      read_script(text, script::Dialect::ser);
      break;
    case 1:
      read_script(text, script::Dialect::kamailio);
      break;
    case 2:
      read_script(text, std::nullopt);
      break;
    case 3:
      read_format(text);
      break;
    case 4:
      substitute(text);
      break;
    case 5:
      run_script(text, script::Dialect::ser);
      break;
    case 6:
      run_script(text, script::Dialect::kamailio);
      break;
    case 7:
      run_script(text, std::nullopt);
      break;
    default:
      run_statements(text, data[0] % 10 == 8);
      break;
  }
  return 0;
}
