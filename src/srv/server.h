// SPDX-License-Identifier: Apache-2.0
// Server: the start-up order, from a checked configuration to running workers and back (SER rows "startup
// order", "shutdown").
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/diagnostic.h"
#include "conf/source_map.h"
#include "srv/server_config.h"
#include "srv/shared.h"
#include "srv/spawner.h"
#include "srv/supervisor.h"

namespace ser::srv {

/// A configuration that was read and checked, with the modules it loaded.
struct Loaded {
  explicit Loaded(std::span<mod::ModuleSpec (*const)()> builtin) : registry(builtin) {}
  mod::Registry registry;
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  script::Configuration configuration;
};

/// How the command line wants the file read.
script::ParseOptions parse_options(const CommandLine& line);

/// Reads the file (or `text` under the file's name). Look at diagnostics.errors().
std::unique_ptr<Loaded> load_configuration(const CommandLine& line,
                                           std::span<mod::ModuleSpec (*const)()> builtin,
                                           std::optional<std::string> text = std::nullopt);

/// Builds what the workers share and runs them. Every step before the first fork can fail with one clear
/// line; then nothing is left behind.
class Server {
 public:
  Server(Loaded& loaded, ServerConfig config, Clock& clock, LogSink& sink);
  ~Server();

  /// Segment, counters, sockets, modules: everything before the first fork. False: `error()`.
  bool prepare();
  const std::string& error() const noexcept { return x_error; }
  /// Makes and opens crash_dir, with the rights of before the drop. For who forks workers; what fails costs
  /// the crash files, a warning says so.
  void open_crash_directory();
  /// "Listening on" and "Aliases", as SER prints them.
  std::string announcement() const;
  /// Runs until told to stop. Returns the exit status; 1 with `error()` when it did not come up.
  int run(Spawner& spawner, Daemonizer* daemonizer);
  /// For tests: the parts.
  Shared& shared() noexcept { return *x_shared; }
  const std::vector<Post>& posts() const noexcept { return x_posts; }
  const Identity& identity() const noexcept { return x_identity; }

 private:
  bool fail(std::string text);
  bool claim(PidFile& pid_file, PidFile& pgid_file);
  bool give_up_privileges(PidFile& pid_file, PidFile& pgid_file);
  bool prepare_identity();
  bool prepare_listeners();
  bool prepare_segment();
  bool prepare_sockets();
  bool prepare_modules();
  bool start_modules();
  bool renew();
  int supervise(Supervisor& supervisor, Daemonizer* daemonizer);
  void reserve_drop_cells();
  void report_memory();
  void collect_names();
  void advertise();
  void tell_step(const std::string& text);
  void lay_out_posts();
  void add_aliases();

  Loaded& x_loaded;
  ServerConfig x_config;
  Clock& x_clock;
  LogSink& x_sink;
  Logger x_log;
  Identity x_identity;
  std::vector<net::InterfaceAddress> x_interfaces;
  net::ListenTable x_table;
  std::vector<std::uint32_t> x_workers;  ///< by SocketId
  std::unique_ptr<Shared> x_shared;
  std::vector<Post> x_posts;
  std::string x_error;
  HashKey x_branch_key{};  ///< of the first segment: Via branches must prove themselves on a later one too
  HashKey x_fingerprint_key{};  ///< of the first segment, so that the quarantine holds on a later one
  Fd x_crash_directory;
  bool x_modules_started = false;
};

}  // namespace ser::srv
