// SPDX-License-Identifier: Apache-2.0
#include "net/dns_cache.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

namespace ser::net {
namespace {

constexpr Instant kSecond = 1'000'000'000;
constexpr HashKey kKey{1, 2};

struct Memory {
  explicit Memory(std::size_t entries) : size(DnsCache::bytes_for(entries)) {
    bytes = static_cast<char*>(std::aligned_alloc(64, size));
    std::memset(bytes, 0, size);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { std::free(bytes); }
  std::size_t size;
  char* bytes;
};

DnsAnswer a(std::initializer_list<const char*> ips) {
  DnsAnswer answer;
  answer.clear(DnsType::a, DnsStatus::ok);
  answer.ttl = 60;
  for (const char* ip : ips) answer.addresses[answer.count++] = *parse_ip(ip);
  if (answer.count != 0 && answer.addresses[0].is_v6()) answer.type = DnsType::aaaa;
  return answer;
}

DnsAnswer nothing(DnsType type, DnsStatus status) {
  DnsAnswer answer;
  answer.clear(type, status);
  return answer;
}

TEST(DnsCache, FreshThenStaleThenGone) {
  const Memory memory(16);
  DnsCache cache = DnsCache::create(memory.bytes, 16, kKey);
  DnsAnswer out;
  EXPECT_EQ(cache.find("h.example", DnsType::a, 0, out), DnsFreshness::miss);
  ASSERT_TRUE(cache.store("H.example.", DnsType::a, a({"192.0.2.1", "192.0.2.2"}), 10, 5, 100 * kSecond));
  const DnsCache other = DnsCache::attach(memory.bytes);
  EXPECT_EQ(other.find("h.EXAMPLE", DnsType::a, 109 * kSecond, out), DnsFreshness::fresh);
  ASSERT_EQ(out.count, 2);
  EXPECT_EQ(out.addresses[1], *parse_ip("192.0.2.2"));
  EXPECT_EQ(out.ttl, 60U);
  EXPECT_EQ(other.find("h.example", DnsType::a, 110 * kSecond, out), DnsFreshness::stale);
  EXPECT_EQ(other.find("h.example", DnsType::a, 115 * kSecond, out), DnsFreshness::miss);
  EXPECT_EQ(other.find("h.example", DnsType::aaaa, 100 * kSecond, out), DnsFreshness::miss);
  EXPECT_FALSE(cache.store("not a name", DnsType::a, a({}), 1, 1, 0));
}

TEST(DnsCache, KeepsSrvAndPtr) {
  const Memory memory(16);
  DnsCache cache = DnsCache::create(memory.bytes, 16, kKey);
  DnsAnswer srv = nothing(DnsType::srv, DnsStatus::ok);
  const std::string label(60, 'x');
  for (unsigned i = 0; i < DnsAnswer::kMax; ++i) {
    srv.srv[i].priority = static_cast<std::uint16_t>(i);
    srv.srv[i].weight = static_cast<std::uint16_t>(100 + i);
    srv.srv[i].port = static_cast<std::uint16_t>(5060 + i);
    ASSERT_TRUE(
        srv.srv[i].target.assign(label + "." + label + "." + label + "." + label + ".t" + std::to_string(i)));
  }
  srv.count = DnsAnswer::kMax;
  const std::string longest = label + "." + label + "." + label + "." + label + ".abcdefghi";
  ASSERT_EQ(longest.size(), 253U);
  ASSERT_TRUE(cache.store(longest, DnsType::srv, srv, 10, 0, 0));
  DnsAnswer out;
  ASSERT_EQ(cache.find(longest, DnsType::srv, 1, out), DnsFreshness::fresh);
  ASSERT_EQ(out.count, 8);
  for (unsigned i = 0; i < 8; ++i) {
    EXPECT_EQ(out.srv[i].priority, i);
    EXPECT_EQ(out.srv[i].weight, 100 + i);
    EXPECT_EQ(out.srv[i].port, 5060 + i);
    EXPECT_EQ(out.srv[i].target.view(), srv.srv[i].target.view());
  }
  DnsAnswer ptr = nothing(DnsType::ptr, DnsStatus::ok);
  ASSERT_TRUE(ptr.name.assign("gw.example.com"));
  ptr.count = 1;
  ASSERT_TRUE(cache.store("1.2.0.192.in-addr.arpa", DnsType::ptr, ptr, 10, 0, 0));
  ASSERT_EQ(cache.find("1.2.0.192.in-addr.arpa", DnsType::ptr, 1, out), DnsFreshness::fresh);
  EXPECT_EQ(out.name.view(), "gw.example.com");
}

TEST(DnsCache, FailureDoesNotReplaceRecords) {
  const Memory memory(16);
  DnsCache cache = DnsCache::create(memory.bytes, 16, kKey);
  ASSERT_TRUE(cache.store("h", DnsType::a, a({"192.0.2.1"}), 10, 20, 0));
  DnsAnswer out;
  ASSERT_EQ(cache.find("h", DnsType::a, 12 * kSecond, out), DnsFreshness::stale);
  ASSERT_TRUE(cache.store("h", DnsType::a, nothing(DnsType::a, DnsStatus::failure), 5, 0, 12 * kSecond));
  EXPECT_EQ(cache.find("h", DnsType::a, 16 * kSecond, out), DnsFreshness::fresh);
  EXPECT_EQ(out.count, 1);
  EXPECT_EQ(cache.find("h", DnsType::a, 18 * kSecond, out), DnsFreshness::stale);
  ASSERT_TRUE(cache.store("h", DnsType::a, nothing(DnsType::a, DnsStatus::failure), 600, 0, 18 * kSecond));
  EXPECT_EQ(cache.find("h", DnsType::a, 31 * kSecond, out), DnsFreshness::miss);
  // NXDOMAIN is knowledge and does replace it.
  ASSERT_TRUE(cache.store("h", DnsType::a, a({"192.0.2.1"}), 10, 20, 0));
  ASSERT_TRUE(cache.store("h", DnsType::a, nothing(DnsType::a, DnsStatus::no_name), 5, 0, 0));
  EXPECT_EQ(cache.find("h", DnsType::a, 0, out), DnsFreshness::fresh);
  EXPECT_EQ(out.status, DnsStatus::no_name);
}

TEST(DnsCache, FullCacheEvictsAndStaysConsistent) {
  const Memory memory(16);
  DnsCache cache = DnsCache::create(memory.bytes, 16, kKey);
  DnsAnswer out;
  for (int i = 0; i < 200; ++i) {
    const std::string name = "h" + std::to_string(i);
    ASSERT_TRUE(cache.store(name, DnsType::a, a({"192.0.2.1"}), 100, 0, i * kSecond));
    ASSERT_EQ(cache.find(name, DnsType::a, i * kSecond, out), DnsFreshness::fresh);
  }
  EXPECT_EQ(cache.size(), 16U);
  EXPECT_EQ(cache.capacity(), 16U);
  cache.erase("h199", DnsType::a);
  EXPECT_EQ(cache.find("h199", DnsType::a, 199 * kSecond, out), DnsFreshness::miss);
  EXPECT_EQ(cache.size(), 15U);
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
}

TEST(DnsCache, DeadWriterIsRepaired) {
  const Memory memory(16);
  DnsCache cache = DnsCache::create(memory.bytes, 16, kKey);
  ASSERT_TRUE(cache.store("h", DnsType::a, a({"192.0.2.1"}), 10, 0, 0));
  // As if the writer had died within the entry: all sequences odd.
  constexpr std::size_t kHead = 128;  // header and bits
  const std::size_t entry = (memory.size - kHead) / 16;
  for (std::size_t i = 0; i < 16; ++i) ++memory.bytes[kHead + i * entry];
  DnsAnswer out;
  EXPECT_EQ(cache.find("h", DnsType::a, 0, out), DnsFreshness::miss);
  cache.repair();
  EXPECT_EQ(cache.size(), 0U);
  ASSERT_TRUE(cache.store("h", DnsType::a, a({"192.0.2.1"}), 10, 0, 0));
  EXPECT_EQ(cache.find("h", DnsType::a, 0, out), DnsFreshness::fresh);
}

TEST(DnsCache, WhatWasNeverWrittenIsNotTouched) {
  constexpr std::size_t kEntries = 4096;
  const std::size_t size = DnsCache::bytes_for(kEntries);
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  DnsCache cache = DnsCache::create(memory, kEntries, kKey);
  // Header and bits are in the first page; an access to the rest ends the test.
  constexpr std::size_t kPage = 4096;
  ASSERT_EQ(::mprotect(static_cast<char*>(memory) + kPage, size - kPage, PROT_NONE), 0);
  DnsAnswer out;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "h" + std::to_string(i);
    EXPECT_EQ(cache.find(name, DnsType::a, 0, out), DnsFreshness::miss);
    cache.erase(name, DnsType::a);
  }
  cache.repair();
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
  ::munmap(memory, size);
}

TEST(DnsCache, FindAddressesJoinsFamilies) {
  const Memory memory(16);
  DnsCache cache = DnsCache::create(memory.bytes, 16, kKey);
  IpAddress out[4];
  unsigned count = 9;
  EXPECT_EQ(find_addresses(cache, "h", IpAddress::Family::none, 0, out, count), DnsFreshness::miss);
  EXPECT_EQ(count, 0U);
  ASSERT_TRUE(cache.store("h", DnsType::a, a({"192.0.2.1"}), 10, 0, 0));
  EXPECT_EQ(find_addresses(cache, "h", IpAddress::Family::none, 0, out, count), DnsFreshness::stale);
  EXPECT_EQ(count, 1U);
  ASSERT_TRUE(cache.store("h", DnsType::aaaa, a({"2001:db8::1", "2001:db8::2"}), 10, 0, 0));
  EXPECT_EQ(find_addresses(cache, "h", IpAddress::Family::none, 0, out, count), DnsFreshness::fresh);
  ASSERT_EQ(count, 3U);
  EXPECT_EQ(out[0], *parse_ip("192.0.2.1"));
  EXPECT_EQ(out[2], *parse_ip("2001:db8::2"));
  EXPECT_EQ(find_addresses(cache, "h", IpAddress::Family::v4, 0, out, count), DnsFreshness::fresh);
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(find_addresses(cache, "h", IpAddress::Family::none, 0, std::span(out).first(2), count),
            DnsFreshness::fresh);
  EXPECT_EQ(count, 2U);
}

TEST(DnsCache, ReadersNeverSeeHalfAnEntry) {
  const Memory memory(16);
  DnsCache cache = DnsCache::create(memory.bytes, 16, kKey);
  std::atomic<bool> stop{false};
  std::atomic<unsigned> wrong{0};
  std::atomic<unsigned> found{0};
  const auto read = [&] {
    const DnsCache mine = DnsCache::attach(memory.bytes);
    DnsAnswer out;
    while (!stop.load(std::memory_order_relaxed)) {
      if (mine.find("h.example", DnsType::a, 0, out) == DnsFreshness::miss) continue;
      found.fetch_add(1, std::memory_order_relaxed);
      // Version v has v addresses, all of which end in v.
      for (unsigned i = 0; i < out.count; ++i) {
        if (out.addresses[i].bytes[3] != out.count) wrong.fetch_add(1, std::memory_order_relaxed);
      }
    }
  };
  std::thread one(read);
  std::thread two(read);
  const char* const ips[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"};
  for (unsigned i = 0; i < 20000 || (found.load() == 0 && i < 50'000'000); ++i) {
    const unsigned version = 1 + i % 4;
    DnsAnswer answer = nothing(DnsType::a, DnsStatus::ok);
    for (unsigned k = 0; k < version; ++k) answer.addresses[answer.count++] = *parse_ip(ips[version - 1]);
    ASSERT_TRUE(cache.store("h.example", DnsType::a, answer, 10, 0, 0));
    if (i % 16 == 0) std::this_thread::yield();
  }
  stop.store(true);
  one.join();
  two.join();
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_GT(found.load(), 0U);
}

}  // namespace
}  // namespace ser::net
