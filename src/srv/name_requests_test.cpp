// SPDX-License-Identifier: Apache-2.0
#include "srv/name_requests.h"

#include <set>

#include "srv/slot_world.h"

namespace ser::srv {
namespace {

class Names : public ::testing::Test {
 protected:
  Names()
      : requests(*NameRequests::create(world.segment)),
        inbox(*shm::Inbox::create(world.segment, 16, -1)),
        cache(net::DnsCache::create(world.segment.reserve(net::DnsCache::bytes_for(64)), 64, {1, 2})),
        actor(world.worker(0)),
        names(cache, requests, inbox, actor, world.clock, world.counters, world.server.dns_requests) {}

  void store_address(std::string_view host, std::string_view address, std::uint32_t ttl = 60) {
    net::DnsAnswer answer{};
    const IpAddress ip = *parse_ip(address);
    const net::DnsType type = ip.is_v4() ? net::DnsType::a : net::DnsType::aaaa;
    answer.clear(type, net::DnsStatus::ok);
    answer.count = 1;
    answer.addresses[0] = ip;
    ASSERT_TRUE(cache.store(host, type, answer, ttl, 60, world.clock.now()));
  }
  void store_nothing(std::string_view host, net::DnsType type,
                     net::DnsStatus status = net::DnsStatus::no_name) {
    net::DnsAnswer answer{};
    answer.clear(type, status);
    ASSERT_TRUE(cache.store(host, type, answer, 60, 0, world.clock.now()));
  }
  void store_srv(std::string_view name, std::string_view target, std::uint16_t port) {
    net::DnsAnswer answer{};
    answer.clear(net::DnsType::srv, net::DnsStatus::ok);
    answer.count = 1;
    answer.srv[0].port = port;
    ASSERT_TRUE(answer.srv[0].target.assign(target));
    ASSERT_TRUE(cache.store(name, net::DnsType::srv, answer, 60, 60, world.clock.now()));
  }
  /// What the event worker is asked for, "A name" each; taken.
  std::set<std::string> asked() {
    std::set<std::string> out;
    shm::Event event;
    while (inbox.pop(event)) {
      EXPECT_EQ(event.type, kEventNameRequest);
      char name[256];
      std::uint16_t length = 0;
      net::DnsType type{};
      EXPECT_TRUE(requests.take(static_cast<std::uint32_t>(event.words[0]), name, length, type));
      out.insert(std::string(to_string(type)) + " " + std::string(name, length));
    }
    return out;
  }
  /// "address:port …", or the name of the error.
  std::string lookup(std::string_view host, std::uint16_t port) {
    const auto found = names.lookup(host, port, Proto::udp);
    if (!found) return to_string(found.error().code);
    std::string out;
    for (unsigned i = 0; i < found->count; ++i) out += (i == 0 ? "" : " ") + to_string(found->list[i]);
    return out;
  }

  testing::SlotWorld world;
  NameRequests requests;
  shm::Inbox inbox;
  net::DnsCache cache;
  shm::Actor actor;
  CachedNames names;
};

TEST_F(Names, AnUnknownNameIsAskedForAndPending) {
  EXPECT_EQ(lookup("a.example", 5070), "pending");
  EXPECT_EQ(asked(), (std::set<std::string>{"A a.example", "AAAA a.example"}));
  EXPECT_EQ(lookup("b.example.", 0), "pending");
  EXPECT_EQ(asked(), (std::set<std::string>{"SRV _sip._udp.b.example", "A b.example", "AAAA b.example"}));
  EXPECT_EQ(world.counted("dns", "requests"), 5U);
}

TEST_F(Names, AddressesWithAPortNeedNoSrv) {
  store_address("a.example", "203.0.113.1");
  EXPECT_EQ(lookup("a.example", 5070), "203.0.113.1:5070") << "one family is enough to go on";
  EXPECT_EQ(asked(), (std::set<std::string>{"AAAA a.example"}));
  store_address("a.example", "2001:db8::1");
  EXPECT_EQ(lookup("A.Example", 5070), "203.0.113.1:5070 [2001:db8::1]:5070");
  EXPECT_TRUE(asked().empty());
}

TEST_F(Names, NoAaaaRecordsWithoutDnsTryIpv6) {
  CachedNames only_v4(cache, requests, inbox, actor, world.clock, world.counters, world.server.dns_requests,
                      false);
  EXPECT_FALSE(only_v4.lookup("a.example", 5070, Proto::udp));
  EXPECT_EQ(asked(), (std::set<std::string>{"A a.example"}));
}

TEST_F(Names, SrvFirstWithoutAPort) {
  store_srv("_sip._udp.s.example", "host.s.example", 5099);
  EXPECT_EQ(lookup("s.example", 0), "pending");
  EXPECT_EQ(asked(), (std::set<std::string>{"A host.s.example", "AAAA host.s.example"}));
  store_address("host.s.example", "203.0.113.9");
  EXPECT_EQ(lookup("s.example", 0), "203.0.113.9:5099");
  asked();
  store_nothing("_sip._udp.p.example", net::DnsType::srv);
  store_address("p.example", "203.0.113.8");
  store_nothing("p.example", net::DnsType::aaaa, net::DnsStatus::no_data);
  EXPECT_EQ(lookup("p.example", 0), "203.0.113.8:5060") << "no SRV: the name itself, default port";
  EXPECT_TRUE(asked().empty());
}

TEST_F(Names, NamesThatDoNotExist) {
  store_nothing("gone.example", net::DnsType::a);
  store_nothing("gone.example", net::DnsType::aaaa);
  EXPECT_EQ(lookup("gone.example", 5060), "not_found");
  EXPECT_TRUE(asked().empty());
  EXPECT_EQ(lookup("", 5060), "syntax");
  EXPECT_EQ(lookup(".", 5060), "syntax");
  EXPECT_EQ(lookup(std::string(300, 'x'), 5060), "syntax");
  EXPECT_EQ(names.lookup("a.example", 5060, Proto::tcp).error().code, Errc::unsupported);
}

TEST_F(Names, StaleAnswersServeAndAreAskedForAgain) {
  store_address("a.example", "203.0.113.1", 10);
  store_nothing("a.example", net::DnsType::aaaa);
  world.clock.advance_ms(11'000);
  EXPECT_EQ(lookup("a.example", 5060), "203.0.113.1:5060");
  EXPECT_EQ(asked(), (std::set<std::string>{"A a.example"}));
}

TEST_F(Names, ReverseFromTheCache) {
  const IpAddress ip = *parse_ip("203.0.113.1");
  EXPECT_EQ(names.reverse(ip).error().code, Errc::pending);
  EXPECT_EQ(asked(), (std::set<std::string>{"PTR 1.113.0.203.in-addr.arpa"}));
  net::DnsAnswer answer{};
  answer.clear(net::DnsType::ptr, net::DnsStatus::ok);
  answer.count = 1;
  ASSERT_TRUE(answer.name.assign("host.example"));
  ASSERT_TRUE(cache.store("1.113.0.203.in-addr.arpa", net::DnsType::ptr, answer, 60, 60, world.clock.now()));
  const auto found = names.reverse(ip);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, "host.example");
}

TEST_F(Names, AFullInboxLeaksNoCells) {
  for (unsigned i = 0; i < 500; ++i) EXPECT_EQ(lookup("n" + std::to_string(i) + ".example", 5060), "pending");
  EXPECT_EQ(asked().size(), 16U) << "the inbox's room";
  unsigned free_cells = 0;
  while (requests.put("x.example", net::DnsType::a, world.clock.now()) != NameRequests::kCells) ++free_cells;
  EXPECT_EQ(free_cells, NameRequests::kCells);
  EXPECT_EQ(lookup("full.example", 5060), "pending") << "no cell: the client tries again";
  EXPECT_TRUE(asked().empty());
}

TEST_F(Names, CellsOfTheDeadComeBack) {
  const std::uint32_t cell = requests.put("x.example", net::DnsType::a, world.clock.now());
  requests.reclaim(world.clock.now());
  char name[256];
  std::uint16_t length = 0;
  net::DnsType type{};
  ASSERT_TRUE(requests.take(cell, name, length, type)) << "a fresh one is left alone";
  EXPECT_FALSE(requests.take(cell, name, length, type)) << "once";
  EXPECT_FALSE(requests.take(NameRequests::kCells, name, length, type));
  const std::uint32_t lost = requests.put("x.example", net::DnsType::a, world.clock.now());
  world.clock.advance_ms(1'500);
  requests.reclaim(world.clock.now());
  EXPECT_FALSE(requests.take(lost, name, length, type));
}

}  // namespace
}  // namespace ser::srv
