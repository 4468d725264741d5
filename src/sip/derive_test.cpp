// SPDX-License-Identifier: Apache-2.0
#include "sip/derive.h"

#include <gtest/gtest.h>

#include <string>

#include "sip/test_message.h"

namespace ser::sip {
namespace {

using testing::lf;
using testing::TestMessage;

const std::string kSent =
    lf("INVITE sip:b@10.0.0.9;transport=udp SIP/2.0\n"
       "Via: SIP/2.0/UDP p.example.com:5070;branch=z9hG4bKt1\n"
       "v: SIP/2.0/UDP u;branch=z9hG4bKu;received=192.0.2.1\n"
       "Record-Route: <sip:p.example.com;lr>\n"
       "Max-Forwards: 16\n"
       "Route: <sip:r1;lr>,\n"
       " <sip:r2;lr>\n"
       "f: \"A, B\" <sip:a@h>;tag=1\n"
       "Contact: <sip:a@u>\n"
       "To: <sip:b@h>\n"
       "Route: <sip:r3;lr>\n"
       "i: id@h\n"
       "CSeq: 0007 INVITE\n"
       "Proxy-Require: x\n"
       "Require: 100rel\n"
       "Content-Type: text/plain\n"
       "Content-Length: 9\n"
       "\n"
       "Via: body");

const char* const kBusy =
    "SIP/2.0 486 Busy Here\nVia: SIP/2.0/UDP p.example.com:5070;branch=z9hG4bKt1\nFrom: x\nt: <sip:b@h> ; "
    "tag=9\nCSeq: 8 INVITE\n\n";

std::string cancel(std::string_view sent, std::string_view extra = {}) {
  std::string out(derived_size(sent, {}, extra), '\0');
  const auto size = write_cancel(sent, extra, out);
  if (!size) return std::string("error: ") + to_string(size.error().code);
  return out.substr(0, *size);
}

std::string ack(std::string_view sent, const Message& response, std::string_view extra = {}) {
  std::string out(derived_size(sent, response.bytes(), extra), '\0');
  const auto size = write_ack(sent, response, extra, out);
  if (!size) return std::string("error: ") + to_string(size.error().code);
  return out.substr(0, *size);
}

TEST(DeriveFromBytes, Rfc3261Section9_1Cancel) {
  EXPECT_EQ(cancel(kSent, "Reason: SIP;cause=200\r\n"),
            lf("CANCEL sip:b@10.0.0.9;transport=udp SIP/2.0\n"
               "Via: SIP/2.0/UDP p.example.com:5070;branch=z9hG4bKt1\n"
               "Route: <sip:r1;lr>,\n"
               " <sip:r2;lr>\n"
               "f: \"A, B\" <sip:a@h>;tag=1\n"
               "To: <sip:b@h>\n"
               "Route: <sip:r3;lr>\n"
               "i: id@h\n"
               "CSeq: 7 CANCEL\n"
               "Max-Forwards: 70\n"
               "Reason: SIP;cause=200\n"
               "Content-Length: 0\n\n"))
      << "no Require and no Proxy-Require, RFC 3261 9.1";
}

TEST(DeriveFromBytes, Rfc3261Section17_1_1_3Ack) {
  EXPECT_EQ(ack(kSent, *TestMessage(lf(kBusy))), lf("ACK sip:b@10.0.0.9;transport=udp SIP/2.0\n"
                                                    "Via: SIP/2.0/UDP p.example.com:5070;branch=z9hG4bKt1\n"
                                                    "Route: <sip:r1;lr>,\n"
                                                    " <sip:r2;lr>\n"
                                                    "f: \"A, B\" <sip:a@h>;tag=1\n"
                                                    "To: <sip:b@h> ; tag=9\n"
                                                    "Route: <sip:r3;lr>\n"
                                                    "i: id@h\n"
                                                    "CSeq: 7 ACK\n"
                                                    "Max-Forwards: 70\n"
                                                    "Content-Length: 0\n\n"))
      << "To of the response, all else of the INVITE";
}

TEST(DeriveFromBytes, TopViaAlone) {
  struct Row {
    const char* via;
    const char* out;
  };
  const Row rows[] = {
      {"Via: SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b", "Via: SIP/2.0/UDP a;branch=1"},
      {"v : SIP/2.0/UDP a;x=\",\\\",\" , SIP/2.0/UDP b", "v: SIP/2.0/UDP a;x=\",\\\",\""},
      {"VIA:SIP/2.0/UDP a (one, (two)), SIP/2.0/UDP b", "VIA: SIP/2.0/UDP a (one, (two))"},
      {"Via: SIP/2.0/UDP a;x=\"", "error: syntax"},
      {"Via: SIP/2.0/UDP a(", "error: syntax"},
      {"Via: ,SIP/2.0/UDP a", "error: syntax"},
      {"Via:", "error: syntax"},
      {"Vib: SIP/2.0/UDP a", "error: missing"},
  };
  for (const Row& row : rows) {
    const std::string out = cancel(lf("BYE sip:b SIP/2.0\n" + std::string(row.via) +
                                      "\nFrom: <sip:a>\nTo: <sip:b>\nCall-ID: i\nCSeq: 1 BYE\n\n"));
    if (std::string_view(row.out).starts_with("error")) {
      EXPECT_EQ(out, row.out) << row.via;
    } else {
      EXPECT_NE(out.find("\r\n" + std::string(row.out) + "\r\nFrom"), std::string::npos) << out;
    }
  }
}

TEST(DeriveFromBytes, Refusals) {
  const std::string head = "\nVia: SIP/2.0/UDP a\nFrom: <sip:a>\nTo: <sip:b>\nCall-ID: i\n";
  struct Row {
    std::string sent;
    const char* error;
  };
  const Row rows[] = {
      {"ACK sip:b SIP/2.0" + head + "CSeq: 1 ACK\n\n", "error: refused"},
      {"CANCEL sip:b SIP/2.0" + head + "CSeq: 1 CANCEL\n\n", "error: refused"},
      {"SIP/2.0 200 OK" + head + "CSeq: 1 INVITE\n\n", "error: refused"},
      {"INVITE sip:b SIP/2.0" + head + "CSeq: x INVITE\n\n", "error: syntax"},
      {"INVITE sip:b SIP/2.0" + head + "CSeq: 4294967296 INVITE\n\n", "error: out_of_range"},
      {"INVITE sip:b SIP/2.0" + head + "\nCSeq: 1 INVITE\n\n", "error: missing"},
      {"INVITE sip:b SIP/2.0\n", "error: missing"},
      {"INVITE sip:b SIP/2.0", "error: incomplete"},
      {"INVITE sip:b SIP/3.0" + head + "CSeq: 1 INVITE\n\n", "error: version"},
      {"", "error: incomplete"},
  };
  for (const Row& row : rows) EXPECT_EQ(cancel(lf(row.sent)), row.error) << row.sent;
  const TestMessage busy(lf(kBusy));
  EXPECT_EQ(ack(lf("BYE sip:b SIP/2.0" + head + "CSeq: 1 BYE\n\n"), *busy), "error: refused");
  EXPECT_EQ(ack(kSent, *TestMessage(lf("SIP/2.0 200 OK\nTo: <sip:b>\n\n"))), "error: refused");
  EXPECT_EQ(ack(kSent, *TestMessage(kSent)), "error: refused") << "not a response";
  EXPECT_EQ(ack(kSent, *TestMessage(lf("SIP/2.0 486 Busy\nTo:\n\n"))), "error: missing");
  EXPECT_EQ(ack(kSent, *TestMessage(lf("SIP/2.0 486 Busy\n\n"))), "error: missing");
}

TEST(DeriveFromBytes, NeverBeyondTheBuffer) {
  const std::string whole = cancel(kSent);
  const TestMessage busy(lf(kBusy));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string out(size + 1, '#');
    ASSERT_EQ(write_cancel(kSent, {}, std::span(out).first(size)).error().code, Errc::no_space) << size;
    ASSERT_EQ(out.back(), '#');
  }
  for (std::size_t size = 0; size < kSent.size(); ++size) {
    std::string out(4000, '\0');
    (void)write_cancel(std::string_view(kSent).substr(0, size), {}, out);
    (void)write_ack(std::string_view(kSent).substr(0, size), *busy, {}, out);
  }
}

const char* const kOk =
    "SIP/2.0 200 OK\nVia: SIP/2.0/UDP me\nRecord-Route: <sip:p2;lr>, <sip:p1;lr>\nFrom: <sip:a>;tag=1\n"
    "To: <sip:b>;tag=2\nCall-ID: i\nCSeq: 3 INVITE\nContact: <sip:b@phone>;x\n\n";
const char* const kOurInvite =
    "INVITE sip:b SIP/2.0\nVia: SIP/2.0/UDP me\nFrom: <sip:a>;tag=1\nTo: <sip:b>\nCall-ID: i\nCSeq: 3 "
    "INVITE\nProxy-Authorization: Digest x=\"y\"\n\n";

std::string ack_2xx(const std::string& invite, const std::string& response, std::string_view body = {}) {
  std::string out(2000, '\0');
  const TestMessage i(lf(invite)), r(lf(response));
  const auto size =
      write_ack_2xx(*i, *r, {.via = "Via: SIP/2.0/UDP me;branch=z9hG4bKn\r\n", .body = body}, out);
  if (!size) return std::string("error: ") + to_string(size.error().code);
  return out.substr(0, *size);
}

TEST(DeriveAck2xx, Rfc3261Section13_2_2_4) {
  EXPECT_EQ(ack_2xx(kOurInvite, kOk, "v=0"),
            lf("ACK sip:b@phone SIP/2.0\nVia: SIP/2.0/UDP me;branch=z9hG4bKn\nRoute: <sip:p1;lr>\nRoute: "
               "<sip:p2;lr>\nFrom: <sip:a>;tag=1\nTo: <sip:b>;tag=2\nCall-ID: i\nCSeq: 3 ACK\nMax-Forwards: "
               "70\nProxy-Authorization: Digest x=\"y\"\nContent-Length: 3\n\nv=0"));
}

TEST(DeriveAck2xx, Rfc3261Section12_2_1_1StrictRouterFirst) {
  std::string ok = kOk;
  ok.replace(ok.find("<sip:p1;lr>"), 11, "<sip:p1>");
  EXPECT_TRUE(ack_2xx(kOurInvite, ok)
                  .starts_with(lf("ACK sip:p1 SIP/2.0\nVia: SIP/2.0/UDP me;branch=z9hG4bKn\nRoute: "
                                  "<sip:p2;lr>\nRoute: <sip:b@phone>\nFrom:")));
}

TEST(DeriveAck2xx, Refusals) {
  EXPECT_EQ(ack_2xx(kOk, kOk), "error: refused");
  EXPECT_EQ(ack_2xx(kOurInvite, kBusy), "error: refused");
  std::string ok = kOk;
  ok.replace(ok.find("Contact"), 7, "Other-X");
  EXPECT_EQ(ack_2xx(kOurInvite, ok), "error: missing");
  std::string routes = "SIP/2.0 200 OK\nContact: <sip:c>\nTo: <sip:b>\nRecord-Route: <sip:p;lr>";
  for (int i = 0; i < 64; ++i) routes += ",<sip:p;lr>";
  EXPECT_EQ(ack_2xx(kOurInvite, routes + "\n\n"), "error: too_many");
  EXPECT_EQ(ack_2xx(kOurInvite, "SIP/2.0 200 OK\nContact: <sip:c>\nRecord-Route: <sip\nTo: <sip:b>\n\n"),
            "error: syntax");
}

}  // namespace
}  // namespace ser::sip
