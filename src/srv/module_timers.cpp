// SPDX-License-Identifier: Apache-2.0
#include "srv/module_timers.h"

namespace ser::srv {

namespace {
constexpr Instant kSecond = 1'000'000'000;
}  // namespace

void ModuleTimers::arm(shm::TimerEntry& entry, const mod::Loaded& loaded) {
  const Instant now = x_shared.clock->now();
  x_shared.timers->arm_at(x_self, entry, now + loaded.spec->timer_seconds * kSecond, now);
}

void ModuleTimers::arm_all() {
  if (entries() == nullptr) return;
  for (mod::Loaded& loaded : x_shared.registry->loaded()) {
    if (loaded.spec->timer_seconds == 0) continue;
    shm::TimerEntry& entry = entries()[loaded.module->index];
    // A predecessor may have left it armed.
    x_shared.timers->cancel(x_self, entry);
    entry.type = kTimerModule;
    entry.words[0] = loaded.module->index;
    arm(entry, loaded);
  }
}

bool ModuleTimers::pass_on(Shared& shared, std::uint32_t type, const std::uint64_t* words,
                           mod::WorkerContext& worker) {
  const std::span<mod::Loaded> loaded = shared.registry->loaded();
  if (type < mod::kModuleEvents || type - mod::kModuleEvents >= loaded.size()) return false;
  const std::uint64_t copy[2] = {words[0], words[1]};
  loaded[type - mod::kModuleEvents].module->on_event(worker, copy);
  return true;
}

bool ModuleTimers::fire(const shm::TimerEvent& event, mod::WorkerContext& worker) {
  if (pass_on(x_shared, event.type, event.words, worker)) return true;
  if (event.type != kTimerModule || event.words[0] >= x_shared.registry->loaded().size()) return false;
  mod::Loaded& loaded = x_shared.registry->loaded()[event.words[0]];
  loaded.module->on_timer(worker);
  arm(entries()[loaded.module->index], loaded);
  return true;
}

}  // namespace ser::srv
