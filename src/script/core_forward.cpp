// SPDX-License-Identifier: Apache-2.0
// The core's commands that send, and those that decide how.
#include <algorithm>

#include "base/text.h"
#include "proxy/forward.h"
#include "proxy/services.h"
#include "script/core_module.h"
#include "script/vm.h"
#include "sip/scanner.h"

namespace ser::script {

using mod::Outcome;

namespace {

using Host = std::optional<mod::Compiled<HostArgument>>;
using Port = std::optional<mod::Compiled<PortArgument>>;

Result<SockAddr> target_of(proxy::Run& run, const Host& host, const Port& port) {
  if (!host) return proxy::next_hop(run);
  std::string_view name = (*host)->host;
  std::uint16_t number = port ? (*port)->port : std::uint16_t{0};
  if ((*host)->from_uri || (port && (*port)->from_uri)) {
    const sip::Uri* uri = Vm::of(run).request_uri(run);
    if (uri == nullptr) return {Errc::syntax, "the Request-URI is malformed"};
    if ((*host)->from_uri) name = uri->host;
    if (port && (*port)->from_uri) number = uri->port;
  }
  if ((*host)->address.valid()) return SockAddr{(*host)->address, number != 0 ? number : proxy::kDefaultPort};
  return proxy::resolve(run, name, number, Proto::udp);
}

Outcome failed(proxy::Run& run, const Error& error, std::string_view command) {
  if (error.code == Errc::suspended) return Outcome::again();
  LOG(run.services().log, info, "{}: {}", command, error.what);
  // A name that is being looked up, and no way or no more time to wait: who sends again will be served. The
  // script may answer itself; when it does not, the core answers with this status.
  if (error.code == Errc::pending) run.fail(503, "Destination is being resolved");
  if (error.code == Errc::not_found) run.fail(478, "Unresolvable destination");
  return Outcome::no();
}

}  // namespace

std::unique_ptr<HostArgument> HostArgument::compile(std::string_view text, std::string& error) {
  auto made = std::make_unique<HostArgument>();
  made->from_uri = text == "uri:host" || text == "uri";
  if (text.empty() || (!made->from_uri && text.find_first_of(" \t\r\n/@;") != std::string_view::npos)) {
    error = "a host name or an address is needed";
    return nullptr;
  }
  made->host = text;
  if (const auto ip = parse_ip(text); ip && !made->from_uri) made->address = *ip;
  return made;
}

std::unique_ptr<PortArgument> PortArgument::compile(std::string_view text, std::string& error) {
  auto made = std::make_unique<PortArgument>();
  made->from_uri = text == "uri:port";
  if (made->from_uri) return made;
  const auto number = parse_u32(text, 65535);
  if (!number || *number == 0) {
    error = "a port from 1 to 65535 or uri:port is needed";
    return nullptr;
  }
  made->port = static_cast<std::uint16_t>(*number);
  return made;
}

std::unique_ptr<SocketArgument> SocketArgument::compile(std::string_view text, std::string& error) {
  auto made = std::make_unique<SocketArgument>();
  std::string_view rest = text;
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    made->proto = parse_proto(rest.substr(0, colon));
    if (made->proto != Proto::none) rest.remove_prefix(colon + 1);
  }
  const std::size_t bracket = rest.rfind(']');
  const std::size_t colon = rest.rfind(':');
  const bool one_colon = colon != std::string_view::npos && rest.find(':') == colon;
  if (colon != std::string_view::npos &&
      (one_colon || (bracket != std::string_view::npos && colon == bracket + 1))) {
    const auto number = parse_u32(rest.substr(colon + 1), 65535);
    if (!number) {
      error = "the port must be a number up to 65535";
      return nullptr;
    }
    made->port = static_cast<std::uint16_t>(*number);
    rest = rest.substr(0, colon);
  }
  if (rest.empty()) {
    error = "a socket such as udp:192.0.2.1:5060 is needed";
    return nullptr;
  }
  made->host = rest;
  return made;
}

std::unique_ptr<AdvertisedHost> AdvertisedHost::compile(std::string_view text, std::string& error) {
  auto made = std::make_unique<AdvertisedHost>();
  if (const auto ip = parse_ip(text); ip) {
    made->host = print_ip(*ip, true).view();
    return made;
  }
  if (text.empty() || text.size() > 255 || !sip::all_of_class(text, sip::kHostChar)) {
    error = "a host name or an address is needed";
    return nullptr;
  }
  made->host = text;
  return made;
}

std::unique_ptr<PortNumber> PortNumber::compile(std::string_view text, std::string& error) {
  const auto number = parse_u32(text, 65535);
  if (!number || *number == 0) {
    error = "a port from 1 to 65535 is needed";
    return nullptr;
  }
  auto made = std::make_unique<PortNumber>();
  made->port = static_cast<std::uint16_t>(*number);
  return made;
}

Outcome Core::forward(Run& run, Host host, Port port) {
  if (!run.is_request()) return Outcome::no();
  const auto target = target_of(run, host, port);
  if (!target) return failed(run, target.error(), "forward");
  const auto sent = proxy::forward_request(run, *target);
  return sent ? Outcome::yes() : failed(run, sent.error(), "forward");
}

Outcome Core::send(Run& run, Host host, Port port) {
  const auto target = target_of(run, host, port);
  if (!target) return failed(run, target.error(), "send");
  const auto sent = proxy::send_unchanged(run, *target);
  return sent ? Outcome::yes() : failed(run, sent.error(), "send");
}

Outcome Core::append_branch(Run& run, std::optional<std::string_view> uri,
                            std::optional<std::string_view> q) {
  std::uint16_t quality = proxy::kNoQ;
  if (q && !q->empty()) {
    // "0.5", "1", "0.125"
    const std::string_view text = *q;
    const std::size_t dot = text.find('.');
    const auto whole = parse_u32(text.substr(0, dot), 1);
    std::uint32_t thousandths = 0;
    std::uint32_t unit = 100;
    bool good = whole.has_value();
    if (dot != std::string_view::npos) {
      for (const char c : text.substr(dot + 1)) {
        good = good && is_digit(c);
        thousandths += good ? static_cast<std::uint32_t>(c - '0') * unit : 0;
        unit /= 10;
      }
    }
    if (!good || *whole * 1000 + thousandths > 1000) {
      LOG(run.services().log, error, "append_branch: `{}` is no q value", text);
      return Outcome::no();
    }
    quality = static_cast<std::uint16_t>(*whole * 1000 + thousandths);
  }
  const auto added = run.append_branch(uri.value_or(std::string_view()), quality);
  if (added) return Outcome::yes();
  LOG(run.services().log, error, "append_branch: {}", added.error().what);
  return Outcome::no();
}

Outcome Core::clear_branches(Run& run) {
  run.clear_branches();
  return Outcome::yes();
}

Outcome Core::force_rport(Run& run) {
  run.state().rport_forced = true;
  return Outcome::yes();
}

Outcome Core::force_send_socket(Run& run, Made<SocketArgument> socket) {
  const proxy::LocalSockets& sockets = run.services().sockets;
  SocketId id = sockets.find(socket->proto == Proto::none ? Proto::udp : socket->proto, socket->host,
                             socket->port == 0 ? std::uint16_t{5060} : socket->port);
  if (id == kNoSocket && socket->port == 0) id = sockets.find_named(socket->host);
  if (id == kNoSocket) {
    LOG(run.services().log, warning, "force_send_socket: we do not listen on `{}`", socket->host);
    return Outcome::no();
  }
  run.state().force_socket = id;
  return Outcome::yes();
}

Outcome Core::remove_branch(Run& run, std::optional<std::int64_t> branch) {
  proxy::RunState& state = run.state();
  const std::int64_t at = branch.value_or(0);
  if (at < 0 || at >= state.branch_count) return Outcome::no();
  std::move(state.branches + at + 1, state.branches + state.branch_count, state.branches + at);
  --state.branch_count;
  return Outcome::yes();
}

Outcome Core::set_no_effect(Run&) {
  return Outcome::yes();
}
Outcome Core::set_no_effect_with(Run&, std::optional<mod::Literal>) {
  return Outcome::yes();
}

Outcome Core::set_advertised_address(Run& run, Made<AdvertisedHost> host) {
  proxy::AdvertisedName* name = run.advertised();
  if (name == nullptr) return Outcome::no();
  name->host = host->host;
  return Outcome::yes();
}

Outcome Core::set_advertised_port(Run& run, Made<PortNumber> port) {
  proxy::AdvertisedName* name = run.advertised();
  if (name == nullptr) return Outcome::no();
  name->port = port->port;
  return Outcome::yes();
}

Outcome Core::add_local_rport(Run& run) {
  run.state().local_rport = true;
  return Outcome::yes();
}

}  // namespace ser::script
