// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "proxy/forward.h"
#include "proxy/test_services.h"

namespace ser::proxy {
namespace {

using testing::address;
using testing::crlf;
using testing::TestRun;
using testing::TestServices;

const SockAddr kCallee = address("198.51.100.7", 5062);
const SockAddr kUs = address("192.0.2.9", 5060);
constexpr const char* kTail = "From: <sip:a@x>;tag=1\nTo: <sip:u@x>;tag=2\nCall-ID: c\nCSeq: 1 MESSAGE\n\n";

class Response : public ::testing::Test {
 protected:
  Response() { world.listen("192.0.2.9", 5060); }

  /// Vias are whole lines with LF. Returns what left, or the name of the error.
  std::string pass(const std::string& vias, bool stray = false) {
    TestRun run(world, crlf("SIP/2.0 200 OK\n" + vias + kTail), kCallee, kUs);
    run.state.stray_response = stray;
    const std::size_t before = world.sink.sent.size();
    const auto sent = forward_response(*run);
    indexed = run->message().headers_indexed();
    EXPECT_EQ(world.sink.sent.size(), before + (sent ? 1 : 0));
    return sent ? world.sink.sent.back().bytes : to_string(sent.error().code);
  }
  std::string to() const { return world.sink.sent.back().to(); }

  TestServices world;
  std::size_t indexed = 0;
};

constexpr const char* kOwn = "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKo";

TEST_F(Response, TopViaGoesAndTheRestStaysAsItIs) {
  const std::string expected =
      crlf(std::string("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 203.0.113.5:5071;branch=z9hG4bKx\n") + kTail);
  EXPECT_EQ(pass("Via: " + std::string(kOwn) + "\nVia: SIP/2.0/UDP 203.0.113.5:5071;branch=z9hG4bKx\n"),
            expected);
  EXPECT_EQ(indexed, 2U) << "exactly up to the second Via";
  EXPECT_EQ(to(), "203.0.113.5:5071");
  EXPECT_EQ(pass("Via: " + std::string(kOwn) + ", SIP/2.0/UDP 203.0.113.5:5071;branch=z9hG4bKx\n"), expected);
  EXPECT_EQ(indexed, 1U);
  EXPECT_EQ(pass("Via: " + std::string(kOwn) + " ,\n SIP/2.0/UDP 203.0.113.5:5071;branch=z9hG4bKx\n"),
            expected);
  EXPECT_EQ(
      pass("v:" + std::string(kOwn) + "\nX-Between: 1\nVia: SIP/2.0/UDP 203.0.113.5:5071;branch=z9hG4bKx\n"),
      crlf(std::string("SIP/2.0 200 OK\nX-Between: 1\nVia: SIP/2.0/UDP 203.0.113.5:5071;branch=z9hG4bKx\n") +
           kTail));
  EXPECT_EQ(world.counted("fwd_replies"), 4U);
}

TEST_F(Response, WhereItGoes) {
  world.names.hosts = {{"phone.example", {"203.0.113.8"}}, {"gone.example", {}}};
  struct Row {
    const char* via;
    const char* to;  // an address, or the name of the error
  };
  const Row rows[] = {
      {"SIP/2.0/UDP 203.0.113.5", "203.0.113.5:5060"},
      {"SIP/2.0/UDP 10.0.0.1:5071;received=203.0.113.5", "203.0.113.5:5071"},
      {"SIP/2.0/UDP 10.0.0.1:5071;received=203.0.113.5;rport=40000", "203.0.113.5:40000"},
      {"SIP/2.0/UDP 10.0.0.1;rport=40000", "10.0.0.1:5060"},
      {"SIP/2.0/UDP 10.0.0.1;rport;received=203.0.113.5", "203.0.113.5:5060"},
      {"SIP/2.0/UDP 10.0.0.1:5071;maddr=203.0.113.6;received=203.0.113.5", "203.0.113.6:5071"},
      {"SIP/2.0/UDP phone.example:5072", "203.0.113.8:5072"},
      {"SIP/2.0/UDP 10.0.0.1;received=nonsense", "syntax"},
      {"SIP/2.0/UDP 10.0.0.1;maddr=224.2.0.1;ttl=1", "refused"},
      {"SIP/2.0/UDP 255.255.255.255", "refused"},
      {"SIP/2.0/UDP 0.0.0.0", "refused"},
      {"SIP/2.0/TCP 203.0.113.5", "unsupported"},
      {"SIP/2.0/UDP later.example", "pending"},
      {"SIP/2.0/UDP gone.example", "not_found"},
      {"SIP/2.0/UDP [2001:db8::5]", "not_found"},
  };
  for (const Row& row : rows) {
    const std::string out = pass("Via: " + std::string(kOwn) + "\nVia: " + row.via + "\n");
    EXPECT_EQ(out.starts_with("SIP/2.0") ? to() : out, row.to) << row.via;
  }
  EXPECT_EQ(world.counted("drop_replies"), 8U);
}

TEST_F(Response, WithoutASecondViaItEndsHere) {
  EXPECT_EQ(pass("Via: " + std::string(kOwn) + "\n"), "missing");
  EXPECT_EQ(pass("Via: " + std::string(kOwn) + "\nVia: nonsense\n"), "missing");
  EXPECT_EQ(world.counted("drop_replies"), 2U);
}

TEST_F(Response, StrayOnesOnlyWhenAskedFor) {
  const std::string vias = "Via: SIP/2.0/UDP 192.0.2.9\nVia: SIP/2.0/UDP 203.0.113.5\n";
  EXPECT_EQ(pass(vias, true), "refused");
  EXPECT_EQ(world.counted("stray_replies"), 1U);
  world.settings.relay_stray_replies = true;
  EXPECT_TRUE(pass(vias, true).starts_with("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 203.0.113.5\r\n"));
}

TEST_F(Response, EditsOfTheReplyRoute) {
  TestRun run(world,
              crlf("SIP/2.0 200 OK\nVia: " + std::string(kOwn) + "\nVia: SIP/2.0/UDP 203.0.113.5\n" + kTail),
              kCallee, kUs);
  ASSERT_TRUE(run->edits()->append_field("X-Seen", "1"));
  ASSERT_TRUE(forward_response(*run));
  EXPECT_TRUE(world.sink.sent.back().bytes.ends_with("CSeq: 1 MESSAGE\r\nX-Seen: 1\r\n\r\n"));
}

}  // namespace
}  // namespace ser::proxy
