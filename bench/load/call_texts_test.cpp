// SPDX-License-Identifier: Apache-2.0
// A call's messages as a right proxy passes them, and damaged ones, which must be found out.
#include "load/call_texts.h"

#include <gtest/gtest.h>

#include <string>

namespace ser::bench {
namespace {

constexpr Id kId{7, 0x1234};
constexpr char kRecorded[] = "Record-Route: <sip:127.0.0.1:25060;lr>\r\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

Options make_options() {
  Options options;
  EXPECT_TRUE(options.server.parse("127.0.0.1:25060"));
  EXPECT_TRUE(options.callee.parse("127.0.0.1:25070"));
  EXPECT_TRUE(options.caller.parse("127.0.0.1:25080"));
  options.ruri = options.expected_ruri = "sip:bob@example.org";
  options.record_route = true;
  return options;
}

std::string written(const Template& text) {
  std::string out(text.size(), ' ');
  text.write(out.data(), kId.sequence, kId.slot);
  return out;
}

class CallTextsTest : public ::testing::Test {
 protected:
  CallTextsTest() : x_texts(make_options(), make_options().caller, 0xabcdef01) {}
  /// What the caller sends, with the route of the dialog.
  std::string sent(const Messages& messages, const std::string& routes) const {
    return written(messages.request).insert(messages.rest_offset, routes);
  }
  /// What a right proxy makes of it.
  static std::string forwarded(const std::string& sent, const std::string& routes,
                               const std::string& recorded) {
    const std::string via = "Via: SIP/2.0/UDP 127.0.0.1:25060;branch=z9hG4bKabc\r\n";
    std::string out =
        replaced(replaced(sent, "Max-Forwards: 70", "Max-Forwards: 69"), "Via: ", recorded + via + "Via: ");
    return routes.empty() ? out : replaced(out, routes, "");
  }
  std::string own_via(const Messages& messages) const {
    const std::string text = written(messages.request);
    const std::size_t at = text.find("Via: ");
    return text.substr(at, text.find("\r\n", at) + 2 - at);
  }

  CallTexts x_texts;
};

TEST_F(CallTextsTest, RightCallPasses) {
  const std::string routes = route_lines(kRecorded);
  EXPECT_EQ(routes, "Route: <sip:127.0.0.1:25060;lr>\r\n");
  Parts parts;
  const std::string invite = sent(x_texts.ringing, "");
  EXPECT_TRUE(x_texts.check_ringing.request(forwarded(invite, "", kRecorded), invite, parts))
      << x_texts.check_ringing.why();
  const std::string ringing = x_texts.ringing.status_line + own_via(x_texts.ringing) + kRecorded;
  EXPECT_TRUE(
      x_texts.check_ringing.forwarded_reply(ringing + written(x_texts.ringing.reply_tail), kId, kRecorded))
      << x_texts.check_ringing.why();
  const std::string answer = x_texts.answer.status_line + own_via(x_texts.answer) + kRecorded;
  EXPECT_TRUE(
      x_texts.check_answer.forwarded_reply(answer + written(x_texts.answer.reply_tail), kId, kRecorded))
      << x_texts.check_answer.why();
  Parts ack_parts;
  const std::string ack = sent(x_texts.ack, routes);
  EXPECT_TRUE(x_texts.check_ack.request(forwarded(ack, routes, ""), ack, ack_parts, routes.size()))
      << x_texts.check_ack.why();
  Parts bye_parts;
  const std::string bye = sent(x_texts.bye, routes);
  EXPECT_TRUE(x_texts.check_bye.request(forwarded(bye, routes, ""), bye, bye_parts, routes.size()))
      << x_texts.check_bye.why();
  const std::string ended = x_texts.bye.status_line + own_via(x_texts.bye) + written(x_texts.bye.reply_tail);
  EXPECT_TRUE(x_texts.check_bye.forwarded_reply(ended, kId, {})) << x_texts.check_bye.why();
}

TEST_F(CallTextsTest, DamageIsFound) {
  const std::string routes = route_lines(kRecorded);
  const std::string bye = sent(x_texts.bye, routes);
  Parts kept;
  EXPECT_FALSE(x_texts.check_bye.request(forwarded(bye, "", ""), bye, kept, routes.size()))
      << "the Route was left in";
  Parts recorded;
  EXPECT_FALSE(x_texts.check_bye.request(forwarded(bye, routes, kRecorded), bye, recorded, routes.size()))
      << "Record-Route inside of the dialog";
  const std::string invite = sent(x_texts.ringing, "");
  Parts none;
  EXPECT_FALSE(x_texts.check_ringing.request(forwarded(invite, "", ""), invite, none)) << "no Record-Route";
  const std::string ringing = x_texts.ringing.status_line + own_via(x_texts.ringing) + kRecorded;
  EXPECT_FALSE(
      x_texts.check_answer.forwarded_reply(ringing + written(x_texts.ringing.reply_tail), kId, kRecorded))
      << "180 for 200";
  EXPECT_FALSE(x_texts.check_ringing.forwarded_reply(ringing + written(x_texts.ringing.reply_tail), kId, {}))
      << "Record-Route lost";
}

TEST_F(CallTextsTest, TryingNeedsNoTag) {
  const std::string invite = sent(x_texts.ringing, "");
  const std::size_t at = invite.find("From: ");
  const std::string copied = invite.substr(at, invite.find("Contact: ") - at);
  const std::string end = "Content-Length: 0\r\n\r\n";
  const std::string head = own_via(x_texts.ringing) + copied;
  EXPECT_TRUE(x_texts.check_ringing.local_reply("SIP/2.0 100 Trying\r\n" + head + end, invite, kId, 100))
      << x_texts.check_ringing.why();
  EXPECT_FALSE(x_texts.check_ringing.local_reply("SIP/2.0 200 OK\r\n" + head + end, invite, kId, 200));
  EXPECT_FALSE(x_texts.check_ringing.local_reply("SIP/2.0 180 Ringing\r\n" + head + end, invite, kId, 100));
}

TEST(RouteLines, LastRecordedIsFirst) {
  EXPECT_EQ(route_lines("Record-Route: <sip:a;lr>\r\nRecord-Route: <sip:b;lr>, <sip:c;lr>\r\n"),
            "Route: <sip:c;lr>\r\nRoute: <sip:b;lr>\r\nRoute: <sip:a;lr>\r\n");
  EXPECT_EQ(route_lines(""), "");
}

}  // namespace
}  // namespace ser::bench
