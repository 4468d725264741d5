// SPDX-License-Identifier: Apache-2.0
#include "srv/server_config.h"

#include <gtest/gtest.h>
#include <syslog.h>

#include <cstdlib>

#include "srv/server.h"

namespace ser::srv {
namespace {

struct Built {
  std::unique_ptr<Loaded> loaded;
  ServerConfig config;
};

Built build(const std::string& text, std::vector<const char*> words = {}) {
  static constexpr mod::ModuleSpec (*kBuiltin[])() = {script::describe_core};
  const CommandLine line = parse_command_line(words);
  EXPECT_TRUE(line.errors.empty()) << line.errors.front();
  Built built;
  built.loaded = load_configuration(line, kBuiltin, text);
  EXPECT_EQ(built.loaded->diagnostics.errors(), 0U)
      << conf::print(built.loaded->diagnostics, built.loaded->sources);
  built.config = make_server_config(built.loaded->configuration, line);
  return built;
}
ServerConfig ser_file(const std::string& text, std::vector<const char*> words = {}) {
  return build("#!SER\n" + text + "\nroute { drop; }\n", std::move(words)).config;
}
ServerConfig kamailio_file(const std::string& text, std::vector<const char*> words = {}) {
  return build("#!KAMAILIO\n" + text + "\nrequest_route { drop; }\n", std::move(words)).config;
}
/// "host:port host:port …"
std::string listeners(const ServerConfig& config) {
  std::string out;
  for (const net::ListenSpec& spec : config.listen)
    out += (out.empty() ? "" : " ") + spec.host + ":" + std::to_string(spec.port);
  return out;
}

TEST(ServerConfig, Defaults) {
  for (const ServerConfig& config : {ser_file(""), kamailio_file("")}) {
    EXPECT_TRUE(config.fork);
    EXPECT_TRUE(config.daemon);
    EXPECT_EQ(config.children, usable_cpus());
    EXPECT_EQ(config.work_dir, "/");
    EXPECT_EQ(config.port, 5060);
    EXPECT_EQ(config.log_facility, LOG_DAEMON);
    EXPECT_TRUE(config.settings.receive_checks);
    EXPECT_TRUE(config.settings.server_signature);
    EXPECT_FALSE(config.settings.relay_stray_replies);
    EXPECT_FALSE(config.settings.check_via);
    EXPECT_EQ(config.settings.max_branches, 16);
    EXPECT_EQ(config.settings.max_message_size, 65535U);
    EXPECT_EQ(config.settings.server_header.find("Server: ser ("), 0U);
    EXPECT_TRUE(config.errors.empty());
  }
  EXPECT_TRUE(ser_file("").settings.sip_warning) << "SER's default";
  EXPECT_FALSE(kamailio_file("").settings.sip_warning);
}

TEST(ServerConfig, SersFileWinsOverTheCommandLine) {
  const std::vector<const char*> words = {"-n", "3",      "-p", "5099", "-b", "4096",
                                          "-u", "nobody", "-w", "/tmp", "-s", "/c"};
  const ServerConfig said = ser_file(
      "children=2\nport=5070\nmaxbuffer=8192\nuser=\"daemon\"\nworkdir=\"/var\"\nstatistics=\"/f\"", words);
  EXPECT_EQ(said.children, 2U);
  EXPECT_EQ(said.port, 5070);
  EXPECT_EQ(said.socket_options.rcvbuf, 8192U);
  EXPECT_EQ(said.user, "daemon");
  EXPECT_EQ(said.work_dir, "/var");
  EXPECT_EQ(said.statistics_file, "/f");
  const ServerConfig silent = ser_file("", words);
  EXPECT_EQ(silent.children, 3U);
  EXPECT_EQ(silent.port, 5099);
  EXPECT_EQ(silent.socket_options.rcvbuf, 4096U);
  EXPECT_EQ(silent.user, "nobody");
  EXPECT_EQ(silent.work_dir, "/tmp");
  EXPECT_EQ(silent.statistics_file, "/c");
}

TEST(ServerConfig, KamailiosCommandLineWinsOverTheFile) {
  const ServerConfig config =
      kamailio_file("children=2\nport=5070\nuser=\"daemon\"\nlisten=udp:127.0.0.1",
                    {"-n", "3", "-p", "5099", "-u", "nobody", "-m", "64", "-P", "/run/x.pid"});
  EXPECT_EQ(config.children, 3U);
  EXPECT_EQ(config.port, 5099);
  EXPECT_EQ(listeners(config), "127.0.0.1:5099");
  EXPECT_EQ(config.user, "nobody");
  EXPECT_EQ(config.segment_limit, std::uint64_t{64} << 20);
  EXPECT_EQ(config.pid_file, "/run/x.pid");
}

TEST(ServerConfig, PortActsOnTheLastListenAndWhatFollows) {
  EXPECT_EQ(
      listeners(ser_file(
          "listen=127.0.0.1\nlisten=127.0.0.2\nport=5080\nlisten=127.0.0.3\nport=5090\nlisten=127.0.0.4")),
      "127.0.0.1:5060 127.0.0.2:5080 127.0.0.3:5090 127.0.0.4:5090");
  EXPECT_EQ(listeners(ser_file("port=5070\nlisten=127.0.0.1")), "127.0.0.1:5070");
  EXPECT_EQ(listeners(ser_file("listen=udp:127.0.0.1:5061\nport=5070\nlisten=127.0.0.2")),
            "127.0.0.1:5061 127.0.0.2:5070")
      << "a port of its own stays";
  EXPECT_EQ(listeners(ser_file("listen=127.0.0.1", {"-p", "5077"})), "127.0.0.1:5077");
  EXPECT_EQ(listeners(kamailio_file("listen=udp:127.0.0.1\nport=5080\nlisten=udp:127.0.0.2\nport=5090")),
            "127.0.0.1:5090 127.0.0.2:5090")
      << "Kamailio: one port for all, the last one said";
}

TEST(ServerConfig, ListenersOfTheCommandLineAreAdded) {
  const ServerConfig config =
      kamailio_file("listen=udp:127.0.0.1:5061", {"-l", "127.0.0.2", "-l", "udp:[::1]:5071"});
  EXPECT_EQ(listeners(config), "127.0.0.1:5061 127.0.0.2:5060 ::1:5071");
  EXPECT_EQ(config.listen_workers.size(), config.listen.size());
}

TEST(ServerConfig, WorkersPerSocketNameAdvertiseAlias) {
  const ServerConfig config = kamailio_file(
      "socket_workers=3\nlisten=udp:127.0.0.1:5061 advertise sip.example.com:5090 name \"inner\"\n"
      "listen=udp:[::1]:5062\nalias=\"example.com\"\nalias=udp:example.org:5061\nauto_aliases=no",
      {"--alias", "more.example"});
  EXPECT_EQ(config.listen_workers, (std::vector<std::uint32_t>{3, 0}));
  EXPECT_EQ(config.listen[0].advertised_host, "sip.example.com");
  EXPECT_EQ(config.listen[0].advertised_port, 5090);
  EXPECT_EQ(config.listen[0].name, "inner");
  EXPECT_EQ(config.listen[1].host, "::1");
  ASSERT_EQ(config.aliases.size(), 3U);
  EXPECT_EQ(config.aliases[0].host, "example.com");
  EXPECT_EQ(config.aliases[1].port, 5061);
  EXPECT_EQ(config.aliases[1].proto, Proto::udp);
  EXPECT_EQ(config.aliases[2].host, "more.example");
}

TEST(ServerConfig, WhereCrashFilesGo) {
  ASSERT_EQ(::setenv("STATE_DIRECTORY", "/srv/a:/srv/b", 1), 0);
  EXPECT_EQ(ser_file("").crash_dir, "/srv/a/crashes");
  EXPECT_EQ(ser_file("state_dir=\"/srv/mine\"").crash_dir, "/srv/mine/crashes");
  EXPECT_EQ(ser_file("crash_dir=\"here\"").crash_dir, "here");
  EXPECT_EQ(ser_file("crash_dir=\"\"").crash_dir, "");
  ASSERT_EQ(::unsetenv("STATE_DIRECTORY"), 0);
  EXPECT_FALSE(ser_file("").crash_dir.empty());
}

TEST(ServerConfig, WhatIsDoneAboutDeaths) {
  const ServerConfig usual = kamailio_file("");
  EXPECT_EQ(usual.crash_files, 100U);
  EXPECT_EQ(usual.quarantine.deaths, 3U);
  EXPECT_EQ(usual.quarantine.time, 600'000'000'000);
  EXPECT_EQ(usual.watchdog_ms, 250U);
  EXPECT_FALSE(usual.seccomp);
}

TEST(ServerConfig, DebugLevels) {
  EXPECT_EQ(kamailio_file("debug=2").log_level, 2);
  EXPECT_EQ(kamailio_file("debug=-1").log_level, -1);
  EXPECT_EQ(kamailio_file("debug=2", {"--debug=1"}).log_level, 1);
  EXPECT_EQ(kamailio_file("debug=1", {"-dd"}).log_level, 3);
  EXPECT_LT(ser_file("debug=0").log_level, ser_file("debug=4").log_level);
  EXPECT_EQ(ser_file("debug=4").log_level, static_cast<int>(LogLevel::debug)) << "SER's L_DBG is 4";
  EXPECT_EQ(ser_file("debug=3", {"--debug=-1"}).log_level, ser_file("debug=3").log_level) << "the file wins";
}

TEST(ServerConfig, ForkAndDaemon) {
  EXPECT_FALSE(ser_file("fork=no").fork);
  EXPECT_FALSE(ser_file("fork=no").daemon);
  const ServerConfig foreground = kamailio_file("", {"-DD", "-E"});
  EXPECT_TRUE(foreground.fork);
  EXPECT_FALSE(foreground.daemon);
  EXPECT_TRUE(foreground.log_stderror);
  EXPECT_FALSE(kamailio_file("fork=yes", {"-D"}).fork);
}

TEST(ServerConfig, EveryErrorIsOneLine) {
  const ServerConfig config =
      kamailio_file("log_facility=\"LOG_NOWHERE\"\ntos=\"IPTOS_MAGIC\"\nserver_header=\"no field\"",
                    {"-l", "udp:[::1", "--alias", "udp:"});
  EXPECT_EQ(config.errors.size(), 5U);
  for (const std::string& error : config.errors) EXPECT_EQ(error.find('\n'), std::string::npos) << error;
}

TEST(ServerConfig, TextsOfTheProgram) {
  EXPECT_NE(version_text().find(SER_VERSION), std::string::npos);
  EXPECT_NE(build_text().find("compiler: "), std::string::npos);
}

}  // namespace
}  // namespace ser::srv
