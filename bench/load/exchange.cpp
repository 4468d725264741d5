// SPDX-License-Identifier: Apache-2.0
#include "load/exchange.h"

#include <algorithm>

namespace ser::bench {

Exchange::Exchange(const Options& options) : Engine(options), x_slots(place_count()) {
  if (!options.record.empty()) x_records.resize(last());
}

std::string Exchange::add_caller(const Address& local, std::uint32_t run) {
  Texts& texts = x_texts.emplace_back();
  texts.messages = make_messages(options(), local, run);
  texts.checker = std::make_unique<Checker>(options(), texts.messages, options().server.text());
  const bool fits =
      texts.messages.request.size() <= kMaxMessage && texts.messages.reply_tail.size() <= kMaxMessage;
  return fits ? "" : "the Request-URI is too long";
}

/// Writes a reply into the record of its transaction. False: it is no 200, and that is all there is to say of
/// it.
bool Exchange::note_reply(const Id& id, std::string_view got, std::int64_t now) {
  constexpr std::string_view kVersion = "SIP/2.0 ";
  if (x_records.empty() || id.sequence >= begun() || got.size() < kVersion.size() + 3) return true;
  const unsigned status = static_cast<unsigned>(got[8] - '0') * 100 +
                          static_cast<unsigned>(got[9] - '0') * 10 + static_cast<unsigned>(got[10] - '0');
  Record& record = x_records[id.sequence];
  if (record.replies++ == 0) {
    record.answered = now;
    record.status = status;
  }
  return status == 200;
}

void Exchange::on_reply(std::size_t caller, std::string_view got, std::int64_t now, Outcome& out) {
  if (options().workload == Workload::pace) {
    ++out.completed;
    return;
  }
  const Messages& messages = x_texts[caller].messages;
  Checker& checker = *x_texts[caller].checker;
  Id id;
  if (!find_id(got, messages.id_prefix, id) || id.slot >= x_slots.size()) {
    out.error = "reply: our Via branch is missing or damaged";
    return;
  }
  const bool good_status = note_reply(id, got, now);
  if (!is_current(id)) {
    stray(out, "reply");
    return;
  }
  if (!good_status) {
    ++out.refused;
    release(id.slot);
    return;
  }
  const Slot& slot = x_slots[id.slot];
  const std::string_view sent(slot.request, messages.request.size());
  const bool forwarded = options().workload == Workload::w1;
  const bool good = forwarded
                        ? slot.at_callee && checker.forwarded_reply(got, id, {slot.route, slot.route_size})
                        : checker.local_reply(got, sent, id);
  if (!good) {
    out.error =
        forwarded && !slot.at_callee ? "reply to a request that never reached the callee" : checker.why();
    return;
  }
  if (this->caller(caller).order.arrived(id.sequence / caller_count())) ++out.overtaken_replies;
  complete(id.slot, now - place(id.slot).since, out);
  release(id.slot);
}

void Exchange::on_request(std::string_view got, std::int64_t now, Outcome& out) {
  Id id;
  Texts* texts = nullptr;
  for (Texts& candidate : x_texts) {
    if (find_id(got, candidate.messages.id_prefix, id)) texts = &candidate;
  }
  if (texts == nullptr || id.slot >= x_slots.size()) {
    out.error = "request at the callee: our Via branch is missing or damaged";
    return;
  }
  Slot& slot = x_slots[id.slot];
  if (!is_current(id) || slot.at_callee) {
    if (!stray(out, "request at the callee")) return;
  }
  if (!is_current(id)) return;
  Parts parts;
  if (!texts->checker->request(got, {slot.request, texts->messages.request.size()}, parts) ||
      !texts->checker->can_be_answered(parts, sizeof slot.route)) {
    out.error = texts->checker->why();
    return;
  }
  if (callee_order().arrived(id.sequence)) ++out.overtaken_requests;
  slot.at_callee = true;
  if (!x_records.empty() && x_records[id.sequence].at_callee == 0) x_records[id.sequence].at_callee = now;
  slot.route_size = static_cast<std::uint16_t>(parts.record_route_lines.size());
  std::copy(parts.record_route_lines.begin(), parts.record_route_lines.end(), slot.route);
  const Messages& messages = texts->messages;
  answer({messages.status_line, parts.via_lines, parts.record_route_lines}, messages.reply_tail, id, out);
}

void Exchange::begin(std::uint32_t index, std::size_t caller) {
  Slot& slot = x_slots[index];
  const Place& at = place(index);
  const Template& request = x_texts[caller].messages.request;
  // With several callers a slot's text may be another caller's.
  if (!slot.prepared || caller_count() > 1) {
    request.write(slot.request, at.sequence, index);
    slot.prepared = true;
  } else {
    request.patch(slot.request, at.sequence);
  }
  if (!x_records.empty()) x_records[at.sequence] = {at.since, now_ns(), 0, 0, 0, 0};
  slot.at_callee = false;
  slot.route_size = 0;
  this->caller(caller).queue.add(slot.request, request.size());
}

void Exchange::on_timeout(std::uint32_t slot, Outcome& out) {
  if (options().workload == Workload::pace) return;
  ++out.lost;
  if (options().workload == Workload::w1 && !x_slots[slot].at_callee) ++out.lost_requests;
}

void Exchange::on_end(Outcome& out) {
  out.request_bytes = x_texts.back().messages.request.size();
  if (!x_records.empty()) out.error = write_records(options().record, x_records);
}

}  // namespace ser::bench
