// SPDX-License-Identifier: Apache-2.0
#include "sip/start_line.h"

#include <gtest/gtest.h>

#include <string>

namespace ser::sip {
namespace {

using namespace std::string_view_literals;

TEST(StartLine, Request) {
  const auto line = parse_start_line("INVITE sip:a@example.com SIP/2.0\r\nVia: x");
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->is_request);
  EXPECT_EQ(line->method, Method::invite);
  EXPECT_EQ(line->method_name, "INVITE");
  EXPECT_EQ(line->uri, "sip:a@example.com");
  EXPECT_EQ(line->version, "SIP/2.0");
  EXPECT_EQ(line->line, "INVITE sip:a@example.com SIP/2.0");
  EXPECT_EQ(line->status, 0);
}

TEST(StartLine, RequestsThatAreFine) {
  for (const char* good : {"!x-Y0_*+`.%'~ sip:a SIP/2.0\r\n", "invite tel:+1 SIP/2.0\n", "BYE x sip/2.0\r\n",
                           "OPTIONS sip:[2001:db8::1] SIP/2.0\r\n"}) {
    const auto line = parse_start_line(good);
    ASSERT_TRUE(line) << good;
    EXPECT_TRUE(line->is_request);
    EXPECT_FALSE(line->uri.empty());
  }
}

TEST(StartLine, Status) {
  const struct {
    std::string_view text, reason;
    std::uint16_t status;
  } rows[] = {{"SIP/2.0 200 OK\r\n", "OK", 200},
              {"SIP/2.0 100 \r\n", "", 100},
              {"SIP/2.0 100\r\n", "", 100},
              {"sip/2.0 699 a  b \n", "a  b ", 699},
              {"SIP/2.0 180 \xD1\x80\r\n", "\xD1\x80", 180}};
  for (const auto& row : rows) {
    const auto line = parse_start_line(row.text);
    ASSERT_TRUE(line) << row.text;
    EXPECT_FALSE(line->is_request);
    EXPECT_EQ(line->status, row.status);
    EXPECT_EQ(line->reason, row.reason);
    EXPECT_TRUE(line->method_name.empty());
  }
}

TEST(StartLine, Refused) {
  const struct {
    std::string_view text;
    Errc code;
    std::uint32_t offset;
    bool answerable;  // filled so far that a 400 or 505 can be sent
  } rows[] = {
      {"", Errc::incomplete, 0, false},
      {"INVITE sip:a SIP/2.0", Errc::incomplete, 0, false},
      {"\r\n", Errc::syntax, 0, false},
      {"hello\r\n", Errc::syntax, 0, false},
      {"INVITE sip:a\r\n", Errc::syntax, 7, false},
      {"INVITE SIP/2.0\r\n", Errc::syntax, 6, true},
      {"INVITE  SIP/2.0\r\n", Errc::syntax, 7, true},
      {"IN@VITE sip:a SIP/2.0\r\n", Errc::syntax, 0, false},
      {"\xC3\xA4 sip:a SIP/2.0\r\n", Errc::syntax, 0, false},
      {" INVITE sip:a SIP/2.0\r\n", Errc::syntax, 0, false},
      {"INVITE sip:a HTTP/1.1\r\n", Errc::syntax, 13, false},
      {"INVITE sip:a b SIP/2.0\r\n", Errc::syntax, 7, true},
      {"INVITE  sip:a SIP/2.0\r\n", Errc::syntax, 8, true},
      {"INVITE sip:a  SIP/2.0\r\n", Errc::syntax, 7, true},
      {"INVITE sip:a SIP/2.0 \r\n", Errc::syntax, 7, true},
      {"INVITE sip:a\rb SIP/2.0\r\n", Errc::syntax, 7, true},
      {"INVITE sip:a\0b SIP/2.0\r\n"sv, Errc::syntax, 7, true},
      {"INVITE sip:a\tSIP/2.0\r\n", Errc::syntax, 7, true},
      {"INVITE sip:a SIP/3.0\r\n", Errc::version, 13, true},
      {"INVITE sip:a SIP/\r\n", Errc::syntax, 13, true},
      {"INVITE sip:a SIP/2.x\r\n", Errc::syntax, 13, true},
      {"SIP/2.0\r\n", Errc::syntax, 0, false},
      {"SIP/7.0 200 OK\r\n", Errc::version, 0, false},
      {"SIP/x 200 OK\r\n", Errc::syntax, 0, false},
      {"SIP/2.0 abc\r\n", Errc::syntax, 8, false},
      {"SIP/2.0 20x OK\r\n", Errc::syntax, 8, false},
      {"SIP/2.0 099 OK\r\n", Errc::out_of_range, 8, false},
      {"SIP/2.0 700 OK\r\n", Errc::out_of_range, 8, false},
      {"SIP/2.0 0200 OK\r\n", Errc::out_of_range, 8, false},
      {"SIP/2.0 4294967301 x\r\n", Errc::out_of_range, 8, false},
  };
  for (const auto& row : rows) {
    StartLine out;
    const auto result = parse_start_line(row.text, out);
    ASSERT_FALSE(result) << row.text;
    EXPECT_EQ(result.error().code, row.code) << row.text << ": " << result.error().what;
    EXPECT_EQ(result.error().offset, row.offset) << row.text;
    EXPECT_EQ(!out.method_name.empty(), row.answerable) << row.text;
    EXPECT_EQ(out.is_request, row.answerable) << row.text;
    EXPECT_EQ(out.status, 0);
    const auto by_value = parse_start_line(row.text);
    ASSERT_FALSE(by_value);
    EXPECT_EQ(by_value.error().code, row.code);
  }
}

TEST(StartLine, WrongVersionIsFilled) {
  StartLine out;
  const auto result = parse_start_line("OPTIONS sip:t@example.org SIP/7.0\r\n", out);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::version);
  EXPECT_EQ(out.method, Method::options);
  EXPECT_EQ(out.uri, "sip:t@example.org");
  EXPECT_EQ(out.version, "SIP/7.0");
}

}  // namespace
}  // namespace ser::sip
