// SPDX-License-Identifier: Apache-2.0
// Death of a worker inside the allocator: after every single store, and at random moments by SIGKILL.
#include <gtest/gtest.h>

#include <csignal>
#include <ctime>
#include <vector>

#include "base/clock.h"
#include "shm/heap_layout.h"
#include "shm/test_world.h"

namespace ser::shm {
namespace {

/// Lets `body` die at every step in turn; after each the heap must be whole and as full as before.
template <class F>
int die_everywhere(World& world, F&& body) {
  const HeapUse start = world.heap.use();
  for (int step = 0; step < 2000; ++step) {
    Actor self = world.worker(0);
    const bool died = dies_at(step, self, [&] { body(self); });
    world.bury(self.id());
    const HeapUse now = world.heap.use();
    const Result<void> whole = world.heap.verify();
    EXPECT_TRUE(whole) << "step " << step << ": " << whole.error().what;
    EXPECT_EQ(now.cells, start.cells) << "step " << step;
    EXPECT_EQ(now.used, start.used) << "step " << step;
    if (!whole || now.cells != start.cells || !died) return step;
  }
  return -1;
}

TEST(HeapDeath, AtEveryStepOfSmallCells) {
  World world;
  Actor other = world.worker(1);
  ASSERT_NE(world.heap.alloc(other, 100, 0), nullptr);
  const int steps = die_everywhere(world, [&](Actor& self) {
    void* a = world.heap.alloc(self, 100, 0);
    void* b = world.heap.alloc(self, 100, 0);
    world.heap.free(self, a);
    void* c = world.heap.alloc(self, 100, 0);
    world.heap.free(self, c);
    world.heap.free(self, b);
  });
  EXPECT_GT(steps, 50);
  EXPECT_EQ(world.segment.header().corruptions.load(), 0U);
}

TEST(HeapDeath, AtEveryStepOfSpansComingAndGoing) {
  World world;
  const int steps = die_everywhere(world, [&](Actor& self) {
    void* cells[9];  // 7 cells of this size fill a slab: the second slab comes, fills, empties and goes
    for (void*& at : cells) at = world.heap.alloc(self, 65536, 0);
    for (void* at : cells) world.heap.free(self, at);
    world.heap.free(self, world.heap.alloc(self, 500'000, 0));
  });
  EXPECT_GT(steps, 100);
  EXPECT_LE(world.heap.use().committed, 8 * kBlock);
  EXPECT_EQ(world.segment.header().corruptions.load(), 0U);
}

/// Allocates and frees until it is killed. Never returns.
[[noreturn]] void churn(World& world, Actor& self, std::uint64_t seed) {
  SeededRandom random(seed);
  void* mine[64] = {};
  for (;;) {
    void*& place = mine[random.next() % 64];
    world.heap.free(self, place);
    place = world.heap.alloc(self, 16 + random.next() % (random.next() % 32 == 0 ? 200'000 : 5'000), 0);
  }
}

std::int64_t now_ms() {
  SystemClock clock;
  return clock.now() / 1'000'000;
}

TEST(HeapDeath, KilledAtRandomMomentsWhileOthersGoOn) {
  World world;
  Actor parent = world.worker(6);
  ASSERT_NE(world.heap.alloc(parent, 100, 0), nullptr);
  const HeapUse start = world.heap.use();
  SeededRandom random(4711);
  Actor survivor = world.worker(1);
  const pid_t other = ::fork();
  if (other == 0) churn(world, survivor, 1);
  for (int round = 0; round < 40; ++round) {
    Actor self = world.worker(0);
    const pid_t pid = ::fork();
    if (pid == 0) churn(world, self, random.next());
    const timespec pause{.tv_sec = 0, .tv_nsec = static_cast<long>(random.next() % 3'000'000)};
    ::nanosleep(&pause, nullptr);
    ::kill(pid, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    const std::int64_t before = now_ms();
    world.bury(self.id());
    EXPECT_LE(now_ms() - before, 1000);
  }
  ::kill(other, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);  // and not of something we did to it
  world.bury(survivor.id());
  const HeapUse end = world.heap.use();
  EXPECT_EQ(end.cells, start.cells);
  EXPECT_EQ(end.used, start.used);
  const Result<void> whole = world.heap.verify();
  EXPECT_TRUE(whole) << whole.error().what;
  EXPECT_EQ(world.segment.header().corruptions.load(), 0U);
}

}  // namespace
}  // namespace ser::shm
