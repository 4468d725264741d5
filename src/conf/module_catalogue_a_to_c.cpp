// SPDX-License-Identifier: Apache-2.0
// Modules of the family from A to C: functions as name/arity@routes, parameters. See module_catalogue.h.
// clang-format off
#include "conf/module_catalogue.h"

namespace ser::conf::detail {
namespace {

constexpr ModuleFacts kModules[] = {
    {"acc",
     "acc_db_request/2 acc_diam_request/1 acc_log_request/1 acc_rad_request/1 acc_request/1-2",
     "acc_callid_column acc_extra_nullable acc_extra_size acc_flag acc_from_tag_column "
     "acc_method_column acc_prepare_always acc_prepare_flag acc_sip_code_column acc_sip_reason_column "
     "acc_time_column acc_to_tag_column cdr_duration_id cdr_enable cdr_end_id cdr_expired_dlg_enable "
     "cdr_extra cdr_extra_nullable cdr_extra_size cdr_facility cdr_log_enable cdr_on_failed cdr_skip "
     "cdr_start_id cdr_start_on_confirmed cdrs_table clone_msg db_extra db_flag db_insert_mode "
     "db_missed_flag db_table db_table_acc db_table_missed_calls db_url detect_direction early_media "
     "failed_filter failed_transaction_flag failed_transactions log_extra log_facility log_flag log_fmt "
     "log_level log_missed_flag missed_flag multi_leg_info radius_config radius_flag radius_missed_flag "
     "reason_from_hf report_ack report_cancels service_type time_attr time_exten time_format time_mode "
     "uid_column use_database"},
    {"acc_diameter",
     "acc_diam_request/1",
     "diameter_client_host diameter_client_port diameter_extra diameter_flag diameter_missed_flag"},
    {"acc_json",
     "",
     ""},
    {"acc_radius",
     "",
     ""},
    {"alias_db",
     "alias_db_find/3-4 alias_db_lookup/1-2@fr",
     "alias_domain_column alias_user_column append_branches db_url domain_column domain_prefix "
     "use_domain user_column"},
    {"app_java",
     "",
     ""},
    {"app_jsdt",
     "jsdt_dofile/1 jsdt_dostring/1 jsdt_run/2 jsdt_runstring/1",
     "load mode"},
    {"app_lua",
     "",
     ""},
    {"app_mono",
     "",
     ""},
    {"app_perl",
     "",
     ""},
    {"app_python",
     "",
     ""},
    {"app_python3",
     "",
     ""},
    {"app_ruby",
     "",
     ""},
    {"app_sqlang",
     "sqlang_dofile/1 sqlang_dostring/1 sqlang_run/1-2 sqlang_runstring/1",
     "load"},
    {"async",
     "async_ms_route/2@r async_ms_sleep/1@r async_route/2@r async_sleep/1@r async_task_data/2 "
     "async_task_group_data/3 async_task_group_route/2@r async_task_route/1@r",
     "ms_timer return workers"},
    {"auth",
     "auth_challenge/2-3@r auth_get_www_authenticate/3 check_from/0 check_to/0 consume_credentials/0 "
     "has_credentials/1 is_in_group/1 is_user/1 is_user_in/2 proxy_authorize/2 proxy_challenge/2-3@r "
     "pv_auth_check/4 pv_proxy_authenticate/3-4@r pv_www_authenticate/3-4 www_authorize/2 "
     "www_challenge/2-3",
     "add_authinfo_hdr algorithm auth_checks_in_dlg auth_checks_no_dlg auth_checks_register "
     "calculate_ha1 db_url force_stateless_reply group_group_column group_table group_user_column "
     "nc_array_order nc_array_size nid_pool_no nonce_auth_max_drift nonce_count nonce_expire "
     "one_time_nonce otn_in_flight_no otn_in_flight_order password_column password_column_2 qop "
     "realm_column realm_prefix retry_count rpid_prefix rpid_suffix secret use_domain user_column"},
    {"auth_db",
     "auth_check/3@r is_subscriber/3 proxy_authenticate/2-3@r proxy_authorize/2 www_authenticate/2-3 "
     "www_authorize/2",
     "calculate_ha1 db_url domain_column force_generate_avps load_credentials load_credentials_list "
     "password_column password_column_2 rpid_column use_domain use_rpid user_column version_table"},
    {"auth_diameter",
     "diameter_is_user_in/2@r diameter_proxy_authorize/1@r diameter_www_authorize/1@r",
     "diameter_client_host diameter_client_port use_domain"},
    {"auth_ephemeral",
     "",
     ""},
    {"auth_identity",
     "",
     ""},
    {"auth_radius",
     "radius_proxy_authorize/1-2 radius_www_authorize/1",
     "radius_config service_type"},
    {"auth_xkeys",
     "auth_xkeys_add/4 auth_xkeys_check/4",
     "xkey"},
    {"avp",
     "append_attr_hf/1-2 attr2uri/1-2 attr_destination/1 attr_equals/2 attr_equals_xl/2 attr_exists/1 "
     "attr_to_reply/1-2 del_attr/1 dump_attrs/0 flags2attr/1 hdr_body2attrs/2 hdr_body2attrs2/2 "
     "insert_attr_hf/1-2 print_attr/1 replace_attr_hf/1-2 set_iattr/2 set_sattr/2 subst_attr/2 "
     "xlfix_attr/1 xlset_attr/2 xlset_destination/1",
     "xlbuf_size"},
    {"avp_db",
     "",
     ""},
    {"avp_radius",
     "",
     ""},
    {"avpops",
     "avp_check/2 avp_copy/2 avp_db_delete/2 avp_db_load/2 avp_db_query/1-2 avp_db_store/2 avp_delete/1 "
     "avp_op/2 avp_print/0 avp_printf/2 avp_pushto/2 avp_subst/2 avp_subst_pv/2 avp_write/2 "
     "is_avp_set/1",
     "attribute_column avp_table db_scheme db_url domain_column type_column use_domain username_column "
     "uuid_column value_column"},
    {"benchmark",
     "bm_log_timer/1 bm_start_timer/1",
     "enable granularity loglevel register"},
    {"blst",
     "blst_add/0-1 blst_add_retry_after/2 blst_clear_ignore/0-1 blst_del/0 blst_is_blocklisted/0 "
     "blst_rpl_clear_ignore/0-1 blst_rpl_set_ignore/0-1 blst_set_ignore/0-1",
     ""},
    {"call_control",
     "call_control/0@r",
     "canonical_uri_avp disable diverter_avp_id signaling_ip_avp socket_name socket_timeout"},
    {"call_obj",
     "call_obj_free/1 call_obj_get/1",
     "end start"},
    {"carrierroute",
     "cr_next_domain/5 cr_nofallback_route/4 cr_route/5 cr_user_carrier/3",
     "avoid_failed_destinations config_file config_source db_load_description default_tree "
     "fallback_default fetch_rows match_mode subscriber_carrier_col subscriber_domain_col "
     "subscriber_table subscriber_user_col use_domain"},
    {"cdp",
     "",
     ""},
    {"cdp_avp",
     "",
     ""},
    {"cfg_db",
     "",
     "custom_tbl db_url transl_tbl"},
    {"cfg_rpc",
     "",
     ""},
    {"cfgt",
     "",
     "basedir callid_prefix mask"},
    {"cfgutils",
     "abort/0 check_route_exists/1 core_hash/3 is_gflag/1 lock/1 pkg_status/0 pkg_summary/0 "
     "rand_event/0 rand_get_prob/0 rand_reset_prob/0 rand_set_prob/1 reset_gflag/1 route_if_exists/1 "
     "set_gflag/1 shm_status/0 shm_summary/0 sleep/1 trylock/1 unlock/1 usleep/1",
     "hash_file initial_gflags initial_probability lock_set_size"},
    {"corex",
     "append_branch/0-2@fr file_read/2 file_write/2 forward_reply/0@o is_faked_msg/0 is_incoming/0-1 "
     "is_socket_name/1 isxflagset/1 msg_iflag_is_set/1 msg_iflag_reset/1 msg_iflag_set/1 resetxflag/1 "
     "send_data/2 send_tcp/0-1 send_udp/0-1@fr sendx/3 set_recv_socket/1 set_recv_socket_name/1 "
     "set_send_socket/1 set_send_socket_name/1 set_source_address/1 setxflag/1 via_add_srvid/1 "
     "via_add_xavp_params/1 via_use_xavp_fields/1",
     "alias_subdomains dns_cache evcb_reply_out network_io_intercept nio_intercept nio_is_incoming_avp "
     "nio_min_msg_len nio_msg_avp"},
    {"counters",
     "cnt_add/0-2 cnt_inc/0-1 cnt_reset/0-1",
     "script_cnt_grp_name script_counter"},
    {"cpl",
     "cpl_is_response_accept/0 cpl_is_response_redirect/0 cpl_is_response_reject/0 cpl_run_script/0-1 "
     "cpl_update_contact/0",
     "cpl_port cpl_server"},
    {"cpl-c",
     "cpl_process_register/0 cpl_process_register_norpl/0 cpl_run_script/0-2",
     "cache_timeout cpl_db cpl_dtd_file cpl_table db_table db_url log_dir lookup_domain nat_flag "
     "proxy_recurse proxy_route"},
    {"crypto",
     "",
     ""},
    {"ctl",
     "",
     "autoconversion binrpc binrpc_buffer_size binrpc_max_body_size binrpc_struct_max_body_size fifo "
     "group mode user"},
};

}  // namespace

std::span<const ModuleFacts> modules_a_to_c() noexcept { return kModules; }

}  // namespace ser::conf::detail
