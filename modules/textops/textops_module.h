// SPDX-License-Identifier: Apache-2.0
// Internal: the module object of textops; its functions are spread over search.cpp, headers.cpp and body.cpp.
#pragma once
#include "base/text.h"
#include "mod/spec.h"
#include "modules/textops/substitution.h"
#include "sip/message.h"

namespace ser::modules {

/// A list of methods "INVITE|BYE".
struct MethodList {
  std::uint32_t known = 0;           ///< bit 1 << sip::Method
  std::vector<std::string> unknown;  ///< in upper case
  static std::unique_ptr<MethodList> compile(std::string_view text, std::string& error);
};

class Textops final : public mod::Module {
 public:
  struct Config {};
  using Outcome = mod::Outcome;
  using Run = proxy::Run;
  using Text = std::string_view;
  using OptionalText = std::optional<std::string_view>;
  using Regex = mod::Compiled<mod::SearchRegex>;
  using Subst = mod::Compiled<Substitution>;

  explicit Textops(const Config&) {}
  std::unique_ptr<mod::WorkerState> start_worker(mod::WorkerContext&) override {
    return std::make_unique<Worker>();
  }

  // search.cpp
  Outcome search(Run& run, Regex regex);
  Outcome search_body(Run& run, Regex regex);
  Outcome search_str(Run& run, Text text, Regex regex);
  Outcome search_hf(Run& run, Text name, Regex regex, Text which);
  Outcome search_append(Run& run, Regex regex, Text text);
  Outcome search_append_body(Run& run, Regex regex, Text text);
  Outcome replace(Run& run, Regex regex, Text text);
  Outcome replace_all(Run& run, Regex regex, Text text);
  Outcome replace_hdrs(Run& run, Regex regex, Text text);
  Outcome replace_body(Run& run, Regex regex, Text text);
  Outcome replace_body_all(Run& run, Regex regex, Text text);
  Outcome replace_str(Run& run, Text match, Text text, Text mode);
  Outcome replace_hdrs_str(Run& run, Text match, Text text, Text mode);
  Outcome replace_body_str(Run& run, Text match, Text text, Text mode);
  Outcome subst(Run& run, Subst subst);
  Outcome subst_body(Run& run, Subst subst);
  Outcome subst_uri(Run& run, Subst subst);
  Outcome subst_user(Run& run, Subst subst);
  Outcome subst_hf(Run& run, Text name, Subst subst, Text which);

  // headers.cpp
  Outcome append_hf(Run& run, Text text, OptionalText after);
  Outcome insert_hf(Run& run, Text text, OptionalText before);
  Outcome append_urihf(Run& run, Text prefix, Text suffix);
  Outcome append_to_reply(Run& run, Text text);
  Outcome append_time(Run& run);
  Outcome append_time_to_request(Run& run);
  Outcome remove_hf(Run& run, Text name);
  Outcome remove_hf_re(Run& run, Regex regex);
  Outcome remove_hf_exp(Run& run, Regex match, Regex skip);
  Outcome remove_hf_idx(Run& run, Text name, std::int64_t index);
  Outcome is_present_hf(Run& run, Text name);
  Outcome is_present_hf_re(Run& run, Regex regex);
  Outcome is_method(Run& run, mod::Compiled<MethodList> methods);
  Outcome is_privacy(Run& run, Text type);
  Outcome change_reply_status(Run& run, std::int64_t code, Text reason);

  // body.cpp
  Outcome has_body(Run& run, OptionalText type);
  Outcome is_audio_on_hold(Run& run);
  Outcome set_body(Run& run, Text text, Text type);
  Outcome remove_body(Run& run);
  Outcome set_reply_body(Run& run, Text text, Text type);
  Outcome msg_apply_changes(Run& run);
  Outcome starts_with(Run& run, Text text, Text part);
  Outcome ends_with(Run& run, Text text, Text part);
  Outcome cmp_str(Run& run, Text a, Text b);
  Outcome cmp_istr(Run& run, Text a, Text b);
  Outcome str_find(Run& run, Text text, Text part);
  Outcome str_ifind(Run& run, Text text, Text part);
  Outcome in_list(Run& run, Text subject, Text list, Text separator);
  Outcome in_list_prefix(Run& run, Text subject, Text list, Text separator);

 private:
  struct Worker final : mod::WorkerState {
    mod::Matcher matcher;
  };
  /// Search under the match limit; a hit of the limit is counted and is no match.
  bool matches(Run& run, const mod::Regex& regex, Text subject, std::size_t start = 0,
               std::span<mod::Capture> captures = {}) const;
  Outcome replace_in(Run& run, const mod::Regex& regex, Text area, Text text, bool all) const;
  Outcome append_in(Run& run, const mod::Regex& regex, Text area, Text text) const;
  Outcome subst_in(Run& run, const Substitution& subst, Text area) const;
  /// The text with its matches replaced, in the arena; nothing matched: data() == nullptr.
  Text subst_text(Run& run, const Substitution& subst, Text text) const;
  static Outcome replace_text(Run& run, Text area, Text match, Text text, Text mode);
};

/// The header fields with a name, in order; full and compact forms are the same.
template <class Function>
void each_field(const sip::Message& message, std::string_view name, Function function) {
  const sip::HeaderId id = sip::header_id(name);
  if (id != sip::HeaderId::other) {
    for (const sip::HeaderField* field = message.find(id); field != nullptr;
         field = message.next_same(*field))
      function(*field);
    return;
  }
  for (const sip::HeaderField* field = message.next_field(nullptr); field != nullptr;
       field = message.next_field(field)) {
    if (field->id() == id && iequals(field->name(), name)) function(*field);
  }
}

/// Everything between the start line and the body.
std::string_view header_area(const sip::Message& message) noexcept;
/// Everything behind the start line.
std::string_view after_start_line(const sip::Message& message) noexcept;

void describe_search(mod::SpecBuilder<Textops>& builder);
void describe_headers(mod::SpecBuilder<Textops>& builder);
void describe_body(mod::SpecBuilder<Textops>& builder);

inline constexpr proxy::RouteKinds kMessageRoutes =
    proxy::RouteKind::request | proxy::RouteKind::reply | proxy::RouteKind::onreply |
    proxy::RouteKind::failure | proxy::RouteKind::branch | proxy::RouteKind::onsend | proxy::RouteKind::event;
inline constexpr const char* kYesNo = "1 yes, -1 no";
inline constexpr const char* kChanged = "1 changed, -1 nothing found or not possible";

}  // namespace ser::modules
