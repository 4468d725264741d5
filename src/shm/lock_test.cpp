// SPDX-License-Identifier: Apache-2.0
#include "shm/lock.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "shm/section.h"
#include "shm/test_world.h"

namespace ser::shm {
namespace {

struct Shared {
  LoggedLock<8> lock;
  std::uint64_t a;
  std::uint64_t b;
  std::atomic<std::uint32_t> small;
};

TEST(FutexLock, WordSaysWhoHoldsIt) {
  World world;
  Actor self = world.worker(3);
  auto* lock = world.segment.reserve_object<FutexLock>();
  {
    LockGuard guard(*lock, self, LockLevel::module);
    ASSERT_TRUE(guard.owns());
    EXPECT_FALSE(guard.recovered());
    EXPECT_EQ(lock->word(), 4U << 20 | 1U);
    EXPECT_TRUE(lock->held_by(self));
    EXPECT_EQ(world.slots.slot(3)->held.count.load(), 1U);
    EXPECT_EQ(world.slots.slot(3)->held.entries[0].lock.load(), lock);
  }
  EXPECT_EQ(lock->word(), 0U);
  EXPECT_EQ(world.slots.slot(3)->held.count.load(), 0U);
}

TEST(FutexLock, WaitingForALivingHolderEnds) {
  World world;
  Actor holder = world.worker(0);
  Actor waiter = world.worker(1);
  auto* lock = world.segment.reserve_object<FutexLock>();
  ASSERT_EQ(lock->lock(holder, LockLevel::module), LockOutcome::taken);
  EXPECT_EQ(lock->lock(waiter, LockLevel::module, 12), LockOutcome::timed_out);
  EXPECT_EQ(world.slots.slot(1)->held.count.load(), 0U);
  lock->unlock(holder);
  EXPECT_EQ(lock->lock(waiter, LockLevel::module, 12), LockOutcome::taken);
  lock->unlock(waiter);
  EXPECT_EQ(lock->word(), 0U);
}

TEST(FutexLock, ADeadHoldersLockIsTakenOver) {
  World world;
  Actor dead = world.worker(0);
  Actor heir = world.worker(1);
  auto* lock = world.segment.reserve_object<FutexLock>();
  ASSERT_EQ(lock->lock(dead, LockLevel::module), LockOutcome::taken);
  world.slots.mark_dead(0, SIGKILL);
  EXPECT_EQ(lock->lock(heir, LockLevel::module, 2000), LockOutcome::recovered);
  EXPECT_TRUE(lock->held_by(heir));
  lock->unlock(heir);
}

TEST(FutexLock, AnOverwrittenWordIsTakenOver) {
  World world;
  [[maybe_unused]] Actor named = world.worker(0);
  Actor waiter = world.worker(1);
  auto* lock = world.segment.reserve_object<FutexLock>();
  // A living worker that holds nothing, one that there is not, and bits of nobody.
  for (const std::uint32_t word :
       {Actor::lock_word(named.id()), Actor::lock_word({900, 7}), 0x7FFFFFFFU, 0x80000000U}) {
    std::memcpy(static_cast<void*>(lock), &word, sizeof word);
    EXPECT_EQ(lock->lock(waiter, LockLevel::module, 500), LockOutcome::recovered) << word;
    lock->unlock(waiter);
    EXPECT_EQ(lock->word(), 0U);
  }
}

TEST(FutexLock, TheNextIncarnationIsNotTheHolder) {
  World world;
  Actor dead = world.worker(0);
  auto* lock = world.segment.reserve_object<FutexLock>();
  ASSERT_EQ(lock->lock(dead, LockLevel::module), LockOutcome::taken);
  Actor next = world.worker(0);
  EXPECT_FALSE(lock->held_by(next));
  EXPECT_EQ(lock->lock(next, LockLevel::module, 2000), LockOutcome::recovered);
  lock->unlock(next);
}

TEST(FutexLock, TheReaperReleasesWhatTheDeadHeld) {
  World world;
  Actor dead = world.worker(0);
  Actor other = world.worker(1);
  auto* mine = world.segment.reserve_object<FutexLock>();
  auto* his = world.segment.reserve_object<FutexLock>();
  ASSERT_EQ(mine->lock(dead, LockLevel::module), LockOutcome::taken);
  ASSERT_EQ(his->lock(other, LockLevel::module), LockOutcome::taken);
  WorkerSlot& slot = *world.slots.slot(0);
  slot.held.entries[1].lock = his;  // stale: not the dead one's
  slot.held.entries[2].lock = reinterpret_cast<FutexLock*>(std::uintptr_t{0x1234});  // damaged
  EXPECT_EQ(world.slots.release_locks(world.segment, 0, dead.id()), 1U);
  EXPECT_EQ(mine->word(), 0U);
  EXPECT_TRUE(his->held_by(other));
  his->unlock(other);
}

TEST(FutexLock, AKilledProcessLosesItsLock) {
  World world;
  auto* lock = world.segment.reserve_object<FutexLock>();
  Actor dead = world.worker(0);
  Actor heir = world.worker(1);
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (lock->lock(dead, LockLevel::module) == LockOutcome::taken) ::raise(SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status));
  world.slots.mark_dead(0, WTERMSIG(status));
  EXPECT_EQ(lock->lock(heir, LockLevel::module, 2000), LockOutcome::recovered);
  lock->unlock(heir);
}

TEST(FutexLock, ThreadsExcludeEachOther) {
  World world;
  auto* shared = world.segment.reserve_object<Shared>();
  constexpr int kThreads = 4;
  constexpr std::uint64_t kRounds = 20'000;
  std::vector<Actor> actors;
  for (std::uint16_t i = 0; i < kThreads; ++i) actors.push_back(world.worker(i));
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (Actor& actor : actors) {
      threads.emplace_back([&, self = &actor] {
        for (std::uint64_t i = 0; i < kRounds; ++i) {
          LockGuard guard(shared->lock.lock, *self, LockLevel::module, 60'000);
          if (!guard.owns()) ++refused;
          ++shared->a;
        }
      });
    }
  }
  EXPECT_EQ(refused.load(), 0);
  EXPECT_EQ(shared->a, kThreads * kRounds);
}

#ifndef NDEBUG
TEST(FutexLockDeathTest, OrderIsAsserted) {
  World world;
  Actor self = world.worker(0);
  auto* high = world.segment.reserve_object<FutexLock>();
  auto* low = world.segment.reserve_object<FutexLock>();
  LockGuard first(*high, self, LockLevel::timers);
  GTEST_FLAG_SET(death_test_style, "fast");
  EXPECT_DEATH({ LockGuard second(*low, self, LockLevel::transaction); }, "lock order violated");
}
#endif

TEST(Section, CommittedStandsUncommittedGoes) {
  World world;
  Actor self = world.worker(0);
  auto* shared = world.segment.reserve_object<Shared>();
  {
    Section section(shared->lock, self, LockLevel::module);
    ASSERT_TRUE(section);
    section.set(shared->a, 1U);
    section.set_atomic(shared->small, 2U);
    section.commit();
    section.set(shared->a, 3U);
    section.set(shared->a, 4U);
    section.set(shared->b, 5U);
    section.set_atomic(shared->small, 6U);
  }
  EXPECT_EQ(shared->a, 1U);
  EXPECT_EQ(shared->b, 0U);
  EXPECT_EQ(shared->small.load(), 2U);
  EXPECT_EQ(shared->lock.lock.word(), 0U);
}

TEST(Section, DeathAtAnyStepIsAllOrNothing) {
  World world;
  auto* shared = world.segment.reserve_object<Shared>();
  bool seen_old = false;
  bool seen_new = false;
  for (int step = 0; step < 200; ++step) {
    shared->a = shared->b = 7;
    shared->small.store(7);
    Actor self = world.worker(0);
    const bool died = dies_at(step, self, [&] {
      Section section(shared->lock, self, LockLevel::module);
      section.set(shared->a, 8U);
      section.set(shared->b, 8U);
      section.set_atomic(shared->small, 8U);
      section.commit();
    });
    world.slots.mark_dead(0, SIGKILL);
    Actor heir = world.worker(1);
    Section section(shared->lock, heir, LockLevel::module, 2000);
    ASSERT_TRUE(section);
    EXPECT_TRUE(shared->a == 7 || shared->a == 8) << step;
    EXPECT_EQ(shared->a, shared->b) << step;
    EXPECT_EQ(shared->a, shared->small.load()) << step;
    (shared->a == 7 ? seen_old : seen_new) = true;
    if (!died) break;
  }
  EXPECT_TRUE(seen_old);
  EXPECT_TRUE(seen_new);
  EXPECT_EQ(shared->a, 8U);
}

}  // namespace
}  // namespace ser::shm
