// SPDX-License-Identifier: Apache-2.0
#include "proxy/suspender.h"

#include <utility>

namespace ser::proxy {

using WaitsFor = SuspendedRun::WaitsFor;

namespace {

/// The message is kept by the transaction, not by the run.
bool is_of_transaction(const RunState& state) noexcept {
  return state.has_transaction() && state.kind != RouteKind::onreply;
}

}  // namespace

bool Suspender::may_wait(const Run& run) const noexcept {
  constexpr RouteKinds kMay =
      RouteKind::request | RouteKind::reply | kinds(RouteKind::onreply) | kinds(RouteKind::failure);
  const RunState& state = run.state();
  if ((kinds(state.kind) & kMay) == 0 || state.wait_is_over || x_shared.keeper == nullptr) return false;
  return !state.has_transaction() || run.services().transactions != nullptr;
}

std::uint32_t Suspender::reserve() noexcept {
  if (x_in_hand != SuspendedRuns::kNone) return x_in_hand;
  if (x_reserved == SuspendedRuns::kNone) x_reserved = x_runs.take(x_shared.self);
  return x_reserved;
}

Result<Ticket> Suspender::wait_for_answer(Instant at_most, std::int32_t late_code) noexcept {
  const std::uint32_t index = reserve();
  if (index == SuspendedRuns::kNone) return {Errc::too_many, "max_suspended runs wait already"};
  x_wait = {WaitsFor::answer, at_most, late_code, x_runs.begin_wait(index)};
  return x_wait.ticket;
}

/// What does not change anything yet.
bool Suspender::prepare(const Run& run, const Place& place, const Wait& wait, SuspendedRun& cell) noexcept {
  const Instant now = run.services().clock.now();
  const bool goes_on = x_in_hand != SuspendedRuns::kNone && wait.what == WaitsFor::name &&
                       cell.waits_for == WaitsFor::name && cell.progress == place.progress &&
                       cell.phase == place.phase;
  if (wait.what == WaitsFor::name) {
    const NameService::Question question = run.services().names.pending();
    if (question.name.empty()) return false;
    cell.name = run.arena().copy(question.name);
    cell.name_type = question.type;
    if (cell.name.data() == nullptr) return false;
  }
  if (!goes_on)
    cell.deadline = now + (wait.what == WaitsFor::name ? run.services().settings.name_wait : wait.at_most);
  if (goes_on && now >= cell.deadline) return false;
  cell.waits_for = wait.what;
  cell.late_code = wait.late_code;
  cell.machine = place.machine;
  cell.progress = place.progress;
  cell.phase = place.phase;
  return true;
}

bool Suspender::arm(const Run& run, SuspendedRun& cell, Ticket ticket) noexcept {
  shm::TimerEntry& timer = cell.timer;
  x_shared.timers.cancel(x_shared.self, timer);
  if (shm::Timers::armed(timer)) return false;
  timer.type = kTimerSuspended;
  timer.words[0] = ticket.value;
  timer.words[1] = static_cast<std::uint32_t>(cell.late_code);
  return x_shared.timers.arm_at(x_shared.self, timer, cell.deadline, run.services().clock.now());
}

bool Suspender::park(const Run& run, const Place& place) noexcept {
  const Wait wait = std::exchange(x_wait, {});
  const bool asked = wait.what == WaitsFor::name || static_cast<bool>(wait.ticket);
  const bool kept = x_in_hand != SuspendedRuns::kNone;
  const bool of_transaction = is_of_transaction(run.state());
  const std::uint32_t index = asked ? reserve() : SuspendedRuns::kNone;
  const auto refuse = [&run]() noexcept {
    run.services().counters.add(run.services().count.suspended_refused);
    return false;
  };
  if (index == SuspendedRuns::kNone) return refuse();
  SuspendedRun& cell = x_runs.cell(index);
  if (kept && !of_transaction && cell.message.block == nullptr && cell.message.whole_copy == nullptr)
    return refuse();
  if (!prepare(run, place, wait, cell)) return refuse();
  const Ticket ticket = wait.what == WaitsFor::name ? x_runs.begin_wait(index) : wait.ticket;
  x_shared.self.step();
  if (!arm(run, cell, ticket)) return refuse();
  if (!kept && !of_transaction && !x_shared.keeper->keep(run, SuspendedRuns::owner(index), cell.message)) {
    x_shared.timers.cancel(x_shared.self, cell.timer);
    return refuse();
  }
  // From here on the run cannot be refused: nothing below fails.
  run.services().counters.add(run.services().count.suspended_total);
  if (of_transaction) {
    cell.message = {};
    cell.message.state = &run.state();
  } else {
    cell.block = cell.message.whole_copy != nullptr ? cell.message.whole_copy : cell.message.block;
    put_down(run, x_shared, SuspendedRuns::owner(index), cell.message);
  }
  (kept ? x_in_hand : x_reserved) = SuspendedRuns::kNone;
  x_parked = ticket;
  if (!run.state().has_transaction()) let_wait(nullptr);
  return true;
}

void Suspender::let_wait(char* block) noexcept {
  const Ticket ticket = std::exchange(x_parked, {});
  const std::uint32_t index = SuspendedRuns::index_of(ticket);
  if (block != nullptr) x_runs.cell(index).block = block;
  x_runs.publish(x_shared.self, index);
  tell(kEventRunSuspended, ticket);
}

bool Suspender::waits(Ticket ticket) const noexcept {
  const std::uint32_t index = SuspendedRuns::index_of(ticket);
  if (index >= x_runs.capacity()) return false;
  const SuspendedRuns::Look look = x_runs.look(index);
  return look.stage != SuspendedRuns::Stage::free && look.ticket == ticket;
}

void Suspender::tell(std::uint32_t type, Ticket ticket) noexcept {
  shm::Event event;
  event.type = type;
  event.words[0] = ticket.value;
  if (x_shared.events.push(x_shared.self, event)) return;
  // A full inbox: its owner has enough to do, and looks for itself afterwards.
  x_runs.ask_rescan();
  x_shared.events.nudge();
}

SuspendedRun* Suspender::take_up(std::uint32_t index, Answer& out) noexcept {
  if (!x_runs.claim(index, x_shared.self, out)) return nullptr;
  x_in_hand = index;
  return &x_runs.cell(index);
}

void Suspender::withdraw(Ticket ticket) noexcept {
  if (!ticket) return;
  static_cast<void>(x_runs.answer(ticket, {}));
  Answer ignored;
  if (x_runs.look(SuspendedRuns::index_of(ticket)).ticket != ticket) return;
  if (take_up(SuspendedRuns::index_of(ticket), ignored) != nullptr) let_go();
}

void Suspender::let_go() noexcept {
  if (x_in_hand == SuspendedRuns::kNone) return;
  const std::uint32_t index = std::exchange(x_in_hand, SuspendedRuns::kNone);
  SuspendedRun& cell = x_runs.cell(index);
  cell.message = {};
  x_shared.timers.cancel(x_shared.self, cell.timer);
  x_runs.release(index);
}

void Suspender::finish(Arena& arena) noexcept {
  if (x_in_hand == SuspendedRuns::kNone) return;
  const std::uint32_t index = std::exchange(x_in_hand, SuspendedRuns::kNone);
  SuspendedRun& cell = x_runs.cell(index);
  // The chunks go to the heap, not to our spare one: what a dead run owned is freed by its owner word.
  cell.message.arena = arena.put_down();
  free_kept(x_shared, cell.message);
  x_shared.timers.cancel(x_shared.self, cell.timer);
  x_runs.release(index);
}

Result<void> Suspender::keep(const Run& /*run*/, shm::Owner owner, KeptMessage& kept) noexcept {
  if (x_in_hand == SuspendedRuns::kNone) return {Errc::refused, "no message in hand"};
  KeptMessage& ours = x_runs.cell(x_in_hand).message;
  if (ours.block == nullptr && ours.whole_copy == nullptr)
    return {Errc::refused, "the message is kept by somebody else"};
  kept.block = ours.block;
  kept.whole_copy = ours.whole_copy;
  x_shared.self.step();
  if (ours.block != nullptr) x_shared.heap.transfer(ours.block, owner);
  x_shared.self.step();
  if (ours.whole_copy != nullptr) x_shared.heap.transfer(ours.whole_copy, owner);
  ours.block = ours.whole_copy = nullptr;
  return {};
}

bool Suspender::answer(Ticket ticket, const Answer& answer) noexcept {
  if (!x_runs.answer(ticket, answer)) return false;
  tell(kEventRunReady, ticket);
  return true;
}

bool Suspender::on_timer(const shm::TimerEvent& event) noexcept {
  if (event.type != kTimerSuspended) return false;
  // Somebody may have answered a moment before: then there is nothing to do.
  static_cast<void>(answer({event.words[0]}, {static_cast<std::int32_t>(event.words[1]), true}));
  return true;
}

bool wait_for_name(const Run& run) noexcept {
  const SharedServices* shared = run.services().shared;
  if (shared == nullptr || shared->suspender == nullptr || !shared->suspender->may_wait(run)) return false;
  if (run.services().names.pending().name.empty()) return false;
  shared->suspender->wait_for_name();
  return true;
}

Result<Ticket> suspend(const Run& run, Instant at_most, std::int32_t late_code) noexcept {
  const SharedServices* shared = run.services().shared;
  if (shared == nullptr || shared->suspender == nullptr || !shared->suspender->may_wait(run))
    return {Errc::refused, "this run cannot wait"};
  return shared->suspender->wait_for_answer(at_most, late_code);
}

bool resume(const Services& services, Ticket ticket, std::int32_t code) noexcept {
  if (services.shared == nullptr || services.shared->suspender == nullptr) return false;
  return services.shared->suspender->answer(ticket, {code, false});
}

}  // namespace ser::proxy
