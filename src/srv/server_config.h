// SPDX-License-Identifier: Apache-2.0
// ServerConfig: what the configuration file and the command line say together about processes, sockets and
// settings.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crash/crash_directory.h"
#include "crash/quarantine.h"
#include "net/interfaces.h"
#include "net/listener.h"
#include "net/resolver.h"
#include "proxy/services.h"
#include "script/script.h"
#include "srv/command_line.h"
#include "srv/process.h"

namespace ser::srv {

/// A server in a simulated world (flows): what else would come from the machine it runs on.
struct Simulated {
  std::vector<net::InterfaceAddress> interfaces;  ///< addresses this machine has
  std::uint64_t seed = 1;  ///< the segment's keys come from it, so that branches repeat
  std::size_t segment_bytes = std::size_t{1} << 30;  ///< address space
};

struct ServerConfig {
  // Processes.
  bool fork = true;       ///< false: one process that does everything (fork=no, -D)
  bool daemon = true;     ///< false: stay in the foreground (-D, -DD)
  unsigned children = 1;  ///< datagram workers per UDP socket
  std::string user, group, work_dir = "/", chroot_dir, pid_file, pgid_file, statistics_file;
  bool core_dumps = true;
  std::int64_t open_files = 0;      ///< 0: leave as it is
  std::uint64_t segment_limit = 0;  ///< bytes; 0: 80 % of the memory
  /// exit_timeout: workers that go on so long after the order to stop are killed; ns; 0: never.
  Instant stop_grace = 900'000'000;
  /// shutdown_grace: how long what has begun may take to end before the workers are told to stop; ns.
  Instant shutdown_grace = 0;
  // What is kept of deaths, and what workers put around themselves.
  std::string config_file;  ///< absolute path of what was read
  std::string crash_dir;    ///< absolute or relative to work_dir; empty: no files
  unsigned crash_files = crash::CrashDirectory::kDefaultKept;
  crash::QuarantineLimits quarantine;
  std::uint32_t watchdog_ms = 250;  ///< CPU time; 0: none
  bool seccomp = false;
  bool offline = false;  ///< a replay: no socket is opened, nobody is asked for a name, no identity is taken
  std::optional<Simulated> simulated;  ///< set: offline is, too
  bool verbose_start = false;          ///< steps of the start at notice level instead of info
  // Logging.
  bool log_stderror = false;
  int log_level = 0;
  int log_facility = 0;
  int memory_log_level = 3;  ///< memlog, with Kamailio's numbers
  std::string log_name = "ser";
  // Network.
  std::vector<net::ListenSpec> listen;
  std::vector<std::uint32_t>
      listen_workers;  ///< parallel to `listen`: socket_workers in force there, 0: children
  std::vector<proxy::Alias> aliases;
  bool auto_aliases = false;
  bool auto_bind_ipv6 = false;  ///< without a listen line: IPv6 addresses too
  std::uint16_t port = 5060;
  net::ListenOptions socket_options;
  std::string advertised_host;  ///< of listeners without an advertise of their own
  std::uint16_t advertised_port = 0;
  net::ResolverOptions resolver;
  proxy::Settings settings;

  std::vector<std::string> errors;  ///< one clear line each; not empty: do not start
  std::vector<std::string> notices;
};

/// Merges both. In SER's dialect the file wins over the command line (SER start-up row 9), in Kamailio's the
/// command line over the file; -l, -D and -E add to or win over the file in both. Checks what can be checked
/// without touching the system.
ServerConfig make_server_config(const script::Configuration& configuration, const CommandLine& line);

/// The version as `-v`, the Server header field and the log say it.
std::string version_text();
/// Compiler, limits and libraries, for -I.
std::string build_text();

}  // namespace ser::srv
