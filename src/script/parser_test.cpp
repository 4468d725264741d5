// SPDX-License-Identifier: Apache-2.0
// Expressions, statements and items of both dialects; every syntax error with its place.
#include "script/parser.h"

#include <gtest/gtest.h>

#include <string>

#include "script/syntax_dump.h"

namespace ser::script {
namespace {

struct Parsed {
  std::string dump;    ///< without the line of the dialect
  std::string errors;  ///< "CODE@line:column" blank-separated
};

Parsed parse(std::string_view text, Dialect dialect = Dialect::kamailio) {
  MemorySourceReader reader;
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  ParseOptions options;
  options.dialect = dialect;
  const auto ast = parse_text("t.cfg", text, reader, options, sources, diagnostics);
  Parsed result;
  result.dump = dump_syntax(*ast);
  result.dump.erase(0, result.dump.find('\n') + 1);
  for (const conf::Diagnostic& one : diagnostics.sorted()) {
    if (!result.errors.empty()) result.errors += ' ';
    result.errors +=
        std::string(one.code) + "@" + std::to_string(one.range.line) + ":" + std::to_string(one.range.column);
  }
  return result;
}

/// The condition of `if (text) exit;` as dumped, or the errors after "!".
std::string condition(std::string_view text, Dialect dialect = Dialect::kamailio) {
  const Parsed parsed = parse("route{\nif (" + std::string(text) + ") exit;\n}", dialect);
  if (!parsed.errors.empty()) return "!" + parsed.errors;
  const std::size_t begin = parsed.dump.find("  if ") + 5;
  return parsed.dump.substr(begin, parsed.dump.find('\n', begin) - begin);
}

struct Row {
  std::string_view text;
  std::string_view expected;
};

TEST(Expression, kamailio) {
  constexpr Row kRows[] = {
      {"1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)"},
      {"1 - 2 - 3", "(- (- 1 2) 3)"},
      {"7 mod 2 == 1", "(== (mod 7 2) 1)"},
      {"-3 + -$var(x)", "(+ -3 (neg $var(x)))"},
      {"$a || $b && $c or not $d", "(|| (|| $a (&& $b $c)) (not $d))"},
      {"$a | $b ^ $c & ~$d << 2", "(| $a (& (^ $b $c) (<< (~ $d) 2)))"},
      {"$a & 1 == 1", "(& $a (== 1 1))"},
      {"$a << 1 >> 2 > 3", "(<< $a (>> 1 (> 2 3)))"},
      {"!$a == 1", "(== (not $a) 1)"},
      {"!uri==myself", "(not (== uri myself))"},
      {"from_uri!=myself && uri!=myself", "(&& (!= from_uri myself) (!= uri myself))"},
      {"$rU==$null", "(== $rU $null)"},
      {"$x eq \"a\" and $y ieq 3 or $z ne \"b\" or $w ine 1",
       "(|| (|| (&& (eq $x \"a\") (ieq $y 3)) (ne $z \"b\")) (ine $w 1))"},
      {"src_ip==10.0.0.0/8", "(== src_ip network 10.0.0.0/8)"},
      {"src_ip==10.0.0.0/255.0.0.0 || src_ip == [::1]",
       "(|| (== src_ip network 10.0.0.0/255.0.0.0) (== src_ip address ::1))"},
      {"src_ip==2001:db8::/32", "(== src_ip network 2001:db8::/32)"},
      {"src_ip==a-b.example.com", "(== src_ip word a-b.example.com)"},
      {"myself==src_ip", "(== myself src_ip)"},
      {"method==\"INV\"+\"ITE\"", "(== method (+ \"INV\" \"ITE\"))"},
      {"method==INVITE", "(== method word INVITE)"},
      {"proto==UDP && af==INET6 && dst_port!=5060",
       "(&& (&& (== proto word UDP) (== af word INET6)) (!= dst_port 5060))"},
      {"msg:len >= max_len", "(>= msg:len max_len)"},
      {"status=~\"[12][0-9]\" ", "(=~ status \"[12][0-9]\")"},
      {"$ua =~ \"a\" && $rm !~ \"b\"", "(&& (=~ $ua \"a\") (!~ $rm \"b\"))"},
      {"strempty($sel(cfg_get.a.b)) && strlen($ru) > 3 && defined $avp(x)",
       "(&& (&& (strempty $sel(cfg_get.a.b)) (> (strlen $ru) 3)) (defined $avp(x)))"},
      {"(int)$x == 1 + (str)2", "(== (int $x) (+ 1 (str 2)))"},
      {"f(1, \"a$fu\", $x + 1, g(2))", "f(1, f\"a$fu\", (+ $x 1), g(2))"},
      {"f(udp:10.0.0.1:5060) || f(10.0.0.1:5060)",
       "(|| f(socket udp:10.0.0.1:5060) f(socket 10.0.0.1:5060))"},
      {"@a.b == \"x\"", "(== @a.b \"x\")"},
      {"((1))", "1"},
      {"\"a\" \"b\"\n\"c\" == $x", "(== \"abc\" $x)"},
      {"$(ru{s.len}) > $(avp(x)[0])", "(> $ru{s.len} $avp(x)[0])"},
  };
  for (const Row& row : kRows) EXPECT_EQ(condition(row.text), row.expected) << row.text;
}

TEST(Expression, ser) {
  constexpr Row kRows[] = {
      {"!uri==myself & method==\"X\" | 1", "(|| (&& (not (== uri myself)) (== method \"X\")) 1)"},
      {"! search(\"a\") || not method==REGISTER and f()",
       "(|| (not search(\"a\")) (&& (not (== method word REGISTER)) f()))"},
      {"not (uri==myself or myself==uri)", "(not (|| (== uri myself) (== myself uri)))"},
      {"len_gt( max_len )", "len_gt(max_len)"},
      {"{ f(); g(); }", "{ f();g(); }"},
      {"dst_ip==127.0.0.1", "(== dst_ip address 127.0.0.1)"},
      {"src_ip=~\"example\"", "(=~ src_ip \"example\")"},
      {"uri==sip", "(== uri word sip)"},
      {"eq()", "eq()"},
  };
  for (const Row& row : kRows) EXPECT_EQ(condition(row.text, Dialect::ser), row.expected) << row.text;
}

TEST(Expression, errors) {
  constexpr Row kRows[] = {
      {"", "!E0214@2:5"},         {"1 +", "!E0214@2:8"},
      {"$x = 1", "!E0207@2:8"},   {"(1", "!E0201@2:9"},
      {"($x = 1)", "!E0207@2:9"}, {"f(1,)", "!E0214@2:9"},
      {"f(,1)", "!E0214@2:7"},    {"f(1 2)", "!E0201@2:9"},
      {"msg:size", "!E0214@2:9"}, {"f(uri:user)", "!E0214@2:11"},
      {"[x]", "!E0210@2:6"},      {"{ f(); }", "!E0214@2:5 E0209@2:13"},
      {"f(udp:)", "!E0210@2:11"}, {"f(10.0.0.1:99999)", "!E0211@2:16"},
  };
  for (const Row& row : kRows) EXPECT_EQ(condition(row.text), row.expected) << row.text;
}

TEST(Statement, ser_looseness) {
  const Parsed parsed = parse(
      "route{ if (1) { f(); } else { g() }; append_branch; ;; break(); drop(); revert_uri(); "
      "log(1,\"x\")\n};\n"
      "route[0] { route(2); break; }\nreply_route[1] { drop; }",
      Dialect::ser);
  EXPECT_EQ(parsed.errors, "");
  EXPECT_EQ(parsed.dump,
            "request route line 1\n  if 1\n    f()\n  else\n    g()\n  word append_branch\n  break\n  drop\n"
            "  revert_uri()\n  log(1, \"x\")\nrequest route line 3\n  route(2)\n  break\n"
            "failure reply_route 1 line 4\n  drop\n");
}

TEST(Statement, kamailio) {
  const Parsed parsed = parse(
      "request_route {\n"
      "  switch($var(x)) { case -1: case \"a\": f(); break; case /x.*/: g(); default: exit(0); }\n"
      "  while($var(i) < 3) { $var(i) = $var(i) + 1; if ($x) break; }\n"
      "  if ($a) f(); else if ($b) g(); else { }\n"
      "  { return; } return -1; return(1); return $rc; drop;\n"
      "  $du = $null; $avp(a) = \"x\" + $rU\n    + \"y\"; @a = 1; route(\"X\" + $y);\n"
      "}\n"
      "onreply_route {} reply_route {} onsend_route {} event_route[htable:expired:a-b] {}\n"
      "branch_route[A] {} failure_route[B] {} onreply_route[C] {} route[D_1] {}");
  EXPECT_EQ(parsed.errors, "E0201@7:15");
  EXPECT_EQ(
      parsed.dump,
      "request request_route line 1\n  switch $var(x)\n    case -1\n    case \"a\"\n      f()\n      break\n"
      "    case /x.*/\n      g()\n    default\n      exit 0\n  while (< $var(i) 3)\n"
      "    $var(i) = (+ $var(i) 1)\n    if $x\n      break\n  if $a\n    f()\n  else if $b\n    g()\n  else\n"
      "  block\n    return\n  return -1\n  return 1\n  return $rc\n  drop\n  $du = $null\n"
      "  $avp(a) = (+ (+ \"x\" $rU) \"y\")\n  @a\n  route((+ \"X\" $y))\n"
      "reply onreply_route line 9\nreply reply_route line 9\nonsend onsend_route line 9\n"
      "event event_route htable:expired:a-b line 9\nbranch branch_route A line 10\n"
      "failure failure_route B line 10\nonreply onreply_route C line 10\nroute route D_1 line 10\n");
}

TEST(Item, settings) {
  const Parsed parsed = parse(
      "debug=-1 fork=no log_facility=LOG_LOCAL0 log_prefix=\"a\" \"b\"\n"
      "listen=udp:10.0.0.1:5060 advertise a.example:5070 name \"lan\"\n"
      "listen=eth0 [::1]:5061 tcp:*:80-90\n  \"b\" 10.0.0.2\nalias=a.b-c.example:5060 x\n"
      "tcp_source_ipv4=10.0.0.1 mhomed=1; user=ser\n"
      "pstn.gw_ip = \"10.0.0.1\" desc \"gateway\"\na.b=-5\nflags A:1, B;\navpflags C;\n"
      "loadpath \"x:y\" mpath=\"z\" loadmodule(\"/a/b.so\") loadmodule \"tm\"\n"
      "modparam(\"a|b\", \"c\", -1) modparam(\"a\",\"d\",yes) modparamx(\"a\",\"e\",\"$x\");");
  EXPECT_EQ(parsed.errors, "");
  EXPECT_EQ(
      parsed.dump,
      "flag A 1\nflag B -1\navpflag C -1\n"
      "setting debug = -1\nsetting fork = bool no\nsetting log_facility = word LOG_LOCAL0\n"
      "setting log_prefix = \"ab\"\n"
      "setting listen = socket udp:10.0.0.1:5060 advertise a.example:5070 name \"lan\"\n"
      "setting listen = socket eth0 socket [::1]:5061 socket tcp:*:80-90 \"b\" socket 10.0.0.2\n"
      "setting alias = socket a.b-c.example:5060 socket x\nsetting tcp_source_ipv4 = address 10.0.0.1\n"
      "setting mhomed = 1\nsetting user = word ser\n"
      "custom pstn.gw_ip = \"10.0.0.1\" desc \"gateway\"\ncustom a.b = -5 desc \"\"\n"
      "loadpath \"x:y\"\nsetting mpath = \"z\"\nloadmodule b from \"/a/b.so\"\nloadmodule tm from \"tm\"\n"
      "modparam \"a|b\" \"c\" = -1\nmodparam \"a\" \"d\" = word yes\nmodparamx \"a\" \"e\" = f\"$x\"\n");
}

TEST(Item, errors_go_on) {
  constexpr Row kRows[] = {
      {"debug=\nfork=no", "E0212@1:7"},
      {"debug 3\nfork=no", "E0202@1:1"},
      {"listen=udp:\nport=1", "E0210@1:12"},
      {"loadmodule tm\nloadmodule \"sl\"", "E0201@1:12"},
      {"loadmodule \"/x/\"", "E0206@1:12"},
      {"modparam(\"a\",\"b\")\nx=", "E0201@1:17 E0212@2:3"},
      {"modparam(a, \"b\", 1)\nfork=no", "E0201@1:10"},
      {"} fork=no", "E0203@1:1"},
      {"route[X {}\nfork=no", "E0201@1:9"},
      {"route[] {}", "E0205@1:7"},
      {"failure_route {}", "E0205@1:1"},
      {"request_route[X] {}", "E0205@1:15"},
      {"reply_route[1] {}", "E0205@1:13"},
      {"rout[X] {}\nfork=no", "E0202@1:1"},
      {"a.=1\nfork=no", "E0201@1:3"},
      {"a.b 1\nfork=no", "E0201@1:5"},
      {"a.b = 1 desc\nfork=no", "E0201@1:13"},
      {"flags 1;", "E0202@1:1"},
      {"flags A:999;", "E0205@1:9"},
      {"3", "E0202@1:1"},
      {"route{", "E0204@1:6"},
      {"route{ if (1) {\n}\nroute[B] { f(); }", "E0204@1:6"},
      {"route{ f() }\nroute[B] { f(); }", "E0201@1:11"},
      {"route{\nf()\ng();\n}", "E0201@2:4"},
      {"route{ f() g(); }", "E0201@1:12"},
      {"route{ if (1) f(); ; else g(); }", "E0208@1:22"},
      {"route{ if 1 f(); h(); }", "E0201@1:11"},
      {"route{ if (1) {} elseif (2) {} f(); }", "E0208@1:18"},
      {"route{ case 1: f(); }", "E0208@1:8"},
      {"route{ switch(1) { f(); case 1: g(); } }", "E0208@1:20"},
      {"route{ switch(1) { case : g(); case 2 h(); } }", "E0214@1:25 E0201@1:39"},
      {"route{ fi (1) { f(); } g(); }", "E0209@1:8"},
      {"route{ $x; $y 1; 3; debug=1; }", "E0209@1:8 E0209@1:12 E0209@1:18 E0209@1:21"},
      {"route{ break 1; return +; }", "E0201@1:14 E0214@1:24"},
      {"route{ $var() = ; $(x = 1; f(); }", "E0214@1:17 E0106@1:19"},
  };
  for (const Row& row : kRows) EXPECT_EQ(parse(row.text).errors, row.expected) << row.text;
}

TEST(Parser, depth_is_bounded) {
  const auto repeat = [](std::string_view text, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += text;
    return out;
  };
  EXPECT_EQ(condition(repeat("(", 90) + "1" + repeat(")", 90)), "1");
  for (const std::string& text : {
           "route{ if (" + repeat("(", 20000) + "1) f(); }",
           "route{ if (" + repeat("!", 20000) + "1) f(); }",
           "route{ " + repeat("{", 20000),
           "route{ " + repeat("if (1) ", 20000) + "f(); }",
           "route{ " + repeat("while (1) ", 20000) + "f(); }",
           "route{ " + repeat("switch(1) { case 1: ", 20000),
           "route{ if (1" + repeat("+1", 20000) + ") f(); }",
           "route{ f(" + repeat("f(", 20000) + "1); }",
           "route{ if (1) f(); " + repeat("else if (1) f(); ", 20000) + "}",
       }) {
    EXPECT_NE(parse(text).errors.find("E0213"), std::string::npos) << text.substr(0, 30);
  }
  EXPECT_NE(parse("route{ if (" + repeat("{ if (", 20000), Dialect::ser).errors.find("E0213"),
            std::string::npos);
  EXPECT_EQ(parse("route{ if (1) f(); " + repeat("else if (1) f(); ", 250) + "}").errors, "");
  EXPECT_EQ(condition("1" + repeat("+1", 300)).substr(0, 4), "(+ (");
}

TEST(Parser, missing_file) {
  MemorySourceReader reader;
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  const auto ast = parse_file("absent.cfg", reader, {}, sources, diagnostics);
  ASSERT_NE(ast, nullptr);
  EXPECT_EQ(conf::print(diagnostics, sources),
            "absent.cfg: error: cannot read this file: no such file or directory [E0100]\n  hint: name "
            "another one with -f\n1 error, 0 "
            "warnings\n");
}

}  // namespace
}  // namespace ser::script
