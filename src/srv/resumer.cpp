// SPDX-License-Identifier: Apache-2.0
#include "srv/resumer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/hash.h"

namespace ser::srv {

using proxy::SuspendedRun;
using proxy::SuspendedRuns;
using Stage = SuspendedRuns::Stage;

Resumer::Resumer(Shared& shared, proxy::Services& services, Pipeline& pipeline, net::DnsQuestions& questions,
                 shm::WorkerSlot& slot)
    : x_shared(shared),
      x_services(services),
      x_suspender(*services.shared->suspender),
      x_runs(x_suspender.runs()),
      x_pipeline(pipeline),
      x_questions(questions),
      x_slot(slot),
      x_nodes(x_runs.capacity()),
      x_buckets(std::bit_ceil(std::max(x_runs.capacity(), 1U)), kNone) {
  x_questions.set_observer(this);
  // A predecessor has left its count.
  services.counters.subtract(services.count.suspended, services.counters.value(services.count.suspended));
}

Resumer::~Resumer() {
  x_questions.set_observer(nullptr);
}

void Resumer::start() {
  for (std::uint32_t index = 0; index < x_runs.capacity(); ++index) look_at(index);
}

bool Resumer::rescan_if_asked() {
  if (!x_runs.take_rescan()) return false;
  start();
  return true;
}

bool Resumer::on_event(const shm::Event& event) {
  if (event.type != proxy::kEventRunSuspended && event.type != proxy::kEventRunReady) return false;
  // The ticket is only a hint where to look: the cell says what is.
  look_at(SuspendedRuns::index_of({event.words[0]}));
  return true;
}

void Resumer::look_at(std::uint32_t index) {
  if (index >= x_nodes.size()) return;
  Node& node = x_nodes[index];
  switch (x_runs.look(index).stage) {
    case Stage::waiting:
      if (node.place != Place::nowhere) return;
      set_known(1);
      node.place = Place::known;
      if (x_runs.cell(index).waits_for == SuspendedRun::WaitsFor::name) list(index);
      return;
    case Stage::ready:
      if (node.place == Place::nowhere) set_known(1);
      make_ready(index);
      return;
    case Stage::free:
    case Stage::taken:
    case Stage::running:
      return;
  }
}

std::uint32_t Resumer::bucket_of(std::string_view name, std::uint16_t type) const noexcept {
  const std::uint64_t hash = sip_hash(x_shared.segment.header().table_key, name) + type;
  return static_cast<std::uint32_t>(hash & (x_buckets.size() - 1));
}

/// The answer may have come before the event that told of the run.
void Resumer::list(std::uint32_t index) {
  const SuspendedRun& run = x_runs.cell(index);
  net::DnsAnswer known;
  if (x_shared.dns.find(run.name, static_cast<net::DnsType>(run.name_type), x_shared.clock->now(), known) !=
      net::DnsFreshness::miss)
    return answer(index, false);
  Node& node = x_nodes[index];
  node.bucket = bucket_of(run.name, run.name_type);
  node.before = kNone;
  node.next = x_buckets[node.bucket];
  if (node.next != kNone) x_nodes[node.next].before = index;
  x_buckets[node.bucket] = index;
  node.place = Place::listed;
  node.asked = false;
  ++x_unasked;
  ask(index);
}

/// False: too many questions are on their way.
bool Resumer::ask(std::uint32_t index) {
  const SuspendedRun& run = x_runs.cell(index);
  x_nodes[index].asked = true;
  --x_unasked;
  // An answer known at once comes by on_resolved() before this returns.
  const auto asked = x_questions.request(run.name, static_cast<net::DnsType>(run.name_type));
  if (asked) return true;
  if (asked.error().code == Errc::too_many) {
    x_nodes[index].asked = false;
    ++x_unasked;
    return false;
  }
  LOG(x_services.log, info, "'{}' is not looked up: {}", run.name, asked.error().what);
  answer(index, true);
  return true;
}

/// Some question was answered: there is room for others.
void Resumer::ask_rest() {
  const auto size = static_cast<std::uint32_t>(x_nodes.size());
  for (std::uint32_t n = 0; n < size && x_unasked != 0; ++n) {
    x_ask_from = (x_ask_from + 1) % size;
    const Node& node = x_nodes[x_ask_from];
    if (node.place == Place::listed && !node.asked && !ask(x_ask_from)) return;
  }
}

void Resumer::unlist(std::uint32_t index) {
  Node& node = x_nodes[index];
  if (node.place != Place::listed) return;
  (node.before != kNone ? x_nodes[node.before].next : x_buckets[node.bucket]) = node.next;
  if (node.next != kNone) x_nodes[node.next].before = node.before;
  if (!node.asked) --x_unasked;
  node.next = node.before = kNone;
  node.place = Place::known;
}

void Resumer::make_ready(std::uint32_t index) {
  unlist(index);
  Node& node = x_nodes[index];
  if (node.place == Place::ready) return;
  node.place = Place::ready;
  node.next = kNone;
  (x_last_ready != kNone ? x_nodes[x_last_ready].next : x_first_ready) = index;
  x_last_ready = index;
}

void Resumer::answer(std::uint32_t index, bool expired) {
  const std::int32_t code = x_runs.cell(index).late_code;
  // Somebody else may have been faster; ready it is in any case.
  static_cast<void>(x_runs.answer(x_runs.look(index).ticket, {code, expired}));
  make_ready(index);
}

void Resumer::on_resolved(std::string_view name, net::DnsType type, net::DnsStatus /*status*/) {
  const auto number = static_cast<std::uint16_t>(type);
  for (std::uint32_t index = x_buckets[bucket_of(name, number)]; index != kNone;) {
    const std::uint32_t next = x_nodes[index].next;
    const SuspendedRun& run = x_runs.cell(index);
    if (run.name_type == number && run.name == name) answer(index, false);
    index = next;
  }
  if (x_unasked != 0) ask_rest();
}

void Resumer::expire_all() {
  for (std::uint32_t index = 0; index < x_runs.capacity(); ++index) {
    look_at(index);
    if (x_runs.look(index).stage == Stage::waiting) answer(index, true);
  }
}

void Resumer::set_known(std::int64_t change) noexcept {
  x_services.counters.add(x_services.count.suspended, static_cast<std::uint64_t>(change));
}

/// For the reaper, should the run be the end of us: as a receiver's slot has it (src/crash).
void Resumer::note_in_hand(const SuspendedRun& run) noexcept {
  const RxPacket& packet = run.message.state->rx;
  shm::RxEntry& entry = x_slot.rx.entries[0];
  entry.block = run.block;
  const auto length = static_cast<std::size_t>(packet.bytes.data() + packet.bytes.size() - entry.block);
  entry.length = static_cast<std::uint32_t>(std::min(length, shm::kRxBlock - 1));
  entry.from = packet.from;
  entry.to = packet.to;
  entry.socket = packet.socket;
  x_slot.rx_index.store(0, std::memory_order_relaxed);
  x_slot.rx.count.store(1, std::memory_order_release);
  x_slot.message_serial.store(x_slot.message_serial.load(std::memory_order_relaxed) + 1,
                              std::memory_order_relaxed);
}

bool Resumer::resume_next() {
  while (x_first_ready != kNone) {
    const std::uint32_t index = x_first_ready;
    Node& node = x_nodes[index];
    x_first_ready = node.next;
    if (x_first_ready == kNone) x_last_ready = kNone;
    node = {};
    set_known(-1);
    proxy::Answer answer;
    SuspendedRun* run = x_suspender.take_up(index, answer);
    if (run == nullptr) continue;
    // A late answer of a wait that was to end so, as sleep() does, is none that anybody owed.
    if (answer.expired && run->late_code < 0) x_services.counters.add(x_services.count.suspended_timed_out);
    note_in_hand(*run);
    x_pipeline.resume(*run, answer);
    x_slot.script.store(nullptr, std::memory_order_relaxed);
    x_slot.rx.count.store(0, std::memory_order_release);
    x_slot.messages.store(x_slot.messages.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

}  // namespace ser::srv
