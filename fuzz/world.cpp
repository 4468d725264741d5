// SPDX-License-Identifier: Apache-2.0
#include "fuzz/world.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "app/builtin_modules.h"
#include "base/text.h"

namespace ser::fuzz {

namespace {

constexpr std::size_t kLargestDatagram = 65535;
/// As a worker's block: the message and its arena begin in one.
constexpr std::size_t kBlock = 2048;
constexpr std::size_t kMostOfAModule = std::size_t{64} << 10;

void* segment_alloc(void* self, std::size_t bytes) {
  // This world has no segment: a module that keeps transactions in one refuses to start, and says why.
  if (bytes > kMostOfAModule) return nullptr;
  auto& blocks = *static_cast<std::vector<std::unique_ptr<char[]>>*>(self);
  constexpr std::size_t kAlign = 64;
  std::size_t room = bytes + kAlign;
  blocks.push_back(std::make_unique<char[]>(room));
  void* at = blocks.back().get();
  return std::align(kAlign, bytes, at, room);
}

}  // namespace

void require(bool promise, const char* what) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

std::span<char> RecordingSink::reserve(std::size_t bytes) noexcept {
  if (bytes > kLargestDatagram) return {};
  // A new block each time: a write behind its end is found.
  x_block = std::vector<char>(bytes);
  x_block.shrink_to_fit();
  return x_block;
}

Result<void> RecordingSink::commit(std::size_t bytes, const TxTarget& target) noexcept {
  require(bytes <= x_block.size(), "no more is sent than was reserved");
  require(target.socket != kNoSocket && target.to.port != 0, "a datagram has a socket and a destination");
  sent.push_back({std::string(x_block.data(), bytes), target});
  return {};
}

Result<Names::Addresses> Names::lookup(std::string_view host, std::uint16_t port, Proto) noexcept {
  const bool known = iequals(host, "known.example");
  if (!known && !iequals(host, "srv.example"))
    return {host.size() % 2 == 1 ? Errc::not_found : Errc::pending, "no such name yet"};
  Addresses found;
  found.list[0] = {IpAddress::v4(192, 0, 2, 9), port != 0 ? port : std::uint16_t{5060}};
  found.count = 1;
  if (!known) {
    found.list[found.count++] = {IpAddress::v4(192, 0, 2, 10), 5062};
  }
  return found;
}

Result<std::string_view> Names::reverse(const IpAddress& ip) noexcept {
  if (ip == IpAddress::v4(192, 0, 2, 7)) return std::string_view("known.example");
  return {Errc::pending, "asked"};
}

World::World(std::string_view text, const script::ParseOptions& parse) : x_registry(app::builtin_modules()) {
  script::MemorySourceReader reader;
  reader.add("a", "#!define FROM_A 1\ndebug=1\n");
  reader.add("b", std::string(text));
  script::CompileOptions options;
  options.path = "fuzz.cfg";
  options.text = std::string(text);
  options.parse = parse;
  x_configuration = script::compile(options, reader, x_registry, x_sources, x_diagnostics);
  require((x_configuration.program == nullptr) == (x_diagnostics.errors() != 0),
          "there is a program, or an error that says why not");
  if (x_configuration.program == nullptr) return;
  require(!script::dump(*x_configuration.program).empty(), "a program can be printed");
  start();
}

void World::start() {
  proxy::LocalSocket socket;
  socket.address = {IpAddress::v4(192, 0, 2, 1), 5060};
  socket.host = "192.0.2.1";
  socket.name = "lan";
  x_sockets.add(socket);
  x_sockets.add_alias({"ser.example", 0, Proto::none});
  x_count = proxy::register_core_counters(x_table);
  x_settings.max_steps = 20000;
  x_settings.server_header = "Server: ser";
  x_registry.create_all();
  mod::StartContext context{x_log, x_sockets, x_settings, "ser", &segment_alloc, &x_segment};
  for (mod::Loaded& loaded : x_registry.loaded()) {
    for (const mod::CounterSpec& counter : loaded.spec->counters)
      counter.bind(*loaded.module, x_table.add(loaded.spec->name, counter.name, counter.help));
    std::string error;
    if (!loaded.module->start(context, error)) return;
  }
  x_cells.resize(x_table.size());
  x_counters = Counters(x_cells);
  x_worker_state.resize(x_registry.loaded().size());
  x_vm = std::make_unique<script::Vm>(*x_configuration.program, x_registry);
  x_services = std::unique_ptr<proxy::Services>(
      new proxy::Services{x_log, x_clock, x_random, x_sink, x_counters, x_names, nullptr, x_count, x_sockets,
                          x_settings, x_key, x_worker_state, x_vm.get(), 0});
  mod::WorkerContext worker{x_log, 1, *x_services};
  for (mod::Loaded& loaded : x_registry.loaded()) {
    x_owned_state.push_back(loaded.module->start_worker(worker));
    x_worker_state[loaded.module->index] = x_owned_state.back().get();
  }
  x_pipeline = std::make_unique<srv::Pipeline>(*x_services, *x_vm, x_registry.loaded(), nullptr);
}

std::vector<Sent> World::receive(std::string_view bytes, const SockAddr& from) {
  bytes = bytes.substr(0, kLargestDatagram);
  // Its own allocation, with the NUL behind it, as a receive block has.
  const std::string datagram(bytes);
  const auto block = std::make_unique<std::array<char, kBlock>>();
  RxPacket packet;
  packet.bytes = datagram;
  packet.from = from;
  packet.to = {IpAddress::v4(192, 0, 2, 1), 5060};
  packet.socket = 0;
  x_sink.sent.clear();
  {
    Arena arena(block->data(), block->size(), x_chunks);
    x_pipeline->receive(packet, arena);
  }
  require(datagram == bytes, "a received message is never changed");
  return std::move(x_sink.sent);
}

}  // namespace ser::fuzz
