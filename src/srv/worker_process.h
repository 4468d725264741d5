// SPDX-License-Identifier: Apache-2.0
// WorkerProcess: what a worker has around it when it is a process of its own, and not when it is a thread.
#pragma once
#include "crash/fault_handler.h"
#include "crash/watchdog.h"
#include "srv/shared.h"

namespace ser::srv {

/// One per forked worker, made first thing after the privileges are dropped. What cannot be set up is a
/// warning: the worker runs all the same.
class WorkerProcess {
 public:
  /// Fault handlers and watchdog.
  WorkerProcess(const WorkerContext& context, Logger& log);

  /// Seccomp, when it is switched on: from now on. False when it was asked for and cannot be had; logged.
  bool lock_down(Logger& log) noexcept;

 private:
  const Hardening& x_hardening;
  crash::FaultHandler x_faults;
  crash::Watchdog x_watchdog;
};

}  // namespace ser::srv
