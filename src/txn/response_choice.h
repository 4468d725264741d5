// SPDX-License-Identifier: Apache-2.0
// Which response of which branch goes upstream, and when: RFC 3261 16.7 steps 4 to 8 as pure functions.
#pragma once
#include <cstdint>
#include <span>

#include "shm/owner.h"

namespace ser::txn {

/// Most branches of one transaction that a choice looks at; the bits of Choice::challenges.
inline constexpr std::size_t kMaxBranches = 32;
/// In place of a branch: the response is made here.
inline constexpr std::uint8_t kNoBranch = 0xFF;

/// What is known of one branch. 4 bytes, lies in the segment; zero bytes: sent, nothing came yet.
struct BranchStatus {
  std::uint16_t status;  ///< of the last response; 0: none
  bool finished : 1;     ///< `status` is final
  bool local : 1;        ///< `status` was made by us: 408 after a timeout, 503 after a failure to send …
  bool challenge : 1;    ///< a 401 or 407 that holds WWW-Authenticate or Proxy-Authenticate
  bool dropped : 1;      ///< out of the choice: t_drop_replies(), or an earlier leg of a serial fork

  static constexpr BranchStatus received(std::uint16_t status, bool challenge = false) noexcept {
    return {status, status >= 200, false, challenge, false};
  }
  /// 408 (RFC 3261 16.8) or 503 (16.9) of a branch without a final response.
  static constexpr BranchStatus made_here(std::uint16_t status) noexcept {
    return {status, true, true, false, false};
  }
};
static_assert(shm::Storable<BranchStatus> && sizeof(BranchStatus) == 4);

/// What is known of the server transaction.
struct Upstream {
  bool invite = false;
  bool cancelled = false;    ///< the client sent CANCEL
  bool keep_503 = false;     ///< a received 503 goes upstream as it is; tm's remap_503_500 = 0
  std::uint16_t status = 0;  ///< of the final response that was sent; 0: none yet
};

/// What to send upstream as the one final response.
struct Choice {
  std::uint8_t branch = kNoBranch;  ///< whose response it is; kNoBranch: make it here
  std::uint8_t picked = kNoBranch;  ///< the best branch, also when what it came to is not sent as it is
  std::uint16_t status = 0;         ///< its status; 0: nothing may be sent (RFC 4320 4.2), end in silence
  std::uint32_t challenges = 0;     ///< bit n: append the challenges of branch n's response (step 7)
};

struct Decision {
  enum class Act : std::uint8_t {
    hold,       ///< nothing goes upstream now
    relay_now,  ///< the response in hand goes upstream
    finish,     ///< all branches are over: `choice` goes upstream
  };
  Act act = Act::hold;
  bool cancel_others = false;     ///< cancel all branches without a final response (steps 5 and 10)
  bool no_more_branches = false;  ///< no target may be tried any more: 2xx or 6xx came, or the client left
  Choice choice;
};

/// What follows from what has just become of branch `index`, which stands in `branches` already: a response,
/// or a status made here. Call it for what the client machine passes up, times out or fails. Pure.
/// - 100 goes no further; other 1xx go at once, to INVITE only (RFC 4320 4.1), while no final was sent.
/// - 2xx go at once while no final was sent; to INVITE always, however late (step 5).
/// - 6xx cancels the rest and waits for it (step 5): a 2xx that comes first still goes.
/// - Other finals are held until all branches have one; then choose_final(). Serial forking comes before:
///   who gets `finish`, has targets left and no_more_branches is false may try the next instead.
/// After a final response was sent only 2xx to INVITE are relayed; all else is hold.
Decision decide(std::span<const BranchStatus> branches, std::size_t index, const Upstream& upstream) noexcept;

/// The best of the finals (step 6), as if no more were to come; unfinished and dropped branches are not
/// looked at. In this order:
/// 1. Any 6xx: the one received first by number of branch. Else the lowest class; a 2xx among them, too.
/// 2. In the class: what was received before what was made here.
/// 3. In 4xx: 401 and 407, whose challenges are merged; then 415, 420 and 484, which also say how to ask
///    again; then the others; 487 of a branch that we ourselves cancelled and 408 last. When the client sent
///    CANCEL: 487 first, as it expects. In 5xx: 503 last.
/// 4. The lowest number of branch, which was the best target.
/// A chosen 503 becomes a 500 made here (step 6): it is about the next hop, not about us; keep_503 spares a
/// received one. A 408 made here becomes 487 when the client sent CANCEL. No final at all is 408. To a
/// request that is no INVITE no 408 is sent, also not a received one (RFC 4320 4.2), so there every other
/// final is better, of whatever class.
///
/// What others do: SER 0.8's tm takes the lowest number of all, so that a 404 hides a 603 and a 403 a
/// challenge of 407. Kamailio's tm has the RFC's classes and within 4xx the order 401, 407, 415, 420, 484,
/// then the number; it makes 500 of 503 (remap_503_500), and what was made there counts as received
/// (faked_reply_prio 0). Here the order within a rank is that of the targets, not of the numbers.
Choice choose_final(std::span<const BranchStatus> branches, const Upstream& upstream) noexcept;

}  // namespace ser::txn
