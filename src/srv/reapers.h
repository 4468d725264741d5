// SPDX-License-Identifier: Apache-2.0
// Reapers: the supervisor's book of deaths that are being put right. A few at a time, each in a slot of its
// own; the rest wait. Only bookkeeping: spawning is the Spawner's, what a reaper does is srv/reaper.h.
#pragma once
#include <deque>
#include <vector>

#include "srv/reaper.h"
#include "srv/shared.h"
#include "srv/spawner.h"

namespace ser::srv {

/// How many deaths are put right at once.
inline constexpr std::uint16_t kReaperSlots = 4;

class Reapers {
 public:
  /// Slots `first` .. `first` + kReaperSlots - 1 are theirs. All outlive this.
  Reapers(Shared& shared, Spawner& spawner, std::uint16_t first, Logger& log);

  /// A worker died: it is put right as soon as a slot is free.
  void add(const Death& death);
  bool owns(std::uint16_t slot) const noexcept { return slot >= x_first; }
  /// A reaper ended. Who was ended from outside is followed by another.
  void ended(const WorkerExit& exit);
  /// Starts those who wait, looks at those who work. Call it often while pending().
  void advance(Instant now);
  /// True while some worker's successor waits for a reaper.
  bool pending() const noexcept;
  /// Takes the number of one slot whose successor may start now; false: none.
  bool take_ready(std::uint16_t& slot);
  /// A reaper found, or showed by its own end, that the segment was overwritten: nothing in it can be
  /// trusted.
  bool damaged() const noexcept { return x_damaged; }

  /// Wall time in which a reaper must have handed the batches over, ns. Its own CPU time is bounded far
  /// below.
  static constexpr Instant kDeadline = 3'000'000'000;

 private:
  struct Job {
    Death death;
    Instant deadline = 0;
    bool running = false;
    bool handed_over = false;
  };
  void look_at(Job& job, Instant now);
  void start(std::uint16_t place, Instant now);

  Shared& x_shared;
  Spawner& x_spawner;
  Logger& x_log;
  std::uint16_t x_first;
  std::vector<Job> x_jobs;  ///< by reaper slot
  std::deque<Job> x_waiting;
  std::deque<std::uint16_t> x_ready;
  bool x_damaged = false;
};

}  // namespace ser::srv
