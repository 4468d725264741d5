// SPDX-License-Identifier: Apache-2.0
#include "srv/reaper.h"

#include <signal.h>
#include <time.h>

#include <cerrno>
#include <cstring>
#include <exception>

namespace ser::srv {

namespace {
/// Cells looked at between two pauses.
constexpr std::uint32_t kSlice = 4096;
constexpr std::uint32_t kClaimMs = 20;
constexpr long kPauseNs = 200'000;
/// Slices in a row without progress, each of which has waited for a lock already: about five seconds.
constexpr unsigned kPatience = 100;
/// What a datagram can have in its block and its place of the spill area.
constexpr std::size_t kLongest = shm::kRxBlock - 1 + shm::kSpillBytes - 1;

void pause_between_slices() noexcept {
  const timespec pause{0, kPauseNs};
  ::nanosleep(&pause, nullptr);
}
}  // namespace

bool is_from_outside(int signal) noexcept {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

Reaper::Reaper(Shared& shared, shm::WorkerId self, Logger& log)
    : x_shared(shared),
      x_slot(*shared.slots->slot(self.slot)),
      x_self(self),
      x_check(*shared.slots),
      x_actor(self, &x_slot.held, &x_check),
      x_log(log),
      x_corruptions(shared.segment.header().corruptions.load(std::memory_order_relaxed)) {}

bool Reaper::is_damaged() const noexcept {
  return x_shared.segment.header().corruptions.load(std::memory_order_relaxed) != x_corruptions;
}

bool Reaper::batch_is_sane(const shm::WorkerSlot& slot) const noexcept {
  const shm::RxBatch& rx = slot.rx;
  const std::uint32_t received = rx.count.load(std::memory_order_acquire);
  const std::uint32_t queued = slot.tx.count.load(std::memory_order_acquire);
  if (received > shm::kRxBatch || queued > shm::kTxBatch) return false;
  for (std::uint32_t i = rx.next.load(std::memory_order_acquire); i < received; ++i) {
    const shm::RxEntry& entry = rx.entries[i];
    if (entry.length > kLongest || entry.socket >= x_shared.udp.size() || !x_shared.heap->valid(entry.block))
      return false;
  }
  for (std::uint32_t i = slot.tx.sent.load(std::memory_order_acquire); i < queued; ++i) {
    const shm::TxEntry& entry = slot.tx.entries[i];
    if (entry.offset > shm::kSendArea || entry.length > shm::kSendArea - entry.offset) return false;
  }
  return true;
}

void Reaper::tell(const crash::Recorded& recorded) noexcept {
  using File = crash::Recorded::File;
  if (recorded.file == File::written)
    LOG(x_log, notice, "crash file {}: {} at stage {}", &recorded.name[0], to_string(recorded.cause),
        to_string(recorded.stage));
  else if (recorded.file == File::failed)
    LOG(x_log, error, "cannot write crash file {}: {}", &recorded.name[0], std::strerror(recorded.error));
  if (recorded.quarantined)
    LOG(x_log, alert,
        "{} workers died of messages like 0x{:016x} at stage {}: such messages are dropped for {} s",
        recorded.deaths, recorded.fingerprint, to_string(recorded.stage),
        x_shared.quarantine->limits().time / 1'000'000'000);
}

bool Reaper::hand_over(const Death& death) noexcept {
  shm::WorkerSlot* slot = x_shared.slots->slot(death.worker.slot);
  if (slot == nullptr) return false;
  const std::uint32_t locks =
      x_shared.slots->release_locks(x_shared.segment, death.worker.slot, death.worker);
  if (locks != 0) LOG(x_log, notice, "{} locks of a dead worker released", locks);
  // It may have died between letting a run wait and telling the event worker, which is woken afterwards.
  x_shared.suspended->ask_rescan();
  if (death.kind != shm::WorkerKind::datagram) return true;
  if (!batch_is_sane(*slot)) return false;
  const shm::Owner dead = shm::Owner::worker(death.worker);
  const shm::Owner next = shm::Owner::worker({death.worker.slot, death.worker.incarnation + 1});
  for (const shm::RxEntry& entry : slot->rx.entries) {
    // A block that somebody else keeps by now stays theirs.
    if (entry.block != nullptr && x_shared.heap->valid(entry.block) &&
        x_shared.heap->owner_of(entry.block) == dead)
      x_shared.heap->transfer(entry.block, next);
  }
  return true;
}

/// A suspended run in the hands of the dead one is lost with it, wherever its cells were on their way to;
/// those that waited go on.
bool Reaper::sweep_incarnation(shm::WorkerId dead) noexcept {
  if (!sweep_owner(shm::Owner::worker(dead))) return false;
  const proxy::SuspendedRuns& runs = *x_shared.suspended;
  std::uint32_t index = 0;
  while ((index = runs.next_held(index, dead)) != proxy::SuspendedRuns::kNone) {
    if (!sweep_owner(proxy::SuspendedRuns::owner(index))) return false;
    runs.bury(*x_shared.timers, x_actor, index);
  }
  return true;
}

bool Reaper::sweep_owner(shm::Owner dead) noexcept {
  shm::SweepCursor cursor;
  for (unsigned stuck = 0; stuck < kPatience;) {
    const shm::SweepCursor before = cursor;
    if (x_shared.heap->sweep(x_actor, dead, cursor, kSlice)) {
      if (cursor.freed_cells != 0)
        LOG(x_log, notice, "{} cells of a dead worker freed, {} bytes", cursor.freed_cells,
            cursor.freed_bytes);
      return true;
    }
    stuck = cursor.block == before.block && cursor.cell == before.cell ? stuck + 1 : 0;
    pause_between_slices();
  }
  return false;
}

bool Reaper::sweep(std::uint16_t index) noexcept {
  shm::WorkerSlot* slot = x_shared.slots->slot(index);
  if (slot == nullptr) return false;
  // Two that sweep for the same dead would free a cell twice. Who is refused has raised `reaped` before, and
  // who holds the lock looks at it again after letting go.
  while (slot->swept.load(std::memory_order_acquire) < slot->reaped.load(std::memory_order_acquire)) {
    const shm::LockGuard claim(slot->sweeping, x_actor, shm::LockLevel::module, kClaimMs);
    if (!claim.owns()) return true;
    for (std::uint32_t dead = slot->swept.load(std::memory_order_acquire) + 1;
         dead <= slot->reaped.load(std::memory_order_acquire); ++dead) {
      if (!sweep_incarnation({index, dead}) || is_damaged()) return false;
      slot->swept.store(dead, std::memory_order_release);
    }
  }
  return true;
}

/// The successor may start as soon as `reaped` is raised, and overwrites the slot then.
bool Reaper::put_right(const Death& death) noexcept {
  crash::Recorder recorder(recorder_context(x_shared));
  crash::Recorded recorded;
  try {
    recorded = recorder.examine(death, x_actor);
  } catch (const std::exception&) {
    recorded.file = crash::Recorded::File::failed;
    recorded.error = ENOMEM;
  }
  const bool sound = hand_over(death);
  shm::WorkerSlot* slot = x_shared.slots->slot(death.worker.slot);
  if (sound && slot != nullptr) slot->reaped.store(death.worker.incarnation, std::memory_order_release);
  recorder.write(recorded);
  tell(recorded);
  return sound;
}

int Reaper::run(const Death& death, bool sweep_only) noexcept {
  x_slot.state.store(shm::WorkerState::working, std::memory_order_release);
  // A reaper before us in this slot may have died with locks held and a cell half freed.
  x_slot.reaped.store(x_self.incarnation - 1, std::memory_order_release);
  if (!sweep_only && !put_right(death)) return kExitDamaged;
  if (!sweep(death.worker.slot) || !sweep(x_self.slot)) return kExitDamaged;
  // We leave nothing behind.
  x_slot.swept.store(x_self.incarnation, std::memory_order_release);
  return 0;
}

}  // namespace ser::srv
