// SPDX-License-Identifier: Apache-2.0
// The engine over a segment with several workers: who may do what while another has the transaction, what a
// late visitor finds, and that all memory comes back. What it says on the wire is the flows' to prove.
#include "txn/engine.h"

#include <gmock/gmock.h>

#include "txn/testing/engine_world.h"

namespace ser::txn {
namespace {

using ::testing::ElementsAre;
using testing::EngineWorld;
using testing::id_of;
using ::testing::IsEmpty;
using testing::kinds;
using testing::request;
using testing::response;
using testing::run_out;
using testing::Sent;
using testing::Worker;

constexpr std::uint16_t kRoute = 7;

/// Two datagram workers, an event worker and a timer worker.
struct Engines : EngineWorld {
  Engines() : first(*this, 0), second(*this, 1), event(*this, 2), timer(*this, 3, /*with_script=*/false) {
    // The first transaction brings the pool's cells, which stay.
    static_cast<void>(open("warm"));
    run_out(*this, timer, event);
    start = heap.use();
  }
  /// An INVITE is relayed by the first worker; the INVITE as it left.
  std::string open(std::string_view branch = "one") {
    for (const Sent& sent : first.receive(request("INVITE", branch))) {
      if (sent.bytes.starts_with("INVITE ")) return sent.bytes;
    }
    ADD_FAILURE() << "the INVITE was not relayed";
    return {};
  }
  std::uint32_t in_use() { return root->pool.in_use.load(); }
  void expect_clean() {
    run_out(*this, timer, event);
    EXPECT_EQ(timers.armed(), 0U);
    EXPECT_EQ(in_use(), 0U);
    EXPECT_EQ(heap.use().cells, start.cells);
    EXPECT_EQ(heap.use().used, start.used);
    EXPECT_EQ(segment.header().corruptions.load(), 0U) << "line " << segment.header().corrupt_line.load();
    const Result<void> whole = heap.verify();
    EXPECT_TRUE(whole) << whole.error().what;
  }
  /// The worker is killed where it stands, and found dead. Its object stays behind as its memory would.
  void kill(Worker& worker) { bury(worker.actor.id()); }
  /// `body` runs as the worker in a process that is killed in its first route.
  template <class F>
  void die_in_route(Worker& worker, F&& body) {
    worker.routes.on_route = [](std::uint16_t, proxy::Run&) -> proxy::RouteEnd { ::_exit(42); };
    EXPECT_TRUE(shm::dies_at(-1, worker.actor, body)) << "no route ran";
    kill(worker);
  }

  Worker first, second, event, timer;
  shm::HeapUse start;
};

TEST(Engine, ReturnsAllMemoryInTheEnd) {
  Engines world;
  const std::string invite = world.open();
  EXPECT_THAT(kinds(world.second.receive(response(invite, "180 Ringing"))), ElementsAre("180"));
  EXPECT_THAT(kinds(world.second.receive(response(invite, "486 Busy Here"))), ElementsAre("ACK", "486"));
  EXPECT_THAT(kinds(world.first.receive(request("ACK", "one"))), IsEmpty());
  EXPECT_EQ(world.in_use(), 1U);
  world.expect_clean();
}

TEST(Engine, ResponseWaitsForTheHolder) {
  Engines world;
  const std::string invite = world.open();
  const TransactionId id = id_of(invite);
  ASSERT_EQ(world.first.acquire(id), Access::held);
  EXPECT_EQ(world.second.acquire(id), Access::busy);
  EXPECT_THAT(world.second.receive(response(invite, "180 Ringing")), IsEmpty());
  EXPECT_THAT(world.second.receive(response(invite, "486 Busy Here")), IsEmpty());
  EXPECT_THAT(kinds(world.first.release(id)), ElementsAre("180", "ACK", "486")) << "in the order of arrival";
  EXPECT_EQ(world.second.acquire(id), Access::held) << "the holder has let go";
  world.second.release(id);
  world.expect_clean();
}

TEST(Engine, WhoeverWaitsInAReplyRouteIsServedByIt) {
  Engines world;
  world.first.on_created = [](Transaction& transaction) { transaction.on_reply = kRoute; };
  const std::string invite = world.open();
  unsigned runs = 0;
  world.first.routes.on_route = [&](std::uint16_t block, proxy::Run& run) {
    EXPECT_EQ(block, kRoute);
    if (++runs == 1) {
      EXPECT_EQ(run.message().status(), 180);
      EXPECT_THAT(world.second.receive(response(invite, "183 Session Progress")), IsEmpty());
      EXPECT_EQ(runs, 1U) << "one event at a time";
    }
    return proxy::RouteEnd::done;
  };
  EXPECT_THAT(kinds(world.first.receive(response(invite, "180 Ringing"))), ElementsAre("180", "183"));
  EXPECT_EQ(runs, 2U);
  world.expect_clean();
}

TEST(Engine, FifthWaitingResponseIsDropped) {
  Engines world;
  const std::string invite = world.open();
  const TransactionId id = id_of(invite);
  ASSERT_EQ(world.first.acquire(id), Access::held);
  for (const char* status : {"180 A", "181 B", "182 C", "183 D", "184 E"})
    EXPECT_THAT(world.second.receive(response(invite, status)), IsEmpty());
  EXPECT_EQ(world.second.counted(world.second.counters.waiting_full), 1U);
  EXPECT_THAT(kinds(world.first.release(id)), ElementsAre("180", "181", "182", "183"));
  // There is room again.
  EXPECT_THAT(kinds(world.second.receive(response(invite, "184 E"))), ElementsAre("184"));
  world.expect_clean();
}

TEST(Engine, ClockThatFindsItBusyIsTheHoldersToDo) {
  Engines world;
  const std::string invite = world.open();
  const TransactionId id = id_of(invite);
  ASSERT_EQ(world.first.acquire(id), Access::held);
  world.clock.advance_ms(520);
  EXPECT_THAT(world.timer.fire(), IsEmpty());
  EXPECT_EQ(world.timers.armed(), 0U) << "the entry has fired";
  EXPECT_THAT(kinds(world.first.release(id)), ElementsAre("INVITE")) << "timer A";
  EXPECT_EQ(world.timers.armed(), 1U);
  world.clock.advance_ms(1020);
  EXPECT_THAT(kinds(world.timer.fire()), ElementsAre("INVITE")) << "and the timer worker has the next one";
  world.expect_clean();
}

TEST(Engine, RetransmissionThatFindsItBusyIsTheHoldersToDo) {
  Engines world;
  const std::string invite = world.open();
  const TransactionId id = id_of(invite);
  ASSERT_EQ(world.first.acquire(id), Access::held);
  EXPECT_THAT(world.second.receive(request("INVITE", "one")), IsEmpty());
  EXPECT_THAT(world.second.receive(request("INVITE", "one")), IsEmpty());
  EXPECT_THAT(kinds(world.first.release(id)), ElementsAre("100")) << "once, however often it came";
  world.expect_clean();
}

TEST(Engine, AckThatFindsItBusyIsTheHoldersToDo) {
  Engines world;
  const std::string invite = world.open();
  const TransactionId id = id_of(invite);
  world.first.receive(response(invite, "486 Busy Here"));
  ASSERT_EQ(world.first.acquire(id), Access::held);
  EXPECT_THAT(world.second.receive(request("ACK", "one")), IsEmpty());
  world.first.release(id);
  world.clock.advance_ms(520);
  EXPECT_THAT(world.timer.fire(), IsEmpty()) << "timer G has ended";
  world.expect_clean();
}

TEST(Engine, CancelThatFindsItBusyIsTheHoldersToDo) {
  Engines world;
  const std::string invite = world.open();
  const TransactionId id = id_of(invite);
  world.first.receive(response(invite, "180 Ringing"));
  ASSERT_EQ(world.first.acquire(id), Access::held);
  EXPECT_THAT(kinds(world.second.receive(request("CANCEL", "one"))), ElementsAre("200"));
  EXPECT_THAT(kinds(world.first.release(id)), ElementsAre("CANCEL"));
  EXPECT_THAT(kinds(world.second.receive(response(invite, "487 Request Terminated"))),
              ElementsAre("ACK", "487"));
  world.expect_clean();
}

TEST(Engine, NothingIsLeftToOthersBeforeWhatWasSentHasLeft) {
  Engines world;
  world.first.shared.batches = true;
  const std::string invite = world.open();
  EXPECT_THAT(world.second.receive(response(invite, "180 Ringing")), IsEmpty())
      << "it would overtake what the first worker has in its batch";
  world.first.sink().sent.clear();
  world.first.engine.after_flush();
  EXPECT_THAT(kinds(world.first.sink().sent), ElementsAre("180"));
  world.first.engine.after_flush();
  world.first.shared.batches = false;
  world.expect_clean();
}

TEST(Engine, OldTokenDoesNotFindTheNextInTheSameCell) {
  Engines world;
  const std::string old = world.open("old");
  const TransactionId old_id = id_of(old);
  world.second.receive(response(old, "486 Busy Here"));
  run_out(world, world.timer, world.event);
  ASSERT_EQ(world.in_use(), 0U);
  EXPECT_EQ(world.second.acquire(old_id), Access::gone) << "of a free cell";
  const std::string next = world.open("next");
  ASSERT_EQ(id_of(next).cell, old_id.cell);
  ASSERT_NE(id_of(next).generation, old_id.generation);
  EXPECT_EQ(world.second.acquire(old_id), Access::gone);
  EXPECT_THAT(world.second.receive(response(old, "200 OK")), IsEmpty());
  EXPECT_EQ(world.second.counted(world.second.counters.stray_responses), 1U);
  world.timer.engine.on_clock(old_id);
  EXPECT_EQ(world.second.acquire(id_of(next)), Access::held) << "nobody has kept it";
  world.second.release(id_of(next));
  EXPECT_THAT(kinds(world.second.receive(response(next, "180 Ringing"))), ElementsAre("180"));
  world.expect_clean();
}

TEST(Engine, LateResponseThatWaitsIsNotTheNextTransactions) {
  Engines world;
  const std::string old = world.open("old");
  const TransactionId old_id = id_of(old);
  world.second.receive(response(old, "486 Busy Here"));
  run_out(world, world.timer, world.event);
  const std::string next = world.open("next");
  ASSERT_EQ(id_of(next).cell, old_id.cell);
  ASSERT_EQ(world.first.acquire(id_of(next)), Access::held);
  EXPECT_THAT(world.second.receive(response(old, "200 OK")), IsEmpty());
  EXPECT_THAT(world.first.release(id_of(next)), IsEmpty()) << "a 200 of another call";
  world.expect_clean();
}

/// Does something else once, behind step `steps` of what an actor does, when it holds no lock.
class Between final : public shm::FaultHook {
 public:
  Between(int steps, const shm::Actor& actor, std::function<void()> what)
      : x_left(steps), x_actor(actor), x_what(std::move(what)) {}
  void step() noexcept override {
    if (x_left-- > 0 || x_actor.held()->count.load() != 0) return;
    if (auto what = std::exchange(x_what, nullptr)) what();
  }
  bool done() const { return x_what == nullptr; }

 private:
  int x_left;
  const shm::Actor& x_actor;
  std::function<void()> x_what;
};

TEST(Engine, TransactionMayEndAtAnyStepOfAResponseThatWaits) {
  Engines world;
  int steps = 0;
  for (bool done = true; done; ++steps) {
    const std::string invite = world.open();
    const TransactionId id = id_of(invite);
    ASSERT_EQ(world.first.acquire(id), Access::held);
    world.first.engine.release_early(*world.first.engine.at(id));
    Between between(steps, world.second.actor, [&] { world.first.release(id); });
    world.second.actor.set_fault(&between);
    EXPECT_THAT(world.second.receive(response(invite, "180 Ringing")), IsEmpty());
    world.second.actor.set_fault(nullptr);
    done = between.done();
    if (!done) world.first.release(id);
    EXPECT_EQ(world.in_use(), 0U);
    world.expect_clean();
    ASSERT_FALSE(HasFailure()) << "step " << steps;
  }
  EXPECT_GT(steps, 10);
}

TEST(Engine, CellMayHaveItsNextTransactionAtAnyStepOfAResponseThatWaits) {
  Engines world;
  int steps = 0;
  for (bool done = true; done; ++steps) {
    const std::string invite = world.open("old");
    const TransactionId id = id_of(invite);
    ASSERT_EQ(world.first.acquire(id), Access::held);
    world.first.engine.release_early(*world.first.engine.at(id));
    std::string next;
    Between between(steps, world.second.actor, [&] {
      world.first.release(id);
      next = world.open("next");
      ASSERT_EQ(id_of(next).cell, id.cell);
    });
    world.second.actor.set_fault(&between);
    EXPECT_THAT(world.second.receive(response(invite, "180 Ringing")), IsEmpty());
    world.second.actor.set_fault(nullptr);
    done = between.done();
    if (!done) world.first.release(id);
    if (done) {
      EXPECT_THAT(kinds(world.second.receive(response(next, "486 Busy"))), ElementsAre("ACK", "486"));
    }
    world.expect_clean();
    ASSERT_FALSE(HasFailure()) << "step " << steps;
  }
  EXPECT_GT(steps, 10);
}

TEST(Engine, WhoFoundItInTheTableMayComeTooLate) {
  Engines world;
  const std::string invite = world.open();
  const TransactionId id = id_of(invite);
  ASSERT_EQ(world.first.acquire(id), Access::held);
  world.first.engine.release_early(*world.first.engine.at(id));
  world.first.release(id);
  EXPECT_FALSE(world.second.engine.retransmit_reply(id));
  EXPECT_EQ(world.second.acquire(id), Access::gone);
  EXPECT_FALSE(world.second.engine.in_work(id));
  // The request makes a new transaction.
  EXPECT_THAT(kinds(world.second.receive(request("INVITE", "one"))), ElementsAre("INVITE", "100"));
  EXPECT_EQ(world.in_use(), 1U);
  world.expect_clean();
}

TEST(Engine, TheSameRequestInTwoWorkersIsOneTransaction) {
  Engines world;
  world.first.on_created = [&](Transaction&) {
    EXPECT_THAT(world.second.receive(request("INVITE", "one")), IsEmpty());
    EXPECT_EQ(world.in_use(), 1U);
  };
  EXPECT_THAT(kinds(world.first.receive(request("INVITE", "one"))), ElementsAre("INVITE", "100", "100"));
  world.first.on_created = nullptr;
  world.expect_clean();
}

TEST(Engine, WhatNeedsTheScriptGoesToTheEventWorker) {
  Engines world;
  world.first.on_created = [](Transaction& transaction) { transaction.on_failure = kRoute; };
  static_cast<void>(world.open());
  unsigned runs = 0;
  world.event.routes.on_route = [&](std::uint16_t, proxy::Run& run) {
    ++runs;
    EXPECT_TRUE(run.is_request());
    return proxy::RouteEnd::done;
  };
  world.clock.advance_ms(31'000);
  EXPECT_THAT(world.timer.fire(), IsEmpty());
  EXPECT_EQ(runs, 0U);
  ASSERT_EQ(world.events.size(), 1U);
  EXPECT_THAT(kinds(world.event.drain()), ElementsAre("408"));
  EXPECT_EQ(runs, 1U);
  world.expect_clean();
}

TEST(Engine, WhatNeedsTheScriptIsAskedForAgainWhenTheEventIsLost) {
  Engines world;
  world.first.on_created = [](Transaction& transaction) { transaction.on_failure = kRoute; };
  static_cast<void>(world.open());
  world.clock.advance_ms(31'000);
  world.timer.fire();
  shm::Event lost;
  ASSERT_TRUE(world.events.pop(lost));
  world.clock.advance_ms(120);
  EXPECT_THAT(world.timer.fire(), IsEmpty());
  EXPECT_THAT(kinds(world.event.drain()), ElementsAre("408"));
  world.expect_clean();
}

TEST(EngineDeath, OfTheHolderLeavesWhatWaits) {
  Engines world;
  const std::string invite = world.open();
  const TransactionId id = id_of(invite);
  ASSERT_EQ(world.first.acquire(id), Access::held);
  EXPECT_THAT(world.second.receive(response(invite, "180 Ringing")), IsEmpty());
  EXPECT_THAT(kinds(world.second.receive(request("CANCEL", "one"))), ElementsAre("200"));
  world.kill(world.first);
  EXPECT_EQ(world.second.acquire(id), Access::busy) << "until it is put right";
  EXPECT_THAT(kinds(world.event.put_right()), ::testing::UnorderedElementsAre("180", "CANCEL"));
  EXPECT_EQ(world.second.acquire(id), Access::held);
  world.second.release(id);
  EXPECT_THAT(kinds(world.second.receive(response(invite, "487 Request Terminated"))),
              ElementsAre("ACK", "487"));
  world.expect_clean();
}

TEST(EngineDeath, OfTheHolderLeavesItsTimers) {
  Engines world;
  const std::string invite = world.open();
  ASSERT_EQ(world.first.acquire(id_of(invite)), Access::held);
  world.clock.advance_ms(520);
  EXPECT_THAT(world.timer.fire(), IsEmpty());
  world.kill(world.first);
  EXPECT_THAT(kinds(world.event.put_right()), ElementsAre("INVITE"));
  world.clock.advance_ms(1020);
  EXPECT_THAT(kinds(world.timer.fire()), ElementsAre("INVITE"));
  world.expect_clean();
}

TEST(EngineDeath, OfTheHolderChangesNothingThatWasDone) {
  Engines world;
  const std::string invite = world.open();
  const TransactionId id = id_of(invite);
  world.first.receive(response(invite, "486 Busy Here"));
  ASSERT_EQ(world.first.acquire(id), Access::held);
  world.kill(world.first);
  EXPECT_THAT(world.event.put_right(), IsEmpty());
  const Branch* branch = world.event.engine.branch(*world.event.engine.at(id), 0);
  ASSERT_NE(branch, nullptr);
  EXPECT_EQ(branch->status, 486);
  EXPECT_TRUE(branch->received);
  EXPECT_THAT(kinds(world.second.receive(request("INVITE", "one"))), ElementsAre("486"));
  world.expect_clean();
}

TEST(EngineDeath, OfWhoMakesItEndsIt) {
  Engines world;
  // When the branch has been sent and the run has not ended.
  world.die_in_route(world.first, [&] {
    world.first.on_created = [](Transaction& transaction) { transaction.on_branch = kRoute; };
    world.first.receive(request("INVITE", "one"));
  });
  EXPECT_EQ(world.in_use(), 1U);
  EXPECT_THAT(world.event.put_right(), IsEmpty());
  EXPECT_EQ(world.in_use(), 0U);
  EXPECT_THAT(kinds(world.second.receive(request("INVITE", "one"))), ElementsAre("INVITE", "100"))
      << "the request comes again";
  world.expect_clean();
}

TEST(EngineDeath, InTheReplyRouteLosesThatResponseOnly) {
  Engines world;
  world.first.on_created = [](Transaction& transaction) { transaction.on_reply = kRoute; };
  const std::string invite = world.open();
  world.die_in_route(world.second, [&] { world.second.receive(response(invite, "180 Ringing")); });
  EXPECT_THAT(world.event.put_right(), IsEmpty());
  EXPECT_THAT(kinds(world.first.receive(response(invite, "486 Busy Here"))), ElementsAre("ACK", "486"));
  world.expect_clean();
}

TEST(EngineDeath, InTheReplyRouteOfTheLastFinalIsAnswered) {
  Engines world;
  world.first.on_created = [](Transaction& transaction) { transaction.on_reply = kRoute; };
  const std::string invite = world.open();
  world.die_in_route(world.second, [&] { world.second.receive(response(invite, "486 Busy Here")); });
  EXPECT_THAT(kinds(world.event.put_right()), ElementsAre("500")) << "or the client would wait for ever";
  EXPECT_THAT(kinds(world.first.receive(response(invite, "486 Busy Here"))), ElementsAre("ACK"));
  world.expect_clean();
}

TEST(EngineDeath, InTheReplyRouteOfA2xxLeavesItsRetransmission) {
  Engines world;
  world.first.on_created = [](Transaction& transaction) { transaction.on_reply = kRoute; };
  const std::string invite = world.open();
  world.die_in_route(world.second, [&] { world.second.receive(response(invite, "200 OK")); });
  EXPECT_THAT(world.event.put_right(), IsEmpty());
  EXPECT_THAT(kinds(world.first.receive(response(invite, "200 OK"))), ElementsAre("200"));
  world.expect_clean();
}

TEST(EngineDeath, InTheReplyRouteOfA2xxThatDoesNotComeAgainEndsAllTheSame) {
  Engines world;
  world.first.on_created = [](Transaction& transaction) { transaction.on_reply = kRoute; };
  const std::string invite = world.open();
  world.die_in_route(world.second, [&] { world.second.receive(response(invite, "200 OK")); });
  world.event.put_right();
  world.expect_clean();
}

TEST(EngineDeath, InTheFailureRouteSendsWhatTheBranchesCameTo) {
  Engines world;
  world.first.on_created = [](Transaction& transaction) { transaction.on_failure = kRoute; };
  const std::string invite = world.open();
  world.die_in_route(world.second, [&] { world.second.receive(response(invite, "486 Busy Here")); });
  EXPECT_THAT(kinds(world.event.put_right()), ElementsAre("486"));
  world.expect_clean();
}

}  // namespace
}  // namespace ser::txn
