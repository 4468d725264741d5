// SPDX-License-Identifier: Apache-2.0
#include "txn/server_machine.h"

#include <gtest/gtest.h>

#include <vector>

namespace ser::txn {
namespace {

using Kind = ServerEvent::Kind;
using State = ServerState;

constexpr Instant kStart = 1000 * kSecond;
constexpr ServerActions kNothing{};
constexpr ServerActions kReply{.send_reply = true};
constexpr ServerActions kReplyAgain{.send_reply = true, .absorb = true};
constexpr ServerActions kAbsorb{.absorb = true};
constexpr ServerActions kTrying{.send_100 = true};
constexpr ServerActions kTryingNow{.send_100 = true, .absorb = true};
constexpr ServerActions kUp{.pass_up = true};
constexpr ServerActions kDone{.done = true};
constexpr ServerActions kAckMissing{.ack_missing = true, .done = true};
constexpr ServerActions kAbsorbDone{.absorb = true, .done = true};

constexpr ServerEvent sent(std::uint16_t status) {
  return ServerEvent::sent(status);
}
constexpr ServerEvent on(Kind kind) {
  return {kind};
}
constexpr ServerEvent kClock{Kind::clock};
constexpr ServerEvent kAgain{Kind::retransmission};

/// As in the test of the client machine.
struct Beat {
  std::int64_t ms;
  ServerEvent event;
  ServerActions actions;
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
  ServerMachine m{};
  m.invite = story.invite;
  m.reliable = story.reliable;
  for (const Beat& beat : story.beats) {
    SCOPED_TRACE(beat.ms);
    const Instant now = kStart + beat.ms * kMillisecond;
    const Instant due = next_due(m);
    if (due != 0 && due <= now) {
      ServerMachine early = m;
      EXPECT_EQ(step(early, kClock, due - 1, story.values), kNothing);
    }
    EXPECT_EQ(step(m, beat.event, now, story.values), beat.actions);
    EXPECT_EQ(m.state, beat.state);
    EXPECT_EQ(next_due(m), beat.due == 0 ? 0 : kStart + beat.due * kMillisecond);
  }
}

TimerValues at_once() {
  TimerValues values;
  values.trying_after = 0;
  return values;
}
TimerValues with_wait(Instant wait) {
  TimerValues values;
  values.wait = wait;
  return values;
}

TEST(ServerMachine, Rfc3261Section17_2_1TryingOfInvite) {
  const Story stories[] = {
      {"a 100 after 200 ms without a response",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {200, kClock, kTrying, State::trying, 0},
        {200, sent(100), kNothing, State::proceeding, 0}}},
      {"none when something was sent before",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {100, sent(180), kNothing, State::proceeding, 0},
        {200, kClock, kNothing, State::proceeding, 0}}},
      {"at once",
       true,
       true,
       {{0, on(Kind::start), kTrying, State::trying, 0}, {0, sent(100), kNothing, State::proceeding, 0}},
       at_once()},
      {"at once when the INVITE comes again",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {100, kAgain, kTryingNow, State::trying, 0},
        {100, sent(100), kNothing, State::proceeding, 0}}},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ServerMachine, Rfc3261Section17_2_1Proceeding) {
  expect_story({"the last provisional goes again; an ACK is nothing to it; 6026 7.1: no error ends it",
                true,
                false,
                {{0, on(Kind::start), kNothing, State::trying, 200},
                 {10, on(Kind::ack), kAbsorb, State::trying, 200},
                 {100, sent(180), kNothing, State::proceeding, 0},
                 {500, kAgain, kReplyAgain, State::proceeding, 0},
                 {600, sent(183), kNothing, State::proceeding, 0},
                 {700, on(Kind::ack), kAbsorb, State::proceeding, 0},
                 {800, on(Kind::transport_error), kNothing, State::proceeding, 0},
                 {1500, kAgain, kReplyAgain, State::proceeding, 0}}});
}

TEST(ServerMachine, Rfc3261Section17_2_1CompletedAndConfirmed) {
  const Story stories[] = {
      {"G doubles up to T2, H after 64*T1: ten retransmissions",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {0, sent(486), kNothing, State::completed, 500},
        {500, kClock, kReply, State::completed, 1500},
        {1500, kClock, kReply, State::completed, 3500},
        {3500, kClock, kReply, State::completed, 7500},
        {7500, kClock, kReply, State::completed, 11500},
        {11500, kClock, kReply, State::completed, 15500},
        {15500, kClock, kReply, State::completed, 19500},
        {19500, kClock, kReply, State::completed, 23500},
        {23500, kClock, kReply, State::completed, 27500},
        {27500, kClock, kReply, State::completed, 31500},
        {31500, kClock, kReply, State::completed, 32000},
        {32000, kClock, kAckMissing, State::terminated, 0},
        {32001, kAgain, kNothing, State::terminated, 0},
        {32001, on(Kind::ack), kNothing, State::terminated, 0}}},
      {"a late clock sends one",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {0, sent(486), kNothing, State::completed, 500},
        {9000, kClock, kReply, State::completed, 10000},
        {9000, kClock, kNothing, State::completed, 10000}}},
      {"the INVITE again: the final again, G runs on; no error ends it (6026 7.1)",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {0, sent(486), kNothing, State::completed, 500},
        {100, kAgain, kReplyAgain, State::completed, 500},
        {200, on(Kind::transport_error), kNothing, State::completed, 500},
        {300, sent(500), kNothing, State::completed, 500},
        {310, sent(180), kNothing, State::completed, 500},
        {320, sent(200), kNothing, State::completed, 500}}},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ServerMachine, Rfc3261Section17_2_1Ack) {
  const Story stories[] = {
      {"ACK: G and H end, I is T4 and absorbs",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {0, sent(486), kNothing, State::completed, 500},
        {100, on(Kind::ack), kAbsorb, State::confirmed, 5100},
        {200, on(Kind::ack), kAbsorb, State::confirmed, 5100},
        {300, kAgain, kAbsorb, State::confirmed, 5100},
        {5100, kClock, kDone, State::terminated, 0}}},
      {"reliable: no G and no I, but H",
       true,
       true,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {0, sent(603), kNothing, State::completed, 32000},
        {100, on(Kind::ack), kAbsorbDone, State::terminated, 0}}},
      {"reliable: H fires",
       true,
       true,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {0, sent(302), kNothing, State::completed, 32000},
        {32000, kClock, kAckMissing, State::terminated, 0}}},
      {"wt_timer in place of I, not of H",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {0, sent(486), kNothing, State::completed, 500},
        {100, on(Kind::ack), kAbsorb, State::confirmed, 2100}},
       with_wait(2 * kSecond)},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ServerMachine, Rfc6026Section7_1Accepted) {
  const Story stories[] = {
      {"the INVITE again is absorbed, further 2xx may go, an ACK is the core's, L is 64*T1",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {0, sent(200), kNothing, State::accepted, 32000},
        {500, kAgain, kAbsorb, State::accepted, 32000},
        {600, sent(200), kNothing, State::accepted, 32000},
        {700, on(Kind::ack), kUp, State::accepted, 32000},
        {800, on(Kind::transport_error), kNothing, State::accepted, 32000},
        {900, sent(486), kNothing, State::accepted, 32000},
        {32000, kClock, kDone, State::terminated, 0}}},
      {"L over a reliable transport, too",
       true,
       true,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {0, sent(200), kNothing, State::accepted, 32000}}},
      {"wt_timer in place of L",
       true,
       true,
       {{0, on(Kind::start), kNothing, State::trying, 200}, {0, sent(200), kNothing, State::accepted, 5000}},
       with_wait(5 * kSecond)},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ServerMachine, Rfc3261Section17_2_2NonInvite) {
  const Story stories[] = {
      {"Trying absorbs; a final goes again for J, which is 64*T1",
       false,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 3500},
        {500, kAgain, kAbsorb, State::trying, 3500},
        {600, sent(200), kNothing, State::completed, 32600},
        {1500, kAgain, kReplyAgain, State::completed, 32600},
        {1600, sent(500), kNothing, State::completed, 32600},
        {1700, on(Kind::ack), kAbsorb, State::completed, 32600},
        {32600, kClock, kDone, State::terminated, 0}}},
      {"an error of transport: the next retransmission gets the response again",
       false,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 3500},
        {0, sent(404), kNothing, State::completed, 32000},
        {0, on(Kind::transport_error), kNothing, State::completed, 32000},
        {500, kAgain, kReplyAgain, State::completed, 32000}}},
      {"J is 0 over a reliable transport",
       false,
       true,
       {{0, on(Kind::start), kNothing, State::trying, 3500}, {9, sent(200), kDone, State::terminated, 0}}},
      {"wt_timer in place of J",
       false,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 3500},
        {0, sent(200), kNothing, State::completed, 5000}},
       with_wait(5 * kSecond)},
  };
  for (const Story& story : stories) expect_story(story);
}

TEST(ServerMachine, Rfc4320Section4_1Trying) {
  expect_story({"a 100 when a client's E has come to T2, once",
                false,
                false,
                {{0, on(Kind::start), kNothing, State::trying, 3500},
                 {3500, kClock, kTrying, State::trying, 0},
                 {3500, sent(100), kNothing, State::proceeding, 0},
                 {7500, kAgain, kReplyAgain, State::proceeding, 0},
                 {9000, sent(200), kNothing, State::completed, 41000}}});
}

TEST(ServerMachine, Rfc4320Section4_2Silence) {
  const Story stories[] = {
      {"no response, and retransmissions do not begin anew",
       false,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 3500},
        {30000, on(Kind::silence), kNothing, State::completed, 62000},
        {31500, kAgain, kAbsorb, State::completed, 62000},
        {31600, sent(200), kNothing, State::completed, 62000},
        {62000, kClock, kDone, State::terminated, 0}}},
      {"reliable: over",
       false,
       true,
       {{0, on(Kind::start), kNothing, State::trying, 3500},
        {9, on(Kind::silence), kDone, State::terminated, 0}}},
      {"an INVITE that nobody answers: nobody waits for an ACK",
       true,
       false,
       {{0, on(Kind::start), kNothing, State::trying, 200},
        {100, on(Kind::silence), kNothing, State::completed, 32100},
        {200, on(Kind::ack), kAbsorb, State::completed, 32100},
        {500, kAgain, kAbsorb, State::completed, 32100},
        {32100, kClock, kDone, State::terminated, 0}}},
  };
  for (const Story& story : stories) expect_story(story);
}

struct MayRow {
  const char* rule;
  bool invite;
  bool reliable;
  std::vector<ServerEvent> events;
  std::int64_t ms;
  std::uint16_t status;
  bool may;
};

TEST(ServerMachine, MaySend) {
  const ServerEvent start = on(Kind::start);
  const MayRow rows[] = {
      {"not before the start", true, false, {}, 0, 100, false},
      {"INVITE: 100", true, false, {start}, 0, 100, true},
      {"INVITE: 183", true, false, {start}, 0, 183, true},
      {"INVITE: 408", true, false, {start}, 0, 408, true},
      {"INVITE: 200 after 180", true, false, {start, sent(180)}, 0, 200, true},
      {"RFC 6026 7.1: 2xx after 2xx", true, false, {start, sent(200)}, 1, 200, true},
      {"no failure after 2xx", true, false, {start, sent(200)}, 1, 486, false},
      {"no 1xx after 2xx", true, false, {start, sent(200)}, 1, 180, false},
      {"16.7 step 5: 2xx after a failure", true, false, {start, sent(486)}, 1, 200, true},
      {"also after its ACK", true, false, {start, sent(486), on(Kind::ack)}, 1, 200, true},
      {"17.2.1: no other final after a failure", true, false, {start, sent(486)}, 1, 500, false},
      {"nothing after silence", true, false, {start, on(Kind::silence)}, 1, 200, false},
      {"RFC 4320 4.1: no 180 to others", false, false, {start}, 5000, 180, false},
      {"RFC 4320 4.1: no early 100 over UDP", false, false, {start}, 3499, 100, false},
      {"RFC 4320 4.1: 100 later", false, false, {start}, 3500, 100, true},
      {"RFC 4320 4.1: 100 at any time over TCP", false, true, {start}, 0, 100, true},
      {"RFC 4320 4.1: no 180 over TCP", false, true, {start}, 0, 180, false},
      {"100 again", false, false, {start, sent(100)}, 4000, 100, true},
      {"RFC 4320 4.2: no 408", false, false, {start}, 0, 408, false},
      {"RFC 4320 4.2: no 408 after 100", false, false, {start, sent(100)}, 0, 408, false},
      {"a final", false, false, {start}, 0, 200, true},
      {"17.2.2: one final", false, false, {start, sent(404)}, 0, 200, false},
  };
  const TimerValues values;
  for (const MayRow& row : rows) {
    ServerMachine m{};
    m.invite = row.invite;
    m.reliable = row.reliable;
    for (const ServerEvent& event : row.events) step(m, event, kStart, values);
    EXPECT_EQ(may_send(m, row.status, kStart + row.ms * kMillisecond), row.may) << row.rule;
  }
  EXPECT_TRUE(may_send_provisional(true, 180));
  EXPECT_TRUE(may_send_provisional(false, 100));
  EXPECT_FALSE(may_send_provisional(false, 180));
  EXPECT_TRUE(suppress_timeout_reply(false));
  EXPECT_FALSE(suppress_timeout_reply(true));
}

}  // namespace
}  // namespace ser::txn
