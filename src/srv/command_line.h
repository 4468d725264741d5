// SPDX-License-Identifier: Apache-2.0
// The command line: Kamailio 5.6's letters and long options, SER's -i, -s and -p, and ours. One table says
// everything: parsing,
// --help, shell completion and the man page are made from it.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ser::srv {

/// What the program is asked to do.
enum class Task : std::uint8_t {
  serve,
  help,
  version,
  build_info,
  check,
  print_config,
  doc,
  completion,
  replay,
  test,
  test_help
};

/// --modparam=module:parameter:type:value
struct CommandModparam {
  std::string module, parameter, value;
  bool is_text = true;
};

/// What follows "test".
struct TestOptions {
  std::vector<std::string> files;
  std::string coverage_file, junit_file, filter;
  std::optional<std::int64_t> seed;
  bool coverage = false, list = false, verbose = false;
};

/// The command line as typed; nothing is resolved. Empty and nullopt: not given.
struct CommandLine {
  Task task = Task::serve;
  std::string config_file = "/etc/ser/ser.cfg";
  bool config_file_given = false;
  std::string replay_file;  ///< of Task::replay
  TestOptions test;         ///< of Task::test
  std::vector<std::string> listen, aliases, defines, substs, load_modules;
  std::vector<CommandModparam> modparams;
  std::string module_path, pid_file, pgid_file, user, group, work_dir, chroot_dir, run_dir, fifo,
      statistics_file, dialect, doc_module, completion_shell, log_engine;
  std::optional<std::int64_t> children, port, max_buffer, shared_megabytes, private_megabytes, debug,
      server_id;
  std::optional<bool> auto_aliases;
  int debug_steps = 0;   ///< number of -d
  int daemon_level = 3;  ///< number of D: 1 no fork, 2 stay in the foreground, 3 daemon
  bool daemon_level_given = false;
  bool log_stderror = false, log_colors = false, check_via = false, dns = false, rev_dns = false,
       strict = false;
  std::vector<std::string> notices;  ///< options accepted without effect, each with the reason
  std::vector<std::string> errors;   ///< everything wrong, each with a hint; not empty: exit 1
};

/// Parses argv[1..]: options, or "replay FILE" and options, or "test FILE…" and its options. Collects all
/// errors.
CommandLine parse_command_line(std::span<const char* const> arguments);

/// The --help text, and that of `ser test --help`.
std::string help_text();
std::string test_help_text();
/// A completion script for "bash", "zsh" or "fish"; empty for another shell.
std::string completion_script(std::string_view shell);
/// The OPTIONS section of the man page, in mdoc-free roff; and that of `ser test`.
std::string man_options();
std::string man_test_options();

}  // namespace ser::srv
