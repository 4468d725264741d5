// SPDX-License-Identifier: Apache-2.0
// The checks must find every fault they are there for: each test damages a good message in one place.
#include "load/check.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "load/histogram.h"
#include "load/template.h"

namespace ser::bench {
namespace {

constexpr Id kId{7, 0x1234};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class CheckTest : public ::testing::Test {
 protected:
  CheckTest() {
    EXPECT_TRUE(x_options.server.parse("127.0.0.1:25060"));
    EXPECT_TRUE(x_options.caller.parse("127.0.0.1:25080"));
    x_options.ruri = x_options.expected_ruri = "sip:bob@example.org";
  }
  Checker& checker() {
    x_messages = make_messages(x_options, x_options.caller, 0xabcdef01);
    x_sent.resize(x_messages.request.size());
    x_messages.request.write(x_sent.data(), kId.sequence, kId.slot);
    x_tail.resize(x_messages.reply_tail.size());
    x_messages.reply_tail.write(x_tail.data(), kId.sequence, kId.slot);
    x_checker.emplace(x_options, x_messages, "127.0.0.1:25060");
    return *x_checker;
  }
  /// The request as a right proxy forwards it.
  std::string forwarded() {
    const std::string top = "Via: SIP/2.0/UDP 127.0.0.1:25060;branch=z9hG4bKabc\r\n";
    return replaced(replaced(x_sent, "Max-Forwards: 70", "Max-Forwards: 69"), "Via: ", top + "Via: ");
  }
  std::string own_via_line() const {
    const std::size_t at = x_sent.find("Via: ");
    return x_sent.substr(at, x_sent.find("\r\n", at) + 2 - at);
  }
  std::string reply() const { return "SIP/2.0 200 OK\r\n" + own_via_line() + x_tail; }
  std::string local() const {
    const std::size_t at = x_sent.find("From: ");
    std::string copied = x_sent.substr(at, x_sent.find("Contact: ") - at);
    copied = replaced(copied, "To: <sip:bob@example.org>", "To: <sip:bob@example.org>;tag=x.1");
    return "SIP/2.0 200 OK\r\n" + own_via_line() + copied + "Server: s\r\nContent-Length: 0\r\n\r\n";
  }
  void expect_request_fault(const std::string& got, const std::string& word) {
    Parts parts;
    EXPECT_FALSE(x_checker->request(got, x_sent, parts)) << got;
    EXPECT_NE(x_checker->why().find(word), std::string::npos) << x_checker->why();
  }

  Options x_options;
  Messages x_messages;
  std::string x_sent;
  std::string x_tail;
  std::optional<Checker> x_checker;
};

TEST_F(CheckTest, AcceptsARightlyForwardedRequest) {
  Parts parts;
  EXPECT_TRUE(checker().request(forwarded(), x_sent, parts)) << x_checker->why();
  const std::string received = replaced(forwarded(), "25080;", "25080;received=127.0.0.1;rport=25080;");
  Parts again;
  EXPECT_TRUE(x_checker->request(received, x_sent, again)) << x_checker->why();
  const std::string moved = replaced(replaced(forwarded(), "Max-Forwards: 69\r\n", ""), "Content-Type",
                                     "Max-Forwards: 69\r\nContent-Type");
  Parts third;
  EXPECT_TRUE(x_checker->request(moved, x_sent, third)) << x_checker->why();
}

TEST_F(CheckTest, FindsEachFaultOfAForwardedRequest) {
  checker();
  const std::string good = forwarded();
  expect_request_fault(replaced(good, "sip:bob@example.org SIP", "sip:bob@example.net SIP"), "request line");
  expect_request_fault(replaced(good, "Max-Forwards: 69", "Max-Forwards: 70"), "Max-Forwards");
  expect_request_fault(replaced(good, "Max-Forwards: 69\r\n", ""), "Max-Forwards");
  expect_request_fault(replaced(good, "127.0.0.1:25060;", "127.0.0.1:25061;"), "top Via");
  expect_request_fault(replaced(good, "branch=z9hG4bKabc", "branch=1"), "top Via");
  expect_request_fault(replaced(good, "25080;branch", "25080;x=1;branch"), "not intact");
  expect_request_fault(replaced(good, "Via: ", "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\nVia: "),
                       "3 Via");
  expect_request_fault(replaced(good, "Via: ", "Record-Route: <sip:127.0.0.1:25060;lr>\r\nVia: "),
                       "not asked for");
  expect_request_fault(replaced(good, "tag=a", "tag=b"), "differs");
  expect_request_fault(replaced(good, "Supported: replaces", "Supported: replacez"), "differs");
  expect_request_fault(good.substr(0, good.size() - 1), "differs");
  expect_request_fault(good + "x", "differs");
  expect_request_fault(x_sent, "1 Via");
}

TEST_F(CheckTest, WantsRecordRouteWhereAskedFor) {
  x_options.record_route = true;
  checker();
  expect_request_fault(forwarded(), "no Record-Route");
  Parts parts;
  const std::string good = replaced(forwarded(), "Via: ", "Record-Route: <sip:127.0.0.1:25060;lr>\r\nVia: ");
  EXPECT_TRUE(x_checker->request(good, x_sent, parts)) << x_checker->why();
  expect_request_fault(replaced(good, ";lr", ""), "not the server's");
}

TEST_F(CheckTest, ForwardedReplyMustBeTheCalleesOwn) {
  Checker& check = checker();
  EXPECT_TRUE(check.forwarded_reply(reply(), kId, {})) << check.why();
  const std::pair<const char*, const char*> faults[] = {
      {"200 OK", "200 Ok"},
      {"200 OK", "202 OK"},
      {"tag=a", "tag=c"},
      {"CSeq: 1", "CSeq: 2"},
      {"Call-ID: 0", "Call-ID: 1"},
      {"branch=z9hG4bK-", "branch=z9hG4bK+"},
      {"Via: ", "Via: SIP/2.0/UDP 127.0.0.1:25060;branch=z9hG4bKq\r\nVia: "},
      {"a=rtpmap:0", "a=rtpmap:1"},
      {"Via: ", "Record-Route: <sip:127.0.0.1:25060;lr>\r\nVia: "},
      {"Server: ", "Server:  "}};
  for (const auto& [from, to] : faults)
    EXPECT_FALSE(check.forwarded_reply(replaced(reply(), from, to), kId, {})) << to;
  EXPECT_FALSE(check.forwarded_reply(reply(), {kId.slot, kId.sequence + 1}, {}));
}

TEST_F(CheckTest, LocalReplyCopiesFourHeaderFields) {
  Checker& check = checker();
  EXPECT_TRUE(check.local_reply(local(), x_sent, kId)) << check.why();
  const std::pair<const char*, const char*> faults[] = {{"200 OK", "404 Not Found"},
                                                        {";tag=x.1", ""},
                                                        {"tag=a", "tag=c"},
                                                        {"CSeq: 1", "CSeq: 2"},
                                                        {"Call-ID: 0", "Call-ID: 1"},
                                                        {"Length: 0", "Length: 1"},
                                                        {"\r\n\r\n", "\r\n\r\nx"},
                                                        {"From: ", "Fram: "},
                                                        {"branch=z9hG4bK-", "branch=z9hG4bK+"},
                                                        {"Via: ", "Vai: "}};
  for (const auto& [from, to] : faults)
    EXPECT_FALSE(check.local_reply(replaced(local(), from, to), x_sent, kId)) << to;
}

TEST_F(CheckTest, BareServersChangeNothing) {
  x_options.bare = true;
  Checker& check = checker();
  Parts parts;
  EXPECT_TRUE(check.request(x_sent, x_sent, parts)) << check.why();
  EXPECT_TRUE(check.local_reply(x_sent, x_sent, kId)) << check.why();
  expect_request_fault(forwarded(), "differs");
}

TEST_F(CheckTest, MessagesAreOfRealisticSizeAndDistinct) {
  for (const char* method : {"OPTIONS", "MESSAGE"}) {
    x_options.method = method;
    checker();
    EXPECT_GE(x_sent.size(), 500U);
    EXPECT_LE(x_sent.size(), 1000U);
    const std::string length =
        "Content-Length: " + std::to_string(x_sent.size() - x_sent.find("\r\n\r\n") - 4) + "\r\n";
    EXPECT_NE(x_sent.find(length), std::string::npos);
    std::string other(x_sent.size(), ' ');
    x_messages.request.write(other.data(), kId.sequence + 1, kId.slot);
    EXPECT_NE(other, x_sent);
    x_messages.request.patch(other.data(), kId.sequence);
    EXPECT_EQ(other, x_sent);
    Id id;
    EXPECT_TRUE(find_id(x_sent, x_messages.id_prefix, id));
    EXPECT_EQ(id.slot, kId.slot);
    EXPECT_EQ(id.sequence, kId.sequence);
  }
}

TEST(HistogramTest, QuantilesAreWithinTwoPercent) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile_us(0.5), 0);
  for (int i = 1; i <= 100000; ++i) histogram.add(i * 10);
  EXPECT_NEAR(histogram.quantile_us(0.5), 500, 10);
  EXPECT_NEAR(histogram.quantile_us(0.99), 990, 20);
  EXPECT_DOUBLE_EQ(histogram.max_us(), 1000);
}

TEST(AddressTest, LoopbackOnly) {
  Address address;
  EXPECT_TRUE(address.parse("127.0.0.9:5060"));
  EXPECT_EQ(address.text(), "127.0.0.9:5060");
  EXPECT_TRUE(address.parse("[::1]:5060"));
  EXPECT_EQ(address.text(), "[::1]:5060");
  for (const char* bad : {"192.0.2.1:5060", "[2001:db8::1]:5060", "127.0.0.1",
                          "127.0.0.1:", "127.0.0.1:70000", "localhost:5060"}) {
    EXPECT_FALSE(address.parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace ser::bench
