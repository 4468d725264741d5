// SPDX-License-Identifier: Apache-2.0
// Every core parameter that is said to have an effect reaches the settings it works by, with the default the
// reference page gives. What those settings then do: tests/blackbox/test_listen.py and test_parameters.py.
#include <gtest/gtest.h>
#include <syslog.h>

#include <set>

#include "conf/core_parameter.h"
#include "mod/registry.h"
#include "srv/reference.h"
#include "srv/server.h"
#include "srv/server_config.h"

namespace ser::srv {
namespace {

/// The settings a text gives; `mark` is its first line.
ServerConfig config_of(const std::string& text, const std::string& mark = "#!KAMAILIO",
                       const CommandLine& line = {}) {
  const auto loaded = load_configuration(line, {}, mark + "\n" + text + "\nrequest_route { exit; }\n");
  EXPECT_EQ(loaded->diagnostics.errors(), 0U) << conf::print(loaded->diagnostics, loaded->sources);
  return make_server_config(loaded->configuration, line);
}

ServerConfig ser_config_of(const std::string& text, const CommandLine& line = {}) {
  const auto loaded = load_configuration(line, {}, "#!SER\n" + text + "\nroute { break; }\n");
  EXPECT_EQ(loaded->diagnostics.errors(), 0U) << conf::print(loaded->diagnostics, loaded->sources);
  return make_server_config(loaded->configuration, line);
}

struct Row {
  std::string_view name;
  const char* text;                             ///< a setting that differs from the default
  bool (*has_effect)(const ServerConfig& one);  ///< true with `text`, false without
};

constexpr Row kRows[] = {
    {"debug", "debug=2", [](const ServerConfig& c) { return c.log_level == 2; }},
    {"log_stderror", "log_stderror=yes", [](const ServerConfig& c) { return c.log_stderror; }},
    {"log_facility", "log_facility=LOG_LOCAL3",
     [](const ServerConfig& c) { return c.log_facility == LOG_LOCAL3; }},
    {"log_name", "log_name=\"edge\"", [](const ServerConfig& c) { return c.log_name == "edge"; }},
    {"memlog", "memlog=1", [](const ServerConfig& c) { return c.memory_log_level == 1; }},
    {"statistics", "statistics=\"/run/s\"",
     [](const ServerConfig& c) { return c.statistics_file == "/run/s"; }},
    {"verbose_startup", "verbose_startup=yes", [](const ServerConfig& c) { return c.verbose_start; }},
    {"fork", "fork=no", [](const ServerConfig& c) { return !c.fork && !c.daemon; }},
    {"children", "children=77", [](const ServerConfig& c) { return c.children == 77; }},
    {"socket_workers", "socket_workers=3\nlisten=127.0.0.1",
     [](const ServerConfig& c) { return !c.listen_workers.empty() && c.listen_workers[0] == 3; }},
    {"user", "user=sip", [](const ServerConfig& c) { return c.user == "sip"; }},
    {"group", "group=12", [](const ServerConfig& c) { return c.group == "12"; }},
    {"chroot", "chroot=\"/srv\"", [](const ServerConfig& c) { return c.chroot_dir == "/srv"; }},
    {"workdir", "workdir=\"/srv\"", [](const ServerConfig& c) { return c.work_dir == "/srv"; }},
    {"pid_file", "pid_file=\"/run/p\"", [](const ServerConfig& c) { return c.pid_file == "/run/p"; }},
    {"state_dir", "state_dir=\"/srv/s\"",
     [](const ServerConfig& c) { return c.crash_dir == "/srv/s/crashes"; }},
    {"crash_dir", "crash_dir=\"/srv/c\"", [](const ServerConfig& c) { return c.crash_dir == "/srv/c"; }},
    {"crash_files", "crash_files=7", [](const ServerConfig& c) { return c.crash_files == 7; }},
    {"crash_quarantine_deaths", "crash_quarantine_deaths=0",
     [](const ServerConfig& c) { return c.quarantine.deaths == 0; }},
    {"crash_quarantine_time", "crash_quarantine_time=60",
     [](const ServerConfig& c) { return c.quarantine.time == 60'000'000'000; }},
    {"worker_watchdog", "worker_watchdog=0", [](const ServerConfig& c) { return c.watchdog_ms == 0; }},
    {"worker_seccomp", "worker_seccomp=yes", [](const ServerConfig& c) { return c.seccomp; }},
    {"disable_core_dump", "disable_core_dump=yes", [](const ServerConfig& c) { return !c.core_dumps; }},
    {"open_files_limit", "open_files_limit=500", [](const ServerConfig& c) { return c.open_files == 500; }},
    {"shutdown_grace", "shutdown_grace=30",
     [](const ServerConfig& c) { return c.shutdown_grace == 30'000'000'000; }},
    {"exit_timeout", "exit_timeout=3", [](const ServerConfig& c) { return c.stop_grace == 2'900'000'000; }},
    {"listen", "listen=udp:127.0.0.1:5070 advertise a.example:5071 name \"n\"",
     [](const ServerConfig& c) {
       return c.listen.size() == 1 && c.listen[0].host == "127.0.0.1" && c.listen[0].port == 5070 &&
              c.listen[0].advertised_host == "a.example" && c.listen[0].advertised_port == 5071 &&
              c.listen[0].name == "n";
     }},
    {"alias", "alias=udp:a.example:5071",
     [](const ServerConfig& c) {
       return c.aliases.size() == 1 && c.aliases[0].host == "a.example" && c.aliases[0].port == 5071;
     }},
    {"auto_aliases", "auto_aliases=yes", [](const ServerConfig& c) { return c.auto_aliases; }},
    {"port", "port=5070", [](const ServerConfig& c) { return c.port == 5070; }},
    {"mhomed", "mhomed=1", [](const ServerConfig& c) { return c.settings.mhomed; }},
    {"tos", "tos=IPTOS_DSCP_EF", [](const ServerConfig& c) { return c.socket_options.tos == 0xB8; }},
    {"ip_free_bind", "ip_free_bind=1", [](const ServerConfig& c) { return c.socket_options.free_bind; }},
    {"auto_bind_ipv6", "auto_bind_ipv6=1", [](const ServerConfig& c) { return c.auto_bind_ipv6; }},
    {"maxbuffer", "maxbuffer=99999", [](const ServerConfig& c) { return c.socket_options.rcvbuf == 99999; }},
    {"pmtu_discovery", "pmtu_discovery=1",
     [](const ServerConfig& c) { return c.socket_options.dont_fragment; }},
    {"reuse_port", "reuse_port=yes", [](const ServerConfig& c) { return c.socket_options.reuse_port; }},
    {"advertised_address", "advertised_address=\"a.example\"",
     [](const ServerConfig& c) { return c.advertised_host == "a.example"; }},
    {"advertised_port", "advertised_port=5071",
     [](const ServerConfig& c) { return c.advertised_port == 5071; }},
    {"max_message_size", "max_message_size=4096",
     [](const ServerConfig& c) { return c.settings.max_message_size == 4096; }},
    {"receive_checks", "receive_checks=no", [](const ServerConfig& c) { return !c.settings.receive_checks; }},
    {"relay_stray_replies", "relay_stray_replies=yes",
     [](const ServerConfig& c) { return c.settings.relay_stray_replies; }},
    {"check_via", "check_via=1", [](const ServerConfig& c) { return c.settings.check_via; }},
    {"reply_to_via", "reply_to_via=1", [](const ServerConfig& c) { return c.settings.reply_to_via; }},
    {"force_rport", "force_rport=yes", [](const ServerConfig& c) { return c.settings.force_rport; }},
    {"local_rport", "local_rport=yes", [](const ServerConfig& c) { return c.settings.local_rport; }},
    {"sip_warning", "sip_warning=1", [](const ServerConfig& c) { return c.settings.sip_warning; }},
    {"server_signature", "server_signature=no",
     [](const ServerConfig& c) { return !c.settings.server_signature; }},
    {"server_header", "server_header=\"Server: mine\"",
     [](const ServerConfig& c) { return c.settings.server_header == "Server: mine"; }},
    {"max_branches", "max_branches=3", [](const ServerConfig& c) { return c.settings.max_branches == 3; }},
    {"max_while_loops", "max_while_loops=3",
     [](const ServerConfig& c) { return c.settings.max_while_loops == 3; }},
    {"max_suspended", "max_suspended=3", [](const ServerConfig& c) { return c.settings.max_suspended == 3; }},
    {"overload_batches", "overload_batches=3",
     [](const ServerConfig& c) { return c.settings.overload_batches == 3; }},
    {"overload_retry_after", "overload_retry_after=7",
     [](const ServerConfig& c) { return c.settings.overload_retry_after == 7; }},
    {"max_recursive_level", "max_recursive_level=3",
     [](const ServerConfig& c) { return c.settings.max_recursive_level == 3; }},
    {"dns", "dns=yes", [](const ServerConfig& c) { return c.settings.dns; }},
    {"rev_dns", "rev_dns=yes", [](const ServerConfig& c) { return c.settings.rev_dns; }},
    {"dns_try_ipv6", "dns_try_ipv6=no", [](const ServerConfig& c) { return !c.settings.dns_try_ipv6; }},
    {"dns_retr_time", "dns_retr_time=4", [](const ServerConfig& c) { return c.resolver.timeout_ms == 4000; }},
    {"dns_retr_no", "dns_retr_no=7", [](const ServerConfig& c) { return c.resolver.tries == 7; }},
    {"dns_servers", "dns_servers=\"127.0.0.1:5353,[::1]\"",
     [](const ServerConfig& c) { return c.errors.empty() && c.resolver.servers == "127.0.0.1:5353,[::1]"; }},
    {"dns_suspend_timeout", "dns_suspend_timeout=70",
     [](const ServerConfig& c) { return c.settings.name_wait == 70'000'000; }},
    {"dns_cache_negative_ttl", "dns_cache_negative_ttl=7",
     [](const ServerConfig& c) { return c.resolver.negative_ttl == 7; }},
    {"dns_cache_min_ttl", "dns_cache_min_ttl=7",
     [](const ServerConfig& c) { return c.resolver.min_ttl == 7; }},
    {"dns_cache_max_ttl", "dns_cache_max_ttl=77",
     [](const ServerConfig& c) { return c.resolver.max_ttl == 77; }},
};

/// Their effect is on reading the configuration: script tests (log_prefix), mod tests (mpath).
constexpr std::string_view kElsewhere[] = {"log_prefix", "mpath"};

TEST(Parameters, each_has_its_effect) {
  for (const Row& row : kRows) {
    EXPECT_FALSE(row.has_effect(config_of(""))) << row.name;
    EXPECT_TRUE(row.has_effect(config_of(row.text))) << row.name;
  }
}

TEST(Parameters, none_is_said_to_have_an_effect_that_is_not_tested) {
  std::set<std::string_view> tested(std::begin(kElsewhere), std::end(kElsewhere));
  for (const Row& row : kRows) tested.insert(row.name);
  for (const conf::CoreParameter& one : conf::honoured_parameters()) {
    if (one.status == conf::ParameterStatus::honoured) {
      EXPECT_EQ(tested.count(one.name), 1U) << one.name;
    }
  }
}

TEST(Parameters, defaults_are_those_of_the_reference_page) {
  // Written as a setting, a default changes nothing.
  const ServerConfig bare = config_of("");
  for (const conf::CoreParameter& one : conf::honoured_parameters()) {
    if (one.default_value.empty() || one.name == "children" || one.status != conf::ParameterStatus::honoured)
      continue;
    const bool text = one.type == conf::ParameterType::string && one.name != "log_facility";
    if (one.name == "server_header") continue;  // shown with VERSION in it
    const std::string line = std::string(one.name) + "=" + (text ? "\"" : "") +
                             std::string(one.default_value) + (text ? "\"" : "");
    const ServerConfig same = config_of(line);
    for (const Row& row : kRows)
      EXPECT_EQ(row.has_effect(same), row.has_effect(bare)) << line << ' ' << row.name;
    EXPECT_EQ(same.stop_grace, bare.stop_grace) << line;
    EXPECT_EQ(same.log_level, bare.log_level) << line;
    EXPECT_EQ(same.memory_log_level, bare.memory_log_level) << line;
    EXPECT_EQ(same.port, bare.port) << line;
    EXPECT_EQ(same.socket_options.tos, bare.socket_options.tos) << line;
    EXPECT_EQ(same.socket_options.rcvbuf, bare.socket_options.rcvbuf) << line;
    EXPECT_EQ(same.settings.max_branches, bare.settings.max_branches) << line;
    EXPECT_EQ(same.settings.max_while_loops, bare.settings.max_while_loops) << line;
    EXPECT_EQ(same.settings.max_message_size, bare.settings.max_message_size) << line;
    EXPECT_EQ(same.resolver.timeout_ms, bare.resolver.timeout_ms) << line;
    EXPECT_EQ(same.resolver.tries, bare.resolver.tries) << line;
    EXPECT_EQ(same.resolver.min_ttl, bare.resolver.min_ttl) << line;
    EXPECT_EQ(same.resolver.max_ttl, bare.resolver.max_ttl) << line;
    EXPECT_EQ(same.resolver.negative_ttl, bare.resolver.negative_ttl) << line;
    EXPECT_EQ(same.work_dir, bare.work_dir) << line;
    EXPECT_EQ(same.log_name, bare.log_name) << line;
    EXPECT_EQ(same.log_facility, bare.log_facility) << line;
  }
  EXPECT_EQ(bare.children, usable_cpus());
}

TEST(Parameters, dialects_differ_where_the_page_says) {
  EXPECT_EQ(config_of("debug=2").log_level, 2);
  EXPECT_EQ(ser_config_of("debug=3").log_level, 2);
  EXPECT_EQ(ser_config_of("memlog=2").memory_log_level, 1);
  EXPECT_TRUE(ser_config_of("").settings.sip_warning);
  EXPECT_FALSE(config_of("").settings.sip_warning);
  EXPECT_EQ(ser_config_of("").settings.max_recursive_level, 10);
  EXPECT_EQ(config_of("").settings.max_recursive_level, 256);
  EXPECT_EQ(ser_config_of("listen=127.0.0.1\nport=5070").listen.at(0).port, 5070);
  CommandLine line;
  line.children = 5;
  EXPECT_EQ(ser_config_of("children=3", line).children, 3U);
  EXPECT_EQ(config_of("children=3", "#!KAMAILIO", line).children, 5U);
}

TEST(Parameters, numbers_may_be_quoted) {
  EXPECT_EQ(config_of("children=\"6\"").children, 6U);
}

TEST(Parameters, exit_timeout_of_zero_waits) {
  EXPECT_EQ(config_of("").stop_grace, 900'000'000);
  EXPECT_EQ(config_of("exit_timeout=0").stop_grace, 0);
}

TEST(Reference, pages_hold_every_name) {
  const std::string parameters = core_parameters_page();
  for (const std::string_view name : conf::core_parameter_names())
    EXPECT_NE(parameters.find("`" + std::string(name) + "`"), std::string::npos) << name;
  const mod::Registry registry{{}};
  const std::string statistics = statistics_page(registry.builtin());
  for (const char* name : {"`core.rcv_requests`", "`net.kernel_drops`", "`shm.used`"})
    EXPECT_NE(statistics.find(name), std::string::npos) << name;
}

}  // namespace
}  // namespace ser::srv
