// SPDX-License-Identifier: Apache-2.0
// The preprocessor's main loop: tokens of files, defines, conditionals. Directives that bring in other text:
// preprocessor_directives.cpp.
#include "script/preprocessor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ser::script {
namespace {

constexpr bool is_word_char(char c) noexcept {
  return is_alnum(c) || c == '_';
}

/// Takes the word at the beginning of `rest`, with the blanks behind it.
std::string_view take_word(std::string_view& rest) noexcept {
  std::size_t end = 0;
  while (end < rest.size() && is_word_char(rest[end])) ++end;
  const std::string_view word = rest.substr(0, end);
  rest = trim(rest.substr(end));
  return word;
}

}  // namespace

Preprocessor::Preprocessor(SourceReader& reader, const ParseOptions& options, Ast& ast,
                           conf::SourceMap& sources, conf::Diagnostics& diagnostics)
    : x_reader(reader), x_options(options), x_ast(ast), x_sources(sources), x_diagnostics(diagnostics) {}

void Preprocessor::add_defines_of(const ParseOptions& options) {
  // What scripts of the 5.6 family ask for to tell versions apart.
  for (const char* name : {"KAMAILIO_5", "KAMAILIO_5_6", "KAMAILIO_5_6_3", "OS_NAME_linux"})
    x_defines[name] = {};
  for (const std::string& text : options.defines) {
    std::string_view rest = text;
    const std::string_view name = split_off(rest, '=');
    Define define;
    define.has_value = text.find('=') != std::string::npos;
    define.value = x_ast.keep(rest);
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_word_char) || is_digit(name[0])) {
      x_diagnostics.error("E0110", {}, fmt::format("`-A {}`: `{}` is not a name", text, name),
                          "write -A NAME or -A NAME=value");
      continue;
    }
    x_defines.insert_or_assign(std::string(name), define);
  }
  for (const std::string& text : options.substitutions) {
    std::string_view rest = text;
    const std::string_view word = split_off(rest, ':');
    substitute(word, fmt::format("\"{}\"", rest), {});
  }
}

std::vector<Token> Preprocessor::run(std::string_view name, std::string_view text) {
  add_defines_of(x_options);
  const std::uint32_t root = static_cast<std::uint32_t>(x_sources.size());
  read_text(name, text);
  Token end;
  // The end stands behind the last byte of the main file.
  const std::string_view whole = x_sources.text(root);
  end.range = {root, 1, 1, 0};
  for (const char c : whole) {
    if (c == '\n') {
      ++end.range.line;
      end.range.column = 1;
    } else {
      ++end.range.column;
    }
  }
  end.space_before = true;
  x_tokens.push_back(end);
  return std::move(x_tokens);
}

void Preprocessor::read_text(std::string_view name, std::string_view text) {
  const std::string_view kept = x_ast.keep(text);
  const std::uint32_t file = x_sources.add(std::string(name), std::string(text));
  const std::size_t conditions = x_conditions.size();
  x_open_files.emplace_back(name);
  Lexer lexer(kept, file, x_ast.dialect.dialect, x_ast, x_diagnostics);
  read_tokens(lexer, name);
  x_open_files.pop_back();
  while (x_conditions.size() > conditions) {
    x_diagnostics.error("E0113", x_conditions.back().range, "this condition has no `#!endif`");
    x_conditions.pop_back();
  }
}

void Preprocessor::read_tokens(Lexer& lexer, std::string_view name) {
  const std::size_t conditions = x_conditions.size();
  while (!x_full) {
    const Token token = lexer.next();
    if (token.kind == TokenKind::end) return;
    if (token.kind == TokenKind::directive) {
      // A file may close only what it opened.
      std::string_view rest = token.text;
      const std::string_view word = take_word(rest);
      if ((word == "endif" || word == "else") && x_conditions.size() == conditions) {
        x_diagnostics.error("E0114", token.range, fmt::format("`#!{}` without `#!ifdef`", word));
        continue;
      }
      directive(lexer, token, name);
    } else if (token.kind == TokenKind::identifier &&
               (token.text == "include_file" || token.text == "import_file")) {
      const Token path = lexer.next();
      if (path.kind == TokenKind::string) {
        include(path.text, token.text == "include_file", name, path.range);
      } else {
        x_diagnostics.error("E0117", token.range,
                            fmt::format("`{}` needs a file name in quotes", token.text));
        if (path.kind == TokenKind::end) return;
        if (path.kind != TokenKind::directive) emit(path);
      }
    } else {
      emit(token);
    }
  }
}

void Preprocessor::emit(const Token& token) {
  if (x_tokens.size() >= kMaxTokens) {
    if (!x_full) x_diagnostics.error("E0119", token.range, "the configuration is too large");
    x_full = true;
    return;
  }
  if (token.kind == TokenKind::identifier && expand(token)) return;
  if (token.kind == TokenKind::variable && expand_def_variable(token)) return;
  note_module(token);
  if ((token.kind == TokenKind::string || token.kind == TokenKind::variable) && !x_substitutions.empty()) {
    emit_string(token);
  } else {
    x_tokens.push_back(token);
  }
}

void Preprocessor::emit_string(Token token) {
  std::string text(token.text);
  bool changed = false;
  for (const Substitution& one : x_substitutions) changed = one.apply(text) || changed;
  if (changed) token.text = x_ast.keep(std::move(text));
  x_tokens.push_back(token);
}

bool Preprocessor::expand(const Token& token) {
  const auto found = x_defines.find(token.text);
  if (found == x_defines.end() || !found->second.has_value) return false;
  if (std::find(x_expanding.begin(), x_expanding.end(), token.text) != x_expanding.end()) return false;
  if (++x_expansions > kMaxTokens) {
    if (!x_full) x_diagnostics.error("E0119", token.range, "the configuration is too large");
    x_full = true;
    return true;
  }
  if (x_expanding.size() >= kMaxDefineDepth) {
    x_diagnostics.error("E0112", token.range, "defines are nested too deeply");
    return false;
  }
  emit_value(found->second.value, token, found->first);
  return true;
}

/// `$def(NAME)` is the value as a string, `$defn(NAME)` as a number.
bool Preprocessor::expand_def_variable(const Token& token) {
  const bool as_number = token.text.starts_with("$defn(");
  if (!as_number && !token.text.starts_with("$def(")) return false;
  const std::size_t open = token.text.find('(') + 1;
  const std::string_view name = trim(token.text.substr(open, token.text.size() - open - 1));
  const auto found = x_defines.find(name);
  if (found == x_defines.end()) {
    x_diagnostics.error("E0115", token.range, fmt::format("`{}` is not defined", name));
    return false;
  }
  if (as_number) {
    emit_value(found->second.value, token, name);
    return true;
  }
  Token string = token;
  string.kind = TokenKind::string;
  string.text = found->second.value;
  if (string.text.size() >= 2 && string.text.front() == '"' && string.text.back() == '"') {
    string.text = string.text.substr(1, string.text.size() - 2);
  }
  emit_string(string);
  return true;
}

void Preprocessor::emit_value(std::string_view value, const Token& use, std::string_view define) {
  // Faults inside of the value are shown where its name stands.
  conf::Diagnostics inner;
  Lexer lexer(value, use.range.file, x_ast.dialect.dialect, x_ast, inner);
  x_expanding.push_back(define);
  bool first = true;
  for (Token token = lexer.next(); token.kind != TokenKind::end && !x_full; token = lexer.next()) {
    if (token.kind == TokenKind::directive) continue;
    token.range = use.range;
    token.from_define = true;
    if (first) token.space_before = use.space_before;
    first = false;
    emit(token);
  }
  x_expanding.pop_back();
  for (const conf::Diagnostic& one : inner.sorted()) {
    x_diagnostics.error(one.code, use.range, fmt::format("in the value of `{}`: {}", define, one.message),
                        one.hint);
  }
}

void Preprocessor::note_module(const Token& token) {
  if (token.kind == TokenKind::identifier) {
    x_after_load = token.text == "loadmodule";
  } else if (x_after_load && token.kind == TokenKind::string) {
    std::string_view name = token.text;
    if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos)
      name.remove_prefix(slash + 1);
    if (name.ends_with(".so")) name.remove_suffix(3);
    x_defines.try_emplace(fmt::format("MOD_{}", name));
    x_after_load = false;
  } else if (token.kind != TokenKind::left_paren) {
    x_after_load = false;
  }
}

void Preprocessor::directive(Lexer& lexer, const Token& token, std::string_view name) {
  std::string_view rest = token.text;
  const std::string_view word = take_word(rest);
  if (word == "ifdef" || word == "ifndef" || word == "ifexp" || word == "else" || word == "endif") {
    condition(lexer, word, rest, token.range);
  } else if (word == "define" || word == "def") {
    define(rest, DefineMode::define, token.range);
  } else if (word == "trydef" || word == "trydefine") {
    define(rest, DefineMode::try_define, token.range);
  } else if (word == "redefine" || word == "redef") {
    define(rest, DefineMode::redefine, token.range);
  } else if (word.starts_with("subst")) {
    substitute(word, rest, token.range);
  } else if (word == "include_file" || word == "import_file") {
    if (rest.size() >= 2 && (rest.front() == '"' || rest.front() == '\'') && rest.back() == rest.front()) {
      rest = rest.substr(1, rest.size() - 2);
    }
    include(rest, word == "include_file", name, token.range);
  } else if (word.starts_with("defenv") || word.starts_with("trydefenv")) {
    define_from_environment(rest, word, token.range);
  } else if (!is_directive_name(word)) {
    static constexpr std::string_view kKnown[] = {"ifdef",  "ifndef",   "ifexp",    "else",  "endif",
                                                  "define", "trydef",   "redefine", "subst", "substdef",
                                                  "SER",    "KAMAILIO", "OPENSER",  "ALL",   "MAXCOMPAT"};
    x_diagnostics.error("E0116", token.range, fmt::format("unknown directive `#!{}`", word),
                        conf::did_you_mean(word, kKnown));
  }
}

void Preprocessor::condition(Lexer& lexer, std::string_view word, std::string_view rest,
                             const conf::SourceRange& range) {
  if (word == "endif" || word == "else") {
    end_condition(range, word);
    if (word == "else") skip(lexer);
    return;
  }
  if (x_conditions.size() >= kMaxConditionDepth) {
    x_diagnostics.error("E0112", range, "conditions are nested too deeply");
  }
  bool holds = false;
  if (word == "ifexp") {
    holds = evaluate(rest, range);
  } else {
    const std::string_view name = take_word(rest);
    if (name.empty()) x_diagnostics.error("E0110", range, fmt::format("`#!{}` needs a name", word));
    holds = (x_defines.find(name) != x_defines.end()) == (word == "ifdef");
  }
  x_conditions.push_back({range, holds, false});
  if (!holds) skip(lexer);
}

void Preprocessor::end_condition(const conf::SourceRange& range, std::string_view word) {
  Condition& current = x_conditions.back();
  if (word == "endif") {
    x_conditions.pop_back();
    return;
  }
  if (current.seen_else) x_diagnostics.error("E0114", range, "a second `#!else` of one condition");
  current.seen_else = true;
}

void Preprocessor::skip(Lexer& lexer) {
  unsigned depth = 0;
  for (;;) {
    const Token token = lexer.next_conditional();
    if (token.kind == TokenKind::end) return;  // the caller reports the open condition
    std::string_view rest = token.text;
    const std::string_view word = take_word(rest);
    if (word.starts_with("if")) {
      ++depth;
    } else if (word == "endif") {
      if (depth == 0) {
        x_conditions.pop_back();
        return;
      }
      --depth;
    } else if (depth == 0) {
      end_condition(token.range, word);
      if (!x_conditions.back().taken) {
        x_conditions.back().taken = true;
        return;
      }
    }
  }
}

}  // namespace ser::script
