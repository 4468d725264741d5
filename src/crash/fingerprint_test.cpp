// SPDX-License-Identifier: Apache-2.0
#include "crash/fingerprint.h"

#include <gtest/gtest.h>

#include <string>

namespace ser::crash {
namespace {

constexpr HashKey kKey{7, 9};
const IpAddress kSource = IpAddress::v4(192, 0, 2, 7);

std::uint64_t of(std::string_view bytes, const IpAddress& source = kSource) {
  return fingerprint(kKey, bytes, source);
}

TEST(Fingerprint, ValuesAndCompactFormsDoNotMatter) {
  const std::uint64_t one =
      of("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=1\r\nCall-ID: 1\r\nX-Mine: a\r\n\r\nbody");
  EXPECT_EQ(one,
            of("INVITE sip:c@d SIP/2.0\r\nv: SIP/2.0/UDP y;branch=2\r\ni : 2\r\nx-mINE: b\r\n folded: c\r\n"
               "\r\nother: body"));
  EXPECT_EQ(one, of("\r\n\r\nINVITE sip:c@d SIP/2.0\nV: y\nCALL-ID:\nx-mine:\n\n")) << "bare line ends";
}

TEST(Fingerprint, MethodNamesOrderAndSourceMatter) {
  const std::uint64_t one = of("INVITE sip:a@b SIP/2.0\r\nVia: a\r\nTo: b\r\n\r\n");
  EXPECT_NE(one, of("OPTIONS sip:a@b SIP/2.0\r\nVia: a\r\nTo: b\r\n\r\n"));
  EXPECT_NE(one, of("INVITE sip:a@b SIP/2.0\r\nTo: b\r\nVia: a\r\n\r\n"));
  EXPECT_NE(one, of("INVITE sip:a@b SIP/2.0\r\nVia: a\r\nTo: b\r\nX-Deadly: 1\r\n\r\n"));
  EXPECT_NE(of("A b SIP/2.0\r\nX-One: 1\r\n\r\n"), of("A b SIP/2.0\r\nX-Two: 1\r\n\r\n"));
  EXPECT_NE(one, of("INVITE sip:a@b SIP/2.0\r\nVia: a\r\nTo: b\r\n\r\n", IpAddress::v4(192, 0, 2, 8)));
  EXPECT_NE(one, fingerprint({7, 10}, "INVITE sip:a@b SIP/2.0\r\nVia: a\r\nTo: b\r\n\r\n", kSource));
}

TEST(Fingerprint, ResponsesByTheirClass) {
  EXPECT_EQ(of("SIP/2.0 200 OK\r\nVia: a\r\n\r\n"), of("SIP/2.0 202 Accepted\r\nVia: a\r\n\r\n"));
  EXPECT_NE(of("SIP/2.0 200 OK\r\nVia: a\r\n\r\n"), of("SIP/2.0 404 Not Found\r\nVia: a\r\n\r\n"));
}

TEST(Fingerprint, AnyBytesHaveOne) {
  EXPECT_NE(of(""), 0U);
  EXPECT_NE(of(std::string(70'000, '\0')), 0U);
  EXPECT_NE(of(std::string(70'000, '\n')), 0U);
  EXPECT_NE(of(std::string(70'000, ':')), of(std::string(70'000, ' ')));
  EXPECT_NE(of("x", IpAddress{}), of("x"));
}

}  // namespace
}  // namespace ser::crash
