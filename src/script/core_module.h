// SPDX-License-Identifier: Apache-2.0
// The core's own commands as a module named "core". Control flow (drop, exit, route …) is in the language
// itself.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/endpoint.h"
#include "mod/argument.h"
#include "mod/module.h"
#include "mod/outcome.h"
#include "mod/spec.h"
#include "proxy/run.h"

namespace ser::script {

/// A flag: 0..31.
struct FlagNumber {
  std::uint32_t mask = 0;
  static std::unique_ptr<FlagNumber> compile(std::string_view text, std::string& error);
};

/// The length in len_gt(): a number or `max_len`.
struct LengthLimit {
  std::uint32_t bytes = 0;
  bool max_len = false;
  static std::unique_ptr<LengthLimit> compile(std::string_view text, std::string& error);
};

/// A destination as forward() and send() take it: a host, an address, or `uri:host`.
struct HostArgument {
  std::string host;
  IpAddress address;  ///< of a `host` that is one; else none
  bool from_uri = false;
  static std::unique_ptr<HostArgument> compile(std::string_view text, std::string& error);
};

/// Its port: a number or `uri:port`.
struct PortArgument {
  std::uint16_t port = 0;
  bool from_uri = false;
  static std::unique_ptr<PortArgument> compile(std::string_view text, std::string& error);
};

/// A socket of ours: `udp:192.0.2.1:5060`, `192.0.2.1`, or its name.
struct SocketArgument {
  Proto proto = Proto::none;
  std::string host;
  std::uint16_t port = 0;
  static std::unique_ptr<SocketArgument> compile(std::string_view text, std::string& error);
};

/// What set_advertised_address() takes: a host name or an address, kept as a Via needs it (IPv6 in brackets).
struct AdvertisedHost {
  std::string host;
  static std::unique_ptr<AdvertisedHost> compile(std::string_view text, std::string& error);
};

/// A port: 1 to 65535.
struct PortNumber {
  std::uint16_t port = 0;
  static std::unique_ptr<PortNumber> compile(std::string_view text, std::string& error);
};

/// Stateless but for the run; one object per configuration.
class Core final : public mod::Module {
 public:
  using Config = mod::NoConfig;
  using Outcome = mod::Outcome;
  using Run = proxy::Run;
  template <class T>
  using Made = mod::Compiled<T>;

  explicit Core(const Config&) {}

  // core_forward.cpp
  Outcome forward(Run& run, std::optional<Made<HostArgument>> host, std::optional<Made<PortArgument>> port);
  Outcome send(Run& run, std::optional<Made<HostArgument>> host, std::optional<Made<PortArgument>> port);
  Outcome append_branch(Run& run, std::optional<std::string_view> uri, std::optional<std::string_view> q);
  Outcome clear_branches(Run& run);
  Outcome force_rport(Run& run);
  Outcome force_send_socket(Run& run, Made<SocketArgument> socket);
  Outcome remove_branch(Run& run, std::optional<std::int64_t> branch);
  Outcome set_no_effect(Run& run);
  Outcome set_no_effect_with(Run& run, std::optional<mod::Literal> text);
  Outcome set_advertised_address(Run& run, Made<AdvertisedHost> host);
  Outcome set_advertised_port(Run& run, Made<PortNumber> port);
  Outcome add_local_rport(Run& run);

  // core_uri.cpp
  Outcome set_host(Run& run, std::string_view host);
  Outcome set_host_port(Run& run, std::string_view host_port);
  Outcome set_user(Run& run, std::string_view user);
  Outcome set_user_password(Run& run, std::string_view user_password);
  Outcome set_port(Run& run, std::string_view port);
  Outcome set_uri(Run& run, std::string_view uri);
  Outcome revert_uri(Run& run);
  Outcome prefix(Run& run, std::string_view text);
  Outcome strip(Run& run, std::int64_t count);
  Outcome strip_tail(Run& run, std::int64_t count);
  Outcome user_phone(Run& run);

  // core_functions.cpp
  Outcome log(Run& run, std::string_view text);
  Outcome log_level(Run& run, std::string_view level, std::string_view text);
  Outcome error(Run& run, std::string_view first, std::string_view second);
  Outcome set_flag(Run& run, Made<FlagNumber> flag);
  Outcome reset_flag(Run& run, Made<FlagNumber> flag);
  Outcome is_flag_set(Run& run, Made<FlagNumber> flag);
  Outcome set_branch_flag(Run& run, Made<FlagNumber> flag, std::optional<std::int64_t> branch);
  Outcome reset_branch_flag(Run& run, Made<FlagNumber> flag, std::optional<std::int64_t> branch);
  Outcome is_branch_flag_set(Run& run, Made<FlagNumber> flag, std::optional<std::int64_t> branch);
  Outcome longer(Run& run, Made<LengthLimit> limit);
  Outcome not_built(Run& run, std::optional<mod::Literal> text);
};

/// Commands that are checked but do nothing yet: each call is warned about.
bool is_unbuilt_command(std::string_view name) noexcept;
/// Commands that the family's core has and this one not yet.
bool is_known_command(std::string_view name) noexcept;

}  // namespace ser::script
