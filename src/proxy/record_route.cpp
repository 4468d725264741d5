// SPDX-License-Identifier: Apache-2.0
#include "proxy/record_route.h"

#include <algorithm>

#include "proxy/hop_edits.h"
#include "proxy/services.h"
#include "sip/output.h"

namespace ser::proxy {

namespace {

using Doubling = RouteState::Doubling;

void put_line(sip::Output& out, const RouteState& state, std::string_view host, std::string_view name,
              std::string_view mark) noexcept {
  out.put(state.sips ? "Record-Route: <sips:" : "Record-Route: <sip:");
  if (!state.user.empty()) {
    out.put(state.user);
    out.put("@");
  }
  out.put(host);
  if (state.socket_names && !name.empty()) {
    out.put(";sn=");
    out.put(name);
  }
  out.put(mark);
  out.put(state.params);
  out.put(state.extra_params);
  out.put(">\r\n");
}

}  // namespace

Result<std::string_view> record_route_lines(Run& run, const TxTarget& target) noexcept {
  const RouteState& state = *run.state().routing;
  const LocalSockets& sockets = run.services().sockets;
  const RxPacket& rx = run.state().rx;
  const LocalSocket& in = sockets.at(rx.socket);
  const LocalSocket& out = sockets.at(target.socket);
  SentByText in_text;
  SentByText out_text;
  std::string_view upper = state.host;
  std::string_view lower = state.second_host;
  bool two = !lower.empty();
  std::string_view mark;  // of a preset the script writes `r2=on` itself
  if (upper.empty()) {
    upper = sent_by(run.state(), out, target.from_ip, out_text);
    lower = sent_by(run.state(), in, rx.to.ip, in_text);
    // On a wildcard socket the kernel chooses the address we leave from; we are reached by the one it came
    // to.
    if (&in == &out && out.sent_by.empty()) upper = lower;
    two = state.doubling == Doubling::always || (state.doubling != Doubling::never && upper != lower);
    if (two) mark = state.doubling == Doubling::always ? ";transport=udp;r2=on" : ";r2=on";
  }
  const std::size_t line = 48 + state.user.size() + std::max(upper.size(), lower.size()) + mark.size() +
                           std::max(in.name.size(), out.name.size()) + state.params.size() +
                           state.extra_params.size();
  const std::size_t room = two ? 2 * line : line;
  auto* text = static_cast<char*>(run.arena().allocate(room, 1));
  if (text == nullptr) return {Errc::no_memory, "message arena exhausted"};
  sip::Output output({text, room});
  put_line(output, state, upper, out.name, mark);
  if (two) put_line(output, state, lower, in.name, mark);
  TRY(const std::size_t size, output.finish());
  run.arena().shrink_to(text + size);
  return std::string_view(text, size);
}

}  // namespace ser::proxy
