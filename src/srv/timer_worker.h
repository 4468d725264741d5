// SPDX-License-Identifier: Apache-2.0
// The timer worker: sleeps on a futex until the next timer is due, for ever while none is armed
// (DESIGN 2.11).
#pragma once
#include "srv/worker.h"

namespace ser::srv {

/// Type of the timer entries of modules; words[0] is the module's index.
inline constexpr std::uint32_t kTimerModule = 1;

class TimerWorker final : public WorkerBase {
 public:
  explicit TimerWorker(const WorkerContext& context) : WorkerBase(context) {}

 private:
  int work() override;
  void arm_modules();
  void fire(const shm::TimerEvent& event);
};

}  // namespace ser::srv
