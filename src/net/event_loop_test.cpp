// SPDX-License-Identifier: Apache-2.0
#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <functional>
#include <thread>

namespace ser::net {
namespace {

struct OnFd final : FdHandler {
  std::function<void(int, std::uint32_t)> run;
  int calls = 0;
  void on_ready(int fd, std::uint32_t events) override {
    ++calls;
    if (run) run(fd, events);
  }
};

struct OnTimer final : TimerHandler {
  std::function<void(Instant)> run;
  int calls = 0;
  void on_timer(Instant now) override {
    ++calls;
    if (run) run(now);
  }
};

TEST(EventLoop, TimersFireInOrderAndOnce) {
  TestClock clock;
  EventLoop loop(clock);
  ASSERT_TRUE(loop.open());
  std::string order;
  OnTimer first;
  OnTimer second;
  OnTimer never;
  first.run = [&](Instant) { order += '1'; };
  second.run = [&](Instant) {
    order += '2';
    if (second.calls == 1) loop.arm(second, clock.now());  // at once, but in the next round
  };
  loop.arm(second, clock.now() + 2'000'000);
  loop.arm(first, clock.now() + 5'000'000);
  loop.arm(first, clock.now() + 1'000'000);  // moved
  loop.arm(never, clock.now() + 1'000'000);
  loop.disarm(never);
  ASSERT_TRUE(loop.run_once(0));
  EXPECT_EQ(order, "");
  clock.advance_ms(10);
  ASSERT_TRUE(loop.run_once(0));
  EXPECT_EQ(order, "12");
  ASSERT_TRUE(loop.run_once(0));
  EXPECT_EQ(order, "122");
  ASSERT_TRUE(loop.run_once(0));
  EXPECT_EQ(order, "122");
  EXPECT_EQ(never.calls, 0);
}

TEST(EventLoop, DescriptorsCanBeRemovedByOthers) {
  TestClock clock;
  EventLoop loop(clock);
  ASSERT_TRUE(loop.open());
  const Fd a(::eventfd(1, EFD_NONBLOCK));
  const Fd b(::eventfd(1, EFD_NONBLOCK));
  OnFd on_a;
  OnFd on_b;
  // Whoever comes first takes the other away.
  on_a.run = [&](int, std::uint32_t) { loop.remove(b.get()); };
  on_b.run = [&](int, std::uint32_t) { loop.remove(a.get()); };
  ASSERT_TRUE(loop.add(a.get(), EPOLLIN, on_a));
  ASSERT_TRUE(loop.add(b.get(), EPOLLIN, on_b));
  ASSERT_TRUE(loop.run_once(0));
  EXPECT_EQ(on_a.calls + on_b.calls, 1);
  loop.remove(12345);
  EXPECT_FALSE(loop.modify(12345, EPOLLIN));
}

TEST(EventLoop, ModifyChangesTheMask) {
  TestClock clock;
  EventLoop loop(clock);
  ASSERT_TRUE(loop.open());
  const Fd a(::eventfd(0, EFD_NONBLOCK));
  OnFd on_a;
  std::uint32_t seen = 0;
  on_a.run = [&](int, std::uint32_t events) { seen = events; };
  ASSERT_TRUE(loop.add(a.get(), EPOLLIN, on_a));
  ASSERT_TRUE(loop.run_once(0));
  EXPECT_EQ(on_a.calls, 0);
  ASSERT_TRUE(loop.modify(a.get(), EPOLLIN | EPOLLOUT));
  ASSERT_TRUE(loop.run_once(0));
  EXPECT_EQ(seen, std::uint32_t{EPOLLOUT});
}

TEST(EventLoop, WakesAndStopsFromAnotherThread) {
  SystemClock clock;
  const Fd inbox(::eventfd(0, EFD_NONBLOCK));
  EventLoop loop(clock);
  ASSERT_TRUE(loop.open(inbox.get()));
  OnFd on_wake;
  std::atomic<int> woken{0};
  on_wake.run = [&](int, std::uint32_t) { woken.fetch_add(1); };
  loop.set_wake_handler(&on_wake);
  std::thread other([&] {
    loop.wake();
    while (woken.load() == 0) std::this_thread::yield();
    loop.stop();
  });
  EXPECT_TRUE(loop.run());
  other.join();
  EXPECT_GE(woken.load(), 1);
}

TEST(EventLoop, IdleMeansAsleep) {
  TestClock clock;
  EventLoop loop(clock);
  ASSERT_TRUE(loop.open());
  OnTimer timer;
  loop.arm(timer, clock.now() + 3'600'000'000'000);
  // The wait is bounded by the caller only; nothing fires while the clock stands still.
  ASSERT_TRUE(loop.run_once(1));
  EXPECT_EQ(timer.calls, 0);
}

}  // namespace
}  // namespace ser::net
