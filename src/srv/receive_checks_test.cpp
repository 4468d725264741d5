// SPDX-License-Identifier: Apache-2.0
#include "srv/receive_checks.h"

#include <gtest/gtest.h>

#include <string>

namespace ser::srv {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kTail = "Via: SIP/2.0/UDP 192.0.2.1\r\n\r\n";

/// As the pipeline asks.
DatagramKind kind_of(std::string_view bytes, bool full) {
  sip::LineIndex lines;
  return check_datagram(strip_leading_lines(strip_trailing_nul(bytes)), full, lines);
}

TEST(ReceiveChecks, Table) {
  struct Row {
    std::string bytes;
    DatagramKind plain;  // without receive_checks
    DatagramKind full;
  };
  const auto with = [](std::string_view start) { return std::string(start) + std::string(kTail); };
  using K = DatagramKind;
  const Row rows[] = {
      {"", K::keepalive, K::keepalive},
      {"\r\n\r\n", K::keepalive, K::keepalive},
      {std::string("\0", 1), K::keepalive, K::keepalive},
      {" \t\r\n", K::keepalive, K::keepalive},
      {std::string(2000, '\n'), K::keepalive, K::keepalive},
      {"\r\njunk", K::runt, K::runt},
      {"OPTIONS sip:x SIP/2", K::runt, K::runt},
      {"OPTIONS sip:x SIP/2.", K::sip, K::no_blank_line},
      {with("OPTIONS sip:x SIP/2.0\r\n"), K::sip, K::sip},
      {with("OPTIONS sip:x SIP/2.0\n"), K::sip, K::sip},
      {with("OPTIONS sip:x SIP/2.0  \r\n"), K::sip, K::sip},
      {with("OPTIONS sip:x sip/2.0\r\n"), K::sip, K::sip},
      {with("OPTIONS sip:x SIP/7.0\r\n"), K::sip, K::sip},
      {with("\r\n\r\nOPTIONS sip:x SIP/2.0\r\n"), K::sip, K::sip},
      {with("SIP/2.0 200 OK\r\n"), K::sip, K::sip},
      {with("SIP/2.0 200 \xC3\x84h\r\n"), K::sip, K::sip},
      {with("SIP/2.0 200 a\tb\r\n"), K::sip, K::sip},
      {with("SIP/2.0 200 a\x1B[31m\r\n"), K::sip, K::bad_start_line},
      {with("SIP/2.0 200 a\x7F\r\n"), K::sip, K::bad_start_line},
      {with("OPTIONS sip:\x01 SIP/2.0\r\n"), K::sip, K::bad_start_line},
      {with("OPTIONS sip:x\r y SIP/2.0\r\n"), K::sip, K::bare_cr},
      {with("GET / HTTP/1.1\r\n"), K::sip, K::bad_version},
      {with("OPTIONS\r\n"), K::sip, K::bad_version},
      {"OPTIONS sip:x SIP/2.0\r\nVia: a\r\n", K::sip, K::no_blank_line},
      {"OPTIONS sip:x SIP/2.0\r\nVia: a\n\n", K::sip, K::sip},
      {"OPTIONS sip:x SIP/2.0\r\nVia: a\rb\r\n\r\n", K::sip, K::bare_cr},
      {"OPTIONS sip:x SIP/2.0\r\nVia: a\r\r\n\r\n", K::sip, K::bare_cr},
      {"OPTIONS sip:x SIP/2.0\r\nVia: a\r\n\r\nbody\rwith bare CR", K::sip, K::sip},
      {"OPTIONS sip:x SIP/2.0\r\n\r\n", K::sip, K::sip},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(kind_of(row.bytes, false), row.plain) << row.bytes;
    EXPECT_EQ(kind_of(row.bytes, true), row.full) << row.bytes;
  }
}

TEST(ReceiveChecks, AControlCharacterIsFoundWhereverItStands) {
  for (const std::string_view start :
       {"SIP/2.0 200 OK"sv, "SIP/2.0 200 Fine with us, all of it"sv, "OPTIONS sip:a@b SIP/2.0"sv,
        "OPTIONS sip:somebody@example.com SIP/2.0"sv}) {
    std::string message = std::string(start) + "\r\n" + std::string(kTail);
    ASSERT_EQ(kind_of(message, true), DatagramKind::sip) << start;
    for (std::size_t i = 8; i + 8 < start.size(); ++i) {
      const char before = message[i];
      for (const char c : {'\x01', '\x1F', '\x7F', '\0'}) {
        message[i] = c;
        EXPECT_EQ(kind_of(message, true), DatagramKind::bad_start_line) << start << ' ' << i;
      }
      for (const char c : {'\t', ' ', '\x80', '\xFF'}) {
        message[i] = c;
        EXPECT_EQ(kind_of(message, true), DatagramKind::sip) << start << ' ' << i;
      }
      message[i] = before;
    }
  }
  std::string reply = "SIP/2.0 200 OK\r\n" + std::string(kTail);
  reply[13] = '\x02';
  EXPECT_EQ(kind_of(reply, true), DatagramKind::bad_start_line);
}

TEST(ReceiveChecks, TrailingNulBytesAreTakenOff) {
  EXPECT_EQ(strip_trailing_nul("abc\0\0"sv), "abc"sv);
  EXPECT_EQ(strip_trailing_nul("a\0b"sv), "a\0b"sv);
  EXPECT_EQ(strip_trailing_nul("\0\0"sv), ""sv);
  EXPECT_EQ(strip_trailing_nul(""sv), ""sv);
}

}  // namespace
}  // namespace ser::srv
