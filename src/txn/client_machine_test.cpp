// SPDX-License-Identifier: Apache-2.0
#include "txn/client_machine.h"

#include <gtest/gtest.h>

#include <vector>

namespace ser::txn {
namespace {

using Kind = ClientEvent::Kind;
using State = ClientState;

constexpr Instant kStart = 1000 * kSecond;
constexpr ClientActions kNothing{};
constexpr ClientActions kSend{.send_request = true};
constexpr ClientActions kUp{.pass_up = true};
constexpr ClientActions kAck{.send_ack = true};
constexpr ClientActions kAckUp{.send_ack = true, .pass_up = true};
constexpr ClientActions kDone{.done = true};
constexpr ClientActions kCancel{.cancel = true};
constexpr ClientActions kCancelUp{.cancel = true, .pass_up = true};
constexpr ClientActions kTimedOutDone{.timed_out = true, .done = true};
constexpr ClientActions kFailedDone{.failed = true, .done = true};
constexpr ClientActions kUpDone{.pass_up = true, .done = true};

constexpr ClientEvent got(std::uint16_t status) {
  return ClientEvent::response(status);
}
constexpr ClientEvent on(Kind kind) {
  return {kind};
}
constexpr ClientEvent kClock{Kind::clock};

/// One step of a story: at `ms` after the start, `event` yields `actions`, and then the next deadline is at
/// `due` ms (0: none).
struct Beat {
  std::int64_t ms;
  ClientEvent event;
  ClientActions actions;
  State state;
  std::int64_t due;
};

struct Story {
  const char* rule;
  bool invite;
  bool reliable;
  std::vector<Beat> beats;
  TimerValues values = {};
};

void expect_story(const Story& story) {
  SCOPED_TRACE(story.rule);
  ClientMachine m{};
  m.invite = story.invite;
  m.reliable = story.reliable;
  for (const Beat& beat : story.beats) {
    SCOPED_TRACE(beat.ms);
    const Instant now = kStart + beat.ms * kMillisecond;
    // Nothing happens a nanosecond before a deadline.
    const Instant due = next_due(m);
    if (due != 0 && due <= now) {
      ClientMachine early = m;
      EXPECT_EQ(step(early, kClock, due - 1, story.values), kNothing);
    }
    EXPECT_EQ(step(m, beat.event, now, story.values), beat.actions);
    EXPECT_EQ(m.state, beat.state);
    EXPECT_EQ(next_due(m), beat.due == 0 ? 0 : kStart + beat.due * kMillisecond);
  }
}

TimerValues with_wait(Instant wait) {
  TimerValues values;
  values.wait = wait;
  return values;
}

TEST(ClientMachine, Rfc3261Section17_1_1_2Calling) {
  TimerValues rfc;
  rfc.fr = 64 * rfc.t1;
  TimerValues capped;
  capped.invite_interval_max = capped.t2;
  const Story stories[] = {
      {"A doubles without end, B is 64*T1: seven transmissions",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {500, kClock, kSend, State::calling, 1500},
        {1500, kClock, kSend, State::calling, 3500},
        {3500, kClock, kSend, State::calling, 7500},
        {7500, kClock, kSend, State::calling, 15500},
        {15500, kClock, kSend, State::calling, 31500},
        {31500, kClock, kSend, State::calling, 32000},
        {32000, kClock, kTimedOutDone, State::terminated, 0}},
       rfc},
      {"fr_timer in place of B",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {15500, kClock, kSend, State::calling, 16500},
        {30000, kClock, kTimedOutDone, State::terminated, 0}}},
      {"A capped as tm does",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {500, kClock, kSend, State::calling, 1500},
        {1500, kClock, kSend, State::calling, 3500},
        {3500, kClock, kSend, State::calling, 7500},
        {7500, kClock, kSend, State::calling, 11500},
        {11500, kClock, kSend, State::calling, 15500}},
       capped},
      {"no A over a reliable transport, B all the same",
       true,
       true,
       {{0, on(Kind::start), kSend, State::calling, 30000},
        {30000, kClock, kTimedOutDone, State::terminated, 0}}},
      {"17.1.4: a transport error is reported and ends it",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {1, on(Kind::transport_error), kFailedDone, State::terminated, 0},
        {2, got(200), kNothing, State::terminated, 0}}},
      {"started once",
       true,
       false,
       {{0, kClock, kNothing, State::idle, 0},
        {0, got(200), kNothing, State::idle, 0},
        {0, on(Kind::cancel), kNothing, State::idle, 0},
        {0, on(Kind::start), kSend, State::calling, 500},
        {1, on(Kind::start), kNothing, State::calling, 500}}},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ClientMachine, LateClocksNeitherDriftNorBurst) {
  expect_story({"a little late: the next is where it belongs",
                true,
                false,
                {{0, on(Kind::start), kSend, State::calling, 500},
                 {516, kClock, kSend, State::calling, 1500},
                 {1510, kClock, kSend, State::calling, 3500}}});
  expect_story({"very late: one, not all that were missed",
                true,
                false,
                {{0, on(Kind::start), kSend, State::calling, 500},
                 {9000, kClock, kSend, State::calling, 10000},
                 {9000, kClock, kNothing, State::calling, 10000}}});
  expect_story({"later than everything: the timeout, no retransmission",
                true,
                false,
                {{0, on(Kind::start), kSend, State::calling, 500},
                 {60000, kClock, kTimedOutDone, State::terminated, 0}}});
}

TEST(ClientMachine, Rfc3261Section17_1_1_2Proceeding) {
  TimerValues restart;
  restart.restart_c = true;
  const Story stories[] = {
      {"16.6 step 11, 16.7 step 2: C from the first provisional on, anew with 101-199, not with 100",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(100), kUp, State::proceeding, 120100},
        {5000, got(100), kUp, State::proceeding, 120100},
        {6000, got(180), kUp, State::proceeding, 126000},
        {7000, got(100), kUp, State::proceeding, 126000},
        {8000, got(199), kUp, State::proceeding, 128000},
        {9000, got(101), kUp, State::proceeding, 129000}}},
      {"restart_fr_on_each_reply",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(100), kUp, State::proceeding, 120100},
        {5000, got(100), kUp, State::proceeding, 125000}},
       restart},
      {"no retransmission, and an error of transport is about nothing of ours",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(180), kUp, State::proceeding, 120100},
        {5000, kClock, kNothing, State::proceeding, 120100},
        {5000, on(Kind::transport_error), kNothing, State::proceeding, 120100}}},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ClientMachine, Rfc3261Section16_8TimerC) {
  const Story stories[] = {
      {"16.8: C fires: CANCEL; 9.1: the final has 64*T1, then 408",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {0, got(180), kUp, State::proceeding, 120000},
        {120000, kClock, kCancel, State::proceeding, 152000},
        {130000, got(180), kUp, State::proceeding, 152000},
        {152000, kClock, kTimedOutDone, State::terminated, 0}}},
      {"16.8: C fires, the 487 comes",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {0, got(180), kUp, State::proceeding, 120000},
        {120000, kClock, kCancel, State::proceeding, 152000},
        {120010, got(487), kAckUp, State::completed, 152010},
        {152010, kClock, kDone, State::terminated, 0}}},
      {"16.8: C fires, a 2xx was on its way",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {0, got(180), kUp, State::proceeding, 120000},
        {120000, kClock, kCancel, State::proceeding, 152000},
        {120010, got(200), kUp, State::accepted, 152010}}},
      {"C as tm has it: the core counts 408 at once, the 487 is ACKed and goes no further",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {0, got(180), kUp, State::proceeding, 120000},
        {120000, kClock, kCancel, State::proceeding, 152000},
        {120000, on(Kind::give_up), kNothing, State::proceeding, 152000},
        {120005, got(183), kNothing, State::proceeding, 152000},
        {120010, got(487), kAck, State::completed, 152010},
        {120510, got(487), kAck, State::completed, 152010}}},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ClientMachine, Rfc3261Section17_1_1_2Completed) {
  TimerValues slow;
  slow.t1 = 2 * kSecond;
  const Story stories[] = {
      {"ACK, again for each retransmission, which does not go up; D is 32 s and does not start anew",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(486), kAckUp, State::completed, 32100},
        {600, got(486), kAck, State::completed, 32100},
        {1600, got(503), kAck, State::completed, 32100},
        {1700, got(180), kNothing, State::completed, 32100},
        {1800, on(Kind::transport_error), kNothing, State::completed, 32100},
        {1900, on(Kind::cancel), kNothing, State::completed, 32100},
        {2000, on(Kind::give_up), kNothing, State::completed, 32100},
        {32100, kClock, kDone, State::terminated, 0},
        {33000, got(486), kNothing, State::terminated, 0}}},
      {"D is at least 32 s whatever T1 is",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 2000}, {1, got(404), kAckUp, State::completed, 32001}},
       slow},
      {"D is 0 over a reliable transport",
       true,
       true,
       {{0, on(Kind::start), kSend, State::calling, 30000},
        {1, got(404), {.send_ack = true, .pass_up = true, .done = true}, State::terminated, 0}}},
      {"D stays 0 over a reliable transport with wt_timer, too",
       true,
       true,
       {{0, on(Kind::start), kSend, State::calling, 30000},
        {0, got(699), {.send_ack = true, .pass_up = true, .done = true}, State::terminated, 0}},
       with_wait(5 * kSecond)},
      {"wt_timer in place of D",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500}, {0, got(300), kAckUp, State::completed, 5000}},
       with_wait(5 * kSecond)},
      {"16.7 step 5: a 2xx of a forking proxy downstream comes behind its failure",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(408), kAckUp, State::completed, 32100},
        {200, got(200), kUp, State::accepted, 32200}}},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ClientMachine, Rfc6026Section7_2Accepted) {
  const Story stories[] = {
      {"2xx and its retransmissions go up, others do not; M is 64*T1 and does not start anew",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(200), kUp, State::accepted, 32100},
        {600, got(200), kUp, State::accepted, 32100},
        {700, got(202), kUp, State::accepted, 32100},
        {800, got(180), kNothing, State::accepted, 32100},
        {900, got(486), kNothing, State::accepted, 32100},
        {950, on(Kind::cancel), kNothing, State::accepted, 32100},
        {960, on(Kind::transport_error), kNothing, State::accepted, 32100},
        {32100, kClock, kDone, State::terminated, 0}}},
      {"M over a reliable transport, too",
       true,
       true,
       {{0, on(Kind::start), kSend, State::calling, 30000},
        {10, got(180), kUp, State::proceeding, 120010},
        {100, got(200), kUp, State::accepted, 32100}}},
      {"wt_timer in place of M",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500}, {100, got(200), kUp, State::accepted, 5100}},
       with_wait(5 * kSecond)},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ClientMachine, Rfc3261Section17_1_2NonInvite) {
  TimerValues rfc;
  rfc.fr = 64 * rfc.t1;
  const Story stories[] = {
      {"E doubles up to T2, F: eleven transmissions in 32 s",
       false,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {500, kClock, kSend, State::calling, 1500},
        {1500, kClock, kSend, State::calling, 3500},
        {3500, kClock, kSend, State::calling, 7500},
        {7500, kClock, kSend, State::calling, 11500},
        {11500, kClock, kSend, State::calling, 15500},
        {15500, kClock, kSend, State::calling, 19500},
        {19500, kClock, kSend, State::calling, 23500},
        {23500, kClock, kSend, State::calling, 27500},
        {27500, kClock, kSend, State::calling, 31500},
        {31500, kClock, kSend, State::calling, 32000},
        {32000, kClock, kTimedOutDone, State::terminated, 0}},
       rfc},
      {"a provisional leaves E where it is and makes the next interval T2; F runs on",
       false,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(100), kUp, State::proceeding, 500},
        {500, kClock, kSend, State::proceeding, 4500},
        {4500, kClock, kSend, State::proceeding, 8500},
        {4600, got(100), kUp, State::proceeding, 8500},
        {30000, kClock, kTimedOutDone, State::terminated, 0}}},
      {"K is T4; nothing goes up twice and nothing is ACKed",
       false,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(200), kUp, State::completed, 5100},
        {200, got(200), kNothing, State::completed, 5100},
        {300, got(404), kNothing, State::completed, 5100},
        {400, got(100), kNothing, State::completed, 5100},
        {5100, kClock, kDone, State::terminated, 0}}},
      {"a failure the same",
       false,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {50, got(100), kUp, State::proceeding, 500},
        {100, got(404), kUp, State::completed, 5100},
        {200, got(404), kNothing, State::completed, 5100}}},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ClientMachine, Rfc3261Section17_1_2NonInviteEndsEarly) {
  const Story stories[] = {
      {"no E and K over a reliable transport",
       false,
       true,
       {{0, on(Kind::start), kSend, State::calling, 30000},
        {10, got(100), kUp, State::proceeding, 30000},
        {100, got(200), kUpDone, State::terminated, 0}}},
      {"17.1.4: a transport error also ends Proceeding",
       false,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(100), kUp, State::proceeding, 500},
        {501, on(Kind::transport_error), kFailedDone, State::terminated, 0}}},
      {"9.1: CANCEL is for INVITE only",
       false,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, on(Kind::cancel), kNothing, State::calling, 500},
        {200, got(100), kUp, State::proceeding, 500}}},
      {"given up: no retransmission, K absorbs",
       false,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, on(Kind::give_up), kNothing, State::completed, 5100},
        {200, got(200), kNothing, State::completed, 5100},
        {5100, kClock, kDone, State::terminated, 0}}},
      {"given up over a reliable transport: over",
       false,
       true,
       {{0, on(Kind::start), kSend, State::calling, 30000},
        {100, on(Kind::give_up), kDone, State::terminated, 0}}},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ClientMachine, Rfc3261Section9_1CancelWaitsForAProvisional) {
  const Story stories[] = {
      {"in Calling it waits, and goes once",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, on(Kind::cancel), kNothing, State::calling, 500},
        {500, kClock, kSend, State::calling, 1500},
        {600, got(100), kCancelUp, State::proceeding, 32600},
        {700, on(Kind::cancel), kNothing, State::proceeding, 32600},
        {800, got(180), kUp, State::proceeding, 32600},
        {900, got(487), kAckUp, State::completed, 32900}}},
      {"in Proceeding it goes at once; without final 64*T1 later it is over",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(180), kUp, State::proceeding, 120100},
        {200, on(Kind::cancel), kCancel, State::proceeding, 32200},
        {32200, kClock, kTimedOutDone, State::terminated, 0}}},
      {"never without a provisional",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, on(Kind::cancel), kNothing, State::calling, 500},
        {30000, kClock, kTimedOutDone, State::terminated, 0}}},
      {"a final settles it",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, on(Kind::cancel), kNothing, State::calling, 500},
        {200, got(200), kUp, State::accepted, 32200}}},
      {"given up in Calling: not sent again, but cancelled when it rings",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, on(Kind::give_up), kNothing, State::calling, 30000},
        {600, got(180), kCancel, State::proceeding, 32600},
        {700, got(487), kAck, State::completed, 32700}}},
      {"given up in Calling: ends without a word",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, on(Kind::give_up), kNothing, State::calling, 30000},
        {30000, kClock, kDone, State::terminated, 0}}},
      {"given up in Proceeding: cancelled; a 2xx goes up all the same",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, got(180), kUp, State::proceeding, 120100},
        {200, on(Kind::give_up), kCancel, State::proceeding, 32200},
        {300, got(200), kUp, State::accepted, 32300}}},
      {"an error of transport of a given up branch says nothing",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {100, on(Kind::give_up), kNothing, State::calling, 30000},
        {200, on(Kind::transport_error), kDone, State::terminated, 0}}},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ClientMachine, WaitAbsorbsWhatComesAfterATimeout) {
  const ClientActions timed_out{.timed_out = true};
  const Story stories[] = {
      {"INVITE: a late failure is ACKed, a late 2xx goes up",
       true,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {30000, kClock, timed_out, State::completed, 35000},
        {30100, got(180), kNothing, State::completed, 35000},
        {30200, got(486), kAck, State::completed, 35000},
        {30300, got(200), kUp, State::accepted, 35300},
        {35300, kClock, kDone, State::terminated, 0}},
       with_wait(5 * kSecond)},
      {"others: absorbed",
       false,
       false,
       {{0, on(Kind::start), kSend, State::calling, 500},
        {30000, kClock, timed_out, State::completed, 35000},
        {30200, got(200), kNothing, State::completed, 35000},
        {35000, kClock, kDone, State::terminated, 0}},
       with_wait(5 * kSecond)},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ClientMachine, LatestBoundsEveryTimeout) {
  TimerValues values;
  values.latest = kStart + 10 * kSecond;
  expect_story({"B",
                true,
                true,
                {{0, on(Kind::start), kSend, State::calling, 10000},
                 {10000, kClock, kTimedOutDone, State::terminated, 0}},
                values});
  expect_story({"C",
                true,
                true,
                {{0, on(Kind::start), kSend, State::calling, 10000},
                 {5000, got(180), kUp, State::proceeding, 10000},
                 {10000, kClock, kCancel, State::proceeding, 42000}},
                values});
}

}  // namespace
}  // namespace ser::txn
