// SPDX-License-Identifier: Apache-2.0
#include "sip/auth.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "sip/tags.h"
#include "sip/test_message.h"

namespace ser::sip {
namespace {

using testing::lf;
using testing::TestMessage;

struct AuthTest : ::testing::Test {
  HeapChunks heap;
  alignas(16) std::array<char, 2048> block{};
  Arena arena{block.data(), block.size(), heap};
};

TEST_F(AuthTest, Credentials) {
  const auto c = parse_credentials(
      "Digest username=\"Mufasa\",\r\n realm=\"http-auth@example.org\" , uri=\"sip:a@b,c\", "
      "algorithm=SHA-256,"
      "nonce=\"7yp\", nc=0000000a, cnonce=\"f2/w\", qop=auth, response=\"753927fa\", opaque=\"FQ\\\"hU\", "
      "userhash=true, auts=\"x\", x-unknown=1",
      arena);
  ASSERT_TRUE(c) << c.error().what;
  EXPECT_TRUE((*c)->digest);
  EXPECT_EQ((*c)->username, "Mufasa");
  EXPECT_EQ((*c)->realm, "http-auth@example.org");
  EXPECT_EQ((*c)->uri, "sip:a@b,c");
  EXPECT_EQ((*c)->algorithm, DigestAlgorithm::sha256);
  EXPECT_EQ((*c)->nc, 10U);
  EXPECT_EQ((*c)->qop, Qop::auth);
  EXPECT_EQ((*c)->opaque, "FQ\\\"hU");
  EXPECT_TRUE((*c)->userhash);
  EXPECT_EQ((*c)->auts, "x");
  EXPECT_TRUE((*c)->complete());
  std::array<char, 16> out{};
  const auto size = unquote((*c)->opaque, out);
  ASSERT_TRUE(size);
  EXPECT_EQ(std::string_view(out.data(), *size), "FQ\"hU");
}

TEST_F(AuthTest, LiberalQuotes) {
  const auto c = parse_credentials(
      "digest username=bob,realm=r,nonce=abc==,uri=sip:x@y;lr,response=00,algorithm=\"MD5\",qop=\"auth-int\"",
      arena);
  ASSERT_TRUE(c) << c.error().what;
  EXPECT_EQ((*c)->nonce, "abc==");
  EXPECT_EQ((*c)->algorithm, DigestAlgorithm::md5);
  EXPECT_EQ((*c)->qop, Qop::auth_int);
  EXPECT_FALSE((*c)->complete()) << "qop without cnonce and nc";
}

TEST_F(AuthTest, OtherSchemesStayRaw) {
  const auto c = parse_credentials("NoOneKnowsThisScheme opaque-data=here", arena);
  ASSERT_TRUE(c);
  EXPECT_FALSE((*c)->digest);
  EXPECT_EQ((*c)->scheme, "NoOneKnowsThisScheme");
  EXPECT_EQ((*c)->raw, "opaque-data=here");
  EXPECT_TRUE(parse_credentials("Basic QWxhZGRpbjpvcGVu==", arena));
}

TEST_F(AuthTest, Malformed) {
  for (const char* text :
       {"", "  ", "Digest username", "Digest username=", "Digest username=\"x", "Digest username=\"x\\",
        "Digest a=b c=d", "Digest realm=\"a\",realm=\"a\"", "Digest =x", "username=\"x\"", "Digest nc=xyz",
        "Digest nc=123456789", "Digest \"x\""}) {
    EXPECT_FALSE(parse_credentials(text, arena)) << text;
  }
  EXPECT_TRUE(parse_credentials("Digest ,, realm=\"\" ,", arena));
}

TEST_F(AuthTest, ChallengeAndInfo) {
  const auto c = parse_challenge(
      "Digest realm=\"atlanta.com\", domain=\"sip:ss1.carrier.com\", qop=\"auth, auth-int,token\", "
      "nonce=\"f84f\", "
      "opaque=\"\", stale=TRUE, algorithm=SHA-512-256-sess, charset=UTF-8, userhash=false",
      arena);
  ASSERT_TRUE(c) << c.error().what;
  EXPECT_EQ((*c)->realm, "atlanta.com");
  EXPECT_EQ((*c)->domain, "sip:ss1.carrier.com");
  EXPECT_EQ((*c)->qops, Challenge::kAuth | Challenge::kAuthInt | Challenge::kOtherQop);
  EXPECT_TRUE((*c)->stale);
  EXPECT_EQ((*c)->algorithm, DigestAlgorithm::sha512_256_sess);
  EXPECT_EQ(to_string((*c)->algorithm), "SHA-512-256-sess");
  EXPECT_EQ((*c)->charset, "UTF-8");
  EXPECT_FALSE((*c)->userhash);
  const auto info = parse_authentication_info(
      "nextnonce=\"47\", qop=auth, rspauth=\"ab\", cnonce=\"c\", nc=00000001", arena);
  ASSERT_TRUE(info) << info.error().what;
  EXPECT_EQ((*info)->next_nonce, "47");
  EXPECT_EQ((*info)->nc, 1U);
  EXPECT_EQ((*info)->qop, Qop::auth);
}

TEST(Tags, ListsOverSeveralFields) {
  const TestMessage m(
      lf("INVITE sip:a@b SIP/2.0\nSupported: 100rel , Timer\nk: path,\n gruu\nRequire:\nUnsupported: a b\n"
         "Allow: INVITE, ACK, NOVEL\nAllow: BYE\n\n"));
  EXPECT_TRUE(has_tag<hdr::Supported>(*m, "timer"));
  EXPECT_TRUE(has_tag<hdr::Supported>(*m, "gruu"));
  EXPECT_FALSE(has_tag<hdr::Supported>(*m, "outbound"));
  EXPECT_FALSE(has_tag<hdr::Unsupported>(*m, "a"));
  const auto require = m->get<hdr::Require>();
  ASSERT_TRUE(require);
  EXPECT_EQ((*require)->count, 0U);
  EXPECT_EQ(m->get<hdr::Unsupported>().error().code, Errc::syntax);
  const auto allow = m->get<hdr::Allow>();
  ASSERT_TRUE(allow);
  EXPECT_EQ((*allow)->list.count, 3U);
  EXPECT_TRUE((*allow)->list.contains("NOVEL"));
  EXPECT_TRUE(allows(*m, Method::bye).value());
  EXPECT_FALSE(allows(*m, Method::refer).value());
  EXPECT_FALSE(allows(*TestMessage(lf("INVITE sip:a@b SIP/2.0\n\n")), Method::bye).has_value());
}

}  // namespace
}  // namespace ser::sip
