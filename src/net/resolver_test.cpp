// SPDX-License-Identifier: Apache-2.0
#include "net/resolver.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "net/dns_test_message.h"
#include "net/hosts_file.h"

namespace ser::net {
namespace {

/// A name server on 127.0.0.1 with answers given by the test; it answers by UDP and TCP on one port.
class TestServer {
 public:
  TestServer() {
    x_stop = Fd(::eventfd(0, EFD_CLOEXEC));
    for (int tries = 0; tries < 20; ++tries) {
      x_udp = Fd(::socket(AF_INET, SOCK_DGRAM, 0));
      x_tcp = Fd(::socket(AF_INET, SOCK_STREAM, 0));
      sockaddr_storage native{};
      socklen_t size = SockAddr{IpAddress::v4(127, 0, 0, 1), 0}.to_native(native);
      auto* address = reinterpret_cast<sockaddr*>(&native);
      if (::bind(x_udp.get(), address, size) != 0) continue;
      ::getsockname(x_udp.get(), address, &size);
      x_port = SockAddr::from(address).port;
      if (::bind(x_tcp.get(), address, size) == 0 && ::listen(x_tcp.get(), 4) == 0) break;
    }
    x_thread = std::thread([this] { run(); });
  }
  ~TestServer() {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(x_stop.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
    x_thread.join();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(x_port); }
  /// `tcp_only`: by UDP an empty answer with TC.
  void put(std::string_view name, DnsType type, const DnsTestMessage& message, bool tcp_only = false) {
    const std::lock_guard lock(x_mutex);
    x_answers[key(name, type)] = {message.bytes(), tcp_only};
  }
  /// Questions like this are not answered.
  void silence(std::string_view name, DnsType type) {
    const std::lock_guard lock(x_mutex);
    x_answers[key(name, type)] = {};
  }
  int asked(std::string_view name, DnsType type) {
    const std::lock_guard lock(x_mutex);
    return x_asked[key(name, type)];
  }

 private:
  struct Answer {
    std::string bytes;
    bool tcp_only = false;
  };
  static std::string key(std::string_view name, DnsType type) {
    return std::string(name) + " " + std::string(to_string(type));
  }
  void run() {
    for (;;) {
      pollfd fds[] = {{x_stop.get(), POLLIN, 0}, {x_udp.get(), POLLIN, 0}, {x_tcp.get(), POLLIN, 0}};
      if (::poll(fds, 3, -1) < 0 || fds[0].revents != 0) return;
      if (fds[1].revents != 0) serve_udp();
      if (fds[2].revents != 0) serve_tcp();
    }
  }
  void serve_udp() {
    char query[1500];
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t n =
        ::recvfrom(x_udp.get(), query, sizeof query, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 12) return;
    const std::string reply = answer({query, static_cast<std::size_t>(n)}, false);
    if (!reply.empty()) {
      ::sendto(x_udp.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  void serve_tcp() {
    const Fd peer(::accept(x_tcp.get(), nullptr, nullptr));
    unsigned char head[2];
    char query[1500];
    if (::recv(peer.get(), head, 2, MSG_WAITALL) != 2) return;
    const std::size_t size = static_cast<std::size_t>(head[0]) << 8 | head[1];
    if (size > sizeof query || ::recv(peer.get(), query, size, MSG_WAITALL) != static_cast<ssize_t>(size))
      return;
    const std::string reply = answer({query, size}, true);
    std::string framed{static_cast<char>(reply.size() >> 8), static_cast<char>(reply.size())};
    framed += reply;
    ::send(peer.get(), framed.data(), framed.size(), MSG_NOSIGNAL);
  }
  std::string answer(std::string_view query, bool tcp) {
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<unsigned char>(query[at]);
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, length);
      at += 1U + length;
    }
    if (at + 4 >= query.size()) return {};
    const auto type = static_cast<DnsType>(static_cast<unsigned char>(query[at + 2]));
    const std::lock_guard lock(x_mutex);
    ++x_asked[key(name, type)];
    const auto known = x_answers.find(key(name, type));
    std::string reply = DnsTestMessage(name, type, 3).soa("", 30, 30).bytes();
    if (known != x_answers.end()) reply = known->second.bytes;
    if (reply.empty()) return {};
    if (known != x_answers.end() && known->second.tcp_only && !tcp) {
      reply = DnsTestMessage(name, type, 0, 0x8380).bytes();
    }
    reply.replace(0, 2, query.substr(0, 2));
    return reply;
  }

  Fd x_stop;
  Fd x_udp;
  Fd x_tcp;
  std::uint16_t x_port = 0;
  std::mutex x_mutex;
  std::map<std::string, Answer> x_answers;
  std::map<std::string, int> x_asked;
  std::thread x_thread;
};

class Resolver : public ::testing::Test, public ResolverObserver {
 protected:
  Resolver() : x_loop(x_clock), x_memory(DnsCache::bytes_for(64) / 64 + 1) {
    x_cache = DnsCache::create(x_memory.data(), 64, {3, 4});
    x_options.servers = x_server.address();
    x_options.hosts_file = "";
    x_options.timeout_ms = 2000;
    EXPECT_TRUE(x_loop.open());
  }
  void start() {
    x_resolver = std::make_unique<DnsResolver>(x_loop, x_cache, x_logger, x_options);
    x_resolver->set_observer(this);
    ASSERT_TRUE(x_resolver->start());
  }
  void on_resolved(std::string_view name, DnsType type, DnsStatus /*status*/) override {
    x_log += std::string(name) + " " + std::string(to_string(type)) + ";";
    ++x_settled;
  }
  /// Runs the loop until so many questions are settled, at most some seconds.
  void settle(int count) {
    const Instant end = x_clock.now() + 10'000'000'000;
    while (x_settled < count && x_clock.now() < end) ASSERT_TRUE(x_loop.run_once(100));
    ASSERT_EQ(x_settled, count) << x_log;
  }
  DnsFreshness find(std::string_view name, DnsType type) {
    return x_cache.find(name, type, x_clock.now(), x_out);
  }

  struct alignas(64) Line {
    char bytes[64];
  };
  TestServer x_server;
  SystemClock x_clock;
  EventLoop x_loop;
  std::vector<Line> x_memory;
  DnsCache x_cache;
  MemoryLogSink x_sink;
  Logger x_logger{x_sink, LogLevel::debug};
  ResolverOptions x_options;
  std::unique_ptr<DnsResolver> x_resolver;
  std::string x_log;
  int x_settled = 0;
  DnsAnswer x_out;
};

TEST_F(Resolver, HostSrvCnameAndReverse) {
  x_server.put("h.example", DnsType::a,
               DnsTestMessage("h.example", DnsType::a).a("h.example", 60, "192.0.2.1"));
  x_server.put("h.example", DnsType::aaaa,
               DnsTestMessage("h.example", DnsType::aaaa).aaaa("h.example", 60, "2001:db8::1"));
  x_server.put("_sip._udp.example", DnsType::srv,
               DnsTestMessage("_sip._udp.example", DnsType::srv)
                   .srv("_sip._udp.example", 50, 20, 0, 5070, "b.example")
                   .srv("_sip._udp.example", 50, 10, 5, 5060, "h.example"));
  x_server.put("w.example", DnsType::a,
               DnsTestMessage("w.example", DnsType::a)
                   .cname("w.example", 9, "h.example")
                   .a("h.example", 60, "192.0.2.1"));
  x_server.put(
      "1.2.0.192.in-addr.arpa", DnsType::ptr,
      DnsTestMessage("1.2.0.192.in-addr.arpa", DnsType::ptr).ptr("1.2.0.192.in-addr.arpa", 60, "h.example"));
  start();
  ASSERT_TRUE(x_resolver->request_host("H.Example"));
  ASSERT_TRUE(x_resolver->request("_sip._udp.example", DnsType::srv));
  ASSERT_TRUE(x_resolver->request("w.example", DnsType::a));
  ASSERT_TRUE(x_resolver->request_reverse(*parse_ip("192.0.2.1")));
  EXPECT_EQ(x_resolver->pending(), 5U);
  settle(5);
  EXPECT_EQ(x_resolver->pending(), 0U);
  IpAddress ips[4];
  unsigned count = 0;
  EXPECT_EQ(find_addresses(x_cache, "h.example", IpAddress::Family::none, x_clock.now(), ips, count),
            DnsFreshness::fresh);
  ASSERT_EQ(count, 2U);
  EXPECT_EQ(ips[1], *parse_ip("2001:db8::1"));
  ASSERT_EQ(find("_sip._udp.example", DnsType::srv), DnsFreshness::fresh);
  ASSERT_EQ(x_out.count, 2);
  EXPECT_EQ(x_out.srv[0].target.view(), "h.example");
  EXPECT_EQ(x_out.srv[0].port, 5060);
  ASSERT_EQ(find("w.example", DnsType::a), DnsFreshness::fresh);
  EXPECT_EQ(x_out.addresses[0], *parse_ip("192.0.2.1"));
  EXPECT_EQ(x_out.ttl, 9U);
  ASSERT_EQ(find("1.2.0.192.in-addr.arpa", DnsType::ptr), DnsFreshness::fresh);
  EXPECT_EQ(x_out.name.view(), "h.example");
  EXPECT_EQ(x_resolver->stats().answers, 5U);
}

TEST_F(Resolver, OneQuestionHoweverOftenAsked) {
  x_server.put("h", DnsType::a, DnsTestMessage("h", DnsType::a).a("h", 60, "192.0.2.1"));
  start();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(x_resolver->request("h", DnsType::a));
  settle(1);
  ASSERT_TRUE(x_resolver->request("h", DnsType::a));  // fresh: not asked
  EXPECT_EQ(x_resolver->pending(), 0U);
  EXPECT_EQ(x_server.asked("h", DnsType::a), 1);
  EXPECT_EQ(x_resolver->stats().joined, 4U);
}

TEST_F(Resolver, NegativeAnswersAreKept) {
  x_server.put("only4", DnsType::aaaa, DnsTestMessage("only4", DnsType::aaaa).soa("", 40, 40));
  start();
  ASSERT_TRUE(x_resolver->request("missing.example", DnsType::a));
  ASSERT_TRUE(x_resolver->request("only4", DnsType::aaaa));
  settle(2);
  ASSERT_EQ(find("missing.example", DnsType::a), DnsFreshness::fresh);
  EXPECT_EQ(x_out.status, DnsStatus::no_name);
  EXPECT_EQ(x_out.ttl, 30U);
  ASSERT_EQ(find("only4", DnsType::aaaa), DnsFreshness::fresh);
  EXPECT_EQ(x_out.status, DnsStatus::no_data);
  EXPECT_EQ(x_resolver->stats().negative, 2U);
}

TEST_F(Resolver, SilenceEndsInAFailureThatIsKept) {
  x_server.silence("quiet", DnsType::a);
  x_options.timeout_ms = 30;
  x_options.tries = 2;
  start();
  ASSERT_TRUE(x_resolver->request("quiet", DnsType::a));
  settle(1);
  EXPECT_EQ(x_server.asked("quiet", DnsType::a), 2);
  ASSERT_EQ(find("quiet", DnsType::a), DnsFreshness::fresh);
  EXPECT_EQ(x_out.status, DnsStatus::failure);
  EXPECT_EQ(x_resolver->stats().failures, 1U);
}

TEST_F(Resolver, ServerFailureAndRubbish) {
  x_options.timeout_ms = 30;
  x_options.tries = 1;
  x_server.put("broken", DnsType::a, DnsTestMessage("broken", DnsType::a, 2));
  DnsTestMessage rubbish("rubbish", DnsType::a);
  rubbish.raw("\xC0\xFF\xFF");
  rubbish.count(6);
  x_server.put("rubbish", DnsType::a, rubbish);
  start();
  ASSERT_TRUE(x_resolver->request("broken", DnsType::a));
  ASSERT_TRUE(x_resolver->request("rubbish", DnsType::a));
  settle(2);
  for (const char* name : {"broken", "rubbish"}) {
    ASSERT_EQ(find(name, DnsType::a), DnsFreshness::fresh);
    EXPECT_EQ(x_out.status, DnsStatus::failure);
  }
}

TEST_F(Resolver, TruncatedAnswersComeByTcp) {
  DnsTestMessage large("big", DnsType::a);
  for (int i = 0; i < 100; ++i) large.a("big", 60, "192.0.2.1");
  x_server.put("big", DnsType::a, large, true);
  start();
  ASSERT_TRUE(x_resolver->request("big", DnsType::a));
  settle(1);
  ASSERT_EQ(find("big", DnsType::a), DnsFreshness::fresh);
  EXPECT_EQ(x_out.count, 8);
  EXPECT_EQ(x_server.asked("big", DnsType::a), 2);
}

TEST_F(Resolver, BoundedNumberOfQuestions) {
  x_options.max_pending = 2;
  x_server.silence("a", DnsType::a);
  x_server.silence("b", DnsType::a);
  start();
  ASSERT_TRUE(x_resolver->request("a", DnsType::a));
  ASSERT_TRUE(x_resolver->request("b", DnsType::a));
  const auto third = x_resolver->request("c", DnsType::a);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::too_many);
  for (const char* bad : {"", "192.0.2.1", "a b", "::1"}) {
    const auto refused = x_resolver->request(bad, DnsType::a);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Errc::syntax);
  }
  x_resolver->stop();
  EXPECT_EQ(x_resolver->pending(), 0U);
  EXPECT_EQ(x_resolver->request("d", DnsType::a).error().code, Errc::refused);
  EXPECT_EQ(find("a", DnsType::a), DnsFreshness::miss);
}

TEST_F(Resolver, ConfiguredNamesAreAskedAgainWhenTheirTimeIsOver) {
  x_server.put("gw", DnsType::a, DnsTestMessage("gw", DnsType::a).a("gw", 1, "192.0.2.1"));
  x_resolver = std::make_unique<DnsResolver>(x_loop, x_cache, x_logger, x_options);
  x_resolver->set_observer(this);
  ASSERT_TRUE(x_resolver->keep_fresh("gw", DnsType::a));
  ASSERT_FALSE(x_resolver->keep_fresh("192.0.2.1", DnsType::a));
  ASSERT_TRUE(x_resolver->start());
  settle(1);
  x_server.put("gw", DnsType::a, DnsTestMessage("gw", DnsType::a).a("gw", 60, "192.0.2.2"));
  settle(2);
  ASSERT_EQ(find("gw", DnsType::a), DnsFreshness::fresh);
  EXPECT_EQ(x_out.addresses[0], *parse_ip("192.0.2.2"));
}

TEST_F(Resolver, HostsFileComesFirst) {
  char path[] = "/tmp/ser_hosts_XXXXXX";
  const Fd file(::mkstemp(path));
  std::ofstream(path) << "127.0.0.9 Phone.lan phone # desk\n::9 phone\nnonsense\n";
  x_options.hosts_file = path;
  start();
  ASSERT_TRUE(x_resolver->request_host("phone"));
  ASSERT_TRUE(x_resolver->request_reverse(*parse_ip("127.0.0.9")));
  ASSERT_TRUE(x_resolver->request("phone.lan", DnsType::aaaa));
  EXPECT_EQ(x_settled, 4);
  EXPECT_EQ(x_resolver->stats().queries, 0U);
  ASSERT_EQ(find("phone", DnsType::aaaa), DnsFreshness::fresh);
  EXPECT_EQ(x_out.addresses[0], *parse_ip("::9"));
  ASSERT_EQ(find("9.0.0.127.in-addr.arpa", DnsType::ptr), DnsFreshness::fresh);
  EXPECT_EQ(x_out.name.view(), "phone.lan");
  ASSERT_EQ(find("phone.lan", DnsType::aaaa), DnsFreshness::fresh);
  EXPECT_EQ(x_out.status, DnsStatus::no_data);
  ::unlink(path);
  HostsFile gone;
  gone.refresh(path);
  EXPECT_FALSE(gone.answer("phone", DnsType::a, x_out));
}

TEST_F(Resolver, BadServerListIsAnError) {
  x_options.servers = "not an address";
  DnsResolver resolver(x_loop, x_cache, x_logger, x_options);
  EXPECT_FALSE(resolver.start());
}

}  // namespace
}  // namespace ser::net
