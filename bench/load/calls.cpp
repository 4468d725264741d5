// SPDX-License-Identifier: Apache-2.0
#include "load/calls.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ser::bench {
namespace {

/// By the bits of Came.
constexpr const char* kNames[] = {"INVITE at the callee", "100",           "180", "200", "ACK at the callee",
                                  "BYE at the callee",    "200 to the BYE"};

}  // namespace

Calls::Calls(const Options& options) : Engine(options), x_slots(place_count()) {
  x_wanted = kInvite | kRinging;
  if (!options.bare) x_wanted |= kTrying;
  if (options.workload != Workload::ring) x_wanted |= kAnswer;
  if (options.workload == Workload::w2) x_wanted |= kAck | kBye | kByeAnswer;
}

std::string Calls::add_caller(const Address& local, std::uint32_t run) {
  return x_texts.emplace_back(options(), local, run).fits(kRouteRoom) ? "" : "the Request-URI is too long";
}

void Calls::begin(std::uint32_t index, std::size_t caller) {
  Slot& slot = x_slots[index];
  slot.came = 0;
  slot.caller = caller;
  slot.route_size = slot.recorded_size = 0;
  const Template& invite = x_texts[caller].ringing.request;
  invite.write(slot.invite, place(index).sequence, index);
  this->caller(caller).queue.add(slot.invite, invite.size());
}

/// Notes that this message of the call came. False: it is not to be looked at, or `out` has an error.
bool Calls::take(const Id& id, Came what, const char* name, Outcome& out) {
  if (!is_current(id) || (x_slots[id.slot].came & what) != 0) {
    stray(out, name);
    return false;
  }
  x_slots[id.slot].came |= what;
  return true;
}

void Calls::on_request(std::string_view got, std::int64_t /*now*/, Outcome& out) {
  for (const CallTexts& texts : x_texts) {
    Id id;
    // An in-dialog request bears the branch of its own kind alone.
    if (find_id(got, texts.ringing.id_prefix, id) && id.slot < x_slots.size()) return invited(id, got, out);
    if (find_id(got, texts.ack.id_prefix, id) && id.slot < x_slots.size()) return confirmed(id, got, out);
    if (find_id(got, texts.bye.id_prefix, id) && id.slot < x_slots.size()) return ended(id, got, out);
  }
  out.error = "request at the callee: our Via branch is missing or damaged";
}

void Calls::invited(const Id& id, std::string_view got, Outcome& out) {
  if (!take(id, kInvite, "INVITE at the callee", out)) return;
  Slot& slot = x_slots[id.slot];
  CallTexts& texts = x_texts[slot.caller];
  Parts parts;
  if (!texts.check_ringing.request(got, {slot.invite, texts.ringing.request.size()}, parts) ||
      !texts.check_ringing.can_be_answered(parts, kRouteRoom)) {
    out.error = texts.check_ringing.why();
    return;
  }
  if (callee_order().arrived(id.sequence)) ++out.overtaken_requests;
  slot.recorded_size = parts.record_route_lines.size();
  std::copy(parts.record_route_lines.begin(), parts.record_route_lines.end(), slot.recorded);
  const auto reply = [&](const Messages& messages) {
    return answer({messages.status_line, parts.via_lines, parts.record_route_lines}, messages.reply_tail, id,
                  out);
  };
  if (!reply(texts.ringing) || options().workload == Workload::ring) return;
  reply(texts.answer);
}

void Calls::confirmed(const Id& id, std::string_view got, Outcome& out) {
  if (!take(id, kAck, "ACK at the callee", out)) return;
  Slot& slot = x_slots[id.slot];
  CallTexts& texts = x_texts[slot.caller];
  Parts parts;
  const std::string_view sent(slot.ack, texts.ack.request.size() + slot.route_size);
  if (!texts.check_ack.request(got, sent, parts, slot.route_size)) {
    out.error = "ACK, " + texts.check_ack.why();
    return;
  }
  if ((slot.came & kBye) != 0) ++out.overtaken_requests;
  finish(id, out);
}

void Calls::ended(const Id& id, std::string_view got, Outcome& out) {
  if (!take(id, kBye, "BYE at the callee", out)) return;
  Slot& slot = x_slots[id.slot];
  CallTexts& texts = x_texts[slot.caller];
  Parts parts;
  const std::string_view sent(slot.bye, texts.bye.request.size() + slot.route_size);
  if (!texts.check_bye.request(got, sent, parts, slot.route_size) ||
      !texts.check_bye.can_be_answered(parts, 0)) {
    out.error = "BYE, " + texts.check_bye.why();
    return;
  }
  answer({texts.bye.status_line, parts.via_lines}, texts.bye.reply_tail, id, out);
}

void Calls::on_reply(std::size_t caller, std::string_view got, std::int64_t now, Outcome& out) {
  CallTexts& texts = x_texts[caller];
  Id id;
  if (find_id(got, texts.ringing.id_prefix, id) && id.slot < x_slots.size())
    return reply_to_invite(id, got, now, out);
  if (!find_id(got, texts.bye.id_prefix, id) || id.slot >= x_slots.size()) {
    out.error = "reply: our Via branch is missing or damaged";
    return;
  }
  if (!take(id, kByeAnswer, "200 to a BYE", out)) return;
  if ((x_slots[id.slot].came & kBye) == 0) {
    out.error = "200 to a BYE that never reached the callee";
  } else if (!texts.check_bye.forwarded_reply(got, id, {})) {
    out.error = "200 to a BYE, " + texts.check_bye.why();
  } else {
    finish(id, out);
  }
}

void Calls::reply_to_invite(const Id& id, std::string_view got, std::int64_t now, Outcome& out) {
  const std::string_view status = got.substr(0, 12);
  Came what = kTrying;
  if (status == "SIP/2.0 180 ") {
    what = kRinging;
  } else if (status == "SIP/2.0 200 ") {
    what = kAnswer;
  } else if (status != "SIP/2.0 100 ") {
    out.error = "INVITE answered by " + std::string(got.substr(0, got.find('\r')));
    return;
  }
  if (!take(id, what, "reply to an INVITE", out)) return;
  Slot& slot = x_slots[id.slot];
  CallTexts& texts = x_texts[slot.caller];
  if (what != kTrying && (slot.came & kInvite) == 0) {
    out.error = "reply to an INVITE that never reached the callee";
    return;
  }
  const std::string_view recorded(slot.recorded, slot.recorded_size);
  Checker& checker = what == kAnswer ? texts.check_answer : texts.check_ringing;
  const bool good = what == kTrying
                        ? checker.local_reply(got, {slot.invite, texts.ringing.request.size()}, id, 100)
                        : checker.forwarded_reply(got, id, recorded);
  if (!good) {
    out.error = checker.why();
    return;
  }
  if ((slot.came & (kRinging | kAnswer)) >= 2U * what) ++out.overtaken_replies;
  if (what == (options().workload == Workload::ring ? kRinging : kAnswer)) {
    if (caller(slot.caller).order.arrived(id.sequence / caller_count())) ++out.overtaken_replies;
    slot.latency = now - place(id.slot).since;
  }
  if (what == kAnswer && options().workload == Workload::w2) send_inside(slot, id, out);
  finish(id, out);
}

/// ACK and BYE.
void Calls::send_inside(Slot& slot, const Id& id, Outcome& out) {
  CallTexts& texts = x_texts[slot.caller];
  const std::string routes = route_lines({slot.recorded, slot.recorded_size});
  if (routes.size() > kRouteRoom) {
    out.error = "200: too many Record-Route";
    return;
  }
  slot.route_size = routes.size();
  const auto send = [&](const Messages& messages, char* text) {
    const std::size_t size = messages.request.size();
    messages.request.write(text, id.sequence, id.slot);
    std::memmove(text + messages.rest_offset + routes.size(), text + messages.rest_offset,
                 size - messages.rest_offset);
    std::copy(routes.begin(), routes.end(), text + messages.rest_offset);
    caller(slot.caller).queue.add(text, size + routes.size());
  };
  send(texts.ack, slot.ack);
  send(texts.bye, slot.bye);
}

void Calls::finish(const Id& id, Outcome& out) {
  const Slot& slot = x_slots[id.slot];
  if ((slot.came & x_wanted) != x_wanted) return;
  complete(id.slot, slot.latency, out);
  release(id.slot);
}

void Calls::on_timeout(std::uint32_t index, Outcome& out) {
  const unsigned missing = x_wanted & ~x_slots[index].came;
  ++out.lost;
  if ((missing & kInvite) != 0) ++out.lost_requests;
  ++x_missing[std::countr_zero(missing)];
}

void Calls::on_end(Outcome& out) {
  out.request_bytes = x_texts.back().ringing.request.size();
  if (out.lost <= options().allow_lost) return;
  out.error = std::to_string(out.lost) + " of " + std::to_string(out.started) + " calls lost, first missing:";
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (x_missing[i] != 0) out.error += " " + std::string(kNames[i]) + " " + std::to_string(x_missing[i]);
  }
  if (out.completed == 0) out.error += ": is a server there, and does it do this workload?";
}

}  // namespace ser::bench
