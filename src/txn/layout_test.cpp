// SPDX-License-Identifier: Apache-2.0
// The budget of ARCHITECTURE.md.
#include <gtest/gtest.h>

#include "txn/transaction.h"

namespace ser::txn {
namespace {

TEST(Layout, SizesAreThoseOfTheBudget) {
  EXPECT_LE(sizeof(Transaction), 512U);
  EXPECT_LE(sizeof(Branch), 352U);
}

}  // namespace
}  // namespace ser::txn
