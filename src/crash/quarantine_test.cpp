// SPDX-License-Identifier: Apache-2.0
#include "crash/quarantine.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "shm/test_world.h"

namespace ser::crash {
namespace {

using shm::Stage;

struct Fixture {
  shm::World world;
  TestClock clock;
  shm::Actor reaper = world.worker(7);
  Quarantine quarantine = *Quarantine::create(world.segment, {});
  Instant now() { return clock.now(); }
  DeathCount die(std::uint64_t fingerprint, Stage stage = Stage::script) {
    return quarantine.note_death(reaper, fingerprint, stage, now());
  }
};

TEST(Quarantine, HoldsFromTheThirdDeathForTenMinutes) {
  Fixture f;
  EXPECT_FALSE(f.quarantine.active(f.now()));
  EXPECT_FALSE(f.die(5).quarantined);
  EXPECT_FALSE(f.die(5).quarantined);
  EXPECT_FALSE(f.quarantine.active(f.now()));
  const DeathCount third = f.die(5);
  EXPECT_EQ(third.deaths, 3U);
  EXPECT_TRUE(third.quarantined);
  EXPECT_TRUE(f.quarantine.active(f.now()));
  EXPECT_TRUE(f.quarantine.holds(5, f.now()));
  EXPECT_FALSE(f.quarantine.holds(6, f.now()));
  EXPECT_EQ(f.quarantine.size(f.now()), 1U);
  f.clock.advance_ms(599'999);
  EXPECT_TRUE(f.quarantine.holds(5, f.now()));
  EXPECT_EQ(f.quarantine.list(f.now()).at(0).seconds_left, 1U);
  f.clock.advance_ms(1);
  EXPECT_FALSE(f.quarantine.active(f.now()));
  EXPECT_FALSE(f.quarantine.holds(5, f.now()));
  EXPECT_EQ(f.quarantine.size(f.now()), 0U);
  EXPECT_EQ(f.quarantine.list(f.now()).at(0).seconds_left, 0U) << "it is remembered";
}

TEST(Quarantine, WhatKillsAgainAfterwardsIsDroppedAtOnce) {
  Fixture f;
  for (int i = 0; i < 3; ++i) f.die(5);
  f.clock.advance_ms(700'000);
  EXPECT_TRUE(f.die(5).quarantined);
  f.clock.advance_ms(600'000 + 600'001);
  EXPECT_TRUE(f.quarantine.list(f.now()).empty());
  EXPECT_EQ(f.die(5).deaths, 1U) << "forgotten";
}

TEST(Quarantine, RareDeathsAreForgotten) {
  Fixture f;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(f.die(5).deaths, 1U);
    f.clock.advance_ms(600'001);
  }
}

TEST(Quarantine, StagesCountApartAndHoldTogether) {
  Fixture f;
  for (int i = 0; i < 2; ++i) f.die(5, Stage::script);
  EXPECT_EQ(f.die(5, Stage::forward).deaths, 1U);
  EXPECT_FALSE(f.quarantine.holds(5, f.now()));
  f.die(5, Stage::script);
  EXPECT_TRUE(f.quarantine.holds(5, f.now()));
  EXPECT_EQ(f.quarantine.list(f.now()).size(), 2U);
}

TEST(Quarantine, TheOldestOfAFullTableGoes) {
  Fixture f;
  for (std::uint64_t i = 1; i <= QuarantineTable::kMax; ++i) {
    for (int n = 0; n < 3; ++n) f.die(i);
    f.clock.advance_ms(1);
  }
  EXPECT_EQ(f.quarantine.size(f.now()), QuarantineTable::kMax);
  f.die(1000);
  EXPECT_FALSE(f.quarantine.holds(1, f.now()));
  EXPECT_TRUE(f.quarantine.holds(2, f.now()));
  EXPECT_EQ(f.quarantine.list(f.now()).size(), QuarantineTable::kMax);
}

TEST(Quarantine, NoDeathsMeansNever) {
  shm::World world;
  shm::Actor reaper = world.worker(7);
  Quarantine off = *Quarantine::create(world.segment, {.deaths = 0, .time = 1});
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(off.note_death(reaper, 1, Stage::script, i).quarantined);
  EXPECT_FALSE(off.active(5));
}

TEST(Quarantine, ADeadReapersLockIsTakenOver) {
  Fixture f;
  // A reaper dies at each store it makes under the lock; the next one counts on.
  for (int step = 0; step < 4; ++step) {
    shm::Actor dying = f.world.worker(6);
    shm::dies_at(step, dying, [&] { f.quarantine.note_death(dying, 5, Stage::script, f.now()); });
    f.world.slots.mark_dead(6, 9);
    EXPECT_GE(f.die(5).deaths, 1U) << step;
  }
  EXPECT_TRUE(f.quarantine.holds(5, f.now()));
}

TEST(Quarantine, OutlivesItsSegmentWithoutWhatIsImpossible) {
  Fixture f;
  for (int i = 0; i < 3; ++i) f.die(5);
  f.die(6);
  auto kept = f.quarantine.keep();
  kept.push_back({7, Stage::script, 3, f.now() + 1, f.now()});
  kept.insert(kept.begin(), {7, static_cast<Stage>(99), 3, 1, 0});
  kept.insert(kept.begin(), {8, Stage::script, 3, f.now(), INT64_MAX});
  Fixture next;
  next.quarantine.restore(kept, f.now());
  EXPECT_TRUE(next.quarantine.active(f.now()));
  EXPECT_TRUE(next.quarantine.holds(5, f.now()));
  EXPECT_FALSE(next.quarantine.holds(7, f.now()) || next.quarantine.holds(8, f.now()));
  EXPECT_EQ(next.quarantine.list(f.now()).size(), 2U);
  EXPECT_EQ(next.die(6).deaths, 2U);
}

TEST(Quarantine, HandlesOfOneTableSeeTheSame) {
  Fixture f;
  const Quarantine worker = f.quarantine;  // as a forked worker has it
  for (int i = 0; i < 3; ++i) f.die(5);
  EXPECT_TRUE(worker.holds(5, f.now()));
}

}  // namespace
}  // namespace ser::crash
