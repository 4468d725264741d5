// SPDX-License-Identifier: Apache-2.0
// For tests: a name server on 127.0.0.1 that knows every name as one address, and may be told to wait.
#pragma once
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "net/dns_test_message.h"

namespace ser::srv::testing {

class NameServer {
 public:
  explicit NameServer(const char* address) : x_address(address), x_fd(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof local;
    EXPECT_EQ(::bind(x_fd.get(), reinterpret_cast<sockaddr*>(&local), size), 0);
    EXPECT_EQ(::getsockname(x_fd.get(), reinterpret_cast<sockaddr*>(&local), &size), 0);
    port = ntohs(local.sin_port);
    x_thread = std::thread([this] { serve(); });
  }
  ~NameServer() {
    x_stop.store(true);
    x_thread.join();
  }
  /// Questions are kept, and answered after release().
  void hold() { x_held.store(true); }
  void release() { x_held.store(false); }
  int asked() const { return x_asked.load(); }
  std::uint16_t port = 0;

 private:
  struct Question {
    std::string bytes;
    sockaddr_in from{};
  };
  void serve() {
    while (!x_stop.load()) {
      pollfd wait{x_fd.get(), POLLIN, 0};
      if (::poll(&wait, 1, 5) == 1) {
        Question question;
        question.bytes.resize(1500);
        socklen_t size = sizeof question.from;
        const ssize_t n = ::recvfrom(x_fd.get(), question.bytes.data(), question.bytes.size(), 0,
                                     reinterpret_cast<sockaddr*>(&question.from), &size);
        if (n < 12) continue;
        question.bytes.resize(static_cast<std::size_t>(n));
        x_asked.fetch_add(1);
        x_questions.push_back(std::move(question));
      }
      if (x_held.load()) continue;
      for (const Question& question : x_questions) answer(question);
      x_questions.clear();
    }
  }
  void answer(const Question& question) const {
    std::string name;
    std::size_t at = 12;
    while (at < question.bytes.size() && question.bytes[at] != 0) {
      const auto length = static_cast<unsigned char>(question.bytes[at]);
      if (!name.empty()) name += '.';
      name += question.bytes.substr(at + 1, length);
      at += 1U + length;
    }
    if (at + 4 >= question.bytes.size()) return;
    const auto type = static_cast<net::DnsType>(static_cast<unsigned char>(question.bytes[at + 2]));
    std::string reply = type == net::DnsType::a
                            ? net::DnsTestMessage(name, type).a(name, 60, x_address).bytes()
                            : net::DnsTestMessage(name, type, 3).soa("", 30, 30).bytes();
    reply.replace(0, 2, question.bytes, 0, 2);
    ::sendto(x_fd.get(), reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&question.from),
             sizeof question.from);
  }

  const char* x_address;
  Fd x_fd;
  std::atomic<bool> x_stop{false}, x_held{false};
  std::atomic<int> x_asked{0};
  std::vector<Question> x_questions;
  std::thread x_thread;
};

}  // namespace ser::srv::testing
