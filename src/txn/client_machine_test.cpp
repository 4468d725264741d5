// SPDX-License-Identifier: Apache-2.0
#include "txn/client_machine.h"

#include <gtest/gtest.h>

namespace ser::txn {
namespace {

TEST(ClientMachine, InviteIsSentAgainAtTheTimesOfTimerA) {
  ClientMachine m{};
  m.invite = true;
  const TimerValues values;
  const Instant t0 = kSecond;
  EXPECT_EQ(step(m, {ClientEvent::Kind::start}, t0, values), ClientActions{.send_request = true});
  for (const int at : {500, 1500, 3500, 7500, 15500}) {
    ASSERT_EQ(next_due(m), t0 + at * kMillisecond);
    EXPECT_EQ(step(m, {}, next_due(m), values), ClientActions{.send_request = true});
  }
  ASSERT_EQ(next_due(m), t0 + 30 * kSecond);
  EXPECT_EQ(step(m, {}, next_due(m), values), (ClientActions{.timed_out = true, .done = true}));
}

}  // namespace
}  // namespace ser::txn
