// SPDX-License-Identifier: Apache-2.0
// Core parameters that are known and have no effect, each with the reason. Internal: see core_parameter.h.
#pragma once
#include "conf/core_parameter.h"

namespace ser::conf::detail {

using enum ParameterOrigin;
using enum ParameterType;

inline constexpr std::int64_t kAnyNumber = 0x7FFFFFFF;
inline constexpr std::string_view kNoTcp = "TCP is not built yet";
inline constexpr std::string_view kNoTls = "TLS is not built yet";
inline constexpr std::string_view kNoSctp = "SCTP is not supported";
inline constexpr std::string_view kMemory = "memory is one segment that grows by itself and checks itself";
inline constexpr std::string_view kCache = "the resolver's cache sizes and cleans itself";
inline constexpr std::string_view kBlocklist = "destinations are not put on a block list";
inline constexpr std::string_view kRealTime = "processes sleep in the kernel and need no real-time priority";
inline constexpr std::string_view kMulticast = "multicast is not supported";
inline constexpr std::string_view kRaw = "packets leave in batches on the socket itself, which is faster";
inline constexpr std::string_view kPreference =
    "the order of transports comes from the records of the destination";
inline constexpr std::string_view kVariables =
    "values of variables live in the message's arena and have no fixed buffers";
inline constexpr std::string_view kStart = "workers start at once, after everything was checked";
inline constexpr std::string_view kAsync =
    "functions that wait suspend the script; event workers go on with it";
inline constexpr std::string_view kLatency =
    "time is measured for each batch of messages: statistic core.script_microseconds";
inline constexpr std::string_view kStun = "STUN is not supported";

constexpr CoreParameter no_effect(std::string_view name, ParameterType type, std::string_view reason,
                                  ParameterOrigin origin = kamailio) {
  return {name, type, ParameterStatus::accepted, origin, -kAnyNumber, kAnyNumber, "", reason};
}

inline constexpr CoreParameter kAccepted[] = {
    // TCP
    no_effect("disable_tcp", boolean, kNoTcp),
    no_effect("tcp_children", integer, kNoTcp),
    no_effect("tcp_accept_aliases", boolean, kNoTcp),
    no_effect("tcp_accept_unique", boolean, kNoTcp),
    no_effect("tcp_accept_no_cl", boolean, kNoTcp),
    no_effect("tcp_accept_hep3", boolean, kNoTcp),
    no_effect("tcp_accept_haproxy", boolean, kNoTcp),
    no_effect("tcp_accept_iplimit", integer, kNoTcp),
    no_effect("tcp_buf_write", boolean, kNoTcp),
    no_effect("tcp_check_timer", integer, kNoTcp),
    no_effect("tcp_clone_rcvbuf", boolean, kNoTcp),
    no_effect("tcp_conn_wq_max", size, kNoTcp),
    no_effect("tcp_connect_timeout", integer, kNoTcp),
    no_effect("tcp_connection_lifetime", integer, kNoTcp),
    no_effect("tcp_connection_match", integer, kNoTcp),
    no_effect("tcp_crlf_ping", boolean, kNoTcp),
    no_effect("tcp_defer_accept", integer, kNoTcp),
    no_effect("tcp_delayed_ack", boolean, kNoTcp),
    no_effect("tcp_fd_cache", boolean, kNoTcp),
    no_effect("tcp_keepalive", boolean, kNoTcp),
    no_effect("tcp_keepcnt", integer, kNoTcp),
    no_effect("tcp_keepidle", integer, kNoTcp),
    no_effect("tcp_keepintvl", integer, kNoTcp),
    no_effect("tcp_linger2", integer, kNoTcp),
    no_effect("tcp_max_connections", integer, kNoTcp),
    no_effect("tcp_no_connect", boolean, kNoTcp),
    no_effect("tcp_poll_method", string, kNoTcp),
    no_effect("tcp_rd_buf_size", size, kNoTcp),
    no_effect("tcp_reuse_port", boolean, kNoTcp),
    no_effect("tcp_script_mode", integer, kNoTcp),
    no_effect("tcp_send_timeout", integer, kNoTcp),
    no_effect("tcp_source_ipv4", string, kNoTcp),
    no_effect("tcp_source_ipv6", string, kNoTcp),
    no_effect("tcp_syncnt", integer, kNoTcp),
    no_effect("tcp_wait_data", integer, kNoTcp),
    no_effect("tcp_wq_blk_size", size, kNoTcp),
    no_effect("tcp_wq_max", size, kNoTcp),
    no_effect("udp_mtu", integer, "large requests stay on UDP: TCP is not built yet"),
    no_effect("udp_mtu_try_proto", string, "large requests stay on UDP: TCP is not built yet"),
    // TLS
    no_effect("disable_tls", boolean, kNoTls),
    no_effect("enable_tls", boolean, kNoTls),
    no_effect("tls_ca_list", string, kNoTls),
    no_effect("tls_certificate", string, kNoTls),
    no_effect("tls_handshake_timeout", integer, kNoTls),
    no_effect("tls_max_connections", integer, kNoTls),
    no_effect("tls_method", string, kNoTls),
    no_effect("tls_port_no", integer, kNoTls),
    no_effect("tls_private_key", string, kNoTls),
    no_effect("tls_require_certificate", boolean, kNoTls),
    no_effect("tls_send_timeout", integer, kNoTls),
    no_effect("tls_threads_mode", integer, "workers are processes: TLS needs no locks between threads"),
    no_effect("tls_verify", boolean, kNoTls),
    no_effect("tlslog", integer, kNoTls),
    // SCTP
    no_effect("disable_sctp", boolean, kNoSctp),
    no_effect("enable_sctp", integer, kNoSctp),
    no_effect("sctp_children", integer, kNoSctp),
    no_effect("sctp_socket_rcvbuf", size, kNoSctp),
    no_effect("sctp_socket_sndbuf", size, kNoSctp),
    no_effect("sctp_autoclose", integer, kNoSctp),
    no_effect("sctp_send_ttl", integer, kNoSctp),
    no_effect("sctp_send_retries", integer, kNoSctp),
    no_effect("sctp_max_assocs", integer, kNoSctp),
    // memory
    no_effect("memdbg", integer, kMemory),
    no_effect("mem_summary", integer, kMemory),
    no_effect("mem_safety", integer, kMemory),
    no_effect("mem_join", integer, kMemory),
    no_effect("mem_status_mode", integer, kMemory),
    no_effect("shm_mem_size", integer,
              "memory needs no size; the limit is -m or 80 % of what the machine allows"),
    no_effect("shm_force_alloc", boolean, kMemory),
    no_effect("mlock_pages", boolean, kMemory),
    no_effect("sql_buffer_size", size, "statements have no fixed buffers"),
    no_effect("pv_buffer_size", size, kVariables),
    no_effect("pv_buffer_slots", integer, kVariables),
    no_effect("pv_cache_limit", integer, kVariables),
    no_effect("pv_cache_action", integer, kVariables),
    // processes
    no_effect("rundir", string, "there are no control sockets yet; pid_file and -P name a file of their own"),
    no_effect("real_time", integer, kRealTime),
    no_effect("rt_prio", integer, kRealTime),
    no_effect("rt_policy", integer, kRealTime),
    no_effect("rt_timer1_prio", integer, kRealTime),
    no_effect("rt_timer1_policy", integer, kRealTime),
    no_effect("rt_timer2_prio", integer, kRealTime),
    no_effect("rt_timer2_policy", integer, kRealTime),
    no_effect("fork_delay", integer, kStart),
    no_effect("modinit_delay", integer, kStart),
    no_effect("wait_worker1_mode", integer, kStart),
    no_effect("wait_worker1_time", integer, kStart),
    no_effect("wait_worker1_usleep", integer, kStart),
    no_effect("async_workers", integer, kAsync),
    no_effect("async_workers_group", string, kAsync),
    no_effect("async_usleep", integer, kAsync),
    no_effect("async_nonblock", boolean, kAsync),
    no_effect("route_locks_size", integer, "calls of one dialog are not serialised by Call-ID"),
    no_effect("udp_receiver_mode", integer, "workers receive by themselves, in batches"),
    no_effect("udp4_raw", integer, kRaw),
    no_effect("udp4_raw_mtu", integer, kRaw),
    no_effect("udp4_raw_ttl", integer, kRaw),
    no_effect("cfgengine", string, "scripts are written in this language only"),
    // logging
    no_effect("log_prefix_mode", integer, "log_prefix is evaluated once for each message"),
    no_effect("latency_log", integer, kLatency),
    no_effect("latency_cfg_log", integer, kLatency),
    no_effect("latency_limit_action", integer, kLatency),
    no_effect("latency_limit_cfg", integer, kLatency),
    no_effect("latency_limit_db", integer, "no database is asked yet"),
    no_effect("corelog", integer, "messages of the core have levels of their own"),
    no_effect("log_color", boolean, "lines carry no colours"),
    no_effect("log_engine_type", string, "lines go to syslog or standard error"),
    no_effect("log_engine_data", string, "lines go to syslog or standard error"),
    no_effect("sip_parser_log", integer, "malformed messages are counted by reason"),
    no_effect("sip_parser_log_oneline", integer, "malformed messages are counted by reason"),
    no_effect("sip_parser_mode", integer, "the parser follows RFC 3261 always"),
    no_effect("stats_name_separator", string, "names of statistics are group:name"),
    // messages
    no_effect("syn_branch", boolean, "stateless branches are always computed from the request", both),
    no_effect("user_agent_header", string, "no requests are made here yet"),
    no_effect("server_id", integer, "nothing reads it yet"),
    no_effect("uri_host_extra_chars", string, "hosts hold what RFC 3261 25.1 allows, and `_`"),
    no_effect("onsend_route_reply", boolean, "onsend_route is not run yet"),
    no_effect("http_reply_parse", boolean, "HTTP replies are read by the module that asked"),
    no_effect("msg_time", integer, "every message carries its time of arrival"),
    no_effect("phone2tel", boolean, "`user=phone` is compared as RFC 3261 19.1.4 says"),
    no_effect("hdr_name_extra_chars", string, "header field names hold all bytes of a token, no others"),
    no_effect("xavp_via_params", string, "further Via parameters cannot be added yet"),
    no_effect("xavp_via_fields", string, "Via fields cannot be changed from variables yet"),
    no_effect("xavp_via_reply_params", string, "further Via parameters cannot be added yet"),
    no_effect("ipv6_hex_style", string, "IPv6 addresses are printed as RFC 5952 says"),
    no_effect("version_table", string, "our tables carry their own version"),
    no_effect("loop_checks", boolean, "loops are noticed by the Via branch always", ser),
    no_effect("rpc_exec_delta", integer, "commands have no least distance"),
    // resolver
    no_effect("use_dns_failover", boolean,
              "a request is sent to one destination; the next is tried with transactions"),
    no_effect("dns_try_naptr", boolean,
              "SRV, A and AAAA records are asked for; NAPTR comes with further transports"),
    no_effect("dns_srv_lb", boolean, "the first usable SRV record is taken"),
    no_effect("dns_servers_no", integer, "all name servers of resolv.conf are used"),
    no_effect("dns_use_search_list", boolean,
              "names are looked up as they are written, without a search list"),
    no_effect("dns_slow_query_ms", integer, "no worker waits for a name server"),
    no_effect("use_dns_cache", boolean, "answers are always remembered: workers read them there", kamailio),
    no_effect("dns_udp_pref", integer, kPreference),
    no_effect("dns_tcp_pref", integer, kPreference),
    no_effect("dns_tls_pref", integer, kPreference),
    no_effect("dns_sctp_pref", integer, kPreference),
    no_effect("dns_naptr_ignore_rfc", boolean, kPreference),
    no_effect("dns_search_full_match", boolean, "names of the search list are matched in full"),
    no_effect("dns_cache_init", boolean, kCache),
    no_effect("dns_cache_flags", integer, kCache),
    no_effect("dns_cache_mem", integer, kCache),
    no_effect("dns_cache_gc_interval", integer, kCache),
    no_effect("dns_cache_del_nonexp", boolean, kCache),
    no_effect("dns_cache_rec_pref", integer, kCache),
    no_effect("dst_blacklist_init", boolean, kBlocklist),
    no_effect("use_dst_blacklist", boolean, kBlocklist),
    no_effect("dst_blacklist_mem", integer, kBlocklist),
    no_effect("dst_blacklist_expire", integer, kBlocklist),
    no_effect("dst_blacklist_gc_interval", integer, kBlocklist),
    no_effect("dst_blacklist_udp_imask", integer, kBlocklist),
    no_effect("dst_blacklist_tcp_imask", integer, kBlocklist),
    no_effect("dst_blacklist_tls_imask", integer, kBlocklist),
    no_effect("dst_blacklist_sctp_imask", integer, kBlocklist),
    no_effect("dst_blocklist_init", boolean, kBlocklist),
    no_effect("use_dst_blocklist", boolean, kBlocklist),
    no_effect("dst_blocklist_mem", integer, kBlocklist),
    no_effect("dst_blocklist_expire", integer, kBlocklist),
    no_effect("dst_blocklist_gc_interval", integer, kBlocklist),
    no_effect("dst_blocklist_udp_imask", integer, kBlocklist),
    no_effect("dst_blocklist_tcp_imask", integer, kBlocklist),
    no_effect("dst_blocklist_tls_imask", integer, kBlocklist),
    no_effect("dst_blocklist_sctp_imask", integer, kBlocklist),
    // others
    no_effect("bind_ipv6_link_local", integer,
              "link-local addresses need an interface beside them and are not bound"),
    no_effect("mcast", string, kMulticast),
    no_effect("mcast_loopback", boolean, kMulticast),
    no_effect("mcast_ttl", integer, kMulticast),
    no_effect("stun_refresh_interval", integer, kStun),
    no_effect("stun_allow_stun", boolean, kStun),
    no_effect("stun_allow_fp", boolean, kStun),
    no_effect("unix_sock", string, "control commands come with the accounts", ser),
    no_effect("unix_sock_user", string_or_number, "control commands come with the accounts", ser),
    no_effect("unix_sock_group", string_or_number, "control commands come with the accounts", ser),
    no_effect("unix_sock_mode", integer, "control commands come with the accounts", ser),
    no_effect("fifo_user", string_or_number, "control commands come with the accounts", ser),
    no_effect("fifo_group", string_or_number, "control commands come with the accounts", ser),
    no_effect("fifo_dir", string, "control commands come with the accounts", ser),
    no_effect("fifo_db_url", string, "control commands come with the accounts", ser),
};

}  // namespace ser::conf::detail
