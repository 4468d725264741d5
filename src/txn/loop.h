// SPDX-License-Identifier: Apache-2.0
// Loops and breadth of forking: RFC 3261 16.3 step 4 and 16.6 step 8, RFC 5393.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "sip/message.h"

namespace ser::txn {

/// What goes into ViaToken::loop_hash of a request that is forked: a keyed hash of all that decides where it
/// goes, as received: Request-URI, every Route, Call-ID, CSeq number, the tags of From and To, Proxy-Require
/// and Proxy-Authorization (RFC 3261 16.6 step 8, RFC 5393 4.2). Not the method, so that ACK and CANCEL agree
/// (RFC 3261); not the top Via, which differs each time round (RFC 5393). What is missing or malformed counts
/// as empty. Never 0, which stands for "not forked". Texts are compared as written: a loop in which somebody
/// writes one of them anew is seen a round later. Indexes the whole header.
std::uint32_t loop_hash(const sip::Message& request, const HashKey& key) noexcept;

/// The request has been here before as it is now: answer 482. Asked where we are about to fork (RFC 5393
/// 4.1); `hash` is loop_hash() of the request, `key` the one of the tokens. A Via counts as ours by the proof
/// in its branch alone, whatever its sent-by says: other names of ours are loops, too. One of ours with
/// another hash is a spiral and legal. Linear in the number of Vias; those below a malformed one are not
/// looked at.
bool is_loop(const sip::Message& request, const HashKey& key, std::uint32_t hash) noexcept;

/// Max-Breadth where a request says none, and the most that we let in (RFC 5393 5.3.3.1 recommends 60).
inline constexpr std::uint32_t kMaxBreadth = 60;

/// How many branches the request may have at one time, here and further down: its Max-Breadth, at most
/// `limit`; `limit` when it has none. Errc::syntax when it is no number: answer 400.
Result<std::uint32_t> incoming_breadth(const sip::Message& request,
                                       std::uint32_t limit = kMaxBreadth) noexcept;

/// How many of `targets` may run at once: each needs a breadth of 1 at least. The others wait their turn, or
/// the request is answered 440, as it must be when this is 0.
constexpr std::size_t parallel_branches(std::uint32_t breadth, std::size_t targets) noexcept {
  return breadth < targets ? breadth : targets;
}

/// The Max-Breadth of branch `index` (0 <= index < count) of `count` at once. Together they are `breadth`;
/// the first ones get what does not divide. `count` is 1..breadth, else 0. A branch that takes the place of a
/// finished one inherits its breadth.
constexpr std::uint32_t branch_breadth(std::uint32_t breadth, std::size_t count, std::size_t index) noexcept {
  if (count == 0 || count > breadth || index >= count) return 0;
  const auto n = static_cast<std::uint32_t>(count);
  return breadth / n + (index < breadth % n ? 1U : 0U);
}

/// "Max-Breadth: N" with CRLF; every request we forward has exactly one (RFC 5393 5.3.3). Returns the part of
/// `out` that was written.
std::string_view breadth_line(std::uint32_t breadth, std::span<char, 32> out) noexcept;

}  // namespace ser::txn
