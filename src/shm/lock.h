// SPDX-License-Identifier: Apache-2.0
// FutexLock: four bytes that say who holds them, so that a dead holder's lock can be taken over.
#pragma once
#include <atomic>
#include <cassert>
#include <cstdint>

#include "shm/actor.h"

namespace ser::shm {

/// How an attempt to lock ended.
enum class LockOutcome : std::uint8_t {
  taken,      ///< ours
  recovered,  ///< ours; its holder died, or the word was overwritten: what it guards may be half changed (see
              ///< shm/section.h for an automatic repair)
  timed_out,  ///< not ours: the holder lives but does not let go (a stopped process). Refuse the work, do not
              ///< spin
};

/// Mutual exclusion between workers, in the segment. Held for a few instructions, never across a callback, a
/// send or a log line. Not recursive. Word: 0 free, else Actor::lock_word() of the holder, bit 31: somebody
/// waits.
class FutexLock {
 public:
  static constexpr std::uint32_t kWaiters = 0x8000'0000U;
  /// How long lock() waits for a living holder, by default.
  static constexpr std::uint32_t kMaxWaitMs = 50;

  /// Takes the lock, or takes it over from a dead holder (asked after 5 ms of waiting, then every 5 ms).
  LockOutcome lock(Actor& self, LockLevel level, std::uint32_t max_wait_ms = kMaxWaitMs) noexcept {
    remember(self, level);
    std::uint32_t expected = 0;
    if (x_word.compare_exchange_strong(expected, self.lock_word(), std::memory_order_acquire,
                                       std::memory_order_relaxed)) [[likely]] {
      return LockOutcome::taken;
    }
    return lock_slow(self, max_wait_ms);
  }
  /// Only by the holder.
  void unlock(Actor& self) noexcept {
    self.step();
    if ((x_word.exchange(0, std::memory_order_release) & kWaiters) != 0) [[unlikely]]
      wake_one();
    forget(self);
  }
  /// Reaper: frees the lock if `dead`, a worker known to be dead, holds it; what it guards is repaired by the
  /// next holder of a Section. True when it did.
  bool release_dead(WorkerId dead) noexcept;

  /// The word, for diagnosis. May be stale at once.
  std::uint32_t word() const noexcept { return x_word.load(std::memory_order_relaxed); }
  bool held_by(const Actor& self) const noexcept { return (word() & ~kWaiters) == self.lock_word(); }

 private:
  LockOutcome lock_slow(Actor& self, std::uint32_t max_wait_ms) noexcept;
  void wake_one() noexcept;
  void remember(Actor& self, LockLevel level) noexcept {
    HeldLocks* held = self.held();
    if (held == nullptr) return;
    const std::uint32_t n = held->count.load(std::memory_order_relaxed);
    assert(n < HeldLocks::kMax && "too many locks held at once");
    assert((n == 0 || held->entries[n - 1].level < level) && "lock order violated");
    HeldLocks::Entry& entry = held->entries[n & (HeldLocks::kMax - 1)];
    entry.lock.store(this, std::memory_order_relaxed);
    entry.level = level;
    self.step();
    held->count.store(n + 1, std::memory_order_relaxed);
    self.step();
  }
  static void forget(Actor& self) noexcept {
    if (HeldLocks* held = self.held(); held != nullptr) {
      held->count.store(held->count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    }
  }

  std::atomic<std::uint32_t> x_word{0};
};
static_assert(sizeof(FutexLock) == 4 && Storable<FutexLock>);

/// Locks in the constructor, unlocks in the destructor. Check owns() first.
class LockGuard {
 public:
  LockGuard(FutexLock& lock, Actor& self, LockLevel level,
            std::uint32_t max_wait_ms = FutexLock::kMaxWaitMs) noexcept
      : x_lock(lock), x_self(self), x_outcome(lock.lock(self, level, max_wait_ms)) {}
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;
  ~LockGuard() {
    if (owns()) x_lock.unlock(x_self);
  }
  bool owns() const noexcept { return x_outcome != LockOutcome::timed_out; }
  /// The holder before us died inside: what the lock guards must be looked at.
  bool recovered() const noexcept { return x_outcome == LockOutcome::recovered; }

 private:
  FutexLock& x_lock;
  Actor& x_self;
  LockOutcome x_outcome;
};

/// FUTEX_WAIT / FUTEX_WAKE on a shared word. wait: returns on a wake, when the word differs from `seen`, on a
/// signal, or after `timeout_ns` (< 0: no limit). False on time-out only.
bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::int64_t timeout_ns) noexcept;
void futex_wake(std::atomic<std::uint32_t>& word, int waiters) noexcept;

}  // namespace ser::shm
