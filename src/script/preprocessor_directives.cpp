// SPDX-License-Identifier: Apache-2.0
// Directives that define names or bring in text: define, subst, defenv, includes.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "script/preprocessor.h"

namespace ser::script {
namespace {

constexpr bool is_word_char(char c) noexcept {
  return is_alnum(c) || c == '_';
}

std::string_view take_name(std::string_view& rest) noexcept {
  std::size_t end = 0;
  while (end < rest.size() && is_word_char(rest[end])) ++end;
  if (end != 0 && is_digit(rest[0])) end = 0;
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

/// The text with every backslash before a line end taken out.
std::string join_lines(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && text.substr(at + 1).starts_with("\n")) continue;
    if (text[at] == '\\' && text.substr(at + 1).starts_with("\r\n")) continue;
    out += text[at];
  }
  return out;
}

/// `text` as a string literal of a script.
std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string include_path(std::string_view path, std::string_view from) {
  const std::size_t slash = from.rfind('/');
  if (path.starts_with('/') || slash == std::string_view::npos) return std::string(path);
  return std::string(from.substr(0, slash + 1)).append(path);
}

void Preprocessor::define(std::string_view rest, DefineMode mode, const conf::SourceRange& range) {
  const std::string_view name = take_name(rest);
  if (name.empty() || (!rest.empty() && !is_lws(rest[0]) && rest[0] != '\\')) {
    x_diagnostics.error("E0110", range, "a define needs a name of letters, digits and `_`",
                        "write `#!define NAME` or `#!define NAME value`");
    return;
  }
  rest = trim(rest);
  const auto found = x_defines.find(name);
  if (found != x_defines.end()) {
    if (mode == DefineMode::try_define) return;
    if (mode == DefineMode::define) {
      x_diagnostics.error("E0111", range, fmt::format("`{}` is defined already", name),
                          "use `#!trydef` to keep the first value or `#!redefine` to replace it");
      return;
    }
  }
  Define value;
  value.has_value = !rest.empty();
  value.value = x_ast.keep(join_lines(rest));
  x_defines.insert_or_assign(std::string(name), value);
}

/// `defenv NAME` or `defenv NAME=VARIABLE`; the forms that end in `s` make a string of it.
void Preprocessor::define_from_environment(std::string_view rest, std::string_view word,
                                           const conf::SourceRange& range) {
  const std::string_view name = take_name(rest);
  rest = trim(rest);
  std::string_view variable = name;
  if (rest.starts_with('=')) {
    rest = trim(rest.substr(1));
    variable = rest;
  }
  if (name.empty() || variable.empty()) {
    x_diagnostics.error("E0110", range,
                        fmt::format("`#!{}` needs the name of an environment variable", word));
    return;
  }
  const char* text =
      x_options.environment != nullptr ? x_options.environment(std::string(variable).c_str()) : nullptr;
  if (text == nullptr) {
    if (!word.starts_with("try")) {
      x_diagnostics.error("E0115", range, fmt::format("the environment variable `{}` is not set", variable),
                          "use `#!trydefenv` if it may be missing");
    }
    return;
  }
  Define value;
  value.value = x_ast.keep(word.ends_with('s') ? quote(text) : std::string(text));
  value.has_value = !value.value.empty();
  x_defines.insert_or_assign(std::string(name), value);
}

void Preprocessor::substitute(std::string_view word, std::string_view rest, const conf::SourceRange& range) {
  if (rest.size() < 2 || (rest.front() != '"' && rest.front() != '\'') || rest.back() != rest.front()) {
    x_diagnostics.error("E0118", range,
                        fmt::format("`#!{}` needs `\"/expression/replacement/flags\"`", word));
    return;
  }
  Substitution one;
  std::string problem;
  if (!one.compile(rest.substr(1, rest.size() - 2), problem)) {
    x_diagnostics.error("E0118", range, problem);
    return;
  }
  if (word != "subst") {
    Define value;
    value.value = x_ast.keep(word == "substdefs" ? quote(one.replacement()) : std::string(one.replacement()));
    value.has_value = !value.value.empty();
    std::string_view pattern = one.pattern();
    const std::string_view name = take_name(pattern);
    if (name.empty() || !pattern.empty()) {
      x_diagnostics.error("E0118", range,
                          fmt::format("`{}` cannot be defined: it is not a name", one.pattern()),
                          "use `#!subst` for regular expressions");
      return;
    }
    x_defines.insert_or_assign(std::string(name), value);
  }
  x_substitutions.push_back(std::move(one));
}

void Preprocessor::include(std::string_view path, bool must_exist, std::string_view from,
                           const conf::SourceRange& range) {
  const std::string full = include_path(path, from);
  if (path.empty()) {
    x_diagnostics.error("E0117", range, "the file name is empty");
    return;
  }
  if (std::find(x_open_files.begin(), x_open_files.end(), full) != x_open_files.end()) {
    x_diagnostics.error("E0117", range, fmt::format("`{}` includes itself", full));
    return;
  }
  if (x_open_files.size() > kMaxIncludeDepth || x_includes >= kMaxIncludes) {
    x_diagnostics.error(
        "E0117", range,
        x_includes >= kMaxIncludes ? "too many files are included" : "files are included too deeply");
    return;
  }
  ++x_includes;
  ReadProblem problem;
  const std::optional<std::string> text = x_reader.read(full, problem);
  if (text) {
    read_text(full, *text);
  } else if (must_exist || !problem.missing) {
    // A file that is there and cannot be read is no file to skip: what it should have said is missing.
    x_diagnostics.error("E0117", range, fmt::format("cannot read `{}`: {}", full, problem.text),
                        problem.missing ? "`import_file` skips a file that is not there" : "");
  }
}

}  // namespace ser::script
