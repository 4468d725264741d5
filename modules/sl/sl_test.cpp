// SPDX-License-Identifier: Apache-2.0
#include "modules/sl/sl.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using mod::testing::TestWorker;

constexpr std::string_view kInvite =
    "INVITE sip:bob@example.com SIP/2.0\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK776\n"
    "From: <sip:alice@example.com>;tag=1\n"
    "To: <sip:bob@example.com>\n"
    "Call-ID: a84b4c76e66710\n"
    "CSeq: 1 INVITE\n"
    "Content-Length: 0\n\n";

std::string line_with(const std::string& message, std::string_view head) {
  const std::size_t at = message.find(head);
  return at == std::string::npos ? "" : message.substr(at, message.find("\r\n", at) - at);
}

std::string ack_for(const std::string& reply, std::string_view branch) {
  return "ACK sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=" + std::string(branch) +
         "\nFrom: <sip:alice@example.com>;tag=1\n" + line_with(reply, "To:") +
         "\nCall-ID: a84b4c76e66710\nCSeq: 1 ACK\n\n";
}

TEST(Sl, AnswersAndCounts) {
  struct Case {
    std::string_view code, reason, first_line, counter;
  };
  for (const Case& c : {Case{"404", "Not Here", "SIP/2.0 404 Not Here", "404_replies"},
                        Case{"200", "OK", "SIP/2.0 200 OK", "200_replies"},
                        Case{"486", "", "SIP/2.0 486 Busy Here", "4xx_replies"},
                        Case{"603", "Decline", "SIP/2.0 603 Decline", "6xx_replies"},
                        Case{"42", "x", "SIP/2.0 500 Internal Server Error", "500_replies"}}) {
    TestWorker worker(describe_sl);
    worker.receive(kInvite);
    EXPECT_EQ(worker.call("sl_send_reply", {c.code, c.reason}), 1);
    ASSERT_EQ(worker.sink.sent.size(), 1U);
    EXPECT_EQ(worker.sink.sent[0].bytes.substr(0, c.first_line.size() + 2),
              std::string(c.first_line) + "\r\n");
    EXPECT_EQ(worker.sink.sent[0].target.to, (SockAddr{IpAddress::v4(127, 0, 0, 1), 5070}));
    EXPECT_EQ(worker.counted(c.counter), 1U) << c.counter;
    EXPECT_EQ(worker.counted("sent_replies"), 1U);
    EXPECT_EQ(worker.counted("sent_err_replies"), c.code == "200" ? 0U : 1U);
  }
}

TEST(Sl, RedirectCarriesTheBranchSet) {
  TestWorker worker(describe_sl);
  const proxy::Run& run = worker.receive(kInvite);
  ASSERT_TRUE(run.set_uri("sip:bob@home.example.com"));
  ASSERT_TRUE(run.append_branch("sip:bob@work.example.com", 500));
  ASSERT_TRUE(run.add_reply_header("X-Hint: moved\r\n"));
  EXPECT_EQ(worker.call("sl_send_reply", {"302", "Moved"}), 1);
  const std::string& reply = worker.sink.sent.at(0).bytes;
  EXPECT_EQ(line_with(reply, "Contact:"),
            "Contact: <sip:bob@home.example.com>, <sip:bob@work.example.com>;q=0.500");
  EXPECT_EQ(line_with(reply, "X-Hint:"), "X-Hint: moved");
  EXPECT_EQ(worker.counted("302_replies"), 1U);
  worker.receive(kInvite);
  ASSERT_TRUE(worker.run().append_branch("sip:x@y"));
  EXPECT_EQ(worker.call("sl_send_reply", {"404", "No"}), 1);
  EXPECT_EQ(line_with(worker.sink.sent.at(1).bytes, "Contact:"), "");
}

TEST(Sl, AcksToOurRepliesEndHere) {
  TestWorker worker(describe_sl);
  worker.receive(kInvite);
  worker.call("sl_send_reply", {"404", "Not Found"});
  const std::string reply = worker.sink.sent.at(0).bytes;
  EXPECT_NE(line_with(reply, "To:").find(";tag="), std::string::npos);

  worker.receive(ack_for(reply, "z9hG4bK776"));
  EXPECT_FALSE(worker.module().pre_script(worker.run()));
  EXPECT_EQ(worker.call("sl_filter_ACK"), 0) << "the script ends";
  EXPECT_EQ(worker.counted("received_ACKs"), 2U);
  EXPECT_EQ(worker.call("sl_send_reply", {"200", "OK"}), -1) << "an ACK is not answered";
  EXPECT_EQ(worker.counted("failures"), 1U);
  EXPECT_EQ(worker.sink.sent.size(), 1U);

  worker.receive(ack_for(reply, "z9hG4bK777"));
  EXPECT_TRUE(worker.module().pre_script(worker.run())) << "another transaction";
  worker.receive(kInvite);
  EXPECT_TRUE(worker.module().pre_script(worker.run()));
  EXPECT_EQ(worker.run().message().headers_indexed(), 0U) << "only an ACK is looked into";
  EXPECT_EQ(worker.call("sl_filter_ACK"), 1);
}

TEST(Sl, ErrorsFindTheirStatus) {
  TestWorker worker(describe_sl);
  worker.param("default_code", "505");
  worker.param("default_reason", "Sorry");
  worker.receive(kInvite).fail(483, "Too Many Hops");
  EXPECT_EQ(worker.call("sl_reply_error"), 1);
  EXPECT_EQ(worker.sink.sent.at(0).bytes.substr(0, 25), "SIP/2.0 483 Too Many Hops");
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("send_reply_error"), 1);
  EXPECT_EQ(worker.sink.sent.at(1).bytes.substr(0, 17), "SIP/2.0 505 Sorry");
}

TEST(Sl, ForwardsARewrittenReply) {
  TestWorker worker(describe_sl);
  worker.settings.relay_stray_replies = true;
  constexpr std::string_view kReply =
      "SIP/2.0 486 Busy Here\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\n"
      "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK2\nFrom: <sip:a@b>;tag=1\nTo: <sip:b@b>;tag=2\n"
      "Call-ID: 1\nCSeq: 1 INVITE\n\n";
  worker.receive(kReply);
  EXPECT_EQ(worker.call("sl_forward_reply", {"480", "Away"}), 1);
  EXPECT_EQ(worker.sink.sent.at(0).bytes.substr(0, 18), "SIP/2.0 480 Away\r\n");
  worker.receive(kReply);
  EXPECT_EQ(worker.call("sl_forward_reply", {"500", "Other class"}), -1);
  EXPECT_EQ(worker.sink.sent.size(), 1U);
}

TEST(Sl, ReplyBodyOfTheScript) {
  TestWorker worker(describe_sl);
  worker.receive(kInvite);
  worker.state.reply_body = "hello";
  worker.state.reply_content_type = "text/plain";
  EXPECT_EQ(worker.call("sl_send_reply", {"200", "OK"}), 1);
  const std::string& reply = worker.sink.sent.at(0).bytes;
  EXPECT_EQ(line_with(reply, "Content-Type:"), "Content-Type: text/plain");
  EXPECT_EQ(reply.substr(reply.size() - 9), "\r\n\r\nhello");
}

}  // namespace
}  // namespace ser::modules
