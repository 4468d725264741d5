// SPDX-License-Identifier: Apache-2.0
// Modules of the family from N to R: functions as name/arity@routes, parameters. See module_catalogue.h.
// clang-format off
#include "conf/module_catalogue.h"

namespace ser::conf::detail {
namespace {

constexpr ModuleFacts kModules[] = {
    {"nat_traversal",
     "client_nat_test/1 fix_contact/0@bor nat_keepalive/0",
     "contact_match keepalive_extra_headers keepalive_from keepalive_interval keepalive_method "
     "keepalive_state_file"},
    {"nathelper",
     "add_contact_alias/0-3@beor add_rcv_param/0-1@r fix_nated_contact/0@bor fix_nated_register/0@r "
     "fix_nated_sdp/1-2 force_rtp_proxy/0-2 handle_ruri_alias/0-1@ber is_rfc1918/1 nat_uac_test/1 "
     "set_alias_to_pv/1 set_contact_alias/0-1 start_recording/0 unforce_rtp_proxy/0",
     "alias_name append_sdp_oldmediaip filter_server_id force_socket keepalive_timeout nat_addr_mode "
     "natping_disable_bflag natping_interval natping_processes natping_socket nortpproxy_str "
     "ping_nated_only received_avp rtpproxy_disable rtpproxy_disable_tout rtpproxy_retr rtpproxy_sock "
     "rtpproxy_tout sipping_bflag sipping_from sipping_method udpping_from_path"},
    {"nats",
     "",
     ""},
    {"ndb_mongodb",
     "",
     ""},
    {"ndb_redis",
     "",
     ""},
    {"nosip",
     "",
     "msg_match msg_skip"},
    {"nsq",
     "",
     ""},
    {"options",
     "options_reply/0",
     "accept accept_encoding accept_language support"},
    {"outbound",
     "",
     ""},
    {"p_usrloc",
     "",
     "UTC_timestamps alg_location connection_expires db_err_threshold db_ops_ruid db_retry_interval "
     "db_transaction_level db_update_as_insert db_use_transactions default_db_type default_db_url "
     "domain_db error_column expire_time failover_level failover_time_column id_column matching_mode "
     "mdb_availability_control num_column read_db_url reg_db_table risk_group_column spare_flag_column "
     "status_column url_column write_db_url write_on_db write_on_master_db"},
    {"path",
     "add_path/0-2 add_path_received/0-2",
     "enable_r2 received_format received_name sockname_mode use_received"},
    {"pdb",
     "pdb_query/2",
     "server timeout"},
    {"pdt",
     "pd_translate/2@bfr pdt/2 prefix2domain/0-2",
     "char_list check_domain db_table db_url domain_column fetch_rows prefix prefix_column "
     "sdomain_column"},
    {"peering",
     "",
     ""},
    {"permissions",
     "allow_address/3@fr allow_address_group/2 allow_refer_to/1-2 allow_register/1-2@fr "
     "allow_routing/0-2@fr allow_source_address/0-1@fr allow_source_address_group/0@fr "
     "allow_trusted/0-3@fr allow_uri/2@fr",
     "address_file address_table allow_suffix check_all_branches db_mode db_url default_allow_file "
     "default_deny_file deny_suffix from_col grp_col ip_addr_col load_backends mask_col max_subnets "
     "peer_tag_avp peer_tag_mode port_col priority_col proto_col reload_delta ruri_col source_col "
     "tag_col trusted_cleanup_interval trusted_table"},
    {"phonenum",
     "",
     ""},
    {"pike",
     "pike_check_ip/1@or pike_check_req/0@or",
     "pike_log_level remove_latency removel_latency reqs_density_per_unit sampling_time_unit"},
    {"pipelimit",
     "pl_active/1 pl_check/1-3 pl_drop/0-2@bfrs",
     "clean_unused db_url hash_size load_fetch plp_algorithm_column plp_limit_column plp_pipeid_column "
     "plp_table_name reply_code reply_reason timer_interval timer_mode"},
    {"posops",
     "",
     ""},
    {"postgres",
     "",
     ""},
    {"prefix_route",
     "prefix_route/0-1",
     "db_table db_url exit"},
    {"presence",
     "handle_publish/0-1 handle_subscribe/0-2 pres_auth_status/2 pres_has_subscribers/2 "
     "pres_refresh_watchers/2-4 pres_update_watchers/2",
     "active_watchers_table clean_period db_update_period db_url enable_dmq expires_offset fetch_rows "
     "force_delete local_log_level max_expires min_expires notifier_processes presentity_table "
     "publ_cache server_address sip_uri_match subs_db_mode timeout_rm_subs to_tag_pref waitn_time "
     "watchers_table xavp_cfg"},
    {"presence_dialoginfo",
     "",
     "force_dummy_dialog force_single_dialog"},
    {"presence_mwi",
     "",
     ""},
    {"presence_xml",
     "pres_check_activities/2 pres_check_basic/2",
     "db_url disable_bla disable_presence disable_winfo disable_xcapdiff force_active "
     "integrated_xcap_server passive_mode pidf_manipulation xcap_server xcap_table"},
    {"print",
     "print/1",
     "int_param str_param"},
    {"pua",
     "pua_set_publish/0 pua_update_contact/0",
     "db_url"},
    {"pua_bla",
     "",
     ""},
    {"pua_dialoginfo",
     "",
     ""},
    {"pua_json",
     "",
     ""},
    {"pua_reginfo",
     "",
     ""},
    {"pua_rpc",
     "",
     ""},
    {"pua_usrloc",
     "",
     ""},
    {"pua_xmpp",
     "",
     ""},
    {"pv",
     "is_int/1 not_empty/1 pv_evalx/2 pv_isset/1 pv_unset/1 pv_var_to_xavp/2 pv_xavi_print/0 "
     "pv_xavp_print/0 pv_xavp_to_var/1 pv_xavu_print/0 sbranch_append/0@bfr sbranch_reset/0@bfr "
     "sbranch_set_ruri/0@bfr typeof/2 xavi_child_rm/2 xavi_child_seti/3 xavi_child_sets/3 xavi_rm/1 "
     "xavp_child_rm/2 xavp_child_seti/3 xavp_child_sets/3 xavp_copy/3 xavp_params_explode/2 "
     "xavp_params_implode/2 xavp_rm/1 xavp_slist_explode/4 xavu_params_explode/2 xavu_params_implode/2",
     "avp_aliases shvset varset"},
    {"pv_headers",
     "pvh_append_header/2 pvh_apply_headers/0 pvh_check_header/1 pvh_collect_headers/0 "
     "pvh_modify_header/2-3 pvh_remove_header/1-2 pvh_remove_header_param/2 pvh_reset_headers/0 "
     "pvh_value_exists/2",
     "auto_msg header_apply_flag header_collect_flag header_value_size skip_headers split_headers "
     "xavi_name"},
    {"qos",
     "",
     "qos_flag"},
    {"rabbitmq",
     "",
     ""},
    {"radius_acc",
     "rad_acc_request/1",
     "early_media failed_transactions log_level radius_flag radius_missed_flag report_ack"},
    {"radius_auth",
     "check_from/0 check_to/0 consume_credentials/0 is_in_group/1 is_user/1 is_user_in/2 "
     "radius_is_in_group/1 radius_proxy_authorize/1 radius_proxy_challenge/2 radius_www_authorize/1 "
     "radius_www_challenge/2",
     ""},
    {"ratelimit",
     "rl_check/0-1 rl_check_pipe/1@r",
     "pipe queue timer_interval"},
    {"regex",
     "pcre_match/2 pcre_match_group/1-2",
     "file group_max_size max_groups pcre_caseless pcre_dotall pcre_extended pcre_multiline"},
    {"registrar",
     "add_sock_hdr/1@r lookup/1-2@fr lookup_branches/1@fr lookup_to_dset/1-2@fr reg_fetch_contacts/3@fr "
     "reg_free_contacts/1@fr reg_send_reply/0@fr registered/1-4 save/1-3@fr save_noreply/1 save_nr/1 "
     "unregister/2-3",
     "aor_avp append_branches case_sensitive contact_max_size default_expires default_expires_range "
     "default_q desc_time_order event_callback expires_range flow_timer gruu_enabled lookup_filter_mode "
     "max_contacts max_expires method_filtering min_expires min_expires_mode nat_flag outbound_mode "
     "path_check_local path_mode path_use_received realm_prefix received_avp received_param "
     "reg_callid_avp regid_mode retry_after sip_natping_flag sock_flag sock_hdr_name sock_mode "
     "use_expired_contacts use_path xavp_cfg xavp_rcd xavp_rcd_mask"},
    {"rls",
     "rls_handle_notify/0 rls_handle_subscribe/0",
     "db_url"},
    {"rr",
     "addRecordRoute/0 add_rr_param/1 check_route_param/1@r is_direction/1@r loose_route/0@r "
     "loose_route_mode/1@r loose_route_preloaded/0@r record_route/0-1@bfr "
     "record_route_advertised_address/1@bfr record_route_preset/1-2@bfr remove_record_route/0@fr "
     "rewriteFromRoute/0 rr_next_hop_route/0 strict_route/0",
     "add_username append_fromtag cookie_filter cookie_secret custom_user_avp enable_double_rr "
     "enable_full_lr enable_socket_mismatch_warning force_send_socket ignore_sips ignore_user "
     "sockname_mode"},
    {"rtimer",
     "",
     "default_interval exec timer"},
    {"rtjson",
     "rtjson_init_routes/1@r rtjson_next_route/0@f rtjson_push_routes/0@r rtjson_update_branch/0@b",
     "xavp_cfg"},
    {"rtp_media_server",
     "",
     ""},
    {"rtpengine",
     "block_dtmf/0-1 block_media/0-1 play_dtmf/0-1 play_media/0-1 rtpengine_answer/0-1 "
     "rtpengine_delete/0-1 rtpengine_info/0-1 rtpengine_manage/0-1 rtpengine_offer/0-1 "
     "rtpengine_query/0-1 rtpengine_query_v/2 set_rtpengine_set/1-2@bor silence_media/0-1 "
     "start_forwarding/0-1 start_recording/0-1 stop_forwarding/0-1 stop_media/0-1 stop_recording/0-1 "
     "unblock_dtmf/0-1 unblock_media/0-1 unsilence_media/0-1",
     "aggressive_redetection control_cmd_tos db_url disabled_col extra_id_pv force_send_interface "
     "hash_algo hash_table_size hash_table_tout media_duration mos_A_label_pv mos_B_label_pv "
     "mos_average_A_pv mos_average_B_pv mos_average_jitter_A_pv mos_average_jitter_B_pv "
     "mos_average_jitter_pv mos_average_packetloss_A_pv mos_average_packetloss_B_pv "
     "mos_average_packetloss_pv mos_average_pv mos_average_roundtrip_A_pv mos_average_roundtrip_B_pv "
     "mos_average_roundtrip_leg_A_pv mos_average_roundtrip_leg_B_pv mos_average_roundtrip_pv "
     "mos_average_samples_A_pv mos_average_samples_B_pv mos_average_samples_pv mos_max_A_pv "
     "mos_max_B_pv mos_max_at_A_pv mos_max_at_B_pv mos_max_at_pv mos_max_jitter_A_pv "
     "mos_max_jitter_B_pv mos_max_jitter_pv mos_max_packetloss_A_pv mos_max_packetloss_B_pv "
     "mos_max_packetloss_pv mos_max_pv mos_max_roundtrip_A_pv mos_max_roundtrip_B_pv "
     "mos_max_roundtrip_leg_A_pv mos_max_roundtrip_leg_B_pv mos_max_roundtrip_pv mos_min_A_pv "
     "mos_min_B_pv mos_min_at_A_pv mos_min_at_B_pv mos_min_at_pv mos_min_jitter_A_pv "
     "mos_min_jitter_B_pv mos_min_jitter_pv mos_min_packetloss_A_pv mos_min_packetloss_B_pv "
     "mos_min_packetloss_pv mos_min_pv mos_min_roundtrip_A_pv mos_min_roundtrip_B_pv "
     "mos_min_roundtrip_leg_A_pv mos_min_roundtrip_leg_B_pv mos_min_roundtrip_pv queried_nodes_limit "
     "read_sdp_pv rtp_inst_pvar rtpengine_allow_op rtpengine_disable_tout rtpengine_retr rtpengine_sock "
     "rtpengine_tout_ms setid_avp setid_col setid_default table_name url_col weight_col write_sdp_pv "
     "wsapi"},
    {"rtpproxy",
     "rtpproxy_answer/0-2 rtpproxy_destroy/0-1 rtpproxy_manage/0-2 rtpproxy_offer/0-2 "
     "rtpproxy_stop_stream2uac/0@or rtpproxy_stop_stream2uas/0 rtpproxy_stream2uac/2@or "
     "rtpproxy_stream2uas/2 set_rtp_proxy_set/1@bor start_recording/0@or unforce_rtp_proxy/0",
     "db_url extra_id_pv ice_candidate_priority_avp nortpproxy_str rtp_inst_pvar rtpproxy_disable_tout "
     "rtpproxy_retr rtpproxy_sock rtpproxy_tout table_name timeout_socket"},
};

}  // namespace

std::span<const ModuleFacts> modules_n_to_r() noexcept { return kModules; }

}  // namespace ser::conf::detail
