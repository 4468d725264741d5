// SPDX-License-Identifier: Apache-2.0
#include "srv/timer_worker.h"

#include "srv/reaper.h"

namespace ser::srv {

namespace {
constexpr std::uint32_t kRound = 64;
}  // namespace

void TimerWorker::fire(const shm::TimerEvent& event) {
  // The event worker goes on with it: no script runs here.
  if (x_suspender.on_timer(event)) return;
  x_slot.message_serial.store(x_slot.message_serial.load(std::memory_order_relaxed) + 1,
                              std::memory_order_relaxed);
  x_slot.stage.store(shm::Stage::timer, std::memory_order_relaxed);
  mod::WorkerContext worker{x_log, x_context.rank, x_services};
  if (x_module_timers.fire(event, worker)) x_sink.flush();
  x_slot.stage.store(shm::Stage::none, std::memory_order_relaxed);
}

int TimerWorker::work() {
  x_module_timers.arm_all();
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
