// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the script front end: whatever the bytes are, reading them ends, and its findings can be
// printed. The first byte selects the dialect and the entry point.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fuzz_parts.h"
#include "script/parser.h"
#include "script/syntax_dump.h"

namespace {

using namespace ser;

void read_script(std::string_view text, std::optional<script::Dialect> dialect) {
  script::MemorySourceReader reader;
  reader.add("a", "#!define FROM_A 1\na=1\n");
  reader.add("b", std::string(text));
  script::ParseOptions options;
  options.dialect = dialect;
  options.defines = {"WITH_X", "N=3"};
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  const auto ast = script::parse_text("fuzz.cfg", text, reader, options, sources, diagnostics);
  // A tree without errors never holds an invalid node.
  if (script::dump_syntax(*ast).find("invalid\n") != std::string::npos && diagnostics.errors() == 0)
    std::abort();
  if (conf::print(diagnostics, sources).empty() != (diagnostics.errors() == 0)) std::abort();
}

void read_format(std::string_view text) {
  script::Ast ast;
  std::size_t bad = 0;
  const auto parts = script::parse_format(text, ast, bad);
  if (!parts && bad >= text.size()) std::abort();
  script::parse_variable(text, ast);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
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
      fuzz_compile(text, script::Dialect::ser);
      break;
    case 4:
      fuzz_compile(text, script::Dialect::kamailio);
      break;
    default:
      read_format(text);
      break;
  }
  return 0;
}
