// SPDX-License-Identifier: Apache-2.0
#include "modules/textops/textops.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using mod::testing::crlf;
using mod::testing::TestWorker;

constexpr std::string_view kInvite =
    "INVITE sip:bbb@192.0.2.4 SIP/2.0\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\n"
    "f: <sip:alice@a.example.com>;tag=1\n"
    "To: <sip:bob@b.example.com>\n"
    "Call-ID: 1\n"
    "CSeq: 1 INVITE\n"
    "P-Foo: one\n"
    "P-Foo: two\n"
    "P-Zap: x\n"
    "Privacy: id;header\n"
    "Content-Type: application/sdp\n"
    "Content-Length: 12\n"
    "\n"
    "v=0\no=- 1\n";

/// The header and body a case changes, as they leave.
std::string changed(std::string_view function, std::initializer_list<std::string_view> arguments, int code) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call(function, arguments), code) << function;
  return worker.written();
}

TEST(Search, FindsWithoutRegardToCase) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("search", {"^p-foo: ONE"}), 1);
  EXPECT_EQ(worker.call("search", {"^invite sip:"}), 1) << "the start line too";
  EXPECT_EQ(worker.call("search", {"nothere"}), -1);
  EXPECT_EQ(worker.call("search_body", {"^o="}), 1);
  EXPECT_EQ(worker.call("search_body", {"P-Foo"}), -1);
  EXPECT_EQ(worker.call("search_str", {";transport=TCP", "transport=tcp"}), 1);
  EXPECT_EQ(worker.call("search_hf", {"P-Foo", "two", "a"}), 1);
  EXPECT_EQ(worker.call("search_hf", {"P-Foo", "two", "f"}), -1);
  EXPECT_EQ(worker.call("search_hf", {"P-Foo", "two", "l"}), 1);
  EXPECT_EQ(worker.call("search_hf", {"From", "alice@", "a"}), 1) << "compact form";
  EXPECT_EQ(worker.call("search", {"^(a+)+$"}), -1);
}

TEST(Search, ALimitIsNoMatchAndCounted) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("search_str", {std::string(60, 'a') + "b", "^(a+)+$"}), -1);
  EXPECT_EQ(worker.counters.value(worker.table.find("core", "regex_limit")), 1U);
  EXPECT_EQ(worker.lines.lines.size(), 1U);
}

TEST(Replace, FirstAllHeaderAndBody) {
  EXPECT_NE(changed("replace", {"p-foo", "P-Bar"}, 1).find("P-Bar: one\r\nP-Foo: two"), std::string::npos);
  EXPECT_NE(changed("replace_all", {"P-Foo", "P-Bar"}, 1).find("P-Bar: one\r\nP-Bar: two"),
            std::string::npos);
  EXPECT_EQ(changed("replace_all", {"nothere", "x"}, -1), crlf(kInvite));
  EXPECT_EQ(changed("replace", {"INVITE sip", "x"}, -1), crlf(kInvite)) << "not the start line";
  EXPECT_NE(changed("replace_hdrs", {"zap", "Zip"}, 1).find("P-Zip: x"), std::string::npos);
  EXPECT_EQ(changed("replace_hdrs", {"v=0", "v=1"}, -1), crlf(kInvite));
  const std::string body = changed("replace_body", {"v=0", "v=100"}, 1);
  EXPECT_NE(body.find("Content-Length: 14\r\n\r\nv=100\r\n"), std::string::npos) << body;
  EXPECT_NE(changed("replace_body_all", {"=", ":"}, 1).find("v:0\r\no:- 1\r\n"), std::string::npos);
  EXPECT_NE(changed("replace_str", {"P-Foo", "Q", "a"}, 1).find("Q: one\r\nQ: two"), std::string::npos);
  EXPECT_NE(changed("replace_hdrs_str", {"P-Foo", "Q", "f"}, 1).find("Q: one\r\nP-Foo: two"),
            std::string::npos);
  EXPECT_EQ(changed("replace_body_str", {"P-Foo", "Q", "f"}, -1), crlf(kInvite));
  EXPECT_NE(changed("search_append", {"P-Foo: one", "more"}, 1).find("P-Foo: onemore\r\n"),
            std::string::npos);
  EXPECT_NE(changed("search_append_body", {"v=0", "1"}, 1).find("v=01\r\n"), std::string::npos);
}

TEST(Subst, GroupsFlagsAndVariables) {
  EXPECT_NE(changed("subst", {"/^(P-Foo|P-Zap):(.*)$/P-Bar:\\2/g"}, 1)
                .find("P-Bar: one\r\nP-Bar: two\r\nP-Bar: x\r\n"),
            std::string::npos)
      << changed("subst", {"/^(P-Foo|P-Zap):(.*)$/P-Bar:\\2/g"}, 1);
  EXPECT_NE(changed("subst", {"/p-foo/X/i"}, 1).find("X: one\r\nP-Foo: two"), std::string::npos);
  EXPECT_EQ(changed("subst", {"/p-foo/X/"}, -1), crlf(kInvite));
  EXPECT_NE(
      changed("subst", {"#P-Foo: (o)ne#P-Foo: \\u\\#$x\\1#"}, 1).find("P-Foo: sip:bbb@192.0.2.4#valueo\r\n"),
      std::string::npos);
  EXPECT_NE(changed("subst_body", {"/^o=(.*) /o=$x /"}, 1).find("o=value 1\r\n"), std::string::npos);
  EXPECT_NE(changed("subst_hf", {"P-Foo", "/o/0/", "a"}, 1).find("P-Foo: 0ne\r\nP-Foo: tw0"),
            std::string::npos);
  EXPECT_NE(changed("subst_hf", {"P-Foo", "/o/0/", "l"}, 1).find("P-Foo: one\r\nP-Foo: tw0"),
            std::string::npos);
}

TEST(Subst, UriAndUser) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("subst_user", {"/^(.)b/x\\1/"}), 1);
  EXPECT_EQ(worker.run().uri(), "sip:xbb@192.0.2.4");
  EXPECT_EQ(worker.call("subst_uri", {"/^sip:([a-z]+)@(.*)$/sip:0\\1@\\2;orig=\\0/"}), 1);
  EXPECT_EQ(worker.run().uri(), "sip:0xbb@192.0.2.4;orig=sip:xbb@192.0.2.4");
  EXPECT_EQ(worker.call("subst_uri", {"/b/c/g"}), 1);
  EXPECT_EQ(worker.run().uri(), "sip:0xcc@192.0.2.4;orig=sip:xcc@192.0.2.4");
  EXPECT_EQ(worker.call("subst_user", {"/nothere/x/"}), -1);
}

TEST(Subst, BadExpressionsAreRefusedAtLoad) {
  const mod::ModuleSpec spec = describe_textops();
  const mod::ArgSpec& arg = spec.find_function("subst", 1)->args.at(0);
  for (const char* bad : {"", "//", "/a/b", "/a/b/x", "//b/", "/(/b/"}) {
    std::string error;
    EXPECT_EQ(arg.compile(bad, error), nullptr) << bad;
    EXPECT_FALSE(error.empty()) << bad;
  }
  std::string error;
  EXPECT_NE(arg.compile("/a/$fU/", error), nullptr) << "a dialect without variables";
  mod::testing::TestFormats formats;
  EXPECT_EQ(arg.compile_format("/a/$unknown/", error, formats), nullptr);
}

TEST(Headers, AppendAndInsert) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("append_hf", {"X-One: 1\r\n"}), 1);
  EXPECT_EQ(worker.call("append_hf", {"X-Two: 2\r\n", "Call-ID"}), 1);
  EXPECT_EQ(worker.call("insert_hf", {"X-Three: 3\r\n"}), 1);
  EXPECT_EQ(worker.call("insert_hf", {"X-Four: 4\r\n", "CSeq"}), 1);
  EXPECT_EQ(worker.call("append_hf", {"X-Five: 5", "Nope"}), 1) << "CRLF is added";
  EXPECT_EQ(worker.call("append_urihf", {"CC-Diversion: ", "\r\n"}), 1);
  EXPECT_EQ(worker.call("append_hf", {"no header\r\n"}), -1);
  EXPECT_EQ(worker.call("append_hf", {"X: a\r\n\r\nbody"}), -1);
  const std::string sent = worker.written();
  EXPECT_EQ(sent.find("X-Three: 3\r\nVia:"), crlf("INVITE sip:bbb@192.0.2.4 SIP/2.0\n").size());
  EXPECT_NE(sent.find("Call-ID: 1\r\nX-Two: 2\r\nX-Four: 4\r\nCSeq: 1 INVITE\r\n"), std::string::npos);
  EXPECT_NE(
      sent.find("Content-Length: 12\r\nX-One: 1\r\nX-Five: 5\r\nCC-Diversion: sip:bbb@192.0.2.4\r\n\r\nv=0"),
      std::string::npos);
}

TEST(Headers, RemoveAndFind) {
  EXPECT_EQ(changed("remove_hf", {"P-Foo"}, 1).find("P-Foo"), std::string::npos);
  EXPECT_EQ(changed("remove_hf", {"From"}, 1).find("alice"), std::string::npos);
  EXPECT_EQ(changed("remove_hf", {"Nothing"}, -1), crlf(kInvite));
  EXPECT_EQ(changed("remove_hf_re", {"^P-"}, 1).find("P-"), std::string::npos);
  const std::string kept = changed("remove_hf_exp", {"^P-", "zap"}, 1);
  EXPECT_EQ(kept.find("P-Foo"), std::string::npos);
  EXPECT_NE(kept.find("P-Zap"), std::string::npos);
  EXPECT_EQ(changed("remove_hf_idx", {"P-Foo", "-1"}, 1).find("two"), std::string::npos);
  EXPECT_EQ(changed("remove_hf_idx", {"P-Foo", "2"}, -1), crlf(kInvite));
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("is_present_hf", {"From"}), 1);
  EXPECT_EQ(worker.call("is_present_hf", {"p-zap"}), 1);
  EXPECT_EQ(worker.call("is_present_hf", {"Contact"}), -1);
  EXPECT_EQ(worker.call("is_present_hf_re", {"^P-Z"}), 1);
  EXPECT_EQ(worker.call("is_present_hf_re", {"^Q-"}), -1);
  EXPECT_EQ(worker.call("is_privacy", {"ID"}), 1);
  EXPECT_EQ(worker.call("is_privacy", {"user"}), -1);
}

TEST(Headers, MethodOfRequestAndResponse) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("is_method", {"INVITE"}), 1);
  EXPECT_EQ(worker.call("is_method", {"BYE|invite"}), 1);
  EXPECT_EQ(worker.call("is_method", {"BYE|FOO"}), -1);
  worker.receive("FOO sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\n\n");
  EXPECT_EQ(worker.call("is_method", {"BYE|foo"}), 1);
  worker.receive("SIP/2.0 200 OK\nVia: SIP/2.0/UDP a\nCSeq: 1 BYE\n\n");
  EXPECT_EQ(worker.call("is_method", {"BYE"}), 1);
  EXPECT_EQ(worker.call("is_method", {"INVITE"}), -1);
  EXPECT_EQ(worker.call("change_reply_status", {"202", "Accepted"}), 1);
  EXPECT_EQ(worker.written().substr(0, 22), "SIP/2.0 202 Accepted\r\n");
  EXPECT_EQ(worker.call("change_reply_status", {"404", "No"}), -1);
}

TEST(Headers, ReplyLinesAndDate) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("append_to_reply", {"X-Hint: a\r\n"}), 1);
  EXPECT_EQ(worker.call("append_to_reply", {"junk"}), -1);
  EXPECT_EQ(worker.call("append_time"), 1);
  ASSERT_NE(worker.state.reply_headers, nullptr);
  EXPECT_EQ(worker.state.reply_headers->lines, "X-Hint: a\r\n");
  EXPECT_EQ(worker.state.reply_headers->next->lines, "Date: Thu, 01 Jan 1970 00:16:40 GMT\r\n");
  EXPECT_EQ(worker.call("append_time_to_request"), 1);
  EXPECT_NE(worker.written().find("\r\nDate: Thu, 01 Jan 1970 00:16:40 GMT\r\n\r\n"), std::string::npos);
}

TEST(Body, SetAndRemove) {
  const std::string set = changed("set_body", {"hello", "text/plain"}, 1);
  EXPECT_NE(set.find("Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"), std::string::npos) << set;
  const std::string none = changed("remove_body", {}, 1);
  EXPECT_NE(none.find("Content-Length: 0\r\n\r\n"), std::string::npos);
  EXPECT_EQ(none.find("Content-Type"), std::string::npos);
  TestWorker worker(describe_textops);
  worker.receive("INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\n\n");
  EXPECT_EQ(worker.call("has_body"), -1);
  EXPECT_EQ(worker.call("remove_body"), -1);
  EXPECT_EQ(worker.call("set_body", {"hello", "text/plain"}), 1);
  EXPECT_EQ(worker.written(), crlf("INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\nContent-Length: 5\n"
                                   "Content-Type: text/plain\n\nhello"));
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("has_body"), 1);
  EXPECT_EQ(worker.call("has_body", {"Application/SDP"}), 1);
  EXPECT_EQ(worker.call("has_body", {"text/plain"}), -1);
  EXPECT_EQ(worker.call("set_reply_body", {"why", "text/plain"}), 1);
  EXPECT_EQ(worker.state.reply_body, "why");
}

TEST(Body, AudioOnHold) {
  struct Case {
    std::string_view sdp;
    int code;
  };
  for (const Case& c : {Case{"c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n", -1},
                        Case{"c=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\n", 1},
                        Case{"m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n", 1},
                        Case{"m=video 1 RTP/AVP 31\na=inactive\nm=audio 4000 RTP/AVP 0\na=sendrecv\n", -1},
                        Case{"m=audio 4000 RTP/AVP 0\na=sendonly\n", 2}}) {
    TestWorker worker(describe_textops);
    worker.receive("INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\nContent-Type: application/sdp\n\nv=0\n" +
                   std::string(c.sdp));
    EXPECT_EQ(worker.call("is_audio_on_hold"), c.code) << c.sdp;
  }
}

TEST(RemoveHf, TakesOverEarlierChangesOfTheField) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("subst_hf", {"P-Foo", "/two/2/", "a"}), 1);
  EXPECT_EQ(worker.call("remove_hf", {"P-Foo"}), 1);
  EXPECT_EQ(worker.forwarded().find("P-Foo"), std::string::npos);
}

TEST(Apply, LaterCallsSeeTheChanges) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("msg_apply_changes"), 1) << "nothing to do";
  worker.call("remove_hf", {"P-Foo"});
  worker.call("append_hf", {"X-New: 1\r\n"});
  worker.call("set_body", {"hello", "text/plain"});
  ASSERT_TRUE(worker.run().set_uri("sip:new@192.0.2.4"));
  EXPECT_EQ(worker.call("is_present_hf", {"X-New"}), -1);
  EXPECT_EQ(worker.call("msg_apply_changes"), 1);
  EXPECT_EQ(worker.call("is_present_hf", {"X-New"}), 1);
  EXPECT_EQ(worker.call("is_present_hf", {"P-Foo"}), -1);
  EXPECT_EQ(worker.call("search_body", {"^hello$"}), 1);
  EXPECT_EQ(worker.run().uri(), "sip:new@192.0.2.4");
  EXPECT_EQ(worker.call("replace", {"X-New", "X-Newer"}), 1) << "further edits go on top";
  const std::string sent = worker.forwarded();
  EXPECT_EQ(sent.substr(0, 36), "INVITE sip:new@192.0.2.4 SIP/2.0\r\nVi");
  EXPECT_NE(sent.find("X-Newer: 1\r\n"), std::string::npos);
  EXPECT_LT(sent.find("Via: SIP/2.0/UDP 127.0.0.1:5060"), sent.find("Via: SIP/2.0/UDP 127.0.0.1:5070"));
  EXPECT_EQ(worker.state.rx.bytes, crlf(kInvite)) << "the original stays";
}

TEST(Texts, Compare) {
  TestWorker worker(describe_textops);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("starts_with", {"+358123", "+358"}), 1);
  EXPECT_EQ(worker.call("starts_with", {"+35", "+358"}), -1);
  EXPECT_EQ(worker.call("ends_with", {"abc", "bc"}), 1);
  EXPECT_EQ(worker.call("cmp_str", {"a", "A"}), -1);
  EXPECT_EQ(worker.call("cmp_istr", {"a", "A"}), 1);
  EXPECT_EQ(worker.call("str_find", {"abc", "B"}), -1);
  EXPECT_EQ(worker.call("str_ifind", {"abc", "B"}), 1);
  EXPECT_EQ(worker.call("in_list", {"fi", "dk,fi, no", ","}), 1);
  EXPECT_EQ(worker.call("in_list", {"se", "dk,fi, no", ","}), -1);
  EXPECT_EQ(worker.call("in_list_prefix", {"final", "dk,fi", ","}), 1);
  EXPECT_EQ(worker.call("in_list_prefix", {"x", "dk,fi", ","}), -1);
}

}  // namespace
}  // namespace ser::modules
