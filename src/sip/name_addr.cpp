// SPDX-License-Identifier: Apache-2.0
#include "sip/name_addr.h"

#include "base/text.h"
#include "sip/address.h"

namespace ser::sip {

namespace {

enum class Form : std::uint8_t { one, list, route };

Result<void> read_value(Cursor& cursor, NameAddr& value, Form form) noexcept {
  Address address;
  TRY_VOID(scan_address(cursor, address));
  if (form == Form::route && !address.angle) return {Errc::syntax, "angle brackets missing"};
  const char* value_end = address.end;
  const char* params = nullptr;
  bool has_tag = false;
  for (;;) {
    cursor.skip_lws();
    const char* semicolon = cursor.position();
    if (!cursor.take(';')) break;
    cursor.skip_lws();
    Param param;
    if (!scan_param(cursor, param)) return {Errc::syntax, "malformed parameter"};
    if (param.name.size() == 3 && iequals(param.name, "tag") && form == Form::one) {
      if (has_tag || !param.has_value || param.quoted) return {Errc::syntax, "malformed tag"};
      has_tag = true;
      value.tag = param.value;
    }
    if (params == nullptr) params = semicolon;
    value_end = param.end;
  }
  if (params != nullptr) value.params = {params, static_cast<std::size_t>(value_end - params)};
  if (!cursor.at_end() && (form == Form::one || !cursor.next_is(','))) {
    return {Errc::syntax, "unexpected text after address"};
  }
  value.display = address.display;
  value.uri = address.uri;
  value.angle = address.angle;
  value.text = {address.begin, static_cast<std::size_t>(value_end - address.begin)};
  return {};
}

Result<NameAddr*> parse(std::string_view text, Arena& arena, Form form) noexcept {
  Cursor cursor(text);
  NameAddr* first = nullptr;
  NameAddr* last = nullptr;
  do {
    auto* value = arena.make<NameAddr>();
    if (value == nullptr) return {Errc::no_memory, "no room for an address"};
    const Result<void> read = read_value(cursor, *value, form);
    if (!read) return {read.error().code, read.error().what, cursor.offset()};
    if (last == nullptr) {
      first = value;
    } else {
      last->next = value;
    }
    last = value;
  } while (cursor.take(','));
  return first;
}

}  // namespace

Result<NameAddr*> parse_name_addr(std::string_view text, Arena& arena) noexcept {
  return parse(text, arena, Form::one);
}

Result<NameAddr*> parse_name_addr_list(std::string_view text, Arena& arena) noexcept {
  return parse(text, arena, Form::list);
}

Result<NameAddr*> parse_route_list(std::string_view text, Arena& arena) noexcept {
  return parse(text, arena, Form::route);
}

}  // namespace ser::sip
