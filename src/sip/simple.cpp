// SPDX-License-Identifier: Apache-2.0
#include "sip/simple.h"

#include "base/text.h"
#include "sip/scanner.h"
#include "sip/value_reader.h"

namespace ser::sip {

namespace {

std::uint8_t privacy_bit(std::string_view name) noexcept {
  if (iequals(name, "id")) return Privacy::kId;
  if (iequals(name, "none")) return Privacy::kNone;
  if (iequals(name, "user")) return Privacy::kUser;
  if (iequals(name, "header")) return Privacy::kHeader;
  if (iequals(name, "session")) return Privacy::kSession;
  if (iequals(name, "history")) return Privacy::kHistory;
  if (iequals(name, "critical")) return Privacy::kCritical;
  return Privacy::kOther;
}

Result<void> read_reason(Cursor& cursor, Reason& reason) noexcept {
  cursor.skip_lws();
  reason.protocol = cursor.token();
  if (reason.protocol.empty()) return {Errc::syntax, "protocol expected", cursor.offset()};
  return read_params(cursor, reason.params, [&](const Param& param) -> Result<void> {
    if (iequals(param.name, "text")) {
      reason.reason_text = param.value;
    } else if (iequals(param.name, "cause")) {
      Cursor digits(param.value);
      std::uint64_t cause = 0;
      if (!digits.number(cause) || !digits.at_end())
        return {Errc::syntax, "malformed cause", cursor.offset()};
      if (cause > INT32_MAX) return {Errc::out_of_range, "cause out of range", cursor.offset()};
      reason.cause = static_cast<std::int32_t>(cause);
    }
    return {};
  });
}

}  // namespace

bool ContentType::is(std::string_view a_type, std::string_view a_subtype) const noexcept {
  return iequals(type, a_type) && iequals(subtype, a_subtype);
}

Result<CallId*> parse_call_id(std::string_view text, Arena& arena) noexcept {
  Cursor cursor(text);
  cursor.skip_lws();
  const char* from = cursor.position();
  if (cursor.run(kWordChar).empty()) return {Errc::syntax, "malformed Call-ID", cursor.offset()};
  if (cursor.take('@') && cursor.run(kWordChar).empty())
    return {Errc::syntax, "malformed Call-ID", cursor.offset()};
  const CallId call_id{cursor.since(from)};
  cursor.skip_lws();
  TRY_VOID(at_end(cursor));
  return keep(arena, call_id);
}

Result<ContentType*> parse_content_type(std::string_view text, Arena& arena) noexcept {
  Cursor cursor(text);
  ContentType type;
  cursor.skip_lws();
  type.type = cursor.token();
  if (type.type.empty() || !cursor.take_separator('/')) {
    return {Errc::syntax, "malformed media type", cursor.offset()};
  }
  type.subtype = cursor.token();
  if (type.subtype.empty()) return {Errc::syntax, "malformed media type", cursor.offset()};
  TRY_VOID(read_params(cursor, type.params, [](const Param&) -> Result<void> { return {}; }));
  TRY_VOID(at_end(cursor));
  return keep(arena, type);
}

Result<Event*> parse_event(std::string_view text, Arena& arena) noexcept {
  Cursor cursor(text);
  Event event;
  cursor.skip_lws();
  event.package = cursor.token();
  if (event.package.empty()) return {Errc::syntax, "event package expected", cursor.offset()};
  TRY_VOID(read_params(cursor, event.params, [&](const Param& param) -> Result<void> {
    if (iequals(param.name, "id")) event.id = param.value;
    return {};
  }));
  TRY_VOID(at_end(cursor));
  return keep(arena, event);
}

Result<Privacy*> parse_privacy(std::string_view text, Arena& arena) noexcept {
  Cursor cursor(text);
  Privacy privacy;
  privacy.text = text;
  do {
    cursor.skip_lws();
    const std::string_view name = cursor.token();
    if (name.empty()) return {Errc::syntax, "priv-value expected", cursor.offset()};
    privacy.values = static_cast<std::uint8_t>(privacy.values | privacy_bit(name));
    cursor.skip_lws();
    // RFC 3323 separates with semicolons; commas are what some implementations send.
  } while (cursor.take(';') || cursor.take(','));
  TRY_VOID(at_end(cursor));
  return keep(arena, privacy);
}

Result<Reason*> parse_reason(std::string_view text, Arena& arena) noexcept {
  return read_list<Reason>(text, arena, read_reason);
}

}  // namespace ser::sip
