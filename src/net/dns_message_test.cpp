// SPDX-License-Identifier: Apache-2.0
#include "net/dns_message.h"

#include <gtest/gtest.h>

#include "net/dns_test_message.h"

namespace ser::net {
namespace {

std::string addresses(const DnsAnswer& answer) {
  std::string result;
  for (unsigned i = 0; i < answer.count; ++i)
    result += std::string(print_ip(answer.addresses[i], false).view()) + " ";
  return result;
}

TEST(DnsMessage, Addresses) {
  DnsAnswer answer;
  const auto a = DnsTestMessage("Host.Example.com", DnsType::a)
                     .a("host.example.com", 300, "192.0.2.1")
                     .a("other.example.com", 1, "192.0.2.66")
                     .a("HOST.example.com", 200, "192.0.2.2");
  ASSERT_TRUE(parse_dns_answer(a.bytes(), "host.EXAMPLE.com.", DnsType::a, answer));
  EXPECT_EQ(answer.status, DnsStatus::ok);
  EXPECT_EQ(addresses(answer), "192.0.2.1 192.0.2.2 ");
  EXPECT_EQ(answer.ttl, 200U);
  const auto six = DnsTestMessage("h", DnsType::aaaa).aaaa("h", 0x80000001U, "2001:db8::1");
  ASSERT_TRUE(parse_dns_answer(six.bytes(), "h", DnsType::aaaa, answer));
  EXPECT_EQ(addresses(answer), "2001:db8::1 ");
  EXPECT_EQ(answer.ttl, 0U);  // RFC 2181 8
}

TEST(DnsMessage, AtMostEight) {
  DnsTestMessage message("h", DnsType::a);
  for (int i = 0; i < 20; ++i) message.a("h", 5, "192.0.2.1");
  DnsAnswer answer;
  ASSERT_TRUE(parse_dns_answer(message.bytes(), "h", DnsType::a, answer));
  EXPECT_EQ(answer.count, 8);
}

TEST(DnsMessage, CnameChainInAnyOrder) {
  const auto message = DnsTestMessage("www.a", DnsType::a)
                           .a("real.c", 100, "192.0.2.9")
                           .cname("alias.b", 50, "real.c")
                           .cname("www.a", 70, "alias.b");
  DnsAnswer answer;
  ASSERT_TRUE(parse_dns_answer(message.bytes(), "www.a", DnsType::a, answer));
  EXPECT_EQ(addresses(answer), "192.0.2.9 ");
  EXPECT_EQ(answer.ttl, 50U);
}

TEST(DnsMessage, CnameLoopEnds) {
  const auto message = DnsTestMessage("a", DnsType::a).cname("a", 5, "b").cname("b", 5, "a");
  DnsAnswer answer;
  ASSERT_TRUE(parse_dns_answer(message.bytes(), "a", DnsType::a, answer));
  EXPECT_EQ(answer.status, DnsStatus::no_data);
}

TEST(DnsMessage, SrvByPriority) {
  DnsTestMessage message("_sip._udp.example.com", DnsType::srv);
  for (unsigned i = 0; i < 10; ++i) {
    message.srv("_sip._udp.example.com", 60 + i, 20 - i, i, 5060 + i,
                "h" + std::to_string(i) + ".example.com");
  }
  DnsAnswer answer;
  ASSERT_TRUE(parse_dns_answer(message.bytes(), "_sip._udp.example.com", DnsType::srv, answer));
  ASSERT_EQ(answer.count, 8);
  for (unsigned i = 0; i < 8; ++i) {
    EXPECT_EQ(answer.srv[i].priority, 11 + i);
    EXPECT_EQ(answer.srv[i].weight, 9 - i);
    EXPECT_EQ(answer.srv[i].port, 5069 - i);
    EXPECT_EQ(answer.srv[i].target.view(), "h" + std::to_string(9 - i) + ".example.com");
  }
  const auto none = DnsTestMessage("s", DnsType::srv).srv("s", 60, 0, 0, 0, "");
  ASSERT_TRUE(parse_dns_answer(none.bytes(), "s", DnsType::srv, answer));
  EXPECT_EQ(answer.count, 1);
  EXPECT_EQ(answer.srv[0].target.view(), "");
}

TEST(DnsMessage, NegativeAnswers) {
  DnsAnswer answer;
  const auto gone = DnsTestMessage("x.example", DnsType::a, 3).soa("example", 900, 30);
  ASSERT_TRUE(parse_dns_answer(gone.bytes(), "x.example", DnsType::a, answer));
  EXPECT_EQ(answer.status, DnsStatus::no_name);
  EXPECT_EQ(answer.ttl, 30U);
  const auto other = DnsTestMessage("x.example", DnsType::aaaa).soa("example", 20, 300);
  ASSERT_TRUE(parse_dns_answer(other.bytes(), "x.example", DnsType::aaaa, answer));
  EXPECT_EQ(answer.status, DnsStatus::no_data);
  EXPECT_EQ(answer.ttl, 20U);
  const auto failed = DnsTestMessage("x.example", DnsType::a, 2);
  ASSERT_TRUE(parse_dns_answer(failed.bytes(), "x.example", DnsType::a, answer));
  EXPECT_EQ(answer.status, DnsStatus::failure);
}

TEST(DnsMessage, PtrAndReverseNames) {
  const DnsName v4 = reverse_name(*parse_ip("192.0.2.10"));
  EXPECT_EQ(v4.view(), "10.2.0.192.in-addr.arpa");
  EXPECT_EQ(reverse_name(*parse_ip("2001:db8::567:89ab")).view(),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
  EXPECT_EQ(reverse_name({}).view(), "");
  const auto message = DnsTestMessage(v4.view(), DnsType::ptr).ptr(v4.view(), 77, "Gw.Example.com");
  DnsAnswer answer;
  ASSERT_TRUE(parse_dns_answer(message.bytes(), v4.view(), DnsType::ptr, answer));
  EXPECT_EQ(answer.name.view(), "gw.example.com");
  EXPECT_EQ(answer.ttl, 77U);
}

TEST(DnsMessage, Compression) {
  // Question at 12: 1 'h' 1 'x' 0; the answer's owner points at it, its CNAME's target at the 'x'.
  DnsTestMessage message("h.x", DnsType::a);
  message.raw(std::string_view("\xC0\x0C\0\x01\0\x01\0\0\0\x05\0\x04\x01\x02\x03\x04", 16));
  message.count(6);
  DnsAnswer answer;
  ASSERT_TRUE(parse_dns_answer(message.bytes(), "h.x", DnsType::a, answer));
  EXPECT_EQ(addresses(answer), "1.2.3.4 ");
}

TEST(DnsMessage, CompressionLoopsAreRefused) {
  DnsAnswer answer;
  // The owner points at itself, then forwards, then into the header.
  for (const char* pointer : {"\xC0\x15", "\xC0\x17", "\xC0\x02", "\xFF\xFF"}) {
    DnsTestMessage message("h.x", DnsType::a);
    ASSERT_EQ(message.bytes().size(), 0x15U);
    message.raw(pointer == std::string_view("\xC0\x02") ? std::string_view("\xC0\x02", 2)
                                                        : std::string_view(pointer, 2));
    message.raw(std::string_view("\0\x01\0\x01\0\0\0\x05\0\x04\x01\x02\x03\x04", 14));
    message.count(6);
    EXPECT_FALSE(parse_dns_answer(message.bytes(), "h.x", DnsType::a, answer));
    EXPECT_EQ(answer.count, 0);
  }
}

TEST(DnsMessage, EveryCutIsRefused) {
  const auto message = DnsTestMessage("_s.example", DnsType::srv)
                           .cname("_s.example", 9, "t.example")
                           .srv("t.example", 60, 1, 2, 5060, "h.example");
  DnsAnswer answer;
  ASSERT_TRUE(parse_dns_answer(message.bytes(), "_s.example", DnsType::srv, answer));
  EXPECT_EQ(answer.count, 1);
  for (std::size_t size = 0; size < message.bytes().size(); ++size) {
    EXPECT_FALSE(parse_dns_answer(std::string_view(message.bytes()).substr(0, size), "_s.example",
                                  DnsType::srv, answer))
        << size;
  }
}

TEST(DnsMessage, AnswersToSomethingElseAreRefused) {
  DnsAnswer answer;
  const auto message = DnsTestMessage("a", DnsType::a).a("a", 5, "192.0.2.1");
  EXPECT_FALSE(parse_dns_answer(message.bytes(), "b", DnsType::a, answer));
  EXPECT_FALSE(parse_dns_answer(message.bytes(), "a", DnsType::aaaa, answer));
  EXPECT_FALSE(parse_dns_answer(DnsTestMessage("a", DnsType::a, 0, 0x0100).bytes(), "a", DnsType::a, answer));
  const auto truncated = DnsTestMessage("a", DnsType::a, 0, 0x8380);
  ASSERT_TRUE(parse_dns_answer(truncated.bytes(), "a", DnsType::a, answer));
  EXPECT_TRUE(answer.truncated);
}

TEST(DnsName, OnlyNames) {
  DnsName name;
  EXPECT_TRUE(name.assign("_sip._UDP.Example.com."));
  EXPECT_EQ(name.view(), "_sip._udp.example.com");
  const std::string label(63, 'a');
  EXPECT_TRUE(name.assign(label + "." + label + "." + label + "." + std::string(61, 'b')));
  EXPECT_EQ(name.size, 253);
  EXPECT_FALSE(name.assign(label + "." + label + "." + label + "." + std::string(62, 'b')));
  for (const std::string& bad : {std::string(), std::string("."), std::string("a..b"), std::string(".a"),
                                 std::string("a b"), std::string("a\n"), std::string(64, 'a')}) {
    EXPECT_FALSE(name.assign(bad)) << bad;
    EXPECT_EQ(name.size, 0);
  }
}

}  // namespace
}  // namespace ser::net
