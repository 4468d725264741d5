// SPDX-License-Identifier: Apache-2.0
#include "flow/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/hash.h"

namespace ser::flow {

namespace {
constexpr std::uint32_t kRound = 64;
/// They take turns, message by message: nothing that outlives its message may be one worker's.
constexpr std::uint16_t kReceivers = 2;
}  // namespace

LoadedConfig load_for_flow(const ServerSpec& spec, const std::string& folder, const std::string& flow_path,
                           Builtin builtin) {
  LoadedConfig out;
  srv::CommandLine& line = out.line;
  line.config_file =
      spec.text ? flow_path : (std::filesystem::path(folder) / spec.config).lexically_normal().string();
  line.config_file_given = true;
  line.defines = spec.defines;
  line.aliases = spec.aliases;
  line.listen = spec.listen;
  line.strict = spec.strict;
  line.module_path = spec.module_path;
  line.dialect = spec.dialect.empty() ? spec.text_dialect : spec.dialect;
  for (const std::string& text : spec.modparams) {
    const std::string argument = "--modparam=" + text;
    const char* const words[] = {argument.c_str()};
    srv::CommandLine parsed = srv::parse_command_line(words);
    for (const std::string& wrong : parsed.errors) out.problem += wrong + "\n";
    for (srv::CommandModparam& one : parsed.modparams) line.modparams.push_back(std::move(one));
  }
  out.loaded = srv::load_configuration(line, builtin, spec.text);
  if (out.loaded->diagnostics.errors() != 0 || out.loaded->configuration.program == nullptr) {
    out.problem += conf::print(out.loaded->diagnostics, out.loaded->sources);
    return out;
  }
  out.config = srv::make_server_config(out.loaded->configuration, line);
  for (const std::string& wrong : out.config.errors) out.problem += wrong + "\n";
  return out;
}

Server::Server(std::string name, LoadedConfig config, const Surround& around)
    : x_name(std::move(name)),
      x_config(std::move(config)),
      x_around(around),
      x_random(sip_hash({around.seed, 0}, x_name)) {}

Server::~Server() = default;

bool Server::start() {
  srv::ServerConfig config = x_config.config;
  config.offline = true;
  config.children = kReceivers;
  config.auto_aliases = false;
  config.resolver.hosts_file.clear();
  srv::Simulated world;
  world.seed = x_around.seed;
  const bool listens = !config.listen.empty();
  for (const net::ListenSpec& spec : config.listen) {
    const auto ip = parse_ip(spec.host);
    if (!ip && spec.host != "*") {
      x_error = fmt::format(
          "the configuration listens on `{}`, which only the real machine knows; give the flow a "
          "`listen ADDRESS`",
          spec.host);
      return false;
    }
    if (ip) world.interfaces.push_back({fmt::format("flow{}", world.interfaces.size()), *ip, false});
  }
  if (!listens || world.interfaces.empty())
    world.interfaces.push_back({"flow0", *parse_ip(kDefaultAddress), false});
  config.simulated = std::move(world);
  x_server = std::make_unique<srv::Server>(*x_config.loaded, std::move(config), x_around.clock,
                                           static_cast<LogSink&>(*this));
  if (!x_server->prepare()) {
    x_error = x_server->error();
    return false;
  }
  srv::Shared& shared = x_server->shared();
  const srv::Surroundings around{*this, x_random};
  // The order of the posts: receivers, then the event worker, then the timer worker.
  const auto posts = static_cast<std::uint16_t>(x_server->posts().size());
  for (std::uint16_t slot = 0; slot < kReceivers; ++slot)
    x_receivers.push_back(
        std::make_unique<srv::DetachedWorker>(shared, slot, shm::WorkerKind::datagram, slot + 1, around));
  x_event_worker = std::make_unique<srv::DetachedWorker>(shared, static_cast<std::uint16_t>(posts - 2),
                                                         shm::WorkerKind::event, -1, around);
  x_timer_worker = std::make_unique<srv::DetachedWorker>(shared, static_cast<std::uint16_t>(posts - 1),
                                                         shm::WorkerKind::timer, -2, around);
  for (const auto& worker : x_receivers) worker->vm().set_trace(&x_trace);
  for (srv::DetachedWorker* worker : {x_event_worker.get(), x_timer_worker.get()})
    worker->vm().set_trace(&x_trace);
  x_questions = std::make_unique<net::DnsQuestions>(x_around.clock, shared.dns, x_event_worker->log(),
                                                    shared.resolver, static_cast<net::DnsTransport&>(*this));
  x_resumer = std::make_unique<srv::Resumer>(shared, x_event_worker->services(), x_event_worker->pipeline(),
                                             *x_questions, x_event_worker->slot());
  x_event_work = std::make_unique<srv::EventWork>(shared, *x_questions, *x_resumer, x_event_worker->log());
  x_event_work->set_modules([this](const shm::Event& event) {
    mod::WorkerContext worker = x_event_worker->module_context();
    srv::ModuleTimers::pass_on(x_server->shared(), event.type, event.words, worker);
  });
  x_event_work->start();
  x_questions->start();
  x_timers = std::make_unique<srv::ModuleTimers>(shared, x_timer_worker->actor());
  x_timers->arm_all();
  settle();
  return true;
}

std::vector<SockAddr> Server::addresses() const {
  std::vector<SockAddr> out;
  for (const net::Listener& listener : x_server->shared().listeners) {
    SockAddr address = listener.address;
    if (listener.is_wildcard()) address.ip = *parse_ip(kDefaultAddress);
    out.push_back(address);
  }
  return out;
}

void Server::deliver(const Datagram& datagram) {
  RxPacket packet;
  packet.bytes = datagram.bytes;
  packet.from = datagram.from;
  packet.to = datagram.to;
  const std::vector<SockAddr> own = addresses();
  const auto found = std::find(own.begin(), own.end(), datagram.to);
  packet.socket = static_cast<SocketId>(found == own.end() ? 0 : found - own.begin());
  packet.at = x_around.clock.now();
  x_trace.pc = UINT32_MAX;
  srv::DetachedWorker& receiver = *x_receivers[x_turn++ % x_receivers.size()];
  if (!receiver.receive(packet)) line(LogLevel::critical, "no memory in the segment");
  settle();
}

/// The event worker's turn: its inbox, and the runs that need not wait any longer.
void Server::work_off() {
  x_event_work->drain();
  for (x_trace.pc = UINT32_MAX; x_resumer->resume_next(); x_trace.pc = UINT32_MAX) x_event_work->drain();
}

/// After anything that ran: the inbox is looked into in the event worker's own turn, and the timer worker
/// woken when a timer is due.
void Server::settle() {
  srv::Shared& shared = x_server->shared();
  if ((shared.event_inbox->size() != 0 || x_resumer->has_ready()) && !x_drain_planned) {
    x_drain_planned = true;
    x_around.queue.at(x_around.clock.now(), [this] {
      x_drain_planned = false;
      work_off();
      settle();
    });
  }
  const Instant next = shared.timers->next_expiry();
  if (next != shm::Timers::kNever && next < x_timer_at) {
    x_timer_at = next;
    x_around.queue.at(next, [this, next] {
      if (x_timer_at != next) return;  // an earlier one came between and planned anew
      fire_timers();
    });
  }
}

void Server::fire_timers() {
  x_timer_at = EventQueue::kNever;
  srv::Shared& shared = x_server->shared();
  mod::WorkerContext worker = x_timer_worker->module_context();
  while (shared.timers->expire(x_timer_worker->actor(), x_around.clock.now(), kRound,
                               [&](const shm::TimerEvent& event) {
                                 if (!x_timer_worker->suspender().on_timer(event))
                                   x_timers->fire(event, worker);
                               }) == kRound) {
  }
  const Instant next = shared.timers->next_expiry();
  // A wheel slot may be due though what is in it is not: look again a tick later, or the world would stand
  // still.
  if (next <= x_around.clock.now()) {
    x_timer_at = x_around.clock.now() + shm::Timers::kWheelTick;
    x_around.queue.at(x_timer_at, [this, at = x_timer_at] {
      if (x_timer_at == at) fire_timers();
    });
  }
  settle();
}

void Server::ask(const net::DnsName& name, net::DnsType type) {
  Names::Answer found = x_around.names.ask(name.view(), type);
  Instant delay = found.delay;
  if (found.timeout) {
    const net::ResolverOptions& options = x_questions->options();
    for (std::uint32_t i = 0; i < std::max(1U, options.tries); ++i)
      delay += (static_cast<Instant>(options.timeout_ms) << i) * 1'000'000;
  }
  x_around.queue.at(x_around.clock.now() + delay, [this, name, type, answer = found.answer] {
    x_questions->answered(name, type, answer);
    settle();
  });
}

void Server::refresh_moved() {
  const Instant next = x_questions->next_refresh();
  if (next == net::DnsQuestions::kNever || next == x_refresh_at) return;
  x_refresh_at = next;
  x_around.queue.at(next, [this, next] {
    if (x_refresh_at != next) return;
    x_questions->refresh();
    settle();
  });
}

std::span<char> Server::reserve(std::size_t bytes) noexcept {
  constexpr std::size_t kMaxPayload = 65507;
  if (bytes > kMaxPayload) return {};
  x_room.assign(bytes, '\0');
  return x_room;
}

SockAddr Server::source_of(const TxTarget& target) const {
  const auto& listeners = x_server->shared().listeners;
  const std::size_t socket = target.socket < listeners.size() ? target.socket : 0;
  SockAddr from = addresses()[socket];
  if (target.from_ip.valid() && listeners[socket].is_wildcard()) from.ip = target.from_ip;
  return from;
}

Result<void> Server::commit(std::size_t bytes, const TxTarget& target) noexcept {
  x_around.network.send(*this, {std::string(x_room, 0, bytes), source_of(target), target.to, script_place()});
  return {};
}

void Server::line(LogLevel level, std::string_view text) noexcept {
  x_log.push_back({x_around.clock.elapsed(), level, std::string(text)});
}

std::optional<std::uint64_t> Server::counter(std::string_view group, std::string_view name) const {
  const srv::Shared& shared = x_server->shared();
  const CounterId id = shared.counters.find(group, name);
  if (id.index == 0) return std::nullopt;
  return shared.pages->sum(id);
}

std::string Server::script_place() const {
  if (x_trace.pc == UINT32_MAX) return {};
  const SourcePlace place = program().places[x_trace.pc];
  const script::Block& block = program().blocks[x_trace.block];
  return fmt::format("{}:{} in {}{}", program().files[place.file], place.line, script::keyword_of(block.kind),
                     block.name.empty() ? "" : "[" + block.name + "]");
}

}  // namespace ser::flow
