// SPDX-License-Identifier: Apache-2.0
#include "txn/answered.h"

#include "sip/hdr.h"

namespace ser::txn {

Result<std::uint64_t> call_hash(const HashKey& key, sip::Message& message) noexcept {
  const sip::HeaderField* call_id = message.find(sip::HeaderId::call_id);
  if (call_id == nullptr) return {Errc::missing, "no Call-ID"};
  TRY(const sip::CSeq* const cseq, message.get<sip::hdr::CSeq>());
  SipHasher hasher(key);
  hasher.add(call_id->value());
  hasher.add(std::uint64_t{cseq->number});
  const std::uint64_t hash = hasher.finish();
  return hash != 0 ? hash : 1;
}

void Answered::insert(Transaction& transaction, std::uint64_t call) noexcept {
  if (transaction.call != 0) return;
  // Before it is in: who ends the transaction after our death looks for it by this.
  transaction.call = call;
  x_self.step();
  shm::Section<6> section(lock_of(call), x_self, shm::LockLevel::transaction);
  if (section) link(section, x_pool, head_of(call), transaction, &Transaction::in_answered);
}

bool Answered::remove(Transaction& transaction) noexcept {
  if (transaction.call == 0) return true;
  shm::Section<6> section(lock_of(transaction.call), x_self, shm::LockLevel::transaction);
  if (!section) return false;
  unlink(section, x_pool, head_of(transaction.call), transaction, &Transaction::in_answered);
  return true;
}

bool Answered::contains(std::uint64_t call) noexcept {
  const shm::Section<6> section(lock_of(call), x_self, shm::LockLevel::transaction);
  if (!section) return false;
  for (std::uint32_t link = head_of(call); link != 0;) {
    const Transaction* transaction = x_pool.at(link - 1);
    if (transaction == nullptr) return false;
    if (transaction->call == call) return true;
    link = transaction->in_answered.next;
  }
  return false;
}

}  // namespace ser::txn
