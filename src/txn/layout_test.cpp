// SPDX-License-Identifier: Apache-2.0
// The budget of ARCHITECTURE.md.
#include <gtest/gtest.h>

#include "txn/transaction.h"

namespace ser::txn {
namespace {

TEST(Layout, SizesAreThoseOfTheBudget) {
  EXPECT_EQ(sizeof(Transaction), 424U);
  EXPECT_EQ(sizeof(Branch), 224U);
}

}  // namespace
}  // namespace ser::txn
