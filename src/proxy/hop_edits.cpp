// SPDX-License-Identifier: Apache-2.0
#include "proxy/hop_edits.h"

#include <cstring>

#include "base/text.h"
#include "proxy/services.h"
#include "sip/header_field.h"

namespace ser::proxy {

namespace {

constexpr std::string_view kHead = "Via: SIP/2.0/UDP ";
constexpr std::string_view kBranch = ";branch=";

char* put(char* at, std::string_view text) noexcept {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

}  // namespace

std::string_view sent_by(const RunState& state, const LocalSocket& socket, const IpAddress& used,
                         SentByText& text) noexcept {
  if (state.advertised == nullptr && !socket.sent_by.empty() && socket.sent_by.size() <= text.bytes.size())
    return socket.sent_by;
  std::string_view host = socket.advertised_host;
  std::uint16_t port = socket.advertised_port;
  if (state.advertised != nullptr) {
    if (!state.advertised->host.empty()) host = state.advertised->host;
    if (state.advertised->port != 0) port = state.advertised->port;
  }
  IpText address;
  if (host.empty() || host.size() > 255) {
    address = print_ip(used.valid() ? used : socket.address.ip, true);
    host = address.view();
  }
  char* at = put(text.bytes.data(), host);
  *at++ = ':';
  at += print_u64(at, port != 0 ? port : socket.address.port);
  return {text.bytes.data(), static_cast<std::size_t>(at - text.bytes.data())};
}

std::string_view own_via_line(std::string_view sent_by, std::string_view branch, bool rport,
                              std::span<char, kMaxOwnVia> out) noexcept {
  char* at = put(out.data(), kHead);
  at = put(at, sent_by);
  at = put(at, kBranch);
  at = put(at, branch);
  if (rport) at = put(at, ";rport");
  at = put(at, "\r\n");
  return {out.data(), static_cast<std::size_t>(at - out.data())};
}

namespace {

/// `dns` and `rev_dns`: a name in the Via is as good as the address it stands for. Nothing waits: while the
/// answer is on its way the name does not count.
bool names_source(const Services& services, const IpAddress& source, const sip::Via& top) noexcept {
  if (services.settings.dns) {
    const auto found =
        services.names.lookup(top.host, top.port != 0 ? top.port : std::uint16_t{5060}, Proto::udp);
    for (unsigned i = 0; found && i < found->count; ++i) {
      if (found->list[i].ip == source) return true;
    }
  }
  if (!services.settings.rev_dns) return false;
  const auto name = services.names.reverse(source);
  return name && iequals(*name, top.host);
}

}  // namespace

bool needs_received(const Services& services, const RxPacket& rx, const sip::Via& top) noexcept {
  if (top.has_rport || services.settings.force_rport) return true;
  // What the client wrote there itself would send the response wherever it likes.
  if (!top.received.empty()) return true;
  if (!top.host.empty() && (is_digit(top.host.front()) || top.host.front() == '[')) {
    const auto ip = parse_ip(top.host);
    if (ip) return *ip != rx.from.ip;
  }
  return !names_source(services, rx.from.ip, top);
}

sip::ViaStamp source_stamp(Run& run, const sip::Via& top, IpText& source) noexcept {
  const RunState& state = run.state();
  sip::ViaStamp stamp;
  stamp.force_rport = state.rport_forced || run.services().settings.force_rport;
  const bool want_rport = top.has_rport || stamp.force_rport;
  if (want_rport) stamp.rport = state.rx.from.port;
  if (want_rport || state.received_needed) {
    source = print_ip(state.rx.from.ip, false);
    stamp.received = source.view();
  }
  return stamp;
}

void HopEdits::add_via(std::string_view line, const sip::Via& top) noexcept {
  x_edits[x_count++] = {top.field->offset(), 0, line};
  if (!x_header.empty()) x_edits[x_count++] = {top.field->offset(), 0, x_header};
}

void HopEdits::replace(std::size_t offset, std::size_t size, std::string_view text) noexcept {
  x_edits[x_count++] = {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(size), text};
}

void HopEdits::add(std::span<const sip::Edit> edits) noexcept {
  for (const sip::Edit& edit : edits) x_edits[x_count++] = edit;
}

void HopEdits::remove_top_via(const sip::Via& top) noexcept {
  if (top.next == nullptr) {
    replace(top.field->offset(), top.field->line().size(), {});
    return;
  }
  const std::uint32_t begin = top.field->value_offset();
  replace(begin, offset(top.next->text.data()) - begin, {});
}

std::span<const sip::Edit> HopEdits::in_order() noexcept {
  for (std::size_t i = 1; i < x_count; ++i) {
    const sip::Edit edit = x_edits[i];
    std::size_t j = i;
    for (; j > 0 && edit.offset < x_edits[j - 1].offset; --j) x_edits[j] = x_edits[j - 1];
    x_edits[j] = edit;
  }
  return {x_edits.data(), x_count};
}

}  // namespace ser::proxy
