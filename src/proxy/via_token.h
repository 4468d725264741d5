// SPDX-License-Identifier: Apache-2.0
// The branch parameter we put into our Via, by which a response proves that it answers something we sent (DESIGN 2.10).
//
//   z9hG4bK <kind:1> <cell:8 hex> <generation:8 hex> <index:2 hex> <loop:8 hex> <proof:16 hex>      stateful, kind 't'
//   z9hG4bK <kind:1> <unique:16 hex> <index:2 hex> <proof:16 hex>                                    stateless, kind 's'
//
// proof = SipHash-1-3 under the segment's key over all that stands before it and over sent-by and branch of the Via below.
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
  enum class Kind : char { stateless = 's', stateful = 't' };
  Kind kind = Kind::stateless;
  std::uint8_t branch_index = 0;
  std::uint32_t cell = 0;         ///< stateful: transaction cell
  std::uint32_t generation = 0;   ///< stateful
  std::uint32_t loop_hash = 0;    ///< stateful: RFC 3261 16.6 step 8
  std::uint64_t unique = 0;       ///< stateless: see stateless_unique()
};

/// Writes the whole branch value; returns its length. `below` is the request's top Via as received.
std::size_t write_token(const HashKey& key, const ViaToken& token, const sip::Via& below, std::span<char, kMaxToken> out) noexcept;

/// The token in `branch` if it is ours: form and proof are right for the Via below. `below` nullptr: a response to a request
/// without one, never ours.
std::optional<ViaToken> read_token(const HashKey& key, std::string_view branch, const sip::Via* below) noexcept;

/// What makes a stateless branch unique and the same for retransmissions, CANCEL and ACK (RFC 3261 16.11): a keyed hash of the
/// top Via's branch when it has the magic cookie and more; else of top Via, To and From tags, Call-ID, CSeq number and Request-URI.
std::uint64_t stateless_unique(const HashKey& key, sip::Message& request, const sip::Via& top) noexcept;

}  // namespace ser::proxy
