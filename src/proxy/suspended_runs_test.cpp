// SPDX-License-Identifier: Apache-2.0
#include "proxy/suspended_runs.h"

#include <gtest/gtest.h>

#include <thread>

#include "shm/test_world.h"

namespace ser::proxy {
namespace {

using Stage = SuspendedRuns::Stage;

struct RunsWorld : shm::World {
  explicit RunsWorld(std::uint32_t capacity = 4)
      : runs(*SuspendedRuns::create(segment, capacity)),
        timers(*shm::Timers::create(segment)),
        self(worker(0)),
        other(worker(1)) {}
  Stage stage(std::uint32_t index) const { return runs.look(index).stage; }
  SuspendedRuns runs;
  shm::Timers timers;
  shm::Actor self, other;
};

TEST(SuspendedRuns, AWaitFromItsBeginningToItsEnd) {
  RunsWorld world;
  const std::uint32_t index = world.runs.take(world.self);
  ASSERT_NE(index, SuspendedRuns::kNone);
  EXPECT_EQ(world.stage(index), Stage::taken);
  const Ticket ticket = world.runs.begin_wait(index);
  EXPECT_TRUE(static_cast<bool>(ticket));
  EXPECT_EQ(SuspendedRuns::index_of(ticket), index);
  EXPECT_FALSE(world.runs.publish(world.self, index));
  EXPECT_EQ(world.stage(index), Stage::waiting);
  Answer answer;
  EXPECT_FALSE(world.runs.claim(index, world.other, answer)) << "nobody has answered";
  EXPECT_TRUE(world.runs.answer(ticket, {-17, true}));
  EXPECT_FALSE(world.runs.answer(ticket, {3, false}));
  EXPECT_TRUE(world.runs.claim(index, world.other, answer));
  EXPECT_FALSE(world.runs.claim(index, world.self, answer)) << "somebody has it";
  EXPECT_EQ(answer.code, -17);
  EXPECT_TRUE(answer.expired);
  // It waits again: the old ticket is void.
  const Ticket second = world.runs.begin_wait(index);
  EXPECT_FALSE(second == ticket);
  world.runs.publish(world.other, index);
  EXPECT_FALSE(world.runs.answer(ticket, {1, false}));
  EXPECT_TRUE(world.runs.answer(second, {1, false}));
  EXPECT_TRUE(world.runs.claim(index, world.other, answer));
  EXPECT_FALSE(answer.expired);
  world.runs.release(index);
  EXPECT_EQ(world.stage(index), Stage::free);
  EXPECT_FALSE(world.runs.answer(second, {1, false}));
}

TEST(SuspendedRuns, AnAnswerBeforeTheRunIsPutDown) {
  RunsWorld world;
  const std::uint32_t index = world.runs.take(world.self);
  const Ticket ticket = world.runs.begin_wait(index);
  EXPECT_TRUE(world.runs.answer(ticket, {5, false}));
  EXPECT_FALSE(world.runs.answer(ticket, {6, false})) << "the first one counts";
  EXPECT_TRUE(world.runs.publish(world.self, index));
  Answer answer;
  EXPECT_TRUE(world.runs.claim(index, world.other, answer));
  EXPECT_EQ(answer.code, 5);
  // It is not taken for the answer to the next wait.
  world.runs.begin_wait(index);
  EXPECT_FALSE(world.runs.publish(world.other, index));
}

TEST(SuspendedRuns, AsManyAsThereAreCellsAndNoMore) {
  RunsWorld world(3);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(world.runs.take(world.self), i);
  EXPECT_EQ(world.runs.take(world.self), SuspendedRuns::kNone);
  world.runs.release(1);
  // A timer that could not be cancelled keeps its cell.
  EXPECT_TRUE(world.timers.arm_at(world.self, world.runs.cell(1).timer, 5'000'000'000, 0));
  EXPECT_EQ(world.runs.take(world.self), SuspendedRuns::kNone);
  EXPECT_TRUE(world.timers.cancel(world.self, world.runs.cell(1).timer));
  EXPECT_EQ(world.runs.take(world.other), 1U);
  RunsWorld none(0);
  EXPECT_EQ(none.runs.take(none.self), SuspendedRuns::kNone);
  EXPECT_FALSE(none.runs.answer({1 << 24}, {}));
}

TEST(SuspendedRuns, WhatTheDeadHeldIsFoundAndNothingElse) {
  RunsWorld world;
  const std::uint32_t held = world.runs.take(world.self);
  const std::uint32_t waits = world.runs.take(world.self);
  const std::uint32_t others = world.runs.take(world.other);
  world.runs.begin_wait(waits);
  world.runs.publish(world.self, waits);
  EXPECT_TRUE(world.timers.arm_at(world.self, world.runs.cell(held).timer, 5'000'000'000, 0));
  EXPECT_EQ(world.runs.next_held(0, world.self.id()), held);
  EXPECT_EQ(world.runs.next_held(held + 1, world.self.id()), SuspendedRuns::kNone);
  world.runs.bury(world.timers, world.other, held);
  EXPECT_EQ(world.stage(held), Stage::free);
  EXPECT_EQ(world.stage(waits), Stage::waiting);
  EXPECT_EQ(world.stage(others), Stage::taken);
  EXPECT_EQ(world.timers.armed(), 0U);
}

TEST(SuspendedRuns, EveryAnswerArrivesOnceWhoeverIsFaster) {
  RunsWorld world;
  constexpr int kRounds = 20'000;
  std::atomic<std::uint64_t> shown{0};
  std::atomic<int> accepted{0};
  std::thread answers([&] {
    std::uint64_t seen = 0;
    for (int i = 0; i < kRounds; ++i) {
      std::uint64_t ticket = shown.load(std::memory_order_acquire);
      while (ticket == seen) {
        std::this_thread::yield();
        ticket = shown.load(std::memory_order_acquire);
      }
      seen = ticket;
      if (world.runs.answer({ticket}, {i, false})) accepted.fetch_add(1);
    }
  });
  int received = 0;
  std::uint32_t index = world.runs.take(world.self);
  for (int i = 0; i < kRounds; ++i) {
    shown.store(world.runs.begin_wait(index).value, std::memory_order_release);
    world.runs.cell(index).progress = static_cast<std::uint64_t>(i);
    world.runs.publish(world.self, index);
    Answer answer;
    while (!world.runs.claim(index, world.self, answer)) std::this_thread::yield();
    received += answer.code == i ? 1 : 0;
  }
  answers.join();
  EXPECT_EQ(received, kRounds);
  EXPECT_EQ(accepted.load(), kRounds);
}

}  // namespace
}  // namespace ser::proxy
