// SPDX-License-Identifier: Apache-2.0
#include "shm/heap.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <deque>
#include <thread>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "shm/chunk_source.h"
#include "shm/heap_layout.h"
#include "shm/test_world.h"

namespace ser::shm {
namespace {

TEST(HeapClasses, IndexIsTheSmallestThatFits) {
  for (std::size_t bytes = 0; bytes <= Heap::kMaxClassPayload; ++bytes) {
    const std::uint32_t index = class_index(bytes);
    ASSERT_LT(index, Heap::kClasses);
    ASSERT_GE(class_payload(index), bytes);
    ASSERT_TRUE(index == 0 || class_payload(index - 1) < bytes);
  }
  EXPECT_EQ(class_index(Heap::kMaxClassPayload + 1), Heap::kClasses);
}

TEST(Heap, AllocGivesWritableAlignedMemoryOfItsOwner) {
  World world;
  Actor self = world.worker(0);
  for (const std::size_t bytes : {0U, 1U, 32U, 33U, 100U, 2048U, 65536U, 65537U, 1'000'000U}) {
    void* at = world.heap.alloc(self, bytes, 0);
    ASSERT_NE(at, nullptr) << bytes;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % 16, 0U);
    EXPECT_GE(world.heap.usable(at), bytes);
    EXPECT_EQ(world.heap.owner_of(at), Owner::worker(self.id()));
    EXPECT_TRUE(world.heap.valid(at));
    std::memset(at, 0xA5, world.heap.usable(at));
    EXPECT_TRUE(world.heap.verify());
    world.heap.free(self, at);
    EXPECT_TRUE(world.heap.verify());
  }
  EXPECT_EQ(world.heap.use().cells, 0U);
  EXPECT_EQ(world.heap.use().used, 0U);
  EXPECT_EQ(world.segment.header().corruptions.load(), 0U);
}

TEST(Heap, AccountsAddUp) {
  World world;
  Actor self = world.worker(0);
  const AccountId tm = world.heap.account("tm");
  EXPECT_EQ(world.heap.account("tm"), tm);
  EXPECT_EQ(world.heap.account_name(tm), "tm");
  void* a = world.heap.alloc(self, 100, tm);
  void* b = world.heap.alloc(self, 200'000, tm);
  void* c = world.heap.alloc(self, 100, 0);
  EXPECT_EQ(world.heap.account_use(tm).cells, 2U);
  EXPECT_EQ(world.heap.account_use(tm).bytes, 128 + 16 + 200'704U);
  EXPECT_EQ(world.heap.account_use(0).cells, 1U);
  EXPECT_EQ(world.heap.account_of(a), tm);
  for (void* at : {a, b, c}) world.heap.free(self, at);
  EXPECT_EQ(world.heap.account_use(tm).bytes, 0U);
}

/// Bytes of [begin, end) that have pages.
std::size_t resident(const void* begin, const void* end) {
  const auto from = reinterpret_cast<std::uintptr_t>(begin) & ~(kPage - 1);
  const auto to = (reinterpret_cast<std::uintptr_t>(end) + kPage - 1) & ~(kPage - 1);
  std::vector<unsigned char> pages((to - from) / kPage);
  EXPECT_EQ(::mincore(reinterpret_cast<void*>(from), to - from, pages.data()), 0);
  return kPage * static_cast<std::size_t>(
                     std::count_if(pages.begin(), pages.end(), [](auto p) { return (p & 1) != 0; }));
}

TEST(Heap, EmptySpansGoBackToTheKernel) {
  World world;
  Actor self = world.worker(0);
  std::vector<void*> cells;
  for (int i = 0; i < 2000; ++i) cells.push_back(world.heap.alloc(self, 2048, 0));
  const std::uint64_t full = world.heap.use().committed;
  EXPECT_GT(full, std::uint64_t{4} << 20);
  for (void* at : cells) std::memset(at, 1, 2048);
  EXPECT_GT(resident(cells.front(), cells.back()), std::size_t{4} << 20);
  for (void* at : cells) world.heap.free(self, at);
  EXPECT_TRUE(world.heap.verify());
  EXPECT_EQ(world.heap.use().committed, kBlock);  // one span is kept
  EXPECT_LE(resident(cells.front(), cells.back()), std::size_t{17} * kBlock) << "and the pages of 16";
  EXPECT_GE(resident(cells.front(), cells.back()), std::size_t{8} * kBlock);
}

TEST(Heap, WhatIsFreedUnderLoadKeepsItsPages) {
  World world;
  Actor self = world.worker(0);
  std::deque<void*> cells;
  for (int i = 0; i < 6200; ++i) cells.push_back(world.heap.alloc(self, 2048, 0));  // 200 spans
  std::size_t begun = 0;
  for (int i = 0; i < 20'000; ++i) {
    // First in, first out, a burst at a time: as transactions do.
    if (i % 500 == 0) {
      for (int n = 0; n < 500; ++n) {
        world.heap.free(self, cells.front());
        cells.pop_front();
      }
    }
    cells.push_back(world.heap.alloc(self, 2048, 0));
    const auto page = reinterpret_cast<std::uintptr_t>(cells.back()) + kPage / 2;
    if (resident(reinterpret_cast<void*>(page), reinterpret_cast<void*>(page + 1)) == 0) ++begun;
    std::memset(cells.back(), 1, 2048);
  }
  EXPECT_LT(begun, 20'000 / 31 * 16 / 10) << "of about 10,000 pages a tenth and less was taken anew";
  EXPECT_TRUE(world.heap.verify());
  for (void* at : cells) world.heap.free(self, at);
  EXPECT_TRUE(world.heap.verify());
}

TEST(Heap, KeptPagesMakeRoomAtTheLimit) {
  World world(std::uint64_t{8} << 20);
  Actor self = world.worker(0);
  std::vector<void*> cells;
  while (void* at = world.heap.alloc(self, 2048, 0)) cells.push_back(at);
  for (void* at : cells) std::memset(at, 1, 2048);
  // Half of it kept as free spans, as far as that goes, and all of it asked for in another shape.
  for (std::size_t i = cells.size() / 2; i < cells.size(); ++i) world.heap.free(self, cells[i]);
  cells.resize(cells.size() / 2);
  while (void* at = world.heap.alloc(self, 16384, 0, Priority::reserve)) {
    std::memset(at, 1, 16384);
    cells.push_back(at);
  }
  const auto [low, high] = std::minmax_element(cells.begin(), cells.end());
  EXPECT_LE(resident(*low, static_cast<char*>(*high) + 16384), world.heap.use().limit);
  EXPECT_TRUE(world.heap.verify());
}

TEST(Heap, LimitReserveAndPressure) {
  World world(std::uint64_t{8} << 20);
  Actor self = world.worker(0);
  EXPECT_EQ(world.heap.pressure(), Pressure::normal);
  std::vector<void*> cells;
  while (void* at = world.heap.alloc(self, 4096, 0)) cells.push_back(at);
  EXPECT_EQ(world.heap.pressure(), Pressure::high);
  const std::size_t ordinary = cells.size();
  while (void* at = world.heap.alloc(self, 4096, 0, Priority::reserve)) cells.push_back(at);
  EXPECT_GT(cells.size(), ordinary + 200);  // 1 MiB was kept back
  EXPECT_LE(world.heap.use().committed, world.heap.use().limit);
  EXPECT_TRUE(world.heap.pressure() != Pressure::normal);
  EXPECT_EQ(world.heap.alloc(self, std::size_t{1} << 30, 0, Priority::reserve), nullptr);
  for (void* at : cells) world.heap.free(self, at);
  EXPECT_EQ(world.heap.pressure(), Pressure::normal);
  EXPECT_NE(world.heap.alloc(self, 4096, 0), nullptr);
  world.heap.set_limit(0);
  EXPECT_EQ(world.heap.alloc(self, 100'000, 0, Priority::reserve), nullptr);
}

TEST(Heap, OverrunIsReportedAndNotFollowed) {
  World world;
  Actor self = world.worker(0);
  auto* a = static_cast<char*>(world.heap.alloc(self, 64, 0));
  auto* b = static_cast<char*>(world.heap.alloc(self, 64, 0));
  ASSERT_EQ(b - a, 64 + 16);
  std::memset(a, 0xFF, 64 + 8);
  EXPECT_FALSE(world.heap.valid(b));
  world.heap.free(self, b);
  EXPECT_EQ(world.segment.header().corruptions.load(), 1U);
  EXPECT_EQ(world.segment.header().corrupt_at.load(), reinterpret_cast<std::uintptr_t>(b - 16));
  void* again = world.heap.alloc(self, 64, 0);
  EXPECT_NE(again, nullptr);
  EXPECT_NE(again, b);
}

TEST(Heap, DamagedFreeListIsSetAside) {
  World world;
  Actor self = world.worker(0);
  auto* a = static_cast<char*>(world.heap.alloc(self, 64, 0));
  auto* b = static_cast<char*>(world.heap.alloc(self, 64, 0));
  world.heap.free(self, b);
  std::memset(a, 0xFF, 64 + 16);  // check word and link of the free cell
  void* next = world.heap.alloc(self, 64, 0);
  ASSERT_NE(next, nullptr);
  EXPECT_NE(next, b);
  EXPECT_EQ(world.segment.header().corruptions.load(), 1U);
  world.heap.free(self, next);
  EXPECT_NE(world.heap.alloc(self, 64, 0), nullptr);
}

TEST(Heap, DoubleAndWildFreesAreReported) {
  World world;
  Actor self = world.worker(0);
  void* a = world.heap.alloc(self, 64, 0);
  void* keep = world.heap.alloc(self, 64, 0);
  world.heap.free(self, a);
  world.heap.free(self, a);
  EXPECT_EQ(world.segment.header().corruptions.load(), 1U);
  int local = 0;
  world.heap.free(self, &local);
  world.heap.free(self, static_cast<char*>(keep) + 16);
  world.heap.free(self, world.segment.base());
  EXPECT_EQ(world.segment.header().corruptions.load(), 4U);
  EXPECT_TRUE(world.heap.verify());
  world.heap.free(self, nullptr);
  EXPECT_EQ(world.segment.header().corruptions.load(), 4U);
}

TEST(HeapDeathTest, GuardsStopARunawayWriter) {
  World world;
  Actor self = world.worker(0);
  auto* at = static_cast<char*>(world.heap.alloc(self, 1000, 0));
  GTEST_FLAG_SET(death_test_style, "fast");
  EXPECT_DEATH(
      {
        std::signal(SIGSEGV, SIG_DFL);
        for (std::size_t i = 0; i < 2 * kMinExtent; i += kPage) static_cast<volatile char*>(at)[i] = 1;
      },
      "");
}

TEST(Heap, TransferTakesACellFromTheSweep) {
  World world;
  Actor dead = world.worker(0);
  void* mine = world.heap.alloc(dead, 100, 0);
  void* kept = world.heap.alloc(dead, 100, 0);
  void* span = world.heap.alloc(dead, 300'000, 0);
  ASSERT_NE(mine, nullptr);
  ASSERT_NE(span, nullptr);
  const Owner transaction = Owner::make(OwnerKind::transaction, 77, 5);
  world.heap.transfer(kept, transaction);
  const SweepCursor done = world.bury(dead.id());
  EXPECT_EQ(done.freed_cells, 2U);
  EXPECT_EQ(world.heap.use().cells, 1U);
  EXPECT_EQ(world.heap.owner_of(kept), transaction);
  EXPECT_TRUE(world.heap.verify());
}

TEST(Heap, SweepGoesInSlicesAndSparesTheSuccessor) {
  World world;
  Actor dead = world.worker(0);
  for (int i = 0; i < 5000; ++i) ASSERT_NE(world.heap.alloc(dead, 32, 0), nullptr);
  Actor next = world.worker(0);
  void* his = world.heap.alloc(next, 32, 0);
  SweepCursor cursor;
  Actor reaper = world.worker(7);
  EXPECT_FALSE(world.heap.sweep(reaper, Owner::worker(dead.id()), cursor, 1000));
  EXPECT_LE(cursor.freed_cells, 1000U);
  int slices = 1;
  while (!world.heap.sweep(reaper, Owner::worker(dead.id()), cursor, 1000)) ++slices;
  EXPECT_GE(slices, 5);
  EXPECT_EQ(cursor.freed_cells, 5000U);
  EXPECT_EQ(world.heap.use().cells, 1U);
  EXPECT_TRUE(world.heap.valid(his));
  EXPECT_TRUE(world.heap.verify());
}

TEST(Heap, FreeWhileAStoppedWorkerHoldsTheLockIsSettledLater) {
  World world;
  Actor self = world.worker(0);
  Actor stopped = world.worker(1);
  void* a = world.heap.alloc(self, 64, 0);
  void* b = world.heap.alloc(self, 64, 0);
  auto* root = static_cast<HeapRoot*>(world.segment.header().heap);
  FutexLock& lock = root->classes[class_index(64)].lock.lock;
  ASSERT_EQ(lock.lock(stopped, LockLevel::heap_class), LockOutcome::taken);
  world.heap.free(self, a);
  EXPECT_EQ(world.heap.owner_of(a).kind(), OwnerKind::deferred);
  EXPECT_EQ(world.heap.alloc(self, 64, 0), nullptr);
  lock.unlock(stopped);
  void* c = world.heap.alloc(self, 64, 0);
  EXPECT_EQ(c, a);
  world.heap.free(self, b);
  world.heap.free(self, c);
  EXPECT_EQ(world.heap.use().cells, 0U);
  EXPECT_TRUE(world.heap.verify());
}

TEST(Heap, ThreadsAllocateAndFreeEachOthersCells) {
  World world;
  constexpr int kThreads = 4;
  std::vector<std::atomic<std::uint64_t*>> shelf(256);
  std::vector<Actor> actors;
  for (std::uint16_t i = 0; i < kThreads; ++i) actors.push_back(world.worker(i));
  std::atomic<int> spoiled{0};
  const auto run = [&](int number) {
    Actor& self = actors[static_cast<std::size_t>(number)];
    SeededRandom random(static_cast<std::uint64_t>(number) + 1);
    for (int i = 0; i < 20'000; ++i) {
      const std::size_t bytes = 16 + random.next() % (i % 50 == 0 ? 100'000 : 3'000);
      auto* at = static_cast<std::uint64_t*>(world.heap.alloc(self, bytes, static_cast<AccountId>(number)));
      if (at == nullptr) continue;
      at[0] = reinterpret_cast<std::uintptr_t>(at);
      at[1] = ~at[0];
      std::uint64_t* old = shelf[random.next() % shelf.size()].exchange(at);
      if (old == nullptr) continue;
      if (old[0] != reinterpret_cast<std::uintptr_t>(old) || old[1] != ~old[0]) ++spoiled;
      world.heap.free(self, old);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(run, i);
  }
  EXPECT_EQ(spoiled.load(), 0);
  EXPECT_TRUE(world.heap.verify());
  for (auto& place : shelf) world.heap.free(actors[0], place.load());
  EXPECT_EQ(world.heap.use().cells, 0U);
  EXPECT_EQ(world.heap.use().used, 0U);
  EXPECT_TRUE(world.heap.verify());
  EXPECT_EQ(world.segment.header().corruptions.load(), 0U);
}

TEST(SlotChunks, AnArenaGrowsInTheSegment) {
  World world;
  Actor self = world.worker(0);
  void* block = world.heap.alloc(self, kRxBlock, 0);
  {
    SlotChunks chunks(world.heap, self, 0);
    void* first = nullptr;
    {
      Arena arena(block, kRxBlock, chunks);
      first = arena.allocate(5000);
      ASSERT_NE(first, nullptr);
      EXPECT_TRUE(world.segment.contains(first, 5000));
      EXPECT_EQ(world.heap.use().cells, 2U);
    }
    EXPECT_EQ(world.heap.use().cells, 2U) << "kept for the next message";
    Arena arena(block, kRxBlock, chunks);
    EXPECT_EQ(arena.allocate(5000), first);
    EXPECT_EQ(world.heap.use().cells, 2U);
  }
  EXPECT_EQ(world.heap.use().cells, 1U);
}

}  // namespace
}  // namespace ser::shm
