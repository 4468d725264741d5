// SPDX-License-Identifier: Apache-2.0
#include "sip/scanner.h"

#include <gtest/gtest.h>

#include <string>

#include "sip/params.h"

namespace ser::sip {
namespace {

using namespace std::string_view_literals;

TEST(Scanner, FieldEndFollowsFolds) {
  const auto length = [](std::string_view text) -> std::ptrdiff_t {
    const char* end = field_end(text.data(), text.data() + text.size());
    return end == nullptr ? -1 : end - text.data();
  };
  EXPECT_EQ(length("a: b\r\nc"), 6);
  EXPECT_EQ(length("a: b\nc"), 5);
  EXPECT_EQ(length("a: b\r\n c\r\n\td\r\ne"), 14);
  EXPECT_EQ(length("a: b\r\n"), 6);
  EXPECT_EQ(length("a: b\rc"), -1);
  EXPECT_EQ(length("a: b\r\n c"), -1);
  EXPECT_EQ(length(""), -1);
}

TEST(Scanner, Lws) {
  const struct {
    std::string_view text;
    std::size_t skipped;
  } rows[] = {{"", 0},       {"x", 0},        {" x", 1},           {" \t x", 3},
              {"\r\n x", 3}, {"\n\tx", 2},    {" \r\n \r\n x", 7}, {"\r\nx", 0},
              {"\rx", 0},    {" \rx", 1},     {" \r\n", 1},        {" \n", 1},
              {"\r", 0},     {"\r\r\n x", 0}, {"\0 x"sv, 0}};
  for (const auto& row : rows) {
    Cursor cursor(row.text);
    EXPECT_EQ(cursor.skip_lws(), row.skipped != 0) << row.text;
    EXPECT_EQ(cursor.offset(), row.skipped) << row.text;
  }
}

TEST(Scanner, QuotedStrings) {
  const struct {
    std::string_view text;
    std::string_view inside;
  } good[] = {{"\"\"", ""},
              {"\"a b\"x", "a b"},
              {R"("a\"b\\")", R"(a\"b\\)"},
              {"\"a\r\n b\"", "a\r\n b"},
              {"\"\\\0\\\x7F\\\a\""sv, "\\\0\\\x7F\\\a"sv},
              {"\"\xD1\x80\t\"", "\xD1\x80\t"}};
  for (const auto& row : good) {
    Cursor cursor(row.text);
    std::string_view inside;
    ASSERT_TRUE(cursor.quoted_string(inside)) << row.text;
    EXPECT_EQ(inside, row.inside);
    EXPECT_EQ(cursor.offset(), row.inside.size() + 2);
  }
  for (const std::string_view bad : {"\""sv, "\"abc"sv, R"("abc\")"sv, "\"a\0b\""sv, "\"a\rb\""sv,
                                     "\"a\r\nb\""sv, "\"\\"sv, "\"\\\r\n\""sv, "\"\x01\""sv, "\"\x7F\""sv}) {
    Cursor cursor(bad);
    std::string_view inside;
    EXPECT_FALSE(cursor.quoted_string(inside)) << bad;
  }
}

TEST(Scanner, Comments) {
  for (const std::string_view good : {"()"sv, "(a(b)c)"sv, R"((\)\())"sv, "(a\r\n b)"sv, "(((((())))))"sv}) {
    Cursor cursor(good);
    EXPECT_TRUE(cursor.comment()) << good;
    EXPECT_TRUE(cursor.at_end()) << good;
  }
  for (const std::string_view bad : {"("sv, "(()"sv, R"((\))"sv, "(\r)"sv, "(\0)"sv, "(\\"sv}) {
    Cursor cursor(bad);
    EXPECT_FALSE(cursor.comment()) << bad;
  }
  const std::string deep(60000, '(');
  Cursor cursor(deep);
  EXPECT_FALSE(cursor.comment());
}

TEST(Scanner, HostsAndNumbers) {
  const struct {
    std::string_view text;
    std::string_view host;
  } rows[] = {{"a-b.example.com:5060", "a-b.example.com"},
              {"[2001:db8::1]:5060", "[2001:db8::1]"},
              {"[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]"},
              {"[2001:db8::1", ""},
              {"[]", ""},
              {"[example.com]", ""},
              {":5060", ""}};
  for (const auto& row : rows) {
    Cursor cursor(row.text);
    EXPECT_EQ(cursor.host(), row.host) << row.text;
  }
  std::uint64_t value = 0;
  Cursor digits("00042x");
  EXPECT_TRUE(digits.number(value));
  EXPECT_EQ(value, 42U);
  EXPECT_FALSE(digits.number(value));
  Cursor huge("99999999999999999999999999999999999999");
  EXPECT_TRUE(huge.number(value));
  EXPECT_GT(value, 0xFFFFFFFFU);
  EXPECT_TRUE(huge.at_end());
}

TEST(Scanner, Classes) {
  EXPECT_TRUE(is_token("azAZ09-.!%*_+`'~"));
  for (const std::string_view bad :
       {""sv, "a b"sv, "a:b"sv, "a\0"sv, "\xC3\xA4"sv, "a@b"sv, "a/b"sv, "a=b"sv}) {
    EXPECT_FALSE(is_token(bad)) << bad;
  }
  EXPECT_TRUE(is_visible("sip:someone@example.com"));
  EXPECT_TRUE(is_visible("\xC3\xA4"));
  for (const std::string_view bad :
       {""sv, "a b"sv, "12345678 9"sv, "1234567\t"sv, "\0"sv, "12345678901\r"sv}) {
    EXPECT_FALSE(is_visible(bad)) << bad;
  }
}

TEST(Params, WalksAllForms) {
  ParamIterator it(" ; lr;Tag = a1 ;x=\"a;\\\"b\"\r\n ;ip=[::1]:5060;empty=\"\"");
  const struct {
    std::string_view name, value;
    bool has_value, quoted;
  } rows[] = {{"lr", "", false, false},
              {"Tag", "a1", true, false},
              {"x", "a;\\\"b", true, true},
              {"ip", "[::1]:5060", true, false},
              {"empty", "", true, true}};
  for (const auto& row : rows) {
    ASSERT_TRUE(it.next()) << row.name;
    EXPECT_EQ(it.name, row.name);
    EXPECT_EQ(it.value, row.value);
    EXPECT_EQ(it.has_value, row.has_value);
    EXPECT_EQ(it.quoted, row.quoted);
  }
  EXPECT_FALSE(it.next());
  EXPECT_TRUE(it.ok);
}

TEST(Scanner, RunsOfEveryClassEndWhereABytewiseLoopEnds) {
  for (const std::uint8_t bits :
       {kTokenChar, kHostChar, kWordChar, kSchemeChar, kUriChar, kValueChar, kIpv6Char}) {
    for (unsigned c = 0; c < 256; ++c) {
      for (std::size_t at = 0; at < 40; ++at) {
        std::string text(40, at % 2 == 0 ? 'f' : '.');
        text[at] = static_cast<char>(c);
        const char* end = text.data();
        while (end != text.data() + text.size() && is_class(*end, bits)) ++end;
        // Wherever it starts, and whatever of the text may be read before that.
        for (const char* from = text.data(); from <= end; ++from) {
          ASSERT_EQ(run_end(text.data(), from, text.data() + text.size(), bits), end) << c << ' ' << at;
          ASSERT_EQ(run_end(from, from, text.data() + text.size(), bits), end) << c << ' ' << at;
        }
      }
    }
  }
}

TEST(Params, Malformed) {
  const struct {
    std::string_view text;
    int good;
  } rows[] = {{"x", 0},    {";", 0},     {";;a", 0},      {";a=", 1 - 1}, {";a=\"b", 0},
              {";a b", 1}, {";a;=b", 1}, {";a=b,c=d", 1}, {";a=@", 0},    {";a\r;b", 1}};
  for (const auto& row : rows) {
    ParamIterator it(row.text);
    int good = 0;
    while (it.next()) ++good;
    EXPECT_FALSE(it.ok) << row.text;
    EXPECT_FALSE(it.next());
    EXPECT_EQ(good, row.good) << row.text;
  }
  ParamIterator none("");
  EXPECT_FALSE(none.next());
  EXPECT_TRUE(none.ok);
}

TEST(Params, FindByName) {
  EXPECT_EQ(find_param(";a=1;TAG=xy;b", "tag"), "xy");
  EXPECT_EQ(find_param(";a=1;lr", "lr"), "");
  EXPECT_EQ(find_param(";a=1;a=2", "a"), "1");
  EXPECT_EQ(find_param(";a=1", "b"), std::nullopt);
  EXPECT_EQ(find_param(";=;b", "b"), std::nullopt);
  EXPECT_EQ(find_param("", "b"), std::nullopt);
}

}  // namespace
}  // namespace ser::sip
