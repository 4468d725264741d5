// SPDX-License-Identifier: Apache-2.0
#include "modules/rr/loose_route.h"

#include "proxy/services.h"
#include "sip/hdr.h"
#include "sip/output.h"
#include "sip/uri.h"

namespace ser::modules {

namespace {

using sip::NameAddr;

const NameAddr* next_route(const sip::Message& message, const NameAddr& route) noexcept {
  const auto next = message.next_value<sip::hdr::Route>(route);
  return next ? *next : nullptr;
}

bool is_us(const proxy::Run& run, const sip::Uri& uri) noexcept {
  return uri.is_sip() && run.services().sockets.is_myself(uri.host, uri.port_or_default());
}

/// URI parameters with the `;` before them.
std::string_view params_of(const sip::Uri& uri) noexcept {
  return uri.params.empty() ? std::string_view()
                            : std::string_view(uri.params.data() - 1, uri.params.size() + 1);
}

/// Takes the first `front` Route values and, with `last`, that one away. Header fields left without a value
/// go with their line.
Result<void> remove_routes(proxy::Run& run, std::size_t front, const NameAddr* last) noexcept {
  sip::EditList* edits = run.edits();
  if (edits == nullptr) return {Errc::no_memory, "message arena exhausted"};
  const sip::Message& message = run.message();
  std::size_t index = 0;
  const sip::HeaderField* field = message.find(sip::HeaderId::route);
  for (; field != nullptr && (index < front || last != nullptr); field = message.next_same(*field)) {
    TRY(const NameAddr* first, message.get<sip::hdr::Route>(*field));
    const NameAddr* kept_first = nullptr;
    const NameAddr* kept_last = nullptr;
    const NameAddr* end = first;
    for (const NameAddr* value = first; value != nullptr; value = value->next, ++index) {
      end = value;
      if (index < front || value == last) continue;
      if (kept_first == nullptr) kept_first = value;
      kept_last = value;
    }
    if (kept_first == nullptr) {
      TRY_VOID(edits->remove(field->line()));
      continue;
    }
    const auto between = [](const char* from, const char* to) {
      return std::string_view(from, static_cast<std::size_t>(to - from));
    };
    if (kept_first != first) TRY_VOID(edits->remove(between(first->text.data(), kept_first->text.data())));
    if (kept_last != end) {
      const char* from = kept_last->text.data() + kept_last->text.size();
      TRY_VOID(edits->remove(between(from, end->text.data() + end->text.size())));
    }
  }
  return {};
}

/// RFC 3261 16.6 step 6: for a strict router the Request-URI goes behind the last Route.
Result<void> append_route(proxy::Run& run, std::string_view uri) noexcept {
  const sip::Message& message = run.message();
  const sip::HeaderField* last = message.find(sip::HeaderId::route);
  while (const sip::HeaderField* next = message.next_same(*last)) last = next;
  const std::size_t room = uri.size() + 16;
  auto* text = static_cast<char*>(run.arena().allocate(room, 1));
  if (text == nullptr) return {Errc::no_memory, "message arena exhausted"};
  sip::Output out({text, room});
  out.put("Route: <");
  out.put(uri);
  out.put(">\r\n");
  return run.edits()->insert_after(*last, {text, out.size()}, sip::kAllBranches, sip::TextLife::stable);
}

/// One pass over the Route set of a request.
class Routing {
 public:
  Routing(proxy::Run& run, const LooseRouteOptions& options, proxy::RouteState& state) noexcept
      : x_run(run), x_options(options), x_state(state) {}

  std::int32_t run(const NameAddr& first) noexcept {
    const bool preloaded = is_preloaded(x_run.message());
    if (!preloaded && !x_options.only_loose && !take_strict_uri(first)) return kNotRouted;
    const NameAddr* next = &first;
    if (next != x_last && !take_own(next)) return kNotRouted;
    if (next != nullptr && next != x_last) return go_to(*next);
    if (!finish()) return kNotRouted;
    return preloaded ? kPreloadedOnlyUs : kRouted;
  }

 private:
  /// A strict router before us put what we wrote as Record-Route into the Request-URI; the target then is the
  /// last Route (RFC 3261 16.4).
  bool take_strict_uri(const NameAddr& first) noexcept {
    const auto uri = sip::parse_uri(x_run.uri());
    if (!uri || !is_us(x_run, *uri) || uri->has_param("gr")) return true;
    if (!uri->has_param("lr")) {
      // Not as we write it: then only when we are not in the Route as well, as a loose router would have it.
      const auto route = sip::parse_uri(first.uri);
      if (!route || is_us(x_run, *route)) return static_cast<bool>(route);
    }
    x_state.own_params = params_of(*uri);
    x_double = x_options.doubles && uri->has_param("r2");
    for (const NameAddr* route = &first; route != nullptr; route = next_route(x_run.message(), *route))
      x_last = route;
    return true;
  }

  /// Goes past our own values. False: a value is no URI.
  bool take_own(const NameAddr*& next) noexcept {
    const auto uri = sip::parse_uri(next->uri);
    if (!uri) return false;
    if (!is_us(x_run, *uri)) return true;
    const bool second_half = x_double;
    if (!second_half) {
      x_state.own_params = params_of(*uri);
      x_double = x_options.doubles && uri->has_param("r2");
    }
    pass(next);
    leave_by(*uri, second_half || x_options.force_socket);
    if (second_half || !x_double || next == nullptr || next == x_last) return true;
    const auto other = sip::parse_uri(next->uri);
    if (!other) return false;
    if (!is_us(x_run, *other) || !other->has_param("r2")) return true;
    pass(next);
    leave_by(*other, true);
    return true;
  }

  void pass(const NameAddr*& next) noexcept {
    ++x_front;
    next = next_route(x_run.message(), *next);
  }

  void leave_by(const sip::Uri& uri, bool wanted) noexcept {
    const proxy::LocalSockets& sockets = x_run.services().sockets;
    SocketId socket = kNoSocket;
    if (const auto name = x_options.socket_names ? uri.param("sn") : std::nullopt; name && !name->empty())
      socket = sockets.find_named(*name);
    if (socket == kNoSocket && wanted) socket = sockets.find(Proto::udp, uri.host, uri.port_or_default());
    if (socket != kNoSocket) x_run.state().force_socket = socket;
  }

  std::int32_t go_to(const NameAddr& next) noexcept {
    const auto uri = sip::parse_uri(next.uri);
    if (!uri) return kNotRouted;
    x_state.next_hop_is_route = true;
    if (uri->has_param("lr")) {
      return finish() && x_run.set_dst_uri(next.uri) ? kRouted : kNotRouted;
    }
    // A strict router behind us: its URI becomes the Request-URI. The target, when we had it from a strict
    // router ourselves, already is the last Route.
    ++x_front;
    const std::string_view target = x_run.uri();
    const bool target_is_last = x_last != nullptr;
    x_last = nullptr;
    if (!finish() || (!target_is_last && !append_route(x_run, target))) return kNotRouted;
    return x_run.set_uri(next.uri) && x_run.set_dst_uri({}) ? kRouted : kNotRouted;
  }

  bool finish() noexcept {
    if (x_last != nullptr && !x_run.set_uri(x_last->uri)) return false;
    return (x_front == 0 && x_last == nullptr) || remove_routes(x_run, x_front, x_last);
  }

  proxy::Run& x_run;
  const LooseRouteOptions& x_options;
  proxy::RouteState& x_state;
  const NameAddr* x_last = nullptr;  // the Route value that becomes the Request-URI
  std::size_t x_front = 0;           // Route values to remove from the top
  bool x_double = false;             // the second half of a double Record-Route of ours follows
};

}  // namespace

bool is_preloaded(const sip::Message& message) noexcept {
  const auto to = message.get<sip::hdr::To>();
  return !to || (*to)->tag.empty();
}

std::int32_t loose_route(proxy::Run& run, const LooseRouteOptions& options) noexcept {
  if (!run.is_request()) return kNotRouted;
  const auto first = run.message().route(0);
  proxy::RouteState* state = first ? run.routing() : nullptr;
  if (state == nullptr) return kNotRouted;
  return Routing(run, options, *state).run(**first);
}

}  // namespace ser::modules
