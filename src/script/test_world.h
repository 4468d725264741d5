// SPDX-License-Identifier: Apache-2.0
// For tests: a configuration, a worker and a network in memory; a module that notes what the script calls.
#pragma once
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "mod/registry.h"
#include "proxy/services.h"
#include "script/script.h"
#include "script/vm.h"

namespace ser::script::test {

/// Notes calls. `wait()` answers later.
class Probe final : public mod::Module {
 public:
  struct Config {
    std::int64_t number = 5;
    std::string text;
  };
  explicit Probe(const Config& settings) : config(settings) {}
  using Outcome = mod::Outcome;
  using Run = proxy::Run;
  Outcome mark(Run&, std::string_view text) {
    marks += text;
    marks += ';';
    return Outcome::yes();
  }
  Outcome yes(Run&) { return Outcome::yes(); }
  Outcome no(Run&) { return Outcome::no(); }
  Outcome code(Run&, std::int64_t number) { return Outcome::yes(static_cast<std::int32_t>(number)); }
  Outcome stop_here(Run&) { return Outcome::stop(); }
  Outcome wait(Run&) { return {0, Outcome::Flow::suspend}; }
  Outcome only_failure(Run&) { return Outcome::yes(); }
  Outcome pattern(Run&, mod::Compiled<mod::SearchRegex>) { return Outcome::yes(); }
  Outcome put(Run& run, mod::Variable variable, std::string_view text) {
    return Outcome::from(static_cast<bool>(variable.set(run, proxy::Value::of(text))));
  }
  Outcome arm(Run&, mod::RouteRef route) {
    marks += "armed " + std::to_string(route.block) + ";";
    return Outcome::yes();
  }
  void on_break(Run&) override { marks += "on_break;"; }

  Config config;
  std::string marks;
};

inline mod::ModuleSpec describe_probe() {
  using proxy::RouteKind;
  mod::SpecBuilder<Probe> probe("probe", "Notes what the script calls.");
  probe.param(&Probe::Config::number, "number", "A number.", {1, 10})
      .param(&Probe::Config::text, "text", "A text.")
      .function<&Probe::mark>("mark", "Notes a text.", {"text"})
      .function<&Probe::yes>("yes", "Is true.", {})
      .function<&Probe::no>("no", "Is false.", {})
      .function<&Probe::code>("code", "Answers a code.", {"number"})
      .function<&Probe::stop_here>("stop", "Ends the run.", {})
      .function<&Probe::wait>("wait", "Answers later.", {})
      .function<&Probe::only_failure>("only_failure", "For failure routes.", {}, kinds(RouteKind::failure))
      .function<&Probe::pattern>("pattern", "Takes a pattern.", {"re"})
      .function<&Probe::put>("put", "Assigns.", {"variable", "text"})
      .function<&Probe::arm>("arm", "Arms a failure route.", {"route"})
      .route_argument(0, kinds(RouteKind::failure))
      .variable({"probe", "Its inner name doubled; assigning is noted.", mod::VariableSpec::Inner::required,
                 [](mod::Module&, proxy::Run& run, std::string_view inner) {
                   return proxy::Value::of(run.arena().copy(std::string(inner) + std::string(inner)));
                 },
                 [](mod::Module& module, proxy::Run&, std::string_view inner, const proxy::Value& value) {
                   static_cast<Probe&>(module).marks +=
                       std::string(inner) + "=" + std::string(value.text) + ";";
                   return Result<void>();
                 }})
      .hook(mod::Hook::on_break);
  return probe.done();
}

inline constexpr mod::ModuleSpec (*kModules[])() = {&describe_core, &describe_probe};

class RecordingSink final : public PacketSink {
 public:
  std::span<char> reserve(std::size_t bytes) noexcept override {
    x_block.resize(bytes);
    return x_block;
  }
  Result<void> commit(std::size_t bytes, const TxTarget& target) noexcept override {
    packets.emplace_back(to_string(target.to), std::string(x_block.data(), bytes));
    return {};
  }
  std::vector<std::pair<std::string, std::string>> packets;

 private:
  std::vector<char> x_block;
};

/// Knows "gw.example" = 192.0.2.7 and that address's name; everything else is pending.
class FakeNames final : public proxy::NameService {
 public:
  Result<Addresses> lookup(std::string_view host, std::uint16_t port, Proto) noexcept override {
    if (host != "gw.example") return {Errc::pending, "asked"};
    Addresses found;
    found.list[0] = {IpAddress::v4(192, 0, 2, 7), port};
    found.count = 1;
    return found;
  }
  Result<std::string_view> reverse(const IpAddress& ip) noexcept override {
    if (ip == IpAddress::v4(192, 0, 2, 7)) return std::string_view("gw.example");
    return {Errc::pending, "asked"};
  }
};

inline constexpr std::string_view kInvite =
    "INVITE sip:bob@ser.example SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKa\r\n"
    "From: \"Al\" <sip:al@a.example:5071;x=y>;tag=ff\r\n"
    "To: <sip:bob@b.example>\r\n"
    "Call-ID: cid1\r\n"
    "CSeq: 7 INVITE\r\n"
    "Max-Forwards: 70\r\n"
    "X-Multi: m1\r\n"
    "X-Multi: m2\r\n"
    "Contact: <sip:c@192.0.2.7>\r\n"
    "User-Agent: me\r\n"
    "Content-Length: 3\r\n\r\nabc";

/// One configuration and one worker.
class World {
 public:
  explicit World(std::string text, std::string_view message = kInvite, bool strict = false)
      : registry(kModules), x_packet(message) {
    diagnostics.set_strict(strict);
    CompileOptions options;
    options.path = "test.cfg";
    options.text = std::move(text);
    configuration = compile(options, reader, registry, sources, diagnostics);
    report = conf::print(diagnostics, sources);
    if (configuration.program == nullptr) return;
    registry.create_all();
    proxy::LocalSocket socket;
    socket.address = {IpAddress::v4(192, 0, 2, 1), 5060};
    socket.host = "192.0.2.1";
    socket.sent_by = "192.0.2.1:5060";
    socket.name = "lan";
    sockets.add(socket);
    sockets.add_alias({"ser.example", 0, Proto::none});
    count = proxy::register_core_counters(table);
    cells.resize(table.size());
    counters = Counters(cells);
    vm = std::make_unique<Vm>(*configuration.program, registry);
    services = std::unique_ptr<proxy::Services>(
        new proxy::Services{log, clock, random, sink, counters, names, nullptr, count, sockets, settings, key,
                            std::span<void*>(worker_states), vm.get(), 0});
    worker_states.resize(registry.loaded().size());
    services->worker_state = worker_states;
    reset(message);
  }

  /// A new message for the next run.
  void reset(std::string_view message) {
    x_packet = message;
    arena.reset();
    state = {};
    auto parsed = sip::Message::parse(x_packet, arena);
    state.message = parsed ? *parsed : nullptr;
    state.rx.bytes = x_packet;
    state.rx.from = {IpAddress::v4(192, 0, 2, 7), 5070};
    state.rx.to = {IpAddress::v4(192, 0, 2, 1), 5060};
    state.rx.socket = 0;
    run = std::make_unique<proxy::Run>(state, *services);
  }

  Probe& probe() { return static_cast<Probe&>(*registry.find_loaded("probe")->module); }
  /// Runs the request route; what was marked.
  std::string marks() {
    probe().marks.clear();
    ended = vm->run(configuration.program->request, *run);
    return probe().marks;
  }

  mod::Registry registry;
  MemorySourceReader reader;
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  Configuration configuration;
  std::string report;
  Ended ended;
  MemoryLogSink log_sink;
  Logger log{log_sink};
  TestClock clock;
  SeededRandom random;
  RecordingSink sink;
  CounterTable table;
  std::vector<std::uint64_t> cells;
  Counters counters;
  FakeNames names;
  proxy::CoreCounters count;
  proxy::LocalSockets sockets;
  proxy::Settings settings;
  HashKey key{1, 2};
  std::vector<void*> worker_states;
  HeapChunks chunks;
  std::vector<char> block = std::vector<char>(16384);
  Arena arena{block.data(), block.size(), chunks};
  proxy::RunState state;
  std::unique_ptr<Vm> vm;
  std::unique_ptr<proxy::Services> services;
  std::unique_ptr<proxy::Run> run;

 private:
  std::string x_packet;
};

/// `body` as the request route of a Kamailio script.
inline std::string kamailio(std::string_view body, std::string_view more = "") {
  return "#!KAMAILIO\nloadmodule \"probe.so\"\nrequest_route {\n" + std::string(body) + "\n}\n" +
         std::string(more);
}
/// The same of a SER script.
inline std::string ser(std::string_view body, std::string_view more = "") {
  return "#!SER\nloadmodule \"probe.so\"\nroute {\n" + std::string(body) + "\n}\n" + std::string(more);
}

}  // namespace ser::script::test
