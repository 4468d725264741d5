// SPDX-License-Identifier: Apache-2.0
#include "modules/siputils/siputils.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "modules/siputils/uri_tools.h"
#include "proxy/local_reply.h"
#include "sip/auth.h"
#include "sip/hdr.h"
#include "sip/output.h"
#include "sip/scanner.h"
#include "sip/tags.h"
#include "sip/uri.h"
#include "sip/uri_compare.h"

namespace ser::modules {

namespace {

using mod::Outcome;
using proxy::Run;
using Text = std::string_view;
using OptionalText = std::optional<std::string_view>;

struct SiputilsConfig {
  std::string options_accept = "*/*";
  std::string options_accept_encoding;
  std::string options_accept_language = "en";
  std::string options_support;
  std::string contact_flds_separator = "*";
  std::string rpid_prefix;
  std::string rpid_suffix = ";party=calling;id-type=subscriber;screen=yes";
  std::string rpid_avp = "$avp(s:rpid)";
};

class Siputils final : public mod::Module {
 public:
  using Config = SiputilsConfig;
  explicit Siputils(const SiputilsConfig& config) {
    x_options_headers = "Accept: " + config.options_accept +
                        "\r\nAccept-Encoding: " + config.options_accept_encoding +
                        "\r\nAccept-Language: " + config.options_accept_language +
                        "\r\nSupported: " + config.options_support + "\r\n";
  }
  Result<void> start(mod::StartContext&, std::string& error) override {
    if (sip::check_header_lines(x_options_headers)) return {};
    error = "siputils: a parameter options_… cannot stand in a header field";
    return {Errc::syntax, "bad parameter"};
  }

  // The message.
  Outcome is_request(Run& run) { return Outcome::from(run.is_request()); }
  Outcome is_reply(Run& run) { return Outcome::from(!run.is_request()); }
  Outcome has_totag(Run& run) {
    const auto to = run.message().get<sip::hdr::To>();
    return Outcome::from(to && !(*to)->tag.empty());
  }
  Outcome is_first_hop(Run& run, std::optional<std::int64_t> mode);
  Outcome is_user(Run& run, Text user);
  Outcome is_supported(Run& run, Text option) {
    return Outcome::from(sip::has_tag<sip::hdr::Supported>(run.message(), option));
  }
  Outcome options_reply(Run& run);

  // The Request-URI.
  Outcome uri_param(Run& run, Text name, OptionalText value) {
    const auto uri = sip::parse_uri(run.uri());
    const auto found = uri ? uri->param(name) : std::nullopt;
    return Outcome::from(found && (value ? sip::equal_escaped(*found, *value, false) : found->empty()));
  }
  Outcome uri_param_any(Run& run, Text name) {
    const auto uri = sip::parse_uri(run.uri());
    return Outcome::from(uri && uri->has_param(name));
  }
  Outcome get_uri_param(Run& run, Text name, mod::Variable out) {
    const auto uri = sip::parse_uri(run.uri());
    const auto found = uri ? uri->param(name) : std::nullopt;
    return Outcome::from(found && out.set(run, proxy::Value::of(*found)));
  }
  Outcome add_uri_param(Run& run, Text param) {
    const Text changed = with_uri_param(run.arena(), run.uri(), param);
    return Outcome::from(!changed.empty() && run.set_uri(changed));
  }
  Outcome uri_param_rm(Run& run, Text name) {
    const Text changed = without_uri_param(run.arena(), run.uri(), name);
    return Outcome::from(!changed.empty() && run.set_uri(changed));
  }

  // Texts.
  Outcome is_uri(Run&, Text text) {
    const auto uri = sip::parse_uri(text);
    return Outcome::from(uri && uri->scheme != sip::UriScheme::other);
  }
  Outcome is_gruu(Run& run, OptionalText text) {
    const auto uri = sip::parse_uri(text.value_or(run.uri()));
    const auto gr = uri ? uri->param("gr") : std::nullopt;
    if (!gr) return Outcome::no();
    return Outcome::yes(gr->empty() ? 2 : 1);
  }
  Outcome is_e164(Run&, Text text) {
    return Outcome::from(text.size() >= 3 && text.size() <= 16 && text[0] == '+' &&
                         std::all_of(text.begin() + 1, text.end(), is_digit));
  }
  Outcome is_uri_user_e164(Run& run, Text text) {
    const auto uri = sip::parse_uri(text);
    return uri ? is_e164(run, uri->user) : Outcome::no();
  }
  Outcome is_numeric(Run&, Text text) {
    return Outcome::from(!text.empty() && std::all_of(text.begin(), text.end(), is_digit));
  }
  Outcome is_tel_number(Run& run, Text text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    return is_numeric(run, text);
  }
  Outcome is_alphanum(Run&, Text text) {
    return Outcome::from(!text.empty() && std::all_of(text.begin(), text.end(), is_alnum));
  }
  Outcome is_alphanumex(Run&, Text text, Text others) {
    return Outcome::from(!text.empty() && std::all_of(text.begin(), text.end(), [others](char c) {
      return is_alnum(c) || others.find(c) != Text::npos;
    }));
  }
  Outcome cmp_uri(Run&, Text a, Text b) {
    const auto first = sip::parse_uri(a);
    const auto second = sip::parse_uri(b);
    return Outcome::from(first && second && sip::equal(*first, *second));
  }
  Outcome cmp_aor(Run&, Text a, Text b) {
    const auto first = sip::parse_uri(a);
    const auto second = sip::parse_uri(b);
    return Outcome::from(first && second && sip::equal_escaped(first->user, second->user, false) &&
                         iequals(first->host, second->host) &&
                         first->port_or_default() == second->port_or_default());
  }
  Outcome cmp_hdr_name(Run&, Text a, Text b) {
    const sip::HeaderId id = sip::header_id(a);
    return Outcome::from(id != sip::HeaderId::other ? id == sip::header_id(b) : iequals(a, b));
  }
  Outcome tel2sip(Run& run, Text uri, Text host, mod::Variable out) {
    const auto parsed = sip::parse_uri(uri);
    if (!parsed) return Outcome::no();
    if (parsed->scheme != sip::UriScheme::tel) return Outcome::yes(2);
    const Text changed = tel_to_sip(run.arena(), *parsed, host);
    return Outcome::from(!changed.empty() && out.set(run, proxy::Value::of(changed)));
  }
  Outcome set_uri_user(Run& run, mod::Variable uri, Text user) {
    return change(run, uri, [&](sip::Uri& parts) {
      parts.user = user;
      parts.has_user = !user.empty();
    });
  }
  Outcome set_uri_host(Run& run, mod::Variable uri, Text host) {
    return change(run, uri, [&](sip::Uri& parts) { parts.host = host; });
  }

 private:
  /// The URI in a variable with a part changed; what is no URI afterwards is not stored.
  template <class Change>
  Outcome change(Run& run, const mod::Variable& variable, Change change_parts) {
    const proxy::Value value = variable.get(run);
    auto uri = sip::parse_uri(value.text);
    if (!value.is_string() || !uri || !uri->is_sip()) return Outcome::no();
    change_parts(*uri);
    std::array<char, 1024> text{};
    const auto size = sip::print_uri(*uri, text);
    if (!size || !sip::parse_uri({text.data(), *size})) return Outcome::no();
    return Outcome::from(static_cast<bool>(variable.set(run, proxy::Value::of({text.data(), *size}))));
  }

  std::string x_options_headers;
};

mod::Outcome Siputils::is_first_hop(Run& run, std::optional<std::int64_t> mode) {
  if (run.is_request()) return Outcome::from(run.message().via(0) && !run.message().via(1));
  const auto top = run.message().record_route(0);
  const auto uri = top ? sip::parse_uri((*top)->uri) : Result<sip::Uri>(Errc::missing, "no Record-Route");
  if (!uri || !run.services().sockets.is_myself(uri->host, uri->port_or_default())) return Outcome::no();
  if (mode.value_or(0) == 1) return Outcome::yes();
  // A response that comes from the address we wrote there has looped through us.
  const auto ip = parse_ip(uri->host);
  return Outcome::from(ip && *ip != run.state().rx.from.ip);
}

mod::Outcome Siputils::is_user(Run& run, Text user) {
  const sip::Message& message = run.message();
  for (const sip::HeaderField* field = message.find(sip::HeaderId::proxy_authorization); field != nullptr;
       field = message.next_same(*field)) {
    const auto credentials = message.get<sip::hdr::ProxyAuthorization>(*field);
    if (credentials && (*credentials)->username == user) return Outcome::yes();
  }
  for (const sip::HeaderField* field = message.find(sip::HeaderId::authorization); field != nullptr;
       field = message.next_same(*field)) {
    const auto credentials = message.get<sip::hdr::Authorization>(*field);
    if (credentials && (*credentials)->username == user) return Outcome::yes();
  }
  return Outcome::no();
}

mod::Outcome Siputils::options_reply(Run& run) {
  const auto uri = sip::parse_uri(run.uri());
  if (run.message().method() != sip::Method::options || !uri || uri->has_user) return Outcome::no();
  proxy::LocalReply reply;
  reply.status = 200;
  reply.reason = "OK";
  reply.headers = x_options_headers;
  return Outcome::from(static_cast<bool>(proxy::send_local_reply(run, reply)));
}

constexpr proxy::RouteKinds kRequest = kinds(proxy::RouteKind::request);
constexpr proxy::RouteKinds kRouting =
    proxy::RouteKind::request | proxy::RouteKind::failure | proxy::RouteKind::branch;
constexpr const char* kYesNo = "1 yes, -1 no";

void add_parameters(mod::SpecBuilder<Siputils>& builder) {
  builder.param(&SiputilsConfig::options_accept, "options_accept", "Accept of the reply to an OPTIONS.")
      .param(&SiputilsConfig::options_accept_encoding, "options_accept_encoding",
             "Accept-Encoding of that reply.")
      .param(&SiputilsConfig::options_accept_language, "options_accept_language",
             "Accept-Language of that reply.")
      .param(&SiputilsConfig::options_support, "options_support", "Supported of that reply.")
      .param(&SiputilsConfig::contact_flds_separator, "contact_flds_separator",
             "Known for old files: the functions that encode a Contact are not in this module.")
      .param(&SiputilsConfig::rpid_prefix, "rpid_prefix",
             "Known for old files: the functions about Remote-Party-ID are not in this module.")
      .param(&SiputilsConfig::rpid_suffix, "rpid_suffix", "As `rpid_prefix`.")
      .param(&SiputilsConfig::rpid_avp, "rpid_avp", "As `rpid_prefix`.");
}

void add_message_functions(mod::SpecBuilder<Siputils>& builder) {
  builder
      .function<&Siputils::options_reply>(
          "options_reply",
          "Answers an OPTIONS whose Request-URI has no user with 200 and what we accept. Call it for "
          "requests to "
          "ourselves only: `if (uri==myself && is_method(\"OPTIONS\")) { options_reply(); exit; }`",
          {}, kRequest, "1 answered, -1 it is no such request, or it could not be sent")
      .function<&Siputils::has_totag>("has_totag",
                                      "Has To a tag, that is, does the request belong to a dialog?", {},
                                      proxy::kAnyRoute, kYesNo)
      .function<&Siputils::is_request>("is_request", "Is the message a request?", {}, proxy::kAnyRoute,
                                       kYesNo)
      .function<&Siputils::is_reply>("is_reply", "Is the message a response?", {}, proxy::kAnyRoute, kYesNo)
      .function<&Siputils::is_first_hop>("is_first_hop",
                                         "Are we the first to get the message from its sender? A request: it "
                                         "has one Via. A response: the top "
                                         "Record-Route is our address and it does not come from there; with "
                                         "mode 1 the source is not looked at.",
                                         {"mode"}, proxy::kAnyRoute, kYesNo)
      .function<&Siputils::is_user>("is_user",
                                    "Do the credentials of the request name this user? They are not checked.",
                                    {"user"}, kRequest, kYesNo)
      .function<&Siputils::is_supported>("is_supported", "Does Supported name this option tag?", {"option"},
                                         proxy::kAnyRoute, kYesNo);
}

void add_uri_functions(mod::SpecBuilder<Siputils>& builder) {
  builder
      .function<&Siputils::uri_param>(
          "uri_param", "Has the Request-URI this parameter, without a value or with the one given?",
          {"name", "value"}, kRouting, kYesNo)
      .function<&Siputils::uri_param_any>("uri_param_any",
                                          "Has the Request-URI this parameter, whatever its value?", {"name"},
                                          kRouting, kYesNo)
      .function<&Siputils::get_uri_param>("get_uri_param", "The value of a parameter of the Request-URI.",
                                          {"name", "variable"}, kRouting, "1 stored, -1 there is none")
      .function<&Siputils::add_uri_param>("add_uri_param", "Adds `name=value` to the Request-URI.", {"param"},
                                          kRouting, "1 added, -1 not a SIP URI, or a bad parameter")
      .function<&Siputils::uri_param_rm>("uri_param_rm", "Removes a parameter of the Request-URI.", {"name"},
                                         kRouting, "1 removed, -1 there is none")
      .function<&Siputils::is_uri>("is_uri", "Is the text a sip, sips or tel URI?", {"text"},
                                   proxy::kAnyRoute, kYesNo)
      .function<&Siputils::is_gruu>("is_gruu",
                                    "Is the URI (without argument the Request-URI) a GRUU (RFC 5627)?",
                                    {"uri"}, proxy::kAnyRoute, "1 a public one, 2 a temporary one, -1 none")
      .function<&Siputils::cmp_uri>("cmp_uri", "Are both the same URI (RFC 3261 19.1.4)?", {"a", "b"},
                                    proxy::kAnyRoute, kYesNo)
      .function<&Siputils::cmp_aor>("cmp_aor", "Have both URIs the same user, host and port?", {"a", "b"},
                                    proxy::kAnyRoute, kYesNo)
      .function<&Siputils::cmp_hdr_name>("cmp_hdr_name",
                                         "Do both name the same header field, in full or compact form?",
                                         {"a", "b"}, proxy::kAnyRoute, kYesNo)
      .function<&Siputils::tel2sip>("tel2sip", "Turns a tel URI into a sip URI at `host` (RFC 3261 19.1.6).",
                                    {"uri", "host", "variable"}, proxy::kAnyRoute,
                                    "1 stored, 2 it is no tel URI, -1 it cannot be done")
      .function<&Siputils::set_uri_user>("set_uri_user", "Changes the user of the URI in a variable.",
                                         {"variable", "user"}, proxy::kAnyRoute,
                                         "1 changed, -1 not a SIP URI")
      .function<&Siputils::set_uri_host>("set_uri_host", "Changes the host of the URI in a variable.",
                                         {"variable", "host"}, proxy::kAnyRoute,
                                         "1 changed, -1 not a SIP URI");
}

void add_text_functions(mod::SpecBuilder<Siputils>& builder) {
  builder
      .function<&Siputils::is_e164>("is_e164", "Is the text a `+` and 2 to 15 digits?", {"text"},
                                    proxy::kAnyRoute, kYesNo)
      .function<&Siputils::is_uri_user_e164>("is_uri_user_e164",
                                             "Is the user of the URI a `+` and 2 to 15 digits?", {"uri"},
                                             proxy::kAnyRoute, kYesNo)
      .function<&Siputils::is_tel_number>("is_tel_number", "Is it digits, with a `+` before them or not?",
                                          {"text"}, proxy::kAnyRoute, kYesNo)
      .function<&Siputils::is_numeric>("is_numeric", "Is it digits only?", {"text"}, proxy::kAnyRoute, kYesNo)
      .function<&Siputils::is_alphanum>("is_alphanum", "Is it letters and digits only?", {"text"},
                                        proxy::kAnyRoute, kYesNo)
      .function<&Siputils::is_alphanumex>("is_alphanumex",
                                          "Is it letters, digits and characters of `others` only?",
                                          {"text", "others"}, proxy::kAnyRoute, kYesNo);
}

}  // namespace

mod::ModuleSpec describe_siputils() {
  mod::SpecBuilder<Siputils> builder("siputils",
                                     "Questions about the message, its Request-URI, and URIs in general.");
  add_parameters(builder);
  add_message_functions(builder);
  add_uri_functions(builder);
  add_text_functions(builder);
  builder.hardened("yes; it reads, and what it writes into a URI is parsed before it is used.");
  return builder.done();
}

}  // namespace ser::modules
