// SPDX-License-Identifier: Apache-2.0
#include "txn/table.h"

#include "base/text.h"
#include "proxy/forward.h"
#include "proxy/via_token.h"
#include "sip/hdr.h"

namespace ser::txn {

namespace {

std::string_view tag_of(const Result<const sip::NameAddr*>& value) noexcept {
  return value ? (*value)->tag : std::string_view{};
}

bool same_method(const MatchKey& a, const MatchKey& b) noexcept {
  return a.method == b.method && (a.method != sip::Method::other || a.method_name == b.method_name);
}

/// `ours` is the transaction's, `theirs` the request's in hand.
bool matches(const MatchKey& ours, const MatchKey& theirs, Relation relation) noexcept {
  if (ours.modern != theirs.modern || ours.port != theirs.port) return false;
  if (ours.branch != theirs.branch || !iequals(ours.host, theirs.host)) return false;
  if (relation == Relation::same && !same_method(ours, theirs)) return false;
  if (relation == Relation::ack && ours.method != sip::Method::invite) return false;
  if (relation == Relation::cancel &&
      (ours.method == sip::Method::cancel || ours.method == sip::Method::ack)) {
    return false;
  }
  if (ours.modern) return true;
  // An ACK's To tag is the response's: it is not compared.
  return ours.cseq == theirs.cseq && ours.call_id == theirs.call_id && ours.from_tag == theirs.from_tag &&
         ours.uri == theirs.uri && (relation == Relation::ack || ours.to_tag == theirs.to_tag);
}

}  // namespace

Result<MatchKey> match_key(sip::Message& request) noexcept {
  TRY(const sip::Via* const top, request.via(0));
  MatchKey key;
  key.branch = top->branch;
  key.host = top->host;
  key.port = top->port != 0 ? top->port : proxy::kDefaultPort;
  key.modern = proxy::has_unique_branch(*top);
  key.method = request.method();
  key.method_name = request.start().method_name;
  if (key.modern) return key;
  const sip::HeaderField* call_id = request.find(sip::HeaderId::call_id);
  if (call_id == nullptr) return {Errc::missing, "no Call-ID"};
  TRY(const sip::CSeq* const cseq, request.get<sip::hdr::CSeq>());
  key.call_id = call_id->value();
  key.cseq = cseq->number;
  key.from_tag = tag_of(request.get<sip::hdr::From>());
  key.to_tag = tag_of(request.get<sip::hdr::To>());
  key.uri = request.start().uri;
  return key;
}

std::uint32_t match_hash(const HashKey& key, const MatchKey& match) noexcept {
  if (match.modern) return static_cast<std::uint32_t>(sip_hash(key, match.branch));
  SipHasher hasher(key);
  hasher.add(match.call_id);
  hasher.add(match.from_tag);
  hasher.add(std::uint64_t{match.cseq});
  return static_cast<std::uint32_t>(hasher.finish());
}

Transaction* Table::look_up(std::uint32_t hash, const MatchKey& key, Relation relation) noexcept {
  for (std::uint32_t link = head_of(hash); link != 0;) {
    Transaction* transaction = x_pool.at(link - 1);
    if (transaction == nullptr) return nullptr;
    if (transaction->hash == hash && matches(*transaction->key, key, relation)) return transaction;
    link = transaction->next;
  }
  return nullptr;
}

void Table::link(shm::Section<6>& section, Transaction& transaction) noexcept {
  std::uint32_t& head = head_of(transaction.hash);
  if (Transaction* first = head != 0 ? x_pool.at(head - 1) : nullptr; first != nullptr)
    section.set(first->previous, transaction.number + 1);
  section.set(transaction.next, head);
  section.set(transaction.previous, 0U);
  section.set(head, transaction.number + 1);
  section.commit();
}

bool Table::remove(Transaction& transaction) noexcept {
  shm::Section<6> section(lock_of(transaction.hash), x_self, shm::LockLevel::transaction);
  if (!section) return false;
  std::uint32_t& head = head_of(transaction.hash);
  Transaction* before = transaction.previous != 0 ? x_pool.at(transaction.previous - 1) : nullptr;
  if (before == nullptr && head != transaction.number + 1) return true;  // not in
  Transaction* after = transaction.next != 0 ? x_pool.at(transaction.next - 1) : nullptr;
  if (before != nullptr)
    section.set(before->next, transaction.next);
  else
    section.set(head, transaction.next);
  if (after != nullptr) section.set(after->previous, transaction.previous);
  section.set(transaction.next, 0U);
  section.set(transaction.previous, 0U);
  section.commit();
  return true;
}

}  // namespace ser::txn
