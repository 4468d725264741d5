// SPDX-License-Identifier: Apache-2.0
// Runs that wait, from the datagram to the end in the event worker, on a clock that jumps.
#include <gmock/gmock.h>

#include "srv/testing/suspend_world.h"

namespace ser::srv {
namespace {

using ::testing::HasSubstr;
using testing::invite;
using testing::response_to;
using ::testing::StartsWith;
using testing::SuspendWorld;

constexpr std::string_view kHost = "gw.example";

TEST(Suspend, ANameMetAtRunTimeIsWaitedFor) {
  SuspendWorld world(
      "setflag(3); $avp(s:a) = \"kept\"; $var(x) = \"v\" + $rm; $du = \"sip:gw.example:5070\";"
      " if (forward()) say(\"yes $avp(s:a) $var(x)\"); else say(\"no\");"
      " if (isflagset(3)) say(\"flag\"); say(\"$rc\");");
  const shm::HeapUse start = world.shared().heap->use();
  EXPECT_TRUE(world.receive(invite()).empty()) << "no 503";
  EXPECT_EQ(world.waiter().finished, 0U);
  EXPECT_TRUE(world.work().empty());
  EXPECT_EQ(world.counted("suspended"), 1U);
  ASSERT_EQ(world.transport.asked.size(), 1U);
  EXPECT_EQ(world.transport.asked.front().first, kHost);
  const auto sent = world.answer(kHost, "198.51.100.7");
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent.front().to(), "198.51.100.7:5070");
  EXPECT_THAT(sent.front().bytes,
              StartsWith("INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9"));
  EXPECT_EQ(world.waiter().said, "yes kept vINVITE;flag;1;");
  EXPECT_EQ(world.waiter().finished, 1U) << "post-script hooks run once";
  EXPECT_EQ(world.counted("suspended"), 0U);
  EXPECT_EQ(world.counted("suspended_total"), 1U);
  EXPECT_EQ(world.counted("dns_pending") + world.counted("err_requests"), 0U);
  world.expect_clean(start);
  // Now the cache knows it: nothing waits.
  EXPECT_EQ(world.receive(invite("sip:carol@example.com", "INVITE", "z9hG4bK2")).size(), 1U);
}

TEST(Suspend, WhatTheNameServerDeniesIsNoReasonToWait) {
  SuspendWorld world("if (!forward(\"nowhere.example\", 5070)) say(\"no $rc\");");
  const shm::HeapUse start = world.shared().heap->use();
  world.receive(invite());
  world.work();
  const auto sent = world.answer("nowhere.example", nullptr);
  const std::string said = std::exchange(world.waiter().said, {});
  EXPECT_THAT(said, StartsWith("no "));
  world.receive(invite("sip:b@x", "INVITE", "z9hG4bK2"));
  EXPECT_EQ(world.waiter().said, said) << "who need not wait is told the same";
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_THAT(sent.front().bytes, StartsWith("SIP/2.0 478 "));
  world.expect_clean(start);
}

TEST(Suspend, WhoWaitsTooLongIsAnswered503) {
  SuspendWorld world("forward(\"gw.example\", 5070); say(\"end\");", "", "dns_suspend_timeout=2000\n");
  const shm::HeapUse start = world.shared().heap->use();
  world.receive(invite());
  world.work();
  EXPECT_TRUE(world.wait_ms(1990).empty());
  const auto sent = world.wait_ms(50);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_THAT(sent.front().bytes, StartsWith("SIP/2.0 503 "));
  EXPECT_THAT(sent.front().bytes, HasSubstr("Retry-After: "));
  EXPECT_EQ(sent.front().to(), "192.0.2.1:5070");
  EXPECT_EQ(world.waiter().said, "end;");
  EXPECT_EQ(world.counted("suspended_timed_out"), 1U);
  EXPECT_EQ(world.counted("dns_pending"), 1U);
  world.expect_clean(start);
  // The answer that comes now is for the next one.
  EXPECT_TRUE(world.answer(kHost, "198.51.100.7").empty());
}

TEST(Suspend, TheDeadlineIsOfTheWaitNotOfEachQuestion) {
  SuspendWorld world("forward(\"gw.example\");", "", "dns_suspend_timeout=2000\n");
  const shm::HeapUse start = world.shared().heap->use();
  world.receive(invite());
  world.work();
  // SRV first; its denial makes the run ask for the address, which it does not get in time.
  world.wait_ms(1500);
  EXPECT_TRUE(world.answer("_sip._udp.gw.example", nullptr, net::DnsType::srv).empty());
  EXPECT_EQ(world.counted("suspended"), 1U);
  const auto sent = world.wait_ms(520);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_THAT(sent.front().bytes, StartsWith("SIP/2.0 503 "));
  world.expect_clean(start);
}

TEST(Suspend, NestedAndInTurn) {
  SuspendWorld world(
      "$var(k) = \"keep\" + $rU; route(A); say(\"end $var(k) $rc\");",
      "route[A] { $var(i) = 0; while ($var(i) < 3) { $var(i) = $var(i) + 1;"
      " $var(x) = 10 + (wait(1000) && wait(1000)) + $var(i); say(\"$var(x)\"); } return 5; }\n");
  const shm::HeapUse start = world.shared().heap->use();
  world.receive(invite("sip:one@example.com", "INVITE", "z9hG4bK1"));
  world.receive(invite("sip:two@example.com", "INVITE", "z9hG4bK2"));
  // Two runs in turn in one machine: neither sees the other's variables.
  for (int round = 0; round < 6; ++round) {
    auto tickets = std::exchange(world.waiter().tickets, {});
    ASSERT_EQ(tickets.size(), 2U) << round;
    for (const proxy::Ticket ticket : tickets) {
      EXPECT_TRUE(proxy::resume(world.receiver->services(), ticket, 1));
      EXPECT_FALSE(proxy::resume(world.receiver->services(), ticket, 1)) << "answered already";
    }
    world.work();
    for (const proxy::Ticket ticket : tickets)
      EXPECT_FALSE(proxy::resume(world.receiver->services(), ticket, 1)) << "an old ticket";
  }
  EXPECT_EQ(world.waiter().said, "12;12;13;13;14;end keepone 5;14;end keeptwo 5;");
  EXPECT_EQ(world.waiter().finished, 2U);
  world.expect_clean(start);
}

TEST(Suspend, EditsBranchesAndTheRequestUriTravel) {
  SuspendWorld world(
      "edit(\"1\"); rewritehost(\"new.example\"); append_branch(\"sip:other@x\");"
      " force_send_socket(udp:192.0.2.9:5060); forward(\"gw.example\", 5070);"
      " edit(\"2\"); forward(\"198.51.100.8\", 5071); say(\"$ru $br\");");
  const shm::HeapUse start = world.shared().heap->use();
  world.receive(invite());
  world.work();
  const auto sent = world.answer(kHost, "198.51.100.7");
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_THAT(sent[0].bytes, StartsWith("INVITE sip:bob@new.example SIP/2.0\r\n"));
  EXPECT_THAT(sent[0].bytes, HasSubstr("\r\nX-Edit: 1\r\n\r\nv=0\r\n"));
  EXPECT_THAT(sent[1].bytes, HasSubstr("\r\nX-Edit: 1\r\nX-Edit: 2\r\n\r\nv=0\r\n"));
  EXPECT_EQ(world.waiter().said, "sip:bob@new.example sip:other@x;");
  world.expect_clean(start);
}

TEST(Suspend, LateCodeAndAnswerAtOnce) {
  SuspendWorld world("wait(100, 5); say(\"$rc\"); wait(100); say(\"$rc\");");
  const shm::HeapUse start = world.shared().heap->use();
  world.receive(invite());
  world.wait_ms(120);
  EXPECT_EQ(world.waiter().said, "5;");
  EXPECT_EQ(world.counted("suspended_timed_out"), 0U) << "time that was to pass is no time-out";
  world.wait_ms(120);
  EXPECT_EQ(world.waiter().said, "5;-1;");
  EXPECT_EQ(world.counted("suspended_timed_out"), 1U);
  // Whoever owes the answer may be faster than we are in putting the run down.
  world.waiter().answer_at_once = true;
  world.receive(invite());
  world.work();
  EXPECT_EQ(world.waiter().said, "5;-1;7;7;");
  world.expect_clean(start);
}

TEST(Suspend, NoMoreThanTheBound) {
  SuspendWorld world("forward(\"gw.example\", 5070);", "", "max_suspended=3\n");
  const shm::HeapUse start = world.shared().heap->use();
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(world.receive(invite("sip:b@x", "INVITE", "z9hG4bK" + std::to_string(i))).empty());
  const auto refused = world.receive(invite("sip:b@x", "INVITE", "z9hG4bKx"));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_THAT(refused.front().bytes, StartsWith("SIP/2.0 503 "));
  EXPECT_EQ(world.counted("suspended_refused"), 1U);
  world.work();
  EXPECT_EQ(world.answer(kHost, "198.51.100.7").size(), 3U);
  world.expect_clean(start);
}

TEST(Suspend, OneQuestionForManyAndManyQuestionsOneAfterTheOther) {
  SuspendWorld world("forward(\"gw.example\", 5070);");
  for (int i = 0; i < 50; ++i) world.receive(invite("sip:b@x", "INVITE", "z9hG4bK" + std::to_string(i)));
  world.work();
  EXPECT_EQ(world.transport.asked.size(), 1U);
  EXPECT_EQ(world.answer(kHost, "198.51.100.7").size(), 50U);

  SuspendWorld other("forward();");
  for (int i = 0; i < 10; ++i)
    other.receive(
        invite("sip:b@h" + std::to_string(i) + ".example:5060", "INVITE", "z9hG4bK" + std::to_string(i)));
  other.work();
  EXPECT_EQ(other.transport.asked.size(), 4U) << "as many as may be on their way";
  std::size_t forwarded = 0;
  for (std::size_t i = 0; i < other.transport.asked.size(); ++i)
    forwarded += other.answer(other.transport.asked[i].first, "198.51.100.7").size();
  EXPECT_EQ(forwarded, 10U);
}

TEST(Suspend, ANewEventWorkerFindsWhoWaits) {
  SuspendWorld world("if ($rU == \"w\") wait(1000); else forward(\"gw.example\", 5070);");
  const shm::HeapUse start = world.shared().heap->use();
  world.receive(invite("sip:a@x", "INVITE", "z9hG4bK1"));
  world.work();
  world.receive(invite("sip:w@x", "INVITE", "z9hG4bK2"));
  world.receive(invite("sip:b@x", "INVITE", "z9hG4bK3"));
  world.replace_event_worker();
  EXPECT_EQ(world.transport.asked.size(), 1U) << "asked again";
  EXPECT_EQ(world.counted("suspended"), 3U);
  EXPECT_EQ(world.answer(kHost, "198.51.100.7").size(), 2U);
  // Answered, and the event lost with the worker.
  EXPECT_TRUE(proxy::resume(world.receiver->services(), world.waiter().tickets.front(), 1));
  shm::Event lost;
  while (world.shared().event_inbox->pop(lost)) {
  }
  world.replace_event_worker();
  world.work();
  EXPECT_EQ(world.waiter().finished, 3U);
  EXPECT_EQ(world.counted("suspended"), 0U);
  world.expect_clean(start);
}

TEST(Suspend, AFullInboxLosesNobody) {
  SuspendWorld world("forward(\"gw.example\", 5070);");
  shm::Event filler;
  filler.type = 99;
  while (world.shared().event_inbox->push(world.receiver->actor(), filler)) {
  }
  world.receive(invite());
  world.work();
  EXPECT_EQ(world.counted("suspended"), 0U);
  world.event->reclaim();
  EXPECT_EQ(world.counted("suspended"), 1U);
  EXPECT_EQ(world.answer(kHost, "198.51.100.7").size(), 1U);
}

TEST(Suspend, ResponsesWaitForTheirViaAndInTheReplyRoute) {
  SuspendWorld world("forward(\"198.51.100.7\", 5070);",
                     "reply_route { if ($rs == 180) wait(1000); say(\"reply $rs\"); }\n");
  const shm::HeapUse start = world.shared().heap->use();
  std::string request = invite();
  // Without received in it: only the name says where the response goes.
  request.replace(request.find("192.0.2.1:5070"), 14, "client.example:5070");
  const auto forwarded = world.receive(request);
  ASSERT_EQ(forwarded.size(), 1U);
  std::string response = response_to(forwarded.front().bytes);
  const std::size_t received = response.find(";received=192.0.2.1");
  ASSERT_NE(received, std::string::npos);
  response.erase(received, 19);
  EXPECT_TRUE(world.receive(response).empty());
  EXPECT_EQ(world.waiter().said, "reply 200;");
  world.work();
  const auto passed = world.answer("client.example", "192.0.2.1");
  ASSERT_EQ(passed.size(), 1U);
  EXPECT_EQ(passed.front().to(), "192.0.2.1:5070");
  EXPECT_EQ(world.counted("dns_pending"), 0U);
  std::string ringing = response_to(forwarded.front().bytes, "180 Ringing");
  EXPECT_TRUE(world.receive(ringing).empty());
  EXPECT_TRUE(proxy::resume(world.receiver->services(), world.waiter().tickets.back(), 1));
  const auto rang = world.work();
  ASSERT_EQ(rang.size(), 1U);
  EXPECT_THAT(rang.front().bytes, StartsWith("SIP/2.0 180 Ringing\r\n"));
  EXPECT_EQ(world.waiter().said, "reply 200;reply 180;");
  world.expect_clean(start);
}

TEST(Suspend, LargeMessagesAreKeptToo) {
  SuspendWorld world("forward(\"gw.example\", 5070);");
  const shm::HeapUse start = world.shared().heap->use();
  std::string request = invite();
  request.replace(request.find("Content-Length: 5\r\n\r\nv=0\r\n"), 26,
                  "Content-Length: 9000\r\n\r\n" + std::string(9000, 'b'));
  world.receive(request);
  world.work();
  const auto sent = world.answer(kHost, "198.51.100.7");
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent.front().bytes.ends_with("\r\n\r\n" + std::string(9000, 'b')));
  world.expect_clean(start);
}

TEST(Suspend, AtTheStopNobodyIsLeftWithoutAnAnswer) {
  SuspendWorld world("forward(\"gw.example\", 5070);");
  const shm::HeapUse start = world.shared().heap->use();
  world.receive(invite());
  world.resumer->expire_all();
  const auto sent = world.work();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_THAT(sent.front().bytes, StartsWith("SIP/2.0 503 "));
  world.expect_clean(start);
}

TEST(Suspend, WhoCannotWaitIsRefused) {
  SuspendWorld world("wait(100); say(\"$rc\");");
  proxy::MessageKeeper* keeper = std::exchange(world.receiver->services().shared->keeper, nullptr);
  world.receive(invite());
  EXPECT_EQ(world.waiter().said, "refused;-1;");
  world.receiver->services().shared->keeper = keeper;
}

}  // namespace
}  // namespace ser::srv
