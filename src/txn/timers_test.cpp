// SPDX-License-Identifier: Apache-2.0
#include "txn/timers.h"

#include <gtest/gtest.h>

#include "txn/client_machine.h"

namespace ser::txn {
namespace {

TEST(TimerValues, Rfc3261Table4) {
  const TimerValues v;
  EXPECT_EQ(v.a(false), 500 * kMillisecond);
  EXPECT_EQ(v.d(false), 32 * kSecond);
  EXPECT_EQ(v.e(false), 500 * kMillisecond);
  EXPECT_EQ(v.g(false), 500 * kMillisecond);
  EXPECT_EQ(v.h(), 32 * kSecond);
  EXPECT_EQ(v.i(false), 5 * kSecond);
  EXPECT_EQ(v.j(false), 32 * kSecond);
  EXPECT_EQ(v.k(false), 5 * kSecond);
  EXPECT_EQ(v.l(), 32 * kSecond);
  EXPECT_EQ(v.m(), 32 * kSecond);
  for (const Instant zero : {v.a(true), v.d(true), v.e(true), v.g(true), v.i(true), v.j(true), v.k(true)}) {
    EXPECT_EQ(zero, 0);
  }
  EXPECT_EQ(v.non_invite_trying(), 3500 * kMillisecond) << "RFC 4320 4.1";
  TimerValues zero;
  zero.t1 = 0;
  EXPECT_EQ(zero.non_invite_trying(), 0);
}

TEST(ClientMachine, RestartTimeout) {
  const Instant start = 1000 * kSecond;
  TimerValues values;
  ClientMachine m{};
  m.invite = true;
  step(m, {ClientEvent::Kind::start}, start, values);
  values.fr = 7 * kSecond;
  values.fr_inv = 9 * kSecond;
  restart_timeout(m, start + kSecond, values);
  EXPECT_EQ(m.ends_at, start + 8 * kSecond);
  step(m, ClientEvent::response(180), start + 2 * kSecond, values);
  restart_timeout(m, start + 3 * kSecond, values);
  EXPECT_EQ(m.ends_at, start + 12 * kSecond);
  step(m, {ClientEvent::Kind::cancel}, start + 4 * kSecond, values);
  restart_timeout(m, start + 5 * kSecond, values);
  EXPECT_EQ(m.ends_at, start + 36 * kSecond) << "not once it is cancelled";
  step(m, ClientEvent::response(487), start + 6 * kSecond, values);
  restart_timeout(m, start + 7 * kSecond, values);
  EXPECT_EQ(m.ends_at, start + 38 * kSecond) << "not after a final";
}

}  // namespace
}  // namespace ser::txn
