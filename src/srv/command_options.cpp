// SPDX-License-Identifier: Apache-2.0
#include "srv/command_options.h"

#include "base/text.h"

namespace ser::srv {

namespace {

using Line = CommandLine;
using Text = std::string_view;

template <auto Member>
std::string text(Line& line, Text value) {
  if (value.empty()) return "is empty";
  line.*Member = std::string(value);
  return {};
}
template <auto Member>
std::string add(Line& line, Text value) {
  if (value.empty()) return "is empty";
  (line.*Member).emplace_back(value);
  return {};
}
template <auto Member>
std::string on(Line& line, Text) {
  line.*Member = true;
  return {};
}
template <Task kTask>
std::string task(Line& line, Text) {
  line.task = kTask;
  return {};
}
template <auto Member, std::int64_t kMin, std::int64_t kMax>
std::string number(Line& line, Text value) {
  const bool negative = value.starts_with('-');
  const auto parsed = parse_u32(negative ? value.substr(1) : value, 0x7FFFFFFF);
  if (!parsed) return "is not a number";
  const std::int64_t wide =
      negative ? -static_cast<std::int64_t>(*parsed) : static_cast<std::int64_t>(*parsed);
  if (wide < kMin || wide > kMax)
    return "is out of range (" + std::to_string(kMin) + " to " + std::to_string(kMax) + ")";
  line.*Member = wide;
  return {};
}

std::string nothing(Line&, Text) {
  return {};
}

std::string config_file(Line& line, Text value) {
  if (value.empty()) return "is empty";
  line.config_file = std::string(value);
  line.config_file_given = true;
  return {};
}
std::string auto_aliases(Line& line, Text value) {
  if (value == "yes" || value == "on")
    line.auto_aliases = true;
  else if (value == "no" || value == "off")
    line.auto_aliases = false;
  else
    return "must be yes, on, no or off";
  return {};
}
std::string daemon_level(Line& line, Text) {
  line.daemon_level = line.daemon_level_given ? line.daemon_level + 1 : 1;
  line.daemon_level_given = true;
  return line.daemon_level == 4  // said once, however many there are
             ? "too many -D: -D does not fork, -DD stays in the foreground, -DDD is the default"
             : "";
}
std::string debug_step(Line& line, Text) {
  ++line.debug_steps;
  return {};
}
std::string modparam(Line& line, Text value) {
  CommandModparam param;
  Text rest = value;
  param.module = std::string(split_off(rest, ':'));
  param.parameter = std::string(split_off(rest, ':'));
  const Text type = split_off(rest, ':');
  param.value = std::string(rest);
  if (param.module.empty() || param.parameter.empty() || (type != "s" && type != "i")) {
    return "must be MODULE:PARAMETER:TYPE:VALUE with type s (text) or i (number)";
  }
  param.is_text = type == "s";
  if (!param.is_text && !parse_u64(rest.starts_with('-') ? rest.substr(1) : rest))
    return "value is not a number";
  line.modparams.push_back(std::move(param));
  return {};
}
std::string dialect(Line& line, Text value) {
  if (value != "ser" && value != "kamailio") return "must be ser or kamailio";
  line.dialect = std::string(value);
  return {};
}
std::string doc(Line& line, Text value) {
  line.task = Task::doc;
  line.doc_module = std::string(value);
  return value.empty() ? "is empty" : "";
}
std::string completion(Line& line, Text value) {
  line.task = Task::completion;
  line.completion_shell = std::string(value);
  return value == "bash" || value == "zsh" || value == "fish" ? "" : "must be bash, zsh or fish";
}

constexpr Text kNoTcp = "TCP is not built yet";
constexpr Text kNoSctp = "SCTP is not built yet";
constexpr Text kNoAllocators = "ser has one allocator of its own and no private pool";

constexpr CommandOption kOptions[] = {
    {'f', "", "FILE", "Configuration file (default /etc/ser/ser.cfg).", "", config_file},
    {'c', "check", "", "Check the configuration, print every diagnostic, exit 0 or 1.", "",
     task<Task::check>},
    {'l', "listen", "ADDRESS",
     "Listen on [proto:]host[:port][/advertised[:port]]; host may be an interface. Repeatable.", "",
     add<&Line::listen>},
    {'p', "", "PORT", "Port of listen addresses that name none (default 5060).", "",
     number<&Line::port, 1, 65535>},
    {'n', "", "NUMBER", "Datagram workers per UDP socket (default: the CPUs this process may use).", "",
     number<&Line::children, 1, 1024>},
    {'a', "", "MODE", "Auto aliases: yes, on, no or off.", "", auto_aliases},
    {0, "alias", "NAME", "Also answer to [proto:]host[:port]. Repeatable.", "", add<&Line::aliases>},
    {'A', "", "DEFINE", "Preprocessor definition NAME or NAME=VALUE. Repeatable.", "", add<&Line::defines>},
    {0, "subst", "EXPR", "Preprocessor substitution, as #!subst.", "",
     [](Line& line, Text v) {
       line.substs.push_back("subst:" + std::string(v));
       return std::string();
     }},
    {0, "substdef", "EXPR", "Substitution and definition, as #!substdef.", "",
     [](Line& line, Text v) {
       line.substs.push_back("substdef:" + std::string(v));
       return std::string();
     }},
    {0, "substdefs", "EXPR", "As --substdef, the definition being a quoted string.", "",
     [](Line& line, Text v) {
       line.substs.push_back("substdefs:" + std::string(v));
       return std::string();
     }},
    {0, "loadmodule", "NAME", "Load a module, as loadmodule in the configuration. Repeatable.", "",
     add<&Line::load_modules>},
    {0, "modparam", "M:P:T:V",
     "Set a module parameter: module:parameter:type:value, type s or i. Repeatable.", "", modparam},
    {'L', "", "PATH", "Where to look for modules that are not built in.", "", text<&Line::module_path>},
    {0, "dialect", "NAME", "Read the file as ser or kamailio, whatever its first line says.", "", dialect},
    {0, "strict", "", "Warnings of the configuration are errors.", "", on<&Line::strict>},
    {0, "cfg-print", "", "Print the configuration after includes and preprocessor, and exit.", "",
     task<Task::print_config>},
    {'D', "", "", "-D: do not fork at all; -DD: workers, but stay in the foreground; -DDD: daemon (default).",
     "", daemon_level},
    {'E', "", "", "Log to standard error.", "", on<&Line::log_stderror>},
    {'e', "", "", "Colours in the log on standard error.", "lines carry no colours", on<&Line::log_colors>},
    {'d', "", "", "One debug level more. Repeatable.", "", debug_step},
    {0, "debug", "LEVEL", "Debug level: 3 debug, 2 info, 1 notice, 0 warning, -1 error.", "",
     number<&Line::debug, -5, 10>},
    {'P', "", "FILE", "Write the process id of the supervisor to FILE.", "", text<&Line::pid_file>},
    {'G', "", "FILE", "Write the process group id to FILE.", "", text<&Line::pgid_file>},
    {'u', "", "USER", "User the workers run as.", "", text<&Line::user>},
    {'g', "", "GROUP", "Group the workers run as.", "", text<&Line::group>},
    {'w', "", "DIR", "Working directory (default /).", "", text<&Line::work_dir>},
    {'t', "", "DIR", "Change the root of the workers to DIR.", "", text<&Line::chroot_dir>},
    {'Y', "", "DIR", "Runtime directory for sockets and pipes.",
     "there are no control sockets yet; -P names a file of its own", text<&Line::run_dir>},
    {'m', "", "MEGABYTES", "Limit of the shared segment (default: 80 % of the memory this process may use).",
     "", number<&Line::shared_megabytes, 1, 1048576>},
    {'M', "", "MEGABYTES", "Private memory.", kNoAllocators, number<&Line::private_megabytes, 1, 1048576>},
    {'x', "", "NAME", "Allocator of the shared memory.", kNoAllocators, nothing},
    {'X', "", "NAME", "Allocator of the private memory.", kNoAllocators, nothing},
    {'b', "", "BYTES", "Largest UDP receive buffer to ask the kernel for (default 262144).", "",
     number<&Line::max_buffer, 2048, 1073741824>},
    {'K', "", "", "Responses must have us in their first Via (check_via).", "", on<&Line::check_via>},
    {'r', "", "", "Use DNS to compare Via's host with the source address.", "", on<&Line::dns>},
    {'R', "", "", "As -r, by reverse look-up.", "", on<&Line::rev_dns>},
    {'i', "", "FILE", "FIFO for control commands (SER).", "the FIFO is not built yet", text<&Line::fifo>},
    {'s', "", "FILE", "File that SIGUSR1 writes the statistics to (SER).", "", text<&Line::statistics_file>},
    {0, "server-id", "NUMBER", "Value of server_id.", "nothing reads it yet",
     number<&Line::server_id, 0, 2147483647>},
    {0, "log-engine", "NAME", "Log engine.", "logs go to syslog or standard error", text<&Line::log_engine>},
    {0, "atexit", "MODE", "Exit handlers of libraries.", "workers leave by _exit and run none", nothing},
    {'N', "", "NUMBER", "TCP workers.", kNoTcp, nothing},
    {'Q', "", "NUMBER", "SCTP workers.", kNoSctp, nothing},
    {'T', "", "", "Disable TCP.", kNoTcp, nothing},
    {'S', "", "", "Disable SCTP.", kNoSctp, nothing},
    {'W', "", "TYPE", "Poll method.", "datagram workers block in the receive call, event workers use epoll",
     nothing},
    {'O', "", "LEVEL", "Script optimisation level.", "scripts are always compiled", nothing},
    {0, "doc", "MODULE",
     "Print the reference page of a module or of core, core-parameters, statistics ('list' names all) and "
     "exit.",
     "", doc},
    {0, "completion", "SHELL", "Print a completion script for bash, zsh or fish and exit.", "", completion},
    {'v', "version", "", "Print the version and exit.", "", task<Task::version>},
    {'V', "", "", "As -v.", "", task<Task::version>},
    {'I', "", "", "Print version, compiler and limits and exit.", "", task<Task::build_info>},
    {'h', "help", "", "Print this help and exit.", "", task<Task::help>},
};

std::string number_text(Text value, std::int64_t& out) {
  const auto parsed = parse_u64(value);
  if (!parsed || *parsed > static_cast<std::uint64_t>(INT64_MAX)) return "is not a number";
  out = static_cast<std::int64_t>(*parsed);
  return {};
}

constexpr CommandOption kTestOptions[] = {
    {0, "filter", "PATTERN",
     "Only scenarios whose name holds it; with * or ?, whose name it matches as a whole.", "",
     [](Line& line, Text v) {
       line.test.filter = std::string(v);
       return std::string();
     }},
    {0, "list", "", "List the scenarios and do not run them.", "",
     [](Line& line, Text) {
       line.test.list = true;
       return std::string();
     }},
    {'v', "verbose", "", "The diagram of messages and the log of passed scenarios, too.", "",
     [](Line& line, Text) {
       line.test.verbose = true;
       return std::string();
     }},
    {0, "seed", "NUMBER", "Seed of everything random, instead of the file's (default 1).", "",
     [](Line& line, Text v) {
       std::int64_t seed = 0;
       std::string wrong = number_text(v, seed);
       if (wrong.empty()) line.test.seed = seed;
       return wrong;
     }},
    {0, "coverage", "[=FILE]",
     "Print which script lines ran and which did not; with FILE, write them there in lcov's format.", "",
     [](Line& line, Text v) {
       line.test.coverage = true;
       line.test.coverage_file = std::string(v);
       return std::string();
     }},
    {0, "junit", "FILE", "Write the results as JUnit XML.", "",
     [](Line& line, Text v) {
       line.test.junit_file = std::string(v);
       return std::string(v.empty() ? "is empty" : "");
     }},
    {'A', "", "DEFINE", "Preprocessor definition NAME or NAME=VALUE for every server. Repeatable.", "",
     add<&Line::defines>},
    {'L', "", "PATH", "Where to look for modules that are not built in.", "", text<&Line::module_path>},
    {0, "dialect", "NAME", "Read configurations as ser or kamailio, whatever their first line says.", "",
     dialect},
    {0, "strict", "", "Warnings of configurations are errors.", "", on<&Line::strict>},
    {'h', "help", "", "Print this help and exit.", "", task<Task::test_help>},
};

}  // namespace

std::span<const CommandOption> command_options() noexcept {
  return kOptions;
}

std::span<const CommandOption> test_options() noexcept {
  return kTestOptions;
}

const CommandOption* find_option(std::span<const CommandOption> options, char letter) noexcept {
  for (const CommandOption& option : options) {
    if (option.letter == letter) return &option;
  }
  return nullptr;
}

const CommandOption* find_option(std::span<const CommandOption> options, std::string_view name) noexcept {
  for (const CommandOption& option : options) {
    if (!name.empty() && option.name == name) return &option;
  }
  return nullptr;
}

std::string_view nearest_option(std::span<const CommandOption> options, std::string_view name) noexcept {
  std::string_view best;
  unsigned best_distance = 3;
  for (const CommandOption& option : options) {
    if (option.name.empty()) continue;
    const unsigned distance = edit_distance(name, option.name, 3);
    if (distance < best_distance) {
      best_distance = distance;
      best = option.name;
    }
  }
  return best;
}

}  // namespace ser::srv
