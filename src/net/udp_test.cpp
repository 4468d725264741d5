// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/source_address.h"
#include "net/udp_batch.h"

namespace ser::net {
namespace {

UdpSocket open(const char* ip, const ListenOptions& options = {}, std::uint16_t port = 0, bool first = true) {
  auto socket = open_udp_socket({*parse_ip(ip), port}, options, first);
  EXPECT_TRUE(socket) << ip << ": errno " << socket.error().offset;
  return socket ? std::move(*socket) : UdpSocket{};
}

/// A receiver with memory for every place.
struct Inbox {
  explicit Inbox(const UdpSocket& socket, std::size_t block = 64, std::size_t spill = 70000,
                 std::uint32_t* drops = nullptr)
      : area(cleared()), receiver(socket, 0, drops, *area) {
    for (unsigned i = 0; i < UdpReceiver::kMaxBatch; ++i) {
      blocks[i].resize(block);
      spills[i].resize(spill);
      receiver.set_slot(i, blocks[i].data(), block, spills[i].data(), spill);
    }
  }
  unsigned receive(int flags = 0) {
    const auto n = receiver.receive(datagrams, flags);
    EXPECT_TRUE(n);
    receiver.taken(n.value_or(0));
    return n.value_or(0);
  }
  std::string text(unsigned i) const {
    const std::size_t length = datagrams[i].length;
    if (length <= blocks[i].size()) return blocks[i].substr(0, length);
    return blocks[i] + spills[i].substr(0, length - blocks[i].size());
  }
  std::string blocks[UdpReceiver::kMaxBatch];
  std::string spills[UdpReceiver::kMaxBatch];
  static std::unique_ptr<RxArea> cleared() {
    auto made = std::make_unique<RxArea>();
    made->clear();
    return made;
  }
  std::unique_ptr<RxArea> area;
  shm::RxEntry datagrams[UdpReceiver::kMaxBatch]{};
  UdpReceiver receiver;
};

TxDatagram datagram(std::string_view text, const SockAddr& to, SocketId socket = 0,
                    const IpAddress& from = {}) {
  return {text.data(), static_cast<std::uint32_t>(text.size()), socket, to, from};
}

TEST(Udp, BatchOnLoopback) {
  for (const char* ip : {"127.0.0.1", "::1"}) {
    const UdpSocket a = open(ip);
    const UdpSocket b = open(ip);
    Inbox inbox(b);
    const SendSocket sockets[] = {SendSocket::of(a)};
    UdpSender sender(sockets);
    const std::string texts[] = {"one", std::string(1000, 'x'), "", "four"};
    std::vector<TxDatagram> batch;
    for (const auto& text : texts) batch.push_back(datagram(text, b.local));
    // Twice: what the kernel changed in the prepared headers was put right.
    for (int round = 0; round < 2; ++round) {
      std::uint64_t done = 0;
      SendStats stats;
      sender.send(batch, done, stats);
      EXPECT_EQ(done, 0xFU);
      EXPECT_EQ(stats.sent, 4U);
      EXPECT_EQ(stats.failures(), 0U);
      ASSERT_EQ(inbox.receive(), 4U);
      for (unsigned i = 0; i < 4; ++i) {
        EXPECT_EQ(inbox.text(i), texts[i]);
        EXPECT_EQ(inbox.datagrams[i].from, a.local);
        EXPECT_EQ(inbox.datagrams[i].to, b.local);
        EXPECT_EQ(inbox.datagrams[i].flags & shm::kRxTruncated, 0);
      }
      EXPECT_EQ(inbox.receive(MSG_DONTWAIT), 0U);
    }
  }
}

TEST(Udp, TakesNoMoreThanAskedAndTellsTruncation) {
  const UdpSocket a = open("127.0.0.1");
  const UdpSocket b = open("127.0.0.1");
  Inbox inbox(b, 10, 10);
  const SendSocket sockets[] = {SendSocket::of(a)};
  UdpSender sender(sockets);
  const std::string text(30, 'y');
  const TxDatagram batch[] = {datagram(text, b.local), datagram(text, b.local)};
  std::uint64_t done = 0;
  SendStats stats;
  sender.send(batch, done, stats);
  const auto n = inbox.receiver.receive(std::span(inbox.datagrams).first(1));
  ASSERT_TRUE(n);
  EXPECT_EQ(*n, 1U);
  EXPECT_EQ(inbox.datagrams[0].length, 20U);
  EXPECT_NE(inbox.datagrams[0].flags & shm::kRxTruncated, 0);
  EXPECT_EQ(inbox.receive(), 1U);
}

TEST(Udp, WhatWasReceivedAndNotTakenInIsFoundByTheSuccessor) {
  const UdpSocket a = open("127.0.0.1");
  const UdpSocket b = open("127.0.0.1");
  Inbox dead(b, 10, 100);
  const SendSocket sockets[] = {SendSocket::of(a)};
  UdpSender sender(sockets);
  const std::string texts[] = {"one", "", std::string(30, 'x')};
  std::vector<TxDatagram> batch;
  for (const auto& text : texts) batch.push_back(datagram(text, b.local));
  std::uint64_t done = 0;
  SendStats stats;
  sender.send(batch, done, stats);
  ASSERT_TRUE(dead.receiver.receive(dead.datagrams));  // and dies before taken()

  UdpReceiver successor(b, 5, nullptr, *dead.area);
  shm::RxEntry entries[UdpReceiver::kMaxBatch]{};
  ASSERT_EQ(successor.left_over(entries), 3U);
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(entries[i].length, texts[i].size()) << i;
    EXPECT_EQ(entries[i].from, a.local);
    EXPECT_EQ(entries[i].to, b.local);
    EXPECT_EQ(entries[i].socket, 5U);
  }
  EXPECT_EQ(entries[2].flags, shm::kRxSpilled);
  successor.taken(3);
  EXPECT_EQ(successor.left_over(entries), 0U) << "once";

  dead.area->headers[0].msg_len = 3;
  dead.area->headers[1].msg_len = 111;  // more than there is room for: overwritten
  dead.area->headers[2].msg_len = 3;
  EXPECT_EQ(successor.left_over(entries), 1U);
  successor.taken(1);
  EXPECT_EQ(successor.left_over(entries), 0U);
}

TEST(Udp, WildcardAnswersFromTheAddressSpokenTo) {
  struct Row {
    const char* wildcard;
    const char* address;
    bool v6_only;
  };
  for (const Row row :
       {Row{"0.0.0.0", "127.0.0.3", true}, Row{"::", "::1", true}, Row{"::", "127.0.0.3", false}}) {
    ListenOptions options;
    options.v6_only = row.v6_only;
    const UdpSocket server = open(row.wildcard, options);
    EXPECT_TRUE(server.wildcard);
    EXPECT_EQ(server.dual_stack, !row.v6_only);
    const SockAddr address{*parse_ip(row.address), server.local.port};
    const UdpSocket client = open(row.address[0] == ':' ? "::1" : "127.0.0.1");
    const SendSocket sockets[] = {SendSocket::of(client), SendSocket::of(server)};
    UdpSender sender(sockets);
    const std::string text = "hello";
    std::uint64_t done = 0;
    SendStats stats;
    const TxDatagram request[] = {datagram(text, address, 0)};
    sender.send(request, done, stats);
    Inbox at_server(server);
    ASSERT_EQ(at_server.receive(), 1U);
    EXPECT_EQ(at_server.datagrams[0].to.ip, address.ip) << row.address;
    EXPECT_EQ(at_server.datagrams[0].from, client.local);
    done = 0;
    const TxDatagram reply[] = {datagram(text, client.local, 1, at_server.datagrams[0].to.ip)};
    sender.send(reply, done, stats);
    EXPECT_EQ(stats.failures(), 0U) << stats.last_errno;
    Inbox at_client(client);
    ASSERT_EQ(at_client.receive(), 1U);
    EXPECT_EQ(at_client.datagrams[0].from, address);
  }
}

TEST(Udp, PortInUseIsSeen) {
  const UdpSocket a = open("127.0.0.1");
  const auto b = open_udp_socket(a.local, {});
  ASSERT_FALSE(b);
  EXPECT_EQ(b.error().code, Errc::system);
  EXPECT_EQ(b.error().offset, static_cast<std::uint32_t>(EADDRINUSE));
  Listener line;
  line.address = a.local;
  EXPECT_EQ(describe_open_error(line, b.error())
                .find("cannot bind udp:127.0.0.1:" + std::to_string(a.local.port) + ": port in use"),
            0U);

  ListenOptions shared;
  shared.reuse_port = true;
  const UdpSocket c = open("127.0.0.1", shared);
  const UdpSocket d = open("127.0.0.1", shared, c.local.port, false);
  EXPECT_EQ(d.local, c.local);
  const auto stranger = open_udp_socket(c.local, shared, true);
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().offset, static_cast<std::uint32_t>(EADDRINUSE));
}

TEST(Udp, OptionsReachTheSocket) {
  ListenOptions options;
  options.tos = 0x68;
  options.free_bind = true;
  options.rcvbuf = 1U << 30;
  const UdpSocket a = open("198.51.100.77", options);  // not an address of this machine
  int value = 0;
  socklen_t size = sizeof value;
  ASSERT_EQ(::getsockopt(a.fd.get(), IPPROTO_IP, IP_TOS, &value, &size), 0);
  EXPECT_EQ(value, 0x68);
  // A small wish does not shrink what the system gives anyway.
  options.rcvbuf = 1;
  const Fd plain(::socket(AF_INET, SOCK_DGRAM, 0));
  ASSERT_EQ(::getsockopt(plain.get(), SOL_SOCKET, SO_RCVBUF, &value, &size), 0);
  EXPECT_EQ(open("127.0.0.1", options).rcvbuf, static_cast<std::uint32_t>(value));
  EXPECT_GT(a.rcvbuf, static_cast<std::uint32_t>(value));
  const UdpSocket b = open("::1", options);
  ASSERT_EQ(::getsockopt(b.fd.get(), IPPROTO_IPV6, IPV6_TCLASS, &value, &size), 0);
  EXPECT_EQ(value, 0x68);
  EXPECT_FALSE(open_udp_socket({*parse_ip("198.51.100.77"), 0}, {}));
}

TEST(Udp, DontFragmentIsAsked) {
  for (const bool wanted : {false, true}) {
    ListenOptions options;
    options.dont_fragment = wanted;
    const UdpSocket socket = open("127.0.0.1", options);
    int value = -1;
    socklen_t size = sizeof value;
    ASSERT_EQ(::getsockopt(socket.fd.get(), IPPROTO_IP, IP_MTU_DISCOVER, &value, &size), 0);
    EXPECT_EQ(value, wanted ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
  }
}

TEST(Udp, BadDatagramsAreSkippedTheRestGoesOn) {
  const UdpSocket a = open("127.0.0.1");
  const UdpSocket b = open("127.0.0.1");
  const UdpSocket c = open("127.0.0.1");
  const SendSocket sockets[] = {SendSocket::of(a), SendSocket::of(c)};
  UdpSender sender(sockets);
  const std::string huge(66000, 'h');
  const TxDatagram batch[] = {datagram("1", b.local, 0),
                              datagram(huge, b.local, 0),
                              datagram("2", b.local, 1),
                              datagram("3", b.local, 7),                           // no such socket
                              datagram("4", {*parse_ip("::1"), b.local.port}, 0),  // other family
                              datagram("5", {*parse_ip("255.255.255.255"), 9}, 0),
                              datagram("6", b.local, 0)};
  std::uint64_t done = 0;
  SendStats stats;
  sender.send(batch, done, stats);
  EXPECT_EQ(done, 0x7FU);
  EXPECT_EQ(stats.sent, 3U);
  EXPECT_EQ(stats.failed[static_cast<std::size_t>(SendFailure::too_big)], 1U);
  EXPECT_EQ(stats.failed[static_cast<std::size_t>(SendFailure::invalid)], 2U);
  // A broadcast without SO_BROADCAST: EACCES, or no route at all in a bare namespace.
  EXPECT_EQ(stats.failed[static_cast<std::size_t>(SendFailure::denied)] +
                stats.failed[static_cast<std::size_t>(SendFailure::unreachable)],
            1U);
  Inbox inbox(b);
  ASSERT_EQ(inbox.receive(), 3U);
  EXPECT_EQ(inbox.text(0) + inbox.text(1) + inbox.text(2), "162");  // grouped by socket, in order within it
}

TEST(Udp, WhatIsDoneIsNotSentAgain) {
  const UdpSocket a = open("127.0.0.1");
  const UdpSocket b = open("127.0.0.1");
  const SendSocket sockets[] = {SendSocket::of(a)};
  UdpSender sender(sockets);
  const TxDatagram batch[] = {datagram("1", b.local), datagram("2", b.local), datagram("3", b.local)};
  std::uint64_t done = 0b101;
  SendStats stats;
  sender.send(batch, done, stats);
  EXPECT_EQ(done, 0b111U);
  EXPECT_EQ(stats.sent, 1U);
  Inbox inbox(b);
  ASSERT_EQ(inbox.receive(), 1U);
  EXPECT_EQ(inbox.text(0), "2");
}

TEST(Udp, IcmpRefusalIsSurvived) {
  const UdpSocket a = open("127.0.0.1");
  UdpSocket b = open("127.0.0.1");
  const SockAddr closed = b.local;
  b.fd.reset();
  const SendSocket sockets[] = {SendSocket::of(a)};
  UdpSender sender(sockets);
  const TxDatagram batch[] = {datagram("x", closed), datagram("y", closed), datagram("z", a.local)};
  std::uint64_t done = 0;
  SendStats stats;
  sender.send(batch, done, stats);
  EXPECT_EQ(done, 7U);
  Inbox inbox(a);
  // An ICMP error, if one is reported, is a receive of nothing.
  unsigned n = 0;
  for (int i = 0; i < 3 && n == 0; ++i) n = inbox.receive(MSG_DONTWAIT);
  ASSERT_EQ(n, 1U);
  EXPECT_EQ(inbox.text(0), "z");

  // On a connected socket the error does come back, on receive and on send.
  sockaddr_storage native{};
  ASSERT_EQ(::connect(a.fd.get(), reinterpret_cast<sockaddr*>(&native), closed.to_native(native)), 0);
  done = 0;
  sender.send(std::span(batch).first(1), done, stats);
  EXPECT_EQ(inbox.receive(MSG_DONTWAIT), 0U);
  const TxDatagram two[] = {datagram("p", closed), datagram("q", closed)};
  done = 0;
  sender.send(two, done, stats);
  EXPECT_EQ(done, 3U);
}

TEST(Udp, KernelDropsAreCountedOnce) {
  ListenOptions options;
  const UdpSocket b = open("127.0.0.1", options);
  int small = 4096;
  ASSERT_EQ(::setsockopt(b.fd.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
  const UdpSocket a = open("127.0.0.1");
  const SendSocket sockets[] = {SendSocket::of(a)};
  UdpSender sender(sockets);
  const std::string text(1000, 'd');
  std::uint32_t cell = 0;
  Inbox one(b, 64, 70000, &cell);
  Inbox two(b, 64, 70000, &cell);
  std::uint32_t received = 0;
  std::uint32_t sent = 0;
  std::uint32_t drops = 0;
  const auto burst = [&](std::size_t count) {
    const std::vector<TxDatagram> batch(count, datagram(text, b.local));
    std::uint64_t done = 0;
    SendStats stats;
    sender.send(batch, done, stats);
    sent += stats.sent;
  };
  const auto drain = [&](Inbox& inbox) {
    for (unsigned n = inbox.receive(MSG_DONTWAIT); n != 0; n = inbox.receive(MSG_DONTWAIT)) received += n;
    drops += inbox.receiver.take_drops();
  };
  burst(64);
  drain(one);
  burst(1);  // carries the counter to the other receiver
  drain(two);
  burst(1);
  drain(one);
  EXPECT_EQ(sent, 66U);
  EXPECT_LT(received, 66U);
  EXPECT_EQ(received + drops, sent);
}

Listener listener(SocketId id, const char* ip, std::uint16_t port) {
  Listener result;
  result.id = id;
  result.address = {*parse_ip(ip), port};
  return result;
}

TEST(SourceChoice, FamilyRules) {
  const Listener listeners[] = {listener(0, "127.0.0.1", 5060), listener(1, "192.0.2.1", 5060),
                                listener(2, "192.0.2.2", 5070), listener(3, "::", 5060)};
  SourceChooser chooser(listeners, false);
  const SockAddr outside{*parse_ip("198.51.100.1"), 5060};
  const SockAddr inside{*parse_ip("127.0.0.9"), 5060};
  const SockAddr six{*parse_ip("2001:db8::9"), 5060};
  EXPECT_EQ(chooser.choose(outside, Proto::udp, 2, {}, 0).socket, 2);
  EXPECT_EQ(chooser.choose(outside, Proto::udp, 0, {}, 0).socket, 1);  // loopback cannot get there
  EXPECT_EQ(chooser.choose(inside, Proto::udp, 2, {}, 0).socket, 2);
  EXPECT_EQ(chooser.choose(inside, Proto::udp, kNoSocket, {}, 0).socket, 0);
  EXPECT_EQ(chooser.choose(outside, Proto::udp, kNoSocket, {}, 0).socket, 1);
  EXPECT_FALSE(chooser.choose(outside, Proto::tcp, 1, {}, 0).found());
  const auto from = *parse_ip("2001:db8::1");
  const SourceChoice choice = chooser.choose(six, Proto::udp, 3, from, 0);
  EXPECT_EQ(choice.socket, 3);
  EXPECT_EQ(choice.from_ip, from);
  EXPECT_FALSE(chooser.choose(six, Proto::udp, 1, *parse_ip("192.0.2.1"), 0).from_ip.valid());
}

TEST(SourceChoice, MhomedAsksTheKernel) {
  const Listener listeners[] = {listener(0, "127.0.0.5", 5060), listener(1, "127.0.0.1", 5070),
                                listener(2, "127.0.0.1", 5060), listener(3, "0.0.0.0", 5090)};
  SourceChooser chooser(listeners, true);
  const SockAddr to{*parse_ip("127.0.0.1"), 9};
  EXPECT_EQ(chooser.kernel_source(to), *parse_ip("127.0.0.1"));
  EXPECT_EQ(chooser.choose(to, Proto::udp, 0, {}, 0).socket, 2);  // same port as the one it came in on
  EXPECT_EQ(chooser.choose(to, Proto::udp, 1, {}, 0).socket, 1);
  const SourceChoice wildcard = chooser.choose(to, Proto::udp, 3, {}, 0);
  EXPECT_EQ(wildcard.socket, 3);
  EXPECT_EQ(wildcard.from_ip, *parse_ip("127.0.0.1"));
  // No route, or one from an address that no listener has: the other rules apply.
  const Listener six[] = {listener(0, "127.0.0.1", 5060), listener(1, "::1", 5060)};
  SourceChooser other(six, true);
  EXPECT_EQ(other.choose({*parse_ip("2001:db8::9"), 9}, Proto::udp, kNoSocket, {}, 0).socket, 1);
}

}  // namespace
}  // namespace ser::net
