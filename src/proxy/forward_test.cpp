// SPDX-License-Identifier: Apache-2.0
#include "proxy/forward.h"

#include <gmock/gmock.h>

#include "proxy/test_services.h"
#include "proxy/via_token.h"

namespace ser::proxy {
namespace {

using testing::address;
using testing::crlf;
using ::testing::HasSubstr;
using testing::lines_named;
using ::testing::Not;
using ::testing::StartsWith;
using testing::TestRun;
using testing::TestServices;

const SockAddr kClient = address("192.0.2.1", 5070);
const SockAddr kUs = address("192.0.2.9", 5060);
const SockAddr kHop = address("198.51.100.7", 5062);

struct Parts {
  std::string uri = "sip:u@example.com";
  std::string via = "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx\n";
  std::string hops = "Max-Forwards: 70\n";
  std::string more;
  std::string body;
};

std::string request(const Parts& parts = {}) {
  return crlf("MESSAGE " + parts.uri + " SIP/2.0\n" + parts.via + "X-First: 1\n" + parts.hops +
              "From: <sip:a@example.com>;tag=1\nTo: <sip:u@example.com>\nCall-ID: c1\nCSeq: 1 MESSAGE\n" +
              parts.more + "Content-Length: " + std::to_string(parts.body.size()) + "\n\n") +
         parts.body;
}

class Forward : public ::testing::Test {
 protected:
  Forward() { world.listen("192.0.2.9", 5060); }

  /// Forwards to kHop; what left, or nothing.
  std::string forward(const std::string& text, SockAddr from = kClient) {
    return forward_to(text, kHop, from);
  }
  std::string forward_to(const std::string& text, const SockAddr& hop, SockAddr from = kClient) {
    TestRun run(world, text, from, kUs);
    const std::size_t before = world.sink.sent.size();
    const auto sent = forward_request(*run, hop);
    error = run.state.last_error;
    if (!sent) return {};
    EXPECT_EQ(world.sink.sent.size(), before + 1);
    return world.sink.sent.back().bytes;
  }

  TestServices world;
  LastError error;
};

TEST_F(Forward, OwnViaOnTopAndOneHopLess) {
  const std::string in = request();
  const std::string out = forward(in);
  EXPECT_THAT(
      out,
      StartsWith("MESSAGE sip:u@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKs00"));
  EXPECT_THAT(
      out,
      HasSubstr("\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx\r\nX-First: 1\r\nMax-Forwards: 69\r\n"));
  EXPECT_EQ(world.sink.sent.back().to(), "198.51.100.7:5062");
  EXPECT_EQ(world.sink.sent.back().target.socket, 0);
  EXPECT_FALSE(world.sink.sent.back().target.from_ip.valid());
  // But for the two changes, byte for byte.
  const std::string own =
      lines_named(out, "Via").substr(0, out.find("\r\nVia: SIP/2.0/UDP 192.0.2.1") - out.find("Via: ") + 2);
  std::string rest = out;
  rest.erase(rest.find(own), own.size());
  rest.replace(rest.find("Max-Forwards: 69"), 16, "Max-Forwards: 70");
  EXPECT_EQ(rest, in);
  EXPECT_EQ(world.counted("fwd_requests"), 1U);
}

TEST_F(Forward, TheBranchProvesItself) {
  const std::string out = forward(request());
  TestRun answer(world, out, kClient, kUs);
  const sip::Via& top = **answer->message().via(0);
  EXPECT_TRUE(read_token(world.via_key, top.branch, *answer->message().via(1)));
  EXPECT_EQ(forward(request()), out) << "a retransmission gets the same branch";
}

TEST_F(Forward, SourceNotedInTheTopVia) {
  struct Row {
    const char* via;
    const char* from;
    const char* noted;
  };
  const Row rows[] = {
      {"Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx", "192.0.2.1",
       "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx"},
      {"Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx", "192.0.2.2",
       "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx;received=192.0.2.2"},
      {"Via: SIP/2.0/UDP host.example;branch=z9hG4bKx", "192.0.2.1",
       "Via: SIP/2.0/UDP host.example;branch=z9hG4bKx;received=192.0.2.1"},
      {"Via: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKx", "192.0.2.1",
       "Via: SIP/2.0/UDP 192.0.2.1;rport=5070;branch=z9hG4bKx;received=192.0.2.1"},
      {"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport=9;received=203.0.113.66", "192.0.2.1",
       "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport=5070;received=192.0.2.1"},
      {"Via: SIP/2.0/UDP 192.0.2.1;received=203.0.113.66;branch=z9hG4bKx", "192.0.2.1",
       "Via: SIP/2.0/UDP 192.0.2.1;received=192.0.2.1;branch=z9hG4bKx"},
      {"v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKy", "192.0.2.2",
       "v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;received=192.0.2.2, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKy"},
  };
  for (const Row& row : rows) {
    Parts parts;
    parts.via = std::string(row.via) + "\n";
    EXPECT_THAT(forward(request(parts), address(row.from, 5070)),
                HasSubstr("\r\n" + std::string(row.noted) + "\r\nX-First"));
  }
}

TEST_F(Forward, RportByForce) {
  TestRun run(world, request(), kClient, kUs);
  run.state.rport_forced = true;
  ASSERT_TRUE(forward_request(*run, kHop));
  EXPECT_THAT(world.sink.sent.back().bytes, HasSubstr(";branch=z9hG4bKx;rport=5070;received=192.0.2.1\r\n"));
  world.settings.force_rport = true;
  EXPECT_THAT(forward(request()), HasSubstr(";branch=z9hG4bKx;rport=5070;received=192.0.2.1\r\n"));
}

TEST_F(Forward, MaxForwards) {
  struct Row {
    const char* in;
    const char* out;  // nullptr: refused
    unsigned status;
  };
  const Row rows[] = {
      {"Max-Forwards: 70\n", "Max-Forwards: 69\r\n", 0},
      {"Max-Forwards:1\n", "Max-Forwards:0\r\n", 0},
      {"Max-Forwards: 255\n", "Max-Forwards: 254\r\n", 0},
      {"max-forwards : 010\n", "max-forwards : 9\r\n", 0},
      {"", "Max-Forwards: 70\r\n", 0},
      {"Max-Forwards: 0\n", nullptr, 483},
      {"Max-Forwards: 300\n", nullptr, 400},
      {"Max-Forwards: many\n", nullptr, 400},
      {"Max-Forwards:\n", nullptr, 400},
      {"Max-Forwards: -1\n", nullptr, 400},
  };
  for (const Row& row : rows) {
    Parts parts;
    parts.hops = row.in;
    const std::string out = forward(request(parts));
    EXPECT_EQ(out.empty(), row.out == nullptr) << row.in;
    if (row.out != nullptr) {
      EXPECT_THAT(out, HasSubstr("\r\n" + std::string(row.out))) << row.in;
    }
    EXPECT_EQ(error.status, row.status) << row.in;
  }
  EXPECT_EQ(world.counted("max_forwards_zero"), 1U);
  EXPECT_EQ(world.counted("err_requests"), 5U);
  Parts none;
  none.hops = "";
  const std::string out = forward(request(none));
  EXPECT_LT(out.find("Via: SIP/2.0/UDP 192.0.2.9"), out.find("Max-Forwards")) << "below the own Via";
  EXPECT_LT(out.find("Max-Forwards"), out.find("Via: SIP/2.0/UDP 192.0.2.1"));
}

TEST_F(Forward, HopCountedBySomebodyElseIsLeftAlone) {
  TestRun run(world, request(), kClient, kUs);
  run.state.max_forwards_done = true;
  ASSERT_TRUE(forward_request(*run, kHop));
  EXPECT_THAT(world.sink.sent.back().bytes, HasSubstr("Max-Forwards: 70\r\n"));
}

TEST_F(Forward, RequestUriAndEditsOfTheScript) {
  TestRun run(world, request(), kClient, kUs);
  ASSERT_TRUE(run->set_uri("sip:other@203.0.113.4:5099"));
  ASSERT_TRUE(run->edits()->append_field("X-Last", "2"));
  ASSERT_TRUE(run->edits()->remove(run->message().find("X-First")->line()));
  ASSERT_TRUE(forward_request(*run));
  const testing::Sent& sent = world.sink.sent.back();
  EXPECT_EQ(sent.to(), "203.0.113.4:5099");
  EXPECT_THAT(sent.bytes, StartsWith("MESSAGE sip:other@203.0.113.4:5099 SIP/2.0\r\nVia: "));
  EXPECT_THAT(sent.bytes, HasSubstr("Content-Length: 0\r\nX-Last: 2\r\n\r\n"));
  EXPECT_THAT(sent.bytes, Not(HasSubstr("X-First")));
}

TEST_F(Forward, NextHopOfTheUri) {
  world.names.hosts = {
      {"a.example", {"203.0.113.4"}}, {"six.example", {"2001:db8::4", "203.0.113.5"}}, {"gone.example", {}}};
  struct Row {
    const char* uri;
    const char* dst;
    const char* to;  // nullptr: refused
    unsigned status;
  };
  const Row rows[] = {
      {"sip:203.0.113.4", "", "203.0.113.4:5060", 0},
      {"sip:u@203.0.113.4:5070;transport=udp", "", "203.0.113.4:5070", 0},
      {"sip:u@a.example", "", "203.0.113.4:5060", 0},
      {"sip:u@ignored.example:1;maddr=203.0.113.6", "", "203.0.113.6:1", 0},
      {"sip:u@ignored.example", "sip:203.0.113.7:99", "203.0.113.7:99", 0},
      {"sip:u@six.example", "", "203.0.113.5:5060", 0},
      {"sip:u@later.example", "", nullptr, 503},
      {"sip:u@gone.example", "", nullptr, 478},
      {"sip:u@203.0.113.4;transport=tcp", "", nullptr, 500},
      {"sips:u@203.0.113.4", "", nullptr, 500},
      {"tel:+123", "", nullptr, 416},
      {"sip:u@224.0.0.1", "", nullptr, 500},
      {"sip:u@0.0.0.0", "", nullptr, 500},
      {"sip:u@255.255.255.255", "", nullptr, 500},
  };
  for (const Row& row : rows) {
    Parts parts;
    parts.uri = row.uri;
    TestRun run(world, request(parts), kClient, kUs);
    ASSERT_TRUE(run->set_dst_uri(row.dst));
    const std::size_t before = world.sink.sent.size();
    EXPECT_EQ(static_cast<bool>(forward_request(*run)), row.to != nullptr) << row.uri;
    EXPECT_EQ(run.state.last_error.status, row.status) << row.uri;
    ASSERT_EQ(world.sink.sent.size(), before + (row.to != nullptr ? 1 : 0)) << row.uri;
    if (row.to != nullptr) {
      EXPECT_EQ(world.sink.sent.back().to(), row.to);
    }
  }
  EXPECT_EQ(world.counted("dns_pending"), 1U);
  EXPECT_EQ(world.counted("dns_failed"), 1U);
}

TEST_F(Forward, BytesBehindContentLengthStayHere) {
  Parts parts;
  parts.body = "hello";
  EXPECT_TRUE(forward(request(parts) + "junk").ends_with("\r\n\r\nhello"));
  std::string longer = request(parts);
  longer.replace(longer.find("Content-Length: 5"), 17, "Content-Length: 9");
  EXPECT_TRUE(forward(longer).ends_with("\r\n\r\nhello")) << "a body cut short is not made up";
  std::string compact = request(parts);
  compact.replace(compact.find("Content-Length: 5"), 17, "l : 3");
  EXPECT_TRUE(forward(compact).ends_with("\r\n\r\nhel"));
}

TEST_F(Forward, TooLongForADatagram) {
  world.sink.limit = 600;
  Parts parts;
  parts.body = std::string(700, 'x');
  EXPECT_EQ(forward(request(parts)), "");
  EXPECT_EQ(world.counted("too_large"), 1U);
}

TEST_F(Forward, NoSocketOfThatFamily) {
  EXPECT_EQ(forward_to(request(), address("2001:db8::5", 5060)), "");
  EXPECT_EQ(error.status, 500);
  EXPECT_EQ(world.counted("send_refused"), 1U);
  EXPECT_EQ(forward_to(request(), address("198.51.100.7", 0)), "") << "port 0 is no destination";
}

TEST(ForwardSockets, Ipv6AndForcedSocket) {
  TestServices world;
  world.listen("192.0.2.9", 5060);
  const SocketId six = world.listen("2001:db8::9", 5060);
  const SocketId other = world.listen("192.0.2.10", 5080);
  TestRun run(world, request(), kClient, kUs);
  ASSERT_TRUE(forward_request(*run, address("2001:db8::5", 5060)));
  EXPECT_EQ(world.sink.sent.back().target.socket, six);
  EXPECT_THAT(world.sink.sent.back().bytes, HasSubstr("Via: SIP/2.0/UDP [2001:db8::9]:5060;branch="));
  TestRun forced(world, request(), kClient, kUs);
  forced.state.force_socket = other;
  ASSERT_TRUE(forward_request(*forced, kHop));
  EXPECT_EQ(world.sink.sent.back().target.socket, other);
  EXPECT_THAT(world.sink.sent.back().bytes, HasSubstr("Via: SIP/2.0/UDP 192.0.2.10:5080;branch="));
  forced.state.force_socket = six;
  ASSERT_TRUE(forward_request(*forced, kHop)) << "a socket of the wrong family is passed over";
  EXPECT_EQ(world.sink.sent.back().target.socket, 0);
  const std::string from_six =
      crlf("MESSAGE sip:u@x SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::77];rport;branch=z9hG4bKx\n\n");
  TestRun six_run(world, from_six, address("2001:db8::77", 5071), address("2001:db8::9", 5060), six);
  ASSERT_TRUE(forward_request(*six_run, address("2001:db8::5", 5060)));
  EXPECT_THAT(world.sink.sent.back().bytes,
              HasSubstr("rport=5071;branch=z9hG4bKx;received=2001:db8::77\r\n"));
}

TEST(ForwardSockets, WildcardSpeaksFromWhereItWasCalled) {
  TestServices world;
  world.listen("0.0.0.0", 5060);
  world.sockets.add_local_address(*parse_ip("192.0.2.33"));
  TestRun run(world, request(), kClient, kUs);
  ASSERT_TRUE(forward_request(*run, kHop));
  EXPECT_EQ(world.sink.sent.back().target.from_ip, kUs.ip);
  EXPECT_THAT(world.sink.sent.back().bytes, HasSubstr("Via: SIP/2.0/UDP 192.0.2.9:5060;branch="));
  // From a client on this machine to another one: loopback is no source address there.
  TestRun inner(world, request(), address("127.0.0.1", 5070), address("127.0.0.1", 5060));
  ASSERT_TRUE(forward_request(*inner, kHop));
  EXPECT_EQ(world.sink.sent.back().target.from_ip, *parse_ip("192.0.2.33"));
  EXPECT_THAT(world.sink.sent.back().bytes, HasSubstr("Via: SIP/2.0/UDP 192.0.2.33:5060;branch="));
}

TEST(ForwardSockets, AdvertisedAddressInVia) {
  TestServices world;
  world.listen("192.0.2.9", 5060, "public.example", 5099);
  TestRun run(world, request(), kClient, kUs);
  ASSERT_TRUE(forward_request(*run, kHop));
  EXPECT_THAT(world.sink.sent.back().bytes, HasSubstr("Via: SIP/2.0/UDP public.example:5099;branch="));
}

TEST_F(Forward, SendLeavesEverythingAsItIs) {
  Parts parts;
  parts.body = std::string("a\0b", 3);
  const std::string in = "\r\n" + request(parts) + "tail";
  TestRun run(world, in, kClient, kUs);
  ASSERT_TRUE(run->set_uri("sip:changed@x"));
  ASSERT_TRUE(send_unchanged(*run, kHop));
  EXPECT_EQ(world.sink.sent.back().bytes, in);
  EXPECT_TRUE(run.state.sent);
  world.sink.limit = 10;
  EXPECT_FALSE(send_unchanged(*run, kHop));
  EXPECT_EQ(run.state.last_error.status, 513);
}

}  // namespace
}  // namespace ser::proxy
