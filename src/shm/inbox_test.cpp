// SPDX-License-Identifier: Apache-2.0
#include "shm/inbox.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <thread>
#include <vector>

#include "base/fd.h"
#include "shm/test_world.h"

namespace ser::shm {
namespace {

bool readable(int fd, int timeout_ms) {
  pollfd item{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&item, 1, timeout_ms) == 1;
}

TEST(Inbox, FirstInFirstOutAndBounded) {
  World world;
  Actor self = world.worker(3);
  Inbox inbox = *Inbox::create(world.segment, 5, -1);
  EXPECT_EQ(inbox.capacity(), 8U);
  Event event;
  EXPECT_FALSE(inbox.pop(event));
  for (std::uint64_t i = 0; i < 8; ++i)
    EXPECT_TRUE(inbox.push(self, {.type = 1, .words = {i, i * 2, i * 3}}));
  EXPECT_FALSE(inbox.push(self, {.type = 1}));
  EXPECT_EQ(inbox.refused(), 1U);
  EXPECT_EQ(inbox.size(), 8U);
  for (std::uint64_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(inbox.pop(event));
    EXPECT_EQ(event.words[2], i * 3);
    EXPECT_EQ(event.from, 3U);
  }
  EXPECT_FALSE(inbox.pop(event));
  EXPECT_FALSE(Inbox::create(world.segment, 0, -1));
}

TEST(Inbox, WakesOnlyWhoSleeps) {
  World world;
  Actor self = world.worker(0);
  const Fd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  Inbox inbox = *Inbox::create(world.segment, 8, fd.get());
  EXPECT_TRUE(inbox.push(self, {}));
  EXPECT_FALSE(readable(fd.get(), 0));
  EXPECT_FALSE(inbox.prepare_sleep());  // something is there
  Event event;
  EXPECT_TRUE(inbox.pop(event));
  EXPECT_TRUE(inbox.prepare_sleep());
  EXPECT_TRUE(inbox.push(self, {}));
  EXPECT_TRUE(readable(fd.get(), 0));
  inbox.woke();
  EXPECT_FALSE(readable(fd.get(), 0));
  inbox.nudge();
  EXPECT_TRUE(readable(fd.get(), 0));
}

TEST(Inbox, FourProducersAndASleepyConsumer) {
  World world;
  const Fd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  Inbox inbox = *Inbox::create(world.segment, 64, fd.get());
  constexpr std::uint64_t kEach = 5'000;
  std::vector<Actor> actors;
  for (std::uint16_t i = 0; i < 4; ++i) actors.push_back(world.worker(i));
  std::uint64_t next[4] = {};
  std::uint64_t wrong = 0;
  std::uint64_t missed = 0;
  {
    std::vector<std::jthread> threads;
    for (Actor& actor : actors) {
      threads.emplace_back([self = &actor, box = inbox]() mutable {
        for (std::uint64_t i = 0; i < kEach;) {
          if (box.push(*self, {.type = 9, .words = {i}})) {
            ++i;
          } else {
            std::this_thread::yield();
          }
        }
      });
    }
    for (std::uint64_t got = 0; got < 4 * kEach;) {
      Event event;
      if (inbox.pop(event)) {
        if (event.words[0] != next[event.from & 3]++) ++wrong;
        ++got;
      } else if (inbox.prepare_sleep()) {
        if (!readable(fd.get(), 10'000)) ++missed;
        inbox.woke();
      }
      if (missed != 0) break;
    }
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(missed, 0U);
}

TEST(Inbox, AProducerMayDieAtAnyStep) {
  World world;
  Inbox inbox = *Inbox::create(world.segment, 8, -1);
  bool died = true;
  std::uint32_t arrived = 0;
  for (int step = 0; died && step < 100; ++step) {
    Actor self = world.worker(0);
    died = dies_at(step, self, [&] { inbox.push(self, {.type = 5, .words = {1, 2, 3}}); });
    world.bury(self.id());
    Actor other = world.worker(1);
    ASSERT_TRUE(inbox.push(other, {.type = 6, .words = {4}}));
    Event event;
    ASSERT_TRUE(inbox.pop(event));
    if (event.type == 5) {
      ++arrived;
      EXPECT_EQ(event.words[2], 3U);
      ASSERT_TRUE(inbox.pop(event));
    }
    EXPECT_EQ(event.type, 6U);
    EXPECT_FALSE(inbox.pop(event));
  }
  EXPECT_GE(arrived, 1U);
  EXPECT_FALSE(died);
}

}  // namespace
}  // namespace ser::shm
