// SPDX-License-Identifier: Apache-2.0
// Tokens of both dialects, variables and format strings.
#include "script/lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "script/parser.h"

namespace ser::script {
namespace {

/// "kind:text" of all tokens, blank-separated; errors as "!CODE" at the end.
std::string tokens(std::string_view text, Dialect dialect = Dialect::kamailio) {
  Ast ast;
  conf::Diagnostics diagnostics;
  Lexer lexer(text, 0, dialect, ast, diagnostics);
  std::string out;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    if (!out.empty()) out += ' ';
    switch (token.kind) {
      case TokenKind::identifier:
        out += "id:";
        break;
      case TokenKind::integer:
        out += "int:" + std::to_string(token.number);
        continue;
      case TokenKind::string:
        out += "str:";
        break;
      case TokenKind::address:
        out += "ip:";
        break;
      case TokenKind::variable:
        out += "var:";
        break;
      case TokenKind::select:
        out += "sel:";
        break;
      case TokenKind::regex:
        out += "re:";
        break;
      case TokenKind::directive:
        out += "dir:";
        break;
      case TokenKind::unknown:
        out += "bad:";
        break;
      default:
        break;
    }
    out += token.text;
  }
  for (const conf::Diagnostic& one : diagnostics.sorted()) out += std::string(" !") + one.code;
  return out;
}

struct Row {
  std::string_view text;
  std::string_view expected;
};

TEST(Lexer, both_dialects) {
  constexpr Row kRows[] = {
      {"a_1 B", "id:a_1 id:B"},
      {"0 7 0x1F", "int:0 int:7 int:31"},
      {"10.0.0.1:5060", "ip:10.0.0.1 : int:5060"},
      {"10.0.0.0/8", "ip:10.0.0.0 / int:8"},
      {"[2001:db8::1] ::1 ::", "[ ip:2001:db8::1 ] ip:::1 ip:::"},
      {"::ffff:10.1.2.3", "ip:::ffff:10.1.2.3"},
      {"cafe:babe", "id:cafe : id:babe"},
      {"3com.example.org", "id:3com.example.org"},
      {"1.2.3", "ip:1.2.3 !E0104"},
      {"300.1.1.1", "ip:300.1.1.1 !E0104"},
      {"99999999999999999999", "int:0 !E0105"},
      {"a # b\nc // d\ne /* f */ g", "id:a id:c id:e id:g"},
      {"/* a /* b */ c */ d", "id:d"},
      {"/* a", " !E0101"},
      {"#!/usr/sbin/ser\na", "id:a"},
      {"== != =~ !~ >= <= && || << >> => = ! & | ^ ~", "== != =~ !~ >= <= && || << >> => = ! & | ^ ~"},
      {"x.y{}()[],;:", "id:x . id:y { } ( ) [ ] , ; :"},
      {R"("a\n\t\"\\\.b")", "str:a\n\t\"\\\\.b"},
      {R"('a\n"b')", "str:a\\n\"b"},
      {"\"a\\\nb\nc\"", "str:ab\nc"},
      {"\"open\nx", "bad:open id:x !E0102"},
      {"a \\\nb", "id:a id:b"},
      {"a ` b", "id:a bad:` id:b !E0108"},
      {"case /^sip:.*\\/x/: a / b", "id:case re:^sip:.*\\/x : id:a / id:b"},
      {"case /x\ny", "id:case re:x id:y !E0107"},
      {"@cfg_get.a.b == @msg.header[\"x\"]", "sel:@cfg_get.a.b == sel:@msg.header[\"x\"]"},
      {"a \x01", "id:a bad:\x01 !E0108"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(tokens(row.text), row.expected) << row.text;
    EXPECT_EQ(tokens(row.text, Dialect::ser), row.expected) << row.text;
  }
}

TEST(Lexer, differences_of_the_dialects) {
  EXPECT_EQ(tokens("0666"), "int:438");
  EXPECT_EQ(tokens("0666", Dialect::ser), "int:666");
  EXPECT_EQ(tokens("0999"), "int:0 !E0105");
  EXPECT_EQ(tokens("101b"), "int:5");
  EXPECT_EQ(tokens(R"("\x41\101\1")"), "str:AA\\1");
  EXPECT_EQ(tokens(R"("\x41\101\1")", Dialect::ser), R"(str:\x41\101\1)");
  EXPECT_EQ(tokens("#!ifdfe X\na"), "dir:ifdfe X id:a");
  EXPECT_EQ(tokens("#!ifdfe X\na", Dialect::ser), "id:a");
}

TEST(Lexer, variables) {
  constexpr Row kRows[] = {
      {"$ru $rU=$null", "var:$ru var:$rU = var:$null"},
      {"$avp(s:x)==1", "var:$avp(s:x) == int:1"},
      {"$sht(ipban=>$si)!=$null", "var:$sht(ipban=>$si) != var:$null"},
      {"$(ru{s.substr,0,$var(n)}) x", "var:$(ru{s.substr,0,$var(n)}) id:x"},
      {"$(hdr(Via)[-1]{s.len})", "var:$(hdr(Via)[-1]{s.len})"},
      {"$?", "var:$?"},
      {"$ x", "bad:$ id:x !E0106"},
      {"$var(x\ny", "bad:$var( id:x id:y !E0106"},
      {"$(ru", "bad:$( id:ru !E0106"},
  };
  for (const Row& row : kRows) EXPECT_EQ(tokens(row.text), row.expected) << row.text;
}

TEST(Lexer, positions_are_one_based_bytes) {
  Ast ast;
  conf::Diagnostics diagnostics;
  Lexer lexer("ab\n\t\"x\ny\" z", 3, Dialect::kamailio, ast, diagnostics);
  const Token first = lexer.next();
  EXPECT_EQ(first.range.file, 3U);
  EXPECT_EQ(first.range.line, 1U);
  EXPECT_EQ(first.range.column, 1U);
  EXPECT_EQ(first.range.length, 2U);
  const Token text = lexer.next();
  EXPECT_EQ(text.range.line, 2U);
  EXPECT_EQ(text.range.column, 2U);
  EXPECT_EQ(text.range.length, 2U) << "a string of two lines is marked on its first";
  const Token last = lexer.next();
  EXPECT_EQ(last.range.line, 3U);
  EXPECT_EQ(last.range.column, 4U);
  EXPECT_TRUE(last.space_before);
}

TEST(Variable, parts) {
  Ast ast;
  const VariableSyntax* one = parse_variable("$(avp(s:x)[2]{s.substr,0,$(var(n){s.int})}{s.len})", ast);
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->name, "avp");
  EXPECT_EQ(one->inner, "s:x");
  EXPECT_EQ(one->index, "2");
  ASSERT_EQ(one->transformations.size(), 2U);
  EXPECT_EQ(one->transformations[0].name, "s.substr");
  ASSERT_EQ(one->transformations[0].arguments.size(), 2U);
  EXPECT_EQ(one->transformations[0].arguments[1], "$(var(n){s.int})");
  EXPECT_EQ(one->transformations[1].name, "s.len");
  const VariableSyntax* plain = parse_variable("$ru", ast);
  ASSERT_NE(plain, nullptr);
  EXPECT_FALSE(plain->has_inner);
  for (const char* bad : {"", "$", "ru", "$ru x", "$(ru", "$()", "$(ru]", "$(ru)x", "$(avp(x)y)"}) {
    EXPECT_EQ(parse_variable(bad, ast), nullptr) << bad;
  }
}

TEST(Format, parts) {
  Ast ast;
  std::size_t bad = 0;
  const auto parts = parse_format("from $fu, $$5 $(ru{s.len})$rm.", ast, bad);
  ASSERT_TRUE(parts);
  std::string text;
  for (const FormatPart& part : *parts) {
    text +=
        part.variable != nullptr ? "<" + std::string(part.variable->name) + ">" : std::string(part.literal);
  }
  EXPECT_EQ(text, "from <fu>, $5 <ru><rm>.");
  EXPECT_EQ(parts->at(1).offset, 5U);
  EXPECT_TRUE(parse_format("", ast, bad)->empty());
  EXPECT_FALSE(parse_format("abc $ x", ast, bad));
  EXPECT_EQ(bad, 4U);
  EXPECT_FALSE(parse_format("$var(x", ast, bad));
  EXPECT_EQ(bad, 0U);
}

}  // namespace
}  // namespace ser::script
