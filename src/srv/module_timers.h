// SPDX-License-Identifier: Apache-2.0
// The timers modules declare (ModuleSpec::timer_seconds): arming them and calling Module::on_timer. The timer
// worker runs it; flows do on their virtual clock.
#pragma once
#include "mod/module.h"
#include "shm/actor.h"
#include "srv/shared.h"

namespace ser::srv {

/// Type of the timer entries of modules; words[0] is the module's index.
inline constexpr std::uint32_t kTimerModule = 1;

class ModuleTimers {
 public:
  /// `self` is the timer worker's. Both outlive it.
  ModuleTimers(Shared& shared, shm::Actor& self) noexcept : x_shared(shared), x_self(self) {}

  /// At the start of the worker.
  void arm_all();
  /// An event for a module by its type (mod::kModuleEvents), expired or from the inbox. False: none.
  static bool pass_on(Shared& shared, std::uint32_t type, const std::uint64_t* words,
                      mod::WorkerContext& worker);
  /// An expired timer: calls the module when the timer is one of a module's, and arms it again. False: it is
  /// none, or its module is not loaded.
  bool fire(const shm::TimerEvent& event, mod::WorkerContext& worker);

 private:
  void arm(shm::TimerEntry& entry, const mod::Loaded& loaded);
  shm::TimerEntry* entries() const noexcept {
    return static_cast<shm::TimerEntry*>(x_shared.segment.root("module timers"));
  }

  Shared& x_shared;
  shm::Actor& x_self;
};

}  // namespace ser::srv
