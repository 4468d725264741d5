// SPDX-License-Identifier: Apache-2.0
#include "modules/sanity/sanity.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using mod::testing::TestWorker;

std::string request(std::string_view method, std::string_view uri, std::string_view extra = {}) {
  return std::string(method) + " " + std::string(uri) +
         " SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:b@b>\n"
         "Call-ID: 1\nCSeq: 1 INVITE\n" +
         std::string(extra) + "Content-Length: 0\n\n";
}

std::string status_of(const TestWorker& worker) {
  return worker.sink.sent.empty() ? "" : worker.sink.sent.back().bytes.substr(8, 3);
}

TEST(Sanity, AnswersWhatFails) {
  struct Case {
    std::string_view uri, extra, checks;
    int code;
    std::string_view status;
  };
  for (const Case& c : {Case{"sip:a@b", "", "17895", 1, ""}, Case{"http:a@b", "", "17895", -1, "416"},
                        Case{"http:a@b", "", "4", 1, ""}, Case{"sip:a@b", "Expires: x\n", "17895", -1, "400"},
                        Case{"sip:a@b", "Proxy-Require: foo\n", "512", -1, "420"},
                        Case{"sip:a@b", "Proxy-Require: known\n", "512", 1, ""},
                        Case{"sip:a@b", "Max-Forwards: 300\n", "131072", -1, "400"}}) {
    TestWorker worker(describe_sanity);
    worker.param("autodrop", "0");
    worker.param("proxy_require", "other, known");
    worker.receive(request("INVITE", c.uri, c.extra));
    EXPECT_EQ(worker.call("sanity_check", {c.checks, "7"}), c.code) << c.uri << c.extra;
    EXPECT_EQ(status_of(worker), c.status) << c.uri << c.extra;
    EXPECT_EQ(worker.counted("answered"), c.status.empty() ? 0U : 1U);
  }
}

TEST(Sanity, UnsupportedIsNamed) {
  TestWorker worker(describe_sanity);
  worker.receive(request("INVITE", "sip:a@b", "Proxy-Require: foo\n"));
  EXPECT_EQ(worker.call("sanity_check"), 0) << "autodrop ends the script";
  EXPECT_TRUE(worker.state.local_only);
  EXPECT_NE(worker.sink.sent.at(0).bytes.find("\r\nUnsupported: foo\r\n"), std::string::npos);
}

TEST(Sanity, AckAndResponseAreDroppedSilently) {
  TestWorker worker(describe_sanity);
  worker.param("autodrop", "0");
  worker.receive(request("ACK", "sip:a@b"));
  EXPECT_EQ(worker.call("sanity_check", {"32"}), -1);
  worker.receive("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\nTo: <sip:b@b>\n\n");
  EXPECT_EQ(worker.call("sanity_check", {"4"}), -1);
  EXPECT_TRUE(worker.sink.sent.empty());
  EXPECT_EQ(worker.counted("dropped"), 2U);
  EXPECT_EQ(worker.counted("failed"), 2U);
}

TEST(Sanity, ReplyLeftToTheScript) {
  TestWorker worker(describe_sanity);
  worker.param("autodrop", "0");
  worker.param("noreply", "1");
  worker.receive(request("INVITE", "http:a@b"));
  EXPECT_EQ(worker.call("sanity_reply"), -1);
  EXPECT_EQ(worker.call("sanity_check"), -1);
  EXPECT_TRUE(worker.sink.sent.empty());
  EXPECT_EQ(worker.call("sanity_reply"), 1);
  EXPECT_EQ(status_of(worker), "416");
}

}  // namespace
}  // namespace ser::modules
