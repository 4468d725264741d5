// SPDX-License-Identifier: Apache-2.0
// The script functions that do something.
#include "base/text.h"
#include "modules/tm/tm_module.h"
#include "proxy/forward.h"

namespace ser::modules {

using mod::Outcome;
using proxy::Run;
using txn::Engine;
using txn::Transaction;

Wishes* Tm::wishes(Run& run) const noexcept {
  auto*& wishes = run.state().transaction_wishes;
  if (wishes == nullptr) wishes = run.arena().make<Wishes>();
  return static_cast<Wishes*>(wishes);
}

void Tm::grant_wishes(Run& run, Transaction& transaction) const noexcept {
  const auto* wishes = static_cast<const Wishes*>(run.state().transaction_wishes);
  transaction.lifetime = time(transaction.invite ? x_config.max_inv_lifetime : x_config.max_noninv_lifetime);
  if (wishes == nullptr) return;
  transaction.on_branch = wishes->on_branch;
  transaction.on_reply = wishes->on_reply;
  transaction.on_failure = wishes->on_failure;
  transaction.fr = wishes->fr;
  transaction.fr_inv = wishes->fr_inv;
  const Instant lifetime = transaction.invite ? wishes->lifetime_invite : wishes->lifetime_other;
  if (lifetime != 0) transaction.lifetime = lifetime;
  transaction.t1 = wishes->t1;
  transaction.t2 = wishes->t2;
  transaction.trying = wishes->trying;
  transaction.no_reason = wishes->no_reason;
}

Result<Transaction*> Tm::ensure(Run& run, bool& ended) {
  ended = false;
  if (Transaction* have = transaction(run); have != nullptr) return have;
  if (run.state().pending_transaction != nullptr) {
    Transaction* pending = Engine::take_pending(run);
    grant_wishes(run, *pending);
    return pending;
  }
  auto made = engine(run).create(run);
  if (!made) {
    ended = made.error().code == Errc::overlap;
    if (!ended) run.fail(made.error().code == Errc::no_memory ? 503 : 500, "Server Internal Error");
    return made.error();
  }
  grant_wishes(run, **made);
  return made;
}

Outcome Tm::newtran(Run& run) {
  if (!run.is_request()) return Outcome::yes();
  if (run.message().method() == sip::Method::ack) {
    txn::TransactionId id;
    return engine(run).match(run, id) == Engine::Found::ack ? Outcome::stop() : Outcome::yes();
  }
  // Kamailio's E_SCRIPT.
  if (transaction(run) != nullptr) return Outcome::no(-10);
  bool ended = false;
  if (ensure(run, ended)) return Outcome::yes();
  return ended ? Outcome::stop() : Outcome::no();
}

/// ACK to a 2xx, and a CANCEL whose INVITE we do not know, are forwarded without state (RFC
/// 3261 16.10, 13.3).
Outcome Tm::relay_statelessly(Run& run, const SockAddr* to) {
  const auto sent = to != nullptr ? proxy::forward_request(run, *to) : proxy::forward_request(run);
  return sent ? Outcome::yes() : failed(sent.error());
}

/// The arguments as an address, nothing without arguments. Errc::suspended: the run waits for the name.
Result<std::optional<SockAddr>> Tm::destination(Run& run, std::optional<std::string_view> host,
                                                std::optional<std::int64_t> port) {
  // ACK and CANCEL may be for a transaction that is there.
  const sip::Method method = run.message().method();
  const bool of_another = method == sip::Method::ack || method == sip::Method::cancel;
  if (!host && !of_another && proxy::wait_for_destinations(run))
    return {Errc::suspended, "the run waits for a name"};
  if (!host) return std::optional<SockAddr>();
  const auto resolved = proxy::resolve(run, *host, static_cast<std::uint16_t>(port.value_or(0)), Proto::udp);
  if (resolved) return std::optional(*resolved);
  if (resolved.error().code != Errc::suspended) run.fail(478, "Unresolvable destination");
  return resolved.error();
}

Outcome Tm::relay(Run& run, std::optional<std::string_view> host, std::optional<std::int64_t> port) {
  if (!run.is_request()) return Outcome::no();
  const auto address = destination(run, host, port);
  if (!address) return failed(address.error());
  const SockAddr* to = *address ? &**address : nullptr;
  if (run.message().method() == sip::Method::ack && transaction(run) == nullptr) {
    txn::TransactionId id;
    if (engine(run).match(run, id) == Engine::Found::ack) return Outcome::stop();
    return relay_statelessly(run, to);
  }
  if (run.message().method() == sip::Method::cancel && transaction(run) == nullptr) {
    return engine(run).cancel(run) ? Outcome::yes() : relay_statelessly(run, to);
  }
  bool ended = false;
  const auto made = ensure(run, ended);
  if (!made) return ended ? Outcome::stop() : Outcome::no();
  const auto sent = to != nullptr ? engine(run).relay_to(**made, run, *to) : engine(run).relay(**made, run);
  if (sent) return Outcome::yes();
  if (run.state().last_error.status == 0) run.fail(500, "Server Internal Error");
  return Outcome::no();
}

Outcome Tm::relay_appended(Run& run) {
  Transaction* have = transaction(run);
  if (have == nullptr || have->has_final() || run.state().branch_count == 0) return Outcome::no();
  const auto waited = destination(run, {}, {});
  if (!waited) return failed(waited.error());
  return Outcome::from(static_cast<bool>(engine(run).relay_appended(*have, run)));
}

/// What has no transaction is not replicated: an ACK, and a CANCEL, which goes where its INVITE went.
Outcome Tm::replicate(Run& run, std::optional<std::string_view> host, std::optional<std::int64_t> port) {
  const sip::Method method = run.message().method();
  if (!run.is_request() || method == sip::Method::ack || method == sip::Method::cancel) return Outcome::no();
  const auto resolved = destination(run, host, port);
  if (!resolved) return failed(resolved.error());
  std::optional<SockAddr> address = *resolved;
  bool ended = false;
  const auto made = ensure(run, ended);
  if (!made) return ended ? Outcome::stop() : Outcome::no();
  if (!address) {
    if (const auto next = proxy::next_hop(run); next) address = *next;
  }
  return Outcome::from(address && engine(run).replicate(**made, run, *address));
}

Outcome Tm::relay_cancel(Run& run) {
  if (run.message().method() != sip::Method::cancel) return Outcome::yes();
  return engine(run).cancel(run) ? Outcome::stop() : Outcome::no();
}

Outcome Tm::reply(Run& run, std::int64_t code, std::string_view reason) {
  if (code < 100 || code > 699) return Outcome::no();
  bool ended = false;
  const auto made = ensure(run, ended);
  if (!made) return ended ? Outcome::stop() : Outcome::no();
  proxy::LocalReply reply;
  reply.status = static_cast<std::uint16_t>(code);
  reply.reason = reason;
  reply.add_contacts = code >= 300 && code < 400;
  return Outcome::from(static_cast<bool>(engine(run).reply(**made, run, reply)));
}

Outcome Tm::release(Run& run) {
  // Who was answered may ask again: what was answered stays as long as ever.
  Transaction* have = transaction(run);
  if (have != nullptr && !have->has_final()) engine(run).release_early(*have);
  return Outcome::yes();
}

Outcome Tm::retransmit_reply(Run& run) {
  if (Transaction* have = transaction(run); have != nullptr)
    return Outcome::from(engine(run).retransmit_reply(*have));
  const auto* wish = static_cast<const Wishes*>(run.state().transaction_wishes);
  return Outcome::from(wish != nullptr && engine(run).retransmit_reply(wish->looked_up));
}

Outcome Tm::check_trans(Run& run) {
  txn::TransactionId id;
  if (!run.is_request()) {
    const proxy::RunState& state = run.state();
    id = {state.via_cell, state.via_generation};
    const Transaction* named = state.via_is_stateful ? engine(run).at(id) : nullptr;
    return Outcome::from(transaction(run) != nullptr || (named != nullptr && named->id() == id));
  }
  switch (engine(run).match(run, id)) {
    case Engine::Found::retransmission:
    case Engine::Found::ack:
      return Outcome::stop();
    case Engine::Found::cancel:
      return Outcome::yes();
    case Engine::Found::nothing:
      break;
  }
  return Outcome::from(engine(run).is_ack_to_2xx(run));
}

Outcome Tm::precheck_trans(Run& run) {
  txn::TransactionId id;
  return Outcome::from(engine(run).find(run, id) == Engine::Found::retransmission && engine(run).in_work(id));
}

Outcome Tm::lookup_request(Run& run) {
  if (transaction(run) != nullptr) return Outcome::yes();
  txn::TransactionId id;
  if (engine(run).find(run, id) != Engine::Found::retransmission)
    return Outcome::from(engine(run).is_ack_to_2xx(run));
  if (Wishes* wish = wishes(run); wish != nullptr) wish->looked_up = id;
  return Outcome::yes();
}

Outcome Tm::lookup_cancel(Run& run) {
  if (run.message().method() != sip::Method::cancel) return Outcome::no();
  txn::TransactionId id;
  return Outcome::from(engine(run).find(run, id) == Engine::Found::cancel);
}

Outcome Tm::arm_route(Run& run, mod::RouteRef route, std::uint16_t Transaction::* of_transaction,
                      std::uint16_t Wishes::* wished) {
  if (Transaction* have = transaction(run); have != nullptr) {
    have->*of_transaction = route.block;
  } else if (Wishes* wish = wishes(run); wish != nullptr) {
    wish->*wished = route.block;
  } else {
    return Outcome::no();
  }
  return Outcome::yes();
}

Outcome Tm::on_branch(Run& run, mod::RouteRef route) {
  return arm_route(run, route, &Transaction::on_branch, &Wishes::on_branch);
}

Outcome Tm::on_reply(Run& run, mod::RouteRef route) {
  return arm_route(run, route, &Transaction::on_reply, &Wishes::on_reply);
}

Outcome Tm::on_failure(Run& run, mod::RouteRef route) {
  return arm_route(run, route, &Transaction::on_failure, &Wishes::on_failure);
}

Outcome Tm::set_fr(Run& run, std::int64_t fr_inv, std::optional<std::int64_t> fr) {
  if (fr_inv < 0 || fr.value_or(0) < 0) return Outcome::no();
  if (Transaction* have = transaction(run); have != nullptr) {
    if (fr_inv != 0) have->fr_inv = time(fr_inv);
    if (fr.value_or(0) != 0) have->fr = time(*fr);
    engine(run).restart_timeouts(*have);
    return Outcome::yes();
  }
  Wishes* wish = wishes(run);
  if (wish == nullptr) return Outcome::no();
  if (fr_inv != 0) wish->fr_inv = time(fr_inv);
  if (fr.value_or(0) != 0) wish->fr = time(*fr);
  return Outcome::yes();
}

Outcome Tm::reset_fr(Run& run) {
  if (Transaction* have = transaction(run); have != nullptr) {
    have->fr = have->fr_inv = 0;
    engine(run).restart_timeouts(*have);
  } else if (Wishes* wish = wishes(run); wish != nullptr) {
    wish->fr = wish->fr_inv = 0;
  }
  return Outcome::yes();
}

Outcome Tm::set_max_lifetime(Run& run, std::int64_t invite, std::int64_t other) {
  if (invite < 0 || other < 0) return Outcome::no();
  if (Transaction* have = transaction(run); have != nullptr) {
    have->lifetime = time(have->invite ? invite : other);
    return Outcome::yes();
  }
  Wishes* wish = wishes(run);
  if (wish == nullptr) return Outcome::no();
  wish->lifetime_invite = time(invite);
  wish->lifetime_other = time(other);
  return Outcome::yes();
}

Outcome Tm::reset_max_lifetime(Run& run) {
  return set_max_lifetime(run, x_config.max_inv_lifetime, x_config.max_noninv_lifetime);
}

Outcome Tm::set_retr(Run& run, std::int64_t t1, std::int64_t t2) {
  if (t1 < 0 || t2 < 0) return Outcome::no();
  if (Transaction* have = transaction(run); have != nullptr) {
    have->t1 = t1 * txn::kMillisecond;
    have->t2 = t2 * txn::kMillisecond;
  } else if (Wishes* wish = wishes(run); wish != nullptr) {
    wish->t1 = t1 * txn::kMillisecond;
    wish->t2 = t2 * txn::kMillisecond;
  }
  return Outcome::yes();
}

Outcome Tm::reset_retr(Run& run) {
  return set_retr(run, 0, 0);
}

Outcome Tm::set_auto_inv_100(Run& run, std::int64_t on) {
  const std::uint8_t trying = on != 0 ? 1 : 2;
  if (Transaction* have = transaction(run); have != nullptr)
    have->trying = trying;
  else if (Wishes* wish = wishes(run); wish != nullptr)
    wish->trying = trying;
  return Outcome::yes();
}

Outcome Tm::set_no_e2e_cancel_reason(Run& run, std::int64_t off) {
  if (Transaction* have = transaction(run); have != nullptr)
    have->no_reason = off != 0;
  else if (Wishes* wish = wishes(run); wish != nullptr)
    wish->no_reason = off != 0;
  return Outcome::yes();
}

/// The transaction has the run's flags anyway.
Outcome Tm::flush_flags(Run& run) {
  return Outcome::from(transaction(run) != nullptr);
}

Outcome Tm::cancel_branches(Run& run, std::string_view which) {
  Transaction* have = transaction(run);
  if (have == nullptr) return Outcome::no();
  if (iequals(which, "all")) return Outcome::from(engine(run).cancel_some(*have, UINT32_MAX, true) != 0);
  const bool others = iequals(which, "others");
  if (!others && !iequals(which, "this")) return Outcome::no();
  return Outcome::from(engine(run).cancel_some(*have, run.state().via_branch_index, others) != 0);
}

Outcome Tm::drop_replies(Run& run, std::optional<std::string_view> which) {
  Transaction* have = transaction(run);
  if (have == nullptr) return Outcome::no();
  const bool last = which && iequals(*which, "l");
  for (txn::Branch* branch = have->branches; branch != nullptr; branch = branch->next) {
    if (!last || branch->next == nullptr) branch->dropped = true;
  }
  return Outcome::yes();
}

Outcome Tm::nothing_to_do(Run& /*run*/) {
  return Outcome::yes();
}

}  // namespace ser::modules
