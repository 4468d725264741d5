// SPDX-License-Identifier: Apache-2.0
#include "proxy/local_sockets.h"

#include <gtest/gtest.h>

namespace ser::proxy {
namespace {

IpAddress ip(std::string_view text) {
  return *parse_ip(text);
}

LocalSocket socket(std::string_view address, std::uint16_t port) {
  LocalSocket made;
  made.address = {ip(address), port};
  return made;
}

TEST(LocalSockets, MyselfByAddressNameAndAlias) {
  LocalSockets sockets;
  LocalSocket first = socket("192.0.2.1", 5060);
  first.host = "sip.example.com";
  first.advertised_host = "pub.example.com";
  first.advertised_port = 5090;
  sockets.add(first);
  sockets.add_alias({"Example.ORG", 0, Proto::none});
  sockets.add_alias({"gw.example.org", 5070, Proto::udp});
  struct Row {
    const char* host;
    std::uint16_t port;
    Proto proto;
    bool ours;
  };
  const Row rows[] = {
      {"192.0.2.1", 0, Proto::none, true},
      {"192.0.2.1", 5060, Proto::udp, true},
      {"192.0.2.1", 5061, Proto::none, false},
      {"192.0.2.1", 5060, Proto::tcp, false},
      {"192.0.2.2", 0, Proto::none, false},
      {"SIP.example.com", 5060, Proto::none, true},
      {"sip.example.com.", 0, Proto::none, true},
      {"sip.example.com", 5090, Proto::none, false},
      {"pub.example.com", 5090, Proto::none, true},
      {"pub.example.com", 5060, Proto::none, false},
      {"pub.example.com", 0, Proto::none, true},
      {"example.org", 7777, Proto::tcp, true},
      {"gw.example.org", 5070, Proto::udp, true},
      {"gw.example.org", 5071, Proto::udp, false},
      {"gw.example.org", 5070, Proto::tcp, false},
      {"example.or", 0, Proto::none, false},
      {"", 0, Proto::none, false},
      {".", 0, Proto::none, false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(sockets.is_myself(row.host, row.port, row.proto), row.ours)
        << row.host << ':' << row.port << ' ' << to_string(row.proto);
  EXPECT_TRUE(sockets.is_myself(ip("192.0.2.1"), 5060));
  EXPECT_FALSE(sockets.is_myself(ip("192.0.2.1"), 5061));
}

TEST(LocalSockets, AliasesAreKeptOnce) {
  LocalSockets sockets;
  sockets.add_alias({"a.example", 0, Proto::none});
  sockets.add_alias({"A.EXAMPLE", 0, Proto::none});
  sockets.add_alias({"a.example", 5060, Proto::none});
  EXPECT_EQ(sockets.aliases().size(), 2U);
}

TEST(LocalSockets, Ipv6InItsSpellings) {
  LocalSockets sockets;
  sockets.add(socket("2001:db8::1", 5060));
  for (const char* spelling : {"[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]", "[2001:0db8::0001]"})
    EXPECT_TRUE(sockets.is_myself(spelling, 5060)) << spelling;
  EXPECT_FALSE(sockets.is_myself("[2001:db8::2]", 5060));
  EXPECT_EQ(sockets.at(0).sent_by, "[2001:db8::1]:5060");
  EXPECT_EQ(sockets.find(Proto::udp, "[2001:DB8::1]", 0), 0);
}

TEST(LocalSockets, WildcardIsEveryLocalAddressOfItsPort) {
  LocalSockets sockets;
  sockets.add(socket("0.0.0.0", 5060));
  EXPECT_TRUE(sockets.at(0).wildcard);
  EXPECT_EQ(sockets.at(0).sent_by, "");
  EXPECT_FALSE(sockets.is_myself("192.0.2.7", 5060));
  sockets.add_local_address(ip("192.0.2.7"));
  sockets.add_local_address(ip("127.0.0.1"));
  sockets.add_local_address(ip("2001:db8::7"));
  EXPECT_TRUE(sockets.is_myself("192.0.2.7", 5060));
  EXPECT_TRUE(sockets.is_myself("192.0.2.7"));
  EXPECT_FALSE(sockets.is_myself("192.0.2.7", 5061));
  EXPECT_FALSE(sockets.is_myself("[2001:db8::7]", 5060)) << "an IPv4 wildcard serves no IPv6";
  EXPECT_EQ(sockets.find(Proto::udp, "192.0.2.7", 0), 0);
  EXPECT_EQ(sockets.find(Proto::udp, "192.0.2.8", 0), kNoSocket);
}

TEST(LocalSockets, FindsWhatIsNamedExactly) {
  LocalSockets sockets;
  LocalSocket inner = socket("10.0.0.1", 5060);
  inner.name = "inner";
  sockets.add(inner);
  LocalSocket outer = socket("192.0.2.1", 5070);
  outer.advertised_host = "203.0.113.1";
  sockets.add(outer);
  EXPECT_EQ(sockets.find(Proto::udp, "10.0.0.1", 0), 0);
  EXPECT_EQ(sockets.find(Proto::none, "10.0.0.1", 5060), 0);
  EXPECT_EQ(sockets.find(Proto::udp, "192.0.2.1", 5070), 1);
  EXPECT_EQ(sockets.find(Proto::udp, "192.0.2.1", 0), kNoSocket) << "0 is the default port";
  EXPECT_EQ(sockets.find(Proto::udp, "203.0.113.1", 5070), 1) << "advertised, with the socket's own port";
  EXPECT_EQ(sockets.find(Proto::tcp, "10.0.0.1", 5060), kNoSocket);
  EXPECT_EQ(sockets.find_named("INNER"), 0);
  EXPECT_EQ(sockets.find_named(""), kNoSocket);
  EXPECT_EQ(sockets.at(1).sent_by, "203.0.113.1:5070");
}

TEST(LocalSockets, ChoosesByFamilyAndReach) {
  LocalSockets sockets;
  const SocketId loopback = sockets.add(socket("127.0.0.1", 5060));
  const SocketId outer = sockets.add(socket("192.0.2.1", 5060));
  const SocketId second = sockets.add(socket("198.51.100.1", 5060));
  EXPECT_EQ(sockets.choose(Proto::udp, ip("203.0.113.9"), second), second) << "where it arrived";
  EXPECT_EQ(sockets.choose(Proto::udp, ip("203.0.113.9"), loopback), outer)
      << "a loopback address reaches no other machine";
  EXPECT_EQ(sockets.choose(Proto::udp, ip("127.0.0.9"), second), second);
  EXPECT_EQ(sockets.choose(Proto::udp, ip("127.0.0.9"), kNoSocket), loopback);
  EXPECT_EQ(sockets.choose(Proto::udp, ip("2001:db8::9"), outer), kNoSocket);
  EXPECT_EQ(sockets.choose(Proto::tcp, ip("203.0.113.9"), outer), kNoSocket);
  LocalSockets only_loopback;
  only_loopback.add(socket("127.0.0.1", 5060));
  EXPECT_EQ(only_loopback.choose(Proto::udp, ip("203.0.113.9"), 0), kNoSocket);
}

TEST(LocalSockets, SourceAddressOfAWildcard) {
  LocalSockets sockets;
  sockets.add(socket("0.0.0.0", 5060));
  sockets.add_local_address(ip("127.0.0.1"));
  sockets.add_local_address(ip("192.0.2.7"));
  EXPECT_EQ(sockets.source_address(0, ip("203.0.113.9"), ip("192.0.2.8")), ip("192.0.2.8"));
  EXPECT_EQ(sockets.source_address(0, ip("203.0.113.9"), ip("127.0.0.1")), ip("192.0.2.7"));
  EXPECT_EQ(sockets.source_address(0, ip("127.0.0.9"), ip("127.0.0.1")), ip("127.0.0.1"));
  EXPECT_EQ(sockets.source_address(0, ip("127.0.0.9"), ip("2001:db8::1")), ip("127.0.0.1"));
  EXPECT_FALSE(sockets.source_address(0, ip("2001:db8::9"), ip("192.0.2.8")).valid());
}

}  // namespace
}  // namespace ser::proxy
