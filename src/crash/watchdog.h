// SPDX-License-Identifier: Apache-2.0
// Watchdog: ends a worker that has one message in hand for too long, by its own CPU time.
#pragma once
#include <signal.h>
#include <time.h>

#include <cstdint>

#include "base/result.h"
#include "shm/slot.h"

namespace ser::crash {

/// The rule, without timers and signals: true when the message in hand is the one of the tick before. Between
/// messages never. Keeps what it saw in the slot.
bool watchdog_tick(shm::WorkerSlot& slot) noexcept;

/// For forked workers only: a POSIX timer that counts the CPU time of this process, so that a worker that
/// sleeps or waits for the processor is never woken and never blamed. Two ticks in a row that find the same
/// message write the report (cause watchdog, with the backtrace of the loop) and end the process by SIGABRT.
/// So a loop is ended after one to two periods of CPU time. The signal is SIGVTALRM.
class Watchdog {
 public:
  Watchdog() noexcept = default;
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  /// `period_ms`: 1 or more. `slot` outlives the process. After FaultHandler::install, whose stack it uses.
  /// Errors: system.
  Result<void> start(shm::WorkerSlot& slot, std::uint32_t period_ms) noexcept;

 private:
  timer_t x_timer{};
  bool x_running = false;
};

}  // namespace ser::crash
