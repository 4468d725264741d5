// SPDX-License-Identifier: Apache-2.0
// Core parameters that have an effect now or with a part that is named, and the look-up of all of them.
#include "conf/core_parameter.h"

#include <algorithm>
#include <array>

#include "conf/core_parameter_accepted.h"

namespace ser::conf {
namespace {

using enum ParameterOrigin;
using enum ParameterStatus;
using enum ParameterType;

constexpr std::int64_t kAny = 0x7FFFFFFF;

constexpr CoreParameter kHonoured[] = {
    // logging
    {"debug", integer, honoured, both, -5, 9, "0",
     "how much is logged, from -5 (alerts only) to 3 (everything); SER's numbers are one higher"},
    {"log_stderror", boolean, honoured, both, 0, 0, "no", "log to standard error instead of syslog"},
    {"log_facility", string, honoured, kamailio, 0, 0, "LOG_DAEMON",
     "syslog facility, LOG_LOCAL0 for example"},
    {"log_name", string, honoured, kamailio, 0, 0, "ser", "program name in syslog"},
    {"log_prefix", string, honoured, kamailio, 0, 0, "",
     "format put before every line while a message is worked on; evaluated once for each message"},
    {"memlog", integer, honoured, both, -5, 9, "3",
     "level of the lines about the use of the segment at the end"},
    {"statistics", string, honoured, ser, 0, 0, "",
     "file that SIGUSR1 writes the statistics to, anew each time"},
    {"verbose_startup", boolean, honoured, kamailio, 0, 0, "no",
     "log the steps of the start at notice level instead of info"},
    // processes
    {"fork", boolean, honoured, both, 0, 0, "yes", "no: one process in the foreground that does everything"},
    {"children", integer, honoured, both, 1, 1024, "CPUs",
     "workers for each UDP socket; default: the CPUs this process may use"},
    {"socket_workers", integer, honoured, kamailio, 1, 1024, "",
     "workers for the sockets of the next listen line; default: children"},
    {"user", string_or_number, honoured, both, 0, 0, "", "user the workers run as"},
    {"group", string_or_number, honoured, both, 0, 0, "", "group the workers run as"},
    {"chroot", string, honoured, kamailio, 0, 0, "",
     "directory the workers take as their root; the supervisor stays outside"},
    {"workdir", string, honoured, both, 0, 0, "/", "working directory"},
    {"pid_file", string, honoured, ours, 0, 0, "", "file that holds the supervisor's process id; -P wins"},
    {"state_dir", string, honoured, ours, 0, 0, "",
     "directory for what outlives the server; default: that of the service manager ($STATE_DIRECTORY), "
     "/var/lib/ser for root, $XDG_STATE_HOME/ser or ~/.local/state/ser for others"},
    {"crash_dir", string, honoured, ours, 0, 0, "",
     "directory for the files that tell of a worker's death; default: crashes in state_dir; \"\": no files"},
    {"crash_files", integer, honoured, ours, 1, 100000, "100", "crash files that are kept, the newest"},
    {"crash_quarantine_deaths", integer, honoured, ours, 0, 1000, "3",
     "deaths after which messages that look like the deadly one are dropped; 0: never"},
    {"crash_quarantine_time", integer, honoured, ours, 1, 86400, "600", "seconds they are dropped for"},
    {"worker_watchdog", integer, honoured, ours, 0, 60000, "250",
     "milliseconds of CPU time: a worker that has one message in hand for two of them is ended; 0: never"},
    {"worker_seccomp", boolean, honoured, ours, 0, 0, "no",
     "yes: the kernel refuses workers to run programs and to open files for writing"},
    {"disable_core_dump", boolean, honoured, kamailio, 0, 0, "no", "yes: no core files"},
    {"open_files_limit", integer, honoured, kamailio, 64, kAny, "",
     "limit of open descriptors of each process"},
    {"exit_timeout", integer, honoured, kamailio, 0, 3600, "1",
     "seconds within which a stop is over: workers that go on are killed before; 0: wait for them"},
    {"shutdown_grace", integer, honoured, ours, 0, 86400, "0",
     "seconds that transactions may take to end when the server is to stop, before the stop begins; new "
     "requests are answered 503 meanwhile; 0: stop at once"},
    // sockets
    {"listen", sockets, honoured, both, 0, 0, "",
     "sockets to open: [proto:]host[:port] [advertise host[:port]]"},
    {"alias", sockets, honoured, both, 0, 0, "", "names that are this server, for `myself`"},
    {"auto_aliases", boolean, honoured, kamailio, 0, 0, "no",
     "add the reverse names of the listen addresses; asks name servers while starting"},
    {"port", integer, honoured, both, 1, 65535, "5060", "port of listen lines that name none"},
    {"mhomed", boolean, honoured, kamailio, 0, 0, "no",
     "choose the sending socket by the kernel's routing table"},
    {"tos", string_or_number, honoured, kamailio, 0, 255, "16",
     "type of service of outgoing packets: a number or IPTOS_LOWDELAY, IPTOS_THROUGHPUT, IPTOS_RELIABILITY, "
     "IPTOS_MINCOST, IPTOS_DSCP_EF"},
    {"ip_free_bind", integer, honoured, kamailio, 0, 2, "0",
     "bind to addresses that this machine does not have yet"},
    {"auto_bind_ipv6", boolean, honoured, kamailio, 0, 0, "no",
     "without a listen line bind the IPv6 addresses too, not only IPv4"},
    {"maxbuffer", size, honoured, both, 0, kAny, "262144",
     "limit of the receive buffer of a UDP socket, in bytes"},
    {"pmtu_discovery", integer, honoured, kamailio, 0, 2, "0",
     "1: set the don't-fragment bit on IPv4; 0: large datagrams leave in fragments"},
    {"reuse_port", boolean, honoured, ours, 0, 0, "no", "a socket for each worker (many-core machines)"},
    {"advertised_address", string, honoured, kamailio, 0, 0, "",
     "host in Via and Record-Route instead of the socket's, where a listen line has no advertise"},
    {"advertised_port", integer, honoured, kamailio, 1, 65535, "",
     "port in Via and Record-Route instead of the socket's, where a listen line has no advertise"},
    // messages
    {"max_message_size", size, honoured, ours, 512, 65535, "65535", "largest message; `max_len` of scripts"},
    {"receive_checks", boolean, honoured, ours, 0, 0, "yes",
     "basic sanity checks of every datagram before parsing"},
    {"relay_stray_replies", boolean, honoured, ours, 0, 0, "no", "forward responses whose Via is not ours"},
    {"check_via", boolean, honoured, both, 0, 0, "no",
     "responses must bear one of our hosts in their first Via"},
    {"reply_to_via", boolean, honoured, both, 0, 0, "no",
     "local replies go to the host in the Via, not to the source address"},
    {"force_rport", boolean, honoured, kamailio, 0, 0, "no", "treat every request as if it asked for rport"},
    {"local_rport", boolean, honoured, kamailio, 0, 0, "no", "add rport to our own Via"},
    {"sip_warning", boolean, honoured, both, 0, 0, "",
     "put a Warning header field into local replies; default: yes in SER scripts, no in Kamailio scripts"},
    {"server_signature", boolean, honoured, both, 0, 0, "yes", "put Server into local replies"},
    {"server_header", string, honoured, kamailio, 0, 0, "Server: ser (VERSION (x86_64/linux))",
     "the whole Server header field"},
    {"max_branches", integer, honoured, kamailio, 1, 31, "16", "branches of one request"},
    {"max_while_loops", integer, honoured, kamailio, 1, kAny, "100", "rounds of a while statement"},
    {"max_suspended", integer, honoured, ours, 0, 1000000, "10000",
     "script runs that wait at a time; beyond, functions fail instead of waiting; 0: none waits"},
    {"overload_batches", integer, honoured, ours, 0, 1000000, "128",
     "full receive batches (of 16) in a row from which on new INVITE, REGISTER and SUBSCRIBE are answered "
     "503; 0: "
     "never"},
    {"overload_retry_after", integer, honoured, ours, 1, 3600, "5",
     "least Retry-After of such a 503 and of one for want of memory, in seconds; at most twice that, spread "
     "over the "
     "callers"},
    {"max_recursive_level", integer, honoured, kamailio, 1, 256, "",
     "route blocks called inside of each other; default: 10 in SER scripts, 256 in Kamailio scripts"},
    // names
    {"dns", boolean, honoured, both, 0, 0, "no",
     "accept a name in the first Via that resolves to the source: no received is added then"},
    {"rev_dns", boolean, honoured, both, 0, 0, "no", "accept it when it is the source's reverse name"},
    {"dns_try_ipv6", boolean, honoured, kamailio, 0, 0, "yes", "ask for AAAA records of destinations too"},
    {"dns_retr_time", integer, honoured, kamailio, 1, 60, "1",
     "seconds before a name server is asked again, doubled each time"},
    {"dns_retr_no", integer, honoured, kamailio, 1, 10, "3", "times a name server is asked"},
    {"dns_servers", string, honoured, ours, 0, 0, "",
     "name servers to ask instead of those in /etc/resolv.conf: \"192.0.2.53,[2001:db8::1]:5353\""},
    {"dns_suspend_timeout", integer, honoured, ours, 1, 60000, "5000",
     "milliseconds a script waits for a name it sends to; then the function fails"},
    {"dns_cache_negative_ttl", integer, honoured, kamailio, 0, kAny, "60",
     "seconds a missing name is remembered"},
    {"dns_cache_min_ttl", integer, honoured, kamailio, 0, kAny, "1",
     "least time to live of a record, in seconds"},
    {"dns_cache_max_ttl", integer, honoured, kamailio, 1, kAny, "86400",
     "greatest time to live of a record, in seconds"},
    // modules
    {"mpath", string, honoured, kamailio, 0, 0, "",
     "where shared objects of modules are looked for, folders separated by colons"},
    // named now, built with a later part
    {"fifo", string, later, ser, 0, 0, "", "comes with the accounts and control commands"},
    {"fifo_mode", integer, later, ser, 0, 4095, "666", "comes with the accounts and control commands"},
};

struct Alias {
  std::string_view alias;
  std::string_view name;
};
constexpr Alias kAliases[] = {
    {"uid", "user"},
    {"gid", "group"},
    {"wdir", "workdir"},
    {"run_dir", "rundir"},
    {"mem_log", "memlog"},
    {"mem_dbg", "memdbg"},
    {"core_log", "corelog"},
    {"ipfreebind", "ip_free_bind"},
    {"ip_nonlocal_bind", "ip_free_bind"},
    {"ser_kill_timeout", "exit_timeout"},
    {"loadpath", "mpath"},
    {"dns_srv_loadbalancing", "dns_srv_lb"},
    {"dns_udp_preference", "dns_udp_pref"},
    {"dns_tcp_preference", "dns_tcp_pref"},
    {"dns_tls_preference", "dns_tls_pref"},
    {"dns_sctp_preference", "dns_sctp_pref"},
    {"dns_cache_delete_nonexpired", "dns_cache_del_nonexp"},
    {"dst_blacklist_ttl", "dst_blacklist_expire"},
    {"dst_blocklist_ttl", "dst_blocklist_expire"},
    {"tcp_async", "tcp_buf_write"},
    {"tls_disable", "disable_tls"},
    {"tls_enable", "enable_tls"},
    {"tls_log", "tlslog"},
    {"shm", "shm_mem_size"},
    {"shm_mem", "shm_mem_size"},
    {"rt_fast_timer_prio", "rt_timer1_prio"},
    {"rt_ftimer_prio", "rt_timer1_prio"},
    {"rt_ftimer_policy", "rt_timer1_policy"},
    {"rt_stimer_prio", "rt_timer2_prio"},
    {"rt_stimer_policy", "rt_timer2_policy"},
    {"http_reply_hack", "http_reply_parse"},
    {"pidfile", "pid_file"},
};

const CoreParameter* find_in(std::span<const CoreParameter> table, std::string_view name) noexcept {
  const auto found =
      std::find_if(table.begin(), table.end(), [name](const CoreParameter& one) { return one.name == name; });
  return found == table.end() ? nullptr : &*found;
}

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kHonoured) + std::size(detail::kAccepted) + std::size(kAliases)>
      names{};
  std::size_t count = 0;
  for (const CoreParameter& one : kHonoured) names[count++] = one.name;
  for (const CoreParameter& one : detail::kAccepted) names[count++] = one.name;
  for (const Alias& one : kAliases) names[count++] = one.alias;
  return names;
}();

}  // namespace

std::span<const CoreParameter> honoured_parameters() noexcept {
  return kHonoured;
}
std::span<const CoreParameter> accepted_parameters() noexcept {
  return detail::kAccepted;
}
std::span<const std::string_view> core_parameter_names() noexcept {
  return kNames;
}

const CoreParameter* find_core_parameter(std::string_view name) noexcept {
  for (const Alias& one : kAliases) {
    if (one.alias == name) name = one.name;
  }
  const CoreParameter* found = find_in(kHonoured, name);
  return found != nullptr ? found : find_in(accepted_parameters(), name);
}

}  // namespace ser::conf
