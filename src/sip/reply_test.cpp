// SPDX-License-Identifier: Apache-2.0
#include "sip/reply.h"

#include <gtest/gtest.h>

#include <string>

#include "sip/derive.h"
#include "sip/dialog_id.h"
#include "sip/test_message.h"
#include "sip/writer.h"

namespace ser::sip {
namespace {

using testing::lf;
using testing::TestMessage;

std::string reply(const Message& request, const ReplySpec& spec) {
  std::string out(reply_size(request, spec), '\0');
  const auto size = write_reply(request, spec, out);
  EXPECT_TRUE(size) << (size ? "" : size.error().what);
  out.resize(size ? *size : 0);
  return out;
}

const std::string kInvite =
    lf("INVITE sip:bob@example.com SIP/2.0\n"
       "v: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1, SIP/2.0/TCP 10.0.0.2\n"
       "Via: SIP/2.0/UDP 10.0.0.3\n"
       "Record-Route: <sip:p1;lr>\n"
       "f: <sip:a@example.com>;tag=1\n"
       "To:  <sip:b@example.com>\n"
       "Timestamp: 54\n"
       "i: abc@host\n"
       "CSeq: 1 INVITE\n"
       "Contact: <sip:a@10.0.0.1>\n"
       "Content-Length: 4\n"
       "\n"
       "body");

TEST(Reply, FinalWithEverything) {
  const TestMessage m(kInvite);
  EXPECT_EQ(reply(*m, {.status = 200,
                       .to_tag = "xyz",
                       .server = "ser",
                       .extra_headers = "Contact: <sip:me>\r\n",
                       .content_type = "text/plain",
                       .body = "hello",
                       .via = {.received = "192.0.2.9", .rport = 5062}}),
            lf("SIP/2.0 200 OK\n"
               "v: SIP/2.0/UDP 10.0.0.1;rport=5062;branch=z9hG4bK1;received=192.0.2.9, SIP/2.0/TCP 10.0.0.2\n"
               "Via: SIP/2.0/UDP 10.0.0.3\n"
               "Record-Route: <sip:p1;lr>\n"
               "f: <sip:a@example.com>;tag=1\n"
               "To:  <sip:b@example.com>;tag=xyz\n"
               "i: abc@host\n"
               "CSeq: 1 INVITE\n"
               "Server: ser\n"
               "Contact: <sip:me>\n"
               "Content-Type: text/plain\n"
               "Content-Length: 5\n"
               "\n"
               "hello"));
}

TEST(Reply, TryingHasTimestampAndNoTag) {
  const TestMessage m(kInvite);
  EXPECT_EQ(reply(*m, {.status = 100, .to_tag = "xyz"}),
            lf("SIP/2.0 100 Trying\n"
               "v: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1, SIP/2.0/TCP 10.0.0.2\n"
               "Via: SIP/2.0/UDP 10.0.0.3\n"
               "f: <sip:a@example.com>;tag=1\n"
               "To:  <sip:b@example.com>\n"
               "Timestamp: 54\n"
               "i: abc@host\n"
               "CSeq: 1 INVITE\n"
               "Content-Length: 0\n"
               "\n"));
}

TEST(Reply, TagOfRequestStays) {
  for (const char* to :
       {"<sip:b@h>;tag=old", "sip:b@h ; x=\">\" ;Tag = old", "\"B >\" <sip:b@h>\r\n ;x=y;tag=old"}) {
    const TestMessage m("BYE sip:b@h SIP/2.0\r\nTo: " + std::string(to) + "\r\n\r\n");
    const std::string out = reply(*m, {.status = 481, .to_tag = "new"});
    EXPECT_EQ(out.find("new"), std::string::npos) << out;
    EXPECT_NE(out.find(to), std::string::npos) << out;
  }
  for (const char* to : {"sip:b@h", "sip:b@h;x=y", "\"B;tag=q\" <sip:b@h;tag=z>", "<sip:b@h>;x=\"a>\""}) {
    const TestMessage m("BYE sip:b@h SIP/2.0\r\nTo: " + std::string(to) + "\r\n\r\n");
    EXPECT_NE(reply(*m, {.status = 481, .to_tag = "new"}).find("To: " + std::string(to) + ";tag=new\r\n"),
              std::string::npos)
        << to;
  }
}

TEST(Reply, RepeatedSingleFieldsComeBackOnce) {
  const TestMessage m(
      lf("BYE sip:b@h SIP/2.0\nTo: <sip:b>\nTo: <sip:c>\nCSeq: 1 BYE\nFrom: <sip:a>\nCSeq: 2 BYE\nf: "
         "<sip:d>\n\n"));
  EXPECT_EQ(
      reply(*m, {.status = 400, .to_tag = "t"}),
      lf("SIP/2.0 400 Bad Request\nTo: <sip:b>;tag=t\nCSeq: 1 BYE\nFrom: <sip:a>\nContent-Length: 0\n\n"));
}

TEST(Reply, EmptyTo) {
  for (const char* to : {"To:\n", "To: \t\n", "To:\n \n"}) {
    const TestMessage m(lf(std::string("BYE sip:b@h SIP/2.0\n") + to + "CSeq: 1 BYE\n\n"));
    const TestMessage out(reply(*m, {.status = 400, .to_tag = "t"}));
    EXPECT_TRUE(out->index_all()) << to;
    EXPECT_EQ(out->find(HeaderId::to)->value().substr(0, 6), ";tag=t") << to;
    EXPECT_EQ(out->headers_indexed(), 3U) << to;
  }
}

TEST(Reply, Refusals) {
  const TestMessage m(kInvite);
  std::string out(2000, '\0');
  EXPECT_EQ(write_reply(*m, {.status = 99}, out).error().code, Errc::out_of_range);
  EXPECT_EQ(write_reply(*m, {.status = 700}, out).error().code, Errc::out_of_range);
  EXPECT_EQ(write_reply(*m, {.reason = "a\r\nEvil: 1"}, out).error().code, Errc::syntax);
  EXPECT_EQ(write_reply(*m, {.to_tag = "a\nb"}, out).error().code, Errc::syntax);
  const TestMessage response(lf("SIP/2.0 200 OK\nVia: SIP/2.0/UDP h\n\n"));
  EXPECT_EQ(write_reply(*response, {}, out).error().code, Errc::refused);
  const std::string whole = reply(*m, {});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_EQ(write_reply(*m, {}, std::span(out).first(size)).error().code, Errc::no_space) << size;
  }
}

TEST(Reply, DefaultReasons) {
  EXPECT_EQ(default_reason(404), "Not Found");
  EXPECT_EQ(default_reason(499), "Bad Request");
  EXPECT_EQ(default_reason(299), "OK");
  EXPECT_EQ(default_reason(99), "Unknown");
  EXPECT_EQ(default_reason(700), "Unknown");
}

struct StampCase {
  const char* via;
  ViaStamp stamp;
  const char* out;
};

TEST(ViaStamp, Rows) {
  const StampCase rows[] = {
      {"SIP/2.0/UDP h", {"1.2.3.4", 0, false}, "SIP/2.0/UDP h;received=1.2.3.4"},
      {"SIP/2.0/UDP h:5060", {"1.2.3.4", 9, false}, "SIP/2.0/UDP h:5060;received=1.2.3.4"},
      {"SIP/2.0/UDP h;rport", {"1.2.3.4", 9, false}, "SIP/2.0/UDP h;rport=9;received=1.2.3.4"},
      {"SIP/2.0/UDP h ; rport ; branch=x", {"", 65535, false}, "SIP/2.0/UDP h ; rport=65535 ; branch=x"},
      {"SIP/2.0/UDP h;rport=7;x", {"", 9, false}, "SIP/2.0/UDP h;rport=9;x"},
      {"SIP/2.0/UDP h;x", {"::1", 9, true}, "SIP/2.0/UDP h;x;rport=9;received=::1"},
      {"SIP/2.0/UDP h;received=9.9.9.9;rport",
       {"1.2.3.4", 8, false},
       "SIP/2.0/UDP h;received=1.2.3.4;rport=8"},
      {"SIP/2.0/UDP h;received=1.2.3.4", {"1.2.3.4", 8, false}, "SIP/2.0/UDP h;received=1.2.3.4"},
      {"SIP/2.0/UDP h;x;rport", {"", 0, true}, "SIP/2.0/UDP h;x;rport"},
  };
  for (const StampCase& row : rows) {
    const std::string before = "OPTIONS sip:h SIP/2.0\r\nVia: ";
    const TestMessage m(before + row.via + "\r\n\r\n");
    const auto via = m->via(0);
    ASSERT_TRUE(via) << row.via;
    const ViaEdits edits(*m, **via, row.stamp);
    std::string out(500, '\0');
    const auto size = write(*m, nullptr, {.extra = edits.span()}, out);
    ASSERT_TRUE(size) << row.via;
    EXPECT_EQ(out.substr(0, *size), before + row.out + "\r\n\r\n");
  }
}

TEST(Derive, CancelOfASentRequest) {
  const TestMessage m(lf(
      "INVITE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP p;branch=z9hG4bK9, SIP/2.0/UDP u\nRoute: <sip:r1;lr>\nRoute: "
      "<sip:r2;lr>\n"
      "f: <sip:a@h>;tag=1\nt: <sip:b@h>\ni: id\nCSeq: 0007 INVITE\nProxy-Require: x\nContent-Length: 0\n\n"));
  std::string out(2000, '\0');
  auto size = write_cancel(*m, {}, out);
  ASSERT_TRUE(size);
  EXPECT_EQ(out.substr(0, *size), lf("CANCEL sip:b@h SIP/2.0\nVia: SIP/2.0/UDP p;branch=z9hG4bK9\nRoute: "
                                     "<sip:r1;lr>\nRoute: <sip:r2;lr>\n"
                                     "From: <sip:a@h>;tag=1\nTo: <sip:b@h>\nCall-ID: id\nCSeq: 7 "
                                     "CANCEL\nMax-Forwards: 70\nContent-Length: 0\n\n"));
  const TestMessage response(
      lf("SIP/2.0 486 Busy\nVia: SIP/2.0/UDP p;branch=z9hG4bK9\nTo: <sip:b@h>;tag=2\n\n"));
  size = write_ack(*m, *response,
                   {.request_uri = "sip:x@y",
                    .via = "Via: SIP/2.0/UDP q\r\n",
                    .extra_headers = "X: 1\r\n",
                    .has_routes = true},
                   out);
  ASSERT_TRUE(size);
  EXPECT_EQ(out.substr(0, *size),
            lf("ACK sip:x@y SIP/2.0\nVia: SIP/2.0/UDP q\nFrom: <sip:a@h>;tag=1\nTo: <sip:b@h>;tag=2\n"
               "Call-ID: id\nCSeq: 7 ACK\nMax-Forwards: 70\nX: 1\nContent-Length: 0\n\n"));
  EXPECT_EQ(write_cancel(*response, {}, out).error().code, Errc::refused);
  EXPECT_EQ(write_ack(*m, *m, {}, out).error().code, Errc::refused);
  EXPECT_EQ(
      write_cancel(*TestMessage(lf("BYE sip:b@h SIP/2.0\nCSeq: 1 BYE\nVia: SIP/2.0/UDP p\n\n")), {}, out)
          .error()
          .code,
      Errc::missing);
}

TEST(DialogId, KeyAndDirection) {
  const TestMessage m(lf("BYE sip:b@h SIP/2.0\nf: <sip:a@h>;tag=1\nt: <sip:b@h>;tag=2\ni: id\n\n"));
  const auto id = dialog_id(*m);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->call_id, "id");
  EXPECT_EQ(id->from_tag, "1");
  EXPECT_EQ(id->to_tag, "2");
  const HashKey key{1, 2};
  EXPECT_EQ(id->hash(key), id->reversed().reversed().hash(key));
  EXPECT_NE(id->hash(key), id->reversed().hash(key));
  EXPECT_NE((DialogId{"ab", "c", "d"}.hash(key)), (DialogId{"a", "bc", "d"}.hash(key)));
  EXPECT_EQ(*id, id->reversed().reversed());
  EXPECT_EQ(dialog_id(*TestMessage(lf("BYE sip:b@h SIP/2.0\n\n"))).error().code, Errc::missing);
}

}  // namespace
}  // namespace ser::sip
