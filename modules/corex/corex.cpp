// SPDX-License-Identifier: Apache-2.0
#include "modules/corex/corex.h"

#include <cstring>

#include "base/text.h"
#include "proxy/forward.h"
#include "proxy/services.h"
#include "sip/uri.h"

namespace ser::modules {

namespace {

using mod::Outcome;
using proxy::Run;
using Text = std::string_view;

/// "[proto:]host[:port]" of an address; an IPv6 host in brackets.
struct SocketText {
  Proto proto = Proto::udp;
  Text host;
  std::uint16_t port = 5060;
};

std::optional<SocketText> parse_socket(Text text) noexcept {
  SocketText socket;
  if (const std::size_t colon = text.find(':'); colon != Text::npos && colon != 0 && text[0] != '[') {
    if (const Proto proto = parse_proto(text.substr(0, colon)); proto != Proto::none) {
      socket.proto = proto;
      text.remove_prefix(colon + 1);
    }
  }
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.rfind(':');
  if (colon != Text::npos && (bracket == Text::npos || colon > bracket)) {
    const auto port = parse_u32(text.substr(colon + 1), 65535);
    if (!port || *port == 0) return std::nullopt;
    socket.port = static_cast<std::uint16_t>(*port);
    text = text.substr(0, colon);
  }
  socket.host = text;
  return text.empty() ? std::nullopt : std::optional(socket);
}

SocketId find_socket(Run& run, Text text) noexcept {
  const auto socket = parse_socket(text);
  return socket ? run.services().sockets.find(socket->proto, socket->host, socket->port) : kNoSocket;
}

class Corex final : public mod::Module {
 public:
  struct Config {};
  explicit Corex(const Config&) {}

  Outcome send_data(Run& run, Text uri, Text data) { return send(run, uri, kNoSocket, data); }
  Outcome sendx(Run& run, Text uri, Text socket, Text data) {
    const SocketId from = find_socket(run, socket);
    return from == kNoSocket ? Outcome::no() : send(run, uri, from, data);
  }

  Outcome set_send_socket(Run& run, Text address) { return leave_by(run, find_socket(run, address)); }
  Outcome set_send_socket_name(Run& run, Text name) {
    return leave_by(run, run.services().sockets.find_named(name));
  }
  Outcome set_recv_socket(Run& run, Text address) { return arrived_on(run, find_socket(run, address)); }
  Outcome set_recv_socket_name(Run& run, Text name) {
    return arrived_on(run, run.services().sockets.find_named(name));
  }
  Outcome set_source_address(Run& run, Text address) {
    const auto socket = parse_socket(address);
    const auto ip = socket ? parse_ip(socket->host) : Result<IpAddress>(Errc::syntax, "no address");
    if (!ip) return Outcome::no();
    run.state().rx.from = {*ip, socket->port};
    return Outcome::yes();
  }
  Outcome is_socket_name(Run& run, Text name) {
    return Outcome::from(!name.empty() && run.services().sockets.find_named(name) != kNoSocket);
  }

  Outcome set_flag(Run& run, std::int64_t flag) {
    if (flag < 0 || flag > 63) return Outcome::no();
    run.state().extended_flags |= std::uint64_t{1} << flag;
    return Outcome::yes();
  }
  Outcome reset_flag(Run& run, std::int64_t flag) {
    if (flag < 0 || flag > 63) return Outcome::no();
    run.state().extended_flags &= ~(std::uint64_t{1} << flag);
    return Outcome::yes();
  }
  Outcome is_flag_set(Run& run, std::int64_t flag) {
    return Outcome::from(flag >= 0 && flag <= 63 && (run.state().extended_flags >> flag & 1U) != 0);
  }
  Outcome forward_reply(Run& run) { return Outcome::from(!run.is_request() && proxy::forward_response(run)); }

 private:
  static Outcome leave_by(Run& run, SocketId socket) {
    if (socket != kNoSocket) run.state().force_socket = socket;
    return Outcome::from(socket != kNoSocket);
  }
  static Outcome arrived_on(Run& run, SocketId socket) {
    if (socket == kNoSocket) return Outcome::no();
    run.state().rx.socket = socket;
    run.state().rx.to = run.services().sockets.at(socket).address;
    return Outcome::yes();
  }

  static Outcome send(Run& run, Text text, SocketId socket, Text data) {
    proxy::Services& services = run.services();
    const auto uri = sip::parse_uri(text);
    if (!uri || !uri->is_sip() || data.empty()) return Outcome::no();
    const auto transport = uri->param("transport");
    const Proto proto = transport ? parse_proto(*transport) : Proto::udp;
    const auto to = proxy::resolve(run, uri->host, uri->port, proto);
    if (!to && to.error().code == Errc::suspended) return Outcome::again();
    if (!to || to->ip.is_multicast_or_broadcast() || to->ip.is_wildcard()) return Outcome::no();
    TxTarget target;
    target.to = *to;
    target.socket =
        socket != kNoSocket ? socket : services.sockets.choose(proto, to->ip, run.state().rx.socket);
    if (target.socket == kNoSocket || services.sockets.at(target.socket).address.ip.family != to->ip.family)
      return Outcome::no();
    const std::span<char> out = services.sink.reserve(data.size());
    if (out.empty()) return Outcome::no();
    std::memcpy(out.data(), data.data(), data.size());
    return Outcome::from(static_cast<bool>(services.sink.commit(data.size(), target)));
  }
};

}  // namespace

mod::ModuleSpec describe_corex() {
  constexpr proxy::RouteKinds kAny = proxy::kAnyRoute;
  return mod::SpecBuilder<Corex>("corex",
                                 "Sockets, extended flags and sending of plain data. `append_branch()` and "
                                 "`send_udp()` are commands "
                                 "of the core.")
      .function<&Corex::send_data>("send_data", "Sends the text as one datagram to the host of a SIP URI.",
                                   {"uri", "data"}, kAny, "1 sent, -1 not")
      .function<&Corex::sendx>("sendx", "As `send_data()`, from this socket (`udp:192.0.2.1:5060`).",
                               {"uri", "socket", "data"}, kAny, "1 sent, -1 not")
      .function<&Corex::set_send_socket>("set_send_socket", "The socket to send from (`udp:192.0.2.1:5060`).",
                                         {"address"}, kAny, "1 set, -1 it is none of ours")
      .function<&Corex::set_send_socket_name>("set_send_socket_name",
                                              "The same by the `name` of its listen line.", {"name"}, kAny,
                                              "1 set, -1 it is none of ours")
      .function<&Corex::set_recv_socket>("set_recv_socket",
                                         "Takes the message as if it had come in by this socket.",
                                         {"address"}, kAny, "1 set, -1 it is none of ours")
      .function<&Corex::set_recv_socket_name>("set_recv_socket_name",
                                              "The same by the `name` of its listen line.", {"name"}, kAny,
                                              "1 set, -1 it is none of ours")
      .function<&Corex::set_source_address>(
          "set_source_address",
          "Takes the message as if it had come from this address (`udp:192.0.2.7:5060`).", {"address"}, kAny,
          "1 set, -1 it is no address")
      .function<&Corex::is_socket_name>("is_socket_name", "Has a listen line this `name`?", {"name"}, kAny,
                                        "1 yes, -1 no")
      .function<&Corex::set_flag>("setxflag", "Sets an extended flag of the message (0 to 63).", {"flag"},
                                  kAny, "1, or -1 for another number")
      .function<&Corex::reset_flag>("resetxflag", "Clears an extended flag.", {"flag"}, kAny,
                                    "1, or -1 for another number")
      .function<&Corex::is_flag_set>("isxflagset", "Is the extended flag set?", {"flag"}, kAny,
                                     "1 yes, -1 no")
      .function<&Corex::forward_reply>(
          "forward_reply",
          "Forwards the response at once by its second Via. Drop it afterwards, or it leaves "
          "again.",
          {}, proxy::RouteKind::reply | proxy::RouteKind::onreply, "1 forwarded, -1 not")
      .hardened("yes; where data go, the script says.")
      .done();
}

}  // namespace ser::modules
