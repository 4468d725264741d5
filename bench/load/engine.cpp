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
constexpr unsigned kMostSentForOne = 2;  ///< messages sent because of one received: ACK and BYE, 180 and 200

std::string system_error(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

}  // namespace

std::int64_t now_ns() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return std::int64_t{ts.tv_sec} * kSecond + ts.tv_nsec;
}

Engine::Engine(const Options& options) : x_options(options) {
  std::uint32_t slots = options.window;
  if (options.rate > 0) {
    const double in_flight = options.rate * (options.timeout_ms + 100) / 1e3 + 64;
    slots = in_flight < kMaxInFlight ? static_cast<std::uint32_t>(in_flight) : kMaxInFlight;
  }
  x_places.resize(slots);
  x_free.resize(slots);
  for (std::uint32_t i = 0; i < slots; ++i) x_free[i] = slots - 1 - i;
  x_replies.resize(SendQueue::kRoom * kReplyRoom);
  x_end = options.warmup + options.count;
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
    out.error = add_caller(caller.socket.local(), run + i);
    if (!out.error.empty()) return false;
  }
  if (has_callee()) {
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
  const std::size_t caller = x_next % x_callers.size();
  x_places[index] = {x_next++, since, true};
  x_in_flight.push_back({index, x_places[index].sequence});
  begin(index, caller);
}

void Engine::start_due(std::int64_t now, Outcome& out) {
  if (now >= x_deadline && x_next < x_end) {
    x_end = x_next;
    out.cut = true;
  }
  while (x_next < x_end) {
    if (x_next == x_options.warmup && x_counted_since == 0) x_counted_since = now;
    if (x_callers[x_next % x_callers.size()].queue.room() == 0) return;
    if (x_options.rate == 0) {
      if (x_free.empty()) return;
      start_one(now);
      continue;
    }
    const auto due = x_begin + static_cast<std::int64_t>(static_cast<double>(x_next) * 1e9 / x_options.rate);
    if (due > now) return;
    if (x_free.empty()) {
      out.error = "overrun: " + std::to_string(x_places.size()) + " transactions unanswered at this rate";
      return;
    }
    if (now - due > kMillisecond) ++out.late;
    x_last_sent = now;
    start_one(due);
  }
}

void Engine::release(std::uint32_t index) {
  x_places[index].busy = false;
  x_free.push_back(index);
}

void Engine::complete(std::uint32_t slot, std::int64_t latency, Outcome& out) {
  if (x_places[slot].sequence < x_options.warmup) return;
  ++out.completed;
  out.latency.add(latency);
}

bool Engine::answer(std::initializer_list<std::string_view> head, const Template& tail, const Id& id,
                    Outcome& out) {
  std::size_t total = tail.size();
  for (const std::string_view part : head) total += part.size();
  if (total > kReplyRoom) {
    out.error = "request at the callee: Via lines too long";
    return false;
  }
  char* const begin = x_replies.data() + std::size_t{x_next_reply++ % SendQueue::kRoom} * kReplyRoom;
  char* at = begin;
  for (const std::string_view part : head) at = std::copy(part.begin(), part.end(), at);
  tail.write(at, id.sequence, id.slot);
  x_callee_queue.add(begin, total);
  return true;
}

bool Engine::stray(Outcome& out, const char* what) {
  ++out.duplicates;
  if (x_options.allow_duplicates) return true;
  out.error = std::string(what) + " that nobody waits for: sent twice, or later than the timeout";
  return false;
}

void Engine::receive_replies(std::size_t index, std::int64_t now, Outcome& out) {
  // What cannot be queued stays in the kernel. After a partial flush the queue still owns the buffers it
  // holds.
  if (x_callers[index].queue.room() < kMostSentForOne * ReceiveBatch::kBatch) return;
  const int count = x_received.receive(x_callers[index].socket);
  if (count < 0) out.error = system_error("receiving replies");
  for (int i = 0; i < count && out.error.empty(); ++i) on_reply(index, x_received.at(i), now, out);
}

void Engine::receive_requests(std::int64_t now, Outcome& out) {
  if (x_callee_queue.room() < kMostSentForOne * ReceiveBatch::kBatch) return;
  const int count = x_received.receive(x_callee);
  if (count < 0) out.error = system_error("receiving requests");
  for (int i = 0; i < count && out.error.empty(); ++i) on_request(x_received.at(i), now, out);
}

void Engine::expire(std::int64_t now, Outcome& out) {
  if (now < x_next_expiry) return;
  x_next_expiry = now + kMillisecond;
  const std::int64_t limit = now - std::int64_t{x_options.timeout_ms} * kMillisecond;
  for (; !x_in_flight.empty(); x_in_flight.pop_front()) {
    const Id id = x_in_flight.front();
    if (!is_current(id)) continue;
    if (x_places[id.slot].since > limit) break;
    on_timeout(id.slot, out);
    release(id.slot);
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
    for (std::size_t i = 0; i < x_callers.size(); ++i) receive_replies(i, now, out);
    if (x_callee.fd() >= 0 && out.error.empty()) receive_requests(now, out);
    expire(now, out);
    if (x_next >= x_end && x_free.size() == x_places.size()) break;
  }
  out.started = x_next;
  const std::int64_t end = x_options.workload == Workload::pace ? x_last_sent : now_ns();
  out.seconds = x_counted_since == 0 ? 0 : static_cast<double>(end - x_counted_since) / 1e9;
  for (const Caller& caller : x_callers) out.drops += caller.socket.drops();
  if (x_callee.fd() >= 0) out.drops += x_callee.drops();
  if (!out.error.empty()) return;
  on_end(out);
  if (!out.error.empty() || x_options.workload == Workload::pace) return;
  if (out.lost > x_options.allow_lost) {
    out.error = std::to_string(out.lost) + " of " + std::to_string(out.started) + " transactions lost";
    if (has_callee()) {
      out.error += " (" + std::to_string(out.lost_requests) + " requests never reached the callee)";
    }
    if (out.completed == 0) out.error += ": is a server there, and does it do this workload?";
  }
}

}  // namespace ser::bench
