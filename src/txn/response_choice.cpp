// SPDX-License-Identifier: Apache-2.0
#include "txn/response_choice.h"

#include <algorithm>

namespace ser::txn {

namespace {

/// The lower the better: class, then whose it is, then the rank within the class. The number of the branch is
/// added by who compares.
unsigned rank_of(const BranchStatus& b, const Upstream& up) noexcept {
  // 6xx before all (16.7 step 6: MUST).
  unsigned rank_class = b.status >= 600 ? 0 : b.status / 100U;
  if (!up.invite && b.status == 408) rank_class = 9;
  unsigned within = 2;
  switch (b.status) {
    case 401:
    case 407:
      within = up.cancelled ? 1 : 0;
      break;
    case 415:
    case 420:
    case 484:
      within = 1;
      break;
    case 487:
      within = up.cancelled ? 0 : 3;
      break;
    case 408:
      within = 4;
      break;
    case 503:
      within = 3;
      break;
    default:
      break;
  }
  return rank_class << 8U | (b.local ? 1U << 4U : 0U) | within;
}

bool takes_part(const BranchStatus& b) noexcept {
  return b.finished && !b.dropped;
}

bool is_challenge(const BranchStatus& b) noexcept {
  return takes_part(b) && !b.local && b.challenge && (b.status == 401 || b.status == 407);
}

std::span<const BranchStatus> limited(std::span<const BranchStatus> branches) noexcept {
  return branches.first(std::min(branches.size(), kMaxBranches));
}

/// A response made here has its status by now; which one may leave?
Choice made_here(std::size_t picked, std::uint16_t status, const Upstream& up) noexcept {
  if (status == 408 && up.invite && up.cancelled) status = 487;
  if (status == 408 && !up.invite) status = 0;
  return {.picked = static_cast<std::uint8_t>(picked), .status = status};
}

}  // namespace

Choice choose_final(std::span<const BranchStatus> branches, const Upstream& upstream) noexcept {
  branches = limited(branches);
  std::size_t best = branches.size();
  for (std::size_t i = 0; i < branches.size(); ++i) {
    if (!takes_part(branches[i])) continue;
    if (best == branches.size() || rank_of(branches[i], upstream) < rank_of(branches[best], upstream)) {
      best = i;
    }
  }
  if (best == branches.size()) return made_here(kNoBranch, 408, upstream);
  const BranchStatus& b = branches[best];
  if (b.status == 503 && (b.local || !upstream.keep_503)) return made_here(best, 500, upstream);
  if (b.local || (b.status == 408 && !upstream.invite)) return made_here(best, b.status, upstream);
  const auto number = static_cast<std::uint8_t>(best);
  Choice choice{.branch = number, .picked = number, .status = b.status};
  if (b.status == 401 || b.status == 407) {
    for (std::size_t i = 0; i < branches.size(); ++i) {
      if (i != best && is_challenge(branches[i])) choice.challenges |= std::uint32_t{1} << i;
    }
  }
  return choice;
}

Decision decide(std::span<const BranchStatus> branches, std::size_t index,
                const Upstream& upstream) noexcept {
  branches = limited(branches);
  Decision decision;
  const auto is_open = [](const BranchStatus& b) { return !b.finished; };
  const bool others_open = std::any_of(branches.begin(), branches.end(), is_open);
  decision.no_more_branches = upstream.cancelled || upstream.status != 0 ||
                              std::any_of(branches.begin(), branches.end(), [](const BranchStatus& b) {
                                return takes_part(b) && (b.status / 100 == 2 || b.status >= 600);
                              });
  if (index >= branches.size()) return decision;
  const BranchStatus& b = branches[index];
  const bool open_upstream = upstream.status == 0;
  if (b.status < 200) {
    const bool goes = open_upstream && upstream.invite && !b.local && !b.dropped && b.status > 100;
    if (goes) decision.act = Decision::Act::relay_now;
    return decision;
  }
  if (b.status < 300) {
    if (!open_upstream && !upstream.invite) return decision;
    decision.act = Decision::Act::relay_now;
    decision.cancel_others = others_open;
    return decision;
  }
  if (!open_upstream) return decision;
  if (others_open) {
    decision.cancel_others = b.status >= 600 && !b.dropped;
    return decision;
  }
  decision.act = Decision::Act::finish;
  decision.choice = choose_final(branches, upstream);
  return decision;
}

}  // namespace ser::txn
