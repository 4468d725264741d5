// SPDX-License-Identifier: Apache-2.0
// Tags for Message::get<>(): which header, which typed value, which parser. sip/auth.h and sip/tags.h add
// theirs.
#pragma once
#include "sip/contact.h"
#include "sip/header_id.h"
#include "sip/name_addr.h"
#include "sip/numeric.h"
#include "sip/simple.h"
#include "sip/via.h"

/// A tag T has: T::Value, the typed value (trivially destructible; lists have `next`, and `field` when it is
/// to be filled); T::id; and static Result<T::Value*> T::parse(std::string_view value, Arena&). One Value
/// type per id.
namespace ser::sip::hdr {

/// The tag made of an id, a value type and a parser.
template <HeaderId kId, class V, Result<V*> (*kParse)(std::string_view, Arena&) noexcept>
struct Tag {
  using Value = V;
  static constexpr HeaderId id = kId;
  static Result<V*> parse(std::string_view value, Arena& arena) noexcept { return kParse(value, arena); }
};

/// The tag of a plain number not above kMax.
template <HeaderId kId, std::uint32_t kMax>
struct NumberTag {
  using Value = Number;
  static constexpr HeaderId id = kId;
  static Result<Number*> parse(std::string_view value, Arena& arena) noexcept {
    return parse_number(value, arena, kMax);
  }
};

struct Via : Tag<HeaderId::via, sip::Via, parse_via> {};
struct From : Tag<HeaderId::from, NameAddr, parse_name_addr> {};
struct To : Tag<HeaderId::to, NameAddr, parse_name_addr> {};
struct ReferTo : Tag<HeaderId::refer_to, NameAddr, parse_name_addr> {};
struct ReferredBy : Tag<HeaderId::referred_by, NameAddr, parse_name_addr> {};
struct ReplyTo : Tag<HeaderId::reply_to, NameAddr, parse_name_addr> {};
struct Route : Tag<HeaderId::route, NameAddr, parse_route_list> {};
struct RecordRoute : Tag<HeaderId::record_route, NameAddr, parse_route_list> {};
struct Path : Tag<HeaderId::path, NameAddr, parse_route_list> {};
struct ServiceRoute : Tag<HeaderId::service_route, NameAddr, parse_route_list> {};
struct PAssertedIdentity : Tag<HeaderId::p_asserted_identity, NameAddr, parse_name_addr_list> {};
struct PPreferredIdentity : Tag<HeaderId::p_preferred_identity, NameAddr, parse_name_addr_list> {};
struct RemotePartyId : Tag<HeaderId::remote_party_id, NameAddr, parse_name_addr_list> {};
struct Diversion : Tag<HeaderId::diversion, NameAddr, parse_name_addr_list> {};
struct Contact : Tag<HeaderId::contact, sip::Contact, parse_contact> {};

struct CSeq : Tag<HeaderId::cseq, sip::CSeq, parse_cseq> {};
struct MaxForwards : NumberTag<HeaderId::max_forwards, 255> {};
struct Expires : NumberTag<HeaderId::expires, 0xFFFFFFFFU> {};
struct MinExpires : NumberTag<HeaderId::min_expires, 0xFFFFFFFFU> {};
struct ContentLength : NumberTag<HeaderId::content_length, 0xFFFFFFFFU> {};
struct RSeq : NumberTag<HeaderId::rseq, 0xFFFFFFFFU> {};
struct MaxBreadth : NumberTag<HeaderId::max_breadth, 0xFFFFFFFFU> {};
struct RAck : Tag<HeaderId::rack, sip::RAck, parse_rack> {};
struct SessionExpires : Tag<HeaderId::session_expires, sip::SessionExpires, parse_session_expires> {};
struct MinSe : Tag<HeaderId::min_se, sip::SessionExpires, parse_session_expires> {};
struct RetryAfter : Tag<HeaderId::retry_after, sip::RetryAfter, parse_retry_after> {};
struct Timestamp : Tag<HeaderId::timestamp, sip::Timestamp, parse_timestamp> {};

struct CallId : Tag<HeaderId::call_id, sip::CallId, parse_call_id> {};
struct ContentType : Tag<HeaderId::content_type, sip::ContentType, parse_content_type> {};
struct Event : Tag<HeaderId::event, sip::Event, parse_event> {};
struct Privacy : Tag<HeaderId::privacy, sip::Privacy, parse_privacy> {};
struct Reason : Tag<HeaderId::reason, sip::Reason, parse_reason> {};

}  // namespace ser::sip::hdr
