// SPDX-License-Identifier: Apache-2.0
// textops: the body, texts, and msg_apply_changes().
#include <fmt/format.h>

#include <array>

#include "modules/textops/textops_module.h"
#include "proxy/services.h"
#include "sip/edit.h"
#include "sip/hdr.h"
#include "sip/writer.h"

namespace ser::modules {

namespace {

/// What stands in place of the body: maybe nothing, but at its position.
std::string_view body_area(const sip::Message& message) noexcept {
  const std::string_view bytes = message.wire_bytes();
  return bytes.substr(std::min(bytes.size(), message.header_end_offset()));
}

bool set_field(proxy::Run& run, sip::HeaderId id, std::string_view value) noexcept {
  sip::EditList* edits = run.edits();
  if (edits == nullptr || !sip::is_header_value(value)) return false;
  const sip::HeaderField* field = run.message().find(id);
  return field != nullptr ? static_cast<bool>(edits->replace(field->value(), value))
                          : static_cast<bool>(edits->append_field(to_string(id), value));
}

/// "type/subtype" of the Content-Type, any case; an absent one is no type.
bool has_type(const sip::Message& message, std::string_view wanted) noexcept {
  const auto type = message.get<sip::hdr::ContentType>();
  const std::size_t slash = wanted.find('/');
  return type && slash != std::string_view::npos &&
         (*type)->is(wanted.substr(0, slash), wanted.substr(slash + 1));
}

/// The lines of an SDP body.
bool next_line(std::string_view& rest, std::string_view& line) noexcept {
  if (rest.empty()) return false;
  line = trim(split_off(rest, '\n'));
  return true;
}

}  // namespace

mod::Outcome Textops::has_body(Run& run, OptionalText type) {
  const sip::Message& message = run.message();
  if (message.body().empty()) return Outcome::no();
  return Outcome::from(!type || type->empty() || has_type(message, *type));
}

mod::Outcome Textops::is_audio_on_hold(Run& run) {
  if (!has_type(run.message(), "application/sdp")) return Outcome::no();
  std::string_view rest = run.message().body();
  std::string_view line;
  bool in_media = false;
  bool in_audio = false;
  bool has_audio = false;
  bool null_session = false;
  bool inactive_session = false;
  while (next_line(rest, line)) {
    const bool null_address = line.starts_with("c=IN IP4 0.0.0.0");
    const bool inactive = line == "a=inactive" || line == "a=sendonly";
    if (line.starts_with("m=")) {
      in_media = true;
      in_audio = line.starts_with("m=audio");
      has_audio = has_audio || in_audio;
    } else if (!in_media) {
      null_session = null_session || null_address;
      inactive_session = inactive_session || inactive;
    } else if (in_audio && null_address) {
      return Outcome::yes(1);
    } else if (in_audio && inactive) {
      return Outcome::yes(2);
    }
  }
  if (has_audio && null_session) return Outcome::yes(1);
  return has_audio && inactive_session ? Outcome::yes(2) : Outcome::no();
}

mod::Outcome Textops::set_body(Run& run, Text text, Text type) {
  sip::EditList* edits = run.edits();
  const sip::Message& message = run.message();
  if (edits == nullptr || type.empty() || !sip::is_header_value(type)) return Outcome::no();
  if (!edits->replace(body_area(message), text)) return Outcome::no();
  // A Content-Length that is there is set right by the writer.
  if (message.find(sip::HeaderId::content_length) == nullptr &&
      !edits->append_field("Content-Length", fmt::format("{}", text.size()))) {
    return Outcome::no();
  }
  return Outcome::from(set_field(run, sip::HeaderId::content_type, type));
}

mod::Outcome Textops::remove_body(Run& run) {
  sip::EditList* edits = run.edits();
  if (edits == nullptr || run.message().body().empty()) return Outcome::no();
  if (!edits->remove(body_area(run.message()))) return Outcome::no();
  const sip::HeaderField* type = run.message().find(sip::HeaderId::content_type);
  return Outcome::from(type == nullptr || edits->remove(type->line()));
}

mod::Outcome Textops::set_reply_body(Run& run, Text text, Text type) {
  if (!run.is_request() || type.empty() || !sip::is_header_value(type)) return Outcome::no();
  run.state().reply_body = run.arena().copy(text);
  run.state().reply_content_type = run.arena().copy(type);
  return Outcome::from(run.state().reply_content_type.data() != nullptr);
}

mod::Outcome Textops::msg_apply_changes(Run& run) {
  proxy::RunState& state = run.state();
  const bool new_uri = run.is_request() && state.new_uri.data() != nullptr;
  if (!new_uri && (state.edits == nullptr || state.edits->empty())) return Outcome::yes();
  sip::WriteOptions options;
  options.request_uri = state.new_uri;
  Arena& arena = run.arena();
  const std::size_t room = sip::written_size(run.message(), state.edits, options);
  auto* bytes = static_cast<char*>(arena.allocate(room + 1, 1));
  if (bytes == nullptr) return Outcome::no();
  const auto size = sip::write(run.message(), state.edits, options, {bytes, room});
  if (!size || *size > sip::Message::kMaxSize) return Outcome::no();
  bytes[*size] = '\0';
  arena.shrink_to(bytes + *size + 1);
  const auto message = sip::Message::parse({bytes, *size}, arena);
  // A change may have broken the message; then it stays as it was, with its changes.
  if (!message || !(*message)->via(0)) return Outcome::no();
  state.message = *message;
  state.edits = nullptr;
  state.new_uri = {};
  return Outcome::yes();
}

mod::Outcome Textops::starts_with(Run&, Text text, Text part) {
  return Outcome::from(text.starts_with(part));
}
mod::Outcome Textops::ends_with(Run&, Text text, Text part) {
  return Outcome::from(text.ends_with(part));
}
mod::Outcome Textops::cmp_str(Run&, Text a, Text b) {
  return Outcome::from(a == b);
}
mod::Outcome Textops::cmp_istr(Run&, Text a, Text b) {
  return Outcome::from(iequals(a, b));
}
mod::Outcome Textops::str_find(Run&, Text text, Text part) {
  return Outcome::from(text.find(part) != std::string_view::npos);
}
mod::Outcome Textops::str_ifind(Run&, Text text, Text part) {
  return Outcome::from(ifind(text, part) != std::string_view::npos);
}
mod::Outcome Textops::in_list(Run&, Text subject, Text list, Text separator) {
  while (separator.size() == 1 && !list.empty()) {
    if (trim(split_off(list, separator.front())) == subject) return Outcome::yes();
  }
  return Outcome::no();
}
mod::Outcome Textops::in_list_prefix(Run&, Text subject, Text list, Text separator) {
  while (separator.size() == 1 && !list.empty()) {
    const std::string_view item = trim(split_off(list, separator.front()));
    if (!item.empty() && subject.starts_with(item)) return Outcome::yes();
  }
  return Outcome::no();
}

void describe_body(mod::SpecBuilder<Textops>& builder) {
  constexpr proxy::RouteKinds kAll = kMessageRoutes;
  builder
      .function<&Textops::has_body>(
          "has_body", "Is there a body, and is it of this type? Example: `has_body(\"application/sdp\")`.",
          {"type"}, kAll, kYesNo)
      .function<&Textops::is_audio_on_hold>(
          "is_audio_on_hold", "Does the SDP body put an audio stream on hold?", {}, kAll,
          "1 by a null address (RFC 2543), 2 by sendonly or inactive (RFC 3264), -1 no")
      .function<&Textops::set_body>(
          "set_body", "Gives the message this body and Content-Type.", {"text", "type"}, kAll,
          "1 set, -1 the type cannot stand in a header field, or the body was changed before")
      .function<&Textops::remove_body>("remove_body", "Removes body and Content-Type.", {}, kAll,
                                       "1 removed, -1 there is none")
      .function<&Textops::set_reply_body>("set_reply_body",
                                          "Gives replies made here this body and Content-Type.",
                                          {"text", "type"}, kAll, "1 set, -1 not")
      .function<&Textops::msg_apply_changes>("msg_apply_changes",
                                             "Makes the changes so far at once: what follows in the script "
                                             "sees the changed message. A Record-Route that is "
                                             "asked for is added when the request leaves all the same.",
                                             {}, kAll, "1 done, -1 the changes give no message")
      .function<&Textops::starts_with>("starts_with", "Does the text begin with `part`?", {"text", "part"},
                                       proxy::kAnyRoute, kYesNo)
      .function<&Textops::ends_with>("ends_with", "Does the text end with `part`?", {"text", "part"},
                                     proxy::kAnyRoute, kYesNo)
      .function<&Textops::cmp_str>("cmp_str", "Are both texts the same?", {"a", "b"}, proxy::kAnyRoute,
                                   kYesNo)
      .function<&Textops::cmp_istr>("cmp_istr", "Are both the same without regard to case?", {"a", "b"},
                                    proxy::kAnyRoute, kYesNo)
      .function<&Textops::str_find>("str_find", "Is `part` in the text?", {"text", "part"}, proxy::kAnyRoute,
                                    kYesNo)
      .function<&Textops::str_ifind>("str_ifind", "Is `part` in the text, without regard to case?",
                                     {"text", "part"}, proxy::kAnyRoute, kYesNo)
      .function<&Textops::in_list>("in_list",
                                   "Is `subject` one of the items of `list`? `separator` is one character.",
                                   {"subject", "list", "separator"}, proxy::kAnyRoute, kYesNo)
      .function<&Textops::in_list_prefix>("in_list_prefix", "Is one of the items a prefix of `subject`?",
                                          {"subject", "list", "separator"}, proxy::kAnyRoute, kYesNo);
}

}  // namespace ser::modules
