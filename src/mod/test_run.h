// SPDX-License-Identifier: Apache-2.0
// For tests of modules: a worker without network around one module. Message in, function calls, bytes out.
#pragma once
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mod/spec.h"
#include "proxy/forward.h"
#include "proxy/local_reply.h"
#include "proxy/services.h"
#include "sip/writer.h"

namespace ser::mod::testing {

/// Text with every LF made CRLF.
inline std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

struct SentPacket {
  std::string bytes;
  TxTarget target;
};

class RecordingSink final : public PacketSink {
 public:
  std::span<char> reserve(std::size_t bytes) noexcept override {
    if (bytes > 65507) return {};
    x_buffer.resize(bytes + 1);
    return {x_buffer.data(), bytes};
  }
  Result<void> commit(std::size_t bytes, const TxTarget& target) noexcept override {
    sent.push_back({x_buffer.substr(0, bytes), target});
    return {};
  }
  std::vector<SentPacket> sent;

 private:
  std::string x_buffer;
};

class RecordingLog final : public LogSink {
 public:
  void line(LogLevel level, std::string_view text) noexcept override { lines.emplace_back(level, text); }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

/// Knows the hosts it is told.
class TestNames final : public proxy::NameService {
 public:
  Result<Addresses> lookup(std::string_view host, std::uint16_t port, Proto) noexcept override {
    const auto found = hosts.find(std::string(host));
    if (found == hosts.end()) return {Errc::not_found, "no such host"};
    Addresses addresses;
    addresses.list[addresses.count++] = {found->second, port != 0 ? port : std::uint16_t{5060}};
    return addresses;
  }
  Result<std::string_view> reverse(const IpAddress&) noexcept override {
    return {Errc::not_found, "no name"};
  }
  std::map<std::string, IpAddress> hosts;
};

/// A variable of a script, for ArgKind::variable.
struct TestVariable {
  proxy::Value value;
  std::string text;
  Variable handle{this, &get, &set};
  static proxy::Value get(const void* self, proxy::Run&) {
    return static_cast<const TestVariable*>(self)->value;
  }
  static Result<void> set(const void* self, proxy::Run&, const proxy::Value& value) {
    auto* variable = const_cast<TestVariable*>(static_cast<const TestVariable*>(self));
    variable->text = value.text;
    variable->value = value;
    if (value.is_string()) variable->value.text = variable->text;
    return {};
  }
};

/// Formats of one kind: the literal text, with "$x" in it replaced by `value`.
class TestFormats final : public FormatCompiler {
 public:
  struct Text final : Format {
    std::string text;
    std::string_view evaluate(proxy::Run& run) const override { return run.arena().copy(text); }
  };
  std::unique_ptr<Format> compile(std::string_view text, std::string& error) override {
    auto made = std::make_unique<Text>();
    made->text = text;
    if (const auto at = made->text.find("$x"); at != std::string::npos) made->text.replace(at, 2, value);
    if (made->text.find('$') == std::string::npos) return made;
    error = "unknown variable";
    return nullptr;
  }
  std::string value = "value";
};

/// One module in a worker that listens on 127.0.0.1:5060 (socket 0) and [::1]:5060 (socket 1).
class TestWorker {
 public:
  explicit TestWorker(ModuleSpec (*describe)()) : spec(describe()), x_config(spec.make_config()) {
    add_socket("127.0.0.1", 5060);
    add_socket("[::1]", 5060);
  }

  /// modparam(); call before receive().
  void param(std::string_view name, std::string_view value) {
    const ParamSpec* found = spec.find_param(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->store(x_config.get(), {true, 0, value}), "") << name;
  }
  SocketId add_socket(std::string_view host, std::uint16_t port, std::string_view name = {}) {
    proxy::LocalSocket socket;
    socket.address = {*parse_ip(host), port};
    socket.host = host;
    socket.name = name;
    socket.sent_by = std::string(host) + ":" + std::to_string(port);
    return sockets.add(socket);
  }

  /// A new message arrives; everything about the one before is forgotten but what was sent.
  proxy::Run& receive(std::string_view text, SocketId socket = 0,
                      SockAddr from = {IpAddress::v4(127, 0, 0, 1), 5070}) {
    start();
    x_run.reset();
    x_arena.reset();
    x_bytes = crlf(text);
    const auto parsed = sip::Message::parse(x_bytes, x_arena, nullptr);
    EXPECT_TRUE(parsed) << text;
    state = proxy::RunState{};
    state.message = parsed ? *parsed : nullptr;
    state.kind = parsed && (*parsed)->is_request() ? proxy::RouteKind::request : proxy::RouteKind::reply;
    state.rx = {x_bytes, from, sockets.at(socket).address, socket, Proto::udp, clock.now()};
    x_run = std::make_unique<proxy::Run>(state, *x_services);
    return *x_run;
  }
  proxy::Run& run() { return *x_run; }
  Module& module() { return *x_module; }

  /// Calls a script function; the arguments as a script writes them. 0 when the run was ended.
  int call(std::string_view function, std::initializer_list<std::string_view> arguments = {}) {
    const FunctionSpec* found = spec.find_function(function, arguments.size());
    EXPECT_NE(found, nullptr) << function;
    if (found == nullptr) return -9999;
    EXPECT_LE(found->min_args(), arguments.size()) << function;
    std::array<Arg, kMaxArgs> args{};
    std::vector<CompiledArg> keep;
    std::size_t i = 0;
    for (const std::string_view text : arguments) {
      const ArgSpec& arg = found->args[i];
      args[i].present = true;
      args[i].text = text;
      if (arg.kind == ArgKind::integer) args[i].integer = std::stoll(std::string(text));
      if (arg.kind == ArgKind::variable) args[i].pointer = &variable(text).handle;
      if (arg.kind == ArgKind::compiled) {
        std::string error;
        keep.push_back(arg.compile_format != nullptr ? arg.compile_format(text, error, formats)
                                                     : arg.compile(text, error));
        EXPECT_NE(keep.back(), nullptr) << function << ": " << error;
        args[i].pointer = keep.back().get();
      }
      ++i;
    }
    const Outcome outcome = found->call(*x_module, *x_run, args.data());
    return outcome.flow == Outcome::Flow::next ? outcome.code : 0;
  }
  TestVariable& variable(std::string_view name) { return x_variables[std::string(name)]; }

  /// The message with all edits so far, without what a forward adds.
  std::string written() {
    sip::WriteOptions options;
    options.request_uri = state.new_uri;
    std::string out(sip::written_size(*state.message, state.edits, options), '\0');
    const auto size = sip::write(*state.message, state.edits, options, {out.data(), out.size()});
    EXPECT_TRUE(size) << (size ? "" : size.error().what);
    out.resize(size ? *size : 0);
    return out;
  }
  /// The message as forward() sends it to 127.0.0.1:5080.
  std::string forwarded() {
    const auto done = proxy::forward_request(*x_run, {IpAddress::v4(127, 0, 0, 1), 5080});
    EXPECT_TRUE(done) << (done ? "" : done.error().what);
    return done && !sink.sent.empty() ? sink.sent.back().bytes : std::string();
  }
  std::uint64_t counted(std::string_view name) { return counters.value(table.find(spec.name, name)); }

  ModuleSpec spec;
  RecordingSink sink;
  RecordingLog lines;
  TestNames names;
  TestFormats formats;
  TestClock clock;
  SeededRandom random;
  proxy::LocalSockets sockets;
  proxy::Settings settings;
  CounterTable table;
  Counters counters;
  Logger log{lines, LogLevel::debug};
  proxy::RunState state;

 private:
  void start() {
    if (x_services != nullptr) return;
    x_core = proxy::register_core_counters(table);
    x_module = spec.create(x_config.get());
    for (const CounterSpec& counter : spec.counters)
      counter.bind(*x_module, table.add(spec.name, counter.name, counter.help));
    x_cells.resize(table.size());
    counters = Counters(x_cells);
    x_services =
        std::make_unique<proxy::Services>(proxy::Services{log, clock, random, sink, counters, names, nullptr,
                                                          x_core, sockets, settings, x_key, x_worker_states});
    StartContext start_context{log, sockets, settings, "ser", nullptr, nullptr};
    std::string error;
    EXPECT_TRUE(x_module->start(start_context, error)) << error;
    WorkerContext context{log, 1, *x_services};
    x_worker_state = x_module->start_worker(context);
    x_worker_states[0] = x_worker_state.get();
  }

  std::shared_ptr<void> x_config;
  std::unique_ptr<Module> x_module;
  std::unique_ptr<WorkerState> x_worker_state;
  std::array<void*, 1> x_worker_states{};
  std::vector<std::uint64_t> x_cells;
  proxy::CoreCounters x_core;
  HashKey x_key{};
  std::unique_ptr<proxy::Services> x_services;
  std::unique_ptr<proxy::Run> x_run;
  std::map<std::string, TestVariable> x_variables;
  std::string x_bytes;
  HeapChunks x_heap;
  alignas(16) std::array<char, 4096> x_block{};
  Arena x_arena{x_block.data(), x_block.size(), x_heap};
};

}  // namespace ser::mod::testing
