// SPDX-License-Identifier: Apache-2.0
#include "sip/via.h"

#include <gtest/gtest.h>

#include <string>

#include "sip/test_arena.h"

namespace ser::sip {
namespace {

using namespace std::string_view_literals;

TEST(Via, Typical) {
  TestArena memory;
  constexpr std::string_view text = "SIP/2.0/UDP 127.0.0.1:5061;rport;branch=z9hG4bK-1.a;received=192.0.2.1";
  const auto via = parse_via(text, memory.arena);
  ASSERT_TRUE(via);
  EXPECT_EQ((*via)->transport, "UDP");
  EXPECT_EQ((*via)->host, "127.0.0.1");
  EXPECT_EQ((*via)->port, 5061);
  EXPECT_EQ((*via)->sent_by, "127.0.0.1:5061");
  EXPECT_EQ((*via)->branch, "z9hG4bK-1.a");
  EXPECT_EQ((*via)->received, "192.0.2.1");
  EXPECT_TRUE((*via)->has_rport);
  EXPECT_EQ((*via)->rport, 0);
  EXPECT_EQ((*via)->ttl, -1);
  EXPECT_EQ((*via)->params, ";rport;branch=z9hG4bK-1.a;received=192.0.2.1");
  EXPECT_EQ((*via)->text, text);
  EXPECT_EQ((*via)->next, nullptr);
  EXPECT_EQ((*via)->text.data(), text.data());
}

TEST(Via, UsualAndUnusualWaysOfWritingAgree) {
  // A white space before the first `;` is legal, and takes a text off the short way.
  const std::string_view params[] = {";branch=z9hG4bK1;rport",
                                     ";rport;branch=z9hG4bK1",
                                     ";BRANCH=z9hG4bK1;RPORT",
                                     ";rport=5070;branch=a",
                                     ";rportx;branch=a",
                                     ";branch=a;rport;x=1",
                                     ";branchx=a",
                                     ";branch",
                                     ";branch=",
                                     ";branch=;rport",
                                     ";branch=a;branch=b",
                                     ";rport;rport",
                                     ";rport;rport=1",
                                     ";rport=",
                                     ";rport=0",
                                     ";rport;received=192.0.2.1;x",
                                     ";branch=a,",
                                     ";branch=\"a\"",
                                     ";branch=[::1]:5;rport;ttl=255",
                                     ";rport;",
                                     ";;rport",
                                     ";branch=a;rporT;branch=a",
                                     ";branch=a-b.c;maddr=h;x"};
  for (const std::string_view transport : {"UDP", "udp", "UDPX", "TCP", "U"}) {
    for (const std::string_view tail : params) {
      TestArena memory;
      const std::string head = "SIP/2.0/" + std::string(transport) + " 192.0.2.1:5062";
      const std::string plain = head + std::string(tail);
      const std::string spaced = head + ' ' + std::string(tail);
      const auto a = parse_via(plain, memory.arena);
      const auto b = parse_via(spaced, memory.arena);
      ASSERT_EQ(static_cast<bool>(a), static_cast<bool>(b)) << plain;
      if (!a) continue;
      EXPECT_EQ((*a)->transport, transport);
      EXPECT_EQ((*a)->transport, (*b)->transport) << plain;
      EXPECT_EQ((*a)->sent_by, (*b)->sent_by) << plain;
      EXPECT_EQ((*a)->branch, (*b)->branch) << plain;
      EXPECT_EQ((*a)->received, (*b)->received) << plain;
      EXPECT_EQ((*a)->params, (*b)->params) << plain;
      EXPECT_EQ((*a)->has_rport, (*b)->has_rport) << plain;
      EXPECT_EQ((*a)->rport, (*b)->rport) << plain;
      if (!(*a)->has_rport) continue;
      EXPECT_EQ((*a)->rport_text.data() - plain.data() + 1, (*b)->rport_text.data() - spaced.data()) << plain;
    }
  }
}

TEST(Via, FoldedEverywhere) {
  TestArena memory;
  const std::string text = crlf(
      "SIP\n / 2.0\n /\n UDP\n  host.example.com\n :\n 5060 ;\n branch\n =\n z9hG4bK1 ; x = \"a , ;\n b\" (c "
      "(d)) ,\n"
      " SIP/2.0/TLS\t[2001:db8::1];rport=5070;TTL=16 ; MAddr=224.0.1.75");
  const auto via = parse_via(text, memory.arena);
  ASSERT_TRUE(via) << via.error().what << via.error().offset;
  EXPECT_EQ((*via)->transport, "UDP");
  EXPECT_EQ((*via)->host, "host.example.com");
  EXPECT_EQ((*via)->port, 5060);
  EXPECT_EQ((*via)->branch, "z9hG4bK1");
  EXPECT_TRUE((*via)->text.ends_with("(c (d))"));
  EXPECT_TRUE((*via)->params.ends_with("b\""));
  const Via* second = (*via)->next;
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->transport, "TLS");
  EXPECT_EQ(second->host, "[2001:db8::1]");
  EXPECT_EQ(second->sent_by, "[2001:db8::1]");
  EXPECT_EQ(second->port, 0);
  EXPECT_EQ(second->rport, 5070);
  EXPECT_EQ(second->ttl, 16);
  EXPECT_EQ(second->maddr, "224.0.1.75");
  EXPECT_EQ(second->branch, "");
  EXPECT_EQ(second->next, nullptr);
}

TEST(Via, Accepted) {
  const struct {
    std::string_view text, host, received;
  } rows[] = {
      {"SIP/2.0/UDP a", "a", ""},
      {"sip/2.0/udp a ", "a", ""},
      {"SIP/7.0/UDP a", "a", ""},
      {"SIP/2.0/UNKNOWN a:1", "a", ""},
      {"SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]", "[2001:db8::9:1]", "[2001:db8::9:255]"},
      {"SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255", "[2001:db8::9:1]", "2001:db8::9:255"},
      {"SIP/2.0/UDP a;branchx=1;sport;recieved9=q", "a", ""},
      {"SIP/2.0/UDP a:65535;ttl=255;rport=65535", "a", ""},
  };
  for (const auto& row : rows) {
    TestArena memory;
    const auto via = parse_via(row.text, memory.arena);
    ASSERT_TRUE(via) << row.text;
    EXPECT_EQ((*via)->host, row.host);
    EXPECT_EQ((*via)->received, row.received);
    EXPECT_EQ((*via)->branch, "");
  }
}

TEST(Via, Refused) {
  const struct {
    std::string_view text;
    Errc code;
    std::uint32_t offset;
  } rows[] = {
      {"", Errc::syntax, 0},
      {"SIP", Errc::syntax, 3},
      {"SIP/2.0", Errc::syntax, 7},
      {"SIP/2.0/", Errc::syntax, 8},
      {"SIP//UDP a", Errc::syntax, 4},
      {"/2.0/UDP a", Errc::syntax, 0},
      {"SIP/2.0/UDP", Errc::syntax, 11},
      {"SIP/2.0/UDP ", Errc::syntax, 12},
      {"SIP/2.0/UDP;branch=1", Errc::syntax, 11},
      {"SIP/2.0/UDP :5060", Errc::syntax, 12},
      {"SIP/2.0/UDP [::1;x", Errc::syntax, 16},
      {"SIP/2.0/UDP a:", Errc::syntax, 14},
      {"SIP/2.0/UDP a:x", Errc::syntax, 14},
      {"SIP/2.0/UDP a:0", Errc::out_of_range, 15},
      {"SIP/2.0/UDP a:65536", Errc::out_of_range, 19},
      {"SIP/2.0/UDP a:99999999999999999999999", Errc::out_of_range, 37},
      {"SIP/2.0/UDP a b", Errc::syntax, 14},
      {"SIP/2.0/UDP 192.0.2.15;;,;,,", Errc::syntax, 23},
      {"SIP/2.0/UDP a;branch", Errc::syntax, 20},
      {"SIP/2.0/UDP a;branch=", Errc::syntax, 21},
      {"SIP/2.0/UDP a;branch=\"x\"", Errc::syntax, 24},
      {"SIP/2.0/UDP a;branch=1;branch=1", Errc::syntax, 31},
      {"SIP/2.0/UDP a;rport;rport", Errc::syntax, 25},
      {"SIP/2.0/UDP a;rport=", Errc::syntax, 20},
      {"SIP/2.0/UDP a;rport=0", Errc::out_of_range, 21},
      {"SIP/2.0/UDP a;rport=1x", Errc::syntax, 22},
      {"SIP/2.0/UDP a;ttl=256", Errc::out_of_range, 21},
      {"SIP/2.0/UDP a;ttl=1;ttl=1", Errc::syntax, 25},
      {"SIP/2.0/UDP a;ttl", Errc::syntax, 17},
      {"SIP/2.0/UDP a;maddr=1;maddr=2", Errc::syntax, 29},
      {"SIP/2.0/UDP a;x=\"y", Errc::syntax, 18},
      {"SIP/2.0/UDP a (x", Errc::syntax, 16},
      {"SIP/2.0/UDP a,", Errc::syntax, 14},
      {"SIP/2.0/UDP a,,SIP/2.0/UDP b", Errc::syntax, 14},
      {"SIP/2.0/UDP a\rb", Errc::syntax, 13},
      {"SIP/2.0/UDP a\0"sv, Errc::syntax, 13},
  };
  for (const auto& row : rows) {
    TestArena memory;
    const auto via = parse_via(row.text, memory.arena);
    ASSERT_FALSE(via) << row.text;
    EXPECT_EQ(via.error().code, row.code) << row.text << ": " << via.error().what;
    EXPECT_EQ(via.error().offset, row.offset) << row.text;
  }
}

TEST(Via, OutOfRoom) {
  TestArena memory(0);
  std::string many = "SIP/2.0/UDP a";
  for (int i = 0; i < 20; ++i) many += ",SIP/2.0/UDP a";
  const auto via = parse_via(many, memory.arena);
  ASSERT_FALSE(via);
  EXPECT_EQ(via.error().code, Errc::no_memory);
}

}  // namespace
}  // namespace ser::sip
