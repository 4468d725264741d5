// SPDX-License-Identifier: Apache-2.0
#include "txn/response_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace ser::txn {
namespace {

using Act = Decision::Act;

constexpr BranchStatus kOpen{};

constexpr BranchStatus got(std::uint16_t status) {
  return BranchStatus::received(status, status == 401 || status == 407);
}
constexpr BranchStatus ours(std::uint16_t status) {
  return BranchStatus::made_here(status);
}
constexpr BranchStatus dropped(std::uint16_t status) {
  BranchStatus b = got(status);
  b.dropped = true;
  return b;
}

constexpr Upstream kInvite{.invite = true};
constexpr Upstream kOther{.invite = false};
constexpr Upstream kCancelled{.invite = true, .cancelled = true};

struct FinalRow {
  const char* rule;
  std::vector<BranchStatus> branches;
  std::uint8_t branch;
  std::uint16_t status;
  std::uint32_t challenges = 0;
  Upstream up = kInvite;
};

void expect_final(const FinalRow& row) {
  const Choice choice = choose_final(row.branches, row.up);
  EXPECT_EQ(choice.branch, row.branch) << row.rule;
  EXPECT_EQ(choice.status, row.status) << row.rule;
  EXPECT_EQ(choice.challenges, row.challenges) << row.rule;
}

TEST(ChooseFinal, Rfc3261Section16_7Step6Classes) {
  const FinalRow rows[] = {
      {"no final at all: 408", {}, kNoBranch, 408},
      {"unfinished branches are not looked at", {got(180), kOpen}, kNoBranch, 408},
      {"6xx must be chosen", {got(302), got(404), got(603), got(500)}, 2, 603},
      {"the first 6xx", {got(606), got(600)}, 0, 606},
      {"2xx is the lowest class", {got(404), got(200)}, 1, 200, 0, kOther},
      {"3xx before 4xx", {got(404), got(302)}, 1, 302},
      {"4xx before 5xx", {got(500), got(480)}, 1, 480},
      {"5xx before nothing", {kOpen, got(500)}, 1, 500},
      {"an unknown class 7xx cannot arrive; 699 is 6xx", {got(404), got(699)}, 1, 699},
      {"dropped branches take no part", {dropped(603), got(404)}, 1, 404},
      {"all dropped", {dropped(603), dropped(404)}, kNoBranch, 408},
  };
  for (const FinalRow& row : rows) expect_final(row);
}

TEST(ChooseFinal, Rfc3261Section16_7Step6WithinAClass) {
  const FinalRow rows[] = {
      {"401 before the others", {got(403), got(401)}, 1, 401},
      {"407 before the others", {got(404), got(407)}, 1, 407},
      {"401 and 407 are of one rank: the best target", {got(407), got(401)}, 0, 407, 2},
      {"a challenge before 415", {got(415), got(407)}, 1, 407},
      {"415 before the others", {got(404), got(415)}, 1, 415},
      {"420 before the others", {got(480), got(420)}, 1, 420},
      {"484 before the others", {got(404), got(484)}, 1, 484},
      {"415, 420, 484 are of one rank", {got(484), got(415)}, 0, 484},
      {"of one rank the best target, not the lowest number", {got(486), got(404)}, 0, 486},
      {"487 of a branch we cancelled ourselves", {got(487), got(486)}, 1, 486},
      {"a received 408 after 487", {got(408), got(487)}, 1, 487},
      {"503 after the other 5xx", {got(503), got(500)}, 1, 500},
      {"503 after 501", {got(503), got(501)}, 1, 501},
  };
  for (const FinalRow& row : rows) expect_final(row);
}

TEST(ChooseFinal, Rfc3261Section16_7Step6Of503) {
  Upstream keep = kInvite;
  keep.keep_503 = true;
  const FinalRow rows[] = {
      {"the only response is a 503: 500", {got(503)}, kNoBranch, 500},
      {"all are 503: 500", {got(503), got(503)}, kNoBranch, 500},
      {"failures to send, 16.9: 500", {ours(503), ours(503)}, kNoBranch, 500},
      {"4xx before 503", {got(503), got(404)}, 1, 404},
      {"spared", {got(503)}, 0, 503, 0, keep},
      {"a 503 made here is not spared", {ours(503)}, kNoBranch, 500, 0, keep},
  };
  for (const FinalRow& row : rows) expect_final(row);
}

TEST(ChooseFinal, Rfc3261Section16_8Timeouts) {
  const FinalRow rows[] = {
      {"alone: 408 made here", {ours(408)}, kNoBranch, 408},
      {"several: 408 made here", {ours(408), ours(408)}, kNoBranch, 408},
      {"never before a received one of its class", {ours(408), got(487)}, 1, 487},
      {"nor before a received 408", {ours(408), got(408)}, 1, 408},
      {"before a higher class, as a received 408", {got(500), ours(408)}, kNoBranch, 408},
      {"after a lower class", {got(302), ours(408)}, 0, 302},
      {"a failure to send is of class 5", {ours(503), ours(408)}, kNoBranch, 408},
  };
  for (const FinalRow& row : rows) expect_final(row);
}

TEST(ChooseFinal, AfterCancel) {
  const FinalRow rows[] = {
      {"487 is what the client expects", {got(401), got(487)}, 1, 487, 0, kCancelled},
      {"timeout after CANCEL (9.1): 487", {ours(408)}, kNoBranch, 487, 0, kCancelled},
      {"no branch", {}, kNoBranch, 487, 0, kCancelled},
      {"6xx must be chosen all the same", {got(487), got(603)}, 1, 603, 0, kCancelled},
      {"a received final before 487 of ours", {ours(408), got(486)}, 1, 486, 0, kCancelled},
  };
  for (const FinalRow& row : rows) expect_final(row);
}

TEST(ChooseFinal, Rfc3261Section16_7Step7MergesChallenges) {
  BranchStatus bare = got(401);
  bare.challenge = false;
  const FinalRow rows[] = {
      {"all other 401 and 407", {got(404), got(401), got(407), got(401)}, 1, 401, 0b1100},
      {"none without challenge", {got(401), bare}, 0, 401, 0},
      {"none of those dropped", {got(401), dropped(407)}, 0, 401, 0},
      {"none of those made here", {got(401), ours(407)}, 0, 401, 0},
      {"nothing is added to other responses", {got(302), got(401)}, 0, 302, 0},
      {"nor to 6xx", {got(407), got(600)}, 1, 600, 0},
  };
  for (const FinalRow& row : rows) expect_final(row);
  std::vector<BranchStatus> many(kMaxBranches + 8, got(401));
  EXPECT_EQ(choose_final(many, kInvite).challenges, 0xFFFFFFFEU) << "no more than kMaxBranches";
}

TEST(ChooseFinal, Rfc4320Section4_2No408ToOthersThanInvite) {
  const FinalRow rows[] = {
      {"silence", {ours(408)}, kNoBranch, 0, 0, kOther},
      {"no branch: silence", {}, kNoBranch, 0, 0, kOther},
      {"a received 408 is not relayed", {got(408)}, kNoBranch, 0, 0, kOther},
      {"anything else is better", {got(408), ours(408), got(501)}, 2, 501, 0, kOther},
      {"also a 500 for 503", {ours(408), got(503)}, kNoBranch, 500, 0, kOther},
      {"404", {ours(408), got(404)}, 1, 404, 0, kOther},
  };
  for (const FinalRow& row : rows) expect_final(row);
}

struct DecideRow {
  const char* rule;
  std::vector<BranchStatus> branches;
  std::size_t index;
  Upstream up;
  Act act;
  bool cancel_others = false;
  bool no_more_branches = false;
};

TEST(Decide, Rfc3261Section16_7Steps4And5) {
  const Upstream answered{.invite = true, .status = 200};
  const Upstream refused{.invite = true, .status = 486};
  const Upstream other_answered{.invite = false, .status = 200};
  const DecideRow rows[] = {
      {"100 goes no further", {got(100), kOpen}, 0, kInvite, Act::hold},
      {"180 goes at once", {got(180), kOpen}, 0, kInvite, Act::relay_now},
      {"199 goes at once", {got(199)}, 0, kInvite, Act::relay_now},
      {"RFC 4320 4.1: no 1xx to others", {got(183)}, 0, kOther, Act::hold},
      {"no 1xx after a final", {got(180), got(486)}, 0, refused, Act::hold, false, true},
      {"2xx to INVITE goes and cancels the rest",
       {got(200), got(180)},
       0,
       kInvite,
       Act::relay_now,
       true,
       true},
      {"2xx with no other open", {got(200), got(404)}, 0, kInvite, Act::relay_now, false, true},
      {"a late 2xx after 2xx", {got(200), got(202)}, 1, answered, Act::relay_now, false, true},
      {"a late 2xx after a failure", {got(200), got(486)}, 0, refused, Act::relay_now, false, true},
      {"2xx to others goes at once", {got(200), kOpen}, 0, kOther, Act::relay_now, true, true},
      {"a second 2xx to others stays", {got(200), got(200)}, 1, other_answered, Act::hold, false, true},
      {"a failure is held", {got(404), kOpen}, 0, kInvite, Act::hold},
      {"the last failure ends it", {got(404), got(486)}, 1, kInvite, Act::finish},
      {"6xx cancels the rest and waits", {got(603), got(180)}, 0, kInvite, Act::hold, true, true},
      {"6xx as the last", {got(404), got(603)}, 1, kInvite, Act::finish, false, true},
      {"2xx behind 6xx still goes", {got(603), got(200), got(180)}, 1, kInvite, Act::relay_now, true, true},
      {"a failure after the final", {got(200), got(487)}, 1, answered, Act::hold, false, true},
      {"16.8: a timeout is a final", {ours(408), kOpen}, 0, kInvite, Act::hold},
      {"16.8: the last timeout ends it", {ours(408), got(404)}, 0, kInvite, Act::finish},
      {"a 6xx of a dropped branch says nothing", {dropped(603), kOpen}, 0, kInvite, Act::hold},
      {"the client left: no more targets", {got(404), kOpen}, 0, kCancelled, Act::hold, false, true},
      {"a branch that is not there", {got(404)}, 1, kInvite, Act::hold},
  };
  for (const DecideRow& row : rows) {
    const Decision d = decide(row.branches, row.index, row.up);
    EXPECT_EQ(d.act, row.act) << row.rule;
    EXPECT_EQ(d.cancel_others, row.cancel_others) << row.rule;
    EXPECT_EQ(d.no_more_branches, row.no_more_branches) << row.rule;
  }
}

TEST(Decide, FinishHoldsTheChoice) {
  const std::vector<BranchStatus> branches{got(302), got(603), ours(408)};
  const Decision d = decide(branches, 0, kInvite);
  EXPECT_EQ(d.act, Act::finish);
  EXPECT_EQ(d.choice.branch, 1);
  EXPECT_EQ(d.choice.status, 603);
}

/// The order in which finals come does not change the choice, and exactly one event ends the transaction.
TEST(Decide, OrderOfArrivalDoesNotMatter) {
  const std::uint16_t finals[] = {302, 401, 404, 408, 487, 500, 503, 603};
  for (const std::uint16_t a : finals) {
    for (const std::uint16_t b : finals) {
      for (const std::uint16_t c : finals) {
        const std::vector<BranchStatus> all{got(a), got(b), got(c)};
        const Choice expected = choose_final(all, kInvite);
        std::size_t order[] = {0, 1, 2};
        do {
          std::vector<BranchStatus> branches(3);
          for (std::size_t i = 0; i < 3; ++i) {
            branches[order[i]] = all[order[i]];
            const Decision d = decide(branches, order[i], kInvite);
            EXPECT_EQ(d.act, i == 2 ? Act::finish : Act::hold);
            if (i != 2) continue;
            EXPECT_EQ(d.choice.branch, expected.branch);
            EXPECT_EQ(d.choice.status, expected.status);
          }
        } while (std::next_permutation(std::begin(order), std::end(order)));
      }
    }
  }
}

}  // namespace
}  // namespace ser::txn
