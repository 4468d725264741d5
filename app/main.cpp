// SPDX-License-Identifier: Apache-2.0
// The program: command line, configuration, and whichever of checking, printing, testing, replaying and
// serving was asked for.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "app/builtin_modules.h"
#include "flow/test_command.h"
#include "mod/registry.h"
#include "srv/command_line.h"
#include "srv/reference.h"
#include "srv/replay.h"
#include "srv/server.h"

namespace {

using namespace ser;

void print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
}

/// Pages that are no module's.
constexpr std::pair<std::string_view, std::string_view> kPages[] = {
    {"core-parameters", "Every core parameter of SER 0.8 and Kamailio 5.6."},
    {"statistics", "Every statistic, of the core and of modules."}};

/// Up to the first full stop at the end of a line or before a blank.
std::string_view first_sentence(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ends = i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n';
    if (text[i] == '\n') return text.substr(0, i);
    if (text[i] == '.' && ends) return text.substr(0, i + 1);
  }
  return text;
}

/// Reference pages: kPages, a module, "core", "list" of the names, "man" and "man-test" for the options of
/// the man page.
int print_doc(const std::string& name) {
  const mod::Registry registry(app::builtin_modules());
  if (name == "man") {
    print(stdout, srv::man_options());
    return 0;
  }
  if (name == "man-test") {
    print(stdout, srv::man_test_options());
    return 0;
  }
  if (name == "core-parameters") {
    print(stdout, srv::core_parameters_page());
    return 0;
  }
  if (name == "statistics") {
    print(stdout, srv::statistics_page(registry.builtin()));
    return 0;
  }
  if (name == "list") {
    for (const auto& [page, summary] : kPages) print(stdout, fmt::format("{:<16} {}\n", page, summary));
    for (const mod::ModuleSpec& spec : registry.builtin())
      print(stdout, fmt::format("{:<16} {}\n", spec.name, first_sentence(spec.summary)));
    return 0;
  }
  const mod::ModuleSpec* spec = registry.find_builtin(mod::module_base_name(name));
  if (spec == nullptr) {
    print(stderr, fmt::format("ser: there is no module '{}'; 'ser --doc=list' lists them\n", name));
    return 1;
  }
  print(stdout, mod::reference_page(*spec));
  return 0;
}

int check(srv::Loaded& loaded) {
  const script::Configuration& configuration = loaded.configuration;
  if (!configuration.dialect_reason.empty())
    print(stderr, fmt::format("read in {}'s dialect: {}\n", script::to_string(configuration.dialect),
                              configuration.dialect_reason));
  const conf::Diagnostics& found = loaded.diagnostics;
  if (found.errors() + found.warnings() == 0) print(stderr, "0 errors, 0 warnings\n");
  if (loaded.diagnostics.errors() != 0) return 1;
  print(stderr, "config file ok, exiting...\n");
  return 0;
}

/// The configuration after includes and preprocessor.
int print_config(const srv::CommandLine& line) {
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  script::DiskSourceReader reader;
  print(stdout,
        script::print_preprocessed(line.config_file, reader, srv::parse_options(line), sources, diagnostics));
  print(stderr, conf::print(diagnostics, sources));
  return diagnostics.errors() == 0 ? 0 : 1;
}

/// Everything that ends before a server is built. -1: go on.
int run_task(const srv::CommandLine& line) {
  for (const std::string& error : line.errors) print(stderr, fmt::format("ser: error: {}\n", error));
  if (!line.errors.empty()) return line.task == srv::Task::test ? 2 : 1;
  for (const std::string& notice : line.notices) print(stderr, fmt::format("ser: notice: {}\n", notice));
  switch (line.task) {
    case srv::Task::help:
      print(stdout, srv::help_text());
      return 0;
    case srv::Task::test_help:
      print(stdout, srv::test_help_text());
      return 0;
    case srv::Task::version:
      print(stdout, fmt::format("version: ser {} (x86_64/linux)\n", SER_VERSION));
      return 0;
    case srv::Task::build_info:
      print(stdout, srv::build_text());
      return 0;
    case srv::Task::completion:
      print(stdout, srv::completion_script(line.completion_shell));
      return 0;
    case srv::Task::doc:
      return print_doc(line.doc_module);
    default:
      return -1;
  }
}

/// A start that fails late says so where it was started from.
int run(srv::Server& server, srv::Spawner& spawner, srv::Daemonizer* daemonizer) {
  const int status = server.run(spawner, daemonizer);
  if (!server.error().empty()) print(stderr, fmt::format("ser: error: {}\n", server.error()));
  return status;
}

int serve(srv::Loaded& loaded, const srv::CommandLine& line, srv::ProcessTitle& title) {
  srv::ServerConfig config = srv::make_server_config(loaded.configuration, line);
  for (const std::string& notice : config.notices) print(stderr, fmt::format("ser: notice: {}\n", notice));
  for (const std::string& error : config.errors) print(stderr, fmt::format("ser: error: {}\n", error));
  if (!config.errors.empty()) return 1;

  SystemClock clock;
  const std::string log_name = config.log_name;
  std::unique_ptr<LogSink> sink;
  if (config.log_stderror)
    sink = std::make_unique<FdLogSink>(STDERR_FILENO);
  else
    sink = std::make_unique<SyslogSink>(log_name.c_str(), config.log_facility);
  const bool forks = config.fork;
  const bool daemon = config.daemon;
  const bool keeps_stderr = config.log_stderror;
  const std::string chroot_dir = config.chroot_dir;
  srv::Server server(loaded, std::move(config), clock, *sink);
  srv::Supervisor::block_signals();
  if (!server.prepare()) {
    print(stderr, fmt::format("ser: error: {}\n", server.error()));
    return 1;
  }
  print(stdout, server.announcement());
  std::fflush(stdout);

  srv::Daemonizer daemonizer;
  if (daemon) {
    if (auto detached = daemonizer.detach(keeps_stderr); !detached) {
      print(stderr, fmt::format("ser: error: cannot become a daemon: {}\n", detached.error().what));
      return 1;
    }
  }
  Logger log(*sink, LogLevel::notice);
  title.set("ser: attendant");
  if (forks) {
    server.open_crash_directory();
    srv::ForkSpawner spawner(log, title, {server.identity(), chroot_dir, daemon, keeps_stderr});
    return run(server, spawner, daemon ? &daemonizer : nullptr);
  }
  srv::ThreadSpawner spawner;
  return run(server, spawner, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  srv::secure_standard_descriptors();
  const srv::CommandLine line =
      srv::parse_command_line({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
  if (const int status = run_task(line); status >= 0) return status;

  if (line.task == srv::Task::test) return flow::run_tests(line, app::builtin_modules());
  if (line.task == srv::Task::replay) return srv::replay(line, app::builtin_modules());
  if (line.task == srv::Task::print_config) return print_config(line);
  const std::unique_ptr<srv::Loaded> loaded = srv::load_configuration(line, app::builtin_modules());
  print(stderr, conf::print(loaded->diagnostics, loaded->sources));
  if (line.task == srv::Task::check) return check(*loaded);
  if (loaded->diagnostics.errors() != 0 || loaded->configuration.program == nullptr) return 1;
  srv::ProcessTitle title(argc, argv, &environ);
  return serve(*loaded, line, title);
}
