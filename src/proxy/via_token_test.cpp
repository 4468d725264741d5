// SPDX-License-Identifier: Apache-2.0
#include "proxy/via_token.h"

#include "proxy/test_services.h"

namespace ser::proxy {
namespace {

using testing::crlf;

const HashKey kKey{1, 2};

/// A Via with its bytes.
class OwnedVia {
 public:
  explicit OwnedVia(std::string text) : x_text(std::move(text)), x_arena(x_block, sizeof x_block, x_chunks) {
    auto parsed = sip::parse_via(x_text, x_arena);
    EXPECT_TRUE(parsed);
    via = *parsed;
  }
  const sip::Via* via = nullptr;

 private:
  std::string x_text;
  HeapChunks x_chunks;
  alignas(16) char x_block[1024]{};
  Arena x_arena;
};

std::string token_text(const ViaToken& token, const sip::Via& below, const HashKey& key = kKey) {
  std::array<char, kMaxToken> out{};
  return {out.data(), write_token(key, token, below, out)};
}

const ViaToken kTokens[] = {
    {ViaToken::Kind::stateless, 3, 0, 0, 0, 0},
    {ViaToken::Kind::stateless_2543, 15, 0, 0, 0, 0x1122334455667788ULL},
    {ViaToken::Kind::stateful, 255, 0xdeadbeef, 0xcafef00d, 0x01020304, 0},
};

TEST(ViaToken, RoundTripOfEveryKind) {
  const OwnedVia below("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKabc");
  for (const ViaToken& token : kTokens) {
    const std::string text = token_text(token, *below.via);
    EXPECT_TRUE(text.starts_with("z9hG4bK"));
    const auto read = read_token(kKey, text, below.via);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->kind, token.kind);
    EXPECT_EQ(read->branch_index, token.branch_index);
    EXPECT_EQ(read->cell, token.cell);
    EXPECT_EQ(read->generation, token.generation);
    EXPECT_EQ(read->loop_hash, token.loop_hash);
    EXPECT_EQ(read->unique, token.unique);
  }
}

TEST(ViaToken, EveryFlippedBitIsRefused) {
  const OwnedVia below("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKabc");
  for (const ViaToken& token : kTokens) {
    const std::string good = token_text(token, *below.via);
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
        EXPECT_FALSE(read_token(kKey, bad, below.via)) << bad;
      }
    }
    EXPECT_FALSE(read_token(kKey, good.substr(0, good.size() - 1), below.via));
    EXPECT_FALSE(read_token(kKey, good + "0", below.via));
  }
}

TEST(ViaToken, AnotherKeyOrAnotherViaBelowIsRefused) {
  const OwnedVia below("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKabc");
  const std::string text = token_text(kTokens[0], *below.via);
  EXPECT_FALSE(read_token({1, 3}, text, below.via));
  EXPECT_FALSE(read_token(kKey, text, nullptr)) << "the last Via of a response is never ours";
  for (const char* other : {
           "SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKabc",
           "SIP/2.0/UDP 192.0.2.1:5071;branch=z9hG4bKabc",
           "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKabc",
           "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKabd",
           "SIP/2.0/UDP 192.0.2.1:5070",
           "SIP/2.0/UDP 192.0.2.15:070;branch=z9hG4bKabc",
       }) {
    const OwnedVia via(other);
    EXPECT_FALSE(read_token(kKey, text, via.via)) << other;
  }
  // A transaction's responses go where the transaction says.
  const OwnedVia foreign("SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKabc");
  const std::string stateful = token_text(kTokens[2], *below.via);
  EXPECT_TRUE(read_token(kKey, stateful, foreign.via));
  EXPECT_FALSE(read_token({1, 3}, stateful, below.via));
  EXPECT_FALSE(read_token(kKey, stateful, nullptr));
  // What a response adds and how it is spaced does not matter.
  const OwnedVia answered(
      "SIP / 2.0 / UDP  192.0.2.1 : 5070 ;rport=9;branch=z9hG4bKabc;received=203.0.113.5");
  EXPECT_TRUE(read_token(kKey, text, answered.via));
}

TEST(ViaToken, NoTokenInForeignBranches) {
  const OwnedVia below("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKabc");
  for (const char* branch : {"", "z9hG4bK", "z9hG4bKs", "0", "z9hG4bK776asdhds", "z9hG4bKs00000000000000000",
                             "z9hG4bKs000000000000000000000000000000000000"})
    EXPECT_FALSE(read_token(kKey, branch, below.via)) << branch;
}

TEST(ViaToken, FirstViaOfAResponse) {
  testing::TestServices world;
  world.listen("192.0.2.9", 5060);
  const OwnedVia below("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKabc");
  for (const ViaToken& token : kTokens) {
    const std::string top = "SIP/2.0/UDP 192.0.2.9;branch=" + token_text(token, *below.via);
    const std::string other = "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKabc";
    const auto read = [&](const std::string& vias) {
      testing::TestRun run(world, crlf("SIP/2.0 200 OK\n" + vias + "CSeq: 7 BYE\n\n"),
                           testing::address("192.0.2.1", 5060), testing::address("192.0.2.9", 5060));
      const auto found = read_token(kKey, run->message());
      return found ? std::optional(found->kind) : std::nullopt;
    };
    EXPECT_EQ(read("Via: " + top + "\nVia: " + other + "\n"), token.kind);
    EXPECT_EQ(read("v: " + top + "\nSubject: x\nVIA : " + other + "\n"), token.kind);
    EXPECT_EQ(read("Via: " + top + ", " + other + "\n"), token.kind);
    EXPECT_EQ(read("Via: " + top + "\n"), std::nullopt);
    EXPECT_EQ(read("Via: " + other + "\nVia: " + top + "\n"), std::nullopt);
  }
}

/// A request as a client of RFC 2543 (no branch) or of RFC 3261 sends it.
std::string request(std::string_view method, std::string_view via, std::string_view to_tag,
                    std::string_view from_tag = "f1") {
  return crlf(std::string(method) + " sip:u@example.com SIP/2.0\nVia: " + std::string(via) +
              "\nFrom: <sip:a@example.com>;tag=" + std::string(from_tag) + "\nTo: <sip:u@example.com>" +
              std::string(to_tag) + "\nCall-ID: c1\nCSeq: 7 " + std::string(method) +
              "\nMax-Forwards: 70\n\n");
}

std::string branch_of(testing::TestServices& world, const std::string& text, std::size_t& indexed) {
  testing::TestRun run(world, text, testing::address("192.0.2.1", 5060), testing::address("192.0.2.9", 5060));
  const sip::Via& top = **run->message().via(0);
  const ViaToken token = stateless_token(world.via_key, run->message(), top, 0);
  indexed = run->message().headers_indexed();
  return token_text(token, top, world.via_key);
}

TEST(ViaToken, SameBranchForInviteCancelAndAck) {
  testing::TestServices world;
  world.listen("192.0.2.9", 5060);
  std::size_t indexed = 0;
  for (const std::string_view via : {"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.1",
                                     "SIP/2.0/UDP 192.0.2.1;branch=1", "SIP/2.0/UDP h;branch=z9hG4bK"}) {
    const std::string invite = branch_of(world, request("INVITE", via, ""), indexed);
    EXPECT_EQ(indexed, via.find("z9hG4bKx") != std::string_view::npos ? 1U : 4U) << via;
    EXPECT_EQ(branch_of(world, request("INVITE", via, ""), indexed), invite) << "retransmission";
    EXPECT_EQ(branch_of(world, request("CANCEL", via, ""), indexed), invite);
    EXPECT_EQ(branch_of(world, request("ACK", via, ";tag=t1"), indexed), invite);
  }
  const std::string old = branch_of(world, request("INVITE", "SIP/2.0/UDP 192.0.2.1", ""), indexed);
  EXPECT_NE(branch_of(world, request("INVITE", "SIP/2.0/UDP 192.0.2.1", "", "f2"), indexed), old)
      << "another call of a client without branches";
}

}  // namespace
}  // namespace ser::proxy
