// SPDX-License-Identifier: Apache-2.0
// Modules of the family from D to M: functions as name/arity@routes, parameters. See module_catalogue.h.
// clang-format off
#include "conf/module_catalogue.h"

namespace ser::conf::detail {
namespace {

constexpr ModuleFacts kModules[] = {
    {"db2_ops",
     "db_close/1 db_first/1 db_foreach/2 db_next/1 db_proper/0 db_query/1-2 db_seek/2",
     "db_url declare_handle declare_query"},
    {"db_berkeley",
     "",
     ""},
    {"db_cassandra",
     "",
     ""},
    {"db_cluster",
     "",
     "cluster connection inactive_interval max_query_length"},
    {"db_flatstore",
     "",
     "encode_delimiter flush"},
    {"db_mongodb",
     "",
     ""},
    {"db_mysql",
     "",
     "auto_reconnect insert_delayed opt_ssl_mode ping_interval server_timezone timeout_interval "
     "update_affected_found"},
    {"db_oracle",
     "",
     ""},
    {"db_perlvdb",
     "",
     ""},
    {"db_postgres",
     "",
     "bytea_output_escape lockset retries tcp_keepalive timeout"},
    {"db_redis",
     "",
     "keys schema_path verbosity"},
    {"db_sqlite",
     "",
     "db_set_journal_mode db_set_readonly"},
    {"db_text",
     "",
     "db_delim db_mode default_connection emptystring file_buffer_size max_result_rows"},
    {"db_unixodbc",
     "",
     ""},
    {"dbtext",
     "",
     ""},
    {"debugger",
     "dbg_breakpoint/1 dbg_pv_dump/0-2 dbg_sip_msg/0-2",
     "breakpoint cfgpkgcheck cfgtest cfgtrace cfgtrace_format log_assign log_facility log_level "
     "log_level_name log_prefix mod_facility mod_facility_mode mod_hash_size mod_level mod_level_mode "
     "reset_msgid step_loops step_usleep"},
    {"dialog",
     "dlg_bridge/3 dlg_bye/1 dlg_db_load_callid/1 dlg_db_load_extra/0 dlg_get/3 dlg_isflagset/1 "
     "dlg_manage/0@r dlg_refer/2 dlg_remote_profile/5 dlg_reset_property/1 dlg_resetflag/1 "
     "dlg_set_property/1 dlg_set_ruri/0 dlg_set_timeout/1-3 dlg_set_timeout_by_profile/1-3 "
     "dlg_setflag/1 get_profile_size/1-3@bfr is_in_profile/1-2@bfr is_known_dlg/0 "
     "set_dlg_profile/1-2@bfr unset_dlg_profile/1-2@bf",
     "bridge_contact bridge_controller call_id_column db_fetch_rows db_mode db_skip_load "
     "db_update_period db_url default_timeout detect_spirals dlg_extra_hdrs dlg_filter_mode dlg_flag "
     "dlg_match_mode early_timeout enable_dmq enable_stats end_timeout event_callback "
     "from_contact_column from_cseq_column from_route_column from_sock_column from_tag_column "
     "from_uri_column h_entry_column h_id_column h_id_start h_id_step hash_size initial_cbs_inscript "
     "ka_failed_limit ka_interval ka_timer keep_proxy_rr lreq_callee_headers noack_timeout "
     "profiles_no_value profiles_with_value rr_param send_bye sflags_column start_time_column "
     "state_column table_name timeout_avp timeout_column timeout_noreset timer_procs to_contact_column "
     "to_cseq_column to_route_column to_sock_column to_tag_column to_uri_column toroute_name_column "
     "track_cseq_updates vars_h_entry_column vars_h_id_column vars_key_column vars_table_name "
     "vars_value_column wait_ack"},
    {"dialplan",
     "dp_match/2 dp_reload/0 dp_replace/3 dp_translate/1-2",
     "append_branch attrs_col attrs_pvar db_url dpid_col fetch_rows match_dynamic match_exp_col "
     "match_len_col match_op_col pr_col reload_delta repl_exp_col subst_exp_col table_name"},
    {"dispatcher",
     "ds_is_active/1-2 ds_is_from_list/0-4 ds_list_exists/1 ds_load_unset/0 ds_load_update/0 "
     "ds_mark_dst/0-1@fr ds_next_domain/0@fr ds_next_dst/0@fr ds_reload/0 ds_select/2-3 "
     "ds_select_domain/2-3@fr ds_select_dst/2-3 ds_select_routes/2-3 ds_set_domain/0@fr ds_set_dst/0@fr",
     "attrs_col attrs_pvname cnt_avp db_url destination_col ds_attrs_none ds_db_extra_attrs "
     "ds_default_socket ds_default_sockname ds_dns_interval ds_dns_mode ds_dns_ttl "
     "ds_hash_check_interval ds_hash_expire ds_hash_initexpire ds_hash_size ds_inactive_threshold "
     "ds_latency_estimator_alpha ds_load_mode ds_ping_from ds_ping_interval ds_ping_latency_stats "
     "ds_ping_method ds_ping_reply_codes ds_probing_mode ds_probing_threshold ds_timer_mode dst_avp "
     "event_callback flags flags_col force_dst grp_avp hash_pvar list_file outbound_proxy priority_col "
     "reload_delta setid_col setid_pvname table_name use_default xavp_ctx xavp_ctx_mode xavp_dst "
     "xavp_dst_mode"},
    {"diversion",
     "add_diversion/1-2@bfr",
     "suffix"},
    {"dlgs",
     "dlgs_count/3 dlgs_init/3 dlgs_tags_add/1 dlgs_tags_count/1 dlgs_tags_rm/1 dlgs_update/0",
     "active_lifetime finish_lifetime hash_size init_lifetime timer_interval"},
    {"dmq",
     "dmq_bcast_message/3 dmq_handle_message/0-1@r dmq_is_from_node/0@r dmq_process_message/0-1@r "
     "dmq_send_message/4 dmq_t_replicate/0-1@r",
     "multi_notify notification_address notification_channel num_workers ping_interval server_address "
     "server_socket worker_usleep"},
    {"dmq_usrloc",
     "",
     "batch_msg_contacts batch_msg_size batch_size batch_usleep enable replicate_socket_info sync "
     "usrloc_delete usrloc_domain"},
    {"domain",
     "is_domain_local/1@befr is_from_local/0@befr is_uri_host_local/0@befr lookup_domain/1-2@befr",
     "db_mode db_url did_col domain_attrs_table domain_col domain_table name_col register_myself "
     "type_col value_col"},
    {"domainpolicy",
     "dp_apply_policy/0@r dp_can_connect/0@r",
     "db_url domain_prefix_avp domain_replacement_avp domain_suffix_avp dp_col_att dp_col_rule "
     "dp_col_type dp_col_val dp_table port_override_avp send_socket_avp transport_override_avp"},
    {"drouting",
     "do_routing/0-1@fr goes_to_gw/0-1@for is_from_gw/0-2@for next_routing/0@fr use_next_gw/0",
     "attrs_avp db_url drd_table drg_domain_col drg_grpid_col drg_table drg_user_col drl_table "
     "drr_table enable_keepalive fetch_rows force_dns ruri_avp sort_order use_domain"},
    {"enum",
     "enum_pv_query/1-3@r enum_query/0-3@r i_enum_query/0-2 is_from_user_e164/0 is_from_user_enum/0@r",
     "bl_algorithm branchlabel domain_suffix i_enum_suffix tel_uri_params"},
    {"erlang",
     "",
     ""},
    {"evrexec",
     "",
     "exec"},
    {"exec",
     "exec_avp/1-2@fr exec_cmd/1 exec_dset/1@fr exec_msg/1@fr exec_uri/1 exec_user/1",
     "setvars time_to_kill"},
    {"ext",
     "ext_rewriteuri/1 ext_rewriteuser/1",
     ""},
    {"gcrypt",
     "",
     ""},
    {"geoip",
     "",
     ""},
    {"geoip2",
     "",
     ""},
    {"group",
     "get_user_group/2@fr is_user_in/2@fr",
     "db_url domain_column group_column multiple_gid re_exp_column re_gid_column re_table table "
     "use_domain user_column"},
    {"group_radius",
     "radius_is_user_in/2",
     "radius_config use_domain"},
    {"gzcompress",
     "",
     ""},
    {"htable",
     "sht_has_name/3 sht_has_str_value/3 sht_iterator_end/1 sht_iterator_next/1 sht_iterator_rm/1 "
     "sht_iterator_setex/2 sht_iterator_seti/2 sht_iterator_sets/2 sht_iterator_start/2 sht_lock/1 "
     "sht_match_name/3 sht_match_str_value/3 sht_print/0 sht_reset/1 sht_rm/2 sht_rm_name/3 "
     "sht_rm_name_re/1 sht_rm_value/3 sht_rm_value_re/1 sht_setxi/4 sht_setxs/4 sht_unlock/1",
     "array_size_suffix db_expires db_url dmq_init_sync enable_dmq event_callback event_callback_mode "
     "expires_column fetch_rows htable key_name_column key_type_column key_value_column timer_interval "
     "timer_procs value_type_column"},
    {"http_async_client",
     "",
     ""},
    {"http_client",
     "",
     ""},
    {"im",
     "im_dump_msg_to_fifo/0",
     "dump_fifo_name"},
    {"imc",
     "imc_manager/0@r",
     "check_on_create create_on_join db_url extra_hdrs hash_size imc_cmd_start_char members_table "
     "outbound_proxy rooms_table"},
    {"ims_auth",
     "",
     ""},
    {"ims_icscf",
     "",
     ""},
    {"ims_registrar_scscf",
     "",
     ""},
    {"ims_usrloc_scscf",
     "",
     ""},
    {"ipops",
     "compare_ips/2 compare_pure_ips/2 detailed_ip_type/2 detailed_ipv4_type/2 detailed_ipv6_type/2 "
     "dns_int_match_ip/2 dns_query/2 dns_set_local_ttl/1 dns_sys_match_ip/2 ip_type/1 is_in_subnet/2 "
     "is_ip/1 is_ip_rfc1918/1 is_ipv4/1 is_ipv6/1 is_ipv6_reference/1 is_pure_ip/1 naptr_query/2 "
     "srv_query/2",
     ""},
    {"jabber",
     "jab_exit_jconf/0 jab_go_offline/0 jab_go_online/0 jab_join_jconf/0 jab_send_message/0",
     "aliases cache_time check_time contact db_url delay_time jaddress jdomain jport max_jobs registrar "
     "sleep_time workers"},
    {"jansson",
     "",
     ""},
    {"janssonrpcc",
     "",
     ""},
    {"json",
     "",
     ""},
    {"jsonrpcs",
     "jsonrpc_dispatch/0 jsonrpc_exec/1",
     "dgram_group dgram_mode dgram_socket dgram_timeout dgram_user dgram_workers fifo_group fifo_mode "
     "fifo_name fifo_reply_dir fifo_user pretty_format tcp_socket transport"},
    {"kafka",
     "",
     ""},
    {"kazoo",
     "",
     ""},
    {"keepalive",
     "",
     ""},
    {"kemix",
     "",
     ""},
    {"kex",
     "is_myself/1 isbflagset/1-2 isdsturiset/0 issflagset/1 km_append_branch/0-1 pv_printf/2 "
     "resetbflag/1-2 resetdebug/0 resetdsturi/0 resetsflag/1 setbflag/1-2 setdebug/1 setdsturi/1 "
     "setsflag/1",
     ""},
    {"lcr",
     "defunct_gw/1@fr from_any_gw/0-3@for from_gw/1-4@for inactivate_gw/0@fr next_gw/0@fr "
     "to_any_gw/0-2@fr to_gw/1-3@fr",
     "db_url defunct_capability defunct_column defunct_gw_avp dont_strip_or_prefix_flag enabled_column "
     "fetch_rows flags_avp flags_column from_uri_column gw_id_column gw_name_column gw_uri_avp "
     "hostname_column id_column ip_addr_column lcr_count lcr_gw_count lcr_gw_table lcr_id_avp "
     "lcr_id_column lcr_rule_hash_size lcr_rule_table lcr_rule_target_table mt_pv_values "
     "mt_tvalue_column mtree params_column ping_from ping_inactivate_threshold ping_interval "
     "ping_socket ping_valid_reply_codes port_column prefix_column priority_column priority_ordering "
     "request_uri_column rule_id_avp rule_id_column ruri_user_avp stopper_column strip_column tag_avp "
     "tag_column transport_column uri_scheme_column weight_column"},
    {"ldap",
     "",
     ""},
    {"log_custom",
     "log_udp/1",
     ""},
    {"log_systemd",
     "",
     ""},
    {"lost",
     "",
     ""},
    {"lrkproxy",
     "",
     ""},
    {"lwsc",
     "",
     ""},
    {"mangler",
     "decode_contact/0 decode_contact_header/0 encode_contact/1 sdp_mangle_ip/2 sdp_mangle_port/1",
     "contact_flds_separator"},
    {"matrix",
     "matrix/3",
     "db_url matrix_first_col matrix_res_col matrix_second_col matrix_table"},
    {"maxfwd",
     "is_maxfwd_lt/1 maxfwd_at_least/1 maxfwd_process/1@r mf_lowlimit/1 mf_process_maxfwd_header/0-1 "
     "process_maxfwd/1",
     "max_limit"},
    {"mediaproxy",
     "client_nat_test/1 end_media_session/0 engage_media_proxy/0@r fix_contact/0 use_media_proxy/0",
     "disable ice_candidate ice_candidate_avp media_relay_avp mediaproxy_socket mediaproxy_timeout "
     "natping_interval rtp_asymmetrics_file signaling_ip_avp sip_asymmetrics_file"},
    {"memcached",
     "",
     ""},
    {"microhttpc",
     "",
     ""},
    {"misc_radius",
     "",
     ""},
    {"mohqueue",
     "mohq_count/2 mohq_process/0 mohq_retrieve/2 mohq_send/1",
     "db_url moh_maxcalls mohdir"},
    {"mqtt",
     "",
     ""},
    {"mqueue",
     "mq_add/3 mq_fetch/1 mq_pv_free/1 mq_size/1",
     "db_url mqueue mqueue_addmode mqueue_name mqueue_size"},
    {"msilo",
     "m_dump/0-2@r m_store/0-2@fr",
     "add_contact add_date check_time clean_period contact_hdr content_type_hdr db_table db_url "
     "delay_time expiration expire_time extra_hdrs extra_hdrs_avp from_address max_messages "
     "offline_message outbound_proxy registrar reminder sc_body sc_ctype sc_exp_time sc_from "
     "sc_inc_time sc_mid sc_snd_time sc_stored_hdrs sc_to sc_uri_host sc_uri_user send_time "
     "skip_notification_flag snd_time_avp use_contact"},
    {"msrp",
     "msrp_cmap_lookup/0 msrp_cmap_save/0 msrp_is_reply/0 msrp_is_request/0 msrp_relay/0 "
     "msrp_relay_flags/1 msrp_reply/2-3 msrp_reply_flags/1 msrp_set_dst/2",
     "auth_max_expires auth_min_expires cmap_size event_callback sipmsg timer_interval use_path_addr"},
    {"mtree",
     "mt_match/3",
     "char_list db_table db_url fetch_rows mt_allow_duplicates mt_ignore_duplicates mt_tree_type mtree "
     "pv_count pv_dstid pv_value pv_values pv_weight tname_column tprefix_column tvalue_column"},
    {"mysql",
     "",
     ""},
};

}  // namespace

std::span<const ModuleFacts> modules_d_to_m() noexcept { return kModules; }

}  // namespace ser::conf::detail
