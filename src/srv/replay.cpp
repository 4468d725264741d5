// SPDX-License-Identifier: Apache-2.0
#include "srv/replay.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "base/text.h"
#include "crash/watchdog.h"
#include "srv/batch_sink.h"
#include "srv/detached_worker.h"
#include "srv/server.h"

namespace ser::srv {

namespace {

void tell(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);  // the next line may never come
}

/// "192.0.2.1:5060" or "[2001:db8::1]:5060", as print(SockAddr) writes it; invalid when it is neither.
SockAddr parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  const auto ip = parse_ip(text.substr(0, colon));
  const auto port = parse_u32(text.substr(colon + 1), 65535);
  return ip && port ? SockAddr{*ip, static_cast<std::uint16_t>(*port)} : SockAddr{};
}

/// Prints instead of sending. A fresh block each time, so that a sanitizer sees a write behind its end.
class PrintingSink final : public PacketSink {
 public:
  std::span<char> reserve(std::size_t bytes) noexcept override {
    if (bytes > kMaxUdpPayload) return {};
    x_block.reset(new (std::nothrow) char[bytes]);
    return {x_block.get(), x_block != nullptr ? bytes : 0};
  }
  Result<void> commit(std::size_t bytes, const TxTarget& target) noexcept override {
    ++x_sent;
    tell(stdout, fmt::format("--- {} bytes to {}, not sent\n", bytes, to_string(target.to)));
    tell(stdout, std::string(x_block.get(), bytes));
    return {};
  }
  unsigned sent() const noexcept { return x_sent; }

 private:
  std::unique_ptr<char[]> x_block;
  unsigned x_sent = 0;
};

/// No name is known, and nobody is asked.
class NoNames final : public proxy::NameService {
 public:
  Result<Addresses> lookup(std::string_view host, std::uint16_t port, Proto) noexcept override {
    const auto ip = parse_ip(host);
    if (!ip) return {Errc::pending, "names are not looked up in a replay"};
    Addresses found;
    found.list[0] = {*ip, port != 0 ? port : std::uint16_t{5060}};
    found.count = 1;
    return found;
  }
  Result<std::string_view> reverse(const IpAddress&) noexcept override {
    return {Errc::pending, "names are not looked up in a replay"};
  }
};

/// Takes the message of a crash file through what a receiver has; in slot 0.
void run_message(Shared& shared, DetachedWorker& worker, const crash::CrashFile& file) {
  RxPacket packet;
  // Of exactly its length and the NUL, and the arena apart: a sanitizer sees every step too far.
  const auto bytes = std::make_unique<char[]>(file.message.size() + 1);
  file.message.copy(bytes.get(), file.message.size());
  packet.bytes = {bytes.get(), file.message.size()};
  packet.from = parse_address(file.source);
  packet.to = parse_address(file.destination);
  const auto& sockets = shared.crash.sockets;
  const auto found = std::find(sockets.begin(), sockets.end(), file.socket);
  packet.socket = static_cast<SocketId>(found == sockets.end() ? 0 : found - sockets.begin());
  packet.at = shared.clock->now();
  // As much as a worker's block leaves.
  const std::size_t room =
      shm::kRxBlock - std::min((packet.bytes.size() + 8) & ~std::size_t{7}, shm::kRxBlock);
  const auto block = std::make_unique<char[]>(std::max<std::size_t>(room, 1));
  HeapChunks chunks;
  Arena arena(block.get(), room, chunks);
  worker.slot().stage.store(shm::Stage::received, std::memory_order_relaxed);
  worker.pipeline().receive(packet, arena);
}

/// Only what needs no name server; and the address the message came to, when there is nothing else.
void keep_addresses(ServerConfig& config, const crash::CrashFile& file) {
  std::vector<net::ListenSpec> kept;
  std::vector<std::uint32_t> workers;
  for (net::ListenSpec& spec : config.listen) {
    if (!parse_ip(spec.host) && spec.host != "*") continue;
    kept.push_back(std::move(spec));
    workers.push_back(1);
  }
  if (kept.size() < config.listen.size() || kept.empty()) {
    if (auto spec = net::parse_listen_text(file.socket.empty() ? file.destination : file.socket); spec) {
      kept.push_back(std::move(*spec));
      workers.push_back(1);
    }
  }
  config.listen = std::move(kept);
  config.listen_workers = std::move(workers);
}

bool fail(const std::string& text) {
  tell(stderr, fmt::format("ser: error: {}\n", text));
  return false;
}

std::string describe(const crash::CrashFile& file) {
  std::string text =
      fmt::format("message of {} bytes from {} that ended a worker at stage {}", file.message.size(),
                  file.source.empty() ? "nowhere" : file.source, to_string(file.stage));
  if (!file.script.empty()) text += fmt::format(", {}", file.script);
  if (file.signal != 0) text += fmt::format(", by signal {}", file.signal);
  return text;
}

}  // namespace

bool read_crash_file(const std::string& path, crash::CrashFile& out, std::string& error) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string bytes;
  std::vector<char> piece(65536);
  ssize_t n = fd ? 0 : -1;
  while (fd && bytes.size() <= 2 * crash::CrashFile::kMaxMessage &&
         (n = ::read(fd.get(), piece.data(), piece.size())) > 0)
    bytes.append(piece.data(), static_cast<std::size_t>(n));
  if (n < 0) {
    error = fmt::format("cannot read '{}': {}", path, std::strerror(errno));
    return false;
  }
  auto parsed = crash::parse_crash_file(bytes);
  if (!parsed) {
    error =
        fmt::format("'{}' is no crash file: {} at byte {}", path, parsed.error().what, parsed.error().offset);
    return false;
  }
  out = std::move(*parsed);
  if (!out.message.empty()) return true;
  error = fmt::format("'{}' holds no message: the worker had none in hand", path);
  return false;
}

int replay(const CommandLine& given, std::span<mod::ModuleSpec (*const)()> builtin) {
  crash::CrashFile file;
  std::string error;
  if (!read_crash_file(given.replay_file, file, error)) return fail(error), 1;
  CommandLine line = given;
  if (!line.config_file_given && !file.config.empty()) line.config_file = file.config;
  const std::unique_ptr<Loaded> loaded = load_configuration(line, builtin);
  tell(stderr, conf::print(loaded->diagnostics, loaded->sources));
  if (loaded->diagnostics.errors() != 0 || loaded->configuration.program == nullptr) return 1;
  ServerConfig config = make_server_config(loaded->configuration, line);
  for (const std::string& wrong : config.errors) fail(wrong);
  if (!config.errors.empty()) return 1;
  config.offline = true;
  config.children = 1;
  keep_addresses(config, file);

  SystemClock clock;
  FdLogSink sink(STDERR_FILENO);
  const std::uint32_t watchdog_ms = config.watchdog_ms;
  Server server(*loaded, std::move(config), clock, sink);
  if (!server.prepare()) return fail(server.error()), 1;
  PrintingSink packets;
  SystemRandom random;
  NoNames names;
  DetachedWorker worker(server.shared(), 0, shm::WorkerKind::datagram, 1, {packets, random, &names});
  crash::Watchdog watchdog;
  if (watchdog_ms != 0 && !watchdog.start(worker.slot(), watchdog_ms))
    return fail("no timer for the watchdog"), 1;
  tell(stderr, fmt::format("ser: replaying the {}, with {}\n", describe(file), line.config_file));
  run_message(server.shared(), worker, file);
  tell(stderr, fmt::format("ser: survived; {} messages would have been sent\n", packets.sent()));
  return 0;
}

}  // namespace ser::srv
