// SPDX-License-Identifier: Apache-2.0
#include "sip/name_addr.h"

#include "base/text.h"
#include "sip/address.h"
#include "sip/value_reader.h"

namespace ser::sip {

namespace {

enum class Form : std::uint8_t { one, list, route };

Result<void> read_value(Cursor& cursor, NameAddr& value, Form form) noexcept {
  Address address;
  TRY_VOID(scan_address(cursor, address));
  if (form == Form::route && !address.angle) return {Errc::syntax, "angle brackets missing"};
  bool has_tag = false;
  TRY_VOID(read_params(cursor, value.params, [&](const Param& param) -> Result<void> {
    if (form != Form::one || param.name.size() != 3 || !iequals(param.name, "tag")) return {};
    if (has_tag || !param.has_value || param.quoted) return {Errc::syntax, "malformed tag"};
    has_tag = true;
    value.tag = param.value;
    return {};
  }));
  if (form == Form::one) TRY_VOID(at_end(cursor));
  value.display = address.display;
  value.uri = address.uri;
  value.angle = address.angle;
  const char* value_end = end_of(value.params, address.end);
  value.text = {address.begin, static_cast<std::size_t>(value_end - address.begin)};
  return {};
}

Result<NameAddr*> parse(std::string_view text, Arena& arena, Form form) noexcept {
  return read_list<NameAddr>(
      text, arena, [form](Cursor& cursor, NameAddr& value) { return read_value(cursor, value, form); });
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
