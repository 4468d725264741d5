// SPDX-License-Identifier: Apache-2.0
// The timer worker: sleeps on a futex until the next timer is due, for ever while none is armed
// (DESIGN 2.11).
#pragma once
#include "srv/module_timers.h"
#include "srv/worker.h"

namespace ser::srv {

class TimerWorker final : public WorkerBase {
 public:
  explicit TimerWorker(const WorkerContext& context)
      : WorkerBase(context), x_module_timers(context.shared, x_actor) {}

 private:
  int work() override;
  void fire(const shm::TimerEvent& event);

  ModuleTimers x_module_timers;
};

}  // namespace ser::srv
