// SPDX-License-Identifier: Apache-2.0
// Modules of the family from S to Z: functions as name/arity@routes, parameters. See module_catalogue.h.
// clang-format off
#include "conf/module_catalogue.h"

namespace ser::conf::detail {
namespace {

constexpr ModuleFacts kModules[] = {
    {"sanity",
     "sanity_check/0-2 sanity_reply/0",
     "autodrop default_checks noreply proxy_require uri_checks"},
    {"sca",
     "sca_call_info_update/0-3@fr sca_handle_subscribe/0@r",
     "call_info_max_expires db_update_interval db_url hash_table_size line_seize_max_expires "
     "onhold_bflag purge_expired_interval server_address subs_table"},
    {"sctp",
     "",
     ""},
    {"sdpops",
     "sdp_content/0-1 sdp_get/1 sdp_get_address_family/0 sdp_get_line_startswith/2 "
     "sdp_keep_codecs_by_id/1-2 sdp_keep_codecs_by_name/1-2 sdp_print/1 sdp_remove_codecs_by_id/1-2 "
     "sdp_remove_codecs_by_name/1-2 sdp_remove_line_by_prefix/1-2 sdp_remove_media/1 "
     "sdp_remove_transport/1 sdp_transport/1 sdp_with_active_media/1 sdp_with_codecs_by_id/1 "
     "sdp_with_codecs_by_name/1 sdp_with_ice/0 sdp_with_media/1 sdp_with_transport/1 "
     "sdp_with_transport_like/1",
     ""},
    {"seas",
     "",
     ""},
    {"secfilter",
     "secf_check_contact_hdr/0 secf_check_country/1 secf_check_dst/1 secf_check_from_hdr/0 "
     "secf_check_ip/0 secf_check_sqli_all/0 secf_check_sqli_hdr/1 secf_check_to_hdr/0 secf_check_ua/0",
     "action_col data_col db_url dst_exact_match table_name type_col"},
    {"secsipid",
     "",
     ""},
    {"sipcapture",
     "float2int/2 report_capture/0-3 sip_capture/0-2 sip_capture_forward/1",
     "callid_aleg_header capture_bad_msgs capture_mode capture_node capture_on db_insert_mode db_url "
     "event_callback hash_source hep_capture_on insert_retries insert_retry_timeout mt_mode nonsip_hook "
     "promiscuous_on raw_interface raw_ipip_capture_on raw_moni_bpf_on raw_moni_capture_on "
     "raw_sock_children raw_socket_listen table_name topoh_unmask"},
    {"sipdump",
     "sipdump_send/1",
     "enable event_callback fage folder fprefix mode rotate wait"},
    {"sipjson",
     "sj_serialize/2",
     ""},
    {"sipt",
     "sipt_destination/3-4 sipt_forwarding/2 sipt_has_isup_body/0 sipt_set_bci_1/3 sipt_set_calling/4",
     ""},
    {"siptrace",
     "hlog/0-2 sip_trace/0-3 sip_trace_mode/1",
     "auth_key db_url duplicate_uri evcb_msg force_send_sock hep_capture_id hep_mode_on hep_version "
     "send_sock_addr send_sock_name table trace_db_mode trace_delayed trace_flag trace_init_mode "
     "trace_local_ip trace_mode trace_on trace_sl_acks trace_table_avp trace_to_database "
     "traced_user_avp xheaders_read xheaders_write"},
    {"siputils",
     "add_uri_param/1@r append_rpid_hf/0-2 cmp_aor/2 cmp_hdr_name/2 cmp_uri/2 contact_param_decode/1@or "
     "contact_param_decode_uri/1@r contact_param_encode/2@or contact_param_rm/1@or decode_contact/0@r "
     "decode_contact_header/0@or encode_contact/2@or get_uri_param/2@r has_totag/0 hdr_date_check/1 "
     "is_alphanum/1 is_alphanumex/2 is_e164/1@efr is_first_hop/0-1 is_gruu/0-1 is_numeric/1 is_reply/0 "
     "is_request/0 is_rpid_user_e164/0@r is_supported/1 is_tel_number/1 is_uri/1 is_uri_user_e164/1 "
     "is_user/1@r options_reply/0@r ring_insert_callid/0 set_uri_host/2 set_uri_user/2 "
     "sip_p_charging_vector/1 tel2sip/3 uri_param/1-2@r uri_param_any/1@r uri_param_rm/1@r",
     "contact_flds_separator options_accept options_accept_encoding options_accept_language "
     "options_support rpid_avp rpid_prefix rpid_suffix"},
    {"sl",
     "send_reply/2@fr send_reply_error/0 send_reply_mode/3 sl_filter_ACK/0 sl_forward_reply/0-2@o "
     "sl_reply_error/0 sl_send_reply/2",
     "bind_tm default_code default_reason event_callback event_callback_fl_ack event_callback_lres_sent "
     "rich_redirect"},
    {"slack",
     "",
     ""},
    {"sms",
     "sms_send_msg/0 sms_send_msg_to_net/1",
     "default_net domain links max_sms_parts modems networks sms_report_type use_contact use_sms_report"},
    {"smsops",
     "isRPDATA/0@r smsdump/0@r",
     ""},
    {"snmp",
     "snmp_start/0",
     ""},
    {"snmpstats",
     "",
     ""},
    {"speeddial",
     "sd_lookup/1-2@r",
     "db_url domain_column domain_prefix new_uri_column sd_domain_column sd_user_column use_domain "
     "user_column"},
    {"sqlops",
     "sql_pvquery/3 sql_query/2-3 sql_query_async/2 sql_result_free/1 sql_xquery/3",
     "connect_mode results_maxsize sqlcon sqlres tr_buf_size"},
    {"ss7ops",
     "isup_to_json/0",
     ""},
    {"sst",
     "sstCheckMin/1",
     "enable_stats min_se reject_to_small sst_flag timeout_avp"},
    {"statistics",
     "reset_stat/1 update_stat/2",
     "variable"},
    {"statsc",
     "",
     "interval items track"},
    {"statsd",
     "statsd_decr/1 statsd_gauge/2 statsd_histogram/2 statsd_incr/1 statsd_set/2 statsd_start/1 "
     "statsd_stop/1",
     "ip port"},
    {"stirshaken",
     "",
     ""},
    {"stun",
     "",
     ""},
    {"tcpops",
     "tcp_close_connection/0-1 tcp_conid_alive/1 tcp_conid_state/1 tcp_enable_closed_event/0-1 "
     "tcp_get_conid/2 tcp_keepalive_disable/0-1 tcp_keepalive_enable/0-4 "
     "tcp_set_connection_lifetime/0-2 tcp_set_otcpid/1 tcp_set_otcpid_flag/1",
     "closed_event event_callback"},
    {"textops",
     "append_body_part/2-3@bfr append_body_part_hex/2-3 append_hf/1-2 append_time/0@bfr "
     "append_time_to_request/0 append_to_reply/1@bfr append_urihf/2@bfr cmp_istr/2 cmp_str/2 "
     "ends_with/2 filter_body/1 get_body_part/2 get_body_part_raw/2 has_body/0 in_list/3 "
     "in_list_prefix/3 insert_hf/1-2 is_audio_on_hold/0 is_method/1 is_present_hf/1 is_present_hf_pv/1 "
     "is_present_hf_re/1 is_present_hf_re_pv/1 is_privacy/1 regex_substring/5@bfr "
     "remove_body_part/1@bfr remove_hf/1 remove_hf_exp/2 remove_hf_exp_pv/2 remove_hf_idx/2 "
     "remove_hf_match/3 remove_hf_pv/1 remove_hf_re/1 remove_hf_re_pv/1 replace/2 replace_all/2 "
     "replace_body/2 replace_body_all/2 replace_body_atonce/2 replace_body_str/3 replace_hdrs/2 "
     "replace_hdrs_str/3 replace_str/3 search/1 search_append/2 search_append_body/2 search_body/1 "
     "search_hf/3 search_str/1 set_body/2 set_body_multipart/0-3@bfr set_reply_body/2@bfr starts_with/2 "
     "str_find/2 str_ifind/2 subst/1 subst_body/1 subst_hf/3 subst_uri/1 subst_user/1",
     ""},
    {"textopsx",
     "append_hf_value/2 assign_hf_value/2 assign_hf_value2/2 bl_iterator_append/2 bl_iterator_end/1 "
     "bl_iterator_insert/2 bl_iterator_next/1 bl_iterator_rm/1 bl_iterator_start/1 "
     "change_reply_status/2@o change_reply_status_code/1@o exclude_hf_value/2 fnmatch/2-3 "
     "hf_iterator_append/2 hf_iterator_end/1 hf_iterator_insert/2 hf_iterator_next/1 hf_iterator_prev/1 "
     "hf_iterator_rm/1 hf_iterator_start/1 hf_value_exists/2 include_hf_value/2 insert_hf_value/2 "
     "keep_hf/0-1 msg_apply_changes/0@r msg_set_buffer/1@r remove_body/0 remove_hf_value/1 "
     "remove_hf_value2/1",
     ""},
    {"timer",
     "timer_enable/2",
     "declare_timer"},
    {"tls",
     "is_peer_verified/0 tls_set_connect_server_id/1",
     "ca_list ca_path certificate cipher_list con_ct_wq_max config connection_timeout crl "
     "ct_wq_blk_size ct_wq_max engine engine_algorithms engine_config event_callback low_mem_threshold1 "
     "low_mem_threshold2 private_key rand_engine require_certificate send_close_notify server_name "
     "session_cache session_id tls_debug tls_disable_compression tls_force_run tls_log tls_method "
     "verify_certificate verify_client verify_depth xavp_cfg"},
    {"tls_wolfssl",
     "",
     ""},
    {"tm",
     "t_any_replied/0 t_any_timeout/0 t_branch_replied/0 t_branch_timeout/0@f t_check/0 "
     "t_check_status/1 t_check_trans/0 t_clean/0 t_drop_replies/0-1 t_forward_nonack/0-2 "
     "t_forward_nonack_sctp/2 t_forward_nonack_tcp/2 t_forward_nonack_tls/2 t_forward_nonack_udp/2 "
     "t_get_status_code/0 t_grep_status/1 t_is_canceled/0 t_is_expired/0 t_is_retr_async_reply/0 "
     "t_is_set/1 t_load_contacts/0-1 t_lookup_cancel/0-1 t_lookup_request/0 t_newdlg/0 t_newtran/0 "
     "t_next_contact_flow/0 t_next_contacts/0 t_on_branch/1 t_on_branch_failure/1 t_on_failure/1 "
     "t_on_negative/1 t_on_reply/1 t_relay/0-2 t_relay_cancel/0 t_relay_to/1-2 t_relay_to_sctp/0-2 "
     "t_relay_to_tcp/0-2 t_relay_to_tls/0-2 t_relay_to_udp/0-2 t_release/0 t_replicate/0-2 t_reply/2 "
     "t_reply_unsafe/2 t_reset_fr/0 t_reset_max_lifetime/0 t_reset_retr/0 t_retransmit_reply/0 "
     "t_save_lumps/0 t_send_reply/2 t_set_auto_inv_100/1 t_set_disable_6xx/1 t_set_disable_failover/1 "
     "t_set_disable_internal_reply/1 t_set_fr/1-2 t_set_max_lifetime/2 t_set_no_e2e_cancel_reason/1 "
     "t_set_retr/2 t_uac_send/6 t_use_uac_headers/0",
     "ac_extra_hdrs aggregate_challenges auto_inv_100 auto_inv_100_reason blst_503 blst_503_def_timeout "
     "blst_503_max_timeout blst_503_min_timeout blst_methods_add blst_methods_lookup "
     "callid_cseq_matching callid_matching cancel_b_method contact_flows_avp contacts_avp default_code "
     "default_reason delete_timer disable_6xx_block dns_reuse_rcv_socket e2e_cancel_reason "
     "enable_uac_fr event_callback event_callback_lres_sent exec_time_check failure_exec_mode "
     "failure_reply_mode faked_reply_prio fr_inv_timer fr_inv_timer_avp fr_timer fr_timer_avp "
     "local_ack_mode local_cancel_reason max_inv_lifetime max_noninv_lifetime noisy_ctimer on_sl_reply "
     "pass_provisional_replies relay_100 remap_503_500 reparse_invite reparse_on_dns_failover "
     "reply_relay_mode restart_fr_on_each_reply retr_timer1 retr_timer1p1 retr_timer1p2 retr_timer1p3 "
     "retr_timer2 rich_redirect ruri_matching uac_from unix_tx_timeout unmatched_cancel via1_matching "
     "wt_timer xavp_contact"},
    {"tmrec",
     "is_leap_year/0-1 time_period_match/1-2 tmrec_match/1-2",
     "separator"},
    {"tmx",
     "t_cancel_branches/1 t_cancel_callid/3-4 t_cell_append_branches/0 t_continue/3 t_drop/0-1 "
     "t_flush_flags/0 t_flush_xflags/0 t_get_status_code/0 t_is_branch_route/0 t_is_failure_route/0 "
     "t_is_reply_route/0 t_is_request_route/0 t_precheck_trans/0@r t_reply_callid/4 t_reuse_branch/0 "
     "t_suspend/0",
     "precheck_trans"},
    {"topoh",
     "",
     "callid_prefix event_callback event_mode mask_callid mask_ip mask_key sanity_checks uparam_name "
     "uparam_prefix uri_prefix_checks vparam_name vparam_prefix"},
    {"topos",
     "tps_set_context/1",
     "branch_expire clean_interval contact_host contact_mode context cparam_name db_url dialog_expire "
     "event_callback event_mode mask_callid rr_update sanity_checks storage xavu_cfg "
     "xavu_field_a_contact xavu_field_b_contact xavu_field_contact_host"},
    {"topos_redis",
     "",
     ""},
    {"tsilo",
     "ts_append/2@fr ts_append_by_contact/2-3@fr ts_append_to/3-4@fr ts_store/0-1@fr",
     "hash_size use_domain"},
    {"uac",
     "uac_auth/0-1 uac_auth_mode/1 uac_reg_disable/2 uac_reg_enable/2 uac_reg_lookup/2 "
     "uac_reg_lookup_uri/2 uac_reg_refresh/1 uac_reg_request_to/2 uac_reg_status/1 "
     "uac_replace_from/0-2@br uac_replace_to/0-2@br uac_req_send/0 uac_restore_from/0@r "
     "uac_restore_to/0@r",
     "auth_password_avp auth_realm_avp auth_username_avp credential default_socket event_callback "
     "reg_active reg_contact_addr reg_db_table reg_db_url reg_gc_interval reg_hash_size reg_keep_callid "
     "reg_random_delay reg_retry_interval reg_timer_interval reg_use_domain restore_dlg "
     "restore_from_avp restore_mode restore_passwd restore_to_avp rr_from_store_param rr_to_store_param"},
    {"uac_redirect",
     "get_redirects/1-2 set_accept_filter/2@f set_deny_filter/2@f",
     "acc_db_table acc_function accept_filter bflags default_filter deny_filter flags_hdr_mode q_value"},
    {"uid_auth_db",
     "proxy_authorize/2 www_authorize/2",
     "calculate_ha1 db_url domain_column password_column password_column_2 plain_password_column "
     "rpid_column use_rpid user_column"},
    {"uid_avp_db",
     "lock_extra_attrs/2 remove_extra_attrs/2 save_extra_attrs/2 unlock_extra_attrs/2",
     "attr_group auto_unlock_extra_attrs db_url did_column flags_column name scheme_column type_column "
     "uid_column uri_attrs_table user_attrs_table username_column value_column"},
    {"uid_domain",
     "is_local/1 lookup_domain/2",
     "db_mode db_url did_col domain_col domain_table domattr_did domattr_flags domattr_name "
     "domattr_table domattr_type domattr_value flags_col load_domain_attrs"},
    {"uid_gflags",
     "is_ugflag/1 reset_ugflag/1 set_gflag/1",
     "initial"},
    {"uid_uri_db",
     "check_from/0 check_to/0 does_uri_exist/0",
     "db_url subscriber_domain_column subscriber_table subscriber_user_column uri_domain_column "
     "uri_table uri_uriuser_column uri_user_column"},
    {"uri",
     "add_uri_param/1 has_totag/0 is_user/1 tel2sip/0 uri_param/1-2",
     ""},
    {"uri_db",
     "check_from/0@r check_to/0@r check_uri/1@r does_uri_exist/0@r",
     "db_table db_url domain_column subscriber_table uri_table uri_user_column uriuser_column "
     "use_domain use_uri_table user_column"},
    {"uri_radius",
     "radius_does_uri_exist/0",
     "radius_config service_type"},
    {"userblocklist",
     "check_allowlist/1 check_blocklist/0-1 check_user_allowlist/4 check_user_blocklist/4",
     "db_url globalblocklist_allowlist_col globalblocklist_description_col globalblocklist_id_col "
     "globalblocklist_prefix_col globalblocklist_table match_mode use_domain "
     "userblocklist_allowlist_col userblocklist_domain_col userblocklist_id_col "
     "userblocklist_prefix_col userblocklist_table userblocklist_username_col"},
    {"usrloc",
     "",
     "callid_col callid_column cflags_column close_expired_tcp connection_id_column contact_col "
     "contact_column cseq_col cseq_column cseq_delay db_check_update db_clean_tcp db_insert_null "
     "db_insert_update db_load db_mode db_ops_ruid db_raw_fetch_type db_timer_clean db_update_as_insert "
     "db_url desc_time_order domain_col domain_column expires_col expires_column expires_type "
     "fetch_rows flags_column handle_lost_tcp hash_size instance_column ka_domain ka_filter ka_from "
     "ka_loglevel ka_logmsg ka_method ka_mode ka_timeout keepalive_column keepalive_interval load_rank "
     "matching_mode method_col methods_column nat_bflag partition_column path_column preload q_col "
     "q_column received_column reg_id_column rm_expired_delay ruid_column server_id_column "
     "server_id_filter skip_remote_socket socket_column timer_interval timer_procs use_domain "
     "user_agent_column user_col user_column version_table xavp_contact"},
    {"utils",
     "",
     ""},
    {"uuid",
     "",
     ""},
    {"websocket",
     "ws_close/0-3 ws_handle_handshake/0",
     "cors_mode keepalive_mechanism keepalive_timeout ping_application_data sub_protocols"},
    {"xcap_client",
     "",
     ""},
    {"xcap_server",
     "xcaps_del/2 xcaps_get/2 xcaps_put/3",
     "db_url xcap_table xml_ns"},
    {"xhttp",
     "xhttp_reply/4",
     "event_callback url_match url_skip"},
    {"xhttp_prom",
     "prom_check_uri/0 prom_counter_inc/5 prom_counter_reset/4 prom_dispatch/0 prom_gauge_reset/4 "
     "prom_gauge_set/5 prom_histogram_observe/5",
     "prom_counter prom_gauge prom_histogram xhttp_prom_beginning xhttp_prom_buf_size xhttp_prom_stats "
     "xhttp_prom_timeout"},
    {"xhttp_rpc",
     "dispatch_xhttp_rpc/0",
     "xhttp_rpc_buf_size xhttp_rpc_root"},
    {"xlog",
     "xalert/1 xbug/1 xcrit/1 xdbg/1 xdbgl/1 xerr/1 xinfo/1 xlog/0-3 xlogl/0-3 xlogm/2 xnotice/1 "
     "xwarn/1",
     "buf_size force_color log_colors log_facility long_format methods_filter prefix prefix_mode"},
    {"xmlops",
     "",
     ""},
    {"xmlrpc",
     "",
     ""},
    {"xmpp",
     "",
     ""},
    {"xprint",
     "xpdbg/1 xplog/2",
     "buf_size"},
};

}  // namespace

std::span<const ModuleFacts> modules_s_to_z() noexcept { return kModules; }

}  // namespace ser::conf::detail
