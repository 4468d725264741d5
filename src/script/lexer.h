// SPDX-License-Identifier: Apache-2.0
// One text into tokens. Knows nothing of defines and includes; hands `#!` lines on as directive tokens.
#pragma once
#include <cstdint>
#include <string_view>

#include "conf/diagnostic.h"
#include "script/ast.h"
#include "script/token.h"

namespace ser::script {

/// Names of the preprocessor's directives, as written after `#!`.
bool is_directive_name(std::string_view word) noexcept;

class Lexer {
 public:
  /// `text` must live as long as the tokens (kept by `ast`, which also takes decoded strings).
  Lexer(std::string_view text, std::uint32_t file, Dialect dialect, Ast& ast,
        conf::Diagnostics& diagnostics) noexcept
      : x_text(text), x_file(file), x_dialect(dialect), x_ast(ast), x_diagnostics(diagnostics) {}

  /// The next token; TokenKind::end for ever at the end.
  Token next();
  /// Skips lines unread up to the next one that begins with `#!` or `!!` and a conditional's name, and
  /// returns it as a directive; end when there is none.
  Token next_conditional();

 private:
  bool at_end() const noexcept { return x_at >= x_text.size(); }
  char peek(std::size_t ahead = 0) const noexcept {
    return x_at + ahead < x_text.size() ? x_text[x_at + ahead] : '\0';
  }
  void advance(std::size_t count) noexcept;
  conf::SourceRange range_from(std::size_t begin, std::uint32_t line, std::uint32_t column) const noexcept;

  void skip_blanks(Token& token);
  bool at_directive(bool line_start) const noexcept;
  void skip_line() noexcept;
  void skip_block_comment();
  void read_directive(Token& token);
  void read_string(Token& token);
  std::string_view decode(std::string_view body);
  void read_number_or_word(Token& token);
  void read_variable(Token& token);
  void read_select(Token& token);
  void read_regex(Token& token);
  bool read_ipv6(Token& token);
  void read_operator(Token& token);

  std::string_view x_text;
  std::size_t x_at = 0;
  std::uint32_t x_file;
  std::uint32_t x_line = 1;
  std::uint32_t x_column = 1;
  Dialect x_dialect;
  Ast& x_ast;
  conf::Diagnostics& x_diagnostics;
  bool x_after_case = false;
  bool x_line_start = true;
};

}  // namespace ser::script
