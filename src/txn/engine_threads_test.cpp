// SPDX-License-Identifier: Apache-2.0
// The engine with workers as threads: what they do to each other is chance, what is left in the end is not.
// ThreadSanitizer sees these runs.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include "txn/testing/engine_world.h"

namespace ser::txn {
namespace {

using testing::EngineWorld;
using testing::request;
using testing::response;
using testing::run_out;
using testing::Sent;
using testing::Worker;

constexpr std::uint16_t kRoute = 7;
constexpr unsigned kRounds = 10'000;

/// What left the workers lately: requests that callees may answer.
class Network {
 public:
  void add(const std::vector<Sent>& sent) {
    const std::lock_guard lock(x_mutex);
    for (const Sent& each : sent) {
      if (!each.bytes.starts_with("SIP/2.0 ")) x_requests[x_next++ % x_requests.size()] = each.bytes;
    }
  }
  std::string pick(std::uint64_t random) {
    const std::lock_guard lock(x_mutex);
    return x_requests[random % x_requests.size()];
  }

 private:
  std::mutex x_mutex;
  std::array<std::string, 48> x_requests;
  std::size_t x_next = 0;
};

/// Clients and callees that do whatever they like, for one worker.
class Crowd {
 public:
  Crowd(Worker& worker, Network& network, std::uint64_t seed)
      : x_worker(worker), x_network(network), x_random(seed) {
    x_worker.shared.batches = seed % 2 == 0;
    x_worker.on_created = [this](Transaction& transaction) {
      if (x_random.next() % 4 == 0) transaction.on_failure = kRoute;
      if (x_random.next() % 4 == 0) transaction.on_reply = kRoute;
    };
  }
  void run() {
    for (unsigned i = 0; i < kRounds; ++i) {
      x_network.add(x_worker.receive(next_message()));
      x_worker.engine.after_flush();
    }
  }

 private:
  /// Few names, so that both workers have to do with the same transactions.
  std::string next_message() {
    const std::string branch = "b" + std::to_string(x_random.next() % 12);
    switch (x_random.next() % 8) {
      case 0:
        return request("INVITE", branch);
      case 1:
        return request("OPTIONS", branch);
      case 2:
        return request("CANCEL", branch);
      case 3:
        return request("ACK", branch);
      default:
        break;
    }
    static constexpr std::array<const char*, 6> kStatus{
        "180 Ringing", "183 Session Progress", "200 OK", "404 Not Found", "486 Busy", "603 Decline"};
    const std::string sent = x_network.pick(x_random.next());
    return sent.empty() ? request("INVITE", branch)
                        : response(sent, kStatus[x_random.next() % kStatus.size()]);
  }

  Worker& x_worker;
  Network& x_network;
  SeededRandom x_random;
};

void expect_clean(EngineWorld& world, const shm::HeapUse& start) {
  EXPECT_EQ(world.timers.armed(), 0U);
  EXPECT_EQ(world.root->pool.in_use.load(), 0U);
  EXPECT_EQ(world.heap.use().cells, start.cells);
  EXPECT_EQ(world.heap.use().used, start.used);
  EXPECT_EQ(world.segment.header().corruptions.load(), 0U);
  const Result<void> whole = world.heap.verify();
  EXPECT_TRUE(whole) << whole.error().what;
}

TEST(EngineThreads, WhateverComesTheAccountsEndWhereTheyBegan) {
  EngineWorld world;
  Worker first(world, 0), second(world, 1), event(world, 2), timer(world, 3, /*with_script=*/false);
  first.receive(request("OPTIONS", "warm"));
  run_out(world, timer, event);
  const shm::HeapUse start = world.heap.use();
  Network network;
  Crowd left(first, network, 1), right(second, network, 2);
  std::atomic<unsigned> running{2};
  const auto work = [&running](Crowd& crowd) {
    crowd.run();
    running.fetch_sub(1);
  };
  std::thread a(work, std::ref(left)), b(work, std::ref(right));
  while (running.load() != 0) {
    world.clock.advance_ms(40);
    network.add(timer.fire());
    network.add(event.drain());
  }
  a.join();
  b.join();
  first.engine.after_flush();
  second.engine.after_flush();
  run_out(world, timer, event);
  expect_clean(world, start);
  const std::uint64_t made = first.counted(first.counters.created) + second.counted(second.counters.created);
  std::uint64_t ended = 1;
  for (const Worker* worker : {&first, &second, &event, &timer})
    ended += worker->counted(worker->counters.finished);
  EXPECT_GT(made, 100U);
  EXPECT_GE(ended, made);
}

TEST(EngineThreads, TransactionsGoWhileOthersLookThemUp) {
  EngineWorld world;
  Worker maker(world, 0), visitor(world, 1);
  std::atomic<bool> stop{false};
  maker.on_created = [&](Transaction& transaction) { maker.engine.release_early(transaction); };
  maker.receive(request("INVITE", "same"));
  const shm::HeapUse start = world.heap.use();
  std::thread thread([&] {
    while (!stop.load()) {
      // Mostly there is none; then the CANCEL and the ACK have nobody.
      visitor.receive(request("CANCEL", "same"));
      visitor.receive(request("ACK", "same"));
    }
  });
  for (unsigned i = 0; i < kRounds; ++i) maker.receive(request("INVITE", "same"));
  stop.store(true);
  thread.join();
  EXPECT_EQ(maker.counted(maker.counters.created), kRounds + 1);
  expect_clean(world, start);
}

}  // namespace
}  // namespace ser::txn
