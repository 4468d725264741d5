// SPDX-License-Identifier: Apache-2.0
#include "sip/numeric.h"

#include "base/text.h"
#include "sip/scanner.h"
#include "sip/value_reader.h"

namespace ser::sip {

namespace {

/// A number with LWS before and after it.
Result<void> read_u32(Cursor& cursor, std::uint32_t max, std::uint32_t& out) noexcept {
  cursor.skip_lws();
  std::uint64_t value = 0;
  if (!cursor.number(value)) return {Errc::syntax, "number expected", cursor.offset()};
  if (value > max) return {Errc::out_of_range, "number out of range", cursor.offset()};
  out = static_cast<std::uint32_t>(value);
  return {};
}

/// Nothing but one to nine digits, which is nearly every number.
bool read_plain(std::string_view text, std::uint32_t& out) noexcept {
  if (text.empty() || text.size() > 9) return false;
  std::uint32_t value = 0;
  for (const char c : text) {
    const auto digit = static_cast<std::uint32_t>(static_cast<unsigned char>(c)) - '0';
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  out = value;
  return true;
}

Result<void> read_method(Cursor& cursor, Method& method, std::string_view& name) noexcept {
  if (!cursor.skip_lws()) return {Errc::syntax, "no white space before method", cursor.offset()};
  name = cursor.token();
  if (name.empty()) return {Errc::syntax, "method expected", cursor.offset()};
  method = parse_method(name);
  return at_end(cursor);
}

/// 1*DIGIT [ "." *DIGIT ]
bool read_decimal(Cursor& cursor, std::string_view& text) noexcept {
  const char* from = cursor.position();
  std::uint64_t ignored = 0;
  if (!cursor.number(ignored)) return false;
  if (cursor.take('.')) cursor.number(ignored);
  text = cursor.since(from);
  return true;
}

}  // namespace

Result<Number*> parse_number(std::string_view text, Arena& arena, std::uint32_t max) noexcept {
  Number number;
  if (read_plain(text, number.value) && number.value <= max) return keep(arena, number);
  Cursor cursor(text);
  TRY_VOID(read_u32(cursor, max, number.value));
  TRY_VOID(at_end(cursor));
  return keep(arena, number);
}

Result<CSeq*> parse_cseq(std::string_view text, Arena& arena) noexcept {
  Cursor cursor(text);
  CSeq cseq;
  TRY_VOID(read_u32(cursor, 0xFFFFFFFFU, cseq.number));
  TRY_VOID(read_method(cursor, cseq.method, cseq.method_name));
  return keep(arena, cseq);
}

Result<RAck*> parse_rack(std::string_view text, Arena& arena) noexcept {
  Cursor cursor(text);
  RAck rack;
  TRY_VOID(read_u32(cursor, 0xFFFFFFFFU, rack.rseq));
  TRY_VOID(read_u32(cursor, 0xFFFFFFFFU, rack.cseq));
  TRY_VOID(read_method(cursor, rack.method, rack.method_name));
  return keep(arena, rack);
}

Result<SessionExpires*> parse_session_expires(std::string_view text, Arena& arena) noexcept {
  Cursor cursor(text);
  SessionExpires session;
  TRY_VOID(read_u32(cursor, 0xFFFFFFFFU, session.seconds));
  TRY_VOID(read_params(cursor, session.params, [&](const Param& param) -> Result<void> {
    if (!iequals(param.name, "refresher")) return {};
    if (iequals(param.value, "uac")) {
      session.refresher = SessionExpires::Refresher::uac;
    } else if (iequals(param.value, "uas")) {
      session.refresher = SessionExpires::Refresher::uas;
    } else {
      return {Errc::syntax, "malformed refresher"};
    }
    return {};
  }));
  TRY_VOID(at_end(cursor));
  return keep(arena, session);
}

Result<RetryAfter*> parse_retry_after(std::string_view text, Arena& arena) noexcept {
  Cursor cursor(text);
  RetryAfter after;
  TRY_VOID(read_u32(cursor, 0xFFFFFFFFU, after.seconds));
  cursor.skip_lws();
  if (cursor.next_is('(') && !cursor.comment()) {
    return {Errc::syntax, "comment not closed", cursor.offset()};
  }
  TRY_VOID(read_params(cursor, after.params, [](const Param&) -> Result<void> { return {}; }));
  TRY_VOID(at_end(cursor));
  return keep(arena, after);
}

Result<Timestamp*> parse_timestamp(std::string_view text, Arena& arena) noexcept {
  Cursor cursor(text);
  Timestamp timestamp;
  cursor.skip_lws();
  if (!read_decimal(cursor, timestamp.stamp)) return {Errc::syntax, "number expected", cursor.offset()};
  if (cursor.skip_lws() && !cursor.at_end() && !read_decimal(cursor, timestamp.delay)) {
    return {Errc::syntax, "malformed delay", cursor.offset()};
  }
  TRY_VOID(at_end(cursor));
  return keep(arena, timestamp);
}

}  // namespace ser::sip
