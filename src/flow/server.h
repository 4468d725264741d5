// SPDX-License-Identifier: Apache-2.0
// A server under test: the real server with everything but its sockets, its processes and its clock.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "flow/flow_file.h"
#include "flow/names.h"
#include "flow/network.h"
#include "mod/spec.h"
#include "net/dns_questions.h"
#include "srv/detached_worker.h"
#include "srv/event_work.h"
#include "srv/module_timers.h"
#include "srv/server.h"

namespace ser::flow {

/// The functions that describe what is linked in, as srv::load_configuration takes them.
using Builtin = std::span<mod::ModuleSpec (*const)()>;

/// What a world lends to its servers. All outlive them.
struct Surround {
  SimClock& clock;
  EventQueue& queue;
  Network& network;
  Names& names;
  std::uint64_t seed;
};

/// A line of a server's log.
struct LogLine {
  Instant at = 0;  ///< since the start of the scenario
  LogLevel level = LogLevel::debug;
  std::string text;
};

/// The configuration of a server as read for a flow.
struct LoadedConfig {
  srv::CommandLine line;
  std::unique_ptr<srv::Loaded> loaded;
  srv::ServerConfig config;
  std::string problem;  ///< diagnostics or errors as text; empty: good
};
/// Reads what `spec` names; paths are relative to `folder`, an inline text carries the name `flow_path`.
LoadedConfig load_for_flow(const ServerSpec& spec, const std::string& folder, const std::string& flow_path,
                           Builtin builtin);

/// Datagrams go in by deliver(), what leaves goes to the network. Two datagram workers take turns; the event
/// worker's and the timer worker's work are done at their virtual times.
class Server final : public Node, private PacketSink, private net::DnsTransport, private LogSink {
 public:
  static constexpr std::string_view kDefaultAddress = "192.0.2.9";

  Server(std::string name, LoadedConfig config, const Surround& around);
  ~Server() override;

  /// Everything up to the first message. False: error().
  bool start();
  const std::string& error() const noexcept { return x_error; }

  const std::string& node_name() const noexcept override { return x_name; }
  void deliver(const Datagram& datagram) override;

  /// Addresses it listens on, in the order of the configuration; a wildcard stands as the default address.
  std::vector<SockAddr> addresses() const;
  const std::vector<LogLine>& log() const noexcept { return x_log; }
  /// The sum over all workers; nullopt: there is no such statistic.
  std::optional<std::uint64_t> counter(std::string_view group, std::string_view name) const;
  const script::Program& program() const noexcept { return *x_config.loaded->configuration.program; }
  const script::Trace& trace() const noexcept { return x_trace; }
  /// "ser.cfg:72 in route[TO_SERVER]", where the script has come to; empty: it has not run.
  std::string script_place() const;

 private:
  std::span<char> reserve(std::size_t bytes) noexcept override;
  Result<void> commit(std::size_t bytes, const TxTarget& target) noexcept override;
  void ask(const net::DnsName& name, net::DnsType type) override;
  void refresh_moved() override;
  void line(LogLevel level, std::string_view text) noexcept override;
  void settle();
  void fire_timers();
  void work_off();
  SockAddr source_of(const TxTarget& target) const;

  std::string x_name;
  LoadedConfig x_config;
  Surround x_around;
  SeededRandom x_random;
  std::string x_error;
  std::vector<LogLine> x_log;
  std::string x_room;
  script::Trace x_trace;
  std::unique_ptr<srv::Server> x_server;
  std::vector<std::unique_ptr<srv::DetachedWorker>> x_receivers;
  std::unique_ptr<srv::DetachedWorker> x_event_worker, x_timer_worker;
  std::unique_ptr<net::DnsQuestions> x_questions;
  std::unique_ptr<srv::Resumer> x_resumer;
  std::unique_ptr<srv::EventWork> x_event_work;
  std::unique_ptr<srv::ModuleTimers> x_timers;
  std::size_t x_turn = 0;  ///< of the receivers
  Instant x_timer_at = EventQueue::kNever, x_refresh_at = EventQueue::kNever;
  bool x_drain_planned = false;
};

}  // namespace ser::flow
