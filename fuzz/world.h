// SPDX-License-Identifier: Apache-2.0
// For fuzz targets: a configuration with the modules that are linked in, and one worker's pipeline in memory.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "mod/registry.h"
#include "proxy/services.h"
#include "script/script.h"
#include "script/vm.h"
#include "srv/pipeline.h"

namespace ser::fuzz {

/// Aborts with a sentence: a promise of the code was broken.
void require(bool promise, const char* what);

/// What left the pipeline.
struct Sent {
  std::string bytes;
  TxTarget target;
};

/// Keeps everything; what is too long for a datagram aborts.
class RecordingSink final : public PacketSink {
 public:
  std::span<char> reserve(std::size_t bytes) noexcept override;
  Result<void> commit(std::size_t bytes, const TxTarget& target) noexcept override;
  std::vector<Sent> sent;

 private:
  std::vector<char> x_block;
};

/// "known.example" and "srv.example" have addresses, names of odd length do not exist, the rest is being
/// looked up.
class Names final : public proxy::NameService {
 public:
  Result<Addresses> lookup(std::string_view host, std::uint16_t port, Proto proto) noexcept override;
  Result<std::string_view> reverse(const IpAddress& ip) noexcept override;
};

/// Takes what is logged and forgets it: formatting is what is tested.
class NoSink final : public LogSink {
 public:
  void line(LogLevel, std::string_view) noexcept override {}
};

/// One configuration and, when it has no errors, one worker. Log lines of all levels are formatted.
class World {
 public:
  World(std::string_view text, const script::ParseOptions& options);

  bool good() const noexcept { return x_pipeline != nullptr; }
  const conf::Diagnostics& diagnostics() const noexcept { return x_diagnostics; }
  /// All findings as the user sees them.
  std::string report() const { return conf::print(x_diagnostics, x_sources); }

  /// Takes one datagram from 192.0.2.7:5070 through the pipeline; what it sent.
  std::vector<Sent> receive(std::string_view bytes) {
    return receive(bytes, {IpAddress::v4(192, 0, 2, 7), 5070});
  }
  std::vector<Sent> receive(std::string_view bytes, const SockAddr& from);

  std::uint64_t counted(CounterId id) const noexcept { return x_counters.value(id); }
  const proxy::CoreCounters& count() const noexcept { return x_count; }
  proxy::Settings& settings() noexcept { return x_settings; }
  std::size_t headers_indexed() const noexcept { return x_pipeline->last_headers_indexed(); }

 private:
  void start();

  mod::Registry x_registry;
  conf::SourceMap x_sources;
  conf::Diagnostics x_diagnostics;
  script::Configuration x_configuration;
  NoSink x_log_sink;
  Logger x_log{x_log_sink, LogLevel::debug};
  TestClock x_clock;
  SeededRandom x_random;
  RecordingSink x_sink;
  CounterTable x_table;
  std::vector<std::uint64_t> x_cells;
  Counters x_counters;
  Names x_names;
  proxy::CoreCounters x_count{};
  proxy::LocalSockets x_sockets;
  proxy::Settings x_settings;
  HashKey x_key{1, 2};
  std::vector<std::unique_ptr<char[]>> x_segment;
  std::vector<std::unique_ptr<mod::WorkerState>> x_owned_state;
  std::vector<void*> x_worker_state;
  HeapChunks x_chunks;
  std::unique_ptr<script::Vm> x_vm;
  std::unique_ptr<proxy::Services> x_services;
  std::unique_ptr<srv::Pipeline> x_pipeline;
};

}  // namespace ser::fuzz
