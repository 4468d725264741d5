// SPDX-License-Identifier: Apache-2.0
// The core's commands: their declaration, logging, flags, lengths.
#include <algorithm>

#include "base/text.h"
#include "conf/core_parameter.h"
#include "proxy/services.h"
#include "script/core_module.h"
#include "script/script.h"
#include "script/values.h"
#include "script/vm.h"

namespace ser::script {

using mod::Outcome;
using proxy::RouteKind;

namespace {

constexpr std::string_view kUnbuilt[] = {"exec"};

// Commands of Kamailio's core that are not even checked.
constexpr std::string_view kKnown[] = {
    "forward_tcp", "forward_tls",  "forward_sctp", "rewritehostporttrans", "sethostporttrans", "sethpt",
    "setavpflag",  "resetavpflag", "isavpflagset", "cfg_select",           "cfg_reset"};

// The number behind a level's name as xlog takes it, or a number.
std::int64_t level_number(std::string_view text, bool& is_name) noexcept {
  struct Name {
    std::string_view text;
    LogLevel level;
  };
  constexpr Name kNames[] = {
      {"L_ALERT", LogLevel::alert},   {"L_BUG", LogLevel::bug},   {"L_CRIT2", LogLevel::critical},
      {"L_CRIT", LogLevel::critical}, {"L_ERR", LogLevel::error}, {"L_WARN", LogLevel::warning},
      {"L_NOTICE", LogLevel::notice}, {"L_INFO", LogLevel::info}, {"L_DBG", LogLevel::debug}};
  is_name = false;
  for (const Name& name : kNames) {
    if (!iequals(name.text, text)) continue;
    is_name = true;
    return static_cast<std::int64_t>(name.level);
  }
  std::int64_t number = 0;
  (void)parse_integer(text, number);
  return number;
}

std::uint32_t* flags_of(proxy::RunState& state, std::optional<std::int64_t> branch) noexcept {
  const std::int64_t n = branch.value_or(0);
  if (n == 0) return &state.branch_flags;
  if (n < 0 || n > state.branch_count) return nullptr;
  return &state.branches[n - 1].flags;
}

}  // namespace

bool is_unbuilt_command(std::string_view name) noexcept {
  return std::find(std::begin(kUnbuilt), std::end(kUnbuilt), name) != std::end(kUnbuilt);
}

bool is_known_command(std::string_view name) noexcept {
  return std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown);
}

std::unique_ptr<FlagNumber> FlagNumber::compile(std::string_view text, std::string& error) {
  const auto number = parse_u32(text, 31);
  if (!number) {
    error = "a flag is a number from 0 to 31";
    return nullptr;
  }
  auto made = std::make_unique<FlagNumber>();
  made->mask = 1U << *number;
  return made;
}

std::unique_ptr<LengthLimit> LengthLimit::compile(std::string_view text, std::string& error) {
  auto made = std::make_unique<LengthLimit>();
  if (text == "max_len") {
    made->max_len = true;
    return made;
  }
  const auto number = parse_u32(text);
  if (!number) {
    error = "a number of bytes or max_len is needed";
    return nullptr;
  }
  made->bytes = *number;
  return made;
}

Outcome Core::log(Run& run, std::string_view text) {
  if (run.services().log.enabled(LogLevel::debug)) run.services().log.text(LogLevel::debug, trim(text));
  return Outcome::yes();
}

Outcome Core::log_level(Run& run, std::string_view level, std::string_view text) {
  bool is_name = false;
  std::int64_t number = level_number(level, is_name);
  if (!is_name && Vm::of(run).program().dialect == Dialect::ser) number = conf::log_level_of_ser(number);
  const auto wanted = static_cast<LogLevel>(std::clamp<std::int64_t>(number, -5, 3));
  if (run.services().log.enabled(wanted)) run.services().log.text(wanted, trim(text));
  return Outcome::yes();
}

Outcome Core::error(Run& run, std::string_view first, std::string_view second) {
  LOG(run.services().log, notice, "error(\"{}\", \"{}\") has no effect", first, second);
  return Outcome::yes();
}

Outcome Core::set_flag(Run& run, Made<FlagNumber> flag) {
  run.state().flags |= flag->mask;
  return Outcome::yes();
}
Outcome Core::reset_flag(Run& run, Made<FlagNumber> flag) {
  run.state().flags &= ~flag->mask;
  return Outcome::yes();
}
Outcome Core::is_flag_set(Run& run, Made<FlagNumber> flag) {
  return Outcome::from((run.state().flags & flag->mask) != 0);
}

Outcome Core::set_branch_flag(Run& run, Made<FlagNumber> flag, std::optional<std::int64_t> branch) {
  std::uint32_t* flags = flags_of(run.state(), branch);
  if (flags == nullptr) return Outcome::no();
  *flags |= flag->mask;
  return Outcome::yes();
}
Outcome Core::reset_branch_flag(Run& run, Made<FlagNumber> flag, std::optional<std::int64_t> branch) {
  std::uint32_t* flags = flags_of(run.state(), branch);
  if (flags == nullptr) return Outcome::no();
  *flags &= ~flag->mask;
  return Outcome::yes();
}
Outcome Core::is_branch_flag_set(Run& run, Made<FlagNumber> flag, std::optional<std::int64_t> branch) {
  const std::uint32_t* flags = flags_of(run.state(), branch);
  return Outcome::from(flags != nullptr && (*flags & flag->mask) != 0);
}

Outcome Core::longer(Run& run, Made<LengthLimit> limit) {
  const std::uint32_t bytes = limit->max_len ? run.services().settings.max_message_size : limit->bytes;
  return Outcome::from(run.message().bytes().size() >= bytes);
}

Outcome Core::not_built(Run&, std::optional<mod::Literal>) {
  return Outcome::no();
}

mod::ModuleSpec describe_core() {
  const auto routing = RouteKind::request | RouteKind::failure | RouteKind::event;
  const auto rewriting = routing | RouteKind::branch | RouteKind::onsend;
  mod::SpecBuilder<Core> core("core",
                              "Commands of the core: forwarding, Request-URI, branches, flags, logging.");
  for (const char* name : {"forward", "forward_udp"}) {
    core.function<&Core::forward>(
            name,
            "Sends the request statelessly, our Via on top (RFC 3261 16.11). Without arguments to "
            "$du or the Request-URI.",
            {"host", "port"}, routing, "1 sent, -1 not")
        .host_argument(0);
  }
  for (const char* name : {"send", "send_udp"}) {
    core.function<&Core::send>(name, "Sends the message as it was received: no Via, no changes.",
                               {"host", "port"}, routing, "1 sent, -1 not")
        .host_argument(0);
  }
  core.function<&Core::append_branch>("append_branch",
                                      "Adds a destination; without arguments the current Request-URI.",
                                      {"uri", "q"}, routing, "1 added, -1 too many")
      .function<&Core::clear_branches>("clear_branches", "Removes all added branches.", {}, routing)
      .function<&Core::remove_branch>("remove_branch", "Removes an added branch: 0 is the first.", {"index"},
                                      routing, "1 removed, -1 there is none of that index")
      .function<&Core::force_rport>("force_rport",
                                    "Answers to the source port, as if Via had rport (RFC 3581).", {})
      .function<&Core::force_rport>("add_rport", "The same as force_rport.", {})
      .function<&Core::force_send_socket>("force_send_socket", "Sends from this socket of ours.", {"socket"},
                                          proxy::kAnyRoute, "1 good, -1 no such socket");
  core.function<&Core::set_advertised_address>(
          "set_advertised_address",
          "Our Via and Record-Route on this message name this host, whatever `advertise` and "
          "`advertised_address` say. Add it as `alias`, so that what comes back is known as ours.",
          {"host"})
      .function<&Core::set_advertised_port>(
          "set_advertised_port",
          "Our Via and Record-Route on this message name this port, whatever `advertise` and "
          "`advertised_port` say.",
          {"port"})
      .function<&Core::add_local_rport>(
          "add_local_rport",
          "Our Via on this message has rport (RFC 3581), so that the reply comes to the port we sent from. "
          "`local_rport` does it for every message.",
          {});
  for (const char* name :
       {"set_reply_no_connect", "set_reply_close", "set_forward_no_connect", "set_forward_close"}) {
    core.function<&Core::set_no_effect>(name, "About TCP connections; no effect on UDP.", {});
  }
  for (const char* name : {"force_tcp_alias", "add_tcp_alias", "udp_mtu_try_proto"}) {
    core.function<&Core::set_no_effect_with>(name, "About TCP connections; no effect on UDP.", {"value"});
  }
  for (const char* name : {"rewritehost", "sethost", "seth"}) {
    core.function<&Core::set_host>(name, "Host of the Request-URI.", {"host"}, rewriting);
  }
  for (const char* name : {"rewritehostport", "sethostport", "sethp"}) {
    core.function<&Core::set_host_port>(name, "Host and port of the Request-URI.", {"host_port"}, rewriting);
  }
  for (const char* name : {"rewriteuser", "setuser", "setu"}) {
    core.function<&Core::set_user>(name, "User of the Request-URI.", {"user"}, rewriting);
  }
  for (const char* name : {"rewriteuserpass", "setuserpass", "setup"}) {
    core.function<&Core::set_user_password>(name, "User and password of the Request-URI.", {"user_password"},
                                            rewriting);
  }
  for (const char* name : {"rewriteport", "setport", "setp"}) {
    core.function<&Core::set_port>(name, "Port of the Request-URI.", {"port"}, rewriting);
  }
  for (const char* name : {"rewriteuri", "seturi"}) {
    core.function<&Core::set_uri>(name, "The whole Request-URI.", {"uri"}, rewriting);
  }
  core.function<&Core::revert_uri>("revert_uri", "The Request-URI as received.", {}, rewriting)
      .function<&Core::prefix>("prefix", "Text before the user of the Request-URI.", {"text"}, rewriting)
      .function<&Core::strip>("strip", "Takes characters off the front of the user.", {"count"}, rewriting)
      .function<&Core::strip_tail>("strip_tail", "Takes characters off the end of the user.", {"count"},
                                   rewriting)
      .function<&Core::user_phone>("userphone", "Adds the parameter user=phone to the Request-URI.", {},
                                   rewriting)
      .function<&Core::log>("log", "Writes a log line at debug level.", {"text"})
      .function<&Core::log_level>("log", "Writes a log line.", {"level", "text"})
      .function<&Core::error>("error", "Logs a line and does nothing else, as in SER.", {"a", "b"})
      .function<&Core::set_flag>("setflag", "Sets a flag of the message.", {"flag"})
      .function<&Core::reset_flag>("resetflag", "Clears a flag of the message.", {"flag"})
      .function<&Core::is_flag_set>("isflagset", "Is the flag set?", {"flag"}, proxy::kAnyRoute,
                                    "1 set, -1 not")
      .function<&Core::set_branch_flag>("setbflag", "Sets a flag of a branch.", {"flag", "branch"})
      .function<&Core::reset_branch_flag>("resetbflag", "Clears a flag of a branch.", {"flag", "branch"})
      .function<&Core::is_branch_flag_set>("isbflagset", "Is the flag of the branch set?", {"flag", "branch"})
      .function<&Core::longer>("len_gt", "Is the message as long as that or longer?", {"length"})
      .hardened(
          "reads no network data of its own; URIs it builds are bounded and free of control characters");
  for (const std::string_view name : kUnbuilt) {
    core.function<&Core::not_built>(std::string(name), "Not built yet; does nothing.", {"text"});
  }
  return core.done();
}

}  // namespace ser::script
