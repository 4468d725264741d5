// SPDX-License-Identifier: Apache-2.0
// Answered: finds the INVITE transaction that a 2xx has answered, for its ACK, which has a branch of its own
// (RFC 3261 13.2.2.4): by Call-ID and CSeq number.
#pragma once
#include <cstdint>

#include "base/hash.h"
#include "base/result.h"
#include "sip/message.h"
#include "txn/pool.h"
#include "txn/table.h"

namespace ser::txn {

/// In the segment. Transactions are in it for as long as RFC 6026 keeps them, so it has fewer buckets than
/// the table.
struct AnsweredRoot {
  static constexpr std::uint32_t kBuckets = 1U << 14;
  static constexpr std::uint32_t kLocks = 1U << 8;  ///< each guards the buckets of equal low bits
  shm::LoggedLock<6> locks[kLocks];
  std::uint32_t heads[kBuckets];  ///< number + 1
};
static_assert(shm::Storable<AnsweredRoot>);

/// The same for a 2xx to an INVITE and its ACK; never 0. Tags are not in it: who forwards the ACK needs to
/// know no more than that the INVITE came this way. Errc::missing, Errc::syntax: there is no Call-ID, or no
/// good CSeq.
Result<std::uint64_t> call_hash(const HashKey& key, sip::Message& message) noexcept;

/// Handle of one worker.
class Answered {
 public:
  Answered(AnsweredRoot& root, Pool& pool, shm::Actor& self) noexcept
      : x_root(root), x_pool(pool), x_self(self) {}

  /// Puts a transaction in that we hold; once. When the lock is not to be had its ACK will not be found.
  void insert(Transaction& transaction, std::uint64_t call) noexcept;
  /// Takes it out; nothing when it is not in. False: the lock is not to be had.
  bool remove(Transaction& transaction) noexcept;
  bool contains(std::uint64_t call) noexcept;

 private:
  shm::LoggedLock<6>& lock_of(std::uint64_t call) noexcept {
    return x_root.locks[call % AnsweredRoot::kLocks];
  }
  std::uint32_t& head_of(std::uint64_t call) noexcept { return x_root.heads[call % AnsweredRoot::kBuckets]; }

  AnsweredRoot& x_root;
  Pool& x_pool;
  shm::Actor& x_self;
};

}  // namespace ser::txn
