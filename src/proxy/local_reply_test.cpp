// SPDX-License-Identifier: Apache-2.0
#include "proxy/local_reply.h"

#include <gmock/gmock.h>

#include "proxy/test_services.h"

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

std::string request(std::string_view method = "INVITE",
                    std::string_view via = "SIP/2.0/UDP 192.0.2.1:5077;branch=z9hG4bKx",
                    std::string_view to_tag = "", std::string_view cseq = "7") {
  return crlf(std::string(method) + " sip:u@example.com SIP/2.0\nVia: " + std::string(via) +
              "\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKy\nFrom: <sip:a@example.com>;tag=f1\nTo: "
              "<sip:u@example.com>" +
              std::string(to_tag) + "\nCall-ID: c1\nCSeq: " + std::string(cseq) + " " + std::string(method) +
              "\nMax-Forwards: 70\nContent-Length: 0\n\n");
}

class Reply : public ::testing::Test {
 protected:
  Reply() {
    world.listen("192.0.2.9", 5060);
    world.settings.server_header = "Server: test";
  }
  std::string reply(const std::string& text, const LocalReply& what = {404, "", "", "", "", false},
                    SockAddr from = kClient) {
    TestRun run(world, text, from, kUs);
    const auto sent = send_local_reply(*run, what);
    return sent ? world.sink.sent.back().bytes : to_string(sent.error().code);
  }
  std::string to() const { return world.sink.sent.back().to(); }
  static std::string tag(const std::string& reply_text) {
    const std::string line = lines_named(reply_text, "To");
    return line.substr(line.find(";tag=") + 5);
  }

  TestServices world;
};

TEST_F(Reply, CarriesWhatTheRequestSays) {
  const std::string out = reply(request());
  EXPECT_THAT(out, StartsWith("SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP 192.0.2.1:5077;branch=z9hG4bKx\r\n"
                              "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKy\r\n"));
  EXPECT_THAT(out, HasSubstr("From: <sip:a@example.com>;tag=f1\r\n"));
  EXPECT_THAT(out, HasSubstr("Call-ID: c1\r\nCSeq: 7 INVITE\r\n"));
  EXPECT_THAT(out, HasSubstr("Server: test\r\n"));
  EXPECT_TRUE(out.ends_with("Content-Length: 0\r\n\r\n"));
  EXPECT_EQ(world.counted("sent_replies"), 1U);
  world.settings.server_signature = false;
  EXPECT_THAT(reply(request()), Not(HasSubstr("Server:")));
}

TEST_F(Reply, ToTagIsTheSameForOneTransaction) {
  for (const std::string_view via : {"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.1"}) {
    const std::string first = tag(reply(request("INVITE", via)));
    EXPECT_EQ(first.size(), 18U) << first;
    EXPECT_EQ(tag(reply(request("INVITE", via))), first) << "retransmission";
    EXPECT_EQ(tag(reply(request("CANCEL", via))), first);
  }
  EXPECT_NE(tag(reply(request("INVITE", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKz"))), tag(reply(request())));
  EXPECT_NE(tag(reply(request("INVITE", "SIP/2.0/UDP 192.0.2.1", "", "8"))),
            tag(reply(request("INVITE", "SIP/2.0/UDP 192.0.2.1", "", "7"))));
  EXPECT_EQ(tag(reply(request("BYE", "SIP/2.0/UDP 192.0.2.1", ";tag=theirs"))), "theirs\r\n");
  EXPECT_THAT(lines_named(reply(request(), {100, "", "", "", "", false}), "To"), Not(HasSubstr("tag=")));
}

TEST_F(Reply, AckAndResponsesAreNeverAnswered) {
  EXPECT_EQ(reply(request("ACK")), "refused");
  EXPECT_EQ(reply(crlf("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1\n\n")), "refused");
  EXPECT_TRUE(world.sink.sent.empty());
}

TEST_F(Reply, WhereItGoes) {
  world.names.hosts = {{"phone.example", {"203.0.113.8"}}};
  struct Row {
    const char* via;
    bool by_via;
    const char* to;
  };
  const Row rows[] = {
      {"SIP/2.0/UDP 10.1.1.1:5077;branch=z9hG4bKx", false, "192.0.2.1:5077"},
      {"SIP/2.0/UDP 10.1.1.1;branch=z9hG4bKx", false, "192.0.2.1:5060"},
      {"SIP/2.0/UDP 10.1.1.1:5077;rport;branch=z9hG4bKx", false, "192.0.2.1:5070"},
      {"SIP/2.0/UDP 10.1.1.1:5077;received=203.0.113.66;branch=z9hG4bKx", false, "192.0.2.1:5077"},
      {"SIP/2.0/UDP 10.1.1.1:5077;maddr=203.0.113.9;branch=z9hG4bKx", false, "203.0.113.9:5077"},
      {"SIP/2.0/UDP 10.1.1.1:5077;maddr=224.0.0.1;branch=z9hG4bKx", false, "refused"},
      {"SIP/2.0/UDP 203.0.113.5:5077;branch=z9hG4bKx", true, "203.0.113.5:5077"},
      {"SIP/2.0/UDP phone.example;branch=z9hG4bKx", true, "203.0.113.8:5060"},
      {"SIP/2.0/UDP later.example;branch=z9hG4bKx", true, "pending"},
      {"SIP/2.0/UDP 203.0.113.5:5077;rport;branch=z9hG4bKx", true, "192.0.2.1:5070"},
      {"SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKx", true, "refused"},
  };
  for (const Row& row : rows) {
    world.settings.reply_to_via = row.by_via;
    const std::string out = reply(request("INVITE", row.via));
    EXPECT_EQ(out.starts_with("SIP/2.0") ? to() : out, row.to) << row.via;
  }
}

TEST_F(Reply, SourceIsNotedInTheTopVia) {
  EXPECT_THAT(reply(request("INVITE", "SIP/2.0/UDP 10.1.1.1;rport;branch=z9hG4bKx")),
              HasSubstr("Via: SIP/2.0/UDP 10.1.1.1;rport=5070;branch=z9hG4bKx;received=192.0.2.1\r\n"));
  EXPECT_THAT(reply(request("INVITE", "SIP/2.0/UDP 192.0.2.1;received=203.0.113.66;branch=z9hG4bKx")),
              HasSubstr("Via: SIP/2.0/UDP 192.0.2.1;received=192.0.2.1;branch=z9hG4bKx\r\n"));
}

TEST_F(Reply, ContactsOfTheBranchSet) {
  TestRun run(world, request(), kClient, kUs);
  ASSERT_TRUE(run->set_uri("sip:one@203.0.113.1"));
  run.state.ruri_q = 1000;
  ASSERT_TRUE(run->append_branch("sip:two@203.0.113.2", 50));
  ASSERT_TRUE(run->append_branch("sip:three@203.0.113.3"));
  ASSERT_TRUE(send_local_reply(*run, {302, "", "", "", "", false, true}));
  EXPECT_EQ(
      lines_named(world.sink.sent.back().bytes, "Contact"),
      "Contact: <sip:one@203.0.113.1>;q=1.000, <sip:two@203.0.113.2>;q=0.050, <sip:three@203.0.113.3>\r\n");
  EXPECT_EQ(lines_named(reply(request(), {302, "", "", "", "", false, true}), "Contact"), "")
      << "an untouched Request-URI is no contact";
}

TEST_F(Reply, ContactsThatDoNotFitAreLeftOutWhole) {
  TestRun run(world, request(), kClient, kUs);
  const std::string uri = "sip:" + std::string(1000, 'u') + "@203.0.113.1";
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(run->append_branch(uri));
  ASSERT_TRUE(run->add_reply_header("X-Long: " + std::string(3000, 'x') + "\r\n"));
  ASSERT_TRUE(send_local_reply(*run, {302, "", "", "", "", false, true}));
  const std::string& out = world.sink.sent.back().bytes;
  const std::string line = lines_named(out, "Contact");
  EXPECT_GT(line.size(), 4000U);
  EXPECT_TRUE(line.ends_with("@203.0.113.1>\r\n"));
  EXPECT_EQ(out.find("\r\n\r\n"), out.size() - 4) << "no empty line inside";
  TestRun bad(world, request(), kClient, kUs);
  ASSERT_TRUE(bad->append_branch("sip:u@203.0.113.1>\r\nX-Evil: 1"));
  ASSERT_TRUE(send_local_reply(*bad, {302, "", "", "", "", false, true}));
  EXPECT_THAT(world.sink.sent.back().bytes, Not(HasSubstr("Evil")));
}

TEST_F(Reply, WarningNamesWhatHappened) {
  world.settings.sip_warning = true;
  const std::string out = reply(request());
  EXPECT_THAT(lines_named(out, "Warning"),
              ::testing::MatchesRegex("Warning: 392 192.0.2.9:5060 \"Noisy feedback tells: pid=[0-9]+ "
                                      "req_src_ip=192.0.2.1 req_src_port=5070 in_uri=sip:u@example.com "
                                      "out_uri=sip:u@example.com via_cnt==2\"\r\n"));
  TestRun run(world, request(), kClient, kUs);
  ASSERT_TRUE(run->set_uri("sip:\"\r\nX-Evil: 1"));
  ASSERT_TRUE(send_local_reply(*run, {404, "", "", "", "", false}));
  EXPECT_THAT(world.sink.sent.back().bytes, Not(HasSubstr("Evil")));
}

TEST_F(Reply, HeadersBodyAndReason) {
  TestRun run(world, request(), kClient, kUs);
  ASSERT_TRUE(run->add_reply_header("X-One: 1\r\n"));
  ASSERT_TRUE(run->add_reply_header("X-Two: 2\r\n"));
  ASSERT_TRUE(send_local_reply(*run, {488, "No Thanks", "X-Zero: 0\r\n", "v=0", "application/sdp", false}));
  const std::string& out = world.sink.sent.back().bytes;
  EXPECT_THAT(out, StartsWith("SIP/2.0 488 No Thanks\r\n"));
  EXPECT_THAT(out, HasSubstr("X-Zero: 0\r\nX-One: 1\r\nX-Two: 2\r\n"));
  EXPECT_THAT(out, HasSubstr("Content-Type: application/sdp\r\n"));
  EXPECT_TRUE(out.ends_with("Content-Length: 3\r\n\r\nv=0"));
  world.sink.limit = 100;
  EXPECT_EQ(reply(request()), "too_long");
  EXPECT_EQ(world.counted("too_large"), 1U);
}

TEST_F(Reply, WildcardAnswersFromWhereItWasCalled) {
  TestServices other;
  other.listen("0.0.0.0", 5060);
  TestRun run(other, request(), kClient, kUs);
  ASSERT_TRUE(send_local_reply(*run, {404, "", "", "", "", false}));
  EXPECT_EQ(other.sink.sent.back().target.from_ip, kUs.ip);
}

TEST(Run, BranchesHaveALimit) {
  TestServices world;
  world.listen("192.0.2.9", 5060);
  world.settings.max_branches = 3;
  TestRun run(world, request(), kClient, kUs);
  ASSERT_TRUE(run->set_dst_uri("sip:203.0.113.1"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(run->append_branch(""));
  const auto fourth = run->append_branch("sip:x@y");
  ASSERT_FALSE(fourth);
  EXPECT_EQ(fourth.error().code, Errc::too_many);
  EXPECT_EQ(run.state.branch_count, 3);
  EXPECT_EQ(run.state.branches[2].uri, "sip:u@example.com");
  EXPECT_EQ(run.state.branches[2].dst_uri, "sip:203.0.113.1");
  run->clear_branches();
  ASSERT_TRUE(run->append_branch("sip:x@y", 500));
  EXPECT_EQ(run.state.branches[0].uri, "sip:x@y");
  EXPECT_EQ(run.state.branches[0].dst_uri, "");
  EXPECT_EQ(run.state.branches[0].q, 500);
  EXPECT_EQ(run->append_branch(std::string(1025, 'x')).error().code, Errc::too_long);
  EXPECT_EQ(run->set_uri(std::string(1025, 'x')).error().code, Errc::too_long);
  EXPECT_EQ(run->set_uri("").error().code, Errc::too_long);
  EXPECT_EQ(run->uri(), "sip:u@example.com");
}

TEST(Run, AvpsAreAStackPerName) {
  TestServices world;
  world.listen("192.0.2.9", 5060);
  TestRun run(world, request(), kClient, kUs);
  EXPECT_TRUE(run->avp("a", false).is_null());
  ASSERT_TRUE(run->push_avp("a", false, Value::of(std::int64_t{1})));
  ASSERT_TRUE(run->push_avp("a", false, Value::of(std::string_view("two"))));
  ASSERT_TRUE(run->push_avp("a", true, Value::of(std::int64_t{9})));
  EXPECT_EQ(run->avp("a", false).text, "two");
  EXPECT_EQ(run->avp("a", false, 1).integer, 1);
  EXPECT_TRUE(run->avp("a", false, 2).is_null());
  EXPECT_EQ(run->avp("a", true).integer, 9) << "names and numbers are apart";
  ASSERT_TRUE(run->set_avp("a", false, Value::of(std::int64_t{3})));
  EXPECT_EQ(run->avp("a", false).integer, 3);
  EXPECT_EQ(run->avp("a", false, 1).integer, 1);
  ASSERT_TRUE(run->set_avp("a", false, Value::null()));
  EXPECT_EQ(run->avp("a", false).integer, 1);
  ASSERT_TRUE(run->set_avp("b", false, Value::of(std::string_view(""))));
  EXPECT_TRUE(run->avp("b", false).is_string());
}

}  // namespace
}  // namespace ser::proxy
