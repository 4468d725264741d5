// SPDX-License-Identifier: Apache-2.0
// Table: finds the transaction of a request by what RFC 3261 17.2.3 compares. Responses need no table: their
// branch token names the cell.
#pragma once
#include <cstdint>

#include "base/hash.h"
#include "base/result.h"
#include "shm/section.h"
#include "sip/message.h"
#include "txn/pool.h"

namespace ser::txn {

/// In the segment.
struct TableRoot {
  static constexpr std::uint32_t kBuckets = 1U << 17;
  static constexpr std::uint32_t kLocks = 1U << 10;  ///< each guards the buckets of equal low bits
  shm::LoggedLock<6> locks[kLocks];
  std::uint32_t heads[kBuckets];  ///< number + 1
};
static_assert(shm::Storable<TableRoot>);

/// The key of a request. Indexes no header field when its top Via has a branch of RFC 3261. Views live as
/// long as the message. Errc::missing, Errc::syntax: the fields of RFC 2543 that stand in for it.
Result<MatchKey> match_key(sip::Message& request) noexcept;
/// Where in the table; the same for a request, its CANCEL and the ACK to a failure response.
std::uint32_t match_hash(const HashKey& key, const MatchKey& match) noexcept;

/// What a found transaction is to the request that was looked up.
enum class Relation : std::uint8_t {
  same,    ///< the request is a retransmission
  ack,     ///< the request is the ACK to a failure response
  cancel,  ///< the request is the CANCEL
};

/// Puts a transaction at the head of a chain, under the chain's lock.
void link(shm::Section<6>& section, Pool& pool, std::uint32_t& head, Transaction& transaction,
          Links Transaction::* links) noexcept;
/// Takes it out; nothing when it is not in.
void unlink(shm::Section<6>& section, Pool& pool, std::uint32_t& head, Transaction& transaction,
            Links Transaction::* links) noexcept;

/// Handle of one worker.
class Table {
 public:
  Table(TableRoot& root, Pool& pool, shm::Actor& self) noexcept : x_root(root), x_pool(pool), x_self(self) {}

  /// Puts it in, unless one of the same key is there. `found` is called with that one while the lock is held
  /// (it cannot end meanwhile): a few instructions, no lock, no call out. Errc::overlap: there was one;
  /// Errc::no_space: the lock is not to be had.
  template <class F>
  Result<void> insert(Transaction& transaction, F&& found) noexcept {
    shm::Section<6> section(lock_of(transaction.hash), x_self, shm::LockLevel::transaction);
    if (!section) return {Errc::no_space, "a stopped worker holds the table's lock"};
    if (Transaction* other = look_up(transaction.hash, *transaction.key, Relation::same); other != nullptr) {
      found(*other);
      return {Errc::overlap, "the transaction exists"};
    }
    link(section, x_pool, head_of(transaction.hash), transaction, &Transaction::in_table);
    return {};
  }
  /// Takes it out; nothing when it is not in. False: the lock is not to be had.
  bool remove(Transaction& transaction) noexcept;
  /// Calls found(Transaction&) under the lock as above. False: there is none.
  template <class F>
  bool find(std::uint32_t hash, const MatchKey& key, Relation relation, F&& found) noexcept {
    const shm::Section<6> section(lock_of(hash), x_self, shm::LockLevel::transaction);
    if (!section) return false;
    Transaction* transaction = look_up(hash, key, relation);
    if (transaction != nullptr) found(*transaction);
    return transaction != nullptr;
  }

 private:
  shm::LoggedLock<6>& lock_of(std::uint32_t hash) noexcept { return x_root.locks[hash % TableRoot::kLocks]; }
  std::uint32_t& head_of(std::uint32_t hash) noexcept { return x_root.heads[hash % TableRoot::kBuckets]; }
  Transaction* look_up(std::uint32_t hash, const MatchKey& key, Relation relation) noexcept;

  TableRoot& x_root;
  Pool& x_pool;
  shm::Actor& x_self;
};

}  // namespace ser::txn
