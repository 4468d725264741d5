// SPDX-License-Identifier: Apache-2.0
// Variables of the message as it was received.
#include <cstring>

#include "script/variable_readers.h"
#include "sip/hdr.h"
#include "sip/message.h"
#include "sip/uri.h"

namespace ser::script::var {

namespace {

template <class H>
const sip::NameAddr* address(Run& run) noexcept {
  const auto found = run.message().get<H>();
  return found ? *found : nullptr;
}

template <class H>
Value uri_of(Run& run) noexcept {
  const sip::NameAddr* found = address<H>(run);
  return found == nullptr ? Value::null() : text(found->uri);
}

template <class H>
Value part_of(Run& run, std::string_view sip::Uri::* part) noexcept {
  const sip::NameAddr* found = address<H>(run);
  if (found == nullptr) return Value::null();
  const auto uri = sip::parse_uri(found->uri);
  return uri ? text_or_null((*uri).*part) : Value::null();
}

template <class H>
Value member_of(Run& run, std::string_view sip::NameAddr::* member) noexcept {
  const sip::NameAddr* found = address<H>(run);
  return found == nullptr ? Value::null() : text_or_null(found->*member);
}

Value field_of(Run& run, sip::HeaderId id) noexcept {
  const sip::HeaderField* field = run.message().find(id);
  return field == nullptr ? Value::null() : text(field->value());
}

const sip::HeaderField* nth_field(const Bound& variable, const sip::Message& message,
                                  std::size_t n) noexcept {
  const auto id = static_cast<sip::HeaderId>(variable.header_id);
  return id == sip::HeaderId::other ? message.find(variable.inner, n) : message.find(id, n);
}

std::size_t count_fields(const Bound& variable, const sip::Message& message) noexcept {
  std::size_t count = 0;
  const auto id = static_cast<sip::HeaderId>(variable.header_id);
  if (id != sip::HeaderId::other) {
    for (const auto* field = message.find(id); field != nullptr; field = message.next_same(*field)) ++count;
    return count;
  }
  while (message.find(variable.inner, count) != nullptr) ++count;
  return count;
}

// `[*]`: all values with a comma between them.
Value joined_fields(const Bound& variable, Run& run) noexcept {
  const sip::Message& message = run.message();
  std::size_t size = 0;
  const std::size_t count = count_fields(variable, message);
  if (count == 0) return Value::null();
  for (std::size_t i = 0; i < count; ++i) size += nth_field(variable, message, i)->value().size() + 1;
  auto* at = static_cast<char*>(run.arena().allocate(size, 1));
  if (at == nullptr) return Value::null();
  char* out = at;
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) *out++ = ',';
    const std::string_view value = nth_field(variable, message, i)->value();
    std::memcpy(out, value.data(), value.size());
    out += value.size();
  }
  return Value::of(std::string_view(at, static_cast<std::size_t>(out - at)));
}

}  // namespace

Value method(const Bound& variable, Run& run) {
  return run.is_request() ? text(run.message().start().method_name) : cseq_method(variable, run);
}
Value status(const Bound&, Run& run) {
  return run.is_request() ? Value::null() : Value::of(std::int64_t{run.message().status()});
}
Value reason(const Bound&, Run& run) {
  return run.is_request() ? Value::null() : text(run.message().start().reason);
}
Value version(const Bound&, Run& run) {
  return text(run.message().start().version);
}

Value from_uri(const Bound&, Run& run) {
  return uri_of<sip::hdr::From>(run);
}
Value from_user(const Bound&, Run& run) {
  return part_of<sip::hdr::From>(run, &sip::Uri::user);
}
Value from_domain(const Bound&, Run& run) {
  return part_of<sip::hdr::From>(run, &sip::Uri::host);
}
Value from_display(const Bound&, Run& run) {
  return member_of<sip::hdr::From>(run, &sip::NameAddr::display);
}
Value from_tag(const Bound&, Run& run) {
  return member_of<sip::hdr::From>(run, &sip::NameAddr::tag);
}
Value to_uri(const Bound&, Run& run) {
  return uri_of<sip::hdr::To>(run);
}
Value to_user(const Bound&, Run& run) {
  return part_of<sip::hdr::To>(run, &sip::Uri::user);
}
Value to_domain(const Bound&, Run& run) {
  return part_of<sip::hdr::To>(run, &sip::Uri::host);
}
Value to_display(const Bound&, Run& run) {
  return member_of<sip::hdr::To>(run, &sip::NameAddr::display);
}
Value to_tag(const Bound&, Run& run) {
  return member_of<sip::hdr::To>(run, &sip::NameAddr::tag);
}

Value call_id(const Bound&, Run& run) {
  return field_of(run, sip::HeaderId::call_id);
}
Value cseq(const Bound&, Run& run) {
  const auto found = run.message().get<sip::hdr::CSeq>();
  return found ? Value::of(std::int64_t{(*found)->number}) : Value::null();
}
Value cseq_method(const Bound&, Run& run) {
  const auto found = run.message().get<sip::hdr::CSeq>();
  return found ? text((*found)->method_name) : Value::null();
}
Value user_agent(const Bound&, Run& run) {
  return field_of(run, sip::HeaderId::user_agent);
}
Value contact(const Bound&, Run& run) {
  return field_of(run, sip::HeaderId::contact);
}
Value content_type(const Bound&, Run& run) {
  return field_of(run, sip::HeaderId::content_type);
}
Value content_length(const Bound&, Run& run) {
  const auto length = run.message().content_length();
  return length ? Value::of(std::int64_t{*length}) : Value::null();
}
Value asserted_identity(const Bound&, Run& run) {
  return uri_of<sip::hdr::PAssertedIdentity>(run);
}

Value message_text(const Bound&, Run& run) {
  return text(run.message().bytes());
}
Value message_length(const Bound&, Run& run) {
  return Value::of(static_cast<std::int64_t>(run.message().bytes().size()));
}
Value body(const Bound&, Run& run) {
  return text_or_null(run.message().body());
}

Value header(const Bound& variable, Run& run) {
  const sip::Message& message = run.message();
  std::size_t n = 0;
  if (variable.has_index) {
    if (variable.index == Bound::kAll) return joined_fields(variable, run);
    if (variable.index < 0) {
      const auto back = static_cast<std::size_t>(-static_cast<std::int64_t>(variable.index));
      const std::size_t count = count_fields(variable, message);
      if (back > count) return Value::null();
      n = count - back;
    } else {
      n = static_cast<std::size_t>(variable.index);
    }
  }
  const sip::HeaderField* field = nth_field(variable, message, n);
  return field == nullptr ? Value::null() : text(field->value());
}

Value header_count(const Bound& variable, Run& run) {
  return Value::of(static_cast<std::int64_t>(count_fields(variable, run.message())));
}

}  // namespace ser::script::var
