// SPDX-License-Identifier: Apache-2.0
// Flow: a whole worker in one process without sockets. A configuration's text goes in, then datagrams; what
// leaves comes back. Clock, names and randomness are the test's.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/test_services.h"
#include "script/vm.h"
#include "srv/pipeline.h"
#include "srv/server.h"

namespace ser::srv::testing {

using proxy::testing::address;
using proxy::testing::crlf;
using proxy::testing::lines_named;
using proxy::testing::Sent;

class Flow {
 public:
  using Describe = mod::ModuleSpec (*)();

  /// Listens on 192.0.2.9:5060 unless the text has listen lines (addresses only).
  explicit Flow(std::string text, std::vector<Describe> modules = {}) : x_describe(std::move(modules)) {
    x_describe.insert(x_describe.begin(), script::describe_core);
    CommandLine line;
    line.config_file = "flow.cfg";
    loaded = load_configuration(line, x_describe, std::move(text));
    EXPECT_EQ(loaded->diagnostics.errors(), 0U) << conf::print(loaded->diagnostics, loaded->sources);
    if (loaded->configuration.program == nullptr) return;
    config = make_server_config(loaded->configuration, line);
    EXPECT_TRUE(config.errors.empty()) << config.errors.front();
    world.settings = config.settings;
    for (const net::ListenSpec& spec : config.listen) world.listen(spec.host, spec.port);
    if (config.listen.empty()) world.listen("192.0.2.9", 5060);
    for (const proxy::Alias& alias : config.aliases) world.sockets.add_alias(alias);
    start_modules();
    vm = std::make_unique<script::Vm>(*loaded->configuration.program, loaded->registry);
    world.services.script_state = vm.get();
    pipeline = std::make_unique<Pipeline>(world.services, *vm, loaded->registry.loaded(), nullptr);
  }

  /// One datagram, in a receive block as a worker has it. What left because of it.
  std::vector<Sent> feed(std::string_view bytes, const SockAddr& from = address("192.0.2.1", 5070),
                         const SockAddr& to = address("192.0.2.9", 5060), SocketId socket = 0) {
    world.sink.sent.clear();
    if (pipeline == nullptr) return {};  // the configuration was refused, the test has failed already
    x_block.assign(std::max<std::size_t>(shm::kRxBlock, bytes.size() + 8) + 64, '#');
    bytes.copy(x_block.data(), bytes.size());
    x_block[bytes.size()] = '\0';
    const std::size_t used = (bytes.size() + 8) & ~std::size_t{7};
    Arena arena(x_block.data() + used, used < shm::kRxBlock ? shm::kRxBlock - used : 0, x_chunks);
    RxPacket packet;
    packet.bytes = {x_block.data(), bytes.size()};
    packet.from = from;
    packet.to = to;
    packet.socket = socket;
    packet.at = world.clock.now();
    pipeline->receive(packet, arena);
    return world.sink.sent;
  }
  /// The only thing that left; empty text when there was nothing or more.
  std::string feed_one(std::string_view bytes, const SockAddr& from = address("192.0.2.1", 5070)) {
    const auto sent = feed(bytes, from);
    return sent.size() == 1 ? sent.front().bytes : std::string();
  }
  /// Status of the only thing that left, 0 when it was a request, -1 when nothing left.
  int status(std::string_view bytes) {
    const auto sent = feed(bytes);
    if (sent.empty()) return -1;
    const std::string& out = sent.front().bytes;
    return out.starts_with("SIP/2.0 ") ? std::stoi(out.substr(8, 3)) : 0;
  }
  std::uint64_t counted(std::string_view name) const { return world.counted(name); }
  std::size_t indexed() const { return pipeline != nullptr ? pipeline->last_headers_indexed() : 0; }
  const std::string& log() const { return world.lines.text(); }

  proxy::testing::TestServices world;
  std::unique_ptr<Loaded> loaded;
  ServerConfig config;
  std::unique_ptr<script::Vm> vm;
  std::unique_ptr<Pipeline> pipeline;

 private:
  void start_modules() {
    loaded->registry.create_all();
    for (mod::Loaded& module : loaded->registry.loaded()) {
      for (const mod::CounterSpec& counter : module.spec->counters)
        counter.bind(*module.module, world.table.add(module.spec->name, counter.name, counter.help));
    }
    world.cells.assign(world.table.size(), 0);
    world.counters = Counters(world.cells);
    const std::string server_name = version_text();
    mod::StartContext context{world.log,
                              world.sockets,
                              world.settings,
                              server_name,
                              [](void*, std::size_t) -> void* { return nullptr; },
                              nullptr};
    x_state.assign(loaded->registry.loaded().size(), nullptr);
    world.services.worker_state = x_state;
    mod::WorkerContext worker{world.log, 1, world.services};
    for (mod::Loaded& module : loaded->registry.loaded()) {
      std::string error;
      EXPECT_TRUE(module.module->start(context, error)) << error;
      x_owned.push_back(module.module->start_worker(worker));
      x_state[module.module->index] = x_owned.back().get();
    }
  }

  std::vector<Describe> x_describe;
  std::vector<void*> x_state;
  std::vector<std::unique_ptr<mod::WorkerState>> x_owned;
  HeapChunks x_chunks;
  std::vector<char> x_block;
};

/// A request of a modern client with the twelve header fields such requests have.
inline std::string invite(std::string_view uri = "sip:bob@example.com", std::string_view method = "INVITE",
                          std::string_view branch = "z9hG4bKabc") {
  std::string text = std::string(method) + " " + std::string(uri) +
                     " SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=" + std::string(branch) +
                     "\nMax-Forwards: 70\nFrom: \"Alice\" <sip:alice@example.com>;tag=a1\n"
                     "To: \"Bob\" <sip:bob@example.com>\nCall-ID: call-1@192.0.2.1\nCSeq: 1 " +
                     std::string(method) +
                     "\nContact: <sip:alice@192.0.2.1:5070>\nUser-Agent: phone\nAllow: INVITE, ACK, BYE\n"
                     "Supported: replaces\nContent-Type: application/sdp\nContent-Length: 5\n\n";
  return crlf(text) + "v=0\r\n";
}

/// The response a callee makes to a request that left here.
inline std::string response_to(std::string_view request, std::string_view status = "200 OK") {
  std::string out = "SIP/2.0 " + std::string(status) + "\r\n";
  for (const char* name : {"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"})
    out += lines_named(request, name);
  return out + "Contact: <sip:bob@198.51.100.7>\r\nContent-Length: 3\r\n\r\nabc";
}

}  // namespace ser::srv::testing
