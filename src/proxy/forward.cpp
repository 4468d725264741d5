// SPDX-License-Identifier: Apache-2.0
#include "proxy/forward.h"

#include <array>
#include <cstring>

#include "base/text.h"
#include "proxy/hop_edits.h"
#include "proxy/record_route.h"
#include "proxy/suspender.h"
#include "proxy/via_token.h"
#include "sip/hdr.h"
#include "sip/uri.h"
#include "sip/writer.h"

namespace ser::proxy {

namespace {

/// RFC 3261 8.1.1.6: what a request without Max-Forwards gets.
constexpr std::string_view kNewMaxForwards = "Max-Forwards: 70\r\n";

/// Writes message and edits into the worker's send block and queues them.
Result<std::string_view> write_and_send(Run& run, const sip::WriteOptions& options,
                                        const TxTarget& target) noexcept {
  const sip::EditList* edits = run.state().edits;
  const std::size_t room = sip::written_size(run.message(), edits, options);
  const std::span<char> out = run.services().sink.reserve(room);
  if (out.empty()) {
    run.services().counters.add(run.services().count.too_large);
    return {Errc::too_long, "message does not fit into a datagram"};
  }
  TRY(const std::size_t size, sip::write(run.message(), edits, options, out));
  TRY_VOID(run.services().sink.commit(size, target));
  run.state().sent = true;
  return std::string_view(out.data(), size);
}

}  // namespace

bool wait_for_destinations(Run& run) noexcept {
  const auto waits = [&run](std::string_view uri_text) {
    const auto uri = sip::parse_uri(uri_text);
    if (!uri || !uri->is_sip()) return false;
    const auto maddr = uri->param("maddr");
    const std::string_view host = maddr && !maddr->empty() ? *maddr : uri->host;
    if (host.empty() || parse_ip(host)) return false;
    const auto found = run.services().names.lookup(host, uri->port, Proto::udp);
    return !found && found.error().code == Errc::pending && wait_for_name(run);
  };
  const RunState& state = run.state();
  if (waits(state.dst_uri.empty() ? run.uri() : state.dst_uri)) return true;
  for (std::size_t i = 0; i < state.branch_count; ++i) {
    const Branch& branch = state.branches[i];
    if (waits(branch.dst_uri.empty() ? branch.uri : branch.dst_uri)) return true;
  }
  return false;
}

Result<TxTarget> choose_target(Run& run, const SockAddr& to) noexcept {
  Services& services = run.services();
  const RunState& state = run.state();
  if (to.port == 0 || to.ip.is_multicast_or_broadcast() || to.ip.is_wildcard()) {
    return {Errc::refused, "destination is not a host's address"};
  }
  TxTarget target;
  target.to = to;
  target.socket = state.force_socket;
  if (target.socket == kNoSocket || target.socket >= services.sockets.size() ||
      services.sockets.at(target.socket).address.ip.family != to.ip.family) {
    if (services.sources != nullptr && services.sources->choose(target, state.rx)) return target;
    target.socket = services.sockets.choose(Proto::udp, to.ip, state.rx.socket);
  }
  if (target.socket == kNoSocket) {
    services.counters.add(services.count.send_refused);
    return {Errc::not_found, "no listening socket of the destination's address family"};
  }
  if (services.sockets.at(target.socket).wildcard)
    target.from_ip = services.sockets.source_address(target.socket, to.ip, state.rx.to.ip);
  return target;
}

namespace {

/// Counts the hop (RFC 3261 16.6 step 3) unless the script did. `digits` has room for the new value.
Result<void> count_hop(Run& run, std::span<char, 4> digits, HopEdits& edits) noexcept {
  if (run.state().max_forwards_done) return {};
  const sip::HeaderField* field = run.message().find(sip::HeaderId::max_forwards);
  if (field == nullptr) {
    edits.add_header(kNewMaxForwards);
    return {};
  }
  const auto hops = run.message().get<sip::hdr::MaxForwards>(*field);
  if (!hops) {
    run.fail(400, "Bad Max-Forwards");
    return hops.error();
  }
  if ((*hops)->value == 0) {
    run.services().counters.add(run.services().count.max_forwards_zero);
    run.fail(483, "Too Many Hops");
    return {Errc::refused, "Max-Forwards is 0"};
  }
  const std::size_t size = print_u64(digits.data(), (*hops)->value - 1);
  edits.replace(field->value_offset(), field->value().size(), {digits.data(), size});
  return {};
}

Error failed(Run& run, const Error& error, std::uint16_t status, std::string_view reason) noexcept {
  if (run.state().last_error.status == 0) run.fail(status, reason);
  run.services().counters.add(run.is_request() ? run.services().count.err_requests
                                               : run.services().count.err_replies);
  return error;
}

Error resolve_failed(Run& run, const Error& error) noexcept {
  switch (error.code) {
    case Errc::pending:
      run.fail(503, "Name Being Resolved");
      break;
    case Errc::unsupported:
      run.fail(500, "Transport Not Supported");
      break;
    case Errc::refused:
      run.fail(416, "Unsupported URI Scheme");
      break;
    case Errc::not_found:
      run.fail(478, "Unresolvable destination");
      break;
    case Errc::syntax:
      run.fail(400, "Bad URI");
      break;
    default:
      run.fail(500, "Server Internal Error");
      break;
  }
  return failed(run, error, 500, "Server Internal Error");
}

Result<SockAddr> uri_target(Run& run, std::string_view text) noexcept {
  const auto uri = sip::parse_uri(text);
  if (!uri) {
    run.services().counters.add(run.services().count.bad_uri);
    return Error{Errc::syntax, 0, "URI cannot be parsed"};
  }
  if (!uri->is_sip()) return {Errc::refused, "only sip and sips URIs can be routed"};
  Proto proto = Proto::udp;
  if (const auto transport = uri->param("transport"); transport) proto = parse_proto(*transport);
  if (uri->scheme == sip::UriScheme::sips) proto = Proto::tls;
  if (proto != Proto::udp) return {Errc::unsupported, "only UDP is built"};
  const auto maddr = uri->param("maddr");
  return resolve(run, maddr && !maddr->empty() ? *maddr : uri->host, uri->port, proto);
}

/// `run` null: nobody can wait.
Result<SockAddr> resolve_for(const Run* run, Services& services, std::string_view host, std::uint16_t port,
                             Proto proto) noexcept {
  if (proto != Proto::udp) return {Errc::unsupported, "only UDP is built"};
  if (host.empty()) return {Errc::syntax, "empty host"};
  if (host.front() == '[' || is_digit(host.front()) || host.find(':') != std::string_view::npos) {
    if (const auto ip = parse_ip(host); ip) return SockAddr{*ip, port != 0 ? port : kDefaultPort};
  }
  const auto addresses = services.names.lookup(host, port, proto);
  if (!addresses) {
    const bool pending = addresses.error().code == Errc::pending;
    if (pending && run != nullptr && wait_for_name(*run))
      return {Errc::suspended, "the run waits for the name"};
    services.counters.add(pending ? services.count.dns_pending : services.count.dns_failed);
    return addresses.error();
  }
  for (std::size_t i = 0; i < addresses->count; ++i) {
    // An address of a family we have no socket for is no use, whatever its preference.
    if (services.sockets.choose(proto, addresses->list[i].ip, kNoSocket) != kNoSocket)
      return addresses->list[i];
  }
  services.counters.add(services.count.dns_failed);
  return {Errc::not_found, "no usable address"};
}

Result<SockAddr> response_target_for(const Run* run, Services& services, const sip::Via& via) noexcept {
  const bool udp = via.transport.size() == 3 && std::memcmp(via.transport.data(), "UDP", 3) == 0;
  if (!udp && !iequals(via.transport, "UDP"))
    return {Errc::unsupported, "Via names a transport that is not built"};
  const std::uint16_t port = via.rport != 0 ? via.rport : via.port;
  // RFC 3261 18.2.2: maddr before received before sent-by; rport only goes with received (RFC 3581 4).
  if (!via.maddr.empty()) return resolve_for(run, services, via.maddr, via.port, Proto::udp);
  if (!via.received.empty()) {
    const auto ip = parse_ip(via.received);
    if (!ip) return {Errc::syntax, "received is no address"};
    return SockAddr{*ip, port != 0 ? port : kDefaultPort};
  }
  return resolve_for(run, services, via.host, via.port, Proto::udp);
}

}  // namespace

Result<SockAddr> resolve(Services& services, std::string_view host, std::uint16_t port,
                         Proto proto) noexcept {
  return resolve_for(nullptr, services, host, port, proto);
}

Result<SockAddr> resolve(const Run& run, std::string_view host, std::uint16_t port, Proto proto) noexcept {
  return resolve_for(&run, run.services(), host, port, proto);
}

Result<SockAddr> next_hop(Run& run) noexcept {
  const std::string_view text = run.state().dst_uri.empty() ? run.uri() : run.state().dst_uri;
  auto to = uri_target(run, text);
  if (!to) return to.error().code == Errc::suspended ? to.error() : resolve_failed(run, to.error());
  return to;
}

Result<void> forward_request(Run& run) noexcept {
  TRY(const SockAddr to, next_hop(run));
  return forward_request(run, to);
}

Result<void> forward_request(Run& run, const SockAddr& to) noexcept {
  const auto top = run.message().via(0);
  if (!top) return failed(run, top.error(), 400, "Bad Via");
  const auto target = choose_target(run, to);
  if (!target) return failed(run, target.error(), 500, "No Socket For Destination");
  TRY_VOID(send_request(run, *target, stateless_token(run.services().via_key, run.message(), **top, 0)));
  return {};
}

Result<std::string_view> send_request(Run& run, const TxTarget& target, const ViaToken& token) noexcept {
  Services& services = run.services();
  sip::Message& message = run.message();
  const auto top = message.via(0);
  if (!top) return failed(run, top.error(), 400, "Bad Via");
  HopEdits edits(message);
  std::array<char, 4> hops{};
  if (auto counted = count_hop(run, hops, edits); !counted)
    return failed(run, counted.error(), 400, "Bad Max-Forwards");

  std::array<char, kMaxToken> branch{};
  const std::size_t branch_size = write_token(services.via_key, token, **top, branch);
  std::array<char, kMaxOwnVia> via{};
  SentByText name;
  const std::string_view line = own_via_line(
      sent_by(run.state(), services.sockets.at(target.socket), target.from_ip, name),
      {branch.data(), branch_size}, services.settings.local_rport || run.state().local_rport, via);
  IpText source;
  const sip::ViaEdits stamp(message, **top, source_stamp(run, **top, source));
  if (run.state().routing != nullptr && run.state().routing->record) {
    const auto lines = record_route_lines(run, target);
    if (!lines) return failed(run, lines.error(), 500, "Server Internal Error");
    // In front of every other field: one that a hop before us wrote may stand above its Via.
    edits.replace(message.first_field_offset(), 0, *lines);
  }
  edits.add_via(line, **top);
  edits.add(stamp.span());

  sip::WriteOptions options;
  options.branch = token.branch_index;
  options.request_uri = run.state().new_uri;
  options.extra = edits.in_order();
  auto sent = write_and_send(run, options, target);
  if (!sent) return failed(run, sent.error(), 500, "Message Could Not Be Sent");
  services.counters.add(services.count.forwarded_requests);
  return sent;
}

Result<void> send_unchanged(Run& run, const SockAddr& to) noexcept {
  const auto target = choose_target(run, to);
  if (!target) return failed(run, target.error(), 500, "No Socket For Destination");
  const std::string_view bytes = run.state().rx.bytes;
  const std::span<char> out = run.services().sink.reserve(bytes.size());
  if (out.empty()) return failed(run, {Errc::too_long, 0, "datagram too long"}, 513, "Message Too Large");
  std::memcpy(out.data(), bytes.data(), bytes.size());
  if (auto queued = run.services().sink.commit(bytes.size(), *target); !queued)
    return failed(run, queued.error(), 513, "Message Too Large");
  run.state().sent = true;
  run.services().counters.add(run.is_request() ? run.services().count.forwarded_requests
                                               : run.services().count.forwarded_replies);
  return {};
}

Result<SockAddr> response_target(Services& services, const sip::Via& via) noexcept {
  return response_target_for(nullptr, services, via);
}

Result<void> forward_response(Run& run) noexcept {
  Services& services = run.services();
  const auto refuse = [&](const Error& error) {
    services.counters.add(services.count.dropped_replies);
    return error;
  };
  if (run.state().local_only) return refuse({Errc::refused, 0, "a check of the message failed"});
  if (run.state().stray_response && !services.settings.relay_stray_replies) {
    services.counters.add(services.count.stray_replies);
    return refuse({Errc::refused, 0, "top Via is not ours"});
  }
  const auto top = run.message().via(0);
  const auto next = run.message().via(1);
  if (!top || !next) return refuse({Errc::missing, 0, "no second Via"});
  const auto to = response_target_for(&run, services, **next);
  if (!to) return to.error().code == Errc::suspended ? to.error() : refuse(to.error());
  const auto target = choose_target(run, *to);
  if (!target) return refuse(target.error());
  if (auto sent = send_response(run, *target); !sent) return refuse(sent.error());
  return {};
}

Result<std::string_view> send_response(Run& run, const TxTarget& target) noexcept {
  TRY(const sip::Via* const top, run.message().via(0));
  HopEdits edits(run.message());
  edits.remove_top_via(*top);
  sip::WriteOptions options;
  options.extra = edits.in_order();
  TRY(const std::string_view sent, write_and_send(run, options, target));
  run.services().counters.add(run.services().count.forwarded_replies);
  return sent;
}

}  // namespace ser::proxy
