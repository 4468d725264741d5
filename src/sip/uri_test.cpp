// SPDX-License-Identifier: Apache-2.0
#include "sip/uri.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "sip/uri_compare.h"

namespace ser::sip {
namespace {

Uri parse(std::string_view text) {
  const auto uri = parse_uri(text);
  EXPECT_TRUE(uri) << text << ": " << (uri ? "" : uri.error().what);
  return uri ? *uri : Uri{};
}

TEST(Uri, Parts) {
  const Uri uri =
      parse("sip:alice:secret@Example.com:5070;transport=tcp;lr?subject=hi%20you&priority=urgent");
  EXPECT_EQ(uri.scheme, UriScheme::sip);
  EXPECT_EQ(uri.user, "alice");
  EXPECT_EQ(uri.password, "secret");
  EXPECT_TRUE(uri.has_password);
  EXPECT_EQ(uri.host, "Example.com");
  EXPECT_EQ(uri.port, 5070);
  EXPECT_EQ(uri.params, "transport=tcp;lr");
  EXPECT_EQ(uri.headers, "subject=hi%20you&priority=urgent");
  EXPECT_EQ(uri.param("TRANSPORT"), "tcp");
  EXPECT_EQ(uri.param("lr"), "");
  EXPECT_FALSE(uri.has_param("maddr"));
  EXPECT_EQ(uri.host_port(), "Example.com:5070");
}

TEST(Uri, UserPartWithEverything) {
  const Uri semi = parse("sip:user;par=u%40example.net@example.com");
  EXPECT_EQ(semi.user, "user;par=u%40example.net");
  EXPECT_EQ(semi.host, "example.com");
  EXPECT_EQ(semi.params, "");
  const Uri crazy = parse(
      "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/"
      ";;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com");
  EXPECT_EQ(crazy.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  EXPECT_EQ(crazy.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
  EXPECT_EQ(parse("sip:*21#@example.com").user, "*21#");
}

TEST(Uri, Ports) {
  EXPECT_EQ(parse("sip:a@b").port_or_default(), 5060);
  EXPECT_EQ(parse("sips:a@b").port_or_default(), 5061);
  EXPECT_EQ(parse("sip:a@b;transport=TLS").port_or_default(), 5061);
  EXPECT_EQ(parse("sip:a@b:65535").port_or_default(), 65535);
  EXPECT_EQ(parse("sip:a@b:05060").host_port(), "b:05060");
}

TEST(Uri, Ipv6References) {
  EXPECT_EQ(parse("sip:[2001:db8::10]").host, "[2001:db8::10]");
  const Uri ambiguous = parse("sip:[2001:db8::10:5070]");
  EXPECT_EQ(ambiguous.host, "[2001:db8::10:5070]");
  EXPECT_EQ(ambiguous.port, 0);
  EXPECT_EQ(parse("sip:[2001:db8::10]:5070").port, 5070);
  EXPECT_EQ(parse("sip:user@[2001:db8:::192.0.2.1]").host, "[2001:db8:::192.0.2.1]");
  EXPECT_EQ(parse("sip:[::ffff:192.0.2.10]:19823").port, 19823);
}

TEST(Uri, TelAndOthers) {
  const Uri tel = parse("tel:+1-201-555-0123;ext=5");
  EXPECT_EQ(tel.scheme, UriScheme::tel);
  EXPECT_EQ(tel.user, "+1-201-555-0123");
  EXPECT_EQ(tel.param("ext"), "5");
  EXPECT_EQ(parse("tel:7042;phone-context=example.com").user, "7042");
  const Uri urn = parse("urn:service:sos");
  EXPECT_EQ(urn.scheme, UriScheme::other);
  EXPECT_EQ(urn.scheme_text, "urn");
  EXPECT_EQ(urn.rest, "service:sos");
  EXPECT_EQ(parse("soap.beep://192.0.2.103:3002").rest, "//192.0.2.103:3002");
}

TEST(Uri, Malformed) {
  for (const char* text : {"",
                           "sip",
                           "sip:",
                           ":x",
                           "sip:@host",
                           "sip:a@",
                           "sip:a@b:",
                           "sip:a@b:x",
                           "sip:2001:db8::10",
                           "sip:[2001:db8::10",
                           "sip:[1.2.3.4]",
                           "sip:[2001:db8::g]",
                           "sip:a%4@b",
                           "sip:a%zz@b",
                           "sip:a b@c",
                           "sip:a@b c",
                           "sip:a@b;x=%1",
                           "sip:a@b;x y",
                           "sip:a@b?x=<",
                           "sip:a@b@c",
                           "sip:a@b;x=y@z",
                           "<sip:a@b>",
                           "sip:a@b>",
                           "tel:",
                           "tel:+",
                           "tel:+a",
                           "tel:x",
                           "1sip:a@b",
                           "http:",
                           "http:a b",
                           "sip:a:b c@d",
                           "sip:a@b\r\n"}) {
    EXPECT_FALSE(parse_uri(text)) << text;
  }
  EXPECT_EQ(parse_uri("sip:a@b:0").error().code, Errc::out_of_range);
  EXPECT_EQ(parse_uri("sip:a@b:65536").error().code, Errc::out_of_range);
  EXPECT_EQ(parse_uri("sip:a b@c").error().offset, 5U);
  EXPECT_FALSE(parse_uri(std::string_view("sip:a\0@b", 8)));
}

TEST(Uri, UnescapeAndPrint) {
  std::array<char, 64> out{};
  auto size = unescape("%61lice%00%4", out);
  ASSERT_TRUE(size);
  EXPECT_EQ(std::string_view(out.data(), *size), std::string_view("alice\0%4", 8));
  EXPECT_EQ(unescape("abcd", std::span(out).first(3)).error().code, Errc::no_space);
  for (const char* text :
       {"sip:a:b@c:5070;lr?x=y", "sips:h", "tel:+1;ext=2", "urn:service:sos", "sip:[::1]:5061;lr"}) {
    size = print_uri(parse(text), out);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(std::string_view(out.data(), *size), text);
    EXPECT_FALSE(print_uri(parse(text), std::span(out).first(std::string_view(text).size() - 1)));
  }
  Uri changed = parse("sip:alice@old.example.com:5070;lr");
  changed.host = "new.example.com";
  changed.port = 0;
  size = print_uri(changed, out);
  ASSERT_TRUE(size);
  EXPECT_EQ(std::string_view(out.data(), *size), "sip:alice@new.example.com;lr");
}

bool same(std::string_view a, std::string_view b) {
  const Uri x = parse(a);
  const Uri y = parse(b);
  EXPECT_EQ(equal(x, y), equal(y, x)) << a << " | " << b;
  EXPECT_TRUE(equal(x, x)) << a;
  return equal(x, y);
}

TEST(UriCompare, Rfc3261Equivalent) {
  EXPECT_TRUE(same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
  EXPECT_TRUE(same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
  EXPECT_TRUE(same("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"));
  EXPECT_TRUE(same("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                   "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
  EXPECT_TRUE(same("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                   "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
  EXPECT_TRUE(same("sip:a@b:05060", "sip:a@b:5060"));
}

TEST(UriCompare, Rfc3261Different) {
  EXPECT_FALSE(same("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
  EXPECT_FALSE(same("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
  EXPECT_FALSE(same("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
  // From the text: the same parameter must match, and these five count even when alone.
  EXPECT_FALSE(same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
  for (const char* param : {"user=phone", "ttl=1", "method=INVITE", "maddr=224.0.1.75", "transport=udp"}) {
    EXPECT_FALSE(same("sip:a@b", std::string("sip:a@b;") + param)) << param;
  }
  EXPECT_FALSE(same("sip:a@b;method=invite", "sip:a@b;method=INVITE"));
  EXPECT_FALSE(same("sip:a@b", "sips:a@b"));
  EXPECT_FALSE(same("sip:b", "sip:a@b"));
  EXPECT_FALSE(same("sip:a:p@b", "sip:a@b"));
  EXPECT_FALSE(same("sip:a%40c@b", "sip:a%41c@b"));
  EXPECT_FALSE(same("sip:a%3Bc@b", "sip:a;c@b"));
  EXPECT_FALSE(same("sip:a@b?h=1&h=1&h=2", "sip:a@b?h=1&h=2&h=2"));
}

TEST(UriCompare, Tel) {
  EXPECT_TRUE(same("tel:+1-201-555-0123", "tel:+1(201)5550123"));
  EXPECT_TRUE(same("tel:+1;ext=1-2;isub=a", "TEL:+1;ISUB=A;ext=12"));
  EXPECT_TRUE(same("tel:863;phone-context=+1-914-555", "tel:863;phone-context=+1914555"));
  EXPECT_FALSE(same("tel:+12015550123", "tel:12015550123"));
  EXPECT_FALSE(same("tel:+1", "tel:+1;ext=1"));
  EXPECT_FALSE(same("tel:+1", "sip:+1@b"));
}

TEST(UriCompare, FirstOfARepeatedParameterCounts) {
  EXPECT_TRUE(same("sip:a@b;x=1;x=2", "sip:a@B;x=1;x=3"));
  EXPECT_FALSE(same("sip:a@b;x=1;x=2", "sip:a@b;x=2;x=1"));
  EXPECT_TRUE(same("tel:+1;x=1;x=2", "tel:+1;X=1"));
}

TEST(UriCompare, ManyParametersOnlyByText) {
  std::string a = "sip:a@b";
  for (int i = 0; i < 40; ++i) a += ";p" + std::to_string(i);
  EXPECT_TRUE(same(a, a));
  EXPECT_FALSE(same(a, a + ";x"));
}

TEST(UriCompare, CanonicalAor) {
  std::array<char, 128> out{};
  const auto aor = [&out](std::string_view text) { return std::string(*canonical_aor(parse(text), out)); };
  EXPECT_EQ(aor("SIP:%61li%63E:pw@Example.COM;transport=tcp?x=y"), "sip:alicE@example.com");
  EXPECT_EQ(aor("sip:a%40b@c:5070"), "sip:a@b@c:5070");
  EXPECT_EQ(aor("sips:Example.com"), "sips:example.com");
  EXPECT_EQ(aor("tel:+1-201;ext=1"), "tel:+1201");
  EXPECT_EQ(canonical_aor(parse("urn:service:sos"), out).error().code, Errc::unsupported);
  EXPECT_EQ(canonical_aor(parse("sip:abc@def"), std::span(out).first(10)).error().code, Errc::no_space);
}

}  // namespace
}  // namespace ser::sip
