// SPDX-License-Identifier: Apache-2.0
// Routes of a transaction that wait for whoever was given a ticket, and deaths meanwhile. What waits for
// names stands in tm/waiting.flow.
#include <gmock/gmock.h>

#include "modules/sl/sl.h"
#include "modules/tm/tm.h"
#include "srv/testing/suspend_world.h"

namespace ser::srv {
namespace {

using ::testing::HasSubstr;
using testing::invite;
using testing::response_to;
using testing::Sent;
using ::testing::StartsWith;
using testing::SuspendWorld;

constexpr const char* kHead = "loadmodule \"tm.so\"\nloadmodule \"sl.so\"";

/// A proxy to bob whose routes wait where the test says.
class Waiting : public ::testing::Test {
 protected:
  explicit Waiting(const std::string& before = "", const std::string& after = "")
      : world(before +
                  "if (method == \"CANCEL\" || method == \"ACK\") { t_relay(); exit; } $du = "
                  "\"sip:198.51.100.7:5062\"; t_on_reply(\"R\"); t_on_failure(\"F\"); t_relay();" +
                  after,
              "onreply_route[R] { if (status =~ \"18[03]\") { setflag(4); $avp(s:a) = \"kept\"; say(\"begin "
              "$rs\");"
              " wait(5000, -7); say(\"$rc $rs $avp(s:a)\"); if (isflagset(4)) say(\"flag\");"
              " if (status == \"183\") drop; } }\n"
              "failure_route[F] { say(\"failed $T_reply_code\"); wait(5000, -7); say(\"$rc $T_reply_code\");"
              " if (t_is_canceled()) exit; $du = \"sip:198.51.100.8:5062\"; t_relay(); }\n",
              kHead, {modules::describe_tm, modules::describe_sl}) {}
  static std::string starts(const Sent& sent) { return sent.bytes.substr(0, sent.bytes.find("\r\n")); }
  static std::vector<std::string> starts(const std::vector<Sent>& all) {
    std::vector<std::string> out;
    for (const Sent& sent : all) out.push_back(starts(sent));
    return out;
  }
  /// The INVITE as it reached bob.
  std::string call() {
    for (const Sent& sent : world.receive(invite()))
      if (sent.bytes.starts_with("INVITE")) return sent.bytes;
    return {};
  }
  std::vector<Sent> answer(std::int32_t code = 3) {
    EXPECT_TRUE(proxy::resume(world.event_worker->services(), world.waiter().tickets.back(), code));
    return world.work();
  }
  std::string ack(std::string_view bytes) const {
    std::string text(bytes);
    text.replace(0, 6, "ACK");
    text.replace(text.find("CSeq: 1 INVITE"), 14, "CSeq: 1 ACK");
    return text;
  }
  std::uint64_t transactions(std::string_view name) const {
    return world.shared().pages->sum(world.shared().counters.find("tm", name));
  }
  /// All timers of a transaction.
  void expect_all_over(const shm::HeapUse& start) {
    for (int i = 0; i < 400; ++i) world.wait_ms(500);
    EXPECT_EQ(transactions("transactions"), transactions("finished"));
    EXPECT_EQ(world.shared().timers->armed(), 0U);
    // The cells of transactions and their arrays stay; nothing else does.
    const shm::HeapUse now = world.shared().heap->use();
    EXPECT_LE(now.cells, start.cells + 1);
  }

  SuspendWorld world;
};

TEST_F(Waiting, AResponseRouteWaitsAndWhatFollowsKeepsItsOrder) {
  const shm::HeapUse start = world.shared().heap->use();
  const std::string sent = call();
  ASSERT_FALSE(sent.empty());
  EXPECT_TRUE(world.receive(response_to(sent, "180 Ringing")).empty());
  EXPECT_TRUE(world.receive(response_to(sent, "200 OK")).empty()) << "the 180 comes first";
  EXPECT_EQ(world.waiter().said, "begin 180;");
  EXPECT_THAT(starts(answer()), ::testing::ElementsAre("SIP/2.0 180 Ringing", "SIP/2.0 200 OK"));
  EXPECT_EQ(world.waiter().said, "begin 180;3 180 kept;flag;");
  expect_all_over(start);
}

TEST_F(Waiting, ADropAfterTheWaitIsOne) {
  const std::string sent = call();
  world.receive(response_to(sent, "183 Progress"));
  EXPECT_TRUE(answer().empty());
  EXPECT_THAT(starts(world.receive(response_to(sent, "200 OK"))), ::testing::ElementsAre("SIP/2.0 200 OK"));
}

TEST_F(Waiting, AResponseRouteThatNobodyAnswersGoesOn) {
  const std::string sent = call();
  world.receive(response_to(sent, "180 Ringing"));
  std::vector<Sent> all;
  for (int i = 0; i < 60 && all.empty(); ++i) all = world.wait_ms(100);
  EXPECT_THAT(starts(all), ::testing::ElementsAre("SIP/2.0 180 Ringing"));
  EXPECT_THAT(world.waiter().said, HasSubstr("-7 180 kept;"));
}

TEST_F(Waiting, AFailureRouteWaitsAndTriesAnother) {
  const shm::HeapUse start = world.shared().heap->use();
  const std::string sent = call();
  EXPECT_THAT(starts(world.receive(response_to(sent, "486 Busy"))),
              ::testing::ElementsAre("ACK sip:bob@example.com SIP/2.0"));
  const auto next = answer();
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next.front().to(), "198.51.100.8:5062");
  EXPECT_EQ(world.waiter().said, "failed 486;3 486;");
  const auto end = world.receive(response_to(next.front().bytes, "404 Not Found"));
  EXPECT_THAT(starts(end), ::testing::Contains(StartsWith("SIP/2.0 4")));
  world.receive(ack(invite()));
  expect_all_over(start);
}

TEST_F(Waiting, TheEventWorkerThatDiesBetweenTwoRunsLosesNothing) {
  const std::string sent = call();
  world.receive(response_to(sent, "486 Busy"));
  world.work();
  world.replace_event_worker();
  world.hear_of_death();
  const auto next = answer();
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next.front().to(), "198.51.100.8:5062");
}

/// The run was taken along by a death: what was to follow from the failure route follows without it.
TEST_F(Waiting, ARunThatIsLostEndsNotTheTransaction) {
  const shm::HeapUse start = world.shared().heap->use();
  const std::string sent = call();
  world.receive(response_to(sent, "486 Busy"));
  world.work();
  const proxy::SuspendedRuns runs = world.event_worker->suspender().runs();
  ASSERT_TRUE(runs.answer(world.waiter().tickets.back(), {}));
  proxy::Answer answer;
  shm::Actor& dying = world.event_worker->actor();
  ASSERT_TRUE(runs.claim(proxy::SuspendedRuns::index_of(world.waiter().tickets.back()), dying, answer));
  // As the reaper does it.
  runs.bury(*world.shared().timers, world.receiver->actor(),
            proxy::SuspendedRuns::index_of(world.waiter().tickets.back()));
  world.replace_event_worker();
  world.sink.sent.clear();
  world.hear_of_death();
  EXPECT_THAT(starts(world.sink.sent), ::testing::ElementsAre("SIP/2.0 486 Busy"));
  world.receive(ack(invite()));
  expect_all_over(start);
}

class WaitingAfterRelay : public Waiting {
 protected:
  WaitingAfterRelay() : Waiting("", " say(\"sent\"); wait(5000, -7); say(\"$rc\");") {}
};

TEST_F(WaitingAfterRelay, ResponsesWaitForTheRunThatMadeTheTransaction) {
  const shm::HeapUse start = world.shared().heap->use();
  const std::string sent = call();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(world.waiter().said, "sent;");
  EXPECT_TRUE(world.receive(response_to(sent, "200 OK")).empty());
  // A retransmission gets what was answered so far, though nobody works on the transaction.
  world.receive(invite());
  EXPECT_THAT(starts(world.work()), ::testing::ElementsAre(StartsWith("SIP/2.0 100 ")));
  EXPECT_THAT(starts(answer()), ::testing::ElementsAre("SIP/2.0 200 OK"));
  EXPECT_EQ(world.waiter().said, "sent;3;");
  expect_all_over(start);
}

TEST_F(WaitingAfterRelay, ACallerWhoHangsUpMeanwhileCancelsTheBranch) {
  const std::string sent = call();
  world.receive(response_to(sent, "180 Ringing"));
  std::string cancel = invite("sip:bob@example.com", "CANCEL");
  EXPECT_THAT(starts(world.receive(cancel)), ::testing::ElementsAre(StartsWith("SIP/2.0 200 ")));
  // Only after a provisional response, which waits for the run.
  EXPECT_TRUE(world.work().empty());
  // The 180's route may not wait once more: the response is a copy that nobody could keep.
  EXPECT_THAT(starts(answer()),
              ::testing::UnorderedElementsAre("SIP/2.0 180 Ringing", StartsWith("CANCEL sip:bob")));
  EXPECT_THAT(world.waiter().said, HasSubstr("-1 180 kept;"));
}

}  // namespace
}  // namespace ser::srv
