// SPDX-License-Identifier: Apache-2.0
// FaultHandler: what a worker still does when it has done something deadly. It tells the reaper where and
// why, in its slot, and dies of the same signal.
#pragma once
#include <sys/types.h>

#include <cstddef>

#include "base/result.h"
#include "shm/slot.h"

namespace ser::crash {

/// For forked workers only: one per process, made after the fork, by the only thread. Handles SIGSEGV,
/// SIGBUS, SIGILL, SIGFPE, SIGABRT and SIGSYS on a stack of its own, so that the end of the worker's stack is
/// told, too. The handler writes WorkerSlot::fault (signal, address, up to 32 instruction addresses) and
/// raises the signal again with its default action: core dump and exit status are what they would be without
/// it.
///
/// Only async-signal-safe calls, and the unwinder, which takes no lock (libgcc of gcc 12 and glibc 2.35 and
/// later find frames without one). Should it hang all the same, on a stack that was written over, an alarm
/// ends it after a second.
class FaultHandler {
 public:
  FaultHandler() noexcept = default;
  FaultHandler(const FaultHandler&) = delete;
  FaultHandler& operator=(const FaultHandler&) = delete;
  /// Puts the default actions back.
  ~FaultHandler();

  /// `slot` outlives the process. Errors: system (no memory for the stack, no handler set).
  Result<void> install(shm::WorkerSlot& slot) noexcept;

 private:
  char* x_stack = nullptr;
};

/// Writes where the context of a signal (ucontext_t) and the calling stack are into the slot's report.
/// Async-signal-safe as above.
void write_report(shm::WorkerSlot& slot, int signal, int code, const void* address, const void* context,
                  shm::FaultCause cause) noexcept;

/// Dies of `signal` by its default action. Async-signal-safe.
[[noreturn]] void die_of(int signal) noexcept;

}  // namespace ser::crash
