// SPDX-License-Identifier: Apache-2.0
// A worker dies after each single store into the segment on the ways of a transaction: while it is made,
// relayed, answered, cancelled, timed, ended, and put right after another death (preset `stores`). Messages,
// edits and engine are built with store tracing, too.
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "store_trap.h"
#include "txn/testing/engine_world.h"

namespace ser::txn {
namespace {

using testing::EngineWorld;
using testing::id_of;
using testing::request;
using testing::response;
using testing::run_out;
using testing::Sent;
using testing::Worker;

constexpr std::int64_t kNever = -1;
constexpr std::int64_t kMaxSteps = 20'000;
constexpr std::uint16_t kRoute = 7;

class World : public EngineWorld {
 public:
  World() : x_helper(*this, 1), event(*this, 2), timer(*this, 3, /*with_script=*/false) {
    trap.begin = segment.base();
    trap.size = segment.size();
  }
  /// From now on the accounts are to come back to what they are when nothing lives.
  void begin_accounts() {
    static_cast<void>(open("warm"));
    run_out(*this, timer, event);
    x_start = heap.use();
    EXPECT_EQ(root->pool.in_use.load(), 0U);
  }
  Worker& helper() { return x_helper; }
  /// The INVITE as it left; empty when nothing did.
  std::string open(std::string_view branch) {
    for (const Sent& sent : x_helper.receive(request("INVITE", branch))) {
      if (sent.bytes.starts_with("INVITE ")) return sent.bytes;
    }
    return {};
  }
  /// `body` as a new worker of slot 0, in a process that dies at store `steps`. True: it died. What it held
  /// is put right; now the sweep, now the event worker comes first.
  bool die(std::int64_t steps, bool with_script, const std::function<void(Worker&)>& body) {
    Worker victim(*this, 0, with_script);
    const bool died = run_child(steps, [&] { body(victim); });
    const shm::WorkerId dead = victim.actor.id();
    slots.mark_dead(dead.slot, 9);
    slots.release_locks(segment, dead.slot, dead);
    timers.nudge();
    if (steps % 2 != 0) event.put_right();
    bury(dead);
    if (steps % 2 == 0) event.put_right();
    return died;
  }
  /// True: it died at store `steps`.
  static bool run_child(std::int64_t steps, const std::function<void()>& body) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      trap.left = steps;
      body();
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status) << " at store " << steps;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    EXPECT_TRUE(code == 0 || code == StoreTrap::kDied) << "status " << code;
    return code == StoreTrap::kDied;
  }
  /// Nothing lives, nothing leaks. False ends a loop.
  bool is_whole(std::int64_t steps) {
    run_out(*this, timer, event);
    EXPECT_EQ(timers.armed(), 0U) << "after a death at store " << steps;
    EXPECT_EQ(root->pool.in_use.load(), 0U) << "after a death at store " << steps;
    EXPECT_EQ(heap.use().cells, x_start.cells) << "after a death at store " << steps;
    EXPECT_EQ(heap.use().used, x_start.used) << "after a death at store " << steps;
    EXPECT_EQ(segment.header().corruptions.load(), 0U) << "line " << segment.header().corrupt_line.load();
    const Result<void> whole = heap.verify();
    EXPECT_TRUE(whole) << whole.error().what << " after a death at store " << steps;
    return !::testing::Test::HasFailure();
  }

 private:
  Worker x_helper;

 public:
  Worker event, timer;

 private:
  shm::HeapUse x_start;
};

/// What a scenario knows of its transaction.
struct Call {
  std::string invite;  ///< as it left
  TransactionId id;
};

struct Scenario {
  const char* name;
  bool with_script = true;
  std::int64_t least = 50;                                 ///< stores that are expected
  std::function<void(World&, Call&)> before;               ///< by the helper
  std::function<void(World&, Worker&, const Call&)> body;  ///< by who dies
  std::function<void(World&, const Call&)> after;          ///< when all is put right
};

/// The scenario with a death at each store, beside a transaction that nobody touches.
void run(const Scenario& scenario) {
  World world;
  world.begin_accounts();
  std::int64_t step = 0;
  for (bool died = true; died && step < kMaxSteps; ++step) {
    const std::string bystander = world.open("bystander");
    world.helper().receive(response(bystander, "183 Session Progress"));
    Call call;
    if (scenario.before) scenario.before(world, call);
    died = world.die(step, scenario.with_script, [&](Worker& victim) { scenario.body(world, victim, call); });
    const auto sent = world.helper().receive(response(bystander, "180 Ringing"));
    EXPECT_EQ(sent.size(), 1U) << "of the bystander, after a death at store " << step;
    if (scenario.after) scenario.after(world, call);
    if (!world.is_whole(step)) break;
  }
  EXPECT_GT(step, scenario.least) << "the libraries do not tell of their stores";
  EXPECT_LT(step, kMaxSteps);
  std::cout << scenario.name << ": died after each of " << step - 1 << " stores\n";
}

void open_call(World& world, Call& call) {
  call.invite = world.open("call");
  ASSERT_FALSE(call.invite.empty());
  call.id = id_of(call.invite);
}

/// Some final response has gone or goes to the client, or its transaction is no more.
void expect_answered(World& world, const Call& call) {
  const Access access = world.helper().acquire(call.id);
  ASSERT_NE(access, Access::busy);
  if (access == Access::gone) return;
  EXPECT_TRUE(world.helper().engine.at(call.id)->has_final()) << "the client would wait";
  world.helper().release(call.id);
}

TEST(TxnStoreDeaths, MakingIt) {
  run({.name = "making",
       .before = {},
       .body = [](World&, Worker& victim, const Call&) { victim.receive(request("INVITE", "call")); },
       .after =
           [](World& world, const Call&) {
             // The client's retransmission is absorbed or makes it anew.
             world.helper().receive(request("INVITE", "call"));
             EXPECT_EQ(world.root->pool.in_use.load(), 2U);
           }});
}

TEST(TxnStoreDeaths, Provisional) {
  run({.name = "provisional",
       .before = open_call,
       .body = [](World&, Worker& victim,
                  const Call& call) { victim.receive(response(call.invite, "180 Ringing")); },
       .after =
           [](World& world, const Call& call) {
             world.helper().receive(response(call.invite, "486 Busy Here"));
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, FinalWithAck) {
  run({.name = "final",
       .before = open_call,
       .body = [](World&, Worker& victim,
                  const Call& call) { victim.receive(response(call.invite, "486 Busy Here")); },
       .after =
           [](World& world, const Call& call) {
             // Unless the response reached us, it comes again.
             world.helper().receive(response(call.invite, "486 Busy Here"));
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, Success) {
  run({.name = "success",
       .before = open_call,
       .body = [](World&, Worker& victim,
                  const Call& call) { victim.receive(response(call.invite, "200 OK")); },
       .after =
           [](World& world, const Call& call) {
             EXPECT_EQ(world.helper().receive(response(call.invite, "200 OK")).size(), 1U);
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, ReplyRoute) {
  run({.name = "reply route",
       .before =
           [](World& world, Call& call) {
             world.helper().on_created = [](Transaction& transaction) { transaction.on_reply = kRoute; };
             open_call(world, call);
           },
       .body =
           [](World&, Worker& victim, const Call& call) {
             victim.routes.on_route = [](std::uint16_t, proxy::Run& run) {
               static_cast<void>(run.set_avp("name", false, proxy::Value::of("value")));
               return proxy::RouteEnd::done;
             };
             victim.receive(response(call.invite, "404 Not Found"));
           },
       .after =
           [](World& world, const Call& call) {
             world.helper().receive(response(call.invite, "404 Not Found"));
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, FailureRouteThatForks) {
  run({.name = "failure route",
       .before =
           [](World& world, Call& call) {
             world.helper().on_created = [](Transaction& transaction) { transaction.on_failure = kRoute; };
             open_call(world, call);
           },
       .body =
           [](World&, Worker& victim, const Call& call) {
             victim.routes.on_route = [&victim](std::uint16_t, proxy::Run& run) {
               static_cast<void>(run.set_uri("sip:carol@198.51.100.8"));
               static_cast<void>(
                   victim.engine.relay(*static_cast<Transaction*>(run.state().transaction), run));
               return proxy::RouteEnd::done;
             };
             victim.receive(response(call.invite, "404 Not Found"));
           },
       .after =
           [](World& world, const Call& call) {
             world.helper().receive(response(call.invite, "404 Not Found"));
             world.clock.advance_ms(40'000);
             world.timer.fire();
             world.event.drain();
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, Cancel) {
  run({.name = "cancel",
       .before =
           [](World& world, Call& call) {
             open_call(world, call);
             world.helper().receive(response(call.invite, "180 Ringing"));
           },
       .body = [](World&, Worker& victim,
                  const Call&) { victim.receive(request("CANCEL", "call", "Reason: SIP;cause=200\n")); },
       .after =
           [](World& world, const Call& call) {
             world.helper().receive(request("CANCEL", "call"));
             world.helper().receive(response(call.invite, "487 Request Terminated"));
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, ResponseToOurCancel) {
  run({.name = "response to our cancel",
       .least = 20,
       .before =
           [](World& world, Call& call) {
             open_call(world, call);
             world.helper().receive(response(call.invite, "180 Ringing"));
             world.helper().receive(request("CANCEL", "call"));
           },
       .body =
           [](World&, Worker& victim, const Call& call) {
             std::string cancel = call.invite;
             cancel.replace(cancel.find("1 INVITE"), 8, "1 CANCEL");
             // It has our Via alone.
             const std::size_t below = cancel.find("Via:", cancel.find("Via:") + 4);
             cancel.erase(below, cancel.find("\r\n", below) + 2 - below);
             victim.receive(response(cancel, "200 OK"));
           },
       .after =
           [](World& world, const Call& call) {
             world.helper().receive(response(call.invite, "487 Request Terminated"));
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, Ack) {
  run({.name = "ack",
       .least = 10,
       .before =
           [](World& world, Call& call) {
             open_call(world, call);
             world.helper().receive(response(call.invite, "486 Busy Here"));
           },
       .body = [](World&, Worker& victim, const Call&) { victim.receive(request("ACK", "call")); },
       .after = [](World& world, const Call&) { world.helper().receive(request("ACK", "call")); }});
}

TEST(TxnStoreDeaths, ResponseThatWaits) {
  run({.name = "waiting",
       .least = 20,
       .before =
           [](World& world, Call& call) {
             open_call(world, call);
             ASSERT_EQ(world.helper().acquire(call.id), Access::held);
           },
       .body = [](World&, Worker& victim,
                  const Call& call) { victim.receive(response(call.invite, "180 Ringing")); },
       .after = [](World& world, const Call& call) { world.helper().release(call.id); }});
}

TEST(TxnStoreDeaths, TakingWhatWaits) {
  run({.name = "taking what waits",
       .before = open_call,
       .body =
           [](World& world, Worker& victim, const Call& call) {
             // Both are of the one that dies: the helper is the parent's.
             ASSERT_EQ(victim.acquire(call.id), Access::held);
             static_cast<void>(world);
             victim.receive(response(call.invite, "180 Ringing"));
             victim.receive(response(call.invite, "486 Busy Here"));
             victim.release(call.id);
           },
       .after =
           [](World& world, const Call& call) {
             world.helper().receive(response(call.invite, "486 Busy Here"));
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, TimerThatSendsAgain) {
  run({.name = "timer",
       .with_script = false,
       .least = 20,
       .before =
           [](World& world, Call& call) {
             open_call(world, call);
             world.clock.advance_ms(520);
           },
       .body = [](World&, Worker& victim, const Call&) { victim.fire(); },
       .after =
           [](World& world, const Call& call) {
             world.timer.fire();
             world.helper().receive(response(call.invite, "486 Busy Here"));
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, TimerThatGivesUp) {
  run({.name = "time-out",
       .with_script = false,
       .before =
           [](World& world, Call& call) {
             open_call(world, call);
             world.clock.advance_ms(31'000);
           },
       .body = [](World&, Worker& victim, const Call&) { victim.fire(); },
       .after =
           [](World& world, const Call& call) {
             world.timer.fire();
             world.clock.advance_ms(1000);
             world.timer.fire();
             expect_answered(world, call);
           }});
}

TEST(TxnStoreDeaths, EndAndMemory) {
  run({.name = "end",
       .with_script = false,
       .before =
           [](World& world, Call& call) {
             open_call(world, call);
             world.helper().receive(response(call.invite, "486 Busy Here"));
             world.clock.advance_ms(31'900);
             world.timer.fire();
             world.clock.advance_ms(200);
           },
       .body = [](World&, Worker& victim, const Call&) { victim.fire(); },
       .after = [](World& world, const Call&) { world.timer.fire(); }});
}

TEST(TxnStoreDeaths, PuttingRight) {
  run({.name = "putting right",
       .before =
           [](World& world, Call& call) {
             open_call(world, call);
             Worker holder(world, 4);
             World::run_child(kNever, [&] {
               static_cast<void>(holder.acquire(call.id));
               ::_exit(0);
             });
             ASSERT_EQ(world.helper().acquire(call.id), Access::busy);
             world.helper().receive(response(call.invite, "486 Busy Here"));
             world.bury(holder.actor.id());
           },
       .body = [](World&, Worker& victim, const Call&) { victim.put_right(); },
       .after =
           [](World& world, const Call& call) {
             world.helper().receive(response(call.invite, "486 Busy Here"));
             expect_answered(world, call);
           }});
}

/// The very first transaction brings the pool's cells.
TEST(TxnStoreDeaths, FirstOfAll) {
  std::int64_t step = 0;
  for (bool died = true; died && step < kMaxSteps && !HasFailure(); ++step) {
    World world;
    died = world.die(step, true, [](Worker& victim) { victim.receive(request("INVITE", "call")); });
    world.begin_accounts();
    EXPECT_EQ(world.root->pool.chunk_count, 1U) << "after a death at store " << step;
    EXPECT_EQ(world.heap.use().cells, 1U) << "after a death at store " << step;
    EXPECT_TRUE(world.is_whole(step));
  }
  EXPECT_GT(step, 500);
  EXPECT_LT(step, kMaxSteps);
  std::cout << "first of all: died after each of " << step - 1 << " stores\n";
}

}  // namespace
}  // namespace ser::txn
