// SPDX-License-Identifier: Apache-2.0
// Pseudo-variables: extent, parts, and format strings made of them.
#include "script/variable_syntax.h"

#include <optional>
#include <vector>

#include "base/text.h"
#include "script/parser.h"

namespace ser::script {
namespace {

constexpr std::size_t kMaxVariable = 4096;

constexpr bool is_name_char(char c) noexcept {
  return is_alnum(c) || c == '_';
}

/// Position behind the bracket that closes the one at `at`; npos when it is not closed on its line. `(`, `[`
/// and `{` nest in each other.
std::size_t find_close(std::string_view text, std::size_t at) noexcept {
  const std::size_t limit = std::min(text.size(), at + kMaxVariable);
  char open[64];
  std::size_t depth = 0;
  for (; at < limit; ++at) {
    const char c = text[at];
    if (c == '\n') break;
    if (c == '\\' && depth != 0) {
      ++at;
      continue;
    }
    if (c == '(' || c == '[' || c == '{') {
      if (depth == sizeof open) break;
      open[depth++] = c;
    } else if (c == ')' || c == ']' || c == '}') {
      const char wanted = c == ')' ? '(' : c == ']' ? '[' : '{';
      // A closing bracket of another kind is text, as in a regular expression.
      if (open[depth - 1] != wanted) continue;
      if (--depth == 0) return at + 1;
    }
  }
  return std::string_view::npos;
}

std::size_t name_end(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && is_name_char(text[at])) ++at;
  return at;
}

/// Splits "s.substr,0,$var(n)" at its outer commas.
Transformation split_transformation(std::string_view text) {
  Transformation result;
  std::size_t begin = 0;
  bool first = true;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] != ',') {
      if (text[at] == '(' || text[at] == '{') {
        const std::size_t close = find_close(text, at);
        if (close != std::string_view::npos) at = close - 1;
      }
      continue;
    }
    const std::string_view piece = text.substr(begin, at - begin);
    if (first) {
      result.name = trim(piece);
    } else {
      result.arguments.push_back(piece);
    }
    first = false;
    begin = at + 1;
  }
  return result;
}

/// Reads name, `(inner)`, `[index]` and `{transformation}`s of the text between `$(` and `)`, or after a
/// plain `$`.
bool read_parts(std::string_view text, VariableSyntax& variable) {
  text = trim(text);
  // `$?` is the return code.
  std::size_t at = text.starts_with('?') ? 1 : name_end(text, 0);
  if (at == 0) return false;
  variable.name = text.substr(0, at);
  if (at < text.size() && text[at] == '(') {
    const std::size_t close = find_close(text, at);
    if (close == std::string_view::npos) return false;
    variable.inner = text.substr(at + 1, close - at - 2);
    variable.has_inner = true;
    at = close;
  }
  if (at < text.size() && text[at] == '[') {
    const std::size_t close = find_close(text, at);
    if (close == std::string_view::npos) return false;
    variable.index = trim(text.substr(at + 1, close - at - 2));
    variable.has_index = true;
    at = close;
  }
  while (at < text.size() && text[at] == '{') {
    const std::size_t close = find_close(text, at);
    if (close == std::string_view::npos) return false;
    variable.transformations.push_back(split_transformation(text.substr(at + 1, close - at - 2)));
    at = close;
  }
  return at == text.size();
}

}  // namespace

VariableExtent find_variable(std::string_view text, std::size_t at) noexcept {
  const std::size_t begin = at;
  ++at;
  if (at < text.size() && text[at] == '(') {
    const std::size_t close = find_close(text, at);
    if (close == std::string_view::npos) return {2, "`$(` is not closed"};
    return {close - begin, nullptr};
  }
  if (at < text.size() && text[at] == '?') return {2, nullptr};
  const std::size_t end = name_end(text, at);
  if (end == at) return {1, "`$` without a variable name"};
  if (end < text.size() && text[end] == '(') {
    const std::size_t close = find_close(text, end);
    if (close == std::string_view::npos) return {end + 1 - begin, "the `(` of this variable is not closed"};
    return {close - begin, nullptr};
  }
  return {end - begin, nullptr};
}

const VariableSyntax* parse_variable(std::string_view text, Ast& ast) {
  if (text.size() < 2 || text.front() != '$') return nullptr;
  const VariableExtent extent = find_variable(text, 0);
  if (extent.problem != nullptr || extent.length != text.size()) return nullptr;
  VariableSyntax variable;
  variable.text = ast.keep(text);
  std::string_view inside = variable.text.substr(1);
  if (inside.front() == '(') inside = inside.substr(1, inside.size() - 2);
  if (!read_parts(inside, variable)) return nullptr;
  VariableSyntax* node = ast.new_variable();
  *node = std::move(variable);
  return node;
}

std::optional<std::vector<FormatPart>> parse_format(std::string_view text, Ast& ast,
                                                    std::size_t& bad_offset) {
  std::vector<FormatPart> parts;
  std::size_t begin = 0;
  std::size_t at = 0;
  const auto flush = [&](std::size_t end) {
    if (end > begin) parts.push_back({text.substr(begin, end - begin), nullptr, begin});
  };
  while ((at = text.find('$', at)) != std::string_view::npos) {
    if (at + 1 < text.size() && text[at + 1] == '$') {
      flush(at + 1);
      at += 2;
      begin = at;
      continue;
    }
    const VariableExtent extent = find_variable(text, at);
    const VariableSyntax* variable =
        extent.problem == nullptr ? parse_variable(text.substr(at, extent.length), ast) : nullptr;
    if (variable == nullptr) {
      bad_offset = at;
      return std::nullopt;
    }
    flush(at);
    parts.push_back({{}, variable, at});
    at += extent.length;
    begin = at;
  }
  flush(text.size());
  return parts;
}

}  // namespace ser::script
