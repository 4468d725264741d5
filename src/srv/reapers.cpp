// SPDX-License-Identifier: Apache-2.0
#include "srv/reapers.h"

#include <algorithm>
#include <cstring>

namespace ser::srv {

Reapers::Reapers(Shared& shared, Spawner& spawner, std::uint16_t first, Logger& log)
    : x_shared(shared), x_spawner(spawner), x_log(log), x_first(first), x_jobs(kReaperSlots) {}

void Reapers::add(const Death& death) {
  Job job;
  job.death = death;
  x_waiting.push_back(job);
}

bool Reapers::pending() const noexcept {
  return !x_waiting.empty() || std::any_of(x_jobs.begin(), x_jobs.end(),
                                           [](const Job& job) { return job.running && !job.handed_over; });
}

bool Reapers::take_ready(std::uint16_t& slot) {
  if (x_ready.empty()) return false;
  slot = x_ready.front();
  x_ready.pop_front();
  return true;
}

void Reapers::start(std::uint16_t place, Instant now) {
  const auto slot = static_cast<std::uint16_t>(x_first + place);
  const shm::WorkerId self = x_shared.slots->begin(slot, shm::WorkerKind::reaper);
  if (self.incarnation == 0) {
    LOG(x_log, alert, "slot {} of the shared segment is damaged", slot);
    x_damaged = true;
    return;
  }
  Job& job = x_jobs[place];
  const ReaperContext context{x_shared, self, x_waiting.front().death, x_waiting.front().handed_over};
  if (auto spawned = x_spawner.spawn_reaper(context); !spawned) {
    // No process to be had: it stays in the queue and is tried again with the next look.
    LOG(x_log, critical, "cannot start a reaper: {}",
        std::strerror(static_cast<int>(spawned.error().offset)));
    return;
  }
  job = x_waiting.front();
  x_waiting.pop_front();
  job.running = true;
  job.deadline = now + kDeadline;
}

void Reapers::look_at(Job& job, Instant now) {
  const shm::WorkerSlot* slot = x_shared.slots->slot(job.death.worker.slot);
  if (slot == nullptr) {
    x_damaged = true;
  } else if (slot->reaped.load(std::memory_order_acquire) == job.death.worker.incarnation) {
    job.handed_over = true;
    x_ready.push_back(job.death.worker.slot);
  } else if (now > job.deadline) {
    LOG(x_log, alert, "a reaper does not come to an end; the shared segment is taken as damaged");
    x_damaged = true;
  }
}

void Reapers::advance(Instant now) {
  for (std::uint16_t place = 0; place < kReaperSlots; ++place) {
    Job& job = x_jobs[place];
    if (!job.running && !x_waiting.empty() && !x_damaged) start(place, now);
    if (job.running && !job.handed_over) look_at(job, now);
  }
}

void Reapers::ended(const WorkerExit& exit) {
  Job& job = x_jobs[exit.slot - x_first];
  x_shared.slots->mark_dead(exit.slot, exit.signal);
  // It may have handed over since the last look.
  if (!job.handed_over) look_at(job, 0);
  job.running = false;
  if (exit.signal == 0 && exit.status == 0) return;
  if (is_from_outside(exit.signal)) {
    LOG(x_log, notice, "a reaper was killed, another one goes on");
    x_waiting.push_front(job);
  } else if (exit.signal != 0) {
    LOG(x_log, alert, "a reaper died by signal {} ({})", exit.signal, ::strsignal(exit.signal));
    x_damaged = true;
  } else {
    LOG(x_log, alert, "a reaper found the shared segment overwritten");
    x_damaged = true;
  }
}

}  // namespace ser::srv
