// SPDX-License-Identifier: Apache-2.0
// For tests of the real server on the loopback: a socket of a caller or callee, free ports, a configuration.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "srv/server.h"
#include "srv/testing/flow.h"

namespace ser::srv::testing {

/// A UDP socket on 127.0.0.1, port of the kernel's choice.
class Peer {
 public:
  Peer() : x_fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage native{};
    const socklen_t size = address("127.0.0.1", 0).to_native(native);
    EXPECT_EQ(::bind(x_fd.get(), reinterpret_cast<const sockaddr*>(&native), size), 0);
    socklen_t length = sizeof native;
    EXPECT_EQ(::getsockname(x_fd.get(), reinterpret_cast<sockaddr*>(&native), &length), 0);
    port = SockAddr::from(reinterpret_cast<const sockaddr*>(&native)).port;
  }
  void send(std::string_view bytes, std::uint16_t to) const {
    sockaddr_storage native{};
    const socklen_t size = address("127.0.0.1", to).to_native(native);
    EXPECT_EQ(
        ::sendto(x_fd.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&native), size),
        static_cast<ssize_t>(bytes.size()));
  }
  /// Empty text: nothing came within the time.
  std::string receive(int timeout_ms) const {
    pollfd wait{x_fd.get(), POLLIN, 0};
    if (::poll(&wait, 1, timeout_ms) != 1) return {};
    std::string bytes(65536, '\0');
    const ssize_t n = ::recv(x_fd.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }
  std::uint16_t port = 0;

 private:
  Fd x_fd;
};

/// A port that was free a moment ago.
inline std::uint16_t free_port() {
  return Peer().port;
}

/// Lines of several threads.
class LockedLogSink final : public LogSink {
 public:
  void line(LogLevel level, std::string_view text) noexcept override {
    const std::lock_guard lock(x_mutex);
    x_lines.line(level, text);
  }
  std::string text() {
    const std::lock_guard lock(x_mutex);
    return x_lines.text();
  }

 private:
  std::mutex x_mutex;
  MemoryLogSink x_lines;
};

/// A server that is prepared: everything before the first worker.
class Prepared {
 public:
  /// `modules`: what is built in.
  explicit Prepared(const std::string& text, std::optional<std::int64_t> megabytes = std::nullopt,
                    std::vector<Flow::Describe> modules = {script::describe_core})
      : x_modules(std::move(modules)) {
    CommandLine line;
    line.shared_megabytes = megabytes;
    line.config_file = "live.cfg";
    loaded = load_configuration(line, x_modules, text);
    EXPECT_EQ(loaded->diagnostics.errors(), 0U) << conf::print(loaded->diagnostics, loaded->sources);
    server = std::make_unique<Server>(*loaded, make_server_config(loaded->configuration, line), clock, log);
    ready = server->prepare();
  }
  std::uint64_t counted(std::string_view group, std::string_view name) const {
    const Shared& shared = server->shared();
    return shared.pages->sum(shared.counters.find(group, name));
  }

  SystemClock clock;
  LockedLogSink log;
  std::unique_ptr<Loaded> loaded;
  std::unique_ptr<Server> server;
  bool ready = false;

 private:
  std::vector<Flow::Describe> x_modules;
};

/// "127.0.0.1" on `port`, everything forwarded to `callee`.
inline std::string forwarding_config(std::uint16_t port, std::uint16_t callee, unsigned children) {
  return "#!KAMAILIO\nlisten=udp:127.0.0.1:" + std::to_string(port) +
         "\nchildren=" + std::to_string(children) +
         "\nworkdir=\".\"\ndebug=1\nrequest_route { forward(\"127.0.0.1\", " + std::to_string(callee) +
         "); }\n";
}

/// Request `number` of the caller; its Call-ID is the number.
inline std::string numbered_request(unsigned number, std::uint16_t caller) {
  const std::string id = std::to_string(number);
  return crlf("OPTIONS sip:u@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:" + std::to_string(caller) +
              ";branch=z9hG4bK" + id +
              "\nMax-Forwards: 70\nFrom: <sip:a@127.0.0.1>;tag=1\nTo: <sip:u@127.0.0.1>\n" +
              "Call-ID: " + id + "\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n");
}

/// The number a message carries as its Call-ID; 0 when it has none.
inline unsigned number_of(const std::string& message) {
  const std::string line = lines_named(message, "Call-ID");
  return line.size() > 9 ? static_cast<unsigned>(std::stoul(line.substr(9))) : 0;
}

}  // namespace ser::srv::testing
