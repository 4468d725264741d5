// SPDX-License-Identifier: Apache-2.0
#include "modules/siputils/siputils.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using mod::testing::TestWorker;

std::string request(std::string_view uri, std::string_view extra = {}, std::string_view method = "INVITE") {
  return std::string(method) + " " + std::string(uri) +
         " SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\n" + std::string(extra) +
         "From: <sip:a@b>;tag=1\nTo: <sip:b@b>\nCall-ID: 1\nCSeq: 1 " + std::string(method) + "\n\n";
}

TEST(Siputils, TheMessage) {
  TestWorker worker(describe_siputils);
  worker.receive(
      request("sip:a@b", "Supported: path, 100rel\nProxy-Authorization: Digest username=\"joe\"\n"));
  EXPECT_EQ(worker.call("is_request"), 1);
  EXPECT_EQ(worker.call("is_reply"), -1);
  EXPECT_EQ(worker.call("has_totag"), -1);
  EXPECT_EQ(worker.call("is_first_hop"), 1);
  EXPECT_EQ(worker.call("is_supported", {"100rel"}), 1);
  EXPECT_EQ(worker.call("is_supported", {"gruu"}), -1);
  EXPECT_EQ(worker.call("is_user", {"joe"}), 1);
  EXPECT_EQ(worker.call("is_user", {"jim"}), -1);
  worker.receive(request("sip:a@b", "Via: SIP/2.0/UDP other\n"));
  EXPECT_EQ(worker.call("is_first_hop"), -1);
  worker.receive(
      "SIP/2.0 200 OK\nVia: SIP/2.0/UDP a\nTo: <sip:a@b>;tag=2\nRecord-Route: <sip:127.0.0.1;lr>\n\n", 0,
      {IpAddress::v4(192, 0, 2, 9), 5060});
  EXPECT_EQ(worker.call("has_totag"), 1);
  EXPECT_EQ(worker.call("is_reply"), 1);
  EXPECT_EQ(worker.call("is_first_hop"), 1);
  worker.receive("SIP/2.0 200 OK\nVia: SIP/2.0/UDP a\nRecord-Route: <sip:127.0.0.1;lr>\n\n");
  EXPECT_EQ(worker.call("is_first_hop"), -1) << "from our own address: a loop";
  EXPECT_EQ(worker.call("is_first_hop", {"1"}), 1);
}

TEST(Siputils, OptionsReply) {
  TestWorker worker(describe_siputils);
  worker.param("options_support", "path");
  worker.receive(request("sip:127.0.0.1", "", "OPTIONS"));
  EXPECT_EQ(worker.call("options_reply"), 1);
  const std::string& reply = worker.sink.sent.at(0).bytes;
  EXPECT_EQ(reply.substr(0, 16), "SIP/2.0 200 OK\r\n");
  EXPECT_NE(reply.find("Accept: */*\r\nAccept-Encoding: \r\nAccept-Language: en\r\nSupported: path\r\n"),
            std::string::npos);
  worker.receive(request("sip:user@127.0.0.1", "", "OPTIONS"));
  EXPECT_EQ(worker.call("options_reply"), -1);
  worker.receive(request("sip:127.0.0.1"));
  EXPECT_EQ(worker.call("options_reply"), -1);
  EXPECT_EQ(worker.sink.sent.size(), 1U);
}

TEST(Siputils, RequestUriParameters) {
  TestWorker worker(describe_siputils);
  worker.receive(request("sip:bob@192.0.2.4;x;y=1?h=v"));
  EXPECT_EQ(worker.call("uri_param", {"x"}), 1);
  EXPECT_EQ(worker.call("uri_param", {"y"}), -1) << "it has a value";
  EXPECT_EQ(worker.call("uri_param", {"y", "1"}), 1);
  EXPECT_EQ(worker.call("uri_param", {"y", "2"}), -1);
  EXPECT_EQ(worker.call("uri_param_any", {"y"}), 1);
  EXPECT_EQ(worker.call("get_uri_param", {"y", "out"}), 1);
  EXPECT_EQ(worker.variable("out").value.text, "1");
  EXPECT_EQ(worker.call("add_uri_param", {"nat=yes"}), 1);
  EXPECT_EQ(worker.run().uri(), "sip:bob@192.0.2.4;x;y=1;nat=yes?h=v");
  EXPECT_EQ(worker.call("add_uri_param", {"bad>"}), -1);
  EXPECT_EQ(worker.call("uri_param_rm", {"y"}), 1);
  EXPECT_EQ(worker.run().uri(), "sip:bob@192.0.2.4;x;nat=yes?h=v");
  EXPECT_EQ(worker.call("uri_param_rm", {"x"}), 1);
  EXPECT_EQ(worker.run().uri(), "sip:bob@192.0.2.4;nat=yes?h=v");
  EXPECT_EQ(worker.call("uri_param_rm", {"x"}), -1);
}

TEST(Siputils, Texts) {
  struct Case {
    std::string_view function, text;
    int code;
  };
  TestWorker worker(describe_siputils);
  worker.receive(request("sip:a@b;gr"));
  for (const Case& c :
       {Case{"is_uri", "sip:a@b:5060", 1}, Case{"is_uri", "tel:+1", 1}, Case{"is_uri", "foo", -1},
        Case{"is_uri", "sip:a@[::", -1}, Case{"is_e164", "+491234", 1}, Case{"is_e164", "491234", -1},
        Case{"is_e164", "+1234567890123456", -1}, Case{"is_uri_user_e164", "sip:+491234@b", 1},
        Case{"is_uri_user_e164", "sip:bob@b", -1}, Case{"is_numeric", "012", 1}, Case{"is_numeric", "", -1},
        Case{"is_numeric", "1a", -1}, Case{"is_tel_number", "+12", 1}, Case{"is_tel_number", "+", -1},
        Case{"is_alphanum", "a1", 1}, Case{"is_alphanum", "a-1", -1}, Case{"is_gruu", "sip:a@b;gr=urn", 1},
        Case{"is_gruu", "sip:a@b", -1}}) {
    EXPECT_EQ(worker.call(c.function, {c.text}), c.code) << c.function << " " << c.text;
  }
  EXPECT_EQ(worker.call("is_gruu"), 2);
  EXPECT_EQ(worker.call("is_alphanumex", {"a-1", "-_"}), 1);
  EXPECT_EQ(worker.call("cmp_uri", {"sip:a@b;x=1", "sip:a@B"}), 1);
  EXPECT_EQ(worker.call("cmp_uri", {"sip:a@b;transport=tcp", "sip:a@b"}), -1);
  EXPECT_EQ(worker.call("cmp_aor", {"sip:a@b:5060", "sip:a@B;x"}), 1);
  EXPECT_EQ(worker.call("cmp_aor", {"sip:A@b", "sip:a@b"}), -1);
  EXPECT_EQ(worker.call("cmp_hdr_name", {"From", "f"}), 1);
  EXPECT_EQ(worker.call("cmp_hdr_name", {"X-A", "x-a"}), 1);
  EXPECT_EQ(worker.call("cmp_hdr_name", {"From", "To"}), -1);
}

TEST(Siputils, UrisInVariables) {
  TestWorker worker(describe_siputils);
  worker.receive(request("sip:a@b"));
  // The examples of RFC 3261 19.1.6 and of the family.
  EXPECT_EQ(worker.call("tel2sip", {"tel:+(34)-999-888-777", "foo.com", "out"}), 1);
  EXPECT_EQ(worker.variable("out").value.text, "sip:+34999888777@foo.com;user=phone");
  EXPECT_EQ(worker.call("tel2sip", {"tel:+12-(34)-56-78;Ext=200;ISUB=+123-456", "foo.com", "out"}), 1);
  EXPECT_EQ(worker.variable("out").value.text, "sip:+12345678;ext=200;isub=+123-456@foo.com;user=phone");
  EXPECT_EQ(worker.call("tel2sip", {"sip:a@b", "foo.com", "out"}), 2);
  EXPECT_EQ(worker.call("tel2sip", {"junk", "foo.com", "out"}), -1);
  worker.variable("uri").value = proxy::Value::of("sip:a@b:5070;x");
  EXPECT_EQ(worker.call("set_uri_user", {"uri", "bob"}), 1);
  EXPECT_EQ(worker.variable("uri").value.text, "sip:bob@b:5070;x");
  EXPECT_EQ(worker.call("set_uri_host", {"uri", "example.com"}), 1);
  EXPECT_EQ(worker.variable("uri").value.text, "sip:bob@example.com:5070;x");
  EXPECT_EQ(worker.call("set_uri_host", {"uri", "b ad"}), -1);
}

}  // namespace
}  // namespace ser::modules
