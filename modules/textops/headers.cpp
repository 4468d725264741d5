// SPDX-License-Identifier: Apache-2.0
// textops: header fields.
#include <fmt/format.h>

#include <array>
#include <ctime>

#include "modules/textops/textops_module.h"
#include "proxy/services.h"
#include "sip/edit.h"
#include "sip/hdr.h"
#include "sip/output.h"
#include "sip/scanner.h"

namespace ser::modules {

namespace {

/// Header lines as a script wrote them, with the CRLF at the end it may have forgotten. Empty when they are
/// no header lines.
std::string_view checked_lines(proxy::Run& run, std::initializer_list<std::string_view> parts) noexcept {
  std::size_t size = 2;
  for (const std::string_view part : parts) size += part.size();
  auto* text = static_cast<char*>(run.arena().allocate(size, 1));
  if (text == nullptr) return {};
  sip::Output out({text, size});
  for (const std::string_view part : parts) out.put(part);
  if (!std::string_view(text, out.size()).ends_with("\r\n")) out.put("\r\n");
  const std::string_view lines(text, out.size());
  if (const auto good = sip::check_header_lines(lines); !good) {
    LOG(run.services().log, warning, "textops: '{}' is no header field: {}", lines, good.error().what);
    return {};
  }
  return lines;
}

/// RFC 3261 20.17: "Date: Sat, 13 Nov 2010 23:29:00 GMT".
std::string date_line(std::int64_t seconds) {
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n",
                     kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                     kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                     parts.tm_min, parts.tm_sec);
}

}  // namespace

std::unique_ptr<MethodList> MethodList::compile(std::string_view text, std::string& error) {
  auto made = std::make_unique<MethodList>();
  while (!text.empty()) {
    std::string name(trim(split_off(text, '|')));
    for (char& c : name) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    if (!sip::is_token(name)) {
      error = "'" + name + "' is no method";
      return nullptr;
    }
    const sip::Method method = sip::parse_method(name);
    if (method == sip::Method::other) {
      made->unknown.push_back(std::move(name));
    } else {
      made->known |= 1U << static_cast<unsigned>(method);
    }
  }
  if (made->known != 0 || !made->unknown.empty()) return made;
  error = "names no method";
  return nullptr;
}

mod::Outcome Textops::is_method(Run& run, mod::Compiled<MethodList> methods) {
  sip::Method method = run.message().method();
  std::string_view name = run.message().start().method_name;
  if (!run.is_request()) {
    const auto cseq = run.message().get<sip::hdr::CSeq>();
    if (!cseq) return Outcome::no();
    method = (*cseq)->method;
    name = (*cseq)->method_name;
  }
  if (method != sip::Method::other)
    return Outcome::from((methods->known >> static_cast<unsigned>(method) & 1U) != 0);
  for (const std::string& unknown : methods->unknown) {
    if (iequals(unknown, name)) return Outcome::yes();
  }
  return Outcome::no();
}

mod::Outcome Textops::append_hf(Run& run, Text text, OptionalText after) {
  const std::string_view lines = checked_lines(run, {text});
  sip::EditList* edits = run.edits();
  if (lines.empty() || edits == nullptr) return Outcome::no();
  const sip::HeaderField* last = nullptr;
  if (after) each_field(run.message(), *after, [&](const sip::HeaderField& field) { last = &field; });
  const std::size_t offset =
      last != nullptr ? last->offset() + last->line().size() : run.message().blank_line_offset();
  return Outcome::from(
      static_cast<bool>(edits->insert_at(offset, lines, sip::kAllBranches, sip::TextLife::stable)));
}

mod::Outcome Textops::insert_hf(Run& run, Text text, OptionalText before) {
  const std::string_view lines = checked_lines(run, {text});
  sip::EditList* edits = run.edits();
  if (lines.empty() || edits == nullptr) return Outcome::no();
  const sip::HeaderField* first = nullptr;
  if (before) {
    each_field(run.message(), *before,
               [&](const sip::HeaderField& field) { first = first == nullptr ? &field : first; });
  }
  if (first == nullptr) first = run.message().next_field(nullptr);
  if (first == nullptr) return Outcome::no();
  return Outcome::from(
      static_cast<bool>(edits->insert_at(first->offset(), lines, sip::kAllBranches, sip::TextLife::stable)));
}

mod::Outcome Textops::append_urihf(Run& run, Text prefix, Text suffix) {
  const std::string_view lines = checked_lines(run, {prefix, run.message().start().uri, suffix});
  sip::EditList* edits = run.edits();
  if (lines.empty() || edits == nullptr || !run.is_request()) return Outcome::no();
  return Outcome::from(
      static_cast<bool>(edits->append_header(lines, sip::kAllBranches, sip::TextLife::stable)));
}

mod::Outcome Textops::append_to_reply(Run& run, Text text) {
  const std::string_view lines = checked_lines(run, {text});
  return Outcome::from(!lines.empty() && run.is_request() && run.add_reply_header(lines));
}

mod::Outcome Textops::append_time(Run& run) {
  return Outcome::from(
      static_cast<bool>(run.add_reply_header(date_line(run.services().clock.wall_seconds()))));
}

mod::Outcome Textops::append_time_to_request(Run& run) {
  sip::EditList* edits = run.edits();
  return Outcome::from(edits != nullptr &&
                       edits->append_header(date_line(run.services().clock.wall_seconds())));
}

mod::Outcome Textops::remove_hf(Run& run, Text name) {
  bool removed = false;
  each_field(run.message(), name, [&](const sip::HeaderField& field) {
    sip::EditList* edits = run.edits();
    removed = (edits != nullptr && edits->remove(field.line())) || removed;
  });
  return Outcome::from(removed);
}

mod::Outcome Textops::remove_hf_re(Run& run, Regex regex) {
  bool removed = false;
  for (const sip::HeaderField* field = run.message().next_field(nullptr); field != nullptr;
       field = run.message().next_field(field)) {
    if (field->malformed() || !matches(run, *regex->regex, field->name())) continue;
    sip::EditList* edits = run.edits();
    removed = (edits != nullptr && edits->remove(field->line())) || removed;
  }
  return Outcome::from(removed);
}

mod::Outcome Textops::remove_hf_exp(Run& run, Regex match, Regex skip) {
  bool removed = false;
  for (const sip::HeaderField* field = run.message().next_field(nullptr); field != nullptr;
       field = run.message().next_field(field)) {
    if (field->malformed() || matches(run, *skip->regex, field->name())) continue;
    if (!matches(run, *match->regex, field->name())) continue;
    sip::EditList* edits = run.edits();
    removed = (edits != nullptr && edits->remove(field->line())) || removed;
  }
  return Outcome::from(removed);
}

mod::Outcome Textops::remove_hf_idx(Run& run, Text name, std::int64_t nth) {
  std::int64_t count = 0;
  each_field(run.message(), name, [&](const sip::HeaderField&) { ++count; });
  const std::int64_t wanted = nth < 0 ? count + nth : nth;
  std::int64_t at = 0;
  bool removed = false;
  each_field(run.message(), name, [&](const sip::HeaderField& field) {
    sip::EditList* edits = run.edits();
    if (at++ == wanted) removed = edits != nullptr && edits->remove(field.line());
  });
  return Outcome::from(removed);
}

mod::Outcome Textops::is_present_hf(Run& run, Text name) {
  const sip::HeaderId id = sip::header_id(name);
  if (id != sip::HeaderId::other) return Outcome::from(run.message().find(id) != nullptr);
  bool present = false;
  each_field(run.message(), name, [&](const sip::HeaderField&) { present = true; });
  return Outcome::from(present);
}

mod::Outcome Textops::is_present_hf_re(Run& run, Regex regex) {
  for (const sip::HeaderField* field = run.message().next_field(nullptr); field != nullptr;
       field = run.message().next_field(field)) {
    if (!field->malformed() && matches(run, *regex->regex, field->name())) return Outcome::yes();
  }
  return Outcome::no();
}

mod::Outcome Textops::is_privacy(Run& run, Text type) {
  const auto privacy = run.message().get<sip::hdr::Privacy>();
  if (!privacy) return Outcome::no();
  std::string_view rest = (*privacy)->text;
  while (!rest.empty()) {
    if (iequals(trim(split_off(rest, ';')), type)) return Outcome::yes();
  }
  return Outcome::no();
}

mod::Outcome Textops::change_reply_status(Run& run, std::int64_t code, Text reason) {
  const sip::StartLine& line = run.message().start();
  sip::EditList* edits = run.edits();
  // Another class would be another answer: the transactions on the way would not expect it.
  if (edits == nullptr || run.is_request() || code / 100 != line.status / 100 ||
      !sip::is_header_value(reason))
    return Outcome::no();
  const std::string_view old = line.line.substr(line.version.size() + 1);
  return Outcome::from(static_cast<bool>(edits->replace(old, fmt::format("{} {}", code, reason))));
}

void describe_headers(mod::SpecBuilder<Textops>& builder) {
  constexpr proxy::RouteKinds kAll = kMessageRoutes;
  constexpr const char* kAdded = "1 added, -1 it is no header field";
  constexpr const char* kRemoved = "1 removed, -1 there is none";
  builder
      .function<&Textops::append_hf>("append_hf",
                                     "Adds header lines at the end, or behind the last header field `after`. "
                                     "A missing CRLF is added. Example: "
                                     "`append_hf(\"P-Hint: voicemail\\r\\n\");`",
                                     {"text", "after"}, kAll, kAdded)
      .function<&Textops::insert_hf>(
          "insert_hf", "Adds header lines at the top, or in front of the first header field `before`.",
          {"text", "before"}, kAll, kAdded)
      .function<&Textops::append_urihf>(
          "append_urihf", "Adds the header line made of `prefix`, the Request-URI as received and `suffix`.",
          {"prefix", "suffix"}, kAll, kAdded)
      .function<&Textops::append_to_reply>("append_to_reply",
                                           "Adds header lines to every reply made here for this request.",
                                           {"text"}, kAll, kAdded)
      .function<&Textops::append_time>("append_time", "Adds a Date header field to the replies made here.",
                                       {}, kAll, kAdded)
      .function<&Textops::append_time_to_request>(
          "append_time_to_request", "Adds a Date header field to the message.", {}, kAll, kAdded)
      .function<&Textops::remove_hf>(
          "remove_hf", "Removes all header fields of that name, compact forms too.", {"name"}, kAll, kRemoved)
      .function<&Textops::remove_hf>("remove_hf_pv", "As `remove_hf()`.", {"name"}, kAll, kRemoved)
      .function<&Textops::remove_hf_re>("remove_hf_re", "Removes the header fields whose names match.",
                                        {"regex"}, kAll, kRemoved)
      .function<&Textops::remove_hf_exp>(
          "remove_hf_exp", "Removes the header fields whose names match `match` but not `skip`.",
          {"match", "skip"}, kAll, kRemoved)
      .function<&Textops::remove_hf_idx>("remove_hf_idx",
                                         "Removes one header field of a name: 0 the first, -1 the last.",
                                         {"name", "index"}, kAll, kRemoved)
      .function<&Textops::is_present_hf>(
          "is_present_hf", "Is there a header field of that name, compact or full?", {"name"}, kAll, kYesNo)
      .function<&Textops::is_present_hf>("is_present_hf_pv", "As `is_present_hf()`.", {"name"}, kAll, kYesNo)
      .function<&Textops::is_present_hf_re>("is_present_hf_re", "Is there a header field whose name matches?",
                                            {"regex"}, kAll, kYesNo)
      .function<&Textops::is_method>(
          "is_method",
          "Is the method of the request, or that in the CSeq of a response, in the list? "
          "Example: `is_method(\"INVITE|SUBSCRIBE\")`.",
          {"methods"}, kAll, kYesNo)
      .function<&Textops::is_privacy>("is_privacy",
                                      "Does the Privacy header field name this kind (`id`, `header` …)?",
                                      {"type"}, kAll, kYesNo)
      .function<&Textops::change_reply_status>(
          "change_reply_status", "Relays the response with another status of the same class.",
          {"code", "reason"}, proxy::RouteKind::reply | proxy::RouteKind::onreply, kChanged);
}

}  // namespace ser::modules
