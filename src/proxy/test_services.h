// SPDX-License-Identifier: Apache-2.0
// For tests: services without sockets and names, a sink that remembers what leaves, and a run of one message.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "proxy/hop_edits.h"
#include "proxy/run.h"
#include "proxy/services.h"

namespace ser::proxy::testing {

/// A datagram that left.
struct Sent {
  std::string bytes;
  TxTarget target;
  std::string to() const { return to_string(target.to); }
};

class RecordingSink final : public PacketSink {
 public:
  std::span<char> reserve(std::size_t bytes) noexcept override {
    if (bytes > limit) return {};
    x_room.assign(bytes, '#');
    return x_room;
  }
  Result<void> commit(std::size_t bytes, const TxTarget& target) noexcept override {
    sent.push_back({std::string(x_room.data(), bytes), target});
    return {};
  }
  std::vector<Sent> sent;
  std::size_t limit = 65507;

 private:
  std::vector<char> x_room;
};

/// Answers from a table; what is not there is pending.
class TableNames final : public NameService {
 public:
  Result<Addresses> lookup(std::string_view host, std::uint16_t port, Proto /*proto*/) noexcept override {
    const auto found = hosts.find(std::string(host));
    if (found == hosts.end()) return {Errc::pending, "name is being resolved"};
    if (found->second.empty()) return {Errc::not_found, "name has no address"};
    Addresses out;
    for (const std::string& text : found->second)
      out.list[out.count++] = {*parse_ip(text), port != 0 ? port : std::uint16_t{5060}};
    return out;
  }
  Result<std::string_view> reverse(const IpAddress& /*ip*/) noexcept override {
    return {Errc::pending, "address is being resolved"};
  }
  std::map<std::string, std::vector<std::string>> hosts;
};

inline SockAddr address(std::string_view ip, std::uint16_t port) {
  return {*parse_ip(ip), port};
}

/// A worker's services. Change `settings` and `sockets` before the first message.
struct TestServices {
  TestServices()
      : count(register_core_counters(table)),
        cells(table.size(), 0),
        counters(cells),
        services{log,      clock,   random, sink,    counters, names,   nullptr, count,  sockets,
                 settings, via_key, {},     nullptr, 0,        nullptr, nullptr, nullptr} {}

  SocketId listen(std::string_view ip, std::uint16_t port, std::string_view advertised = {},
                  std::uint16_t advertised_port = 0) {
    LocalSocket socket;
    socket.address = address(ip, port);
    socket.advertised_host = std::string(advertised);
    socket.advertised_port = advertised_port;
    return sockets.add(std::move(socket));
  }
  std::uint64_t counted(CounterId id) const { return counters.value(id); }
  std::uint64_t counted(std::string_view name) const { return counters.value(table.find("core", name)); }

  MemoryLogSink lines;
  Logger log{lines, LogLevel::debug};
  TestClock clock;
  SeededRandom random;
  RecordingSink sink;
  TableNames names;
  CounterTable table;
  CoreCounters count;
  std::vector<std::uint64_t> cells;
  Counters counters;
  LocalSockets sockets;
  Settings settings;
  HashKey via_key{0x0123456789abcdefULL, 0xfedcba9876543210ULL};
  Services services;
};

/// One message in hand, as the pipeline prepares it.
class TestRun {
 public:
  TestRun(TestServices& world, std::string_view text, SockAddr from, SockAddr to, SocketId socket = 0)
      : x_bytes(text), x_arena(x_block.data(), x_block.size(), x_chunks) {
    auto parsed = sip::Message::parse(x_bytes, x_arena);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().what);
    state.message = *parsed;
    state.rx = {x_bytes, from, to, socket, Proto::udp, 0};
    run = std::make_unique<Run>(state, world.services);
    if (run->is_request() && run->message().via(0))
      state.received_needed = needs_received(world.services, state.rx, **run->message().via(0));
  }
  Run& operator*() const { return *run; }
  Run* operator->() const { return run.get(); }

  RunState state;
  std::unique_ptr<Run> run;

 private:
  std::string x_bytes;
  HeapChunks x_chunks;
  alignas(16) std::array<char, 4096> x_block{};
  Arena x_arena;
};

/// The lines of a message whose name (as written) is `name`, with their line ends.
inline std::string lines_named(std::string_view message, std::string_view name) {
  std::string out;
  const std::string head = std::string(name) + ":";
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t end = message.find("\r\n", at);
    if (end == std::string_view::npos || end == at) break;
    if (message.substr(at).starts_with(head)) out += message.substr(at, end + 2 - at);
    at = end + 2;
  }
  return out;
}

/// Text with LF made CRLF.
inline std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

}  // namespace ser::proxy::testing
