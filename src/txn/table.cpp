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
  if ((ours.rest == nullptr) != (theirs.rest == nullptr) || ours.port != theirs.port) return false;
  if (ours.branch != theirs.branch || !iequals(ours.host, theirs.host)) return false;
  if (relation == Relation::same && !same_method(ours, theirs)) return false;
  if (relation == Relation::ack && ours.method != sip::Method::invite) return false;
  if (relation == Relation::cancel &&
      (ours.method == sip::Method::cancel || ours.method == sip::Method::ack)) {
    return false;
  }
  if (ours.rest == nullptr) return true;
  const MatchKey::Rest& a = *ours.rest;
  const MatchKey::Rest& b = *theirs.rest;
  // An ACK's To tag is the response's: it is not compared.
  return a.cseq == b.cseq && a.call_id == b.call_id && a.from_tag == b.from_tag && a.uri == b.uri &&
         (relation == Relation::ack || a.to_tag == b.to_tag);
}

}  // namespace

Result<MatchKey> match_key(sip::Message& request) noexcept {
  TRY(const sip::Via* const top, request.via(0));
  MatchKey key;
  key.branch = top->branch;
  key.host = top->host;
  key.port = top->port != 0 ? top->port : proxy::kDefaultPort;
  key.method = request.method();
  key.method_name = request.start().method_name;
  if (proxy::has_unique_branch(*top)) return key;
  const sip::HeaderField* call_id = request.find(sip::HeaderId::call_id);
  if (call_id == nullptr) return {Errc::missing, "no Call-ID"};
  TRY(const sip::CSeq* const cseq, request.get<sip::hdr::CSeq>());
  auto* rest = request.arena().make<MatchKey::Rest>();
  if (rest == nullptr) return {Errc::no_memory, "message arena exhausted"};
  rest->call_id = call_id->value();
  rest->cseq = cseq->number;
  rest->from_tag = tag_of(request.get<sip::hdr::From>());
  rest->to_tag = tag_of(request.get<sip::hdr::To>());
  rest->uri = request.start().uri;
  key.rest = rest;
  return key;
}

std::uint32_t match_hash(const HashKey& key, const MatchKey& match) noexcept {
  if (match.rest == nullptr) return static_cast<std::uint32_t>(sip_hash(key, match.branch));
  SipHasher hasher(key);
  hasher.add(match.rest->call_id);
  hasher.add(match.rest->from_tag);
  hasher.add(std::uint64_t{match.rest->cseq});
  return static_cast<std::uint32_t>(hasher.finish());
}

Transaction* Table::look_up(std::uint32_t hash, const MatchKey& key, Relation relation) noexcept {
  for (std::uint32_t link = head_of(hash); link != 0;) {
    Transaction* transaction = x_pool.at(link - 1);
    if (transaction == nullptr) return nullptr;
    if (transaction->hash == hash && matches(*transaction->key, key, relation)) return transaction;
    link = transaction->in_table.next;
  }
  return nullptr;
}

bool Table::remove(Transaction& transaction) noexcept {
  shm::Section<6> section(lock_of(transaction.hash), x_self, shm::LockLevel::transaction);
  if (!section) return false;
  unlink(section, x_pool, head_of(transaction.hash), transaction, &Transaction::in_table);
  return true;
}

void link(shm::Section<6>& section, Pool& pool, std::uint32_t& head, Transaction& transaction,
          Links Transaction::* links) noexcept {
  Links& own = transaction.*links;
  if (Transaction* first = head != 0 ? pool.at(head - 1) : nullptr; first != nullptr)
    section.set((first->*links).previous, transaction.number + 1);
  section.set(own.next, head);
  section.set(own.previous, 0U);
  section.set(head, transaction.number + 1);
  section.commit();
}

void unlink(shm::Section<6>& section, Pool& pool, std::uint32_t& head, Transaction& transaction,
            Links Transaction::* links) noexcept {
  Links& own = transaction.*links;
  Transaction* before = own.previous != 0 ? pool.at(own.previous - 1) : nullptr;
  if (before == nullptr && head != transaction.number + 1) return;  // not in
  Transaction* after = own.next != 0 ? pool.at(own.next - 1) : nullptr;
  section.set(before != nullptr ? (before->*links).next : head, own.next);
  if (after != nullptr) section.set((after->*links).previous, own.previous);
  section.set(own.next, 0U);
  section.set(own.previous, 0U);
  section.commit();
}

}  // namespace ser::txn
