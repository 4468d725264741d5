// SPDX-License-Identifier: Apache-2.0
// The machine: what scripts of both dialects do.
#include "script/vm.h"

#include <gtest/gtest.h>

#include "script/test_world.h"

namespace ser::script::test {
namespace {

struct Row {
  const char* script;
  const char* marks;
};

std::string run_of(const std::string& text) {
  World world(text);
  if (world.configuration.program == nullptr) return world.report;
  return world.marks();
}

TEST(Kamailio, StatementsAndReturnCodes) {
  const char* const more =
      "route[Z] { return 0; }\n"
      "route[NEG] { return -3; }\n"
      "route[POS] { return 7; }\n"
      "route[LAST] { no(); }\n"
      "route[IF] { if (no()) { mark(\"x\"); } }\n"
      "route[SET] { no(); $var(a) = 1; }\n"
      "route[BARE] { no(); return; }\n"
      "route[BRK] { no(); break; }\n"
      "route[EXIT] { exit; }\n";
  // Checked against Kamailio 5.6.3.
  const Row rows[] = {
      {"route(Z); mark(\"after\");", ""},
      {"if (route(Z)) mark(\"t\"); else mark(\"f\"); mark(\"after\");", ""},
      {"if (route(LAST)) mark(\"t $rc\"); else mark(\"f $rc\");", "f -1;"},
      {"if (route(IF)) mark(\"t $rc\"); else mark(\"f $rc\");", "t 1;"},
      {"if (route(SET)) mark(\"t $rc\"); else mark(\"f $rc\");", "t 1;"},
      {"if (route(NEG)) mark(\"t $rc\"); else mark(\"f $rc\");", "f -3;"},
      {"if (route(POS)) mark(\"t $rc\"); else mark(\"f $rc\");", "t 7;"},
      {"if (route(BARE)) mark(\"t $rc\"); else mark(\"f $rc\");", "t 1;"},
      {"if (route(BRK)) mark(\"t $rc\"); else mark(\"f $rc\");", "f 0;"},
      {"mark(\"a\"); route(EXIT); mark(\"b\");", "a;"},
      {"code(-5); setflag(3); mark(\"$rc\");", "-5;"},
      {"code(0); mark(\"never\");", ""},
      {"if (code(0)) mark(\"t\"); mark(\"never\");", ""},
      {"no(); mark(\"next\");", "next;"},
      {"stop(); mark(\"never\");", ""},
      {"$var(y) = route(POS); mark(\"$var(y)\");", "7;"},
      {"$var(y) = no(); mark(\"$var(y)\");", "-1;"},
      {"if (no() == -1) mark(\"t\"); else mark(\"f\");", "f;"},
      {"if (route(NEG) == 0) mark(\"t\");", "t;"},
      {"drop; ", ""},
      {"mark(\"a\"); if (1) { break; } mark(\"b\");", "a;on_break;"},
      {"isflagset(3); if (isflagset(3)) mark(\"t\"); else mark(\"f\"); setflag(3); if (isflagset(3)) "
       "mark(\"set\");",
       "f;set;"},
  };
  for (const Row& row : rows) EXPECT_EQ(run_of(kamailio(row.script, more)), row.marks) << row.script;
}

TEST(Kamailio, ValuesAndConversions) {
  // The expected texts come from Kamailio 5.6.3.
  const Row rows[] = {
      {"if ($avp(u) == $null) mark(\"t\"); else mark(\"f\");", "t;"},
      {"if ($avp(u) == 0) mark(\"t\"); else mark(\"f\");", "t;"},
      {"if ($avp(u) == \"\") mark(\"t\"); else mark(\"f\");", "t;"},
      {"if (0 == $avp(u)) mark(\"t\"); else mark(\"f\");", "t;"},
      {"if ($avp(u) != 0) mark(\"t\"); else mark(\"f\");", "f;"},
      {"if ($avp(u) == \"abc\") mark(\"t\"); else mark(\"f\");", "f;"},
      {"if ($avp(u) == $avp(v)) mark(\"t\"); else mark(\"f\");", "t;"},
      {"$var(z) = 0; if ($var(z) == $null) mark(\"t\"); else mark(\"f\");", "f;"},
      {"$var(z) = \"\"; if ($var(z) == $null) mark(\"t\"); else mark(\"f\");", "f;"},
      {"$var(z) = 0; if ($null == $var(z)) mark(\"t\"); else mark(\"f\");", "t;"},
      {"$var(z) = 5; if ($null == $var(z)) mark(\"t\"); else mark(\"f\");", "f;"},
      {"$var(z) = \"05\"; if ($var(z) == 5) mark(\"t\"); else mark(\"f\");", "f;"},
      {"$var(z) = \"05\"; if (5 == $var(z)) mark(\"t\"); else mark(\"f\");", "t;"},
      {"$var(z) = \"5x\"; if (0 == $var(z)) mark(\"t\"); else mark(\"f\");", "t;"},
      {"$var(z) = \"abc\"; if ($var(z)) mark(\"t\"); else mark(\"f\");", "f;"},
      {"$var(z) = \"0\"; if ($var(z)) mark(\"t\"); else mark(\"f\");", "f;"},
      {"if (!$avp(u)) mark(\"t\"); else mark(\"f\");", "t;"},
      {"if ($rU < 5) mark(\"t\"); else mark(\"f\");", "t;"},
      {"$var(n) = $null; mark(\"$var(n) $var(fresh) $avp(u) $null\");", "0 0 <null> <null>;"},
      {"if ($rm == \"invite\") mark(\"t\"); else mark(\"f\");", "f;"},
      {"if (method == \"invite\") mark(\"t\"); else mark(\"f\");", "t;"},
      {"if (method == INVITE) mark(\"t\"); else mark(\"f\");", "t;"},
      {"if (uri == \"SIP:Bob@ser.example\") mark(\"t\"); else mark(\"f\");", "t;"},
      {"if ($rU =~ \"^BOB$\") mark(\"t\"); else mark(\"f\");", "t;"},
      {"$var(s) = \"a\" + 1; mark(\"$var(s)\");", "a1;"},
      {"$var(s) = $avp(u) + 1; mark(\"$var(s)\");", "1;"},
      {"$var(s) = $avp(u) + \"x\"; mark(\"$var(s)\");", "x;"},
      {"$var(s) = \"x\" + $avp(u); mark(\"$var(s)\");", "x;"},
      {"$var(s) = -7 / 2; mark(\"$var(s)\");", "-3;"},
      {"$var(s) = -7 mod 3; mark(\"$var(s)\");", "-1;"},
      {"$var(d) = 0; $var(s) = 99; $var(s) = 7 / $var(d); mark(\"$var(s)\");", "99;"},
      {"$var(s) = 2 + 3 * 4; mark(\"$var(s)\");", "14;"},
      {"$var(s) = \"x\" + 2 + 3; mark(\"$var(s)\");", "x23;"},
      {"$var(n) = 3; $var(t) = \"4\"; $var(s) = $var(n) + $var(t); mark(\"$var(s)\");", "7;"},
      {"$var(n) = 3; $var(t) = \"4\"; $var(s) = $var(t) + $var(n); mark(\"$var(s)\");", "43;"},
      {"$var(s) = 6 & 3; mark(\"$var(s)\");", "2;"},
      {"$var(s) = 5 && 2; mark(\"$var(s)\");", "1;"},
      {"$var(s) = strlen(\"hello\"); mark(\"$var(s)\");", "5;"},
      {"$var(s) = strempty($avp(u)); mark(\"$var(s)\");", "1;"},
      {"$var(s) = defined $avp(u); mark(\"$var(s)\");", "0;"},
      {"$var(s) = (str)12 + 3; mark(\"$var(s)\");", "123;"},
      {"$var(s) = (uri == myself); mark(\"$var(s)\");", "1;"},
      {"$var(s) = '$rm'; mark(\"$var(s)\");", "$rm;"},
      {"mark(\"100$$ $rm\");", "100$ INVITE;"},
      {"put(\"$var(x)\", \"$rm\"); mark(\"$var(x)\");", "INVITE;"},
  };
  for (const Row& row : rows) EXPECT_EQ(run_of(kamailio(row.script)), row.marks) << row.script;
}

TEST(Kamailio, LoopsAndSwitches) {
  const Row rows[] = {
      {"$var(i) = 0; while ($var(i) < 5) { $var(i) = $var(i) + 1; if ($var(i) == 3) break; "
       "mark(\"$var(i)\"); } mark(\"e\");",
       "1;2;e;"},
      {"$var(i) = 0; while (1) { $var(i) = $var(i) + 1; } mark(\"$var(i)\");", "100;"},
      {"$var(r) = -3; switch ($var(r)) { case -1: case -3: mark(\"a\"); case -2: mark(\"b\"); break; case 4: "
       "mark(\"c\"); }",
       "a;b;"},
      {"switch ($rm) { case \"INVITE\": mark(\"i\"); case \"BYE\": mark(\"b\"); }", "i;b;"},
      {"$var(r) = \"2\"; switch ($var(r)) { case 1: mark(\"1\"); case 2: mark(\"2\"); }", "2;"},
      {"switch ($avp(u)) { case 0: mark(\"0\"); break; default: mark(\"d\"); }", "0;"},
      {"switch (9) { case 0: mark(\"0\"); break; default: mark(\"d\"); }", "d;"},
      {"$var(i) = 0; while ($var(i) < 2) { $var(i) = $var(i) + 1; switch ($var(i)) { case 1: mark(\"one\"); "
       "break; } }"
       " mark(\"e\");",
       "one;e;"},
      {"$var(i) = 0; while ($var(i) < 3) { $var(i) = $var(i) + 1; route(R); }", "1;2;3;"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(run_of(kamailio(row.script, "route[R] { mark(\"$var(i)\"); while (1) { return; } }\n")),
              row.marks)
        << row.script;
  }
}

TEST(Kamailio, UriVariables) {
  World world(kamailio(
      "$ru = \"sip:alice@example.org:5070;transport=udp\"; mark(\"$rU|$rd|$rp|$rP|$rz\");"
      "$rU = \"carol\"; mark(\"$ru\"); $rd = \"h.example\"; mark(\"$ru\"); $rp = 5090; mark(\"$ru\");"
      "$rU = $null; mark(\"$ru|$rU\"); sethost(\"x.example\"); setuser(\"dave\"); mark(\"$ru\");"
      "setuserpass(\"u:p\"); setport(\"5099\"); mark(\"$ru\"); sethostport(\"y.example:6000\"); "
      "mark(\"$ru\");"
      "sethostport(\"z.example\"); prefix(\"00\"); mark(\"$ru\"); strip(1); strip_tail(1); mark(\"$ru\");"
      "strip(20); prefix(\"9\"); mark(\"$ru\"); revert_uri(); mark(\"$ru\");"));
  ASSERT_NE(world.configuration.program, nullptr) << world.report;
  EXPECT_EQ(world.marks(),
            "alice|example.org|5070|udp|sip;"
            "sip:carol@example.org:5070;transport=udp;sip:carol@h.example:5070;transport=udp;"
            "sip:carol@h.example:5090;transport=udp;sip:h.example:5090;transport=udp|<null>;"
            "sip:dave@x.example:5090;transport=udp;sip:u:p@x.example:5099;transport=udp;"
            "sip:u:p@y.example:6000;transport=udp;sip:00u:p@z.example;transport=udp;sip:0:p@z.example;"
            "transport=udp;"
            "sip:9@z.example;transport=udp;sip:bob@ser.example;");
}

TEST(Kamailio, MessageVariables) {
  const Row rows[] = {
      {"mark(\"$fu|$fU|$fd|$fn|$ft|$tu|$tU|$td|$tt\");",
       "sip:al@a.example:5071;x=y|al|a.example|\"Al\"|ff|sip:bob@b.example|bob|b.example|<null>;"},
      {"mark(\"$ci|$cs|$ua|$si|$sp|$Ri|$Rp|$pr|$proto|$rb|$ai|$mt|$ct|$rs|$rr|$cl|$rv|$Rn\");",
       "cid1|7|me|192.0.2.7|5070|192.0.2.1|5060|udp|udp|abc|<null>|1|<sip:c@192.0.2.7>|<null>|<null>|3|SIP/"
       "2.0|lan;"},
      {"mark(\"$hdr(X-Multi)|$(hdr(X-Multi)[1])|$(hdr(x-multi)[-1])|$hdr(v)|$hdr(none)\");",
       "m1|m2|m2|SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKa|<null>;"},
      {"$avp(a) = \"one\"; $avp(a) = \"two\"; mark(\"$avp(a)|$(avp(a)[1])|$(avp(a)[2])|$(avp(a)[*])\"); "
       "$avp(a) = $null;"
       " mark(\"$avp(a)\");",
       "two|one|<null>|two, one;one;"},
      {"$avp(i:5) = 9; mark(\"$avp(i:5) $avp(s:5)\");", "9 <null>;"},
      {"$du = \"sip:1.2.3.4:5060\"; mark(\"$du\"); $du = $null; mark(\"$du\");", "sip:1.2.3.4:5060;<null>;"},
      {"mark(\"$(rU{s.len}) $(rU{s.toupper}) $(ru{s.substr,4,3}) $(ru{s.substr,-3,0}) $(fu{uri.host}) "
       "$(fu{uri.port})"
       " $(fu{uri.param,x}) $(hdr(From){nameaddr.uri})\");",
       "3 BOB bob ple a.example 5071 y sip:al@a.example:5071;x=y;"},
      {"mark(\"$(hdr(From){nameaddr.len})|$(tu{uri.port})|$(hdr(none){s.len})|$hdr(none)\");",
       "32|||<null>;"},
  };
  for (const Row& row : rows) EXPECT_EQ(run_of(kamailio(row.script)), row.marks) << row.script;
}

TEST(Conditions, ComparisonWithAnEmptyTextAsksForEmptiness) {
  const Row rows[] = {
      {"$var(n) = 0; if ($var(n) == \"\") mark(\"t\"); else mark(\"f\");", "f;"},
      {"if ($var(never) != \"\") mark(\"t\");", "t;"},
      {"$var(n) = \"\"; if ($var(n) == \"\") mark(\"t\");", "t;"},
      {"if ($avp(none) == \"\") mark(\"t\");", "t;"},
      {"if ($cs + 0 == \"\") mark(\"t\"); else mark(\"f\");", "f;"},
      {"if ($var(none) - 0 != \"\") mark(\"t\");", "t;"},
  };
  for (const Row& row : rows) EXPECT_EQ(run_of(kamailio(row.script)), row.marks) << row.script;
}

TEST(Rewriting, TelUrisAndUserPhone) {
  const Row rows[] = {
      {"$ru = \"tel:+123;x=1\"; strip(1); mark(\"$ru\"); prefix(\"+49\"); mark(\"$ru\"); $rU = \"77\"; "
       "mark(\"$ru\");",
       "tel:123;x=1;tel:+49123;x=1;tel:77;x=1;"},
      {"$ru = \"tel:+123;x=1\"; $rd = \"h.example\"; mark(\"$ru\");", "sip:+123;x=1@h.example;user=phone;"},
      {"$ru = \"tel:+123\"; sethostport(\"h:7\"); mark(\"$ru\");", "sip:+123@h:7;user=phone;"},
      {"$ru = \"tel:+123\"; setport(\"7\"); strip(4); userphone(); mark(\"$ru\");", "tel:+123;"},
      {"$ru = \"sip:1@h;a=b?c=d\"; userphone(); userphone(); mark(\"$ru\");", "sip:1@h;a=b;user=phone?c=d;"},
  };
  for (const Row& row : rows) EXPECT_EQ(run_of(kamailio(row.script)), row.marks) << row.script;
}

TEST(Branches, AreRemovedByIndex) {
  EXPECT_EQ(
      run_of(kamailio("append_branch(\"sip:a@h\"); append_branch(\"sip:b@h\"); append_branch(\"sip:c@h\");"
                      "if (remove_branch(3)) mark(\"no\"); remove_branch(1); remove_branch(); mark(\"$br\");"
                      "remove_branch(0); if (!remove_branch(0)) mark(\"none\");")),
      "sip:c@h;none;");
}

TEST(Conditions, CoreFields) {
  const Row rows[] = {
      {"if (src_ip == 192.0.2.7) mark(\"t\");", "t;"},
      {"if (src_ip == 192.0.2.0/24) mark(\"t\");", "t;"},
      {"if (src_ip == 192.0.2.0/255.255.255.0) mark(\"t\");", "t;"},
      {"if (src_ip != 192.0.3.0/24) mark(\"t\");", "t;"},
      {"if (src_ip == gw.example) mark(\"t\");", "t;"},
      {"if (src_ip == other.example) mark(\"t\"); else mark(\"f\");", "f;"},
      {"if (src_ip =~ \"^gw\") mark(\"t\");", "t;"},
      {"if (src_ip == myself) mark(\"t\"); else mark(\"f\");", "f;"},
      {"if (dst_ip == myself) mark(\"t\");", "t;"},
      {"if (myself == uri) mark(\"t\");", "t;"},
      {"if (!uri == myself) mark(\"t\"); else mark(\"f\");", "f;"},
      {"if (from_uri != myself && uri == myself) mark(\"t\");", "t;"},
      {"if (proto == UDP && af == INET) mark(\"t\");", "t;"},
      {"if (dst_port == 5060 and src_port != 5060) mark(\"t\");", "t;"},
      {"if (msg:len > 100 && msg:len < max_len) mark(\"t\");", "t;"},
      {"if (len_gt(max_len)) mark(\"t\"); else mark(\"f\");", "f;"},
      {"if (len_gt(10)) mark(\"t\");", "t;"},
      {"if (method =~ \"^(invite|ack)$\") mark(\"t\");", "t;"},
      {"if (no() || yes() && uri =~ \"bob\") mark(\"t\");", "t;"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(run_of(kamailio(row.script)), row.marks) << row.script;
    EXPECT_EQ(run_of(ser(row.script)), row.marks) << row.script;
  }
  EXPECT_EQ(run_of(ser("if (src_ip == \"gw.example\") mark(\"t\");")), "t;");
}

TEST(Ser, ResultsAndBlocks) {
  const char* const more =
      "route[1] { mark(\"in\"); break; mark(\"no\"); }\n"
      "route[2] { code(-1); }\n"
      "route[3] { if (code(0)) mark(\"x\"); mark(\"y\"); }\n";
  const Row rows[] = {
      {"no(); mark(\"next\");", "next;"},
      {"route(1); mark(\"after\");", "in;after;"},
      {"if (route(1)) mark(\"t\"); else mark(\"f\");", "in;t;"},
      {"if (route(2)) mark(\"t\"); else mark(\"f\");", "f;"},
      {"route(3); mark(\"after\");", "after;"},
      {"code(0); mark(\"never\");", "on_break;"},
      {"if (code(0)) mark(\"t\"); else mark(\"f\"); mark(\"never\");", "on_break;"},
      {"if (yes()) { break; }; mark(\"never\");", "on_break;"},
      {"drop; mark(\"never\");", "on_break;"},
      {"if (method==\"invite\" & yes() | no()) mark(\"t\");", "t;"},
      {"if (!method==\"REGISTER\") mark(\"t\");", "t;"},
      {"mark(\"cost $5 \\n\");", "cost $5 \n;"},
      {"rewriteuser(\"x\"); if (uri==\"sip:X@ser.example\") mark(\"t\");", "t;"},
  };
  for (const Row& row : rows) EXPECT_EQ(run_of(ser(row.script, more)), row.marks) << row.script;
}

TEST(Ser, PartsOfOneNumberAreAppended) {
  EXPECT_EQ(run_of(ser("route(1);", "route[1] { mark(\"a\"); }\nroute[1] { mark(\"b\"); }\n")), "a;b;");
}

TEST(Limits, NestingStepsAndMemory) {
  World deep(ser("mark(\"m\"); route(1);", "route[1] { mark(\"r\"); route(1); }\n"));
  deep.settings.max_recursive_level = 10;
  EXPECT_EQ(deep.marks(), "m;r;r;r;r;r;r;r;r;r;");
  EXPECT_NE(deep.log_sink.text().find("nested deeper than 10"), std::string::npos);

  World loop(kamailio("while (1) { while (1) { while (1) { $var(i) = $var(i) + 1; } } } mark(\"never\");"));
  loop.settings.max_steps = 5000;
  EXPECT_EQ(loop.marks(), "");
  EXPECT_EQ(loop.ended.how, Ended::How::failed);
  EXPECT_EQ(loop.counters.value(loop.count.step_limit), 1U);
  EXPECT_NE(loop.log_sink.text().find("test.cfg:4"), std::string::npos) << loop.log_sink.text();
}

TEST(Suspend, ResumesInTheMiddleOfAnExpression) {
  World world(kamailio("$var(k) = \"keep\"; route(A); mark(\"end $var(k)\");",
                       "route[A] { $var(i) = 0; while ($var(i) < 2) { $var(i) = $var(i) + 1;"
                       " $var(x) = 10 + (wait() && yes()) + $var(i); mark(\"$var(x)\"); } }\n"));
  ASSERT_NE(world.configuration.program, nullptr) << world.report;
  EXPECT_EQ(world.marks(), "");
  ASSERT_EQ(world.ended.how, Ended::How::suspended);
  // Another worker goes on; its own values must not show.
  Vm other(*world.configuration.program, world.registry);
  proxy::Services services = *world.services;
  services.script_state = &other;
  proxy::Run run(world.state, services);
  Ended ended = other.resume(*world.ended.machine, run, mod::Outcome::yes());
  ASSERT_EQ(ended.how, Ended::How::suspended);
  EXPECT_EQ(world.probe().marks, "12;");
  ended = other.resume(*ended.machine, run, mod::Outcome::no());
  EXPECT_EQ(ended.how, Ended::How::returned);
  EXPECT_EQ(world.probe().marks, "12;12;end keep;");
}

TEST(Suspend, StopAndZeroEndTheRun) {
  World world(kamailio("if (wait()) mark(\"t\"); mark(\"after\");"));
  EXPECT_EQ(world.marks(), "");
  EXPECT_EQ(world.vm->resume(*world.ended.machine, *world.run, mod::Outcome::stop()).how, Ended::How::exited);
  EXPECT_EQ(world.probe().marks, "");
}

TEST(Kamailio, VariablesOfModules) {
  EXPECT_EQ(run_of(kamailio("$probe(ab) = \"x\"; mark(\"<$probe(ab)>\");")), "ab=x;<abab>;");
}

TEST(Kamailio, RepliesAndLogPrefix) {
  World world(
      "#!KAMAILIO\nlog_prefix=\"[$ci $mt] \"\nloadmodule \"probe.so\"\nrequest_route { exit; }\n"
      "reply_route { mark(\"$rs $rr $rm $ru\"); if (status =~ \"^2\" && $rs == 200) drop; mark(\"no\"); }\n");
  ASSERT_NE(world.configuration.program, nullptr) << world.report;
  world.reset(
      "SIP/2.0 200 Fine\r\nVia: SIP/2.0/UDP a\r\nCall-ID: c2\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n");
  const Ended ended = world.vm->run(world.configuration.program->reply, *world.run);
  EXPECT_EQ(ended.how, Ended::How::dropped);
  EXPECT_EQ(world.probe().marks, "200 Fine BYE <null>;");
  EXPECT_EQ(world.vm->log_prefix(*world.run), "[c2 2] ");
}

TEST(Core, ForwardAndBranches) {
  World world(kamailio("append_branch(\"sip:x@192.0.2.9\"); mark(\"$br\"); forward(192.0.2.9, 5080);"));
  ASSERT_NE(world.configuration.program, nullptr) << world.report;
  EXPECT_EQ(world.marks(), "sip:x@192.0.2.9;");
  ASSERT_EQ(world.sink.packets.size(), 1U);
  EXPECT_EQ(world.sink.packets[0].first, "192.0.2.9:5080");
  EXPECT_EQ(
      world.sink.packets[0].second.find("INVITE sip:bob@ser.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1"),
      0U);
}

TEST(Core, ForwardToTheUriAndSend) {
  World world(
      ser("rewritehostport(\"192.0.2.9:5090\"); forward(uri:host, uri:port); send(\"192.0.2.8\", 5099);"));
  ASSERT_NE(world.configuration.program, nullptr) << world.report;
  world.marks();
  ASSERT_EQ(world.sink.packets.size(), 2U);
  EXPECT_EQ(world.sink.packets[0].first, "192.0.2.9:5090");
  EXPECT_EQ(world.sink.packets[1].first, "192.0.2.8:5099");
  EXPECT_EQ(world.sink.packets[1].second, kInvite);
}

TEST(Core, AnUnknownNameLeaves503ForTheAnswer) {
  World world(ser(
      "forward(far.example); send(192.0.2.1); forward(\"far.example\"); if (src_ip == other.example) drop;"));
  ASSERT_NE(world.configuration.program, nullptr) << world.report;
  // Known before the first message needs them, each once; addresses are none.
  EXPECT_EQ(world.configuration.program->host_names,
            (std::vector<std::string>{"far.example", "other.example"}));
  world.marks();
  // Nothing but the send() left: the script may answer, or the core does it with this status.
  EXPECT_EQ(world.sink.packets.size(), 1U);
  EXPECT_EQ(world.state.last_error.status, 503);
}

TEST(Core, LogLevelsOfBothDialects) {
  World old(ser("log(1, \"warned\\n\"); log(4, \"debugged\"); log(\"silent\");"));
  old.marks();
  EXPECT_NE(old.log_sink.text().find("warned"), std::string::npos);
  EXPECT_EQ(old.log_sink.text().find("debugged"), std::string::npos);
  World young(kamailio("log(1, \"noticed\"); log(\"L_ERR\", \"bad $rm\");"));
  young.marks();
  EXPECT_EQ(young.log_sink.text().find("noticed"), std::string::npos);
  EXPECT_NE(young.log_sink.text().find("bad INVITE"), std::string::npos);
}

}  // namespace
}  // namespace ser::script::test
