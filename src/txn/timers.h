// SPDX-License-Identifier: Apache-2.0
// TimerValues: how long the timers of a transaction run (RFC 3261 17, Table 4; RFC 6026 7.1 and 7.2).
#pragma once
#include "base/packet.h"

namespace ser::txn {

inline constexpr Instant kMillisecond = 1'000'000;
inline constexpr Instant kSecond = 1000 * kMillisecond;

/// All durations in nanoseconds, 0 or more; a sum of a few of them must not overflow (a year is fine). The
/// values may differ from one call of step() to the next: what is armed stays as it is, what is armed next
/// follows the new ones.
struct TimerValues {
  Instant t1 = 500 * kMillisecond;  ///< estimate of the round trip; tm's retr_timer1
  Instant t2 = 4 * kSecond;         ///< longest interval of E and G; tm's retr_timer2
  Instant t4 = 5 * kSecond;         ///< longest life of a message in the network
  Instant fr = 30 * kSecond;        ///< B and F: no answer. RFC: 64*T1; tm's fr_timer, which is the default
  Instant fr_inv = 120 * kSecond;   ///< C: no final answer. RFC 3261 16.6 step 11 wants more than 3 minutes;
                                    ///< the default is tm's fr_inv_timer
  Instant wait = 0;                 ///< when not 0, in place of D, I, J, K, L and M; tm's wt_timer
  Instant invite_interval_max = 0;  ///< longest interval of A; 0: none, as the RFC. tm ends at retr_timer2
  Instant trying_after = 200 * kMillisecond;  ///< an INVITE gets its 100 then (17.2.1); 0: at once
  Instant latest = 0;                         ///< a point in time: B, C and F end no later; 0: none. For
                                              ///< t_set_max_lifetime
  bool restart_c = false;                     ///< a 100, too, starts C anew, as tm's restart_fr_on_each_reply

  Instant a(bool reliable) const noexcept { return reliable ? 0 : t1; }
  Instant e(bool reliable) const noexcept { return reliable ? 0 : t1 < t2 ? t1 : t2; }
  Instant g(bool reliable) const noexcept { return reliable ? 0 : t1 < t2 ? t1 : t2; }
  /// Absorbs retransmitted finals of a failed INVITE: at least 32 s whatever T1 is (17.1.1.2).
  Instant d(bool reliable) const noexcept { return reliable ? 0 : lingering(32 * kSecond); }
  /// How long an ACK is waited for; 64*T1 on every transport (17.2.1).
  Instant h() const noexcept { return 64 * t1; }
  /// Absorbs retransmitted ACKs.
  Instant i(bool reliable) const noexcept { return reliable ? 0 : lingering(t4); }
  /// Absorbs retransmitted requests that are no INVITE.
  Instant j(bool reliable) const noexcept { return reliable ? 0 : lingering(64 * t1); }
  /// Absorbs retransmitted finals of requests that are no INVITE.
  Instant k(bool reliable) const noexcept { return reliable ? 0 : lingering(t4); }
  /// Waits for retransmissions of an INVITE that was answered 2xx, and for further 2xx (RFC 6026 7.1).
  Instant l() const noexcept { return lingering(64 * t1); }
  /// Waits for retransmitted and further 2xx (RFC 6026 7.2).
  Instant m() const noexcept { return lingering(64 * t1); }
  /// How long after CANCEL the final response is waited for (9.1).
  Instant after_cancel() const noexcept { return 64 * t1; }
  /// When a request that is no INVITE gets its 100: once a client's timer E has come to T2 (RFC 4320 4.1).
  /// With the usual values 3.5 s.
  Instant non_invite_trying() const noexcept {
    Instant sum = 0;
    // T1 of 0 would never come to T2.
    for (Instant interval = t1; interval > 0 && interval < t2; interval *= 2) sum += interval;
    return sum;
  }

 private:
  Instant lingering(Instant rfc) const noexcept { return wait != 0 ? wait : rfc; }
};

}  // namespace ser::txn
