// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <gtest/gtest.h>

namespace ser::net {
namespace {

std::vector<InterfaceAddress> machine() {
  return {{"lo", *parse_ip("127.0.0.1"), true},    {"lo", *parse_ip("::1"), true},
          {"eth0", *parse_ip("192.0.2.1"), false}, {"eth0", *parse_ip("192.0.2.2"), false},
          {"eth0", *parse_ip("fe80::1"), false},   {"eth0", *parse_ip("2001:db8::1"), false},
          {"tun0", *parse_ip("fe80::2"), false}};
}

ListenTable resolve(std::initializer_list<const char*> lines) {
  std::vector<ListenSpec> specs;
  for (const char* line : lines) {
    auto spec = parse_listen_text(line);
    EXPECT_TRUE(spec) << line;
    if (!spec) continue;
    spec->origin = "ser.cfg:3:1";
    specs.push_back(*spec);
  }
  const auto addresses = machine();
  return resolve_listeners(specs, 5060, {}, addresses);
}

std::string texts(const ListenTable& table) {
  std::string result;
  for (const auto& listener : table.listeners) result += listener.text() + " ";
  return result;
}

TEST(ListenText, TakesWhatTheFamilyTakes) {
  struct Row {
    const char* text;
    Proto proto;
    const char* host;
    std::uint16_t port;
    const char* advertised_host;
    std::uint16_t advertised_port;
  };
  constexpr Row kRows[] = {
      {"192.0.2.1", Proto::none, "192.0.2.1", 0, "", 0},
      {"udp:192.0.2.1", Proto::udp, "192.0.2.1", 0, "", 0},
      {"UDP:host.example.com:5070", Proto::udp, "host.example.com", 5070, "", 0},
      {"udp:eth0:5070", Proto::udp, "eth0", 5070, "", 0},
      {"eth0", Proto::none, "eth0", 0, "", 0},
      {"eth0.100:5060", Proto::none, "eth0.100", 5060, "", 0},
      {"[::1]:5060", Proto::none, "::1", 5060, "", 0},
      {"tcp:[2001:db8::1]", Proto::tcp, "2001:db8::1", 0, "", 0},
      {"2001:db8::1", Proto::none, "2001:db8::1", 0, "", 0},
      {"::", Proto::none, "::", 0, "", 0},
      {"*", Proto::none, "*", 0, "", 0},
      {" *:5080 ", Proto::none, "*", 5080, "", 0},
      {"udp", Proto::none, "udp", 0, "", 0},
      {"udp:10.0.0.1:5060/203.0.113.5:5070", Proto::udp, "10.0.0.1", 5060, "203.0.113.5", 5070},
      {"10.0.0.1/sip.example.com", Proto::none, "10.0.0.1", 0, "sip.example.com", 0},
      {"[::1]:5060/[2001:db8::5]:5", Proto::none, "::1", 5060, "2001:db8::5", 5},
  };
  for (const Row& row : kRows) {
    const auto spec = parse_listen_text(row.text);
    ASSERT_TRUE(spec) << row.text << ": " << spec.error().what;
    EXPECT_EQ(spec->proto, row.proto) << row.text;
    EXPECT_EQ(spec->host, row.host) << row.text;
    EXPECT_EQ(spec->port, row.port) << row.text;
    EXPECT_EQ(spec->advertised_host, row.advertised_host) << row.text;
    EXPECT_EQ(spec->advertised_port, row.advertised_port) << row.text;
  }
}

TEST(ListenText, RefusesTheRest) {
  for (const char* bad :
       {"", " ", ":5060", "udp:", "udp::5060", "192.0.2.1:", "192.0.2.1:0x5", "192.0.2.1:65536", "[::1",
        "[::1]5060", "[192.0.2.1]:5060", "foo:192.0.2.1:5060", "a b", "host/", "host/*", "host/a:b",
        "udp:(1.2.3.4,1.2.3.5)", "[]:5060", "host:-1"}) {
    EXPECT_FALSE(parse_listen_text(bad)) << bad;
  }
}

TEST(ListenText, AGroupIsOneTextForEachHost) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(listen_texts(" 192.0.2.1:5060 "), Texts{"192.0.2.1:5060"});
  EXPECT_EQ(listen_texts("udp:(eth0, 192.0.2.1 ,::1):5070/sip.example.com"),
            (Texts{"udp:eth0:5070/sip.example.com", "udp:192.0.2.1:5070/sip.example.com",
                   "udp:[::1]:5070/sip.example.com"}));
  EXPECT_EQ(listen_texts("(lo)"), Texts{"lo"});
  EXPECT_EQ(listen_texts("()"), Texts{""}) << "refused then, as an empty host";
  EXPECT_EQ(listen_texts("(a,b"), Texts{"(a,b"});
  EXPECT_EQ(listen_texts(""), Texts{""});
}

TEST(Listeners, ExpandsInterfacesNamesAndWildcards) {
  EXPECT_EQ(
      texts(resolve({"eth0", "lo:5070"})),
      "udp:192.0.2.1:5060 udp:192.0.2.2:5060 udp:[2001:db8::1]:5060 udp:127.0.0.1:5070 udp:[::1]:5070 ");
  EXPECT_EQ(texts(resolve({"*", "::"})), "udp:0.0.0.0:5060 udp:[::]:5060 ");
  const ListenTable named = resolve({"localhost:5061"});
  ASSERT_EQ(named.listeners.size(), 1U);
  EXPECT_EQ(named.listeners[0].text(), "udp:127.0.0.1:5061");
  EXPECT_EQ(named.listeners[0].given_host, "localhost");
}

TEST(Listeners, DuplicatesGoAndIdsAreIndexes) {
  const ListenTable table = resolve({"192.0.2.1", "udp:192.0.2.1:5060", "eth0"});
  ASSERT_EQ(table.listeners.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(table.listeners[i].id, i);
  EXPECT_TRUE(table.errors.empty());
}

TEST(Listeners, AdvertisedHostInSipForm) {
  const ListenTable table = resolve({"192.0.2.1:5062/[2001:db8::5]", "192.0.2.2/example.com:99"});
  ASSERT_EQ(table.listeners.size(), 2U);
  EXPECT_EQ(table.listeners[0].advertised_host, "[2001:db8::5]");
  EXPECT_EQ(table.listeners[0].advertised_port, 5062);
  EXPECT_EQ(table.listeners[1].advertised_host, "example.com");
  EXPECT_EQ(table.listeners[1].advertised_port, 99);
}

TEST(Listeners, AllErrorsAtOnce) {
  const ListenTable table = resolve({"eth1", "tun0", "no-such-host.invalid", "tcp:192.0.2.1", "192.0.2.1"});
  ASSERT_EQ(table.errors.size(), 3U);
  EXPECT_NE(table.errors[0].find("ser.cfg:3:1: listen \"eth1\""), std::string::npos);
  EXPECT_NE(table.errors[0].find("did you mean eth0?"), std::string::npos);
  EXPECT_NE(table.errors[1].find("no usable address"), std::string::npos);
  for (const auto& line : table.errors) EXPECT_EQ(line.find('\n'), std::string::npos);
  ASSERT_EQ(table.notices.size(), 1U);
  EXPECT_NE(table.notices[0].find("tcp"), std::string::npos);
  EXPECT_EQ(texts(table), "udp:192.0.2.1:5060 ");
}

TEST(Listeners, DefaultIsEveryAddressButLinkLocal) {
  const auto addresses = machine();
  const ListenTable table = resolve_listeners({}, 5065, {}, addresses);
  EXPECT_EQ(
      texts(table),
      "udp:127.0.0.1:5065 udp:[::1]:5065 udp:192.0.2.1:5065 udp:192.0.2.2:5065 udp:[2001:db8::1]:5065 ");
}

TEST(Interfaces, KnowsLoopback) {
  const auto addresses = local_addresses();
  ASSERT_TRUE(addresses);
  bool found = false;
  for (const auto& address : *addresses)
    found = found || (address.loopback && address.ip == *parse_ip("127.0.0.1"));
  EXPECT_TRUE(found);
  EXPECT_FALSE(own_host_name().empty());
  EXPECT_TRUE(is_link_local(*parse_ip("fe80::1")));
  EXPECT_TRUE(is_link_local(*parse_ip("169.254.1.1")));
  EXPECT_FALSE(is_link_local(*parse_ip("192.0.2.1")));
}

}  // namespace
}  // namespace ser::net
