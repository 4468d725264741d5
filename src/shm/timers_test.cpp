// SPDX-License-Identifier: Apache-2.0
#include "shm/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "shm/test_world.h"

namespace ser::shm {
namespace {

constexpr Instant kMs = 1'000'000;

struct TimersWorld : World {
  TimersWorld() : timers(*Timers::create(segment)), self(worker(0)) {}
  TimerEntry& entry(std::uint64_t number) {
    auto* made = segment.reserve_object<TimerEntry>();
    made->type = 1;
    made->words[0] = number;
    return *made;
  }
  std::vector<std::uint64_t> expire(Instant now, std::uint32_t max = 1000) {
    std::vector<std::uint64_t> numbers;
    timers.expire(self, now, max, [&](const TimerEvent& event) { numbers.push_back(event.words[0]); });
    return numbers;
  }
  Timers timers;
  Actor self;
};

using Numbers = std::vector<std::uint64_t>;

TEST(Timers, QueueExpiresInOrder) {
  TimersWorld world;
  const TimerQueue t1 = world.timers.queue(500 * kMs);
  EXPECT_EQ(world.timers.queue(500 * kMs), t1);
  EXPECT_EQ(world.timers.duration(t1), 500 * kMs);
  EXPECT_EQ(world.timers.next_expiry(), Timers::kNever);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(world.timers.arm(world.self, world.entry(i), t1, static_cast<Instant>(i) * kMs));
  }
  EXPECT_EQ(world.timers.armed(), 3U);
  EXPECT_EQ(world.timers.next_expiry(), 500 * kMs);
  EXPECT_EQ(world.expire(500 * kMs - 1), Numbers{});
  EXPECT_EQ(world.expire(501 * kMs), (Numbers{0, 1}));
  EXPECT_EQ(world.timers.next_expiry(), 502 * kMs);
  EXPECT_EQ(world.expire(1000 * kMs), Numbers{2});
  EXPECT_EQ(world.timers.next_expiry(), Timers::kNever);
  EXPECT_EQ(world.timers.armed(), 0U);
}

TEST(Timers, CancelAnywhereInTheQueue) {
  TimersWorld world;
  const TimerQueue queue = world.timers.queue(100 * kMs);
  std::vector<TimerEntry*> entries;
  for (std::uint64_t i = 0; i < 5; ++i) {
    entries.push_back(&world.entry(i));
    world.timers.arm(world.self, *entries.back(), queue, static_cast<Instant>(i));
  }
  for (const std::size_t i : {2U, 0U, 4U}) {
    EXPECT_TRUE(Timers::armed(*entries[i]));
    EXPECT_TRUE(world.timers.cancel(world.self, *entries[i]));
    EXPECT_FALSE(Timers::armed(*entries[i]));
    EXPECT_FALSE(world.timers.cancel(world.self, *entries[i]));
  }
  EXPECT_EQ(world.timers.next_expiry(), 100 * kMs + 1);
  EXPECT_TRUE(world.timers.arm(world.self, *entries[0], queue, 50 * kMs));
  EXPECT_EQ(world.expire(1000 * kMs), (Numbers{1, 3, 0}));
}

TEST(Timers, ExpireIsBounded) {
  TimersWorld world;
  const TimerQueue queue = world.timers.queue(kMs);
  for (std::uint64_t i = 0; i < 100; ++i) world.timers.arm(world.self, world.entry(i), queue, 0);
  EXPECT_EQ(world.expire(kMs, 40).size(), 40U);
  EXPECT_EQ(world.timers.armed(), 60U);
  EXPECT_EQ(world.expire(kMs, 1000).size(), 60U);
}

TEST(Timers, ACallbackMayArmAgain) {
  TimersWorld world;
  const TimerQueue queue = world.timers.queue(10 * kMs);
  TimerEntry& entry = world.entry(7);
  world.timers.arm(world.self, entry, queue, 0);
  int calls = 0;
  for (Instant now = 0; now <= 100 * kMs; now += 10 * kMs) {
    world.timers.expire(world.self, now, 10, [&](const TimerEvent& event) {
      ++calls;
      EXPECT_EQ(event.deadline, now);
      world.timers.arm(world.self, entry, queue, now);
    });
  }
  EXPECT_EQ(calls, 10);
}

TEST(Timers, WheelFiresWithinATickAndNeverEarly) {
  TimersWorld world;
  SeededRandom random(5);
  std::map<std::uint64_t, Instant> due;
  const Instant start = 123'456'789 * kMs;
  std::vector<TimerEntry*> cancelled;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const Instant deadline = start + static_cast<Instant>(random.next() % 40'000) * kMs;  // up to 2.4 turns
    TimerEntry& entry = world.entry(i);
    ASSERT_TRUE(world.timers.arm_at(world.self, entry, deadline, start));
    if (i % 10 == 3) {
      cancelled.push_back(&entry);
    } else {
      due[i] = deadline;
    }
  }
  for (TimerEntry* entry : cancelled) EXPECT_TRUE(world.timers.cancel(world.self, *entry));
  int wakes = 0;
  while (!due.empty() && wakes < 5000) {
    ++wakes;
    const Instant now = world.timers.next_expiry();
    ASSERT_NE(now, Timers::kNever);
    for (const std::uint64_t number : world.expire(now)) {
      ASSERT_EQ(due.count(number), 1U);
      EXPECT_GE(now, due[number]);
      EXPECT_LT(now - due[number], 2 * Timers::kWheelTick);
      due.erase(number);
    }
  }
  EXPECT_TRUE(due.empty());
  EXPECT_EQ(world.timers.next_expiry(), Timers::kNever);
}

TEST(Timers, WheelAfterALongPauseAndWithPastDeadlines) {
  TimersWorld world;
  world.timers.arm_at(world.self, world.entry(1), 100 * kMs, 0);
  world.timers.arm_at(world.self, world.entry(2), 3'600'000 * kMs, 0);
  EXPECT_EQ(world.expire(3'000'000 * kMs), Numbers{1});
  world.timers.arm_at(world.self, world.entry(3), 5 * kMs, 3'000'000 * kMs);
  EXPECT_LE(world.timers.next_expiry(), 3'000'000 * kMs + Timers::kWheelTick);
  EXPECT_EQ(world.expire(3'000'000 * kMs + Timers::kWheelTick), Numbers{3});
  EXPECT_EQ(world.expire(7'200'000 * kMs), Numbers{2});
}

TEST(Timers, OddDurationsGoToTheWheelWhenQueuesAreOut) {
  TimersWorld world;
  for (std::uint32_t i = 1; i < Timers::kQueues; ++i) EXPECT_NE(world.timers.queue(i * kMs), kWheel);
  EXPECT_EQ(world.timers.queue(9999 * kMs), kWheel);
}

TEST(Timers, ArmingWakesTheSleeper) {
  TimersWorld world;
  const TimerQueue queue = world.timers.queue(kMs);
  Actor sleeper = world.worker(1);
  SystemClock clock;
  std::atomic<int> fired{0};
  std::atomic<bool> stop{false};
  std::jthread thread([&, timers = world.timers]() mutable {
    while (!stop.load()) {
      timers.expire(sleeper, clock.now(), 100, [&](const TimerEvent&) {
        ++fired;
        fired.notify_all();
      });
      timers.sleep(clock.now());
    }
  });
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(world.timers.arm(world.self, world.entry(1), queue, clock.now()));
    fired.wait(i);
  }
  EXPECT_EQ(fired.load(), 20);
  stop.store(true);
  world.timers.nudge();
}

TEST(Timers, DeathAtAnyStepOfArmAndCancel) {
  TimersWorld world;
  const TimerQueue queue = world.timers.queue(10 * kMs);
  bool died = true;
  for (int step = 0; died && step < 300; ++step) {
    TimerEntry& before = world.entry(1);
    TimerEntry& victim = world.entry(2);
    TimerEntry& wheel = world.entry(3);
    world.timers.arm(world.self, before, queue, 0);
    Actor dead = world.worker(2);
    died = dies_at(step, dead, [&] {
      world.timers.arm(dead, victim, queue, 0);
      world.timers.arm_at(dead, wheel, 20 * kMs, 0);
      world.timers.cancel(dead, victim);
      world.timers.cancel(dead, wheel);
    });
    world.bury(dead.id());
    world.timers.nudge();
    EXPECT_EQ(world.expire(0), Numbers{});  // repairs
    const std::uint64_t armed = world.timers.armed();
    EXPECT_GE(armed, 1U);
    const Numbers fired = world.expire(100 * kMs);
    EXPECT_EQ(fired.size(), armed) << step;
    EXPECT_EQ(std::count(fired.begin(), fired.end(), 1U), 1) << step;
    EXPECT_EQ(world.timers.armed(), 0U) << step;
    EXPECT_FALSE(world.timers.cancel(world.self, victim) || world.timers.cancel(world.self, wheel)) << step;
    EXPECT_FALSE(Timers::armed(victim) || Timers::armed(wheel)) << step;
  }
  EXPECT_FALSE(died);
}

TEST(Timers, ADeadTimerWorkerLosesNoEvent) {
  TimersWorld world;
  const TimerQueue queue = world.timers.queue(10 * kMs);
  auto* seen = world.segment.reserve_object<std::atomic<std::uint64_t>>();
  bool died = true;
  for (int step = 0; died && step < 500; ++step) {
    seen->store(0);
    for (std::uint64_t i = 0; i < 3; ++i) world.timers.arm(world.self, world.entry(i), queue, 0);
    world.timers.arm_at(world.self, world.entry(3), 10 * kMs, 0);
    const auto mark = [&](const TimerEvent& event) { seen->fetch_or(1ULL << event.words[0]); };
    Actor dead = world.worker(2);
    died = dies_at(step, dead, [&] { world.timers.expire(dead, 50 * kMs, 100, mark); });
    world.bury(dead.id());
    world.timers.nudge();
    Actor heir = world.worker(2);
    world.timers.expire(heir, 50 * kMs, 100, mark);
    EXPECT_EQ(seen->load(), 15U) << step;
    EXPECT_EQ(world.timers.armed(), 0U) << step;
  }
  EXPECT_FALSE(died);
}

TEST(Timers, ThreadsArmAndCancelWhileOneExpires) {
  TimersWorld world;
  const TimerQueue queue = world.timers.queue(kMs);
  constexpr int kRounds = 3'000;
  std::vector<Actor> actors;
  for (std::uint16_t i = 1; i < 4; ++i) actors.push_back(world.worker(i));
  std::atomic<std::uint64_t> armed{0};
  std::atomic<std::uint64_t> cancelled{0};
  std::uint64_t fired = 0;
  const auto count = [&](const TimerEvent&) { ++fired; };
  std::atomic<int> running{3};
  {
    std::vector<std::jthread> threads;
    for (Actor& actor : actors) {
      TimerEntry* entry = &world.entry(0);
      threads.emplace_back([&, self = &actor, entry] {
        for (int i = 0; i < kRounds; ++i) {
          const bool ok = (i & 1) == 0 ? world.timers.arm(*self, *entry, queue, i * kMs)
                                       : world.timers.arm_at(*self, *entry, i * kMs, i * kMs);
          if (ok) ++armed;
          if (world.timers.cancel(*self, *entry)) ++cancelled;
        }
        --running;
      });
    }
    while (running.load() > 0) world.timers.expire(world.self, kRounds * kMs, 100, count);
  }
  world.timers.expire(world.self, 10 * kRounds * kMs, UINT32_MAX, count);
  EXPECT_EQ(fired + cancelled.load(), armed.load());
  EXPECT_GT(armed.load(), 0U);
  EXPECT_EQ(world.timers.armed(), 0U);
}

}  // namespace
}  // namespace ser::shm
