// SPDX-License-Identifier: Apache-2.0
// One text into tokens: white space, comments, directives, words, numbers, variables, operators. Strings:
// lexer_string.cpp.
#include "script/lexer.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "script/variable_syntax.h"

namespace ser::script {
namespace {

constexpr std::array<std::string_view, 25> kDirectives{
    "def",       "trydefine",    "trydefenvs",

    "KAMAILIO",  "SER",          "OPENSER",     "ALL",    "MAXCOMPAT", "ifdef",    "ifndef", "ifexp",
    "else",      "endif",        "define",      "trydef", "redefine",  "redef",    "subst",  "substdef",
    "substdefs", "include_file", "import_file", "defenv", "defenvs",   "trydefenv"};
constexpr std::array<std::string_view, 5> kConditionals{"ifdef", "ifndef", "ifexp", "else", "endif"};

constexpr bool is_word_char(char c) noexcept {
  return is_alnum(c) || c == '_';
}
constexpr bool is_blank(char c) noexcept {
  return is_lws(c) || c == '\v' || c == '\f';
}

/// True for IPv6 text. Dotted quads at the end are allowed as inet_pton does.
bool is_ipv6(std::string_view text) noexcept {
  char buffer[INET6_ADDRSTRLEN + 1];
  if (text.size() >= sizeof buffer) return false;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  in6_addr address;
  return inet_pton(AF_INET6, buffer, &address) == 1;
}

bool is_ipv4(std::string_view text) noexcept {
  char buffer[INET_ADDRSTRLEN + 1];
  if (text.size() >= sizeof buffer) return false;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  in_addr address;
  return inet_pton(AF_INET, buffer, &address) == 1;
}

/// The word at `at`, after optional blanks; empty when there is none.
std::string_view word_at(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && is_space(text[at])) ++at;
  std::size_t end = at;
  while (end < text.size() && is_word_char(text[end])) ++end;
  return text.substr(at, end - at);
}

struct OperatorText {
  std::string_view text;
  TokenKind kind;
};
/// Longer ones first.
constexpr std::array<OperatorText, 31> kOperators{{
    {"==", TokenKind::equal},       {"!=", TokenKind::not_equal},     {"=~", TokenKind::match},
    {"!~", TokenKind::not_match},   {">=", TokenKind::greater_equal}, {"<=", TokenKind::less_equal},
    {"&&", TokenKind::logical_and}, {"||", TokenKind::logical_or},    {"<<", TokenKind::shift_left},
    {">>", TokenKind::shift_right}, {"=>", TokenKind::arrow},         {"=", TokenKind::assign},
    {">", TokenKind::greater},      {"<", TokenKind::less},           {"&", TokenKind::ampersand},
    {"|", TokenKind::pipe},         {"^", TokenKind::caret},          {"~", TokenKind::tilde},
    {"!", TokenKind::bang},         {"+", TokenKind::plus},           {"-", TokenKind::minus},
    {"*", TokenKind::star},         {"/", TokenKind::slash},          {"%", TokenKind::percent},
    {"(", TokenKind::left_paren},   {")", TokenKind::right_paren},    {"{", TokenKind::left_brace},
    {"}", TokenKind::right_brace},  {"[", TokenKind::left_bracket},   {"]", TokenKind::right_bracket},
    {",", TokenKind::comma},
}};

}  // namespace

std::string_view describe_kind(TokenKind kind) noexcept {
  for (const OperatorText& one : kOperators) {
    if (one.kind == kind) return one.text;
  }
  switch (kind) {
    case TokenKind::end:
      return "end of file";
    case TokenKind::identifier:
      return "a name";
    case TokenKind::integer:
      return "a number";
    case TokenKind::string:
      return "a string";
    case TokenKind::address:
      return "an address";
    case TokenKind::variable:
      return "a variable";
    case TokenKind::select:
      return "a select";
    case TokenKind::regex:
      return "a regular expression";
    case TokenKind::semicolon:
      return ";";
    case TokenKind::colon:
      return ":";
    case TokenKind::dot:
      return ".";
    default:
      return "an unknown byte";
  }
}

bool is_directive_name(std::string_view word) noexcept {
  return std::find(kDirectives.begin(), kDirectives.end(), word) != kDirectives.end();
}

void Lexer::advance(std::size_t count) noexcept {
  for (; count != 0 && x_at < x_text.size(); --count, ++x_at) {
    if (x_text[x_at] == '\n') {
      ++x_line;
      x_column = 1;
      x_line_start = true;
    } else {
      ++x_column;
    }
  }
}

conf::SourceRange Lexer::range_from(std::size_t begin, std::uint32_t line,
                                    std::uint32_t column) const noexcept {
  // A token of several lines is marked on its first one.
  std::size_t end = x_at;
  if (line != x_line) end = std::min(x_text.find('\n', begin), x_text.size());
  return {x_file, line, column, static_cast<std::uint32_t>(end - begin)};
}

bool Lexer::at_directive(bool line_start) const noexcept {
  if (peek() == '#' && peek(1) == '!') {
    const std::string_view word = word_at(x_text, x_at + 2);
    if (is_directive_name(word)) return true;
    // `#!/usr/sbin/…` and any other `#!` of an old file are comments; a misspelt directive is not.
    return x_dialect == Dialect::kamailio && !word.empty() && !conf::suggest(word, kDirectives).empty();
  }
  return line_start && peek() == '!' && peek(1) == '!' && is_directive_name(word_at(x_text, x_at + 2));
}

void Lexer::skip_line() noexcept {
  const std::size_t end = std::min(x_text.find('\n', x_at), x_text.size());
  x_column += static_cast<std::uint32_t>(end - x_at);
  x_at = end;
}

void Lexer::skip_block_comment() {
  const conf::SourceRange range{x_file, x_line, x_column, 2};
  unsigned depth = 1;
  advance(2);
  while (!at_end()) {
    if (peek() == '*' && peek(1) == '/') {
      advance(2);
      if (--depth == 0) return;
    } else if (peek() == '/' && peek(1) == '*') {
      advance(2);
      ++depth;
    } else {
      advance(1);
    }
  }
  x_diagnostics.error("E0101", range, "comment is not closed", "comments nest: each `/*` needs its `*/`");
}

void Lexer::skip_blanks(Token& token) {
  for (;;) {
    const char c = peek();
    if (at_end()) return;
    const bool continued = c == '\\' && (peek(1) == '\n' || (peek(1) == '\r' && peek(2) == '\n'));
    if (is_blank(c) || continued) {
      advance(1);
    } else if (c == '#') {
      if (at_directive(x_line_start)) return;
      skip_line();
    } else if (c == '/' && peek(1) == '/') {
      skip_line();
    } else if (c == '/' && peek(1) == '*') {
      skip_block_comment();
    } else {
      return;
    }
    token.space_before = true;
  }
}

void Lexer::read_directive(Token& token) {
  token.kind = TokenKind::directive;
  const std::size_t begin = x_at + 2;
  std::size_t end = begin;
  // A backslash before the line end continues the line.
  for (;;) {
    end = std::min(x_text.find('\n', end), x_text.size());
    std::size_t last = end;
    if (last > begin && x_text[last - 1] == '\r') --last;
    if (end == x_text.size() || last <= begin || x_text[last - 1] != '\\') break;
    ++end;
  }
  token.text = trim(x_text.substr(begin, end - begin));
  advance(end - x_at);
}

Token Lexer::next_conditional() {
  for (;;) {
    while (!at_end() && is_blank(peek())) advance(1);
    if (at_end()) break;
    if ((peek() == '#' || peek() == '!') && peek(1) == '!') {
      const std::string_view word = word_at(x_text, x_at + 2);
      if (std::find(kConditionals.begin(), kConditionals.end(), word) != kConditionals.end()) {
        Token token;
        const std::size_t begin = x_at;
        const std::uint32_t line = x_line;
        const std::uint32_t column = x_column;
        read_directive(token);
        token.range = range_from(begin, line, column);
        return token;
      }
    }
    skip_line();
  }
  Token token;
  token.range = {x_file, x_line, x_column, 0};
  return token;
}

Token Lexer::next() {
  Token token;
  token.space_before = x_at == 0;
  skip_blanks(token);
  const std::size_t begin = x_at;
  const std::uint32_t line = x_line;
  const std::uint32_t column = x_column;
  const bool line_start = x_line_start;
  const bool after_case = x_after_case;
  x_line_start = false;
  x_after_case = false;
  if (at_end()) {
    token.range = {x_file, line, column, 0};
    return token;
  }
  const char c = peek();
  if ((c == '#' || c == '!') && at_directive(line_start)) {
    read_directive(token);
    x_line_start = true;
  } else if (c == '"' || c == '\'') {
    read_string(token);
  } else if (c == '$') {
    read_variable(token);
  } else if (c == '@') {
    read_select(token);
  } else if (c == '/' && after_case) {
    read_regex(token);
  } else if ((hex_value(c) >= 0 || c == ':') && read_ipv6(token)) {
  } else if (is_word_char(c)) {
    read_number_or_word(token);
    x_after_case = token.text == "case";
  } else {
    read_operator(token);
  }
  token.range = range_from(begin, line, column);
  return token;
}

bool Lexer::read_ipv6(Token& token) {
  std::size_t end = x_at;
  unsigned colons = 0;
  // 45 bytes is the longest text of an address; a longer run is none.
  for (; end < x_text.size() && end - x_at <= 45; ++end) {
    const char c = x_text[end];
    if (c == ':') {
      ++colons;
    } else if (hex_value(c) < 0 && c != '.') {
      break;
    }
  }
  if (colons < 2 || (end < x_text.size() && is_word_char(x_text[end]))) return false;
  const std::string_view text = x_text.substr(x_at, end - x_at);
  if (!is_ipv6(text)) return false;
  token.kind = TokenKind::address;
  token.text = text;
  advance(text.size());
  return true;
}

void Lexer::read_number_or_word(Token& token) {
  std::size_t end = x_at;
  const bool digit = is_digit(peek());
  while (end < x_text.size() &&
         (is_word_char(x_text[end]) ||
          (digit && x_text[end] == '.' && end + 1 < x_text.size() && is_alnum(x_text[end + 1])))) {
    ++end;
  }
  const std::size_t begin = x_at;
  const std::uint32_t column = x_column;
  const std::string_view word = x_text.substr(x_at, end - x_at);
  token.text = word;
  token.kind = TokenKind::identifier;
  advance(word.size());
  if (!digit) return;
  const conf::SourceRange range = range_from(begin, x_line, column);
  if (word.find('.') != std::string_view::npos) {
    const bool letters = std::any_of(word.begin(), word.end(), is_alpha);
    if (!letters) {
      token.kind = TokenKind::address;
      if (!is_ipv4(word)) {
        x_diagnostics.error("E0104", range, fmt::format("`{}` is not an IPv4 address", word),
                            "an address has four numbers from 0 to 255");
      }
    }
    return;
  }
  int base = 10;
  std::string_view digits = word;
  if (word.size() > 2 && word[0] == '0' && to_lower(word[1]) == 'x') {
    base = 16;
    digits.remove_prefix(2);
  } else if (word.size() > 1 && word[0] == '0' && x_dialect == Dialect::kamailio) {
    base = 8;
  }
  if (word.size() > 1 && word.back() == 'b' && base != 16 && x_dialect == Dialect::kamailio &&
      word.find_first_not_of("01") == word.size() - 1) {
    base = 2;
    digits.remove_suffix(1);
  }
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), token.number, base);
  if (error == std::errc() && stop == digits.data() + digits.size()) {
    token.kind = TokenKind::integer;
  } else if (error == std::errc::result_out_of_range) {
    token.kind = TokenKind::integer;
    x_diagnostics.error("E0105", range, fmt::format("the number {} is too large", word.substr(0, 32)));
  } else if (std::all_of(word.begin(), word.end(), is_digit)) {
    token.kind = TokenKind::integer;
    x_diagnostics.error("E0105", range, fmt::format("`{}` is not a number", word.substr(0, 32)),
                        "a leading 0 means octal, with digits 0 to 7");
  }
}

void Lexer::read_variable(Token& token) {
  token.kind = TokenKind::variable;
  const VariableExtent extent = find_variable(x_text, x_at);
  const std::size_t begin = x_at;
  const std::uint32_t line = x_line;
  const std::uint32_t column = x_column;
  token.text = x_text.substr(x_at, extent.length);
  advance(extent.length);
  if (extent.problem == nullptr) return;
  token.kind = TokenKind::unknown;
  x_diagnostics.error("E0106", range_from(begin, line, column), extent.problem,
                      "variables are written `$name`, `$name(inner)` or `$(name(inner){transformation})`");
}

void Lexer::read_select(Token& token) {
  token.kind = TokenKind::select;
  std::size_t end = x_at + 1;
  while (end < x_text.size()) {
    const char c = x_text[end];
    if (is_word_char(c) || c == '.') {
      ++end;
    } else if (c == '[') {
      const std::size_t close = x_text.substr(end, 256).find_first_of("]\n");
      if (close == std::string_view::npos || x_text[end + close] != ']') break;
      end += close + 1;
    } else {
      break;
    }
  }
  token.text = x_text.substr(x_at, end - x_at);
  advance(token.text.size());
}

void Lexer::read_regex(Token& token) {
  std::size_t end = x_at + 1;
  while (end < x_text.size() && x_text[end] != '/' && x_text[end] != '\n') {
    end += x_text[end] == '\\' && end + 1 < x_text.size() && x_text[end + 1] != '\n' ? 2 : 1;
  }
  token.kind = TokenKind::regex;
  token.text = x_text.substr(x_at + 1, end - x_at - 1);
  const std::uint32_t column = x_column;
  const std::size_t begin = x_at;
  const bool closed = end < x_text.size() && x_text[end] == '/';
  advance(end - x_at + (closed ? 1 : 0));
  if (!closed) {
    x_diagnostics.error("E0107", range_from(begin, x_line, column), "regular expression is not closed",
                        "end it with `/` on the same line");
  }
}

void Lexer::read_operator(Token& token) {
  const std::string_view rest = x_text.substr(x_at, 2);
  for (const OperatorText& one : kOperators) {
    if (rest.starts_with(one.text)) {
      token.kind = one.kind;
      token.text = one.text;
      advance(one.text.size());
      return;
    }
  }
  const char c = peek();
  token.text = x_text.substr(x_at, 1);
  token.kind = c == ';'   ? TokenKind::semicolon
               : c == ':' ? TokenKind::colon
               : c == '.' ? TokenKind::dot
                          : TokenKind::unknown;
  if (token.kind == TokenKind::unknown) {
    const conf::SourceRange range{x_file, x_line, x_column, 1};
    const auto byte = static_cast<unsigned char>(c);
    x_diagnostics.error("E0108", range,
                        byte > 0x20 && byte < 0x7F ? fmt::format("unexpected character `{}`", c)
                                                   : fmt::format("unexpected byte 0x{:02x}", byte),
                        byte >= 0x80 ? "letters outside of ASCII belong into strings" : "");
  }
  advance(1);
}

}  // namespace ser::script
