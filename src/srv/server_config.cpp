// SPDX-License-Identifier: Apache-2.0
#include "srv/server_config.h"

#include <fmt/format.h>
#include <syslog.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/text.h"
#include "conf/core_parameter.h"
#include "shm/slot.h"
#include "sip/message.h"
#include "srv/state_directory.h"

namespace ser::srv {

namespace {

using script::Configuration;
using script::Dialect;
using script::Setting;
using script::SettingValue;

constexpr std::uint16_t kDefaultPort = 5060;

constexpr std::pair<std::string_view, int> kFacilities[] = {
    {"LOG_AUTH", LOG_AUTH},     {"LOG_CRON", LOG_CRON},        {"LOG_DAEMON", LOG_DAEMON},
    {"LOG_FTP", LOG_FTP},       {"LOG_KERN", LOG_KERN},        {"LOG_LPR", LOG_LPR},
    {"LOG_MAIL", LOG_MAIL},     {"LOG_NEWS", LOG_NEWS},        {"LOG_SYSLOG", LOG_SYSLOG},
    {"LOG_USER", LOG_USER},     {"LOG_UUCP", LOG_UUCP},        {"LOG_LOCAL0", LOG_LOCAL0},
    {"LOG_LOCAL1", LOG_LOCAL1}, {"LOG_LOCAL2", LOG_LOCAL2},    {"LOG_LOCAL3", LOG_LOCAL3},
    {"LOG_LOCAL4", LOG_LOCAL4}, {"LOG_LOCAL5", LOG_LOCAL5},    {"LOG_LOCAL6", LOG_LOCAL6},
    {"LOG_LOCAL7", LOG_LOCAL7}, {"LOG_AUTHPRIV", LOG_AUTHPRIV}};

constexpr std::pair<std::string_view, int> kTypesOfService[] = {{"IPTOS_LOWDELAY", 0x10},
                                                                {"IPTOS_THROUGHPUT", 0x08},
                                                                {"IPTOS_RELIABILITY", 0x04},
                                                                {"IPTOS_MINCOST", 0x02},
                                                                {"IPTOS_DSCP_EF", 0xB8}};

/// Reads the file's settings into a ServerConfig.
class Reader {
 public:
  Reader(const Configuration& configuration, ServerConfig& out) : x_file(configuration), x_out(out) {}

  void read() {
    processes();
    deaths();
    logging();
    network();
    messages();
    resolver();
    sockets();
  }

 private:
  bool flag(std::string_view name, bool otherwise) const {
    const auto value = x_file.number(name);
    return value ? *value != 0 : otherwise;
  }
  /// A number may be written as a string too: children="4".
  std::int64_t number(std::string_view name, std::int64_t otherwise) const {
    if (const auto value = x_file.number(name); value) return *value;
    const auto quoted = x_file.text(name);
    const auto value = quoted ? parse_u32(*quoted, 0x7FFFFFFF) : std::nullopt;
    return value ? static_cast<std::int64_t>(*value) : otherwise;
  }
  /// A level with Kamailio's numbers, whichever dialect wrote it.
  int level(std::string_view name, int otherwise) const {
    if (x_file.find(name) == nullptr) return otherwise;
    const std::int64_t given = number(name, otherwise);
    return x_file.dialect == Dialect::ser ? conf::log_level_of_ser(given) : static_cast<int>(given);
  }
  std::string text(std::string_view name, std::string_view otherwise = {}) const {
    if (const auto value = x_file.text(name); value) return std::string(*value);
    if (const auto value = x_file.number(name); value) return std::to_string(*value);
    return std::string(otherwise);
  }

  void processes() {
    x_out.fork = flag("fork", true);
    x_out.children = static_cast<unsigned>(number("children", usable_cpus()));
    x_out.user = text("user");
    x_out.group = text("group");
    x_out.work_dir = text("workdir", "/");
    x_out.chroot_dir = text("chroot");
    x_out.pid_file = text("pid_file");
    x_out.statistics_file = text("statistics");
    x_out.core_dumps = !flag("disable_core_dump", false);
    x_out.open_files = number("open_files_limit", 0);
    x_out.verbose_start = flag("verbose_startup", false);
    // The last tenth of a second is for the killing and reaping, so that the server is gone in time.
    const std::int64_t seconds = number("exit_timeout", 1);
    x_out.stop_grace = seconds == 0 ? 0 : seconds * 1'000'000'000 - 100'000'000;
    x_out.shutdown_grace = number("shutdown_grace", 0) * 1'000'000'000;
  }

  void deaths() {
    if (x_file.find("crash_dir") != nullptr) {
      x_out.crash_dir = text("crash_dir");
    } else if (const std::string state = text("state_dir", default_state_dir()); !state.empty()) {
      x_out.crash_dir = state + "/crashes";
    }
    x_out.crash_files = static_cast<unsigned>(number("crash_files", crash::CrashDirectory::kDefaultKept));
    const crash::QuarantineLimits usual;
    x_out.quarantine.deaths = static_cast<std::uint32_t>(number("crash_quarantine_deaths", usual.deaths));
    constexpr std::int64_t kSecond = 1'000'000'000;
    x_out.quarantine.time = number("crash_quarantine_time", usual.time / kSecond) * kSecond;
    x_out.watchdog_ms = static_cast<std::uint32_t>(number("worker_watchdog", 250));
    x_out.seccomp = flag("worker_seccomp", false);
  }

  void logging() {
    x_out.log_stderror = flag("log_stderror", false);
    x_out.log_level = level("debug", 0);
    x_out.memory_log_level = level("memlog", 3);
    x_out.log_facility = LOG_DAEMON;
    if (const std::string facility = text("log_facility"); !facility.empty()) {
      const auto* found = std::find_if(std::begin(kFacilities), std::end(kFacilities),
                                       [&](const auto& row) { return row.first == facility; });
      if (found != std::end(kFacilities))
        x_out.log_facility = found->second;
      else
        x_out.errors.push_back(fmt::format(
            "log_facility '{}' is unknown; LOG_DAEMON, LOG_USER and LOG_LOCAL0 to LOG_LOCAL7 are usual",
            facility));
    }
    x_out.log_name = text("log_name", "ser");
  }

  void network() {
    x_out.port = static_cast<std::uint16_t>(number("port", kDefaultPort));
    x_out.auto_aliases = flag("auto_aliases", false);
    x_out.auto_bind_ipv6 = flag("auto_bind_ipv6", false);
    x_out.advertised_host = text("advertised_address");
    x_out.advertised_port = static_cast<std::uint16_t>(number("advertised_port", 0));
    x_out.socket_options.free_bind = number("ip_free_bind", 0) != 0;
    x_out.socket_options.dont_fragment = number("pmtu_discovery", 0) != 0;
    x_out.socket_options.reuse_port = flag("reuse_port", false);
    x_out.socket_options.rcvbuf =
        static_cast<std::uint32_t>(std::clamp<std::int64_t>(number("maxbuffer", 262144), 2048, 1 << 30));
    const std::string tos = text("tos", "IPTOS_LOWDELAY");
    if (const auto value = parse_u32(tos, 255); value) {
      x_out.socket_options.tos = static_cast<int>(*value);
      return;
    }
    const auto* found = std::find_if(std::begin(kTypesOfService), std::end(kTypesOfService),
                                     [&](const auto& row) { return row.first == tos; });
    if (found != std::end(kTypesOfService))
      x_out.socket_options.tos = found->second;
    else
      x_out.errors.push_back(fmt::format(
          "tos '{}' is unknown; give 0 to 255 or IPTOS_LOWDELAY, IPTOS_THROUGHPUT, IPTOS_RELIABILITY", tos));
  }

  void messages() {
    proxy::Settings& s = x_out.settings;
    s.check_via = flag("check_via", false);
    s.syn_branch = flag("syn_branch", true);
    s.ser_dialect = x_file.dialect == Dialect::ser;
    s.sip_warning = flag("sip_warning", x_file.dialect == Dialect::ser);
    s.server_signature = flag("server_signature", true);
    s.reply_to_via = flag("reply_to_via", false);
    s.relay_stray_replies = flag("relay_stray_replies", false);
    s.receive_checks = flag("receive_checks", true);
    s.force_rport = flag("force_rport", false);
    s.dns = flag("dns", false);
    s.rev_dns = flag("rev_dns", false);
    s.local_rport = flag("local_rport", false);
    s.dns_try_ipv6 = flag("dns_try_ipv6", true);
    s.max_recursive_level =
        static_cast<std::uint16_t>(number("max_recursive_level", x_file.dialect == Dialect::ser ? 10 : 256));
    s.mhomed = flag("mhomed", false);
    s.max_branches = static_cast<std::uint16_t>(number("max_branches", 16));
    s.max_message_size = static_cast<std::uint32_t>(number("max_message_size", 65535));
    s.max_suspended = static_cast<std::uint32_t>(number("max_suspended", 10'000));
    s.name_wait = number("dns_suspend_timeout", 5000) * 1'000'000;
    s.overload_batches = static_cast<std::uint32_t>(number("overload_batches", 128));
    s.overload_retry_after = static_cast<std::uint32_t>(number("overload_retry_after", 5));
    s.max_while_loops = static_cast<std::uint32_t>(number("max_while_loops", 100));
    s.server_header = header("server_header", fmt::format("Server: {}", version_text()));
    s.user_agent_header = header("user_agent_header", fmt::format("User-Agent: {}", version_text()));
  }

  std::string header(std::string_view name, const std::string& otherwise) {
    std::string value = text(name, otherwise);
    while (!value.empty() && is_lws(value.back())) value.pop_back();
    if (value.size() > 512 || value.find_first_of("\r\n") != std::string::npos ||
        value.find(':') == std::string::npos) {
      x_out.errors.push_back(fmt::format(
          "{} must be one whole header field of at most 512 bytes, such as \"Server: mine\"", name));
    }
    return value;
  }

  void resolver() {
    net::ResolverOptions& r = x_out.resolver;
    r.timeout_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(number("dns_retr_time", 1), 60)) * 1000;
    r.servers = text("dns_servers");
    for (std::string_view rest = r.servers; !rest.empty();) {
      const std::string_view one = trim(split_off(rest, ','));
      const auto spec = net::parse_listen_text("udp:" + std::string(one));
      if (!spec || !parse_ip(spec->host))
        x_out.errors.push_back(
            fmt::format("dns_servers: '{}' is no address; 192.0.2.53 or [2001:db8::1]:5353 is", one));
    }
    r.tries = static_cast<std::uint32_t>(number("dns_retr_no", 3));
    r.negative_ttl = static_cast<std::uint32_t>(number("dns_cache_negative_ttl", 60));
    r.min_ttl = static_cast<std::uint32_t>(std::max<std::int64_t>(number("dns_cache_min_ttl", 1), 1));
    r.max_ttl = static_cast<std::uint32_t>(number("dns_cache_max_ttl", 86400));
  }

  /// In file order, because `port` and `socket_workers` act on the lines that follow (SER row "listen"). A
  /// listener without a port of its own keeps 0 here.
  void sockets() {
    const bool in_order = x_file.dialect == Dialect::ser;
    std::uint16_t port = 0;
    std::uint32_t workers = 0;
    bool last_has_port = true;
    for (const Setting& setting : x_file.settings()) {
      const conf::CoreParameter* parameter = conf::find_core_parameter(setting.name);
      if (parameter == nullptr || setting.values.empty()) continue;
      if (parameter->name == "port" && in_order) {
        port = static_cast<std::uint16_t>(setting.values.front().number);
        // SER row "port": it applies to the last listen line as well.
        if (!last_has_port) x_out.listen.back().port = port;
      }
      if (parameter->name == "socket_workers")
        workers = static_cast<std::uint32_t>(setting.values.front().number);
      if (parameter->name == "listen") {
        const std::size_t before = x_out.listen.size();
        for (const SettingValue& value : setting.values) add_listen(setting, value, workers);
        last_has_port = x_out.listen.size() == before || x_out.listen.back().port != 0;
        for (std::size_t i = before; i < x_out.listen.size(); ++i) {
          if (x_out.listen[i].port == 0) x_out.listen[i].port = port;
        }
        workers = 0;
      }
      if (parameter->name == "alias") {
        for (const SettingValue& value : setting.values) add_alias(value);
      }
    }
  }

  void add_listen(const Setting& setting, const SettingValue& value, std::uint32_t workers) {
    const auto add = [&](net::ListenSpec spec) {
      spec.origin = place(setting);
      x_out.listen.push_back(std::move(spec));
      x_out.listen_workers.push_back(workers);
    };
    if (value.socket == nullptr) {
      for (const std::string& text : net::listen_texts(value.text)) {
        if (auto parsed = net::parse_listen_text(text)) {
          add(std::move(*parsed));
        } else {
          x_out.errors.push_back(fmt::format("listen '{}': {}", value.text, parsed.error().what));
        }
      }
      return;
    }
    const script::SocketSpec& socket = *value.socket;
    net::ListenSpec spec;
    spec.proto = socket.protocol.empty() ? Proto::none : parse_proto(socket.protocol);
    spec.port = static_cast<std::uint16_t>(socket.port);
    spec.advertised_host = bare_host(socket.advertise_host);
    spec.advertised_port = static_cast<std::uint16_t>(socket.advertise_port);
    spec.name = std::string(socket.name);
    spec.host = bare_host(socket.host);
    add(spec);
    // `(a, b)`: one socket of several addresses in SCTP, one for each of them here.
    for (const std::string_view host : socket.more_hosts) {
      spec.host = bare_host(host);
      add(spec);
    }
  }

  void add_alias(const SettingValue& value) {
    proxy::Alias alias;
    if (value.socket != nullptr) {
      alias.proto = value.socket->protocol.empty() ? Proto::none : parse_proto(value.socket->protocol);
      alias.host = std::string(value.socket->host);
      alias.port = static_cast<std::uint16_t>(value.socket->port);
    } else {
      alias.host = std::string(value.text);
    }
    if (!alias.host.empty()) x_out.aliases.push_back(std::move(alias));
  }

  /// "ser.cfg:12:1", as diagnostics begin.
  std::string place(const Setting& setting) const {
    const script::Program* program = x_file.program.get();
    if (program == nullptr || setting.range.file >= program->files.size()) return {};
    return fmt::format("{}:{}:{}", program->files[setting.range.file], setting.range.line,
                       setting.range.column);
  }

  static std::string bare_host(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return std::string(host);
  }

  const Configuration& x_file;
  ServerConfig& x_out;
};

/// What the command line says where the file says nothing, or (Kamailio) whatever it says.
class Overrides {
 public:
  Overrides(const Configuration& file, const CommandLine& line, ServerConfig& out)
      : x_file(file), x_line(line), x_out(out) {}

  void apply() {
    if (x_line.children && wins("children")) x_out.children = static_cast<unsigned>(*x_line.children);
    if (x_line.port && wins("port")) x_out.port = static_cast<std::uint16_t>(*x_line.port);
    if (x_line.max_buffer && wins("maxbuffer"))
      x_out.socket_options.rcvbuf = static_cast<std::uint32_t>(*x_line.max_buffer);
    if (x_line.auto_aliases && wins("auto_aliases")) x_out.auto_aliases = *x_line.auto_aliases;
    text(x_line.user, "user", x_out.user);
    text(x_line.group, "group", x_out.group);
    text(x_line.work_dir, "workdir", x_out.work_dir);
    text(x_line.chroot_dir, "chroot", x_out.chroot_dir);
    text(x_line.statistics_file, "statistics", x_out.statistics_file);
    if (!x_line.pid_file.empty()) x_out.pid_file = x_line.pid_file;
    x_out.pgid_file = x_line.pgid_file;
    if (x_line.check_via) x_out.settings.check_via = true;
    if (x_line.dns) x_out.settings.dns = true;
    if (x_line.rev_dns) x_out.settings.rev_dns = true;
    if (x_line.log_stderror) x_out.log_stderror = true;
    if (x_line.debug && wins("debug")) x_out.log_level = static_cast<int>(*x_line.debug);
    x_out.log_level += x_line.debug_steps;
    if (x_line.daemon_level_given) {
      x_out.daemon = x_line.daemon_level >= 3;
      if (x_line.daemon_level == 1) x_out.fork = false;
    }
    if (!x_out.fork) x_out.daemon = false;
    if (x_line.shared_megabytes)
      x_out.segment_limit = static_cast<std::uint64_t>(*x_line.shared_megabytes) << 20;
    listeners();
  }

 private:
  bool wins(std::string_view parameter) const {
    return x_file.dialect != Dialect::ser || x_file.find(parameter) == nullptr;
  }
  void text(const std::string& given, std::string_view parameter, std::string& out) const {
    if (!given.empty() && wins(parameter)) out = given;
  }
  void listeners() {
    for (const std::string& written : x_line.listen) {
      for (const std::string& text : net::listen_texts(written)) {
        auto spec = net::parse_listen_text(text);
        if (!spec) {
          x_out.errors.push_back(fmt::format("-l {}: {}", written, spec.error().what));
          continue;
        }
        spec->origin = "-l " + written;
        if (spec->port == 0) spec->port = x_out.port;
        x_out.listen.push_back(std::move(*spec));
        x_out.listen_workers.push_back(0);
      }
    }
    for (const std::string& text : x_line.aliases) {
      const auto spec = net::parse_listen_text(text);
      if (spec)
        x_out.aliases.push_back({spec->host, spec->port, spec->proto});
      else
        x_out.errors.push_back(fmt::format("--alias {}: {}", text, spec.error().what));
    }
  }

  const Configuration& x_file;
  const CommandLine& x_line;
  ServerConfig& x_out;
};

}  // namespace

ServerConfig make_server_config(const Configuration& configuration, const CommandLine& line) {
  ServerConfig out;
  std::error_code ignored;
  out.config_file = std::filesystem::absolute(line.config_file, ignored).lexically_normal();
  Reader(configuration, out).read();
  Overrides(configuration, line, out).apply();
  // In SER's dialect `port` acts from its line on, so lines before the first one have the default.
  const bool port_acts_later = configuration.dialect == Dialect::ser && configuration.find("port") != nullptr;
  const std::uint16_t port =
      port_acts_later ? static_cast<std::uint16_t>(line.port.value_or(kDefaultPort)) : out.port;
  for (net::ListenSpec& spec : out.listen) {
    if (spec.port == 0) spec.port = port;
    spec.options = out.socket_options;
  }
  return out;
}

std::string version_text() {
  return "ser (" SER_VERSION " (x86_64/linux))";
}

std::string build_text() {
  return fmt::format(
      "version: ser {}\ncompiler: {}\nlimits: message {} bytes, datagram batch {}, branches 31, header "
      "fields {}\n"
      "modules: linked in; third party modules are shared objects\n",
      SER_VERSION, __VERSION__, sip::Message::kMaxSize, shm::kRxBatch, sip::Message::kMaxHeaders);
}

}  // namespace ser::srv
