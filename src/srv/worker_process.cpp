// SPDX-License-Identifier: Apache-2.0
#include "srv/worker_process.h"

#include <cstring>

#include "srv/seccomp.h"

namespace ser::srv {

namespace {

void warn(Logger& log, const Result<void>& result) noexcept {
  if (!result)
    LOG(log, warning, "{}: {}", result.error().what, std::strerror(static_cast<int>(result.error().offset)));
}

}  // namespace

WorkerProcess::WorkerProcess(const WorkerContext& context, Logger& log)
    : x_hardening(context.shared.hardening) {
  shm::WorkerSlot& slot = *context.shared.slots->slot(context.id.slot);
  // The stage of the predecessor's last message: a death from here on must not be put down to it.
  slot.stage.store(shm::Stage::none, std::memory_order_relaxed);
  warn(log, x_faults.install(slot));
  if (x_hardening.watchdog_ms != 0) warn(log, x_watchdog.start(slot, x_hardening.watchdog_ms));
}

bool WorkerProcess::lock_down(Logger& log) noexcept {
  if (!x_hardening.seccomp) return true;
  const auto done = forbid_system_calls();
  if (!done) {
    LOG(log, critical, "{}: {}", done.error().what, std::strerror(static_cast<int>(done.error().offset)));
    return false;
  }
  return true;
}

}  // namespace ser::srv
