// SPDX-License-Identifier: Apache-2.0
#include "proxy/local_reply.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "proxy/forward.h"
#include "proxy/hop_edits.h"
#include "proxy/via_token.h"
#include "sip/edit.h"
#include "sip/hdr.h"
#include "sip/reply.h"

namespace ser::proxy {

namespace {

/// Most bytes of header lines that script and modules may add to one reply.
constexpr std::size_t kMaxExtra = 8192;

/// Text that grows up to what its buffer holds; more is left out whole.
class Lines {
 public:
  explicit Lines(std::span<char> room) noexcept : x_room(room) {}
  bool add(std::initializer_list<std::string_view> parts) noexcept {
    std::size_t need = 0;
    for (const std::string_view part : parts) need += part.size();
    if (need > x_room.size() - x_size) return false;
    for (const std::string_view part : parts) {
      if (part.empty()) continue;
      std::memcpy(x_room.data() + x_size, part.data(), part.size());
      x_size += part.size();
    }
    return true;
  }
  bool add(std::string_view text) noexcept { return text.empty() || add({text}); }
  std::size_t size() const noexcept { return x_size; }
  void cut(std::size_t size) noexcept { x_size = size; }
  std::string_view view() const noexcept { return {x_room.data(), x_size}; }

 private:
  std::span<char> x_room;
  std::size_t x_size = 0;
};

/// One value of the Contact line; one that does not fit, or would end its < > early, is left out.
void add_contact(Lines& lines, std::string_view uri, std::uint16_t q, bool& first) noexcept {
  if (uri.find_first_of("<>\"\r\n") != std::string_view::npos) return;
  std::array<char, 8> q_text{};
  std::string_view q_view;
  if (q != kNoQ) {
    // q has up to three decimals (RFC 3261 25.1 qvalue).
    const auto end = fmt::format_to_n(q_text.data(), q_text.size(), "{}.{:03}", q / 1000, q % 1000);
    q_view = {q_text.data(), end.size};
  }
  // The line's end is tried with each value: there must be room for it behind the last one.
  if (!lines.add({first ? "Contact: <" : ", <", uri, ">", q_view.empty() ? "" : ";q=", q_view, "\r\n"}))
    return;
  lines.cut(lines.size() - 2);
  first = false;
}

/// SER row sl_send_reply: a 3xx carries the branch set as Contact.
void add_contacts(Run& run, Lines& lines) noexcept {
  const RunState& state = run.state();
  bool first = true;
  if (state.new_uri.data() != nullptr) add_contact(lines, state.new_uri, state.ruri_q, first);
  for (std::size_t i = 0; i < state.branch_count; ++i)
    add_contact(lines, state.branches[i].uri, state.branches[i].q, first);
  if (!first) lines.add({"\r\n"});
}

void add_warning(Run& run, Lines& lines) noexcept {
  const RunState& state = run.state();
  std::array<char, 512> text{};
  std::size_t vias = 0;
  while (vias < 64 && run.message().via(vias)) ++vias;
  const auto end =
      fmt::format_to_n(text.data(), text.size(),
                       "Warning: 392 {} \"Noisy feedback tells: pid={} req_src_ip={} req_src_port={} "
                       "in_uri={} out_uri={} via_cnt=={}\"\r\n",
                       print(state.rx.to).view(), ::getpid(), print_ip(state.rx.from.ip, false).view(),
                       state.rx.from.port, run.message().start().uri, run.uri(), vias);
  // A URI too long for the line, or one that would end the quoted text early: the reply does without it.
  const std::string_view line(text.data(), end.size < text.size() ? end.size : 0);
  const std::string_view content = line.substr(0, line.size() - std::min<std::size_t>(line.size(), 2));
  if (line.empty() || !sip::is_header_value(content)) return;
  if (line.substr(line.find('"') + 1).find('"') != line.size() - line.find('"') - 4) return;
  lines.add({line});
}

}  // namespace

Result<TxTarget> reply_target(Run& run) noexcept {
  const RunState& state = run.state();
  Services& services = run.services();
  TRY(const sip::Via* const via, run.message().via(0));
  const sip::Via& top = *via;
  TxTarget target;
  target.socket = state.rx.socket;
  if (services.sockets.at(target.socket).wildcard) target.from_ip = state.rx.to.ip;
  const bool by_via = services.settings.reply_to_via && !top.has_rport && !state.rport_forced;
  if (by_via) {
    TRY(target.to, resolve(services, top.host, top.port, Proto::udp));
    if (target.to.ip.is_multicast_or_broadcast()) return {Errc::refused, "Via names no host"};
    return target;
  }
  // RFC 3261 18.2.2 and RFC 3581 4: to the source address; the port is the source's only when rport asks for
  // it.
  target.to.ip = state.rx.from.ip;
  const bool to_source_port = top.has_rport || state.rport_forced || services.settings.force_rport;
  target.to.port = to_source_port ? state.rx.from.port : (top.port != 0 ? top.port : 5060);
  if (!top.maddr.empty() && !to_source_port) {
    TRY(target.to, resolve(services, top.maddr, top.port, Proto::udp));
    if (target.to.ip.is_multicast_or_broadcast()) return {Errc::refused, "maddr names no host"};
  }
  return target;
}

std::uint64_t local_to_tag(Services& services, sip::Message& request, bool of_transaction) noexcept {
  const std::string_view purpose = of_transaction ? "to-tag of tm" : "to-tag";
  const auto top = request.via(0);
  const std::string_view branch = top ? (*top)->branch : std::string_view{};
  const std::string_view sent_by = top ? (*top)->sent_by : std::string_view{};
  // A modern branch names the transaction; its CANCEL and the ACK to our reply carry the same one.
  if (top && has_unique_branch(**top)) return sip_hash(services.via_key, {purpose, branch, sent_by});
  SipHasher hasher(services.via_key);
  hasher.add(purpose);
  hasher.add(branch);
  hasher.add(sent_by);
  if (const auto from = request.get<sip::hdr::From>(); from) hasher.add((*from)->tag);
  if (const sip::HeaderField* call_id = request.find(sip::HeaderId::call_id); call_id != nullptr)
    hasher.add(call_id->value());
  if (const auto cseq = request.get<sip::hdr::CSeq>(); cseq) hasher.add(std::uint64_t{(*cseq)->number});
  return hasher.finish();
}

bool is_ack_to_local_reply(Run& run) noexcept {
  if (!run.is_request() || run.message().method() != sip::Method::ack) return false;
  const auto to = run.message().get<sip::hdr::To>();
  if (!to || (*to)->tag.size() != 16) return false;
  const auto tag = parse_hex((*to)->tag);
  return tag && *tag == local_to_tag(run.services(), run.message());
}

Result<std::string_view> send_local_reply(Run& run, const LocalReply& reply) noexcept {
  sip::Message& message = run.message();
  Services& services = run.services();
  if (!message.is_request()) return {Errc::refused, "a response is not answered"};
  if (message.method() == sip::Method::ack) return {Errc::refused, "an ACK is not answered"};
  const auto top = message.via(0);
  if (!top) return top.error();
  TRY(const TxTarget target, reply_target(run));

  std::array<char, kMaxExtra> extra;
  Lines lines(extra);
  lines.add(reply.headers);
  for (const ReplyHeader* header = run.state().reply_headers; header != nullptr; header = header->next)
    lines.add(header->lines);
  if (reply.add_contacts) add_contacts(run, lines);
  if (services.settings.sip_warning) add_warning(run, lines);
  if (services.settings.server_signature && !services.settings.server_header.empty()) {
    lines.add({services.settings.server_header, "\r\n"});
  }

  std::array<char, 16> tag{};
  IpText source;
  sip::ReplySpec spec;
  spec.status = reply.status;
  spec.reason = reply.reason;
  spec.extra_headers = lines.view();
  const bool from_script = reply.body.empty();
  spec.body = from_script ? run.state().reply_body : reply.body;
  spec.content_type = from_script ? run.state().reply_content_type : reply.content_type;
  spec.via = source_stamp(run, **top, source);
  if (reply.status > 100) {
    print_hex(tag.data(), local_to_tag(services, message, reply.of_transaction), 16);
    spec.to_tag = {tag.data(), tag.size()};
  }
  const std::span<char> out = services.sink.reserve(sip::reply_size(message, spec));
  if (out.empty()) {
    services.counters.add(services.count.too_large);
    return {Errc::too_long, "reply does not fit into a datagram"};
  }
  TRY(const std::size_t size, sip::write_reply(message, spec, out));
  TRY_VOID(services.sink.commit(size, target));
  services.counters.add(services.count.sent_replies);
  run.state().sent = true;
  return std::string_view(out.data(), size);
}

}  // namespace ser::proxy
