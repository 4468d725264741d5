// SPDX-License-Identifier: Apache-2.0
// The reaper: what a short-lived, unprivileged child of the supervisor does after a death, so that the
// supervisor itself never follows a pointer into what a dying worker may have overwritten (DESIGN 2.9).
#pragma once
#include <sys/types.h>

#include <cstdint>

#include "base/log.h"
#include "crash/recorder.h"
#include "shm/actor.h"
#include "shm/slot.h"
#include "srv/shared.h"

namespace ser::srv {

/// A worker that is no more, and how it ended.
using crash::Death;

/// Sent by people and systems, not by a process's own fault.
bool is_from_outside(int signal) noexcept;

/// Exit status of a worker or reaper that found the segment overwritten: the whole generation is replaced.
/// No status that a module's exit() is likely to have.
inline constexpr int kExitDamaged = 97;

/// One death, in two steps. The successor may start after the first; the second runs beside it. Has a slot of
/// its own, so that a reaper that dies is reaped like anybody else. Lives in the reaper's process (or, for
/// workers that are threads, in the supervisor's).
class Reaper {
 public:
  /// `self`: the reaper's own slot and incarnation.
  Reaper(Shared& shared, shm::WorkerId self, Logger& log);

  /// Frees the locks the dead one held, checks its batches and gives them to the next incarnation of the
  /// slot. Waits for nothing. False: the slot was overwritten.
  bool hand_over(const Death& death) noexcept;
  /// Frees the cells that dead incarnations of the slot own, in slices, with a pause between them so that the
  /// living find the locks free; and those of suspended runs they had in hand. False: the heap was found
  /// overwritten, or a lock is not to be had for seconds.
  bool sweep(std::uint16_t slot) noexcept;
  /// Both, for a process, with what is kept of the death before and between (src/crash): the slot's `reaped`
  /// tells the supervisor when the first is done. `sweep_only`: a reaper that was ended did the first, and
  /// the successor is at work. The exit status.
  int run(const Death& death, bool sweep_only) noexcept;

 private:
  bool put_right(const Death& death) noexcept;
  void tell(const crash::Recorded& recorded) noexcept;
  bool batch_is_sane(const shm::WorkerSlot& slot) const noexcept;
  bool sweep_incarnation(shm::WorkerId dead) noexcept;
  bool sweep_owner(shm::Owner dead) noexcept;
  bool is_damaged() const noexcept;

  Shared& x_shared;
  shm::WorkerSlot& x_slot;
  shm::WorkerId x_self;
  shm::SlotOwnerCheck x_check;
  shm::Actor x_actor;
  Logger& x_log;
  std::uint64_t x_corruptions;
};

}  // namespace ser::srv
