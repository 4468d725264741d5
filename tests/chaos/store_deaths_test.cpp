// SPDX-License-Identifier: Apache-2.0
// A datagram worker dies after each single store into the segment that shm, net and srv make while it starts,
// adopts, receives, handles, sends and stops; then its reaper does; then its successor does (preset
// `stores`).
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <set>
#include <string>

#include "srv/reaper.h"
#include "srv/testing/live.h"
#include "srv/worker.h"
#include "store_trap.h"

namespace ser::srv {
namespace {

using testing::forwarding_config;
using testing::free_port;
using testing::number_of;
using testing::numbered_request;
using testing::Peer;
using testing::Prepared;

constexpr std::int64_t kNever = -1;
constexpr std::int64_t kMaxSteps = 20'000;

class World {
 public:
  World() : x_port(free_port()), x_world(forwarding_config(x_port, x_callee.port, 1)) {
    EXPECT_TRUE(x_world.ready) << x_world.server->error();
    trap.begin = shared().segment.base();
    trap.size = shared().segment.size();
    // Whoever comes first gets the receive blocks, which stay with the slot.
    send_batch();
    work(kNever);
    settle();
    x_start = shared().heap->use();
  }

  Shared& shared() { return x_world.server->shared(); }

  /// A backlog: batches of one, two, four and more; datagrams of every kind of memory.
  void send_batch() {
    x_sent.clear();
    x_seen.clear();
    for (int i = 0; i < 9; ++i) {
      const std::size_t size = i == 4 ? 3500 : i == 6 ? 1990 : 0;
      x_sent.insert(send(size));
      if (i == 2) x_caller.send("\r\n\r\n", x_port);
    }
  }

  /// A worker in its own process that dies at store `steps`, or serves what there is and leaves. True: it
  /// died.
  bool work(std::int64_t steps) {
    const shm::WorkerId id = shared().slots->begin(0, shm::WorkerKind::datagram);
    const unsigned last = send(0);
    x_dead = id;
    const pid_t pid = ::fork();
    if (pid == 0) {
      trap.left = steps;
      ::_exit(serve(id));
    }
    int status = 0;
    bool stopped = false;
    while (::waitpid(pid, &status, WNOHANG) == 0) {
      take(5);
      if (!x_seen.contains(last) || stopped) continue;
      shared().slots->slot(0)->stop.store(1);
      x_caller.send("\r\n\r\n", x_port);
      stopped = true;
    }
    EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status) << " at store " << steps;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    EXPECT_TRUE(code == 0 || (steps != kNever && code == StoreTrap::kDied)) << "status " << code;
    return code == StoreTrap::kDied;
  }

  /// What the supervisor does about the last worker: marks it, and a reaper in its own process puts it right.
  /// True: the reaper died at store `steps`.
  bool bury(std::int64_t steps) {
    shared().slots->mark_dead(0, 9);
    const auto place = static_cast<std::uint16_t>(shared().slots->size() - 1);
    const shm::WorkerId self = shared().slots->begin(place, shm::WorkerKind::reaper);
    const pid_t pid = ::fork();
    if (pid == 0) {
      trap.left = steps;
      Logger log(x_world.log);
      Death death;
      death.worker = x_dead;
      death.kind = shm::WorkerKind::datagram;
      death.signal = SIGKILL;
      ::_exit(Reaper(shared(), self, log).run(death, false));
    }
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status));
    const int code = WEXITSTATUS(status);
    EXPECT_TRUE(code == 0 || (steps != kNever && code == StoreTrap::kDied)) << "status " << code;
    if (code == StoreTrap::kDied) shared().slots->mark_dead(place, 9);
    return code == StoreTrap::kDied;
  }

  /// All but `deaths` of the last batch have been served, nothing is held, nothing leaks. False ends a loop.
  bool is_whole(std::int64_t steps, std::size_t deaths) {
    settle();
    std::size_t lost = 0;
    for (const unsigned number : x_sent) lost += x_seen.contains(number) ? 0 : 1;
    EXPECT_LE(lost, deaths) << "messages lost by a death at store " << steps;
    const Result<void> whole = shared().heap->verify();
    EXPECT_TRUE(whole) << whole.error().what << " after a death at store " << steps;
    const shm::HeapUse now = shared().heap->use();
    EXPECT_EQ(now.cells, x_start.cells) << "after a death at store " << steps;
    EXPECT_EQ(now.used, x_start.used) << "after a death at store " << steps;
    EXPECT_EQ(shared().segment.header().corruptions.load(), 0U) << "after a death at store " << steps;
    x_lost += lost;
    return !::testing::Test::HasFailure();
  }
  std::size_t lost() const { return x_lost; }

 private:
  int serve(shm::WorkerId id) {
    const Post& post = x_world.server->posts()[0];
    const WorkerContext context{shared(), id, post.kind, post.socket, post.rank};
    return make_worker(context)->run();
  }

  /// `size` 0: small. Its number.
  unsigned send(std::size_t size) {
    std::string request = numbered_request(++x_next, x_caller.port);
    if (size > request.size()) {
      const std::string body(size - request.size(), 'x');
      request.replace(request.find("Content-Length: 0"), 17,
                      "Content-Length: " + std::to_string(body.size()));
      request += body;
    }
    x_caller.send(request, x_port);
    return x_next;
  }

  void take(int timeout_ms) {
    for (std::string got = x_callee.receive(timeout_ms); !got.empty(); got = x_callee.receive(0)) {
      if (const unsigned number = number_of(got); number != 0) x_seen.insert(number);
    }
  }
  void settle() { take(0); }

  Peer x_caller, x_callee;
  std::uint16_t x_port;
  Prepared x_world;
  shm::HeapUse x_start;
  shm::WorkerId x_dead;
  unsigned x_next = 0;
  std::set<unsigned> x_sent, x_seen;
  std::size_t x_lost = 0;
};

TEST(StoreDeaths, OfAWorker) {
  World world;
  std::int64_t step = 0;
  for (bool died = true; died && step < kMaxSteps; ++step) {
    world.send_batch();
    died = world.work(step);
    // Who left in order is buried as well: its blocks go to the next one like anybody's.
    world.bury(kNever);
    if (died) world.work(kNever);
    if (!world.is_whole(step, died ? 1 : 0)) return;
  }
  EXPECT_GT(step, 200) << "the libraries do not tell of their stores";
  EXPECT_LT(step, kMaxSteps);
  std::cout << "worker: died after each of " << step - 1 << " stores, " << world.lost() << " messages lost\n";
}

/// A store in the middle of a run of stores: there is a batch with messages not begun.
constexpr std::int64_t kMidBatch = 400;

TEST(StoreDeaths, OfTheReaper) {
  World world;
  std::int64_t step = 0;
  for (bool died = true; died && step < kMaxSteps; ++step) {
    world.send_batch();
    ASSERT_TRUE(world.work(kMidBatch));
    died = world.bury(step);
    if (died) world.bury(kNever);
    world.work(kNever);
    if (!world.is_whole(step, 1)) return;
  }
  EXPECT_GT(step, 20);
  EXPECT_LT(step, kMaxSteps);
  std::cout << "reaper: died after each of " << step - 1 << " stores, " << world.lost() << " messages lost\n";
}

TEST(StoreDeaths, OfTheSuccessor) {
  World world;
  std::int64_t step = 0;
  for (bool died = true; died && step < kMaxSteps; ++step) {
    world.send_batch();
    ASSERT_TRUE(world.work(kMidBatch));
    world.bury(kNever);
    died = world.work(step);
    if (died) {
      world.bury(kNever);
      world.work(kNever);
    }
    if (!world.is_whole(step, died ? 2 : 1)) return;
  }
  EXPECT_GT(step, 200);
  EXPECT_LT(step, kMaxSteps);
  std::cout << "successor: died after each of " << step - 1 << " stores, " << world.lost()
            << " messages lost\n";
}

}  // namespace
}  // namespace ser::srv
