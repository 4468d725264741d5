// SPDX-License-Identifier: Apache-2.0
#include "txn/loop.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "proxy/via_token.h"
#include "sip/test_message.h"

namespace ser::txn {
namespace {

using sip::testing::lf;
using sip::testing::TestMessage;

constexpr HashKey kKey{1, 2};

const std::string kRequest =
    "INVITE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP client;branch=z9hG4bKc\nRoute: <sip:r1;lr>\nRoute: "
    "<sip:r2;lr>\n"
    "From: A <sip:a@h>;tag=1\nTo: <sip:b@h>\nCall-ID: id\nCSeq: 1 INVITE\nProxy-Require: x\n"
    "Proxy-Authorization: Digest a=\"b\"\nMax-Forwards: 70\nContact: <sip:a@c>\n\n";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

std::uint32_t hash_of(const std::string& text, const HashKey& key = kKey) {
  return loop_hash(*TestMessage(lf(text)), key);
}

TEST(LoopHash, Rfc3261Section16_6Step8WhatCounts) {
  struct Row {
    const char* what;
    const char* with;
  };
  const Row differing[] = {
      {"sip:b@h SIP", "sip:c@h SIP"},
      {"Route: <sip:r1;lr>\n", ""},
      {"<sip:r2;lr>", "<sip:r3;lr>"},
      {";tag=1", ";tag=2"},
      {"To: <sip:b@h>", "To: <sip:b@h>;tag=9"},
      {"Call-ID: id", "Call-ID: ie"},
      {"CSeq: 1 ", "CSeq: 2 "},
      {"Proxy-Require: x", "Proxy-Require: y"},
      {"Digest a", "Digest b"},
      {"Proxy-Require: x\n", ""},
  };
  std::set<std::uint32_t> all{hash_of(kRequest)};
  for (const Row& row : differing) {
    EXPECT_TRUE(all.insert(hash_of(replaced(kRequest, row.what, row.with))).second) << row.what;
  }
  EXPECT_TRUE(all.insert(hash_of(kRequest, {1, 3})).second) << "keyed";

  const Row same[] = {
      {"Via: ", "Via: SIP/2.0/UDP other;branch=z9hG4bKo\nVia: "},
      {"Max-Forwards: 70", "Max-Forwards: 69"},
      {"From: A <sip:a@h>", "f: B <sip:x@y>"},
      {"Contact", "X"},
      {"Call-ID", "i"},
  };
  for (const Row& row : same) {
    EXPECT_EQ(hash_of(kRequest), hash_of(replaced(kRequest, row.what, row.with))) << row.what;
  }
  for (const char* method : {"ACK", "CANCEL"}) {
    std::string other = replaced(kRequest, "INVITE", method);
    other = replaced(other, "1 INVITE", std::string("1 ") + method);
    EXPECT_EQ(hash_of(kRequest), hash_of(other)) << "the method is not in it";
  }
}

TEST(LoopHash, PartsDoNotRunIntoEachOther) {
  const auto with = [](const char* routes) {
    return hash_of(std::string("INVITE sip:b SIP/2.0\nVia: SIP/2.0/UDP c\n") + routes + "\n");
  };
  EXPECT_NE(with("Route: ab\nRoute: c\n"), with("Route: a\nRoute: bc\n"));
  EXPECT_NE(with("Proxy-Require: a\n"), with("Proxy-Authorization: a\n"));
  EXPECT_NE(with("Route: a\n"), with("Proxy-Require: a\n"));
  EXPECT_NE(with("CSeq: 1 INVITE\n"), with(""));
  EXPECT_NE(with("CSeq: x\n"), 0U) << "malformed is empty";
}

/// The request as it comes back after we sent it with this token over another proxy.
std::string returned(std::uint32_t hash, proxy::ViaToken::Kind kind = proxy::ViaToken::Kind::stateful,
                     const HashKey& key = kKey) {
  const TestMessage first(lf(kRequest));
  std::array<char, proxy::kMaxToken> token{};
  const std::size_t size = proxy::write_token(
      key, {.kind = kind, .branch_index = 1, .cell = 7, .loop_hash = hash}, **first->via(0), token);
  return replaced(kRequest, "Via: ",
                  "Via: SIP/2.0/UDP other;branch=z9hG4bKo, SIP/2.0/UDP us;branch=" +
                      std::string(token.data(), size) + "\nVia: ");
}

bool looped(const std::string& text) {
  const TestMessage m(lf(text));
  return is_loop(*m, kKey, loop_hash(*m, kKey));
}

TEST(IsLoop, Rfc5393Section4LoopAndSpiral) {
  const std::uint32_t hash = hash_of(kRequest);
  EXPECT_FALSE(looped(kRequest)) << "the first time";
  EXPECT_TRUE(looped(returned(hash)));
  EXPECT_FALSE(looped(replaced(returned(hash), "sip:b@h SIP", "sip:c@h SIP"))) << "another URI: a spiral";
  EXPECT_FALSE(looped(replaced(returned(hash), "Route: <sip:r1;lr>\n", ""))) << "another route: a spiral";
  EXPECT_FALSE(looped(returned(0))) << "that time we did not fork";
  EXPECT_FALSE(looped(returned(hash, proxy::ViaToken::Kind::stateless))) << "a token without hash";
  EXPECT_FALSE(is_loop(*TestMessage(lf(returned(0, proxy::ViaToken::Kind::stateless))), kKey, 0));
  EXPECT_FALSE(looped(returned(hash, proxy::ViaToken::Kind::stateful, {1, 3}))) << "somebody else's token";
  EXPECT_TRUE(looped(replaced(returned(hash), "z9hG4bKc", "z9hG4bKd"))) << "whatever is below";
  EXPECT_TRUE(looped(replaced(returned(hash), "SIP/2.0/UDP client", "SIP/2.0/UDP client;received=1.2.3.4")));
  EXPECT_FALSE(looped(replaced(returned(hash), "SIP/2.0/UDP other", "bad")))
      << "nothing below a malformed Via";
  EXPECT_FALSE(looped("INVITE sip:b SIP/2.0\nCall-ID: no Via at all\n\n"));
}

TEST(Breadth, Rfc5393Section5_3_3Incoming) {
  struct Row {
    const char* line;
    std::uint32_t limit;
    std::uint32_t value;
  };
  const Row rows[] = {
      {"", 60, 60},
      {"", 10, 10},
      {"Max-Breadth: 1\n", 60, 1},
      {"max-breadth: 0\n", 60, 0},
      {"Max-Breadth: 60\n", 60, 60},
      {"Max-Breadth: 61\n", 60, 60},
      {"Max-Breadth: 99999999999999\n", 60, 60},
      {"Max-Breadth: 5\nMax-Breadth: 7\n", 60, 5},
  };
  for (const Row& row : rows) {
    const TestMessage m(lf(std::string("INVITE sip:b SIP/2.0\n") + row.line + "\n"));
    const auto breadth = incoming_breadth(*m, row.limit);
    ASSERT_TRUE(breadth) << row.line;
    EXPECT_EQ(*breadth, row.value) << row.line;
  }
  const TestMessage bad(lf("INVITE sip:b SIP/2.0\nMax-Breadth: many\n\n"));
  EXPECT_EQ(incoming_breadth(*bad).error().code, Errc::syntax);
}

TEST(Breadth, Rfc5393Section5_3_3TheSumNeverExceedsTheIncoming) {
  for (std::uint32_t breadth = 0; breadth <= 70; ++breadth) {
    for (std::size_t targets = 0; targets <= 40; ++targets) {
      const std::size_t count = parallel_branches(breadth, targets);
      EXPECT_LE(count, targets);
      EXPECT_LE(count, breadth);
      EXPECT_EQ(count == 0, breadth == 0 || targets == 0) << "440 at a breadth of 0 only";
      std::uint32_t sum = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t part = branch_breadth(breadth, count, i);
        EXPECT_GE(part, 1U);
        EXPECT_LE(part, breadth / count + 1);
        sum += part;
      }
      EXPECT_EQ(sum, count == 0 ? 0 : breadth);
    }
  }
  EXPECT_EQ(branch_breadth(3, 4, 0), 0U) << "more at once than the breadth allows";
  EXPECT_EQ(branch_breadth(3, 2, 2), 0U) << "no such branch";
}

TEST(Breadth, Line) {
  std::array<char, 32> out{};
  EXPECT_EQ(breadth_line(7, out), "Max-Breadth: 7\r\n");
  EXPECT_EQ(breadth_line(0xFFFFFFFFU, out), "Max-Breadth: 4294967295\r\n");
}

}  // namespace
}  // namespace ser::txn
