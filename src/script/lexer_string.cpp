// SPDX-License-Identifier: Apache-2.0
// Strings of both dialects: where they end and what their escapes mean.
#include <array>

#include "base/text.h"
#include "script/lexer.h"

namespace ser::script {
namespace {

constexpr bool is_octal(char c) noexcept {
  return c >= '0' && c <= '7';
}

/// The byte that `\c` stands for in both dialects; -1: none.
constexpr int simple_escape(char c) noexcept {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'a':
      return '\a';
    case '"':
      return '"';
    case '\\':
      return '\\';
    default:
      return -1;
  }
}

}  // namespace

std::string_view Lexer::decode(std::string_view body) {
  if (body.find('\\') == std::string_view::npos) return body;
  std::string out;
  out.reserve(body.size());
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (body[at] != '\\' || at + 1 == body.size()) {
      out += body[at];
      continue;
    }
    const std::string_view rest = body.substr(at + 1);
    if (const int byte = simple_escape(rest[0]); byte >= 0) {
      out += static_cast<char>(byte);
      ++at;
    } else if (rest[0] == '\n' || rest.starts_with("\r\n")) {
      at += rest[0] == '\n' ? 1 : 2;
    } else if (x_dialect == Dialect::kamailio && rest[0] == 'x' && rest.size() > 1 &&
               hex_value(rest[1]) >= 0) {
      int value = hex_value(rest[1]);
      at += 2;
      if (rest.size() > 2 && hex_value(rest[2]) >= 0) {
        value = value * 16 + hex_value(rest[2]);
        ++at;
      }
      out += static_cast<char>(value);
    } else if (x_dialect == Dialect::kamailio && rest.size() > 1 && is_octal(rest[0]) && is_octal(rest[1])) {
      // Two or three digits: `\1` alone stays, it is a reference of subst().
      int value = (rest[0] - '0') * 8 + (rest[1] - '0');
      at += 2;
      if (rest.size() > 2 && is_octal(rest[2]) && value < 32) {
        value = value * 8 + (rest[2] - '0');
        ++at;
      }
      out += static_cast<char>(value);
    } else {
      out += '\\';  // unknown escapes stay as they are, as regular expressions need them
    }
  }
  return x_ast.keep(std::move(out));
}

void Lexer::read_string(Token& token) {
  const char quote = peek();
  const conf::SourceRange start{x_file, x_line, x_column, 1};
  token.kind = TokenKind::string;
  token.single_quoted = quote == '\'';
  std::size_t end = x_at + 1;
  while (end < x_text.size() && x_text[end] != quote) {
    end += quote == '"' && x_text[end] == '\\' && end + 1 < x_text.size() ? 2 : 1;
  }
  const bool closed = end < x_text.size();
  // An open string would swallow the file: it ends with its line, so that the rest can still be read.
  if (!closed) end = std::min(x_text.find('\n', x_at), x_text.size());
  const std::string_view body = x_text.substr(x_at + 1, end - x_at - 1);
  token.raw = x_text.substr(x_at, end - x_at + (closed ? 1 : 0));
  token.text = quote == '"' ? decode(body) : body;
  advance(token.raw.size());
  if (closed) return;
  token.kind = TokenKind::unknown;
  x_diagnostics.error("E0102", start, "string is not closed",
                      quote == '"' ? "end it with `\"`" : "end it with `'`");
}

}  // namespace ser::script
