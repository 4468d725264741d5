// SPDX-License-Identifier: Apache-2.0
// Death of a worker at every step of letting a run wait and of going on with it: at most the run in hand is
// lost, those that wait go on, nothing leaks.
#include <gmock/gmock.h>

#include <iostream>

#include "shm/test_world.h"
#include "srv/reaper.h"
#include "srv/testing/suspend_world.h"

namespace ser::srv {
namespace {

using testing::invite;
using testing::SuspendWorld;

constexpr int kMaxSteps = 2000;

/// Enough for chunks, edits and variables to be in it.
constexpr std::string_view kScript =
    "$var(x) = $rU; edit(\"1\"); append_branch(\"sip:other@x\"); forward(); say(\"$var(x)\");";

class DeathWorld : public SuspendWorld {
 public:
  DeathWorld() : SuspendWorld(std::string(kScript)), start(shared().heap->use()) {}

  /// What the supervisor and a reaper do.
  void bury(std::uint16_t slot, shm::WorkerKind kind) {
    shm::WorkerSlot& dead = *shared().slots->slot(slot);
    Death death;
    death.worker = {slot, dead.incarnation.load()};
    death.kind = kind;
    death.signal = 9;
    shared().slots->mark_dead(slot, 9);
    const std::uint16_t place = 3;
    Logger log(lines);
    Reaper reaper(shared(), shared().slots->begin(place, shm::WorkerKind::reaper), log);
    EXPECT_TRUE(reaper.hand_over(death));
    dead.reaped.store(death.worker.incarnation);
    EXPECT_TRUE(reaper.sweep(slot));
    shared().timers->nudge();
    wait_ms(0);
  }
  void replace_receiver() {
    bury(0, shm::WorkerKind::datagram);
    receiver.reset();
    receiver = std::make_unique<DetachedWorker>(shared(), 0, shm::WorkerKind::datagram, 1,
                                                Surroundings{sink, random});
  }
  void expect_whole(int step) {
    expect_clean(start);
    const Result<void> whole = shared().heap->verify();
    EXPECT_TRUE(whole) << "step " << step << ": " << whole.error().what;
    EXPECT_EQ(shared().segment.header().corruptions.load(), 0U);
    EXPECT_FALSE(::testing::Test::HasFailure()) << "after a death at step " << step;
  }

  shm::HeapUse start;
};

std::string host(int step) {
  return "h" + std::to_string(step) + ".example";
}

TEST(SuspendDeaths, OfWhoSuspends) {
  DeathWorld world;
  int lost = 0;
  int step = 0;
  for (bool died = true; died && step < kMaxSteps && !::testing::Test::HasFailure(); ++step) {
    died = shm::dies_at(step, world.receiver->actor(),
                        [&] { world.receive(invite("sip:bob@" + host(step) + ":5060")); });
    world.replace_receiver();
    world.event->reclaim();
    world.work();
    const std::uint64_t waiting = world.counted("suspended");
    ASSERT_LE(waiting, 1U);
    lost += waiting == 0 ? 1 : 0;
    EXPECT_GE(waiting, died ? 0U : 1U);
    EXPECT_EQ(world.answer(host(step), "198.51.100.7").size(), waiting) << "step " << step;
    world.expect_whole(step);
  }
  EXPECT_GT(step, 60) << "the paths do not tell of their stores";
  EXPECT_LT(step, kMaxSteps);
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, step);
  std::cout << "suspend: died at each of " << step - 1 << " steps, " << lost << " runs lost\n";
}

TEST(SuspendDeaths, OfWhoResumes) {
  DeathWorld world;
  std::uint64_t lost = 0;
  int step = 0;
  for (bool died = true; died && step < kMaxSteps && !::testing::Test::HasFailure(); ++step) {
    const std::uint64_t before = world.counted("fwd_requests");
    for (const char* branch : {"z9hG4bK1", "z9hG4bK2", "z9hG4bK3"})
      world.receive(invite("sip:bob@" + host(step) + ":5060", "INVITE", branch));
    world.work();
    ASSERT_EQ(world.counted("suspended"), 3U);
    died = shm::dies_at(step, world.event_worker->actor(), [&] { world.answer(host(step), "198.51.100.7"); });
    world.bury(1, shm::WorkerKind::event);
    world.replace_event_worker();
    world.work();
    // It may have died before the answer was noted: then the successor has asked again.
    world.answer(host(step), "198.51.100.7");
    EXPECT_EQ(world.counted("suspended"), 0U);
    const std::uint64_t forwarded = world.counted("fwd_requests") - before;
    EXPECT_GE(forwarded, died ? 2U : 3U) << "step " << step;
    EXPECT_LE(forwarded, 3U) << "step " << step;
    lost += 3 - std::min<std::uint64_t>(forwarded, 3);
    world.expect_whole(step);
  }
  EXPECT_GT(step, 60);
  EXPECT_LT(step, kMaxSteps);
  EXPECT_GT(lost, 0U);
  std::cout << "resume: died at each of " << step - 1 << " steps, " << lost << " runs lost\n";
}

}  // namespace
}  // namespace ser::srv
