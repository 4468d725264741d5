// SPDX-License-Identifier: Apache-2.0
// The tokens of a configuration as text again (`--cfg-print`).
#include <fmt/format.h>

#include "script/parser.h"
#include "script/preprocessor.h"

namespace ser::script {

namespace {

/// Inside of double quotes, so that the lexer reads the same text again.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '"':
      case '\\':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return out + '"';
}

std::string written(const Token& token) {
  switch (token.kind) {
    case TokenKind::string:
      return quoted(token.text);
    case TokenKind::regex:
      return "/" + std::string(token.text) + "/";
    case TokenKind::integer:
      return token.text.empty() ? std::to_string(token.number) : std::string(token.text);
    default:
      break;
  }
  if (!token.text.empty()) return std::string(token.text);
  // Signs are named by themselves, in back quotes.
  std::string_view sign = describe_kind(token.kind);
  if (sign.size() > 2 && sign.front() == '`') sign = sign.substr(1, sign.size() - 2);
  return std::string(sign);
}

}  // namespace

std::string print_preprocessed(const std::string& path, SourceReader& reader, const ParseOptions& options,
                               conf::SourceMap& sources, conf::Diagnostics& diagnostics) {
  ReadProblem problem;
  const std::optional<std::string> text = reader.read(path, problem);
  if (!text) {
    diagnostics.error("E0100", {sources.add(path, {}), 0, 0, 0},
                      fmt::format("cannot read this file: {}", problem.text), "name another one with -f");
    return {};
  }
  Ast ast;
  ast.dialect = choose_dialect(*text, options.dialect);
  Preprocessor preprocessor(reader, options, ast, sources, diagnostics);
  std::string out = ast.dialect.dialect == Dialect::ser ? "#!SER\n" : "#!KAMAILIO\n";
  bool first = true;
  conf::SourceRange last;
  for (const Token& token : preprocessor.run(path, *text)) {
    if (token.kind == TokenKind::end) break;
    if (!first) {
      if (token.range.line != last.line || token.range.file != last.file)
        out += '\n';
      else if (token.space_before || token.from_define)
        out += ' ';
    }
    first = false;
    last = token.range;
    out += written(token);
  }
  if (!first) out += '\n';
  return out;
}

}  // namespace ser::script
