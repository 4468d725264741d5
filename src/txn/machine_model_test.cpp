// SPDX-License-Identifier: Apache-2.0
// Random lives of the machines: whatever comes in whatever order, what must hold is checked after each step.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "txn/client_machine.h"
#include "txn/server_machine.h"

namespace ser::txn {
namespace {

constexpr unsigned kLives = 100'000;
constexpr Instant kStart = 1000 * kSecond;

TimerValues random_values(Random& random) {
  TimerValues values;
  values.fr = 64 * values.t1;
  if (random.next() % 4 == 0) values.wait = 5 * kSecond;
  if (random.next() % 4 == 0) values.trying_after = 0;
  if (random.next() % 4 == 0) values.restart_c = true;
  if (random.next() % 8 == 0) values.fr = 3 * kSecond;
  if (random.next() % 8 == 0) values.latest = kStart + 20 * kSecond;
  if (random.next() % 8 == 0) values.fr_inv = 2 * kSecond;
  return values;
}

std::uint16_t random_status(Random& random) {
  constexpr std::array<std::uint16_t, 10> kStatuses{100, 180, 183, 200, 202, 302, 404, 487, 503, 603};
  return kStatuses[random.next() % kStatuses.size()];
}

/// Offsets in milliseconds at which RFC 3261 17.1.1.2 and 17.1.2.2 send when nothing is heard.
bool is_time_of_a(std::int64_t ms) {
  constexpr std::array<std::int64_t, 7> kTimes{0, 500, 1500, 3500, 7500, 15500, 31500};
  return std::find(kTimes.begin(), kTimes.end(), ms) != kTimes.end();
}
bool is_time_of_e(std::int64_t ms) {
  return is_time_of_a(ms) || (ms >= 7500 && ms < 32000 && (ms - 7500) % 4000 == 0);
}

class ClientLife {
 public:
  ClientLife(Random& random, bool exact_clock)
      : x_random(random), x_values(random_values(random)), x_exact(exact_clock) {
    m.invite = random.next() % 2 == 0;
    m.reliable = random.next() % 4 == 0;
  }

  void run() {
    take({ClientEvent::Kind::start});
    for (std::uint64_t left = x_random.next() % 12; left > 0; --left) {
      constexpr std::array<Instant, 4> kSpans{kMillisecond, kSecond, 10 * kSecond, 100 * kSecond};
      advance(x_now + static_cast<Instant>(x_random.next() % kSpans[x_random.next() % kSpans.size()]));
      take(random_event());
    }
    for (int steps = 0; next_due(m) != 0; ++steps) {
      ASSERT_LT(steps, 60) << "it ends";
      advance(next_due(m));
    }
    EXPECT_EQ(m.state, ClientState::terminated) << "done is reached";
    EXPECT_EQ(x_done, 1);
    EXPECT_LE(x_sent, m.invite ? 7 : 11);
    EXPECT_LE(x_outcomes, 1) << "a branch yields one failure, timeout or error";
    EXPECT_TRUE(x_outcomes == 1 || x_success || x_given_up) << "a branch yields something";
    EXPECT_LE(x_cancels, 1);
  }

 private:
  ClientEvent random_event() {
    switch (x_random.next() % 8) {
      case 0:
        return {ClientEvent::Kind::cancel};
      case 1:
        return {x_random.next() % 4 == 0 ? ClientEvent::Kind::give_up : ClientEvent::Kind::start};
      case 2:
        return {x_random.next() % 4 == 0 ? ClientEvent::Kind::transport_error : ClientEvent::Kind::clock};
      default:
        return ClientEvent::response(random_status(x_random));
    }
  }

  /// Lets time pass; the clock is asked at each deadline, or somewhat late.
  void advance(Instant to) {
    while (next_due(m) != 0 && next_due(m) <= to) {
      const Instant late = x_exact ? 0 : static_cast<Instant>(x_random.next() % (700 * kMillisecond));
      x_now = std::max(x_now, next_due(m) + late);
      take({});
      ASSERT_TRUE(next_due(m) == 0 || next_due(m) > x_now) << "deadlines lie ahead once the clock was asked";
    }
    x_now = std::max(x_now, to);
  }

  void take(ClientEvent event) {
    const ClientMachine before = m;
    const ClientActions a = step(m, event, x_now, x_values);
    if (before.state == ClientState::terminated) {
      ASSERT_FALSE(a.any()) << "nothing after done";
      ASSERT_EQ(next_due(m), 0);
    }
    check_times(a);
    using Kind = ClientEvent::Kind;
    const bool is_response = event.status != 0;
    if (event.kind == Kind::provisional && is_pending(before)) x_heard = true;
    if (event.kind == Kind::give_up && is_pending(before)) x_given_up = true;
    if (a.cancel) {
      EXPECT_TRUE(m.invite && x_heard) << "RFC 3261 9.1: not before a provisional response";
      ++x_cancels;
    }
    EXPECT_TRUE(!a.send_ack || (m.invite && event.kind == Kind::failure));
    EXPECT_TRUE(!a.pass_up || is_response);
    if (a.pass_up && event.kind != Kind::provisional) {
      if (event.kind == Kind::success) {
        x_success = true;
      } else {
        ++x_outcomes;
      }
    }
    EXPECT_TRUE(!x_given_up || !a.pass_up || (m.invite && event.kind == Kind::success));
    if (a.timed_out || a.failed) ++x_outcomes;
    if (m.invite && event.kind == Kind::success && before.state != ClientState::terminated &&
        before.state != ClientState::idle) {
      EXPECT_TRUE(a.pass_up) << "every 2xx to INVITE goes up";
    }
    EXPECT_EQ(a.done, m.state == ClientState::terminated && before.state != ClientState::terminated);
    x_done += a.done ? 1 : 0;
  }

  void check_times(const ClientActions& a) {
    if (!a.send_request) return;
    ++x_sent;
    EXPECT_TRUE(x_sent == 1 || !m.reliable);
    if (!x_exact) return;
    EXPECT_EQ((x_now - kStart) % kMillisecond, 0);
    const std::int64_t ms = (x_now - kStart) / kMillisecond;
    if (m.invite) {
      EXPECT_TRUE(is_time_of_a(ms) && !x_heard) << ms;
    } else if (!x_heard) {
      EXPECT_TRUE(is_time_of_e(ms)) << ms;
    }
  }

  ClientMachine m{};
  Random& x_random;
  TimerValues x_values;
  bool x_exact;
  Instant x_now = kStart;
  int x_sent = 0, x_outcomes = 0, x_cancels = 0, x_done = 0;
  bool x_heard = false, x_success = false, x_given_up = false;
};

TEST(MachineModel, ClientLives) {
  SeededRandom random(20261124);
  for (unsigned i = 0; i < kLives && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(i);
    ClientLife(random, i % 2 == 0).run();
  }
}

class ServerLife {
 public:
  ServerLife(Random& random, bool exact_clock)
      : x_random(random), x_values(random_values(random)), x_exact(exact_clock) {
    m.invite = random.next() % 2 == 0;
    m.reliable = random.next() % 4 == 0;
  }

  void run() {
    take({ServerEvent::Kind::start});
    for (std::uint64_t left = x_random.next() % 12; left > 0; --left) {
      constexpr std::array<Instant, 4> kSpans{kMillisecond, kSecond, 10 * kSecond, 100 * kSecond};
      advance(x_now + static_cast<Instant>(x_random.next() % kSpans[x_random.next() % kSpans.size()]));
      random_event();
    }
    // A server transaction waits for its core as long as that takes.
    if (x_random.next() % 8 == 0) take({ServerEvent::Kind::silence});
    send(404);
    send(200);
    for (int steps = 0; next_due(m) != 0; ++steps) {
      ASSERT_LT(steps, 60) << "it ends";
      advance(next_due(m));
    }
    EXPECT_EQ(m.state, ServerState::terminated) << "done is reached";
    EXPECT_EQ(x_done, 1);
    EXPECT_LE(x_retransmitted, 10) << "G within H";
    EXPECT_LE(x_ack_missing, 1);
  }

 private:
  void random_event() {
    switch (x_random.next() % 8) {
      case 0:
        return take({ServerEvent::Kind::ack});
      case 1:
        return take({x_random.next() % 8 == 0 ? ServerEvent::Kind::silence : ServerEvent::Kind::start});
      case 2:
        return take(
            {x_random.next() % 4 == 0 ? ServerEvent::Kind::transport_error : ServerEvent::Kind::clock});
      case 3:
      case 4:
        return take({ServerEvent::Kind::retransmission});
      default:
        return send(random_status(x_random));
    }
  }

  void send(std::uint16_t status) {
    if (!may_send(m, status, x_now)) return;
    EXPECT_TRUE(m.invite || status == 100 || status >= 200) << "RFC 4320 4.1";
    EXPECT_FALSE(x_final != 0 && (status < 200 || status >= 300)) << "one final but for 2xx to INVITE";
    const bool open = m.state == ServerState::trying || m.state == ServerState::proceeding;
    x_sent = true;
    if (status >= 200 && open) x_final = status;
    take(ServerEvent::sent(status));
  }

  void advance(Instant to) {
    while (next_due(m) != 0 && next_due(m) <= to) {
      const Instant late = x_exact ? 0 : static_cast<Instant>(x_random.next() % (700 * kMillisecond));
      x_now = std::max(x_now, next_due(m) + late);
      take({});
      ASSERT_TRUE(next_due(m) == 0 || next_due(m) > x_now) << "deadlines lie ahead once the clock was asked";
    }
    x_now = std::max(x_now, to);
  }

  void take(ServerEvent event) {
    using Kind = ServerEvent::Kind;
    const ServerMachine before = m;
    const ServerActions a = step(m, event, x_now, x_values);
    if (before.state == ServerState::terminated) {
      ASSERT_FALSE(a.any()) << "nothing after done";
      ASSERT_EQ(next_due(m), 0);
    }
    EXPECT_TRUE(!a.send_reply || (x_sent && !m.silent)) << "only what was sent can be sent again";
    EXPECT_TRUE(!a.send_100 || !x_sent);
    EXPECT_TRUE(!a.pass_up || (event.kind == Kind::ack && before.state == ServerState::accepted));
    const bool message = event.kind == Kind::ack || event.kind == Kind::retransmission;
    EXPECT_TRUE(!message || before.state == ServerState::terminated || a.absorb || a.pass_up);
    EXPECT_TRUE(message || !a.absorb);
    if (a.send_reply && event.kind == Kind::clock) {
      EXPECT_TRUE(m.invite && !m.reliable && x_final >= 300) << "G is for failures of INVITE";
      ++x_retransmitted;
    }
    if (a.ack_missing) {
      EXPECT_TRUE(m.invite && x_final >= 300 && a.done);
      ++x_ack_missing;
    }
    EXPECT_EQ(a.done, m.state == ServerState::terminated && before.state != ServerState::terminated);
    x_done += a.done ? 1 : 0;
    if (a.send_100) send(100);
  }

  ServerMachine m{};
  Random& x_random;
  TimerValues x_values;
  bool x_exact;
  Instant x_now = kStart;
  int x_retransmitted = 0, x_ack_missing = 0, x_done = 0;
  std::uint16_t x_final = 0;
  bool x_sent = false;
};

TEST(MachineModel, ServerLives) {
  SeededRandom random(42);
  for (unsigned i = 0; i < kLives && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(i);
    ServerLife(random, i % 2 == 0).run();
  }
}

}  // namespace
}  // namespace ser::txn
