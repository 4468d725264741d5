// SPDX-License-Identifier: Apache-2.0
#include "srv/server.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/text.h"
#include "srv/state_directory.h"

namespace ser::srv {

namespace {

constexpr std::size_t kDnsEntries = 4096;
constexpr std::uint32_t kInboxEvents = 1024;
constexpr std::size_t kMaxWorkers = shm::Actor::kMaxSlots - 16;
static_assert(kReaperSlots <= 16);
/// Renewals of the segment within this time of each other count as in a row; after so many the server gives
/// up.
constexpr Instant kRenewalPeriod = 60'000'000'000;
constexpr unsigned kMaxRenewals = 5;

/// One line for a socket that cannot be opened, with what to do.
std::string bind_error(const net::Listener& listener, int error) {
  switch (error) {
    case EADDRINUSE:
      return fmt::format(
          "cannot listen on {}: the port is in use by another program; stop it, or use another port (port=, "
          "listen= or -l)",
          listener.text());
    case EACCES:
      return fmt::format("cannot listen on {}: ports below 1024 need root or CAP_NET_BIND_SERVICE",
                         listener.text());
    case EADDRNOTAVAIL:
      return fmt::format(
          "cannot listen on {}: this machine does not have the address (ip_free_bind=yes binds it all the "
          "same)",
          listener.text());
    default:
      return fmt::format("cannot listen on {}: {}", listener.text(), std::strerror(error));
  }
}

/// The names DNS knows a listen address by (auto_aliases). Blocks: only while starting.
std::string reverse_host_name(const SockAddr& address) {
  sockaddr_storage native{};
  const socklen_t size = address.to_native(native);
  std::array<char, NI_MAXHOST> host{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&native), size, host.data(), host.size(), nullptr, 0,
                    NI_NAMEREQD) != 0)
    return {};
  return host.data();
}

}  // namespace

script::ParseOptions parse_options(const CommandLine& line) {
  script::ParseOptions options;
  options.defines = line.defines;
  options.substitutions = line.substs;
  options.environment = [](const char* name) -> const char* { return std::getenv(name); };
  if (!line.dialect.empty()) options.dialect = script::dialect_from_name(line.dialect);
  return options;
}

std::unique_ptr<Loaded> load_configuration(const CommandLine& line,
                                           std::span<mod::ModuleSpec (*const)()> builtin,
                                           std::optional<std::string> text) {
  auto loaded = std::make_unique<Loaded>(builtin);
  loaded->diagnostics.set_strict(line.strict);
  script::CompileOptions options;
  options.path = line.config_file;
  options.text = std::move(text);
  options.parse = parse_options(line);
  options.extra_modules = line.load_modules;
  for (const CommandModparam& param : line.modparams) {
    options.extra_parameters.push_back(
        fmt::format("{}:{}:{}:{}", param.module, param.parameter, param.is_text ? "s" : "i", param.value));
  }
  std::string_view paths = line.module_path;
  while (!paths.empty()) options.module_paths.emplace_back(split_off(paths, ':'));
  script::DiskSourceReader reader;
  loaded->configuration =
      script::compile(options, reader, loaded->registry, loaded->sources, loaded->diagnostics);
  return loaded;
}

Server::Server(Loaded& loaded, ServerConfig config, Clock& clock, LogSink& sink)
    : x_loaded(loaded),
      x_config(std::move(config)),
      x_clock(clock),
      x_sink(sink),
      x_log(sink, static_cast<LogLevel>(x_config.log_level)) {}

Server::~Server() {
  if (!x_modules_started) return;
  for (mod::Loaded& loaded : x_loaded.registry.loaded()) loaded.module->stop();
}

bool Server::fail(std::string text) {
  x_error = std::move(text);
  return false;
}

bool Server::prepare() {
  return (x_config.offline || prepare_identity()) && prepare_listeners() && prepare_segment() &&
         prepare_sockets() && prepare_modules();
}

bool Server::prepare_identity() {
  std::string error;
  if (!resolve_identity(x_config.user, x_config.group, x_identity, error)) return fail(error);
  if (!may_become(x_identity)) {
    return fail(
        fmt::format("only root can run workers as user '{}' group '{}'; start as root or drop the parameters",
                    x_config.user, x_config.group));
  }
  if (!x_config.chroot_dir.empty() && ::access(x_config.chroot_dir.c_str(), X_OK) != 0) {
    return fail(fmt::format("chroot directory '{}': {}", x_config.chroot_dir, std::strerror(errno)));
  }
  if (x_config.open_files > 0) {
    const rlimit limit = {static_cast<rlim_t>(x_config.open_files), static_cast<rlim_t>(x_config.open_files)};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
      return fail(fmt::format("open_files_limit {}: {}", x_config.open_files, std::strerror(errno)));
  }
  if (!x_config.core_dumps) {
    const rlimit none = {0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
  }
  return true;
}

bool Server::prepare_listeners() {
  if (x_config.simulated) {
    x_interfaces = x_config.simulated->interfaces;
  } else if (auto interfaces = net::local_addresses(); interfaces) {
    x_interfaces = std::move(*interfaces);
  }
  auto candidates = x_interfaces;
  if (!x_config.auto_bind_ipv6 && x_config.listen.empty()) {
    candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                    [](const net::InterfaceAddress& one) { return one.ip.is_v6(); }),
                     candidates.end());
  }
  x_table = net::resolve_listeners(x_config.listen, x_config.port, x_config.socket_options, candidates);
  advertise();
  for (const std::string& notice : x_table.notices) LOG(x_log, warning, "{}", notice);
  if (!x_table.errors.empty()) {
    std::string all;
    for (const std::string& error : x_table.errors) all += (all.empty() ? "" : "\n") + error;
    return fail(all);
  }
  if (x_table.listeners.empty()) {
    return fail(x_table.notices.empty()
                    ? "there is no address to listen on; add a listen line or -l"
                    : fmt::format("there is no address to listen on; {}", x_table.notices.front()));
  }
  if (!x_config.fork && x_table.listeners.size() > 1) {
    LOG(x_log, warning, "fork=no: only the first listen address is used, {}",
        x_table.listeners.front().text());
    x_table.listeners.resize(1);
  }
  return true;
}

/// advertised_address and advertised_port, for listeners without an advertise of their own. A port alone goes
/// with the listener's address, which a wildcard does not have.
void Server::advertise() {
  for (net::Listener& listener : x_table.listeners) {
    if (!listener.advertised_host.empty()) continue;
    const bool port_alone = x_config.advertised_host.empty();
    if (port_alone && (x_config.advertised_port == 0 || listener.is_wildcard())) continue;
    listener.advertised_host = port_alone ? listener.host : x_config.advertised_host;
    if (parse_ip(listener.advertised_host) && listener.advertised_host.front() != '[' &&
        listener.advertised_host.find(':') != std::string::npos)
      listener.advertised_host = fmt::format("[{}]", listener.advertised_host);
    listener.advertised_port =
        x_config.advertised_port != 0 ? x_config.advertised_port : listener.address.port;
  }
}

/// A step of the start, as loud as verbose_startup wants it.
void Server::tell_step(const std::string& text) {
  const LogLevel level = x_config.verbose_start ? LogLevel::notice : LogLevel::info;
  if (x_log.enabled(level)) log_line(x_log, level, "start: {}", text);
}

void Server::lay_out_posts() {
  int rank = 0;
  for (const net::Listener& listener : x_table.listeners) {
    // A listen line of its own number of workers is found again by what it says; expanded interfaces share
    // it.
    std::uint32_t workers = x_config.children;
    for (std::size_t i = 0; i < x_config.listen.size(); ++i) {
      const bool same =
          x_config.listen[i].host == listener.given_host || x_config.listen[i].host == listener.host;
      if (same && x_config.listen[i].port == listener.address.port && x_config.listen_workers[i] != 0)
        workers = x_config.listen_workers[i];
    }
    if (!x_config.fork) workers = 1;
    for (std::uint32_t i = 0; i < workers; ++i) {
      Post post{shm::WorkerKind::datagram, listener.id, ++rank, -1};
      if (listener.options.reuse_port && i > 0)
        post.further_socket = static_cast<int>(std::count_if(
            x_posts.begin(), x_posts.end(), [](const Post& p) { return p.further_socket >= 0; }));
      x_posts.push_back(post);
    }
  }
  x_posts.push_back({shm::WorkerKind::event, kNoSocket, -1, -1});
  x_posts.push_back({shm::WorkerKind::timer, kNoSocket, -2, -1});
}

bool Server::prepare_segment() {
  if (x_posts.empty()) lay_out_posts();
  if (x_posts.size() > kMaxWorkers)
    return fail(fmt::format("{} workers are more than {}; lower children", x_posts.size(), kMaxWorkers));
  shm::SegmentOptions options;
  options.limit = x_config.segment_limit;
  if (x_config.simulated) options.size = x_config.simulated->segment_bytes;
  if (options.limit != 0) options.limit = std::min(options.limit, shm::memory_limit());
  auto segment = shm::Segment::create(options);
  if (!segment)
    return fail(fmt::format("cannot map the shared segment: {}",
                            std::strerror(static_cast<int>(segment.error().offset))));
  if (x_config.simulated) {
    SeededRandom keys(x_config.simulated->seed);
    shm::SegmentHeader& header = segment->header();
    for (HashKey* key : {&header.branch_key, &header.table_key, &header.check_key})
      *key = {keys.next(), keys.next()};
    header.started_wall = x_clock.wall_seconds();
  }
  if (!x_modules_started) x_fingerprint_key = segment->header().table_key;
  if (!x_modules_started) x_branch_key = segment->header().branch_key;
  segment->header().branch_key = x_branch_key;
  x_shared = std::make_unique<Shared>(std::move(*segment));
  tell_step(fmt::format("shared segment mapped, limit {} MiB",
                        (options.limit != 0 ? options.limit : shm::memory_limit()) >> 20));
  Shared& s = *x_shared;
  s.clock = &x_clock;
  s.log_sink = &x_sink;
  s.log_level = x_config.log_level;
  s.settings = x_config.settings;
  s.resolver = x_config.resolver;
  s.core = proxy::register_core_counters(s.counters);
  s.server = register_server_counters(s.counters);
  s.registry = &x_loaded.registry;
  s.program = x_loaded.configuration.program.get();
  for (const net::Listener& listener : x_table.listeners) s.crash.sockets.push_back(listener.text());
  s.crash.key = x_fingerprint_key;
  s.crash.directory = x_crash_directory.get();
  s.crash.files = x_config.crash_files;
  std::error_code ignored;
  s.crash.program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  s.crash.config_file = x_config.config_file;
  s.hardening = {x_config.watchdog_ms, x_config.seccomp};
  s.event_wake = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));

  const auto slots =
      shm::SlotTable::create(s.segment, static_cast<std::uint16_t>(x_posts.size() + kReaperSlots));
  auto heap = shm::Heap::create(s.segment);
  auto timers = shm::Timers::create(s.segment);
  auto inbox = shm::Inbox::create(s.segment, kInboxEvents, s.event_wake.get());
  auto requests = NameRequests::create(s.segment);
  auto suspended = proxy::SuspendedRuns::create(s.segment, s.settings.max_suspended);
  auto quarantine = crash::Quarantine::create(s.segment, x_config.quarantine);
  s.closing = s.segment.reserve_object<std::atomic<std::uint32_t>>();
  void* dns = s.segment.reserve(net::DnsCache::bytes_for(kDnsEntries));
  if (!slots || !heap || !timers || !inbox || !requests || !suspended || !quarantine || dns == nullptr ||
      s.closing == nullptr || !s.event_wake) {
    return fail("the shared segment is too small for this many workers; lower children or raise -m");
  }
  s.slots = std::make_unique<shm::SlotTable>(*slots);
  s.heap = std::make_unique<shm::Heap>(*heap);
  s.timers = std::make_unique<shm::Timers>(*timers);
  s.event_inbox = std::make_unique<shm::Inbox>(*inbox);
  s.name_requests = std::make_unique<NameRequests>(*requests);
  s.suspended = std::make_unique<proxy::SuspendedRuns>(*suspended);
  s.quarantine = std::make_unique<crash::Quarantine>(*quarantine);
  s.dns = net::DnsCache::create(dns, kDnsEntries, s.segment.header().table_key);
  const auto receivers =
      static_cast<std::uint64_t>(std::count_if(x_posts.begin(), x_posts.end(), [](const Post& post) {
        return post.kind == shm::WorkerKind::datagram;
      }));
  // Every receiver needs its blocks before the first message, and as much again to work on them.
  const std::uint64_t least = receivers * shm::kRxBatch * shm::kRxBlock * 2;
  if (s.segment.header().limit < least) {
    return fail(
        fmt::format("{} bytes of shared memory are too little for {} receivers; give -m {} or lower children",
                    s.segment.header().limit, receivers, (least >> 20) + 1));
  }
  s.message_account = s.heap->account("messages");
  if (!lay_out_slot_areas(s, static_cast<std::uint16_t>(x_posts.size()))) {
    return fail(
        fmt::format("the shared segment of {} MiB is too small for the buffers of {} workers; lower "
                    "children, or raise the "
                    "limit on address space (ulimit -v)",
                    s.segment.size() >> 20, x_posts.size()));
  }
  return true;
}

void Server::add_aliases() {
  Shared& s = *x_shared;
  for (const net::Listener& listener : x_table.listeners) {
    proxy::LocalSocket local;
    local.proto = listener.proto;
    local.address = s.udp[listener.id].local;
    local.name = listener.name;
    local.host = listener.host;
    local.advertised_host = listener.advertised_host;
    local.advertised_port = listener.advertised_port;
    s.sockets.add(std::move(local));
    if (!listener.given_host.empty() && !parse_ip(listener.given_host) && listener.given_host != "*") {
      s.sockets.add_alias({listener.given_host, listener.address.port, listener.proto});
    }
    if (x_config.auto_aliases && !x_config.offline && !listener.is_wildcard()) {
      if (const std::string name = reverse_host_name(listener.address); !name.empty())
        s.sockets.add_alias({name, listener.address.port, listener.proto});
    }
  }
  for (const proxy::Alias& alias : x_config.aliases) s.sockets.add_alias(alias);
  for (const net::InterfaceAddress& address : x_interfaces) s.sockets.add_local_address(address.ip);
  s.sockets.set_multihomed_probe(x_config.settings.mhomed);
}

void Server::reserve_drop_cells() {
  for (std::size_t i = 0; i < x_shared->udp.size(); ++i)
    x_shared->drop_cells.push_back(
        static_cast<std::uint32_t*>(x_shared->segment.reserve(sizeof(std::uint32_t))));
}

bool Server::prepare_sockets() {
  Shared& s = *x_shared;
  s.listeners = x_table.listeners;
  for (const net::Listener& listener : s.listeners) {
    auto socket = x_config.offline ? Result<net::UdpSocket>(net::UdpSocket{Fd(), listener.address})
                                   : net::open_udp_socket(listener.address, listener.options);
    if (!socket) return fail(bind_error(listener, static_cast<int>(socket.error().offset)));
    tell_step(fmt::format("listening on {}, receive buffer of {} bytes", listener.text(), socket->rcvbuf));
    s.send_sockets.push_back(net::SendSocket::of(*socket));
    s.udp.push_back(std::move(*socket));
  }
  reserve_drop_cells();
  for (const Post& post : x_posts) {
    if (post.further_socket < 0 || x_config.offline) continue;
    auto socket = net::open_udp_socket(s.udp[post.socket].local, s.listeners[post.socket].options, false);
    if (!socket) return fail(bind_error(s.listeners[post.socket], static_cast<int>(socket.error().offset)));
    s.further_udp.push_back(std::move(*socket));
  }
  add_aliases();
  return true;
}

void Server::open_crash_directory() {
  if (x_config.crash_dir.empty()) return;
  std::string error;
  const std::string path =
      x_config.crash_dir.front() == '/' ? x_config.crash_dir : x_config.work_dir + "/" + x_config.crash_dir;
  x_crash_directory = make_state_directory(path, x_identity, error);
  x_shared->crash.directory = x_crash_directory.get();
  if (x_crash_directory) return;
  LOG(x_log, warning,
      "{}: there will be no crash files; give crash_dir a directory that the server may write, or \"\" to do "
      "without",
      error);
}

void Server::collect_names() {
  // Names the script forwards to or compares with are resolved before anybody asks (issue: outside the
  // datagram workers).
  for (const std::string& name : x_loaded.configuration.program->host_names)
    x_shared->config_names.push_back(name);
}

bool Server::prepare_modules() {
  x_loaded.registry.create_all();
  return start_modules();
}

bool Server::start_modules() {
  Shared& s = *x_shared;
  shm::Segment* segment = &s.segment;
  const std::string server_name = version_text();
  mod::StartContext context{
      x_log,
      s.sockets,
      s.settings,
      server_name,
      [](void* self, std::size_t bytes) { return static_cast<shm::Segment*>(self)->reserve(bytes); },
      segment,
      s.heap.get()};
  x_modules_started = true;
  bool timers = false;
  for (mod::Loaded& loaded : x_loaded.registry.loaded()) {
    for (const mod::CounterSpec& counter : loaded.spec->counters) {
      counter.bind(*loaded.module, s.counters.add(loaded.spec->name, counter.name, counter.help));
    }
    std::string error;
    if (auto started = loaded.module->start(context, error); !started) {
      return fail(
          fmt::format("module {}: {}", loaded.spec->name, error.empty() ? started.error().what : error));
    }
    tell_step(fmt::format("module {} is ready", loaded.spec->name));
    timers = timers || loaded.spec->timer_seconds != 0;
  }
  if (timers) {
    auto* entries = static_cast<shm::TimerEntry*>(
        s.segment.reserve(sizeof(shm::TimerEntry) * x_loaded.registry.loaded().size()));
    if (entries == nullptr || !s.segment.set_root("module timers", entries))
      return fail("the shared segment has no room for timers");
  }
  auto pages =
      shm::CounterPages::create(s.segment, static_cast<std::uint16_t>(x_posts.size()), s.counters.size());
  if (!pages) return fail("the shared segment has no room for statistics");
  s.pages = std::make_unique<shm::CounterPages>(*pages);
  collect_names();
  return true;
}

std::string Server::announcement() const {
  std::string text = "Listening on\n";
  for (const net::Listener& listener : x_table.listeners) text += fmt::format("  {}\n", listener.text());
  text += "Aliases:\n";
  for (const proxy::Alias& alias : x_shared->sockets.aliases()) {
    text += fmt::format(
        "  {}{}{}{}\n", alias.proto == Proto::none ? "" : std::string(to_string(alias.proto)) + ":",
        alias.host, alias.port != 0 ? ":" : "", alias.port != 0 ? std::to_string(alias.port) : "");
  }
  return text;
}

/// What can still go wrong after the process has become a daemon.
bool Server::claim(PidFile& pid_file, PidFile& pgid_file) {
  if (::chdir(x_config.work_dir.c_str()) != 0) {
    return fail(
        fmt::format("cannot change to working directory '{}': {}", x_config.work_dir, std::strerror(errno)));
  }
  std::string error;
  if (!pid_file.write(x_config.pid_file, ::getpid(), error)) return fail(error);
  if (pgid_file.write(x_config.pgid_file, ::getpgrp(), error)) return true;
  pid_file.remove();
  return fail(error);
}

/// Workers on a new segment, with the sockets, aliases and figures of the old one. Nothing else is taken
/// over: whatever lies in the old segment may have been overwritten.
bool Server::renew() {
  for (mod::Loaded& loaded : x_loaded.registry.loaded()) loaded.module->stop();
  std::vector<std::uint64_t> figures;
  for (std::size_t i = 0; i < x_shared->counters.size(); ++i)
    figures.push_back(x_shared->pages->sum(CounterId{static_cast<std::uint16_t>(i)}));
  const auto quarantine = x_shared->quarantine->keep();
  auto sockets = std::move(x_shared->sockets);
  auto listeners = std::move(x_shared->listeners);
  auto udp = std::move(x_shared->udp);
  auto further_udp = std::move(x_shared->further_udp);
  auto send_sockets = std::move(x_shared->send_sockets);
  x_shared.reset();
  if (!prepare_segment()) return false;
  Shared& s = *x_shared;
  s.quarantine->restore(quarantine, x_clock.now());
  s.sockets = std::move(sockets);
  s.listeners = std::move(listeners);
  s.udp = std::move(udp);
  s.further_udp = std::move(further_udp);
  s.send_sockets = std::move(send_sockets);
  reserve_drop_cells();
  if (!start_modules()) return false;
  Counters own = s.pages->page(static_cast<std::uint16_t>(x_posts.size()));
  // What is so now belonged to the old segment.
  for (std::size_t i = 0; i < figures.size(); ++i)
    if (!s.counters.entries()[i].gauge) own.add(CounterId{static_cast<std::uint16_t>(i)}, figures[i]);
  own.add(s.server.renewals);
  return true;
}

int Server::supervise(Supervisor& supervisor, Daemonizer* daemonizer) {
  if (!supervisor.start()) {
    fail(supervisor.error());
    return 1;
  }
  if (daemonizer != nullptr) daemonizer->report_ready();
  LOG(x_log, notice, "ser {} is up: {} workers on {} sockets", SER_VERSION, x_posts.size(),
      x_table.listeners.size());
  return supervisor.run();
}

/// Without workers of its own this process is the one that drops: after the pid files, which may need root.
bool Server::give_up_privileges(PidFile& pid_file, PidFile& pgid_file) {
  pid_file.keep_hold();
  pgid_file.keep_hold();
  std::string error;
  if (drop_privileges(x_identity, x_config.chroot_dir, error)) return true;
  pid_file.remove();
  pgid_file.remove();
  return fail(error);
}

int Server::run(Spawner& spawner, Daemonizer* daemonizer) {
  PidFile pid_file;
  PidFile pgid_file;
  if (!claim(pid_file, pgid_file)) return 1;
  if (!x_config.fork && !give_up_privileges(pid_file, pgid_file)) return 1;
  SupervisorOptions options;
  options.statistics_file = x_config.statistics_file;
  options.stop_grace = x_config.stop_grace;
  options.shutdown_grace = x_config.shutdown_grace;
  int status = kExitDamaged;
  Instant renewed_at = 0;
  for (unsigned in_a_row = 0; status == kExitDamaged;) {
    {
      Supervisor supervisor(*x_shared, spawner, x_posts, options, x_log);
      status = supervise(supervisor, daemonizer);
    }
    if (status != kExitDamaged) break;
    const Instant now = x_clock.now();
    in_a_row = renewed_at != 0 && now - renewed_at < kRenewalPeriod ? in_a_row + 1 : 1;
    options.may_renew = in_a_row < kMaxRenewals;
    renewed_at = now;
    if (in_a_row > kMaxRenewals) {
      LOG(x_log, alert, "the shared segment was overwritten {} times in a row; giving up", in_a_row);
      status = 1;
    } else if (!renew()) {
      status = 1;
    }
  }
  pid_file.remove();
  pgid_file.remove();
  if (x_shared != nullptr) report_memory();
  LOG(x_log, notice, "Thank you for flying ser");
  return status;
}

void Server::report_memory() {
  const auto level = static_cast<LogLevel>(x_config.memory_log_level);
  if (!x_log.enabled(level)) return;
  const shm::HeapUse use = x_shared->heap->use();
  log_line(x_log, level, "segment at the end: {} bytes in {} cells of {} committed", use.used, use.cells,
           use.committed);
  for (std::uint32_t i = 0; i < x_shared->heap->account_count(); ++i) {
    const auto id = static_cast<shm::AccountId>(i);
    log_line(x_log, level, "segment at the end: {} bytes of {}", x_shared->heap->account_use(id).bytes,
             x_shared->heap->account_name(id));
  }
}

}  // namespace ser::srv
