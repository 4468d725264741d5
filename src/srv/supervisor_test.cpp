// SPDX-License-Identifier: Apache-2.0
// The supervisor's rules on deaths, with workers that only pretend.
#include "srv/supervisor.h"

#include <gmock/gmock.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <vector>

#include "srv/testing/live.h"

namespace ser::srv {
namespace {

using testing::free_port;
using ::testing::HasSubstr;
using testing::Prepared;

/// Two looks are longer than the longest delay; three shorter than a life that counts.
constexpr Instant kStep = 3'000'000'000;

/// Time passes at every look, so that the delays of the supervisor are over at once.
class RushingClock final : public Clock {
 public:
  explicit RushingClock(Instant step) noexcept : x_step(step) {}
  Instant now() noexcept override { return x_now += x_step; }
  std::int64_t wall_seconds() noexcept override { return 0; }

 private:
  Instant x_step;
  Instant x_now = 1'000'000'000'000;
};

/// Workers live until interrupted, but the one of `victim` dies at once, `deaths` times, in a way of its own.
class PretendingSpawner final : public Spawner {
 public:
  struct Script {
    std::uint16_t victim = 0;
    unsigned deaths = 0;
    int signal = 0;
    int status = 0;
    bool finishes_a_message = false;
    bool refuses_signals = false;
  };
  PretendingSpawner(Shared& shared, Script script)
      : x_shared(shared), x_script(script), x_alive(shared.slots->size()) {}

  Result<void> spawn(const WorkerContext& context) override {
    const std::uint16_t slot = context.id.slot;
    EXPECT_FALSE(x_alive[slot]);
    x_alive[slot] = true;
    if (slot != x_script.victim) return {};
    ++spawned;
    if (deaths == x_script.deaths) {
      // Enough seen. NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread)
      pthread_kill(pthread_self(), SIGTERM);
      return {};
    }
    ++deaths;
    x_dying = true;
    if (x_script.finishes_a_message) x_shared.slots->slot(slot)->messages.fetch_add(1);
    pthread_kill(pthread_self(), SIGCHLD);
    return {};
  }
  Result<void> spawn_reaper(const ReaperContext& context) override {
    ++reapers;
    x_reaped.push_back({context.self.slot, 0, 0, false, 0});
    context.shared.slots->slot(context.death.worker.slot)->reaped.store(context.death.worker.incarnation);
    return {};
  }
  bool reap(WorkerExit& out) override {
    if (!x_reaped.empty()) {
      out = x_reaped.back();
      x_reaped.pop_back();
      return true;
    }
    for (std::uint16_t slot = 0; slot < x_shared.slots->size(); ++slot) {
      const bool dies = x_alive[slot] && ((slot == x_script.victim && x_dying) || x_interrupted);
      if (!dies) continue;
      out = {slot, x_script.status, x_interrupted ? 0 : x_script.signal, false, 0};
      x_alive[slot] = false;
      x_dying = false;
      return true;
    }
    return false;
  }
  bool interrupt(std::uint16_t /*slot*/) noexcept override {
    x_interrupted = !x_script.refuses_signals;
    return x_interrupted;
  }
  bool kill(std::uint16_t slot) noexcept override { return interrupt(slot); }
  std::size_t running() const noexcept override {
    return static_cast<std::size_t>(std::count(x_alive.begin(), x_alive.end(), true));
  }

  unsigned spawned = 0;
  unsigned deaths = 0;
  unsigned reapers = 0;

 private:
  Shared& x_shared;
  Script x_script;
  std::vector<WorkerExit> x_reaped;
  std::vector<bool> x_alive;
  bool x_dying = false;
  bool x_interrupted = false;
};

class Deaths : public ::testing::Test {
 protected:
  Deaths()
      : world("#!KAMAILIO\nchildren=2\nlisten=udp:127.0.0.1:" + std::to_string(free_port()) +
              "\nrequest_route { drop; }\n") {
    EXPECT_TRUE(world.ready) << world.server->error();
    pthread_sigmask(SIG_SETMASK, nullptr, &x_before);
    Supervisor::block_signals();
  }
  ~Deaths() override { pthread_sigmask(SIG_SETMASK, &x_before, nullptr); }

  /// The exit status.
  int run(PretendingSpawner::Script script, Instant step = kStep) {
    RushingClock clock(step);
    Shared& shared = world.server->shared();
    shared.clock = &clock;
    Logger log(world.log, LogLevel::info);
    PretendingSpawner spawner(shared, script);
    Supervisor supervisor(shared, spawner, world.server->posts(), options, log);
    EXPECT_TRUE(supervisor.start());
    const int status = supervisor.run();
    EXPECT_EQ(spawner.running(), script.refuses_signals ? world.server->posts().size() : 0U);
    spawned = spawner.spawned;
    shared.clock = &world.clock;
    return status;
  }

  Prepared world;
  SupervisorOptions options;
  unsigned spawned = 0;

 private:
  sigset_t x_before;
};

TEST_F(Deaths, FourInARowWithoutAMessageAreLookedForInTheSegment) {
  EXPECT_EQ(run({0, 100, SIGSEGV, 0, false}), kExitDamaged);
  EXPECT_EQ(spawned, Supervisor::kRenewAt);
  EXPECT_THAT(world.log.text(), HasSubstr("died 4 times in a row; the shared segment is made anew"));
}

TEST_F(Deaths, WhoFoundTheSegmentOverwrittenIsBelieved) {
  EXPECT_EQ(run({0, 10, 0, kExitDamaged, true}), 0) << "an exit status alone proves nothing";
  EXPECT_EQ(spawned, 11U);
  world.server->shared().segment.header().corruptions.store(1);
  EXPECT_EQ(run({0, 100, 0, kExitDamaged, true}), kExitDamaged);
  EXPECT_EQ(spawned, 1U);
  EXPECT_THAT(world.log.text(), HasSubstr("found the shared segment overwritten"));
}

TEST_F(Deaths, TwentyInARowWithoutAMessageEndTheServer) {
  options.may_renew = false;  // that was tried
  EXPECT_EQ(run({0, 100, SIGSEGV, 0, false}), 1);
  EXPECT_EQ(spawned, Supervisor::kGiveUpAt);
  EXPECT_EQ(world.counted("core", "worker_deaths"), Supervisor::kGiveUpAt);
  EXPECT_EQ(world.counted("core", "respawns"), Supervisor::kGiveUpAt - 1);
  EXPECT_THAT(world.log.text(), HasSubstr("died 20 times in a row before it finished a message; giving up"));
  EXPECT_THAT(world.log.text(), HasSubstr("ser: receiver child=0 sock=127.0.0.1:"));
}

TEST_F(Deaths, LeavingWithAStatusCountsLikewise) {
  options.may_renew = false;
  EXPECT_EQ(run({1, 100, 0, 1, false}), 1);
  EXPECT_THAT(world.log.text(), HasSubstr("left with status 1; replaced, the others go on"));
}

TEST_F(Deaths, WhoFinishedAMessageIsReplacedForEver) {
  EXPECT_EQ(run({0, 60, SIGSEGV, 0, true}), 0);
  EXPECT_EQ(spawned, 61U);
}

TEST_F(Deaths, SignalsFromOutsideDoNotCount) {
  EXPECT_EQ(run({0, 60, SIGKILL, 0, false}), 0);
  EXPECT_EQ(spawned, 61U);
}

TEST_F(Deaths, WorkersThatMayNotBeSignalledAreLeftBehind) {
  EXPECT_EQ(run({.refuses_signals = true}), 0) << "it does not wait for ever";
  EXPECT_THAT(world.log.text(), HasSubstr("4 workers of another user are left behind"));
}

TEST_F(Deaths, OtherWorkersCountByTheirLife) {
  options.may_renew = false;
  EXPECT_EQ(run({2, 60, SIGSEGV, 0, false}, 20'000'000'000), 0) << "the event worker lived long each time";
  EXPECT_EQ(run({2, 60, SIGSEGV, 0, false}, kStep), 1) << "and here it died at its start";
}

}  // namespace
}  // namespace ser::srv
