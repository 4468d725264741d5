// SPDX-License-Identifier: Apache-2.0
#include "srv/timer_worker.h"

#include "srv/reaper.h"

namespace ser::srv {

namespace {
constexpr Instant kSecond = 1'000'000'000;
constexpr std::uint32_t kRound = 64;
}  // namespace

void TimerWorker::arm_modules() {
  auto* entries = static_cast<shm::TimerEntry*>(x_shared.segment.root("module timers"));
  if (entries == nullptr) return;
  for (mod::Loaded& loaded : x_shared.registry->loaded()) {
    if (loaded.spec->timer_seconds == 0) continue;
    shm::TimerEntry& entry = entries[loaded.module->index];
    // A predecessor may have left it armed.
    x_shared.timers->cancel(x_actor, entry);
    entry.type = kTimerModule;
    entry.words[0] = loaded.module->index;
    const Instant now = x_shared.clock->now();
    x_shared.timers->arm_at(x_actor, entry, now + loaded.spec->timer_seconds * kSecond, now);
  }
}

void TimerWorker::fire(const shm::TimerEvent& event) {
  if (event.type != kTimerModule || event.words[0] >= x_shared.registry->loaded().size()) return;
  mod::Loaded& loaded = x_shared.registry->loaded()[event.words[0]];
  x_slot.message_serial.store(x_slot.message_serial.load(std::memory_order_relaxed) + 1,
                              std::memory_order_relaxed);
  x_slot.stage.store(shm::Stage::timer, std::memory_order_relaxed);
  mod::WorkerContext worker{x_log, x_context.rank, x_services};
  loaded.module->on_timer(worker);
  x_sink.flush();
  x_slot.stage.store(shm::Stage::none, std::memory_order_relaxed);
  auto* entries = static_cast<shm::TimerEntry*>(x_shared.segment.root("module timers"));
  const Instant now = x_shared.clock->now();
  x_shared.timers->arm_at(x_actor, entries[loaded.module->index], now + loaded.spec->timer_seconds * kSecond,
                          now);
}

int TimerWorker::work() {
  arm_modules();
  while (!stopping()) {
    set_state(shm::WorkerState::working);
    while (x_shared.timers->expire(x_actor, x_shared.clock->now(), kRound,
                                   [this](const shm::TimerEvent& event) { fire(event); }) == kRound) {
    }
    if (stopping()) break;
    if (segment_is_damaged()) return kExitDamaged;
    set_state(shm::WorkerState::sleeping);
    x_shared.timers->sleep(x_shared.clock->now());
  }
  set_state(shm::WorkerState::stopping);
  return 0;
}

}  // namespace ser::srv
