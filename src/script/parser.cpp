// SPDX-License-Identifier: Apache-2.0
// Entry points of the front end, and the parser's handling of tokens and errors.
#include "script/parser.h"

#include <fmt/format.h>

#include "script/parser_state.h"
#include "script/preprocessor.h"

namespace ser::script {

std::unique_ptr<Ast> parse_text(std::string_view name, std::string_view text, SourceReader& reader,
                                const ParseOptions& options, conf::SourceMap& sources,
                                conf::Diagnostics& diagnostics) {
  auto ast = std::make_unique<Ast>();
  ast->dialect = choose_dialect(text, options.dialect);
  Preprocessor preprocessor(reader, options, *ast, sources, diagnostics);
  Parser(preprocessor.run(name, text), *ast, diagnostics).run();
  return ast;
}

std::unique_ptr<Ast> parse_file(const std::string& path, SourceReader& reader, const ParseOptions& options,
                                conf::SourceMap& sources, conf::Diagnostics& diagnostics) {
  ReadProblem problem;
  const std::optional<std::string> text = reader.read(path, problem);
  if (text) return parse_text(path, *text, reader, options, sources, diagnostics);
  const std::uint32_t file = sources.add(path, {});
  diagnostics.error("E0100", {file, 0, 0, 0}, fmt::format("cannot read this file: {}", problem.text),
                    "name another one with -f");
  return std::make_unique<Ast>();
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::end:
    case TokenKind::string:
      return std::string(describe_kind(token.kind));
    default:
      break;
  }
  return fmt::format("`{}`", token.text.empty() ? describe_kind(token.kind) : token.text.substr(0, 64));
}

Parser::Parser(std::vector<Token> tokens, Ast& ast, conf::Diagnostics& diagnostics)
    : x_tokens(std::move(tokens)), x_ast(ast), x_diagnostics(diagnostics) {}

void Parser::run() {
  while (!at(TokenKind::end)) parse_item();
}

const Token& Parser::peek(std::size_t ahead) const noexcept {
  const std::size_t index = x_at + ahead;
  return index < x_tokens.size() ? x_tokens[index] : x_tokens.back();
}

const Token& Parser::take() noexcept {
  const Token& token = peek();
  if (x_at + 1 < x_tokens.size()) ++x_at;
  return token;
}

bool Parser::at_word(std::string_view word) const noexcept {
  return at(TokenKind::identifier) && peek().text == word;
}

bool Parser::accept(TokenKind kind) noexcept {
  if (!at(kind)) return false;
  take();
  return true;
}

SourceRange Parser::behind_previous() const noexcept {
  SourceRange range = previous().range;
  range.column += range.length;
  range.length = 1;
  return range;
}

bool Parser::first_on_line(std::size_t ahead) const noexcept {
  const std::size_t index = x_at + ahead;
  if (index == 0 || index >= x_tokens.size()) return true;
  const SourceRange& before = x_tokens[index - 1].range;
  const SourceRange& here = x_tokens[index].range;
  return before.file != here.file || before.line != here.line;
}

void Parser::fail(const char* code, const SourceRange& range, std::string message, std::string hint) {
  // Where an unknown byte stands the lexer has said what is wrong.
  if (!x_failed && !at(TokenKind::unknown))
    x_diagnostics.error(code, range, std::move(message), std::move(hint));
  x_failed = true;
}

bool Parser::expect(TokenKind kind, std::string_view after, std::string_view hint) {
  if (accept(kind)) return true;
  // Something missing at the end of a line is shown there, not where the next line begins.
  const bool gap = first_on_line() && x_at != 0;
  const SourceRange range = gap ? behind_previous() : peek().range;
  fail("E0201", range,
       fmt::format("{} expected {}, found {}", describe(Token{.kind = kind}), after, describe(peek())),
       std::string(hint));
  return false;
}

/// Adjacent string literals as one text; the parser stands at the first.
std::string_view Parser::string_value() {
  const std::string_view first = take().text;
  if (!at(TokenKind::string)) return first;
  std::string whole(first);
  while (at(TokenKind::string)) whole += take().text;
  return x_ast.keep(std::move(whole));
}

/// A host name or another bare word of parts that touch each other (`a-b.example.com`); stands at its first
/// part.
std::string_view Parser::joined_word() {
  const Token& first = take();
  const auto goes_on = [this] {
    const Token& joint = peek();
    const Token& part = peek(1);
    if (joint.kind != TokenKind::dot && joint.kind != TokenKind::minus) return false;
    if (joint.space_before || part.space_before || joint.from_define || previous().from_define) return false;
    return part.kind == TokenKind::identifier || part.kind == TokenKind::integer ||
           part.kind == TokenKind::address;
  };
  if (!goes_on()) return first.text;
  std::string whole(first.text);
  while (goes_on()) {
    whole += take().text;
    whole += take().text;
  }
  return x_ast.keep(std::move(whole));
}

}  // namespace ser::script
