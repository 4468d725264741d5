// SPDX-License-Identifier: Apache-2.0
// The branch parameter we put into our Via, by which a response proves that it answers something we sent
// (DESIGN 2.10).
//
//   z9hG4bK t <cell:8 hex> <generation:8 hex> <index:2 hex> <loop:8 hex> <proof:16 hex>   stateful
//   z9hG4bK s <index:2 hex> <proof:16 hex>                                               stateless
//   z9hG4bK u <index:2 hex> <unique:16 hex> <proof:16 hex>                               stateless, RFC 2543
//   client
//
// proof = SipHash-1-3 under the segment's key over what stands before it and, without state, over sent-by and
// branch of the Via below: there a response goes where that Via says. A transaction knows where its responses
// go, and cell and generation name it once only (ADR 0019). So a stateless branch is the same for
// retransmissions, CANCEL and ACK of a request, as RFC 3261 16.11 asks: they carry the same top Via branch. A
// client of RFC 2543 has no such branch; there `unique` takes its place.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/hash.h"
#include "sip/message.h"
#include "sip/via.h"

namespace ser::proxy {

inline constexpr std::string_view kMagicCookie = "z9hG4bK";
inline constexpr std::size_t kMaxToken = 64;

struct ViaToken {
  enum class Kind : char { stateless = 's', stateless_2543 = 'u', stateful = 't' };
  Kind kind = Kind::stateless;
  std::uint8_t branch_index = 0;
  std::uint32_t cell = 0;        ///< stateful: transaction cell
  std::uint32_t generation = 0;  ///< stateful
  std::uint32_t loop_hash = 0;   ///< stateful: RFC 3261 16.6 step 8
  std::uint64_t unique = 0;      ///< stateless_2543
};

/// The Via has a branch with the magic cookie and more: it names its transaction (RFC 3261 8.1.1.7, RFC
/// 4475 3.2.1).
bool has_unique_branch(const sip::Via& via) noexcept;

/// Writes the whole branch value; returns its length. `below` is the request's top Via as received.
std::size_t write_token(const HashKey& key, const ViaToken& token, const sip::Via& below,
                        std::span<char, kMaxToken> out) noexcept;

/// The token in `branch` if it is ours: form and proof are right, for a stateless one with the Via below.
/// `below` nullptr: a response to a request without one, never ours.
std::optional<ViaToken> read_token(const HashKey& key, std::string_view branch,
                                   const sip::Via* below) noexcept;
/// The same for the first Via of a response. The one below is looked for, and parsed only where the proof
/// needs it.
std::optional<ViaToken> read_token(const HashKey& key, const sip::Message& response) noexcept;

/// What `branch` says, if it has the form of a token, without its proof. For who has another: a response to a
/// CANCEL of ours has no Via below, but a branch that must be the one we sent.
std::optional<ViaToken> parse_token(std::string_view branch) noexcept;

/// The token of a request that is forwarded without state: kind and, for clients of RFC 2543, `unique` = a
/// keyed hash of top Via, From tag, Call-ID, CSeq number and Request-URI. Indexes no header field when the
/// top Via has a modern branch.
ViaToken stateless_token(const HashKey& key, sip::Message& request, const sip::Via& top,
                         std::uint8_t branch_index) noexcept;

}  // namespace ser::proxy
