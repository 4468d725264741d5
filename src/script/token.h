// SPDX-License-Identifier: Apache-2.0
// Tokens of a script, with the place each came from.
#pragma once
#include <cstdint>
#include <string_view>

#include "conf/source_map.h"

namespace ser::script {

enum class TokenKind : std::uint8_t {
  end,
  identifier,  ///< text: letters, digits, `_`; a word that begins with a digit may hold dots (host names)
  integer,     ///< number
  string,      ///< text decoded, raw as written
  address,     ///< text: IPv4 or IPv6 literal
  variable,    ///< text with the `$`
  select,      ///< text with the `@`
  regex,       ///< text: pattern of `case /re/`
  directive,   ///< text: a `#!` line without the `#!`; only between lexer and preprocessor
  assign,      ///< =
  equal,       ///< ==
  not_equal,   ///< !=
  match,       ///< =~
  not_match,   ///< !~
  greater,
  less,
  greater_equal,
  less_equal,
  logical_and,  ///< &&
  logical_or,   ///< ||
  ampersand,
  pipe,
  caret,
  tilde,
  shift_left,
  shift_right,
  bang,
  plus,
  minus,
  star,
  slash,
  percent,
  left_paren,
  right_paren,
  left_brace,
  right_brace,
  left_bracket,
  right_bracket,
  comma,
  semicolon,
  colon,
  dot,
  arrow,    ///< =>
  unknown,  ///< a byte that begins no token; already reported
};

/// Views point into texts kept by the Ast that is being built.
struct Token {
  TokenKind kind = TokenKind::end;
  bool space_before = false;   ///< white space, a comment or a line end stands before it
  bool single_quoted = false;  ///< string
  bool from_define = false;    ///< came out of a define; the range is where its name stands
  conf::SourceRange range;
  std::string_view text;
  std::string_view raw;
  std::int64_t number = 0;
};

/// How a token is named in a message: "`;`", "end of file", "a string", "`foo`".
std::string_view describe_kind(TokenKind kind) noexcept;

}  // namespace ser::script
