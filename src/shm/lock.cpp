// SPDX-License-Identifier: Apache-2.0
#include "shm/lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace ser::shm {

namespace {
constexpr std::int64_t kSliceNs = 5'000'000;
constexpr int kSpins = 100;

std::int64_t monotonic_ns() noexcept {
  timespec ts{};
  ::clock_gettime(CLOCK_MONOTONIC, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

void pause_cpu() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}
}  // namespace

bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::int64_t timeout_ns) noexcept {
  timespec ts{.tv_sec = timeout_ns / 1'000'000'000, .tv_nsec = timeout_ns % 1'000'000'000};
  const long rc = ::syscall(SYS_futex, &word, FUTEX_WAIT, seen, timeout_ns < 0 ? nullptr : &ts, nullptr, 0);
  return !(rc == -1 && errno == ETIMEDOUT);
}

void futex_wake(std::atomic<std::uint32_t>& word, int waiters) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, waiters, nullptr, nullptr, 0);
}

void FutexLock::wake_one() noexcept {
  futex_wake(x_word, 1);
}

LockOutcome FutexLock::lock_slow(Actor& self, std::uint32_t max_wait_ms) noexcept {
  for (int spin = 0; spin < kSpins; ++spin) {
    std::uint32_t expected = 0;
    if (x_word.load(std::memory_order_relaxed) == 0 &&
        x_word.compare_exchange_strong(expected, self.lock_word(), std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      return LockOutcome::taken;
    }
    pause_cpu();
  }
  // From here on we take the lock with the waiters bit set: others may sleep beside us.
  const std::uint32_t mine = self.lock_word() | kWaiters;
  const std::int64_t deadline = monotonic_ns() + std::int64_t{max_wait_ms} * 1'000'000;
  bool timed_out = false;
  unsigned unknown = 0;
  for (;;) {
    std::uint32_t word = x_word.load(std::memory_order_relaxed);
    if (word == 0) {
      if (x_word.compare_exchange_weak(word, mine, std::memory_order_acquire, std::memory_order_relaxed)) {
        return LockOutcome::taken;
      }
      continue;
    }
    const std::uint32_t holder = word & ~kWaiters;
    const auto slot = static_cast<std::uint16_t>((holder >> 20) - 1);
    // An unlock wakes us, so whoever is named through two whole slices has held it all the time, and says so.
    const bool named = !timed_out || self.check() == nullptr || self.check()->holds(slot, *this);
    unknown = named ? 0 : unknown + 1;
    if (timed_out && self.check() != nullptr &&
        (unknown >= 2 || !self.check()->alive(slot, holder & 0xFFFFFU))) {
      // A dead holder changes nothing any more, so this exchange fails only when another waiter was first.
      if (x_word.compare_exchange_strong(word, mine, std::memory_order_acquire, std::memory_order_relaxed)) {
        return LockOutcome::recovered;
      }
      continue;
    }
    if (monotonic_ns() >= deadline) {
      forget(self);
      return LockOutcome::timed_out;
    }
    if ((word & kWaiters) == 0 &&
        !x_word.compare_exchange_strong(word, word | kWaiters, std::memory_order_relaxed)) {
      continue;
    }
    timed_out = !futex_wait(x_word, holder | kWaiters, kSliceNs);
  }
}

bool FutexLock::release_dead(WorkerId dead) noexcept {
  std::uint32_t word = x_word.load(std::memory_order_relaxed);
  while ((word & ~kWaiters) == Actor::lock_word(dead)) {
    if (x_word.compare_exchange_weak(word, 0, std::memory_order_acq_rel)) {
      if ((word & kWaiters) != 0) futex_wake(x_word, 1);
      return true;
    }
  }
  return false;
}

}  // namespace ser::shm
