// SPDX-License-Identifier: Apache-2.0
// The engine and requests: matching, making a transaction, its branches, our own answers.
#include <algorithm>
#include <new>

#include "proxy/forward.h"
#include "proxy/suspender.h"
#include "sip/hdr.h"
#include "txn/engine.h"
#include "txn/target_in_hand.h"

namespace ser::txn {

using proxy::Run;
using Kind = ClientEvent::Kind;

namespace {

/// What the message has beyond its block, while its run goes on.
void hand_on_chunks(Arena& arena, proxy::SharedServices& shared, shm::Owner owner) noexcept {
  const KeptArena kept = arena.put_down();
  Arena::for_each_chunk(kept, [&](void* chunk) { shared.heap.transfer(chunk, owner); });
  new (&arena) Arena(kept, shared.chunks);
}

}  // namespace

Engine::Engine(Root& root, const EngineConfig& config, const EngineCounters& counters,
               proxy::Services& services, shm::AccountId account, std::uint32_t event_type) noexcept
    : x_services(services),
      x_shared(*services.shared),
      x_waiting(root.waiting),
      x_config(config),
      x_counters(counters),
      x_pool(root.pool, x_shared.heap, x_shared.self, root.cell_account),
      x_table(root.table, x_pool, x_shared.self),
      x_answered(root.answered, x_pool, x_shared.self),
      x_account(account),
      x_event_type(event_type) {}

Engine::Found Engine::look_up(Run& run, TransactionId& id, bool leave_word) noexcept {
  const auto key = match_key(run.message());
  if (!key) return Found::nothing;
  const std::uint32_t hash = match_hash(x_shared.segment.header().table_key, *key);
  Found found = Found::nothing;
  const auto note = [&](Transaction& transaction, std::uint32_t due, Found what) {
    found = what;
    id = transaction.id();
    if (due != 0 && leave_word) transaction.due.fetch_or(due, std::memory_order_seq_cst);
  };
  switch (key->method) {
    case sip::Method::ack:
      x_table.find(hash, *key, Relation::ack, [&](Transaction& transaction) {
        // An ACK to a 2xx with the INVITE's branch is a mistake of old clients: it is forwarded.
        if (transaction.status.load(std::memory_order_relaxed) >= 300) note(transaction, kDueAck, Found::ack);
      });
      break;
    case sip::Method::cancel:
      x_table.find(hash, *key, Relation::cancel,
                   [&](Transaction& transaction) { note(transaction, 0, Found::cancel); });
      break;
    default:
      x_table.find(hash, *key, Relation::same, [&](Transaction& transaction) {
        note(transaction, kDueRetransmission, Found::retransmission);
      });
      break;
  }
  return found;
}

Engine::Found Engine::match(Run& run, TransactionId& id) noexcept {
  const Found found = look_up(run, id, true);
  if (found == Found::retransmission || found == Found::ack) {
    Transaction* transaction = at(id);
    // Who has it sees what is due when it lets go.
    if (acquire(*transaction, id.generation) == Access::held)
      release(*transaction);
    else
      call_event_worker(id);
  }
  return found;
}

Engine::Found Engine::find(Run& run, TransactionId& id) noexcept {
  return look_up(run, id, false);
}

bool Engine::is_ack_to_2xx(Run& run) noexcept {
  if (run.message().method() != sip::Method::ack) return false;
  const auto call = call_hash(x_shared.segment.header().table_key, run.message());
  return call && x_answered.contains(*call);
}

bool Engine::retransmit_reply(TransactionId id) noexcept {
  Transaction* transaction = at(id);
  if (transaction == nullptr || acquire(*transaction, id.generation) != Access::held) return false;
  const bool sent = retransmit_reply(*transaction);
  release(*transaction);
  return sent;
}

bool Engine::in_work(TransactionId id) const noexcept {
  const Transaction* transaction = at(id);
  if (transaction == nullptr || transaction->id() != id) return false;
  const std::uint32_t holder = transaction->busy.load(std::memory_order_relaxed);
  return holder != 0 && holder != Transaction::kNobody && holder != x_shared.self.lock_word();
}

Result<Transaction*> Engine::create(Run& run) noexcept {
  if (x_shared.keeper == nullptr) return {Errc::refused, "this worker receives no requests"};
  read_clock();
  TRY(const MatchKey key, match_key(run.message()));
  TRY(const TxTarget reply_to, proxy::reply_target(run));
  auto* kept_key = run.arena().make<MatchKey>(key);
  Transaction* transaction = kept_key != nullptr ? x_pool.take() : nullptr;
  if (transaction == nullptr) {
    count(x_counters.no_memory);
    return {Errc::no_memory, "no memory for a transaction"};
  }
  transaction->key = kept_key;
  transaction->hash = match_hash(x_shared.segment.header().table_key, key);
  transaction->invite = key.method == sip::Method::invite;
  transaction->created = now();
  transaction->reply_to = reply_to;
  transaction->server.invite = transaction->invite;
  if (auto kept = x_shared.keeper->keep(run, transaction->owner(), transaction->request); !kept) {
    // Nothing but the cell is its own yet.
    transaction->phase.store(Phase::over, std::memory_order_relaxed);
    x_pool.give(*transaction);
    return kept.error();
  }
  // From here on the message lives as long as the transaction, and that as long as this run at least. Others
  // read the key, wherever in the message it lies, also when we have died.
  if (run.arena().borrowed() != 0) hand_on_chunks(run.arena(), x_shared, transaction->owner());
  run.state().transaction = transaction;
  Transaction* other = nullptr;
  const auto inserted = x_table.insert(*transaction, [&](Transaction& found) {
    other = &found;
    found.due.fetch_or(kDueRetransmission, std::memory_order_seq_cst);
  });
  if (!inserted) {
    transaction->has_ended = true;
    if (other != nullptr) {
      const TransactionId id = other->id();
      if (acquire(*other, id.generation) == Access::held)
        release(*other);
      else
        call_event_worker(id);
    }
    return inserted.error();
  }
  count(x_counters.created);
  static_cast<void>(step(transaction->server, {ServerEvent::Kind::start}, now(), timers(*transaction)));
  return transaction;
}

Branch* Engine::branch(const Transaction& transaction, unsigned index) const noexcept {
  Branch* branch = transaction.branches;
  while (branch != nullptr && branch->index != index) branch = branch->next;
  return branch;
}

/// The branch route may change the target, add edits for this branch, or drop it.
bool Engine::run_branch_route(Transaction& transaction, Run& request, Branch& branch) noexcept {
  if (transaction.on_branch == kNoRoute || x_services.routes == nullptr) return true;
  request.state().kind = proxy::RouteKind::branch;
  sip::EditList* edits = request.edits();
  if (edits != nullptr) edits->set_branch(branch.index);
  const proxy::RouteEnd ended = x_services.routes->run_route(transaction.on_branch, request);
  if (edits != nullptr) edits->set_branch(sip::kAllBranches);
  branch.uri = request.uri();
  branch.flags = request.state().branch_flags;
  return ended == proxy::RouteEnd::done && !transaction.has_final();
}

Result<void> Engine::send_branch(Transaction& transaction, Run& request, Branch& branch) noexcept {
  proxy::ViaToken token;
  token.kind = proxy::ViaToken::Kind::stateful;
  token.cell = transaction.number;
  token.generation = transaction.id().generation;
  token.branch_index = branch.index;
  token.loop_hash = x_fork.loop_hash;
  branch.client.invite = transaction.invite;
  const auto sent = proxy::send_request(request, branch.target, token);
  if (!sent) return sent.error();
  if (!store(transaction, branch.request, *sent)) return {Errc::no_memory, "no memory for the request"};
  static_cast<void>(step(branch.client, {Kind::start}, now(), timers(transaction)));
  return {};
}

Result<void> Engine::add_branch(Transaction& transaction, Run& request, const SockAddr* to,
                                bool replica) noexcept {
  if (transaction.branch_count >= std::min<std::size_t>(kMaxBranches, 255))
    return {Errc::too_many, "too many branches"};
  auto* branch = request.arena().make<Branch>();
  if (branch == nullptr) return {Errc::no_memory, "no memory for a branch"};
  branch->index = transaction.branch_count;
  branch->uri = request.uri();
  branch->replica = branch->dropped = replica;
  branch->given_uri = replica ? nullptr : branch->uri.data();
  branch->given_dst = request.state().dst_uri.data();
  branch->flags = request.state().branch_flags;
  TRY_VOID(limit_breadth(request, *branch));
  const TargetInHand target(request, *branch, request.state().dst_uri, kNoSocket);
  if (!run_branch_route(transaction, request, *branch)) {
    request.fail(500, "Branch Dropped");
    return {Errc::refused, "the branch route dropped the branch"};
  }
  SockAddr address;
  if (to != nullptr) {
    address = *to;
  } else {
    TRY(address, proxy::next_hop(request));
  }
  TRY(branch->target, proxy::choose_target(request, address));
  // It is found by responses, and by who clears up after us, as soon as it is linked.
  Branch** end = &transaction.branches;
  while (*end != nullptr) end = &(*end)->next;
  *end = branch;
  ++transaction.branch_count;
  auto sent = send_branch(transaction, request, *branch);
  if (!sent) {
    // As a response of that branch: 503 (RFC 3261 16.9).
    branch->status = 503;
    branch->settled = true;
    branch->client.state = ClientState::terminated;
  }
  return sent;
}

void Engine::send_trying(Transaction& transaction, Run& request) noexcept {
  proxy::LocalReply trying;
  trying.status = 100;
  trying.reason = x_config.trying_reason;
  static_cast<void>(answer(transaction, request, trying));
}

/// Of a response that goes upstream, or that stands for silence.
void Engine::note_sent(Transaction& transaction, std::uint16_t status) noexcept {
  if (status >= 200 && !transaction.has_final()) count(x_counters.answered);
  transaction.status.store(status, std::memory_order_relaxed);
}

/// Sends and keeps what is sent again when the request comes again.
Result<void> Engine::answer(Transaction& transaction, Run& request, proxy::LocalReply reply) noexcept {
  reply.of_transaction = true;
  TRY(const std::string_view sent, proxy::send_local_reply(request, reply));
  store(transaction, transaction.reply, sent);
  transaction.reply_is_local = true;
  note_sent(transaction, reply.status);
  note_answered(transaction, request.message(), reply.status);
  static_cast<void>(step(transaction.server, ServerEvent::sent(reply.status), now(), timers(transaction)));
  return {};
}

Result<void> Engine::reply(Transaction& transaction, Run& run, const proxy::LocalReply& reply) noexcept {
  read_clock();
  if (!run.is_request() && x_request == nullptr) return {Errc::refused, "no request at hand"};
  Run& request = run.is_request() ? run : *x_request;
  if (transaction.has_final()) return {Errc::refused, "a final response was sent"};
  TRY_VOID(answer(transaction, request, reply));
  if (reply.status >= 200) {
    count(x_counters.local_replies);
    for (Branch* branch = transaction.branches; branch != nullptr; branch = branch->next)
      branch->settled = true;
    cancel_branches(transaction);
  }
  return {};
}

/// The Reason fields of the client's CANCEL, for ours (RFC 3326 2).
void Engine::keep_reason(Transaction& transaction, sip::Message& cancel) noexcept {
  const sip::HeaderField* first = cancel.find(sip::HeaderId::reason);
  if (first == nullptr || transaction.cancelled || !x_config.pass_reason || transaction.no_reason) return;
  std::size_t size = 0;
  for (const auto* field = first; field != nullptr; field = cancel.next_same(*field))
    size += field->line().size();
  auto* lines = static_cast<char*>(cancel.arena().allocate(size, 1));
  if (lines == nullptr) return;
  char* at = lines;
  for (const auto* field = first; field != nullptr; field = cancel.next_same(*field))
    at = std::copy(field->line().begin(), field->line().end(), at);
  store(transaction, transaction.cancel_reason, {lines, size});
}

bool Engine::cancel(Run& run) noexcept {
  const auto key = match_key(run.message());
  if (!key) return false;
  TransactionId id;
  const bool found = x_table.find(match_hash(x_shared.segment.header().table_key, *key), *key,
                                  Relation::cancel, [&](Transaction& transaction) {
                                    id = transaction.id();
                                    transaction.due.fetch_or(kDueCancel, std::memory_order_seq_cst);
                                  });
  if (!found) return false;
  proxy::LocalReply ok;
  ok.status = 200;
  ok.reason = "canceling";
  static_cast<void>(proxy::send_local_reply(run, ok));
  Transaction* transaction = at(id);
  // Who has it cancels without a Reason.
  if (acquire(*transaction, id.generation) == Access::held) {
    keep_reason(*transaction, run.message());
    release(*transaction);
  } else {
    call_event_worker(id);
  }
  return true;
}

bool Engine::retransmit_reply(Transaction& transaction) noexcept {
  if (transaction.reply.size == 0) return false;
  send_again(transaction.reply, transaction.reply_to);
  return true;
}

void Engine::end_of_run(Run& run) noexcept {
  const bool pending = run.state().transaction == nullptr;
  auto* transaction =
      static_cast<Transaction*>(pending ? run.state().pending_transaction : run.state().transaction);
  if (transaction == nullptr || !transaction->held_by(x_shared.self) ||
      transaction->phase.load(std::memory_order_relaxed) != Phase::raw) {
    return;
  }
  read_clock();
  bool waits = transaction->has_final();
  bool copies = false;
  for (const Branch* branch = transaction->branches; branch != nullptr; branch = branch->next) {
    waits = waits || (is_pending(branch->client) && !branch->replica);
    copies = copies || branch->replica;
  }
  // A pending one was none of the script's: its request was answered or sent on without state.
  if (pending) waits = copies = false;
  // Nobody would ever answer it. Who was answered without it needs no other answer, but its copies go on.
  if (!waits && copies)
    static_cast<void>(step(transaction->server, {ServerEvent::Kind::silence}, now(), timers(*transaction)));
  else if (!waits)
    transaction->has_ended = true;
  proxy::put_down(run, x_shared, transaction->owner(), transaction->request);
  transaction->phase.store(Phase::live, std::memory_order_release);
  // What lets go of the transaction may let other runs wait.
  if (x_shared.suspender != nullptr) x_shared.suspender->let_go();
  release(*transaction);
}

}  // namespace ser::txn
