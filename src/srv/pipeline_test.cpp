// SPDX-License-Identifier: Apache-2.0
// Messages through a whole worker: laziness, hooks, answers, counters.
#include "srv/pipeline.h"

#include <gmock/gmock.h>

#include <set>

#include "srv/testing/flow.h"

namespace ser::srv {
namespace {

using testing::address;
using testing::crlf;
using testing::Flow;
using ::testing::HasSubstr;
using testing::invite;
using testing::lines_named;
using testing::response_to;
using ::testing::StartsWith;

constexpr const char* kForward = "#!KAMAILIO\nrequest_route { forward(\"198.51.100.7\", 5062); }\n";
const SockAddr kCallee = address("198.51.100.7", 5062);

TEST(Laziness, ForwardReadsExactlyWhatItNeeds) {
  Flow flow(kForward);
  const std::string out = flow.feed_one(invite());
  ASSERT_THAT(out, StartsWith("INVITE "));
  EXPECT_EQ(flow.indexed(), 2U) << "Via and Max-Forwards of twelve; Content-Length is read where it stands";
  // The fields stand in another order: those in between are not read.
  std::string last = invite();
  const std::string hops = "Max-Forwards: 70\r\n";
  last.erase(last.find(hops), hops.size());
  last.insert(last.find("Content-Type"), hops);
  EXPECT_THAT(flow.feed_one(last), HasSubstr("Max-Forwards: 69\r\nContent-Type"));
  EXPECT_EQ(flow.indexed(), 2U);
}

TEST(Laziness, ResponseIndexesExactlyTwoVias) {
  Flow flow(kForward);
  const std::string response = response_to(flow.feed_one(invite()));
  const auto sent = flow.feed(response, kCallee);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(flow.indexed(), 2U) << "two Vias";
  EXPECT_EQ(sent[0].to(), "192.0.2.1:5070");
  EXPECT_THAT(sent[0].bytes,
              StartsWith("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKabc\r\nFrom:"));
  EXPECT_TRUE(sent[0].bytes.ends_with("\r\n\r\nabc"));
  EXPECT_EQ(flow.counted("fwd_replies"), 1U);
  std::string bodiless = response;
  bodiless.resize(bodiless.size() - 3);
  bodiless.replace(bodiless.find("Content-Length: 3"), 17, "Content-Length: 0");
  EXPECT_EQ(flow.feed(bodiless, kCallee).size(), 1U);
  EXPECT_EQ(flow.indexed(), 2U) << "without a body, the two Vias";
}

TEST(Laziness, DroppedRequestIndexesItsVia) {
  Flow flow("#!KAMAILIO\nrequest_route { drop; }\n");
  EXPECT_TRUE(flow.feed(invite()).empty());
  EXPECT_EQ(flow.indexed(), 1U);
  EXPECT_EQ(flow.counted("drop_requests"), 1U);
}

/// Tells in the log what it is asked; drops or absorbs when told to by its parameter.
template <char kName>
class Probe final : public mod::Module {
 public:
  struct Config {
    std::int64_t drop = 0;
    std::int64_t absorb = 0;
  };
  explicit Probe(const Config& config) : x_config(config) {}
  bool pre_script(proxy::Run& run) override {
    tell(run, "pre");
    return x_config.drop == 0;
  }
  void post_script(proxy::Run& run) override { tell(run, "post"); }
  void on_break(proxy::Run& run) override { tell(run, "break"); }
  mod::ResponseVerdict on_response(proxy::Run& run) override {
    tell(run, "response");
    return x_config.absorb != 0 ? mod::ResponseVerdict::absorb : mod::ResponseVerdict::pass;
  }
  mod::Outcome mark(proxy::Run& run) {
    tell(run, "script");
    return mod::Outcome::yes();
  }
  mod::Outcome zero(proxy::Run& run) {
    tell(run, "zero");
    return mod::Outcome::yes(0);
  }
  static mod::ModuleSpec describe() {
    mod::SpecBuilder<Probe> spec(std::string("probe_") + kName, "Tells what it is asked.");
    spec.param(&Config::drop, "drop", "Drops every message before the script.")
        .param(&Config::absorb, "absorb", "Takes every response.")
        .template function<&Probe::mark>(std::string("mark_") + kName, "Tells.", {})
        .template function<&Probe::zero>(std::string("zero_") + kName, "Tells and answers 0.", {})
        .hook(mod::Hook::pre_script)
        .hook(mod::Hook::post_script)
        .hook(mod::Hook::on_break)
        .hook(mod::Hook::response)
        .hardened("for tests");
    return spec.done();
  }

 private:
  static void tell(proxy::Run& run, std::string_view what) {
    LOG(run.services().log, notice, "<{}{}>", kName, what);
  }
  Config x_config;
};

/// The probes' words in order: "apre bpre script …".
std::string words(const Flow& flow) {
  std::string out;
  const std::string& log = flow.log();
  for (std::size_t at = 0; (at = log.find('<', at)) != std::string::npos;) {
    const std::size_t end = log.find('>', at);
    if (end == std::string::npos) break;
    const std::string word = log.substr(at + 1, end - at - 1);
    if (word.size() < 12 && word.find(':') == std::string::npos) out += (out.empty() ? "" : " ") + word;
    at = end;
  }
  return out;
}

std::string probes(const std::string& rest) {
  return "#!SER\nloadmodule \"probe_a\"\nloadmodule \"probe_b\"\n" + rest;
}

const std::vector<Flow::Describe> kProbes = {Probe<'a'>::describe, Probe<'b'>::describe};

TEST(Hooks, InLoadOrderAroundTheScript) {
  Flow flow(probes("route { mark_a(); forward(198.51.100.7, 5062); }\n"), kProbes);
  const std::string out = flow.feed_one(invite());
  EXPECT_EQ(words(flow), "apre bpre ascript apost bpost");
  flow.world.lines.clear();
  EXPECT_EQ(flow.feed(response_to(out), kCallee).size(), 1U);
  EXPECT_EQ(words(flow), "apre bpre aresponse bresponse apost bpost");
}

TEST(Hooks, PreScriptDrops) {
  Flow flow(probes("modparam(\"probe_a\", \"drop\", 1)\nroute { mark_a(); forward(198.51.100.7, 5062); }\n"),
            kProbes);
  EXPECT_TRUE(flow.feed(invite()).empty());
  EXPECT_EQ(words(flow), "apre");
  EXPECT_EQ(flow.counted("prescript_drops"), 1U);
  EXPECT_EQ(flow.counted("drop_requests"), 1U);
  EXPECT_EQ(flow.counted("script_runs"), 0U);
}

TEST(Hooks, OnBreakWhenTheOutermostListEndsWithZero) {
  Flow flow(probes("route { zero_a(); mark_b(); }\n"), kProbes);
  EXPECT_TRUE(flow.feed(invite()).empty());
  EXPECT_EQ(words(flow), "apre bpre azero abreak bbreak apost bpost");
}

TEST(Hooks, FirstToAbsorbEndsAResponse) {
  Flow flow(probes("modparam(\"probe_a\", \"absorb\", 1)\nroute { forward(198.51.100.7, 5062); }\n"),
            kProbes);
  const std::string response = response_to(flow.feed_one(invite()));
  flow.world.lines.clear();
  EXPECT_TRUE(flow.feed(response, kCallee).empty());
  EXPECT_EQ(words(flow), "apre bpre aresponse apost bpost");
  EXPECT_EQ(flow.counted("fwd_replies"), 0U);
}

TEST(Responses, ReplyRouteMayDropAndStrayOnesGoNowhere) {
  Flow flow(
      "#!KAMAILIO\nrequest_route { forward(\"198.51.100.7\", 5062); }\nreply_route { if (status == \"486\") "
      "drop; }\n");
  const std::string request = flow.feed_one(invite());
  EXPECT_EQ(flow.feed(response_to(request, "180 Ringing"), kCallee).size(), 1U);
  EXPECT_EQ(flow.feed(response_to(request, "486 Busy Here"), kCallee).size(), 0U);
  EXPECT_EQ(flow.counted("drop_replies"), 1U);
  std::string stray = response_to(request);
  stray[stray.find("z9hG4bKs") + 12] ^= 1;
  EXPECT_EQ(flow.feed(stray, kCallee).size(), 0U);
  EXPECT_EQ(flow.counted("stray_replies"), 1U);
  EXPECT_EQ(flow.counted("rcv_replies"), 3U);
  EXPECT_EQ(flow.counted("rcv_replies_1xx"), 1U);
  EXPECT_EQ(flow.counted("rcv_replies_2xx"), 1U);
  EXPECT_EQ(flow.counted("rcv_replies_4xx"), 1U);
}

TEST(Responses, CheckViaAsksForUsInTheTopVia) {
  Flow flow("#!KAMAILIO\ncheck_via=yes\nrelay_stray_replies=yes\nrequest_route { drop; }\n");
  const std::string tail =
      "\nVia: SIP/2.0/UDP 192.0.2.1:5070\nFrom: <sip:a@x>\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 OPTIONS\n\n";
  EXPECT_EQ(flow.feed(crlf("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.9:5060" + tail), kCallee).size(), 1U);
  EXPECT_EQ(flow.feed(crlf("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.9" + tail), kCallee).size(), 1U);
  EXPECT_EQ(flow.feed(crlf("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.8" + tail), kCallee).size(), 0U);
  EXPECT_EQ(flow.feed(crlf("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.9:5061" + tail), kCallee).size(), 0U);
}

TEST(Screen, KeepAlivesAndRunts) {
  Flow flow(kForward);
  using namespace std::string_view_literals;
  for (const std::string_view bytes :
       {""sv, "\r\n"sv, "\r\n\r\n"sv, "\0"sv, "\0\0\0\0"sv, " \t\r\n"sv, "\r\n\0"sv})
    EXPECT_TRUE(flow.feed(bytes).empty());
  EXPECT_EQ(flow.counted("keepalives"), 7U);
  for (const std::string_view bytes : {"x"sv, "INVITE"sv, "\r\n\r\nOPTIONS"sv, "0123456789012345678"sv})
    EXPECT_TRUE(flow.feed(bytes).empty());
  EXPECT_EQ(flow.counted("runts"), 4U);
  EXPECT_EQ(flow.counted("rcv_requests"), 0U);
  EXPECT_EQ(flow.feed(invite() + std::string(3, '\0')).size(), 1U) << "trailing NUL bytes are taken off";
  EXPECT_EQ(flow.feed("\r\n\r\n" + invite()).size(), 1U)
      << "empty lines before the start line (RFC 3261 7.5)";
}

TEST(Screen, NulsThatContentLengthCountsAreBody) {
  Flow flow(kForward);
  const std::string plain = invite();
  const std::string head = plain.substr(0, plain.find("\r\n\r\n") + 4);
  const auto with_length = [&head](std::size_t length) {
    std::string changed = head;
    const std::size_t at = changed.find("Content-Length: ") + 16;
    return changed.replace(at, changed.find('\r', at) - at, std::to_string(length));
  };
  const std::string body("a\0b\0\0", 5);
  EXPECT_TRUE(flow.feed_one(with_length(5) + body).ends_with("\r\n\r\n" + body));
  EXPECT_TRUE(flow.feed_one("\r\n" + with_length(5) + body + '\0').ends_with("\r\n\r\n" + body))
      << "those behind the body are padding";
  EXPECT_TRUE(flow.feed_one(with_length(4) + body).ends_with("\r\n\r\n" + body.substr(0, 4)));
  EXPECT_TRUE(flow.feed_one(with_length(3) + body).ends_with("\r\n\r\n" + body.substr(0, 3)));
  EXPECT_TRUE(
      flow.feed_one(with_length(3) + std::string(3, '\0')).ends_with("\r\n\r\n" + std::string(3, '\0')));
  EXPECT_TRUE(flow.feed_one(with_length(0) + std::string(3, '\0')).ends_with("\r\n\r\n"));
}

struct BadDatagram {
  const char* counter;
  std::string bytes;
};

std::vector<BadDatagram> bad_datagrams() {
  std::string bare_cr = invite();
  bare_cr.replace(bare_cr.find("User-Agent: phone"), 17, "User-Agent: ph\rne");
  std::string control = invite();
  control[10] = '\x01';
  return {
      {"check_bare_cr", bare_cr},
      {"check_start_line", control},
      {"check_version", "GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"check_no_blank_line", crlf("OPTIONS sip:x SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n")},
      {"check_no_blank_line", "OPTIONS sip:x SIP/2.0 and no line end"}};
}

TEST(Screen, ReceiveChecksCountByReason) {
  Flow flow(kForward);
  for (const BadDatagram& row : bad_datagrams()) {
    const std::uint64_t before = flow.counted(row.counter);
    EXPECT_TRUE(flow.feed(row.bytes).empty()) << row.counter;
    EXPECT_EQ(flow.counted(row.counter), before + 1) << row.counter;
  }
  EXPECT_EQ(flow.counted("rcv_requests"), 0U);
}

TEST(Screen, WithoutReceiveChecksTheParserDecides) {
  Flow flow("#!KAMAILIO\nreceive_checks=no\nrequest_route { forward(\"198.51.100.7\", 5062); }\n");
  for (const BadDatagram& row : bad_datagrams()) flow.feed(row.bytes);
  for (const char* counter : {"check_bare_cr", "check_start_line", "check_version", "check_no_blank_line"})
    EXPECT_EQ(flow.counted(counter), 0U) << counter;
  EXPECT_EQ(flow.counted("bad_msg_hdr"), 3U) << "control byte, HTTP, no line end";
  EXPECT_EQ(flow.counted("fwd_requests"), 2U) << "bare CR and missing blank line go on as they came";
}

TEST(Screen, LongerThanMaxMessageSize) {
  Flow flow("#!KAMAILIO\nmax_message_size=512\nrequest_route { forward(\"198.51.100.7\", 5062); }\n");
  EXPECT_EQ(flow.feed(invite()).size(), 1U);
  EXPECT_TRUE(flow.feed(invite() + std::string(200, 'x')).empty());
  EXPECT_EQ(flow.counted("too_large"), 1U);
}

TEST(BadMessages, WrongVersionAndBadStartLine) {
  Flow flow(kForward);
  std::string version = invite();
  version.replace(version.find("SIP/2.0"), 7, "SIP/7.0");
  EXPECT_EQ(flow.status(version), 505);
  std::string trailing = invite();
  trailing.replace(trailing.find(" SIP/2.0\r\n"), 10, " SIP/2.0  \r\n");
  EXPECT_EQ(flow.status(trailing), 400);
  EXPECT_EQ(flow.counted("script_runs"), 0U);
  std::string ack = invite("sip:bob@example.com", "ACK");
  ack.replace(ack.find("SIP/2.0"), 7, "SIP/7.0");
  EXPECT_EQ(flow.status(ack), -1) << "an ACK is never answered";
}

TEST(BadMessages, WithoutAGoodFirstViaNobodyIsAnswered) {
  Flow flow(kForward);
  const std::string tail = "From: <sip:a@x>\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 OPTIONS\n\n";
  EXPECT_TRUE(flow.feed(crlf("OPTIONS sip:x@y SIP/2.0\n" + tail)).empty());
  EXPECT_TRUE(flow.feed(crlf("OPTIONS sip:x@y SIP/2.0\nVia: nonsense\n" + tail)).empty());
  EXPECT_TRUE(flow.feed(crlf("SIP/2.0 200 OK\n" + tail)).empty());
  EXPECT_EQ(flow.counted("bad_via"), 3U);
  EXPECT_EQ(flow.counted("err_requests"), 2U);
  EXPECT_EQ(flow.counted("err_replies"), 1U);
}

TEST(Requests, MethodsAreCounted) {
  Flow flow(kForward);
  for (const char* method : {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "NEWMETHOD"})
    EXPECT_EQ(flow.status(invite("sip:bob@example.com", method)), 0) << method;
  EXPECT_EQ(flow.counted("rcv_requests"), 6U);
  EXPECT_EQ(flow.counted("rcv_requests_invite"), 1U);
  EXPECT_EQ(flow.counted("rcv_requests_ack"), 1U);
  EXPECT_EQ(flow.counted("rcv_requests_cancel"), 1U);
  EXPECT_EQ(flow.counted("rcv_requests_bye"), 1U);
  EXPECT_EQ(flow.counted("rcv_requests_other"), 2U);
  EXPECT_EQ(flow.counted("unsupported_methods"), 1U) << "unknown methods are routed all the same";
  EXPECT_EQ(flow.counted("fwd_requests"), 6U);
}

TEST(Requests, InviteCancelAndAckShareTheBranch) {
  Flow flow(kForward);
  const auto own_via = [&](const char* method) {
    const std::string vias = lines_named(flow.feed_one(invite("sip:bob@example.com", method)), "Via");
    return vias.substr(0, vias.find("\r\n"));
  };
  const std::string first = own_via("INVITE");
  EXPECT_THAT(first, StartsWith("Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKs"));
  EXPECT_EQ(own_via("CANCEL"), first);
  EXPECT_EQ(own_via("ACK"), first);
}

TEST(Answers, WhatCouldNotBeSentOnIsAnswered) {
  Flow flow("#!KAMAILIO\nrequest_route { forward(); }\n");
  flow.world.names.hosts["gone.example"] = {};
  EXPECT_EQ(flow.status(invite("sip:bob@203.0.113.4")), 0);
  EXPECT_EQ(flow.status(invite("sip:bob@gone.example")), 478);
  EXPECT_EQ(flow.status(invite("tel:+12")), 416);
  EXPECT_EQ(flow.status(invite("sip:bob@203.0.113.4;transport=tcp")), 500);
  EXPECT_EQ(flow.status(invite("sip:bob@gone.example", "ACK")), -1);
  const std::string pending = flow.feed_one(invite("sip:bob@later.example"));
  EXPECT_THAT(pending, StartsWith("SIP/2.0 503 "));
  EXPECT_THAT(pending, HasSubstr("Retry-After: "));
  EXPECT_EQ(flow.counted("dns_pending"), 1U);
  std::string last_hop = invite("sip:bob@203.0.113.4");
  last_hop.replace(last_hop.find("Max-Forwards: 70"), 16, "Max-Forwards: 0");
  EXPECT_EQ(flow.status(last_hop), 483);
}

TEST(Answers, SilenceOfTheScriptIsItsRight) {
  Flow flow("#!KAMAILIO\nrequest_route { if (method == \"OPTIONS\") exit; if (method == \"BYE\") drop; }\n");
  for (const char* method : {"OPTIONS", "BYE", "INVITE"})
    EXPECT_EQ(flow.status(invite("sip:bob@example.com", method)), -1) << method;
}

TEST(Answers, BrokenOffScriptsAreAnswered500) {
  Flow flow(
      "#!KAMAILIO\nmax_while_loops=1000\nrequest_route { $var(i) = 1; while ($var(i)) { $var(i) = $var(i) + "
      "1; "
      "} }\n");
  flow.world.settings.max_steps = 100;
  EXPECT_EQ(flow.status(invite()), 500);
  EXPECT_EQ(flow.counted("step_limit"), 1U);
}

TEST(Answers, AfterAFailureTheScriptMaySendElsewhere) {
  Flow flow("#!KAMAILIO\nrequest_route { forward(); forward(\"198.51.100.7\", 5062); }\n");
  const auto sent = flow.feed(invite("tel:+12"));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].to(), "198.51.100.7:5062");
}

TEST(LargeMessages, BodiesOfAnySizeStayAsTheyAre) {
  Flow flow(kForward);
  for (const std::size_t size :
       {std::size_t{1400}, std::size_t{1500}, std::size_t{9000}, std::size_t{60000}}) {
    std::string body(size, 'x');
    body[size / 2] = '\0';
    body[size / 3] = '\xFF';
    std::string text = invite();
    text.resize(text.find("Content-Length"));
    text += "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body;
    EXPECT_TRUE(flow.feed_one(text).ends_with("\r\n\r\n" + body)) << size;
  }
}

constexpr const char* kAnswer =
    "#!KAMAILIO\noverload_retry_after=3\nrequest_route { forward(\"198.51.100.7\", 5062); }\n";

/// An INVITE to a request of the same caller inside of a dialog.
std::string in_dialog(std::string text) {
  const std::string to = "To: \"Bob\" <sip:bob@example.com>";
  text.insert(text.find(to) + to.size(), ";tag=b2");
  return text;
}

TEST(Admission, NewRequestsGet503BeforeTheScript) {
  for (const Admission why : {Admission::overload, Admission::memory}) {
    Flow flow(kAnswer);
    flow.pipeline->set_admission(why);
    for (const char* method : {"INVITE", "REGISTER", "SUBSCRIBE"}) {
      const std::string out = flow.feed_one(invite("sip:bob@example.com", method));
      EXPECT_THAT(out, StartsWith("SIP/2.0 503 Service Unavailable\r\n")) << method;
      const std::string after = lines_named(out, "Retry-After");
      ASSERT_THAT(after, StartsWith("Retry-After: "));
      const int seconds = std::stoi(after.substr(13));
      EXPECT_TRUE(seconds >= 3 && seconds <= 6) << after;
      EXPECT_EQ(flow.feed_one(invite("sip:bob@example.com", method)), out) << "a retransmission";
    }
    EXPECT_EQ(flow.counted("script_runs"), 0U);
    EXPECT_EQ(flow.counted("refused_overload"), why == Admission::overload ? 6U : 0U);
    EXPECT_EQ(flow.counted("refused_memory"), why == Admission::memory ? 6U : 0U);
    flow.pipeline->set_admission(Admission::open);
    EXPECT_EQ(flow.status(invite()), 0) << "forwarded again";
  }
}

TEST(Admission, WhatWasBegunAndWhatIsSmallGoesOn) {
  Flow flow(kAnswer);
  const std::string forwarded = flow.feed_one(invite());
  flow.pipeline->set_admission(Admission::overload);
  for (const char* method : {"ACK", "CANCEL", "OPTIONS", "MESSAGE", "NOTIFY", "PUBLISH"})
    EXPECT_EQ(flow.status(invite("sip:bob@example.com", method)), 0) << method;
  for (const char* method : {"INVITE", "REGISTER", "SUBSCRIBE", "BYE", "INFO"})
    EXPECT_EQ(flow.status(in_dialog(invite("sip:bob@example.com", method))), 0) << method;
  EXPECT_EQ(flow.feed(response_to(forwarded), kCallee).size(), 1U);
  EXPECT_EQ(flow.counted("refused_overload"), 0U);
}

TEST(Admission, RetryAfterIsSpreadOverTheCallers) {
  Flow flow(kAnswer);
  flow.pipeline->set_admission(Admission::overload);
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i)
    seen.insert(
        lines_named(flow.feed_one(invite("sip:bob@example.com", "INVITE", "z9hG4bK" + std::to_string(i))),
                    "Retry-After"));
  EXPECT_EQ(seen.size(), 4U) << "3, 4, 5 and 6 seconds";
}

TEST(Admission, TheAckToA503EndsHereAndOthersGoOn) {
  Flow flow(kAnswer);
  flow.pipeline->set_admission(Admission::overload);
  const std::string refusal = flow.feed_one(invite());
  std::string ack = invite("sip:bob@example.com", "ACK");
  const std::string to = lines_named(ack, "To");
  ack.replace(ack.find(to), to.size(), lines_named(refusal, "To"));
  flow.pipeline->set_admission(Admission::open);
  EXPECT_EQ(flow.status(ack), -1);
  EXPECT_EQ(flow.counted("absorbed_acks"), 1U);
  EXPECT_EQ(flow.counted("script_runs"), 0U);
  EXPECT_EQ(flow.status(in_dialog(invite("sip:bob@example.com", "ACK"))), 0)
      << "the ACK to a 200 of the callee's";
}

TEST(Admission, ABadToIsNoDialog) {
  Flow flow(kAnswer);
  flow.pipeline->set_admission(Admission::overload);
  std::string bad = invite();
  const std::string to = lines_named(bad, "To");
  bad.replace(bad.find(to), to.size(), "To: <sip:bob@example.com\r\n");
  flow.feed(bad);
  EXPECT_EQ(flow.counted("script_runs"), 0U);
  EXPECT_EQ(flow.counted("refused_overload"), 1U);
}

}  // namespace
}  // namespace ser::srv
