// SPDX-License-Identifier: Apache-2.0
#include "crash/watchdog.h"

#include "base/fd.h"
#include "crash/fault_handler.h"

namespace ser::crash {

using shm::Stage;
using shm::WorkerSlot;

namespace {

constexpr int kSignal = SIGVTALRM;

void on_tick(int /*signal*/, siginfo_t* info, void* context) {
  if (info->si_code != SI_TIMER) return;  // somebody's kill
  const int saved = errno;
  auto& slot = *static_cast<WorkerSlot*>(info->si_value.sival_ptr);
  if (watchdog_tick(slot)) {
    write_report(slot, SIGABRT, info->si_code, nullptr, context, shm::FaultCause::watchdog);
    die_of(SIGABRT);
  }
  errno = saved;
}

}  // namespace

bool watchdog_tick(WorkerSlot& slot) noexcept {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  if (slot.stage.load(kRelaxed) == Stage::none) {
    slot.watchdog_ticks.store(0, kRelaxed);
    return false;
  }
  const std::uint64_t serial = slot.message_serial.load(kRelaxed);
  const bool same = slot.watchdog_ticks.load(kRelaxed) != 0 && slot.watchdog_serial.load(kRelaxed) == serial;
  slot.watchdog_serial.store(serial, kRelaxed);
  slot.watchdog_ticks.store(same ? 2 : 1, kRelaxed);
  return same;
}

Result<void> Watchdog::start(WorkerSlot& slot, std::uint32_t period_ms) noexcept {
  slot.watchdog_ticks.store(0, std::memory_order_relaxed);
  struct sigaction action = {};
  action.sa_sigaction = on_tick;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (::sigaction(kSignal, &action, nullptr) != 0) return errno_error("cannot set the watchdog's handler");
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = kSignal;
  event.sigev_value.sival_ptr = &slot;
  if (::timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &x_timer) != 0)
    return errno_error("cannot make the watchdog's timer");
  x_running = true;
  const timespec period = {period_ms / 1000, static_cast<long>(period_ms % 1000) * 1'000'000};
  const itimerspec times = {period, period};
  if (::timer_settime(x_timer, 0, &times, nullptr) != 0)
    return errno_error("cannot start the watchdog's timer");
  return {};
}

Watchdog::~Watchdog() {
  if (!x_running) return;
  ::timer_delete(x_timer);
  ::signal(kSignal, SIG_IGN);
}

}  // namespace ser::crash
