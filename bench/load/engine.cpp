// SPDX-License-Identifier: Apache-2.0
#include "load/engine.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace ser::bench {
namespace {

constexpr std::int64_t kMillisecond = 1000000;
constexpr std::int64_t kSecond = 1000 * kMillisecond;
constexpr std::uint32_t kMaxInFlight = 65536;
constexpr std::size_t kReplyRoom = 4096;

std::int64_t now_ns() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return std::int64_t{ts.tv_sec} * kSecond + ts.tv_nsec;
}

std::string system_error(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

}  // namespace

Engine::Engine(const Options& options) : x_options(options) {
  std::uint32_t slots = options.window;
  if (options.rate > 0) {
    const double in_flight = options.rate * (options.timeout_ms + 100) / 1e3 + 64;
    slots = in_flight < kMaxInFlight ? static_cast<std::uint32_t>(in_flight) : kMaxInFlight;
  }
  x_slots.resize(slots);
  x_free.resize(slots);
  for (std::uint32_t i = 0; i < slots; ++i) x_free[i] = slots - 1 - i;
  x_replies.resize(SendQueue::kRoom * kReplyRoom);
  x_end = options.warmup + options.count;
  if (!options.record.empty()) x_records.resize(x_end);
}

bool Engine::open(Outcome& out) {
  const auto run = static_cast<std::uint32_t>(now_ns() / 1000) ^ (static_cast<std::uint32_t>(getpid()) << 16);
  x_callers.reserve(x_options.sockets);
  for (std::uint32_t i = 0; i < x_options.sockets; ++i) {
    Caller& caller = x_callers.emplace_back();
    Address local = x_options.caller;
    if (local.port() != 0) local.set_port(static_cast<std::uint16_t>(local.port() + i));
    if (const char* step = caller.socket.open(local, x_options.server)) {
      out.error = system_error(std::string(step) + " of the caller's socket " + local.text());
      return false;
    }
    caller.messages = make_messages(x_options, caller.socket.local(), run + i);
    caller.checker = std::make_unique<Checker>(x_options, caller.messages, x_options.server.text());
    if (caller.messages.request.size() > kMaxMessage || caller.messages.reply_tail.size() > kMaxMessage) {
      out.error = "the Request-URI is too long";
      return false;
    }
    out.request_bytes = caller.messages.request.size();
  }
  if (x_options.workload == Workload::w1) {
    if (const char* step = x_callee.open(x_options.callee, x_options.server)) {
      out.error = system_error(std::string(step) + " of the callee's socket " + x_options.callee.text());
      return false;
    }
  }
  return true;
}

void Engine::start_one(std::int64_t since) {
  const std::uint32_t index = x_free.back();
  x_free.pop_back();
  Slot& slot = x_slots[index];
  Caller& caller = caller_of(x_next);
  // With several callers a slot's text may be another caller's.
  if (!slot.prepared || x_callers.size() > 1) {
    caller.messages.request.write(slot.request, x_next, index);
    slot.prepared = true;
  } else {
    caller.messages.request.patch(slot.request, x_next);
  }
  slot.sequence = x_next++;
  slot.since = since;
  if (!x_records.empty()) x_records[slot.sequence] = {since, now_ns(), 0, 0, 0, 0};
  slot.busy = true;
  slot.at_callee = false;
  slot.route_size = 0;
  x_in_flight.push_back({index, slot.sequence});
  caller.queue.add(slot.request, caller.messages.request.size());
}

void Engine::start_due(std::int64_t now, Outcome& out) {
  if (now >= x_deadline && x_next < x_end) {
    x_end = x_next;
    out.cut = true;
  }
  while (x_next < x_end) {
    if (x_next == x_options.warmup && x_counted_since == 0) x_counted_since = now;
    Caller& caller = caller_of(x_next);
    if (caller.queue.room() == 0) return;
    if (x_options.rate == 0) {
      if (x_free.empty()) return;
      start_one(now);
      continue;
    }
    const auto due = x_begin + static_cast<std::int64_t>(static_cast<double>(x_next) * 1e9 / x_options.rate);
    if (due > now) return;
    if (x_free.empty()) {
      out.error = "overrun: " + std::to_string(x_slots.size()) + " transactions unanswered at this rate";
      return;
    }
    if (now - due > kMillisecond) ++out.late;
    x_last_sent = now;
    start_one(due);
  }
}

void Engine::release(std::uint32_t index) {
  x_slots[index].busy = false;
  x_free.push_back(index);
}

/// A message of a transaction that is over. True: tolerated.
bool Engine::stray(Outcome& out, const char* what) {
  ++out.duplicates;
  if (x_options.allow_duplicates) return true;
  out.error = std::string(what) + " that nobody waits for: sent twice, or later than the timeout";
  return false;
}

/// Writes a reply into the record of its transaction. False: it is no 200, and that is all there is to say of
/// it.
bool Engine::note_reply(const Id& id, std::string_view got, std::int64_t now) {
  constexpr std::string_view kVersion = "SIP/2.0 ";
  if (x_records.empty() || id.sequence >= x_next || got.size() < kVersion.size() + 3) return true;
  const unsigned status = static_cast<unsigned>(got[8] - '0') * 100 +
                          static_cast<unsigned>(got[9] - '0') * 10 + static_cast<unsigned>(got[10] - '0');
  Record& record = x_records[id.sequence];
  if (record.replies++ == 0) {
    record.answered = now;
    record.status = status;
  }
  return status == 200;
}

void Engine::one_reply(Caller& caller, std::string_view got, std::int64_t now, Outcome& out) {
  if (x_options.workload == Workload::pace) {
    ++out.completed;
    return;
  }
  Id id;
  if (!find_id(got, caller.messages.id_prefix, id) || id.slot >= x_slots.size()) {
    out.error = "reply: our Via branch is missing or damaged";
    return;
  }
  const bool good_status = note_reply(id, got, now);
  Slot& slot = x_slots[id.slot];
  if (!slot.busy || slot.sequence != id.sequence) {
    stray(out, "reply");
    return;
  }
  if (!good_status) {
    ++out.refused;
    release(id.slot);
    return;
  }
  const std::string_view sent(slot.request, caller.messages.request.size());
  const bool good =
      x_options.workload == Workload::w1
          ? slot.at_callee && caller.checker->forwarded_reply(got, id, {slot.route, slot.route_size})
          : caller.checker->local_reply(got, sent, id);
  if (!good) {
    out.error = x_options.workload == Workload::w1 && !slot.at_callee
                    ? "reply to a request that never reached the callee"
                    : caller.checker->why();
    return;
  }
  if (caller.order.arrived(id.sequence / x_callers.size())) ++out.overtaken_replies;
  if (id.sequence >= x_options.warmup) {
    ++out.completed;
    out.latency.add(now - slot.since);
  }
  release(id.slot);
}

void Engine::receive_replies(Caller& caller, std::int64_t now, Outcome& out) {
  const int count = x_received.receive(caller.socket);
  if (count < 0) out.error = system_error("receiving replies");
  for (int i = 0; i < count && out.error.empty(); ++i) one_reply(caller, x_received.at(i), now, out);
}

void Engine::one_request(std::string_view got, std::int64_t now, Outcome& out) {
  Id id;
  Caller* caller = nullptr;
  for (Caller& candidate : x_callers) {
    if (find_id(got, candidate.messages.id_prefix, id)) caller = &candidate;
  }
  if (caller == nullptr || id.slot >= x_slots.size()) {
    out.error = "request at the callee: our Via branch is missing or damaged";
    return;
  }
  Slot& slot = x_slots[id.slot];
  if (!slot.busy || slot.sequence != id.sequence || slot.at_callee) {
    if (!stray(out, "request at the callee")) return;
  }
  if (!slot.busy || slot.sequence != id.sequence) return;
  Parts parts;
  if (!caller->checker->request(got, {slot.request, caller->messages.request.size()}, parts)) {
    out.error = caller->checker->why();
    return;
  }
  if (parts.via_lines.empty() || (!parts.record_route.empty() && parts.record_route_lines.empty()) ||
      parts.record_route_lines.size() > sizeof slot.route) {
    out.error = "request at the callee: Via or Record-Route lines are scattered or too long";
    return;
  }
  if (x_callee_order.arrived(id.sequence)) ++out.overtaken_requests;
  slot.at_callee = true;
  if (!x_records.empty() && x_records[id.sequence].at_callee == 0) x_records[id.sequence].at_callee = now;
  slot.route_size = static_cast<std::uint16_t>(parts.record_route_lines.size());
  std::copy(parts.record_route_lines.begin(), parts.record_route_lines.end(), slot.route);

  constexpr std::string_view kStatus = "SIP/2.0 200 OK\r\n";
  char* const begin = x_replies.data() + std::size_t{x_next_reply++ % SendQueue::kRoom} * kReplyRoom;
  char* at = begin;
  const std::size_t total =
      kStatus.size() + parts.via_lines.size() + slot.route_size + caller->messages.reply_tail.size();
  if (total > kReplyRoom) {
    out.error = "request at the callee: Via lines too long";
    return;
  }
  for (const std::string_view part : {kStatus, parts.via_lines, parts.record_route_lines}) {
    at = std::copy(part.begin(), part.end(), at);
  }
  caller->messages.reply_tail.write(at, id.sequence, id.slot);
  x_callee_queue.add(begin, total);
}

void Engine::receive_requests(std::int64_t now, Outcome& out) {
  // What cannot be queued stays in the kernel. After a partial flush the queue still owns the buffers it
  // holds.
  if (x_callee_queue.room() < ReceiveBatch::kBatch) return;
  const int count = x_received.receive(x_callee);
  if (count < 0) out.error = system_error("receiving requests");
  for (int i = 0; i < count && out.error.empty(); ++i) one_request(x_received.at(i), now, out);
}

void Engine::expire(std::int64_t now, Outcome& out) {
  if (now < x_next_expiry) return;
  x_next_expiry = now + kMillisecond;
  const std::int64_t limit = now - std::int64_t{x_options.timeout_ms} * kMillisecond;
  for (; !x_in_flight.empty(); x_in_flight.pop_front()) {
    const Id id = x_in_flight.front();
    const Slot& slot = x_slots[id.slot];
    if (!slot.busy || slot.sequence != id.sequence) continue;
    if (slot.since > limit) break;
    release(id.slot);
    if (x_options.workload == Workload::pace) continue;
    ++out.lost;
    if (x_options.workload == Workload::w1 && !slot.at_callee) ++out.lost_requests;
  }
  // The run has failed: start nothing more, only see how much of what is in flight still arrives.
  if (out.lost > x_options.allow_lost && x_next < x_end) x_end = x_next;
}

void Engine::wait(std::int64_t now) const {
  if (x_options.spin) return;
  std::int64_t until = now + 5 * kMillisecond;
  if (x_options.rate > 0 && x_next < x_end) {
    const auto due = x_begin + static_cast<std::int64_t>(static_cast<double>(x_next) * 1e9 / x_options.rate);
    until = std::min(until, due);
  }
  const std::int64_t pause = std::max<std::int64_t>(until - now_ns(), 0);
  std::vector<pollfd> fds;
  for (const Caller& caller : x_callers) fds.push_back({caller.socket.fd(), POLLIN, 0});
  if (x_callee.fd() >= 0) fds.push_back({x_callee.fd(), POLLIN, 0});
  const timespec ts{0, pause};
  (void)::ppoll(fds.data(), fds.size(), &ts, nullptr);
}

bool Engine::flush(Outcome& out) {
  bool good = x_callee_queue.flush(x_callee);
  for (Caller& caller : x_callers) good = caller.queue.flush(caller.socket) && good;
  if (!good && out.error.empty()) out.error = system_error("sending");
  return good;
}

void Engine::run(Outcome& out) {
  if (!open(out)) return;
  std::int64_t now = now_ns();
  x_begin = now;
  x_deadline = now + static_cast<std::int64_t>(x_options.seconds * 1e9);
  while (out.error.empty()) {
    start_due(now, out);
    if (!out.error.empty() || !flush(out)) break;
    wait(now);
    now = now_ns();
    for (Caller& caller : x_callers) receive_replies(caller, now, out);
    if (x_callee.fd() >= 0 && out.error.empty()) receive_requests(now, out);
    expire(now, out);
    if (x_next >= x_end && x_free.size() == x_slots.size()) break;
  }
  out.started = x_next;
  const std::int64_t end = x_options.workload == Workload::pace ? x_last_sent : now_ns();
  out.seconds = x_counted_since == 0 ? 0 : static_cast<double>(end - x_counted_since) / 1e9;
  for (const Caller& caller : x_callers) out.drops += caller.socket.drops();
  if (x_callee.fd() >= 0) out.drops += x_callee.drops();
  if (!out.error.empty()) return;
  if (!x_records.empty()) out.error = write_records(x_options.record, x_records);
  if (!out.error.empty() || x_options.workload == Workload::pace) return;
  if (out.lost > x_options.allow_lost) {
    out.error = std::to_string(out.lost) + " of " + std::to_string(out.started) + " transactions lost";
    if (x_options.workload == Workload::w1) {
      out.error += " (" + std::to_string(out.lost_requests) + " requests never reached the callee)";
    }
    if (out.completed == 0) out.error += ": is a server there, and does it do this workload?";
  }
}

}  // namespace ser::bench
