// SPDX-License-Identifier: Apache-2.0
#include "sip/contact.h"

#include "base/text.h"
#include "sip/address.h"
#include "sip/value_reader.h"

namespace ser::sip {

namespace {

constexpr std::uint32_t kExpiresWhenMalformed = 3600;
constexpr std::uint32_t kMaxRegId = 0x7FFFFFFF;

/// RFC 3261 25.1 qvalue: 0[.ddd] or 1[.000]. Thousandths.
Result<void> read_q(const Param& param, Contact& contact) noexcept {
  Cursor cursor(param.value);
  std::uint64_t whole = 0;
  if (contact.q != Contact::kNoQ || param.quoted || !cursor.number(whole))
    return {Errc::syntax, "malformed q"};
  std::uint64_t thousandths = 0;
  if (cursor.take('.')) {
    const char* from = cursor.position();
    cursor.number(thousandths);
    const std::size_t digits = cursor.since(from).size();
    if (digits > 3) return {Errc::syntax, "malformed q"};
    for (std::size_t i = digits; i < 3; ++i) thousandths *= 10;
  }
  if (!cursor.at_end()) return {Errc::syntax, "malformed q"};
  if (whole > 1 || whole * 1000 + thousandths > 1000) return {Errc::out_of_range, "q out of range"};
  contact.q = static_cast<std::int16_t>(whole * 1000 + thousandths);
  return {};
}

Result<void> read_expires(const Param& param, Contact& contact) noexcept {
  if (contact.has_expires) return {Errc::syntax, "expires twice"};
  contact.has_expires = true;
  Cursor cursor(param.value);
  std::uint64_t seconds = 0;
  if (!cursor.number(seconds) || !cursor.at_end()) {
    contact.expires = kExpiresWhenMalformed;
    return {};
  }
  if (seconds > 0xFFFFFFFFU) return {Errc::out_of_range, "expires out of range"};
  contact.expires = static_cast<std::uint32_t>(seconds);
  return {};
}

Result<void> read_reg_id(const Param& param, Contact& contact) noexcept {
  Cursor cursor(param.value);
  std::uint64_t id = 0;
  if (contact.reg_id != 0 || !cursor.number(id) || !cursor.at_end())
    return {Errc::syntax, "malformed reg-id"};
  if (id == 0 || id > kMaxRegId) return {Errc::out_of_range, "reg-id out of range"};
  contact.reg_id = static_cast<std::uint32_t>(id);
  return {};
}

Result<void> apply(const Param& param, Contact& contact) noexcept {
  const auto is = [&](std::string_view name) { return iequals(param.name, name); };
  switch (param.name.size()) {
    case 1:
      return is("q") ? read_q(param, contact) : Result<void>{};
    case 6:
      return is("reg-id") ? read_reg_id(param, contact) : Result<void>{};
    case 7:
      if (is("expires")) return read_expires(param, contact);
      if (is("methods")) contact.methods = param.value;
      return {};
    case 8:
      if (is("received")) contact.received = param.value;
      return {};
    case 13:
      if (is("+sip.instance")) contact.instance = param.value;
      return {};
    default:
      return {};
  }
}

Result<void> read_value(Cursor& cursor, Contact& contact) noexcept {
  Address address;
  TRY_VOID(scan_address(cursor, address));
  TRY_VOID(read_params(cursor, contact.params, [&](const Param& param) { return apply(param, contact); }));
  contact.display = address.display;
  contact.uri = address.uri;
  contact.angle = address.angle;
  const char* value_end = end_of(contact.params, address.end);
  contact.text = {address.begin, static_cast<std::size_t>(value_end - address.begin)};
  return {};
}

}  // namespace

Result<Contact*> parse_contact(std::string_view text, Arena& arena) noexcept {
  if (const std::string_view trimmed = trim(text); trimmed == "*") {
    auto* star = arena.make<Contact>();
    if (star == nullptr) return {Errc::no_memory, "no room for a Contact"};
    star->star = true;
    star->text = trimmed;
    return star;
  }
  return read_list<Contact>(text, arena, read_value);
}

}  // namespace ser::sip
