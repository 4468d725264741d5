// SPDX-License-Identifier: Apache-2.0
#include "modules/kex/kex.h"

#include "base/text.h"
#include "proxy/services.h"
#include "sip/uri.h"

namespace ser::modules {

namespace {

using mod::Outcome;
using proxy::Run;

class Kex final : public mod::Module {
 public:
  struct Config {};
  explicit Kex(const Config&) {}

  std::unique_ptr<mod::WorkerState> start_worker(mod::WorkerContext& context) override {
    auto worker = std::make_unique<Worker>();
    worker->configured_level = context.log.level();
    return worker;
  }

  Outcome set_destination(Run& run, std::string_view uri) {
    return Outcome::from(sip::parse_uri(uri) && run.set_dst_uri(uri));
  }
  Outcome reset_destination(Run& run) {
    run.state().dst_uri = {};
    return Outcome::yes();
  }
  Outcome has_destination(Run& run) { return Outcome::from(!run.state().dst_uri.empty()); }

  Outcome is_myself(Run& run, std::string_view text) {
    const proxy::LocalSockets& sockets = run.services().sockets;
    const auto uri = sip::parse_uri(text);
    if (uri && uri->is_sip()) return Outcome::from(sockets.is_myself(uri->host, uri->port));
    return Outcome::from(sockets.is_myself(text));
  }

  Outcome set_script_flag(Run& run, std::int64_t flag) {
    if (flag < 0 || flag > 31) return Outcome::no();
    run.state().script_flags |= 1U << flag;
    return Outcome::yes();
  }
  Outcome reset_script_flag(Run& run, std::int64_t flag) {
    if (flag < 0 || flag > 31) return Outcome::no();
    run.state().script_flags &= ~(1U << flag);
    return Outcome::yes();
  }
  Outcome is_script_flag_set(Run& run, std::int64_t flag) {
    return Outcome::from(flag >= 0 && flag <= 31 && (run.state().script_flags >> flag & 1U) != 0);
  }

  Outcome set_debug(Run& run, std::int64_t level) {
    if (level < -5 || level > 9) return Outcome::no();
    run.services().log.set_level(static_cast<int>(level));
    return Outcome::yes();
  }
  Outcome reset_debug(Run& run) {
    run.services().log.set_level(worker_state<Worker>(run).configured_level);
    return Outcome::yes();
  }

  Outcome assign(Run& run, mod::Variable variable, std::string_view text) {
    return Outcome::from(static_cast<bool>(variable.set(run, proxy::Value::of(text))));
  }

 private:
  struct Worker final : mod::WorkerState {
    int configured_level = 0;
  };
};

}  // namespace

mod::ModuleSpec describe_kex() {
  constexpr proxy::RouteKinds kAny = proxy::kAnyRoute;
  return mod::SpecBuilder<Kex>(
             "kex",
             "Destination URI, script flags and log level. Branch flags and `append_branch()` are "
             "commands of the core.")
      .function<&Kex::set_destination>(
          "setdsturi", "Sets the URI the request is sent to in place of its Request-URI, as `$du = \"…\"`.",
          {"uri"}, kAny, "1 set, -1 it is no URI")
      .function<&Kex::reset_destination>("resetdsturi", "Sends by the Request-URI again, as `$du = $null`.",
                                         {}, kAny, "1")
      .function<&Kex::has_destination>("isdsturiset", "Is a destination URI set?", {}, kAny, "1 yes, -1 no")
      .function<&Kex::is_myself>(
          "is_myself",
          "Is the host of the URI, or the host given, one of ours? A port that is not there is "
          "not compared.",
          {"uri"}, kAny, "1 yes, -1 no")
      .function<&Kex::set_script_flag>("setsflag",
                                       "Sets a flag (0 to 31) that lives as long as the script run.",
                                       {"flag"}, kAny, "1, or -1 for another number")
      .function<&Kex::reset_script_flag>("resetsflag", "Clears a script flag.", {"flag"}, kAny,
                                         "1, or -1 for another number")
      .function<&Kex::is_script_flag_set>("issflagset", "Is the script flag set?", {"flag"}, kAny,
                                          "1 yes, -1 no")
      .function<&Kex::set_debug>("setdebug", "Log level of this worker (-5 to 9, see parameter `debug`).",
                                 {"level"}, kAny, "1, or -1 for another number")
      .function<&Kex::reset_debug>("resetdebug", "The configured log level again.", {}, kAny, "1")
      .function<&Kex::assign>("pv_printf", "Puts a text with variables into a variable.",
                              {"variable", "text"}, kAny, "1 stored, -1 the variable refused it")
      .function<&Kex::assign>("avp_printf", "As `pv_printf()`.", {"variable", "text"}, kAny, "1, -1")
      .hardened("yes.")
      .done();
}

}  // namespace ser::modules
