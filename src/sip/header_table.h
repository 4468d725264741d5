// SPDX-License-Identifier: Apache-2.0
// The header names: one row per HeaderId, in its order. Look-up, docs and tests come from this table.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "sip/header_id.h"

namespace ser::sip {

/// How often a header may stand in a message, and whether its values may be joined with commas.
enum class HeaderKind : std::uint8_t {
  single,  ///< once
  list,    ///< repeated or with commas, which mean the same (RFC 3261 7.3.1)
  repeat,  ///< repeated, but never joined with commas (the authentication headers)
};

struct HeaderRow {
  HeaderId id;
  std::string_view name;  ///< canonical
  char compact;           ///< compact form in lower case; NUL: none
  HeaderKind kind;
  std::uint16_t rfc;  ///< where it is defined; 0: never an RFC
};

inline constexpr std::array<HeaderRow, kHeaderIds> kHeaderTable{{
    {HeaderId::other, "", 0, HeaderKind::list, 0},
    {HeaderId::via, "Via", 'v', HeaderKind::list, 3261},
    {HeaderId::from, "From", 'f', HeaderKind::single, 3261},
    {HeaderId::to, "To", 't', HeaderKind::single, 3261},
    {HeaderId::call_id, "Call-ID", 'i', HeaderKind::single, 3261},
    {HeaderId::cseq, "CSeq", 0, HeaderKind::single, 3261},
    {HeaderId::max_forwards, "Max-Forwards", 0, HeaderKind::single, 3261},
    {HeaderId::contact, "Contact", 'm', HeaderKind::list, 3261},
    {HeaderId::route, "Route", 0, HeaderKind::list, 3261},
    {HeaderId::record_route, "Record-Route", 0, HeaderKind::list, 3261},
    {HeaderId::content_length, "Content-Length", 'l', HeaderKind::single, 3261},
    {HeaderId::content_type, "Content-Type", 'c', HeaderKind::single, 3261},
    {HeaderId::expires, "Expires", 0, HeaderKind::single, 3261},
    {HeaderId::proxy_require, "Proxy-Require", 0, HeaderKind::list, 3261},
    {HeaderId::proxy_authorization, "Proxy-Authorization", 0, HeaderKind::repeat, 3261},
    {HeaderId::authorization, "Authorization", 0, HeaderKind::repeat, 3261},
    {HeaderId::accept, "Accept", 0, HeaderKind::list, 3261},
    {HeaderId::accept_contact, "Accept-Contact", 'a', HeaderKind::list, 3841},
    {HeaderId::accept_encoding, "Accept-Encoding", 0, HeaderKind::list, 3261},
    {HeaderId::accept_language, "Accept-Language", 0, HeaderKind::list, 3261},
    {HeaderId::accept_resource_priority, "Accept-Resource-Priority", 0, HeaderKind::list, 4412},
    {HeaderId::additional_identity, "Additional-Identity", 0, HeaderKind::single, 0},
    {HeaderId::alert_info, "Alert-Info", 0, HeaderKind::list, 3261},
    {HeaderId::allow, "Allow", 0, HeaderKind::list, 3261},
    {HeaderId::allow_events, "Allow-Events", 'u', HeaderKind::list, 6665},
    {HeaderId::answer_mode, "Answer-Mode", 0, HeaderKind::single, 5373},
    {HeaderId::attestation_info, "Attestation-Info", 0, HeaderKind::single, 0},
    {HeaderId::authentication_info, "Authentication-Info", 0, HeaderKind::single, 3261},
    {HeaderId::call_info, "Call-Info", 0, HeaderKind::list, 3261},
    {HeaderId::cellular_network_info, "Cellular-Network-Info", 0, HeaderKind::single, 0},
    {HeaderId::content_disposition, "Content-Disposition", 0, HeaderKind::single, 3261},
    {HeaderId::content_encoding, "Content-Encoding", 'e', HeaderKind::list, 3261},
    {HeaderId::content_id, "Content-ID", 0, HeaderKind::single, 8262},
    {HeaderId::content_language, "Content-Language", 0, HeaderKind::list, 3261},
    {HeaderId::date, "Date", 0, HeaderKind::single, 3261},
    {HeaderId::dc_info, "DC-Info", 0, HeaderKind::list, 0},
    {HeaderId::diversion, "Diversion", 0, HeaderKind::list, 5806},
    {HeaderId::encryption, "Encryption", 0, HeaderKind::single, 2543},
    {HeaderId::error_info, "Error-Info", 0, HeaderKind::list, 3261},
    {HeaderId::event, "Event", 'o', HeaderKind::single, 6665},
    {HeaderId::feature_caps, "Feature-Caps", 0, HeaderKind::list, 6809},
    {HeaderId::flow_timer, "Flow-Timer", 0, HeaderKind::single, 5626},
    {HeaderId::geolocation, "Geolocation", 0, HeaderKind::list, 6442},
    {HeaderId::geolocation_error, "Geolocation-Error", 0, HeaderKind::single, 6442},
    {HeaderId::geolocation_routing, "Geolocation-Routing", 0, HeaderKind::single, 6442},
    {HeaderId::hide, "Hide", 0, HeaderKind::single, 2543},
    {HeaderId::history_info, "History-Info", 0, HeaderKind::list, 7044},
    {HeaderId::identity, "Identity", 'y', HeaderKind::list, 8224},
    {HeaderId::identity_info, "Identity-Info", 'n', HeaderKind::single, 4474},
    {HeaderId::in_reply_to, "In-Reply-To", 0, HeaderKind::list, 3261},
    {HeaderId::info_package, "Info-Package", 0, HeaderKind::single, 6086},
    {HeaderId::join, "Join", 0, HeaderKind::single, 3911},
    {HeaderId::max_breadth, "Max-Breadth", 0, HeaderKind::single, 5393},
    {HeaderId::mime_version, "MIME-Version", 0, HeaderKind::single, 3261},
    {HeaderId::min_expires, "Min-Expires", 0, HeaderKind::single, 3261},
    {HeaderId::min_se, "Min-SE", 0, HeaderKind::single, 4028},
    {HeaderId::organization, "Organization", 0, HeaderKind::single, 3261},
    {HeaderId::origination_id, "Origination-Id", 0, HeaderKind::single, 0},
    {HeaderId::p_access_network_info, "P-Access-Network-Info", 0, HeaderKind::list, 7315},
    {HeaderId::p_answer_state, "P-Answer-State", 0, HeaderKind::single, 4964},
    {HeaderId::p_asserted_identity, "P-Asserted-Identity", 0, HeaderKind::list, 3325},
    {HeaderId::p_asserted_service, "P-Asserted-Service", 0, HeaderKind::list, 6050},
    {HeaderId::p_associated_uri, "P-Associated-URI", 0, HeaderKind::list, 7315},
    {HeaderId::p_called_party_id, "P-Called-Party-ID", 0, HeaderKind::single, 7315},
    {HeaderId::p_charge_info, "P-Charge-Info", 0, HeaderKind::single, 8496},
    {HeaderId::p_charging_function_addresses, "P-Charging-Function-Addresses", 0, HeaderKind::list, 7315},
    {HeaderId::p_charging_vector, "P-Charging-Vector", 0, HeaderKind::single, 7315},
    {HeaderId::p_dcs_billing_info, "P-DCS-Billing-Info", 0, HeaderKind::single, 5503},
    {HeaderId::p_dcs_laes, "P-DCS-LAES", 0, HeaderKind::single, 5503},
    {HeaderId::p_dcs_osps, "P-DCS-OSPS", 0, HeaderKind::single, 5503},
    {HeaderId::p_dcs_redirect, "P-DCS-Redirect", 0, HeaderKind::single, 5503},
    {HeaderId::p_dcs_trace_party_id, "P-DCS-Trace-Party-ID", 0, HeaderKind::single, 5503},
    {HeaderId::p_early_media, "P-Early-Media", 0, HeaderKind::list, 5009},
    {HeaderId::p_media_authorization, "P-Media-Authorization", 0, HeaderKind::list, 3313},
    {HeaderId::p_preferred_identity, "P-Preferred-Identity", 0, HeaderKind::list, 3325},
    {HeaderId::p_preferred_service, "P-Preferred-Service", 0, HeaderKind::list, 6050},
    {HeaderId::p_private_network_indication, "P-Private-Network-Indication", 0, HeaderKind::single, 7316},
    {HeaderId::p_profile_key, "P-Profile-Key", 0, HeaderKind::single, 5002},
    {HeaderId::p_refused_uri_list, "P-Refused-URI-List", 0, HeaderKind::list, 5318},
    {HeaderId::p_served_user, "P-Served-User", 0, HeaderKind::single, 5502},
    {HeaderId::p_user_database, "P-User-Database", 0, HeaderKind::single, 4457},
    {HeaderId::p_visited_network_id, "P-Visited-Network-ID", 0, HeaderKind::list, 7315},
    {HeaderId::path, "Path", 0, HeaderKind::list, 3327},
    {HeaderId::permission_missing, "Permission-Missing", 0, HeaderKind::list, 5360},
    {HeaderId::policy_contact, "Policy-Contact", 0, HeaderKind::list, 6794},
    {HeaderId::policy_id, "Policy-ID", 0, HeaderKind::list, 6794},
    {HeaderId::priority, "Priority", 0, HeaderKind::single, 3261},
    {HeaderId::priority_share, "Priority-Share", 0, HeaderKind::single, 0},
    {HeaderId::priority_verstat, "Priority-Verstat", 0, HeaderKind::single, 0},
    {HeaderId::priv_answer_mode, "Priv-Answer-Mode", 0, HeaderKind::single, 5373},
    {HeaderId::privacy, "Privacy", 0, HeaderKind::single, 3323},
    {HeaderId::proxy_authenticate, "Proxy-Authenticate", 0, HeaderKind::repeat, 3261},
    {HeaderId::rack, "RAck", 0, HeaderKind::single, 3262},
    {HeaderId::reason, "Reason", 0, HeaderKind::list, 3326},
    {HeaderId::recv_info, "Recv-Info", 0, HeaderKind::list, 6086},
    {HeaderId::refer_events_at, "Refer-Events-At", 0, HeaderKind::single, 7614},
    {HeaderId::refer_sub, "Refer-Sub", 0, HeaderKind::single, 4488},
    {HeaderId::refer_to, "Refer-To", 'r', HeaderKind::single, 3515},
    {HeaderId::referred_by, "Referred-By", 'b', HeaderKind::single, 3892},
    {HeaderId::reject_contact, "Reject-Contact", 'j', HeaderKind::list, 3841},
    {HeaderId::relayed_charge, "Relayed-Charge", 0, HeaderKind::single, 0},
    {HeaderId::remote_party_id, "Remote-Party-ID", 0, HeaderKind::list, 0},
    {HeaderId::replaces, "Replaces", 0, HeaderKind::single, 3891},
    {HeaderId::reply_to, "Reply-To", 0, HeaderKind::single, 3261},
    {HeaderId::request_disposition, "Request-Disposition", 'd', HeaderKind::list, 3841},
    {HeaderId::require, "Require", 0, HeaderKind::list, 3261},
    {HeaderId::resource_priority, "Resource-Priority", 0, HeaderKind::list, 4412},
    {HeaderId::resource_share, "Resource-Share", 0, HeaderKind::single, 0},
    {HeaderId::response_key, "Response-Key", 0, HeaderKind::single, 2543},
    {HeaderId::response_source, "Response-Source", 0, HeaderKind::single, 0},
    {HeaderId::restoration_info, "Restoration-Info", 0, HeaderKind::single, 0},
    {HeaderId::retry_after, "Retry-After", 0, HeaderKind::single, 3261},
    {HeaderId::rseq, "RSeq", 0, HeaderKind::single, 3262},
    {HeaderId::security_client, "Security-Client", 0, HeaderKind::list, 3329},
    {HeaderId::security_server, "Security-Server", 0, HeaderKind::list, 3329},
    {HeaderId::security_verify, "Security-Verify", 0, HeaderKind::list, 3329},
    {HeaderId::server, "Server", 0, HeaderKind::single, 3261},
    {HeaderId::service_interact_info, "Service-Interact-Info", 0, HeaderKind::single, 0},
    {HeaderId::service_route, "Service-Route", 0, HeaderKind::list, 3608},
    {HeaderId::session_expires, "Session-Expires", 'x', HeaderKind::single, 4028},
    {HeaderId::session_id, "Session-ID", 0, HeaderKind::single, 7989},
    {HeaderId::sip_etag, "SIP-ETag", 0, HeaderKind::single, 3903},
    {HeaderId::sip_if_match, "SIP-If-Match", 0, HeaderKind::single, 3903},
    {HeaderId::subject, "Subject", 's', HeaderKind::single, 3261},
    {HeaderId::subscription_state, "Subscription-State", 0, HeaderKind::single, 6665},
    {HeaderId::supported, "Supported", 'k', HeaderKind::list, 3261},
    {HeaderId::suppress_if_match, "Suppress-If-Match", 0, HeaderKind::single, 5839},
    {HeaderId::target_dialog, "Target-Dialog", 0, HeaderKind::single, 4538},
    {HeaderId::timestamp, "Timestamp", 0, HeaderKind::single, 3261},
    {HeaderId::trigger_consent, "Trigger-Consent", 0, HeaderKind::list, 5360},
    {HeaderId::unsupported, "Unsupported", 0, HeaderKind::list, 3261},
    {HeaderId::user_agent, "User-Agent", 0, HeaderKind::single, 3261},
    {HeaderId::user_to_user, "User-to-User", 0, HeaderKind::list, 7433},
    {HeaderId::warning, "Warning", 0, HeaderKind::list, 3261},
    {HeaderId::www_authenticate, "WWW-Authenticate", 0, HeaderKind::repeat, 3261},
}};

/// The row of an id.
constexpr const HeaderRow& header_row(HeaderId id) noexcept {
  return kHeaderTable[static_cast<std::size_t>(id)];
}

namespace detail {
constexpr bool header_table_in_order() {
  for (std::size_t i = 0; i < kHeaderIds; ++i) {
    if (kHeaderTable[i].id != static_cast<HeaderId>(i)) return false;
  }
  return true;
}
}  // namespace detail
static_assert(detail::header_table_in_order(), "kHeaderTable must have the order of HeaderId");

}  // namespace ser::sip
