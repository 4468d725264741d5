// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the compiler: whatever the bytes are, checking them ends, and a program made of them can be printed. Runs of it are
// bounded by the machine's limits.
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_parts.h"
#include "proxy/services.h"
#include "script/script.h"
#include "script/vm.h"

namespace {

using namespace ser;

class NoSink final : public PacketSink {
 public:
  std::span<char> reserve(std::size_t bytes) noexcept override {
    x_block.resize(bytes);
    return x_block;
  }
  Result<void> commit(std::size_t, const TxTarget&) noexcept override { return {}; }

 private:
  std::vector<char> x_block;
};

class NoNames final : public proxy::NameService {
 public:
  Result<Addresses> lookup(std::string_view, std::uint16_t, Proto) noexcept override { return {Errc::pending, "asked"}; }
  Result<std::string_view> reverse(const IpAddress&) noexcept override { return {Errc::pending, "asked"}; }
};

constexpr std::string_view kMessage =
    "INVITE sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=x\r\n"
    "To: <sip:b@c>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";

void run_program(const script::Program& program, mod::Registry& registry) {
  registry.create_all();
  script::Vm vm(program, registry);
  NoSink sink;
  NoNames names;
  TestClock clock;
  TestRandom random;
  MemoryLogSink lines;
  Logger log(lines, LogLevel::alert);
  CounterTable table;
  const proxy::CoreCounters count = proxy::register_core_counters(table);
  std::vector<std::uint64_t> cells(table.size());
  Counters counters{std::span<std::uint64_t>(cells)};
  const proxy::LocalSockets sockets;
  proxy::Settings settings;
  settings.max_steps = 20'000;
  const HashKey key{1, 2};
  std::vector<void*> states(registry.loaded().size());
  proxy::Services services{log, clock, random, sink, counters, names, nullptr, count, sockets, settings, key, states, &vm, 0};
  alignas(16) std::array<char, 4096> block;
  HeapChunks chunks;
  Arena arena(block.data(), block.size(), chunks);
  const auto message = sip::Message::parse(kMessage, arena);
  if (!message) std::abort();
  proxy::RunState state;
  state.message = *message;
  state.rx.bytes = kMessage;
  state.rx.from = {IpAddress::v4(192, 0, 2, 7), 5060};
  state.rx.to = {IpAddress::v4(192, 0, 2, 1), 5060};
  proxy::Run run(state, services);
  (void)vm.run(program.request, run);
}

}  // namespace

void fuzz_compile(std::string_view text, std::optional<script::Dialect> dialect) {
  constexpr mod::ModuleSpec (*kModules[])() = {&script::describe_core};
  mod::Registry registry(kModules);
  script::MemorySourceReader reader;
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  script::CompileOptions options;
  options.path = "fuzz.cfg";
  options.text = std::string(text);
  options.parse.dialect = dialect;
  const script::Configuration configuration = script::compile(options, reader, registry, sources, diagnostics);
  if ((configuration.program == nullptr) != (diagnostics.errors() != 0)) std::abort();
  (void)conf::print(diagnostics, sources);
  if (configuration.program == nullptr) return;
  if (script::dump(*configuration.program).empty()) std::abort();
  run_program(*configuration.program, registry);
}
