// SPDX-License-Identifier: Apache-2.0
// textops: regular expressions over the message.
#include <array>
#include <cstring>

#include "modules/textops/textops_module.h"
#include "proxy/services.h"
#include "sip/edit.h"
#include "sip/uri.h"

namespace ser::modules {

namespace {

using mod::Capture;
using sip::TextLife;

/// 'a' all, 'f' the first, 'l' the last field of a name.
char which_fields(std::string_view text) noexcept {
  return text.empty() ? 'a' : to_lower(text.front());
}

template <class Function>
void each_chosen(const sip::Message& message, std::string_view name, char which, Function function) {
  const sip::HeaderField* last = nullptr;
  bool first = true;
  each_field(message, name, [&](const sip::HeaderField& field) {
    if (which == 'l') {
      last = &field;
    } else if (which != 'f' || first) {
      function(field);
    }
    first = false;
  });
  if (last != nullptr) function(*last);
}

}  // namespace

bool Textops::matches(Run& run, const mod::Regex& regex, Text subject, std::size_t start,
                      std::span<Capture> captures) const {
  const auto verdict = regex.match(worker_state<Worker>(run).matcher, subject, start, captures);
  if (verdict == mod::Regex::Verdict::limit) {
    run.services().counters.add(run.services().count.regex_limit);
    LOG(run.services().log, warning, "textops: match limit reached by '{}'", regex.pattern());
  }
  return verdict == mod::Regex::Verdict::match;
}

mod::Outcome Textops::replace_in(Run& run, const mod::Regex& regex, Text area, Text text, bool all) const {
  sip::EditList* edits = run.edits();
  std::array<Capture, 1> found;
  std::size_t start = 0;
  bool changed = false;
  while (edits != nullptr && start <= area.size() && matches(run, regex, area, start, found)) {
    const std::string_view part = area.substr(found[0].begin, found[0].end - found[0].begin);
    if (edits->replace(part, text)) {
      changed = true;
    } else if (!all) {
      break;
    }
    if (!all) break;
    start = part.empty() ? found[0].end + 1 : found[0].end;
  }
  return Outcome::from(changed);
}

mod::Outcome Textops::append_in(Run& run, const mod::Regex& regex, Text area, Text text) const {
  sip::EditList* edits = run.edits();
  std::array<Capture, 1> found;
  if (edits == nullptr || !matches(run, regex, area, 0, found)) return Outcome::no();
  const auto offset = static_cast<std::size_t>(area.data() - run.message().bytes().data()) + found[0].end;
  return Outcome::from(static_cast<bool>(edits->insert_at(offset, text)));
}

mod::Outcome Textops::subst_in(Run& run, const Substitution& subst, Text area) const {
  sip::EditList* edits = run.edits();
  std::array<Capture, Substitution::kGroups> found;
  std::size_t start = 0;
  bool changed = false;
  while (edits != nullptr && start <= area.size() && matches(run, subst.regex(), area, start, found)) {
    const std::string_view part = area.substr(found[0].begin, found[0].end - found[0].begin);
    const std::string_view text = subst.expand(run, area, found);
    if (text.data() == nullptr) break;
    changed = static_cast<bool>(edits->replace(part, text, sip::kAllBranches, TextLife::stable)) || changed;
    if (!subst.all()) break;
    start = part.empty() ? found[0].end + 1 : found[0].end;
  }
  return Outcome::from(changed);
}

std::string_view Textops::subst_text(Run& run, const Substitution& subst, Text text) const {
  std::array<Capture, Substitution::kGroups> found;
  std::size_t start = 0;
  std::string_view done;  // what was made so far, then the rest of the subject
  std::size_t copied = 0;
  while (start <= text.size() && matches(run, subst.regex(), text, start, found)) {
    const std::string_view with = subst.expand(run, text, found);
    const std::size_t size = done.size() + (found[0].begin - copied) + with.size();
    auto* joined = static_cast<char*>(run.arena().allocate(size + 1, 1));
    if (with.data() == nullptr || joined == nullptr) return {};
    if (!done.empty()) std::memcpy(joined, done.data(), done.size());
    std::memcpy(joined + done.size(), text.data() + copied, found[0].begin - copied);
    if (!with.empty()) std::memcpy(joined + size - with.size(), with.data(), with.size());
    done = {joined, size};
    copied = found[0].end;
    if (!subst.all()) break;
    start = found[0].end == found[0].begin ? found[0].end + 1 : found[0].end;
  }
  if (done.data() == nullptr) return {};
  auto* joined = static_cast<char*>(run.arena().allocate(done.size() + text.size() - copied + 1, 1));
  if (joined == nullptr) return {};
  if (!done.empty()) std::memcpy(joined, done.data(), done.size());
  if (copied < text.size()) std::memcpy(joined + done.size(), text.data() + copied, text.size() - copied);
  return {joined, done.size() + text.size() - copied};
}

mod::Outcome Textops::replace_text(Run& run, Text area, Text match, Text text, Text mode) {
  sip::EditList* edits = run.edits();
  if (edits == nullptr || match.empty()) return Outcome::no();
  const bool all = which_fields(mode) == 'a';
  bool changed = false;
  for (std::size_t at = area.find(match); at != std::string_view::npos;
       at = area.find(match, at + match.size())) {
    changed = static_cast<bool>(edits->replace(area.substr(at, match.size()), text)) || changed;
    if (!all) break;
  }
  return Outcome::from(changed);
}

mod::Outcome Textops::search(Run& run, Regex regex) {
  return Outcome::from(matches(run, *regex->regex, run.message().bytes()));
}
mod::Outcome Textops::search_body(Run& run, Regex regex) {
  return Outcome::from(matches(run, *regex->regex, run.message().body()));
}
mod::Outcome Textops::search_str(Run& run, Text text, Regex regex) {
  return Outcome::from(matches(run, *regex->regex, text));
}
mod::Outcome Textops::search_hf(Run& run, Text name, Regex regex, Text which) {
  bool found = false;
  each_chosen(run.message(), name, which_fields(which), [&](const sip::HeaderField& field) {
    found = found || matches(run, *regex->regex, field.value());
  });
  return Outcome::from(found);
}
mod::Outcome Textops::search_append(Run& run, Regex regex, Text text) {
  return append_in(run, *regex->regex, after_start_line(run.message()), text);
}
mod::Outcome Textops::search_append_body(Run& run, Regex regex, Text text) {
  return append_in(run, *regex->regex, run.message().body(), text);
}
mod::Outcome Textops::replace(Run& run, Regex regex, Text text) {
  return replace_in(run, *regex->regex, after_start_line(run.message()), text, false);
}
mod::Outcome Textops::replace_all(Run& run, Regex regex, Text text) {
  return replace_in(run, *regex->regex, after_start_line(run.message()), text, true);
}
mod::Outcome Textops::replace_hdrs(Run& run, Regex regex, Text text) {
  return replace_in(run, *regex->regex, header_area(run.message()), text, false);
}
mod::Outcome Textops::replace_body(Run& run, Regex regex, Text text) {
  return replace_in(run, *regex->regex, run.message().body(), text, false);
}
mod::Outcome Textops::replace_body_all(Run& run, Regex regex, Text text) {
  return replace_in(run, *regex->regex, run.message().body(), text, true);
}
mod::Outcome Textops::replace_str(Run& run, Text match, Text text, Text mode) {
  return replace_text(run, after_start_line(run.message()), match, text, mode);
}
mod::Outcome Textops::replace_hdrs_str(Run& run, Text match, Text text, Text mode) {
  return replace_text(run, header_area(run.message()), match, text, mode);
}
mod::Outcome Textops::replace_body_str(Run& run, Text match, Text text, Text mode) {
  return replace_text(run, run.message().body(), match, text, mode);
}
mod::Outcome Textops::subst(Run& run, Subst subst) {
  return subst_in(run, *subst, after_start_line(run.message()));
}
mod::Outcome Textops::subst_body(Run& run, Subst subst) {
  return subst_in(run, *subst, run.message().body());
}
mod::Outcome Textops::subst_hf(Run& run, Text name, Subst subst, Text which) {
  bool changed = false;
  each_chosen(run.message(), name, which_fields(which), [&](const sip::HeaderField& field) {
    changed = subst_in(run, *subst, field.value()).code > 0 || changed;
  });
  return Outcome::from(changed);
}

mod::Outcome Textops::subst_uri(Run& run, Subst subst) {
  const std::string_view changed = subst_text(run, *subst, run.uri());
  return Outcome::from(changed.data() != nullptr && run.set_uri(changed));
}

mod::Outcome Textops::subst_user(Run& run, Subst subst) {
  auto uri = sip::parse_uri(run.uri());
  if (!uri || !uri->is_sip()) return Outcome::no();
  const std::string_view changed = subst_text(run, *subst, uri->user);
  if (changed.data() == nullptr) return Outcome::no();
  uri->user = changed;
  uri->has_user = !changed.empty();
  std::array<char, 1024> text{};
  const auto size = sip::print_uri(*uri, text);
  return Outcome::from(size && run.set_uri({text.data(), *size}));
}

void describe_search(mod::SpecBuilder<Textops>& builder) {
  constexpr proxy::RouteKinds kAll = kMessageRoutes;
  builder
      .function<&Textops::search>("search",
                                  "Does the regular expression match anywhere in the message? Example: "
                                  "`if (search(\"User-Agent:.*scanner\")) drop;`",
                                  {"regex"}, kAll, kYesNo)
      .function<&Textops::search_body>("search_body", "Does it match in the body?", {"regex"}, kAll, kYesNo)
      .function<&Textops::search_str>("search_str", "Does it match in this text?", {"text", "regex"}, kAll,
                                      kYesNo)
      .function<&Textops::search_hf>("search_hf",
                                     "Does it match in the value of a header field? `which`: a any of that "
                                     "name, f the first, l the last.",
                                     {"name", "regex", "which"}, kAll, kYesNo)
      .function<&Textops::search_append>("search_append",
                                         "Puts `text` behind the first match after the start line.",
                                         {"regex", "text"}, kAll, kChanged)
      .function<&Textops::search_append_body>("search_append_body",
                                              "Puts `text` behind the first match in the body.",
                                              {"regex", "text"}, kAll, kChanged)
      .function<&Textops::replace>("replace", "Replaces the first match after the start line.",
                                   {"regex", "text"}, kAll, kChanged)
      .function<&Textops::replace_all>("replace_all", "Replaces all matches after the start line.",
                                       {"regex", "text"}, kAll, kChanged)
      .function<&Textops::replace_hdrs>("replace_hdrs", "Replaces the first match in the header.",
                                        {"regex", "text"}, kAll, kChanged)
      .function<&Textops::replace_body>("replace_body", "Replaces the first match in the body.",
                                        {"regex", "text"}, kAll, kChanged)
      .function<&Textops::replace_body_all>("replace_body_all", "Replaces all matches in the body.",
                                            {"regex", "text"}, kAll, kChanged)
      .function<&Textops::replace_body_all>("replace_body_atonce", "As `replace_body_all()`.",
                                            {"regex", "text"}, kAll, kChanged)
      .function<&Textops::replace_str>(
          "replace_str",
          "Replaces a text (no regular expression, by case) after the start line; `mode`: f "
          "the first, a all.",
          {"match", "text", "mode"}, kAll, kChanged)
      .function<&Textops::replace_hdrs_str>("replace_hdrs_str", "As `replace_str()`, in the header.",
                                            {"match", "text", "mode"}, kAll, kChanged)
      .function<&Textops::replace_body_str>("replace_body_str", "As `replace_str()`, in the body.",
                                            {"match", "text", "mode"}, kAll, kChanged)
      .function<&Textops::subst>("subst",
                                 "`/re/replacement/flags` on everything after the start line. Flags: i "
                                 "ignore case, g all matches, s a dot "
                                 "matches line ends too. The replacement may hold \\0 to \\9, \\u for the "
                                 "Request-URI, and variables. Example: "
                                 "`subst('/^P-Hint:(.*)$/X-Hint:\\1/ig');`",
                                 {"substitution"}, kAll, kChanged)
      .function<&Textops::subst_uri>("subst_uri",
                                     "As `subst()`, on the Request-URI. Example: "
                                     "`subst_uri('/^sip:([0-9]+)@(.*)$/sip:0\\1@\\2/i');`",
                                     {"substitution"}, kAll, kChanged)
      .function<&Textops::subst_user>("subst_user", "As `subst()`, on the user of the Request-URI.",
                                      {"substitution"}, kAll, kChanged)
      .function<&Textops::subst_body>("subst_body", "As `subst()`, on the body.", {"substitution"}, kAll,
                                      kChanged)
      .function<&Textops::subst_hf>("subst_hf",
                                    "As `subst()`, on values of a header field; `which` as in `search_hf()`.",
                                    {"name", "substitution", "which"}, kAll, kChanged);
}

}  // namespace ser::modules
