// SPDX-License-Identifier: Apache-2.0
#include "modules/rr/rr.h"

#include <array>

#include "base/text.h"
#include "modules/rr/loose_route.h"
#include "proxy/services.h"
#include "sip/hdr.h"
#include "sip/output.h"
#include "sip/scanner.h"
#include "sip/uri.h"

namespace ser::modules {

namespace {

using mod::Outcome;
using proxy::RouteKind;
using proxy::RouteState;
using Doubling = proxy::RouteState::Doubling;

struct RrConfig {
  bool enable_full_lr = false;
  bool append_fromtag = true;
  std::int32_t enable_double_rr = 1;
  bool add_username = false;
  bool enable_socket_mismatch_warning = true;
  std::string custom_user_avp;
  bool force_send_socket = false;
  bool ignore_sips = false;
  bool sockname_mode = false;
};

/// "$avp(name)", "$avp(i:7)", "name" → name.
std::string_view avp_name(std::string_view written) noexcept {
  if (written.starts_with("$avp(") && written.ends_with(")")) written = written.substr(5, written.size() - 6);
  if (written.starts_with("s:") || written.starts_with("i:")) written.remove_prefix(2);
  return written;
}

/// May the text stand inside the angle brackets of a Record-Route?
bool is_uri_part(std::string_view text) noexcept {
  return !text.empty() && sip::all_of_class(text, sip::kUriChar) && text.size() < 512;
}

class Rr final : public mod::Module {
 public:
  using Config = RrConfig;
  explicit Rr(const RrConfig& config) : x_config(config), x_user_avp(avp_name(config.custom_user_avp)) {
    x_user_avp_is_number = x_config.custom_user_avp.find("i:") != std::string::npos;
    x_loose = {config.enable_double_rr != 0, config.force_send_socket, config.sockname_mode, false};
  }

  Outcome loose(proxy::Run& run) { return Outcome::yes(loose_route(run, x_loose)); }
  Outcome loose_mode(proxy::Run& run, std::int64_t mode) {
    LooseRouteOptions options = x_loose;
    options.only_loose = mode == 1;
    return Outcome::yes(loose_route(run, options));
  }
  Outcome loose_preloaded(proxy::Run& run) {
    if (!is_preloaded(run.message())) return Outcome::no();
    const std::int32_t code = loose_route(run, x_loose);
    return Outcome::from(code == kRouted || code == kPreloadedOnlyUs);
  }
  Outcome rewrite_from_route(proxy::Run& run) { return Outcome::from(loose_route(run, x_loose) == kRouted); }

  Outcome record(proxy::Run& run, std::optional<std::string_view> params) {
    RouteState* state = begin(run);
    if (state == nullptr || (params && !params->empty() && !is_uri_part(*params))) return Outcome::no();
    return finish(run, *state, params.value_or(""));
  }
  Outcome record_plain(proxy::Run& run) { return record(run, std::nullopt); }
  Outcome record_preset(proxy::Run& run, std::string_view host, std::optional<std::string_view> second) {
    RouteState* state = begin(run);
    if (state == nullptr || !is_uri_part(host) || (second && !is_uri_part(*second))) return Outcome::no();
    state->host = run.arena().copy(host);
    state->second_host = second ? run.arena().copy(*second) : std::string_view();
    return finish(run, *state, "");
  }
  Outcome record_advertised(proxy::Run& run, std::string_view address) {
    RouteState* state = begin(run);
    if (state == nullptr || !is_uri_part(address)) return Outcome::no();
    state->host = run.arena().copy(address);
    state->second_host = {};
    return finish(run, *state, "");
  }
  Outcome remove_record(proxy::Run& run) {
    if (run.state().routing != nullptr) run.state().routing->record = false;
    return Outcome::yes();
  }

  Outcome add_param(proxy::Run& run, std::string_view param) {
    RouteState* state = run.is_request() ? run.routing() : nullptr;
    if (state == nullptr || !is_uri_part(param)) return Outcome::no();
    const std::size_t size = state->extra_params.size() + param.size();
    auto* text = static_cast<char*>(run.arena().allocate(size, 1));
    if (text == nullptr) return Outcome::no();
    sip::Output out({text, size});
    out.put(state->extra_params);
    out.put(param);
    state->extra_params = {text, size};
    return Outcome::yes();
  }

  Outcome check_param(proxy::Run& run, mod::Compiled<mod::SearchRegex> regex) {
    if (run.state().routing == nullptr || run.state().routing->own_params.empty()) return Outcome::no();
    mod::Matcher& matcher = worker_state<Worker>(run).matcher;
    return Outcome::from(regex->regex->match(matcher, run.state().routing->own_params) ==
                         mod::Regex::Verdict::match);
  }

  Outcome direction(proxy::Run& run, std::string_view wanted) {
    const bool upstream = iequals(wanted, "upstream");
    if (!upstream && !iequals(wanted, "downstream")) return Outcome::no();
    return Outcome::from(upstream == is_upstream(run));
  }
  Outcome next_hop_route(proxy::Run& run) {
    return Outcome::from(run.state().routing != nullptr && run.state().routing->next_hop_is_route);
  }

  static proxy::Value route_uri(mod::Module&, proxy::Run& run, std::string_view) {
    const auto route = run.message().route(0);
    return route ? proxy::Value::of((*route)->uri) : proxy::Value::null();
  }

  std::unique_ptr<mod::WorkerState> start_worker(mod::WorkerContext&) override {
    return std::make_unique<Worker>();
  }

 private:
  struct Worker final : mod::WorkerState {
    mod::Matcher matcher;
  };

  /// nullptr: no request, or it records already (one Record-Route a hop).
  static RouteState* begin(proxy::Run& run) {
    RouteState* state = run.is_request() ? run.routing() : nullptr;
    return state != nullptr && !state->record ? state : nullptr;
  }

  /// The request goes from callee to caller: our Route holds the tag of the other side.
  static bool is_upstream(proxy::Run& run) {
    const RouteState* state = run.state().routing;
    if (state == nullptr || state->own_params.empty()) return false;
    std::string_view rest = state->own_params;
    sip::UriParam param;
    while (sip::next_uri_param(rest, param)) {
      if (!iequals(param.name, "ftag") || param.value.empty()) continue;
      const auto from = run.message().get<sip::hdr::From>();
      return from && (*from)->tag != param.value;
    }
    return false;
  }

  std::string_view user_of(proxy::Run& run) const {
    if (!x_user_avp.empty()) {
      const proxy::Value value = run.avp(x_user_avp, x_user_avp_is_number);
      if (value.is_string() && is_uri_part(value.text)) return value.text;
    }
    const auto uri = sip::parse_uri(run.message().start().uri);
    return uri && uri->is_sip() ? uri->user : std::string_view();
  }

  /// The tag of who called first, so that the direction of later requests shows.
  static std::string_view tag_of(proxy::Run& run) {
    if (is_upstream(run)) {
      const auto to = run.message().get<sip::hdr::To>();
      if (to && !(*to)->tag.empty()) return (*to)->tag;
    }
    const auto from = run.message().get<sip::hdr::From>();
    return from ? (*from)->tag : std::string_view();
  }

  Outcome finish(proxy::Run& run, RouteState& state, std::string_view params) {
    constexpr std::array kDoubling{Doubling::never, Doubling::when_sockets_differ, Doubling::always};
    state.sips = !x_config.ignore_sips && istarts_with(run.uri(), "sips:");
    state.socket_names = x_config.sockname_mode;
    state.doubling = kDoubling[static_cast<std::size_t>(x_config.enable_double_rr)];
    if (x_config.add_username) state.user = user_of(run);
    const std::string_view tag = x_config.append_fromtag ? tag_of(run) : std::string_view();
    const std::string_view lr = x_config.enable_full_lr ? ";lr=on" : ";lr";
    if (tag.empty() && params.empty()) {
      state.params = lr;
    } else {
      const std::size_t room = lr.size() + 6 + tag.size() + params.size();
      auto* text = static_cast<char*>(run.arena().allocate(room, 1));
      if (text == nullptr) return Outcome::no();
      sip::Output out({text, room});
      out.put(lr);
      if (!tag.empty()) {
        out.put(";ftag=");
        out.put(tag);
      }
      out.put(params);
      state.params = {text, out.size()};
    }
    state.record = true;
    return Outcome::yes();
  }

  RrConfig x_config;
  std::string x_user_avp;
  bool x_user_avp_is_number = false;
  LooseRouteOptions x_loose;
};

constexpr proxy::RouteKinds kRequest = kinds(RouteKind::request);
constexpr proxy::RouteKinds kRecording = RouteKind::request | RouteKind::failure | RouteKind::branch;

void add_parameters(mod::SpecBuilder<Rr>& builder) {
  builder
      .param(&RrConfig::enable_full_lr, "enable_full_lr",
             "Write `;lr=on` in place of `;lr`, for user agents that lose a "
             "parameter without value.")
      .param(&RrConfig::append_fromtag, "append_fromtag",
             "Add `;ftag=` with the tag of who called, so that `is_direction()` works.")
      .param(&RrConfig::enable_double_rr, "enable_double_rr",
             "Two Record-Route header fields when a request leaves by another socket than it came in by (1), "
             "always and "
             "with `transport` (2), never (0).",
             {0, 2})
      .param(&RrConfig::add_username, "add_username",
             "Put the user of the Request-URI into the Record-Route URI.")
      .param(&RrConfig::enable_socket_mismatch_warning, "enable_socket_mismatch_warning",
             "Known for old files: a preset address that is none of ours gives no warning.")
      .param(&RrConfig::custom_user_avp, "custom_user_avp",
             "An AVP (`$avp(name)`) whose value is the user, with `add_username`.")
      .param(&RrConfig::force_send_socket, "force_send_socket",
             "Leave by the socket our Route names also when it is one alone; with two it is always so.")
      .param(&RrConfig::ignore_sips, "ignore_sips", "Write `sip:` even when the Request-URI is `sips:`.")
      .param(&RrConfig::sockname_mode, "sockname_mode",
             "Write the name of the socket as `;sn=` and find the socket of a Route by it.");
}

void add_record_functions(mod::SpecBuilder<Rr>& builder) {
  builder
      .function<&Rr::record>(
          "record_route",
          "Has later requests of the dialog come through here: the request leaves with a Record-Route at the "
          "top that "
          "names the socket it leaves by, and a second one when it came in by another. `params` such as "
          "`;name=value` are added to its URI. In a dialog call it after `loose_route()`.",
          {"params"}, kRecording, "1 will be added, -1 there is one already, or `params` are bad")
      .function<&Rr::record_plain>("addRecordRoute", "`record_route()` by its name in SER 0.8.", {},
                                   kRecording, "1, -1")
      .function<&Rr::record_preset>("record_route_preset",
                                    "As `record_route()` with `host[:port][;params]` given here (no scheme). "
                                    "With `inbound` there are two: `host` "
                                    "faces the next hop, `inbound` the previous; write `;r2=on` into both.",
                                    {"host", "inbound"}, kRecording, "1, -1")
      .function<&Rr::record_advertised>("record_route_advertised_address",
                                        "As `record_route()` with this address in place of the socket's.",
                                        {"address"}, kRecording, "1, -1")
      .function<&Rr::remove_record>("remove_record_route", "Takes back what `record_route()` asked for.", {},
                                    kRecording, "1")
      .function<&Rr::add_param>("add_rr_param",
                                "Adds a parameter to the URI of our Record-Route, before or after "
                                "`record_route()`; later requests of the "
                                "dialog bring it back. Example: `add_rr_param(\";nat=yes\");`",
                                {"param"}, kRecording, "1 added, -1 it cannot stand in a URI");
}

void add_route_functions(mod::SpecBuilder<Rr>& builder) {
  constexpr const char* kLooseReturns =
      "1 the request is to follow its Route, -1 it has none or a malformed one, -3 the only Route was ours "
      "and the "
      "request begins a dialog: route it as usual";
  builder
      .function<&Rr::loose>("loose_route",
                            "Follows the Route of a request (RFC 3261 16.4, 16.6). Our own values are "
                            "removed, both halves of a double "
                            "one at once; the next one becomes the destination. Strict routers before and "
                            "behind us are understood. "
                            "Example: `if (has_totag()) { if (loose_route()) { forward(); exit; } }`. Do not "
                            "let it be used to get around "
                            "authentication: accept it in dialogs only.",
                            {}, kRequest, kLooseReturns)
      .function<&Rr::loose_mode>("loose_route_mode",
                                 "With mode 0 as `loose_route()`. With mode 1 a Request-URI of our own is "
                                 "never taken for the trace of a "
                                 "strict router: for application servers whose Contact is our address.",
                                 {"mode"}, kRequest, kLooseReturns)
      .function<&Rr::loose_preloaded>(
          "loose_route_preloaded", "As `loose_route()`, for requests that begin a dialog only (no To tag).",
          {}, kRequest, "1 followed, -1 not")
      .function<&Rr::rewrite_from_route>(
          "rewriteFromRoute", "`loose_route()` by its name in SER 0.8, which knew strict routing only.", {},
          kRequest, "1 followed, -1 not")
      .function<&Rr::check_param>("check_route_param",
                                  "After `loose_route()`: does the regular expression match the URI "
                                  "parameters of our Route (`;lr;nat=yes`)?",
                                  {"regex"}, kRequest, "1 yes, -1 no")
      .function<&Rr::direction>("is_direction",
                                "After `loose_route()`: does the request go `downstream`, from who called to "
                                "who was called, or `upstream`? "
                                "Needs `append_fromtag`; without it every request goes downstream.",
                                {"direction"}, kRequest, "1 yes, -1 no")
      .function<&Rr::next_hop_route>(
          "rr_next_hop_route", "After `loose_route()`: is the next hop taken from a Route header field?", {},
          proxy::kAnyRoute, "1 yes, -1 no");
}

}  // namespace

mod::ModuleSpec describe_rr() {
  mod::SpecBuilder<Rr> builder(
      "rr",
      "Record-Route and Route: stay in the path of a dialog and follow the path of others (RFC "
      "3261 16.4, 16.6, 16.12).");
  add_parameters(builder);
  add_record_functions(builder);
  add_route_functions(builder);
  mod::VariableSpec route_uri;
  route_uri.name = "route_uri";
  route_uri.help = "URI of the first Route value as received.";
  route_uri.get = &Rr::route_uri;
  builder.variable(std::move(route_uri));
  builder.hardened("yes; every Route value is walked once, and one that is no URI ends it with -1.");
  return builder.done();
}

}  // namespace ser::modules
