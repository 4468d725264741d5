// SPDX-License-Identifier: Apache-2.0
#include "shm/slot.h"

#include <gtest/gtest.h>

#include <string>

#include "shm/counters_page.h"
#include "shm/test_world.h"

namespace ser::shm {
namespace {

TEST(SlotTable, LifeOfASlot) {
  World world;
  WorkerSlot& slot = *world.slots.slot(2);
  EXPECT_EQ(slot.state.load(), WorkerState::empty);
  const WorkerId id = world.slots.begin(2, WorkerKind::datagram);
  EXPECT_EQ(id, (WorkerId{2, 1}));
  EXPECT_EQ(slot.state.load(), WorkerState::starting);
  world.slots.started(2, 4711);
  EXPECT_EQ(slot.pid.load(), 4711);
  EXPECT_TRUE(world.check.alive(2, 1));
  EXPECT_FALSE(world.check.alive(2, 2));
  EXPECT_FALSE(world.check.alive(100, 1));
  world.slots.stop(2);
  EXPECT_EQ(slot.stop.load(), 1U);
  world.slots.mark_dead(2, 11);
  EXPECT_EQ(slot.signal.load(), 11);
  EXPECT_FALSE(world.check.alive(2, 1));
  EXPECT_EQ(world.slots.begin(2, WorkerKind::datagram).incarnation, 2U);
  EXPECT_EQ(slot.stop.load(), 0U);
  EXPECT_EQ(to_string(slot.kind.load()), "datagram");
}

TEST(SlotTable, BatchesOutliveTheirWorker) {
  World world;
  world.slots.begin(0, WorkerKind::datagram);
  WorkerSlot& slot = *world.slots.slot(0);
  slot.rx.entries[1].length = 77;
  slot.rx.count.store(2);
  slot.rx.next.store(1);
  slot.stage.store(Stage::script);
  world.slots.mark_dead(0, 9);
  world.slots.begin(0, WorkerKind::datagram);
  EXPECT_EQ(slot.rx.count.load(), 2U);
  EXPECT_EQ(slot.rx.next.load(), 1U);
  EXPECT_EQ(slot.rx.entries[1].length, 77U);
  EXPECT_EQ(to_string(slot.stage.load()), "script");
}

TEST(SlotTable, DamagedAndMissingSlotsAreRefused) {
  World world;
  EXPECT_EQ(world.slots.slot(8), nullptr);
  world.slots.slot(1)->magic ^= 1;
  EXPECT_EQ(world.slots.slot(1), nullptr);
  EXPECT_EQ(world.slots.begin(1, WorkerKind::event).incarnation, 0U);
  world.slots.slot(3)->index = 4;
  EXPECT_EQ(world.slots.slot(3), nullptr);
  EXPECT_FALSE(SlotTable::create(world.segment, 0));
  EXPECT_FALSE(SlotTable::create(world.segment, 2000));
}

TEST(WorkerSlot, ErrorTextIsCut) {
  World world;
  WorkerSlot& slot = *world.slots.slot(0);
  slot.set_error("cannot bind");
  EXPECT_STREQ(slot.last_error, "cannot bind");
  slot.set_error(std::string(500, 'x'));
  EXPECT_EQ(std::string(slot.last_error), std::string(119, 'x'));
}

TEST(WorkerSlot, ReferencesComeAndGo) {
  World world;
  WorkerSlot& slot = *world.slots.slot(0);
  int things[kMaxReferences + 1] = {};
  for (std::uint32_t i = 0; i < kMaxReferences; ++i) EXPECT_TRUE(add_reference(slot, {&things[i], 2, i}));
  EXPECT_FALSE(add_reference(slot, {&things[kMaxReferences], 2, 0}));
  drop_reference(slot, &things[3]);
  EXPECT_EQ(slot.reference_count.load(), kMaxReferences - 1);
  EXPECT_EQ(slot.references[3].target, &things[kMaxReferences - 1]);
  drop_reference(slot, &things[3]);
  EXPECT_EQ(slot.reference_count.load(), kMaxReferences - 1);
}

TEST(CounterPages, SumOverSlotsAndIncarnations) {
  World world;
  CounterTable table;
  const CounterId received = table.add("core", "rcv_requests", "Requests received.");
  const CounterId sent = table.add("core", "fwd_requests", "Requests forwarded.");
  auto made = CounterPages::create(world.segment, 3, table.size());
  ASSERT_TRUE(made);
  CounterPages pages = *made;
  Counters first = pages.page(0);
  first.add(received, 5);
  pages.page(1).add(received);
  pages.page(3).add(sent);      // the supervisor's
  pages.page(0).add(received);  // the successor goes on where the first stopped
  EXPECT_EQ(pages.page(0).value(received), 6U);
  EXPECT_EQ(pages.sum(received), 7U);
  EXPECT_EQ(pages.sum(sent), 1U);
  pages.page(4).add(sent);
  EXPECT_EQ(pages.sum(sent), 1U);
  pages.reset(received);
  EXPECT_EQ(pages.sum(received), 0U);
  EXPECT_GT(pages.started(), 1'500'000'000);
}

}  // namespace
}  // namespace ser::shm
