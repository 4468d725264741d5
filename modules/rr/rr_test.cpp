// SPDX-License-Identifier: Apache-2.0
#include "modules/rr/rr.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using mod::testing::TestWorker;

std::string request(std::string_view uri, std::string_view headers, bool dialog = true) {
  return "INVITE " + std::string(uri) +
         " SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\n"
         "From: <sip:alice@a.example.com>;tag=ft\nTo: <sip:bob@b.example.com>" +
         (dialog ? ";tag=tt" : "") + "\nCall-ID: 1\nCSeq: 1 INVITE\n" + std::string(headers) +
         "Max-Forwards: 70\nContent-Length: 0\n\n";
}

/// Request-URI, then every Route or Record-Route line, joined with " | ".
std::string lines(const std::string& message, std::string_view name) {
  std::string out = message.substr(message.find(' ') + 1, message.find(" SIP/2.0") - message.find(' ') - 1);
  for (std::size_t at = message.find("\r\n") + 2; message.compare(at, 2, "\r\n") != 0;) {
    const std::size_t end = message.find("\r\n", at);
    if (message.compare(at, name.size(), name) == 0)
      out += " | " + message.substr(at + name.size(), end - at - name.size());
    at = end + 2;
  }
  return out;
}

struct LooseCase {
  const char* what;
  std::string_view uri, routes;
  bool dialog;
  int code;
  std::string_view leaves, destination;
};

// Compared with Kamailio 5.6.3, and with the examples of RFC 3261 16.12.1.
constexpr LooseCase kLooseCases[] = {
    {"no Route", "sip:bob@192.0.2.4", "", true, -1, "sip:bob@192.0.2.4", ""},
    {"ours alone", "sip:bob@192.0.2.4", "Route: <sip:127.0.0.1;lr>\n", true, 1, "sip:bob@192.0.2.4", ""},
    {"ours alone, preloaded", "sip:bob@192.0.2.4", "Route: <sip:127.0.0.1;lr>\n", false, -3,
     "sip:bob@192.0.2.4", ""},
    {"ours and the next", "sip:bob@192.0.2.4", "Route: <sip:127.0.0.1;lr>\nRoute: <sip:p2.example.net;lr>\n",
     true, 1, "sip:bob@192.0.2.4 | <sip:p2.example.net;lr>", "sip:p2.example.net;lr"},
    {"the same preloaded", "sip:bob@192.0.2.4", "Route: <sip:127.0.0.1;lr>\nRoute: <sip:p2.example.net;lr>\n",
     false, 1, "sip:bob@192.0.2.4 | <sip:p2.example.net;lr>", "sip:p2.example.net;lr"},
    {"one header field", "sip:bob@192.0.2.4",
     "Route: <sip:127.0.0.1;lr>,<sip:p2.example.net;lr> , <sip:p4;lr>\n", true, 1,
     "sip:bob@192.0.2.4 | <sip:p2.example.net;lr> , <sip:p4;lr>", "sip:p2.example.net;lr"},
    {"not ours", "sip:bob@192.0.2.4", "Route: <sip:p2.example.net;lr>\n", true, 1,
     "sip:bob@192.0.2.4 | <sip:p2.example.net;lr>", "sip:p2.example.net;lr"},
    {"another port is not ours", "sip:bob@192.0.2.4", "Route: <sip:127.0.0.1:5070;lr>\n", true, 1,
     "sip:bob@192.0.2.4 | <sip:127.0.0.1:5070;lr>", "sip:127.0.0.1:5070;lr"},
    {"double Record-Route", "sip:bob@192.0.2.4",
     "Route: <sip:127.0.0.1;r2=on;lr>\nRoute: <sip:[::1];r2=on;lr>\nRoute: <sip:p2.example.net;lr>\n", true,
     1, "sip:bob@192.0.2.4 | <sip:p2.example.net;lr>", "sip:p2.example.net;lr"},
    {"double Record-Route at the end", "sip:bob@192.0.2.4",
     "Route: <sip:127.0.0.1;r2=on;lr>,<sip:[::1];r2=on;lr>\n", true, 1, "sip:bob@192.0.2.4", ""},
    {"strict router behind us", "sip:bob@192.0.2.4",
     "Route: <sip:127.0.0.1;lr>\nRoute: <sip:p3.example.net>\n", true, 1,
     "sip:p3.example.net | <sip:bob@192.0.2.4>", ""},
    {"strict router, then loose", "sip:bob@192.0.2.4",
     "Route: <sip:127.0.0.1;lr>\nRoute: <sip:p3.example.net>, <sip:p2;lr>\n", true, 1,
     "sip:p3.example.net | <sip:p2;lr> | <sip:bob@192.0.2.4>", ""},
    {"strict router before us", "sip:127.0.0.1;lr",
     "Route: <sip:p2.example.net;lr>\nRoute: <sip:bob@192.0.2.4>\n", true, 1,
     "sip:bob@192.0.2.4 | <sip:p2.example.net;lr>", "sip:p2.example.net;lr"},
    {"strict router before us, one field", "sip:127.0.0.1;lr",
     "Route: <sip:p2.example.net;lr>, <sip:bob@192.0.2.4>\n", true, 1,
     "sip:bob@192.0.2.4 | <sip:p2.example.net;lr>", "sip:p2.example.net;lr"},
    {"strict router before us, we are the last", "sip:127.0.0.1", "Route: <sip:bob@192.0.2.4>\n", true, 1,
     "sip:bob@192.0.2.4", ""},
    {"strict routers on both sides", "sip:127.0.0.1;lr",
     "Route: <sip:p3.example.net>\nRoute: <sip:bob@192.0.2.4>\n", true, 1,
     "sip:p3.example.net | <sip:bob@192.0.2.4>", ""},
    {"strict router and double", "sip:[::1];r2=on;lr",
     "Route: <sip:127.0.0.1;r2=on;lr>\nRoute: <sip:bob@192.0.2.4>\n", true, 1, "sip:bob@192.0.2.4", ""},
    {"our domain and our Route", "sip:bob@127.0.0.1", "Route: <sip:127.0.0.1;lr>,<sip:p2;lr>\n", true, 1,
     "sip:bob@127.0.0.1 | <sip:p2;lr>", "sip:p2;lr"},
    {"our domain, preloaded", "sip:bob@127.0.0.1", "Route: <sip:p2;lr>\n", false, 1,
     "sip:bob@127.0.0.1 | <sip:p2;lr>", "sip:p2;lr"},
    {"garbage", "sip:bob@192.0.2.4", "Route: garbage\n", true, -1, "sip:bob@192.0.2.4 | garbage", ""},
    {"bad URI", "sip:bob@192.0.2.4", "Route: <sip:[::;lr>\n", true, -1, "sip:bob@192.0.2.4 | <sip:[::;lr>",
     ""},
    // RFC 3261 16.12.1.1, basic SIP trapezoid: BYE at the proxy in the middle; 16.12.1.2, strict-routing
    // proxy.
    {"16.12.1.1", "sip:callee@u2.domain.com", "Route: <sip:127.0.0.1;lr>,<sip:p2.domain.com;lr>\n", true, 1,
     "sip:callee@u2.domain.com | <sip:p2.domain.com;lr>", "sip:p2.domain.com;lr"},
    {"16.12.1.2 at P2, before strict P3", "sip:callee@u2",
     "Route: <sip:127.0.0.1;lr>\nRoute: <sip:p3.middle.com>\n"
     "Route: <sip:p4.domain.com;lr>\n",
     true, 1, "sip:p3.middle.com | <sip:p4.domain.com;lr> | <sip:callee@u2>", ""},
    {"16.12.1.2 at P4, behind strict P3", "sip:127.0.0.1;lr", "Route: <sip:callee@u2.domain.com>\n", true, 1,
     "sip:callee@u2.domain.com", ""},
};

TEST(LooseRoute, Table) {
  for (const LooseCase& c : kLooseCases) {
    TestWorker worker(describe_rr);
    worker.receive(request(c.uri, c.routes, c.dialog));
    EXPECT_EQ(worker.call("loose_route"), c.code) << c.what;
    EXPECT_EQ(lines(worker.written(), "Route: "), c.leaves) << c.what;
    EXPECT_EQ(worker.state.dst_uri, c.destination) << c.what;
    EXPECT_EQ(worker.call("rr_next_hop_route"),
              c.destination.empty() && c.leaves.find("p3") == std::string::npos ? -1 : 1)
        << c.what;
  }
}

TEST(LooseRoute, DoubleForcesTheSocketTowardsTheNextHop) {
  TestWorker worker(describe_rr);
  worker.receive(request("sip:bob@192.0.2.4", "Route: <sip:127.0.0.1;r2=on;lr>,<sip:[::1];r2=on;lr>\n"));
  EXPECT_EQ(worker.call("loose_route"), 1);
  EXPECT_EQ(worker.state.force_socket, 1);
  worker.receive(request("sip:bob@192.0.2.4", "Route: <sip:[::1];lr>\n"));
  EXPECT_EQ(worker.call("loose_route"), 1);
  EXPECT_EQ(worker.state.force_socket, kNoSocket);

  TestWorker forcing(describe_rr);
  forcing.param("force_send_socket", "1");
  forcing.receive(request("sip:bob@192.0.2.4", "Route: <sip:[::1];lr>\n"));
  EXPECT_EQ(forcing.call("loose_route"), 1);
  EXPECT_EQ(forcing.state.force_socket, 1);
}

TEST(LooseRoute, OtherWaysToCallIt) {
  TestWorker worker(describe_rr);
  worker.receive(request("sip:127.0.0.1;lr", "Route: <sip:p2;lr>\n"));
  EXPECT_EQ(worker.call("loose_route_mode", {"1"}), 1);
  EXPECT_EQ(lines(worker.written(), "Route: "), "sip:127.0.0.1;lr | <sip:p2;lr>");
  worker.receive(request("sip:bob@192.0.2.4", "Route: <sip:127.0.0.1;lr>\n"));
  EXPECT_EQ(worker.call("loose_route_preloaded"), -1) << "in a dialog";
  EXPECT_EQ(worker.call("rewriteFromRoute"), 1);
  worker.receive(request("sip:bob@192.0.2.4", "Route: <sip:127.0.0.1;lr>\n", false));
  EXPECT_EQ(worker.call("loose_route_preloaded"), 1);
  EXPECT_EQ(worker.call("loose_route"), -3) << "again";
  EXPECT_EQ(lines(worker.written(), "Route: "), "sip:bob@192.0.2.4");
}

TEST(RouteParams, CheckAndDirection) {
  TestWorker worker(describe_rr);
  worker.receive(request("sip:bob@192.0.2.4", "Route: <sip:127.0.0.1;lr;ftag=ft;nat=yes>\n"));
  EXPECT_EQ(worker.call("check_route_param", {"nat=yes"}), -1) << "before loose_route";
  worker.call("loose_route");
  EXPECT_EQ(worker.call("check_route_param", {";nat=yes"}), 1);
  EXPECT_EQ(worker.call("check_route_param", {"nat=no"}), -1);
  EXPECT_EQ(worker.call("is_direction", {"downstream"}), 1);
  EXPECT_EQ(worker.call("is_direction", {"upstream"}), -1);
  worker.receive(request("sip:alice@192.0.2.4", "Route: <sip:127.0.0.1;lr;ftag=tt>\n"));
  worker.call("loose_route");
  EXPECT_EQ(worker.call("is_direction", {"upstream"}), 1);
  EXPECT_EQ(worker.call("is_direction", {"sideways"}), -1);
  EXPECT_EQ(worker.call("record_route"), 1);
  EXPECT_EQ(lines(worker.forwarded(), "Record-Route: "),
            "sip:alice@192.0.2.4 | <sip:127.0.0.1:5060;lr;ftag=tt>")
      << "the tag stays that of the caller";
}

TEST(RecordRoute, TopmostOnceAndWithParameters) {
  TestWorker worker(describe_rr);
  worker.receive(request("sip:bob@192.0.2.4", "Record-Route: <sip:p1;lr>\n", false));
  EXPECT_EQ(worker.call("add_rr_param", {";c=d"}), 1);
  EXPECT_EQ(worker.call("record_route", {";a=b"}), 1);
  EXPECT_EQ(worker.call("record_route"), -1);
  EXPECT_EQ(worker.call("add_rr_param", {";e=f"}), 1);
  EXPECT_EQ(worker.call("add_rr_param", {";bad>"}), -1);
  const std::string sent = worker.forwarded();
  EXPECT_EQ(lines(sent, "Record-Route: "),
            "sip:bob@192.0.2.4 | <sip:127.0.0.1:5060;lr;ftag=ft;a=b;c=d;e=f> | <sip:p1;lr>");
  EXPECT_EQ(sent.find("\r\nRecord-Route: <sip:127.0.0.1:5060"), sent.find("\r\n"))
      << "above our Via, as the family writes it";
  const std::size_t own = sent.find("\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;");
  EXPECT_EQ(sent.find("\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;"), sent.find("\r\n", own + 2))
      << "the Via lines stand together";
}

TEST(RecordRoute, AboveThoseOfTheHopsBefore) {
  TestWorker worker(describe_rr);
  worker.param("append_fromtag", "0");
  worker.receive(
      "INVITE sip:bob@192.0.2.4 SIP/2.0\nRecord-Route: <sip:p2;lr>\nMax-Forwards: 9\n"
      "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\nRecord-Route: <sip:p1;lr>\nFrom: <sip:a@a>;tag=1\n"
      "To: <sip:b@b>\nCall-ID: 1\nCSeq: 1 INVITE\n\n",
      1, {*parse_ip("::1"), 5070});
  EXPECT_EQ(worker.call("record_route"), 1);
  EXPECT_EQ(lines(worker.forwarded(), "Record-Route: "),
            "sip:bob@192.0.2.4 | <sip:127.0.0.1:5060;r2=on;lr> | <sip:[::1]:5060;r2=on;lr> | <sip:p2;lr> | "
            "<sip:p1;lr>");
}

TEST(RecordRoute, TwoWhenItLeavesByAnotherSocket) {
  TestWorker worker(describe_rr);
  worker.param("append_fromtag", "0");
  worker.receive(request("sip:bob@192.0.2.4", "", false), 1, {*parse_ip("::1"), 5070});
  EXPECT_EQ(worker.call("record_route"), 1);
  EXPECT_EQ(lines(worker.forwarded(), "Record-Route: "),
            "sip:bob@192.0.2.4 | <sip:127.0.0.1:5060;r2=on;lr> | <sip:[::1]:5060;r2=on;lr>");
}

TEST(RecordRoute, Parameters) {
  struct Case {
    std::string_view param, value, uri, record;
  };
  for (const Case& c : {Case{"enable_full_lr", "1", "sip:bob@b", "<sip:127.0.0.1:5060;lr=on;ftag=ft>"},
                        Case{"enable_double_rr", "0", "sip:bob@b", "<sip:127.0.0.1:5060;lr;ftag=ft>"},
                        Case{"enable_double_rr", "2", "sip:bob@b",
                             "<sip:127.0.0.1:5060;transport=udp;r2=on;lr;ftag=ft> | "
                             "<sip:127.0.0.1:5060;transport=udp;r2=on;lr;ftag=ft>"},
                        Case{"add_username", "1", "sip:bob@b", "<sip:bob@127.0.0.1:5060;lr;ftag=ft>"},
                        Case{"ignore_sips", "0", "sips:bob@b", "<sips:127.0.0.1:5060;lr;ftag=ft>"},
                        Case{"ignore_sips", "1", "sips:bob@b", "<sip:127.0.0.1:5060;lr;ftag=ft>"}}) {
    TestWorker worker(describe_rr);
    worker.param(c.param, c.value);
    worker.receive(request(c.uri, "", false));
    EXPECT_EQ(worker.call("addRecordRoute"), 1);
    EXPECT_EQ(lines(worker.forwarded(), "Record-Route: "),
              std::string(c.uri) + " | " + std::string(c.record));
  }
}

TEST(RecordRoute, NamesOfSockets) {
  TestWorker worker(describe_rr);
  worker.param("sockname_mode", "1");
  worker.param("append_fromtag", "no");
  worker.add_socket("127.0.0.2", 5060, "inside");
  worker.receive(request("sip:bob@192.0.2.4", "", false), 2);
  EXPECT_EQ(worker.call("record_route"), 1);
  EXPECT_EQ(lines(worker.forwarded(), "Record-Route: "),
            "sip:bob@192.0.2.4 | <sip:127.0.0.2:5060;sn=inside;lr>");
  worker.receive(request("sip:bob@192.0.2.4", "Route: <sip:127.0.0.2:5060;sn=inside;lr>\n"));
  EXPECT_EQ(worker.call("loose_route"), 1);
  EXPECT_EQ(worker.state.force_socket, 2);
}

TEST(RecordRoute, PresetAdvertisedAndTakenBack) {
  TestWorker worker(describe_rr);
  worker.param("custom_user_avp", "$avp(who)");
  worker.param("add_username", "1");
  worker.receive(request("sip:bob@192.0.2.4", "", false));
  ASSERT_TRUE(worker.run().set_avp("who", false, proxy::Value::of("mo")));
  EXPECT_EQ(worker.call("record_route_preset", {"192.0.2.1:5060;r2=on", "10.0.0.1;r2=on"}), 1);
  EXPECT_EQ(
      lines(worker.forwarded(), "Record-Route: "),
      "sip:bob@192.0.2.4 | <sip:mo@192.0.2.1:5060;r2=on;lr;ftag=ft> | <sip:mo@10.0.0.1;r2=on;lr;ftag=ft>");
  worker.receive(request("sip:bob@192.0.2.4", "", false));
  EXPECT_EQ(worker.call("record_route_advertised_address", {"192.0.2.1 bad"}), -1);
  EXPECT_EQ(worker.call("record_route_advertised_address", {"192.0.2.1:5080"}), 1);
  EXPECT_EQ(lines(worker.forwarded(), "Record-Route: "),
            "sip:bob@192.0.2.4 | <sip:bob@192.0.2.1:5080;lr;ftag=ft>");
  worker.receive(request("sip:bob@192.0.2.4", "", false));
  EXPECT_EQ(worker.call("record_route"), 1);
  EXPECT_EQ(worker.call("remove_record_route"), 1);
  EXPECT_EQ(lines(worker.forwarded(), "Record-Route: "), "sip:bob@192.0.2.4");
}

TEST(RouteUri, Variable) {
  TestWorker worker(describe_rr);
  worker.receive(request("sip:bob@192.0.2.4", "Route: <sip:p2;lr>\n"));
  const mod::VariableSpec& variable = worker.spec.variables.at(0);
  EXPECT_EQ(variable.get(worker.module(), worker.run(), "").text, "sip:p2;lr");
  worker.receive(request("sip:bob@192.0.2.4", ""));
  EXPECT_TRUE(variable.get(worker.module(), worker.run(), "").is_null());
}

}  // namespace
}  // namespace ser::modules
