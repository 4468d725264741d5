// SPDX-License-Identifier: Apache-2.0
#include "txn/server_machine.h"

#include <gtest/gtest.h>

namespace ser::txn {
namespace {

TEST(ServerMachine, StartsOnce) {
  ServerMachine m{};
  m.invite = true;
  const TimerValues values;
  EXPECT_EQ(step(m, {ServerEvent::Kind::start}, kSecond, values), ServerActions{});
  EXPECT_EQ(next_due(m), kSecond + values.trying_after);
}

}  // namespace
}  // namespace ser::txn
