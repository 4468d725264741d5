// SPDX-License-Identifier: Apache-2.0
#include "modules/maxfwd/maxfwd.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using mod::testing::TestWorker;

std::string request(std::string_view field) {
  return "INVITE sip:bob@192.0.2.4 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\n" +
         std::string(field) +
         "From: <sip:a@b>;tag=1\nTo: <sip:b@b>\nCall-ID: 1\nCSeq: 1 INVITE\nContent-Length: 0\n\n";
}

std::string sent_value(const std::string& message) {
  const std::size_t at = message.find("Max-Forwards: ");
  return at == std::string::npos ? "" : message.substr(at + 14, message.find("\r\n", at) - at - 14);
}

// The return codes were compared with Kamailio 5.6.3.
TEST(MaxForwards, ReturnCodesAndWhatLeaves) {
  struct Case {
    std::string_view field;
    int process, below_five;
    std::string_view leaves;
  };
  for (const Case& c : {Case{"Max-Forwards: 70\n", 1, -1, "69"}, Case{"Max-Forwards: 6\n", 1, -1, "5"},
                        Case{"Max-Forwards: 5\n", 1, 1, "4"}, Case{"Max-Forwards: 1\n", 1, 1, "0"},
                        Case{"Max-Forwards: 100\n", 1, -1, "70"}, Case{"", 2, -1, "10"},
                        Case{"Max-Forwards: 0\n", -1, 1, "0"}, Case{"Max-Forwards: abc\n", -2, -3, "abc"}}) {
    TestWorker worker(describe_maxfwd);
    worker.receive(request(c.field));
    EXPECT_EQ(worker.call("mf_process_maxfwd_header", {"10"}), c.process) << c.field;
    EXPECT_EQ(worker.call("is_maxfwd_lt", {"5"}), c.below_five) << c.field;
    EXPECT_EQ(sent_value(worker.written()), c.leaves) << c.field;
  }
}

TEST(MaxForwards, CountsAHopOnceAndForwardDoesNotCountAgain) {
  TestWorker worker(describe_maxfwd);
  worker.param("max_limit", "30");
  worker.receive(request("Max-Forwards: 70\n"));
  EXPECT_EQ(worker.call("mf_process_maxfwd_header", {"10"}), 1);
  EXPECT_EQ(worker.call("maxfwd_process", {"10"}), 1);
  EXPECT_EQ(sent_value(worker.forwarded()), "30");
  worker.receive(request(""));
  EXPECT_EQ(worker.call("process_maxfwd", {"4"}), 2);
  EXPECT_EQ(worker.call("mf_lowlimit", {"5"}), 1);
  const std::string sent = worker.forwarded();
  EXPECT_EQ(sent_value(sent), "4");
  EXPECT_LT(sent.find("Via: SIP/2.0/UDP 127.0.0.1:5060"), sent.find("Max-Forwards: 4"));
  EXPECT_LT(sent.find("Max-Forwards: 4"), sent.find("Via: SIP/2.0/UDP 127.0.0.1:5070"));
  EXPECT_EQ(sent.find("Max-Forwards:", sent.find("Max-Forwards:") + 1), std::string::npos);
}

TEST(MaxForwards, ZeroIsAnsweredWithItsStatus) {
  TestWorker worker(describe_maxfwd);
  worker.receive(request("Max-Forwards: 0\n"));
  EXPECT_EQ(worker.call("mf_process_maxfwd_header", {"10"}), -1);
  EXPECT_EQ(worker.state.last_error.status, 483);
  EXPECT_EQ(worker.counted("zero"), 1U);
  EXPECT_EQ(worker.call("mf_process_maxfwd_header", {"256"}), -2);
}

TEST(MaxForwards, BeforeProcessingTheReceivedValueCounts) {
  TestWorker worker(describe_maxfwd);
  worker.receive(request("Max-Forwards: 5\n"));
  EXPECT_EQ(worker.call("is_maxfwd_lt", {"5"}), -1);
  EXPECT_EQ(worker.call("is_maxfwd_lt", {"6"}), 1);
  worker.receive(request(""));
  EXPECT_EQ(worker.call("is_maxfwd_lt", {"5"}), -2);
}

}  // namespace
}  // namespace ser::modules
