// SPDX-License-Identifier: Apache-2.0
#include "sip/framing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ser::sip {
namespace {

using Kind = Frame::Kind;

/// Feeds `stream` in pieces and notes what comes out: messages as their text, keep-alives as <ping>, <pong>,
/// errors as <code>.
std::vector<std::string> feed(std::string_view stream, std::size_t piece, FramingLimits limits = {}) {
  StreamFramer framer(limits);
  std::vector<std::string> out;
  std::string buffer;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    buffer += stream.substr(at, piece);
    for (;;) {
      const Frame frame = framer.next(buffer);
      if (frame.kind == Kind::need_more) break;
      if (frame.kind == Kind::error) {
        out.push_back(std::string("<") + to_string(frame.error.code) + ">");
        return out;
      }
      if (frame.kind == Kind::message) out.emplace_back(frame.bytes);
      if (frame.kind == Kind::ping) out.emplace_back("<ping>");
      if (frame.kind == Kind::pong) out.emplace_back("<pong>");
      buffer.erase(0, frame.consumed);
    }
  }
  if (!buffer.empty()) out.push_back("rest " + buffer);
  return out;
}

const std::string kFirst = "INVITE sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbody";
const std::string kSecond = "SIP/2.0 200 OK\r\nl :\r\n 0\r\nX: y\r\n\r\n";

TEST(Framing, MessagesInAnyPieces) {
  for (std::size_t piece : {1U, 2U, 3U, 7U, 40U, 1000U}) {
    EXPECT_EQ(feed(kFirst + kSecond + kFirst, piece), (std::vector<std::string>{kFirst, kSecond, kFirst}))
        << piece;
  }
}

TEST(Framing, KeepAlives) {
  EXPECT_EQ(feed("\r\n\r\n" + kFirst + "\r\n\r\n", 1000),
            (std::vector<std::string>{"<ping>", kFirst, "<ping>"}));
  EXPECT_EQ(feed("\r\n" + kFirst, 1000), (std::vector<std::string>{"<pong>", kFirst}));
  // A ping in two segments is still answered.
  EXPECT_EQ(feed("\r\n\r\n" + kFirst, 2), (std::vector<std::string>{"<pong>", "<ping>", kFirst}));
  EXPECT_EQ(feed("\r\n\r\n", 1), (std::vector<std::string>{"<pong>", "<ping>"}));
  EXPECT_EQ(feed("\r\n\r\n\r\n\r\n", 100), (std::vector<std::string>{"<ping>", "<ping>"}));
}

TEST(Framing, Errors) {
  EXPECT_EQ(feed("INVITE sip:a@b SIP/2.0\r\n\r\n", 5), std::vector<std::string>{"<missing>"});
  EXPECT_EQ(feed("X\r\nContent-Length: -1\r\n\r\n", 5), std::vector<std::string>{"<syntax>"});
  EXPECT_EQ(feed("X\r\nl: 1\r\nContent-Length: 2\r\n\r\nab", 5), std::vector<std::string>{"<syntax>"});
  EXPECT_EQ(feed("X\r\nl: 1\r\nContent-Length: 1\r\n\r\na", 5).size(), 1U);
  EXPECT_EQ(feed("X\r\nl: 99999999999999999999\r\n\r\na", 5), std::vector<std::string>{"<syntax>"});
  EXPECT_EQ(feed("X\r\nl: 5000000000\r\n\r\na", 5), std::vector<std::string>{"<out_of_range>"});
  EXPECT_EQ(feed("X\r\nl: 65536\r\n\r\na", 5), std::vector<std::string>{"<too_long>"});
  EXPECT_EQ(feed(std::string(200, 'x'), 7, {100, 100}), std::vector<std::string>{"<too_long>"});
  EXPECT_EQ(feed("X\r\nl: 80\r\n\r\n", 7, {50, 90}), std::vector<std::string>{"<too_long>"});
}

TEST(Framing, ErrorIsKeptAndCarriesTheHeader) {
  StreamFramer framer;
  const std::string header = "INVITE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n";
  const Frame frame = framer.next(header);
  EXPECT_EQ(frame.kind, Kind::error);
  EXPECT_EQ(frame.bytes, header);
  EXPECT_EQ(framer.next(kFirst).kind, Kind::error);
}

TEST(Framing, ExpectedSize) {
  StreamFramer framer;
  EXPECT_EQ(framer.next(kFirst.substr(0, 30)).kind, Kind::need_more);
  EXPECT_EQ(framer.expected(), 0U);
  EXPECT_EQ(framer.next(kFirst.substr(0, kFirst.size() - 1)).kind, Kind::need_more);
  EXPECT_EQ(framer.expected(), kFirst.size());
}

}  // namespace
}  // namespace ser::sip
