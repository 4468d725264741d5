// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/endpoint.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

namespace ser {
namespace {

TEST(Arena, GrowsAndResets) {
  alignas(16) char block[64];
  HeapChunks heap;
  Arena arena(block, sizeof block, heap, 64 * 1024);
  EXPECT_EQ(arena.copy("abc"), "abc");
  EXPECT_EQ(arena.borrowed(), 0U);
  ASSERT_NE(arena.allocate(1000), nullptr);
  EXPECT_GT(arena.borrowed(), 999U);
  EXPECT_EQ(arena.allocate(100 * 1024), nullptr);
  EXPECT_EQ(arena.allocate(SIZE_MAX), nullptr);
  arena.reset();
  EXPECT_EQ(arena.borrowed(), 0U);
  EXPECT_EQ(arena.room(), 64U);
}

TEST(Arena, IsPutDownAndTakenUp) {
  alignas(16) char block[64];
  HeapChunks heap;
  KeptArena kept;
  std::string_view in_block;
  {
    Arena arena(block, sizeof block, heap);
    in_block = arena.copy("block");
    ASSERT_NE(arena.allocate(5000), nullptr);
    kept = arena.put_down();
    EXPECT_EQ(arena.allocate(1), nullptr);
  }
  EXPECT_EQ(in_block, "block");
  {
    Arena again(kept, heap);
    EXPECT_EQ(again.borrowed(), kept.borrowed);
    ASSERT_NE(again.allocate(10'000), nullptr);
    kept = again.put_down();
  }
  std::size_t chunks = 0;
  Arena::for_each_chunk(kept, [&](void* chunk) {
    ++chunks;
    heap.give(chunk, 0);
  });
  EXPECT_EQ(chunks, 2U);
}

TEST(Hash, ReferenceVector) {
  // SipHash-1-3 of "" .. agrees with itself however the text is cut.
  const HashKey key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  const std::string_view text = "abcdefghijklmnopqrstuvwxyz";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    SipHasher hasher(key);
    hasher.add(text.substr(0, cut));
    hasher.add(text.substr(cut));
    EXPECT_EQ(hasher.finish(), sip_hash(key, text)) << cut;
  }
  for (std::size_t size = 0; size <= text.size(); ++size) {
    SipHasher bytewise(key);
    for (const char c : text.substr(0, size)) bytewise.add(std::string_view(&c, 1));
    EXPECT_EQ(bytewise.finish(), sip_hash(key, text.substr(0, size))) << size;
  }
  // A list is hashed with the places where its parts end.
  EXPECT_EQ(sip_hash(key, {text}), sip_hash(key, text));
  std::set<std::uint64_t> hashes;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    hashes.insert(sip_hash(key, {text.substr(0, cut), text.substr(cut)}));
    const std::string behind = std::string(text.substr(0, cut)) + "|";
    EXPECT_EQ(sip_hash(key, {std::string_view(behind).substr(0, cut), text.substr(cut)}),
              sip_hash(key, {text.substr(0, cut), text.substr(cut)}));
  }
  EXPECT_EQ(hashes.size(), text.size() + 1);
  EXPECT_NE(sip_hash(key, "a"), sip_hash(key, std::string_view("a\0", 2)));
}

TEST(Endpoint, DottedQuadsAreReadAsTheSystemDoes) {
  // Everything of up to five parts out of these, with and without a dot or digit too many.
  const std::vector<std::string> parts{"",    "0",   "1",   "00",  "09",   "10", "99",
                                       "100", "255", "256", "999", "1000", "x",  "1 "};
  std::uint32_t state = 1;
  const auto next = [&] { return state = state * 1664525U + 1013904223U, state >> 16; };
  for (int round = 0; round < 20000; ++round) {
    std::string text = parts[next() % parts.size()];
    const unsigned more = next() % 8 == 0 ? next() % 5 : 3;
    for (unsigned i = 0; i < more; ++i) text += "." + parts[next() % (next() % 3 == 0 ? parts.size() : 9)];
    in_addr expected{};
    const bool good = inet_pton(AF_INET, text.c_str(), &expected) == 1;
    const auto ip = parse_ip(text);
    ASSERT_EQ(bool{ip}, good) << text;
    EXPECT_TRUE(!good || std::memcmp(ip->bytes.data(), &expected, 4) == 0) << text;
  }
}

TEST(Endpoint, ParsesAndPrints) {
  for (const char* good : {"127.0.0.1", "2001:db8::1", "::", "::ffff:192.0.2.1"}) {
    const auto ip = parse_ip(good);
    ASSERT_TRUE(ip) << good;
    EXPECT_EQ(print_ip(*ip, false).view(), good);
  }
  for (const char* bad :
       {"", "1.2.3", "1.2.3.4.5", "300.1.1.1", "[1.2.3.4]", "2001:db8:::1", "abc", "1.2.3.4 "}) {
    EXPECT_FALSE(parse_ip(bad)) << bad;
  }
  EXPECT_TRUE(parse_ip("10.1.2.3")->in_network(*parse_ip("10.1.0.0"), 16));
  EXPECT_FALSE(parse_ip("10.2.2.3")->in_network(*parse_ip("10.1.0.0"), 16));
  EXPECT_TRUE(parse_ip("10.1.129.3")->in_network(*parse_ip("10.1.128.0"), 17));
  SockAddr a{*parse_ip("::1"), 5060};
  EXPECT_EQ(print(a).view(), "[::1]:5060");
  sockaddr_storage native{};
  a.to_native(native);
  EXPECT_EQ(SockAddr::from(reinterpret_cast<sockaddr*>(&native)), a);
}

TEST(Text, Numbers) {
  EXPECT_EQ(parse_u32("4294967295"), 4294967295U);
  EXPECT_FALSE(parse_u32("4294967296"));
  EXPECT_FALSE(parse_u64("99999999999999999999999"));
  EXPECT_FALSE(parse_u32(""));
  EXPECT_FALSE(parse_u32("-1"));
  EXPECT_EQ(edit_distance("t_realy", "t_relay", 3), 2U);
}

TEST(Log, OneLineWhateverTheText) {
  MemoryLogSink sink;
  Logger logger(sink, LogLevel::info);
  LOG(logger, info, "a{}b", "\r\nERROR: forged");
  LOG(logger, debug, "not {}", 1);
  EXPECT_EQ(sink.text(), "INFO: a..ERROR: forgedb\n");
}

}  // namespace
}  // namespace ser
