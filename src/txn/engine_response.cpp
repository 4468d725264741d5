// SPDX-License-Identifier: Apache-2.0
// The engine and responses: to which branch, what the script says to it, what goes upstream (RFC 3261 16.7).
#include <array>
#include <cstring>

#include "base/text.h"
#include "proxy/forward.h"
#include "sip/hdr.h"
#include "sip/writer.h"
#include "txn/engine.h"
#include "txn/request_in_hand.h"

namespace ser::txn {

using proxy::Run;
using proxy::RunState;
using Kind = ClientEvent::Kind;

namespace {

/// `line` is `CSeq: 1 METHOD`, written as nearly everybody does. False: nothing is known.
bool is_plain_cseq(std::string_view line, std::string_view method) noexcept {
  if (!finishes_with(line, "\r\n")) return false;
  line.remove_suffix(2);
  if (!line.ends_with(method)) return false;
  line.remove_suffix(method.size());
  if (!finishes_with(line, " ")) return false;
  line.remove_suffix(1);
  std::size_t digits = 0;
  for (; !line.empty() && is_digit(line.back()); ++digits) line.remove_suffix(1);
  return digits != 0 && digits < 10 && finishes_with(line, ": ");
}

/// The response's CSeq is that of the transaction's method (RFC 3261 17.1.3).
bool is_of_method(const sip::Message& response, const MatchKey& key) noexcept {
  static constexpr sip::ShapeSet kCSeq{sip::HeaderId::cseq};
  sip::Message::Line line;
  if (!response.next_line(kCSeq, 0, line)) return false;
  if (is_plain_cseq(line.text, key.method_name)) return true;
  const auto cseq = response.get<sip::hdr::CSeq>();
  return cseq && (*cseq)->method == key.method;
}

bool is_challenge(std::uint16_t status) noexcept {
  return status == 401 || status == 407;
}

}  // namespace

bool Engine::on_response(Run& response) noexcept {
  const RunState& state = response.state();
  if (!state.via_is_stateful) return on_cancel_response(response);
  Transaction* transaction = at({state.via_cell, state.via_generation});
  const Access access = transaction != nullptr ? acquire(*transaction, state.via_generation) : Access::gone;
  if (access == Access::busy) {
    leave_to_holder(*transaction, response, state.via_generation);
    return true;
  }
  if (access == Access::gone) {
    // RFC 6026 8: a stateful proxy forwards no response of a transaction it does not know.
    count(x_counters.stray_responses);
    return true;
  }
  take_response(*transaction, response, state.via_branch_index);
  if (is_ours(*transaction)) release(*transaction);
  return true;
}

/// The response to a CANCEL of ours: it has our Via alone, so no Via below proves it. What does is that its
/// branch is the one we sent.
bool Engine::on_cancel_response(Run& response) noexcept {
  const auto top = response.message().via(0);
  if (!top || response.message().via(1)) return false;
  const auto token = proxy::parse_token((*top)->branch);
  if (!token || token->kind != proxy::ViaToken::Kind::stateful) return false;
  Transaction* transaction = at({token->cell, token->generation});
  const Access access = transaction != nullptr ? acquire(*transaction, token->generation) : Access::gone;
  if (access == Access::busy) leave_to_holder(*transaction, response, token->generation);
  if (access != Access::held) return true;
  take_cancel_response(*transaction, response, token->branch_index, (*top)->branch);
  release(*transaction);
  return true;
}

void Engine::take_cancel_response(Transaction& transaction, Run& response, unsigned index,
                                  std::string_view via_branch) noexcept {
  Branch* branch = this->branch(transaction, index);
  const auto cseq = response.message().get<sip::hdr::CSeq>();
  if (branch == nullptr || !cseq || (*cseq)->method != sip::Method::cancel ||
      branch->cancel_bytes.view().find(via_branch) == std::string_view::npos) {
    return;
  }
  static_cast<void>(
      step(branch->cancel, ClientEvent::response(response.message().status()), now(), timers(transaction)));
}

void Engine::take_response(Transaction& transaction, Run& response, unsigned index) noexcept {
  Branch* branch = this->branch(transaction, index);
  if (branch == nullptr || !is_of_method(response.message(), *transaction.key)) return;
  const std::uint16_t status = response.message().status();
  const TimerValues values = timers(transaction);
  response.state().transaction = &transaction;
  const ClientActions todo = step(branch->client, ClientEvent::response(status), now(), values);
  if (todo.send_ack) send_ack(transaction, *branch, response);
  if (todo.cancel) send_cancel(transaction, *branch);
  if (!todo.pass_up || branch->replica) return;
  branch->replied = branch->received;
  if (status >= 200) branch->status = status;
  const proxy::RouteEnd ended = run_reply_route(transaction, response, *branch, nullptr);
  if (ended == proxy::RouteEnd::suspended) return leave_to_run(transaction, nullptr);
  end_reply_route(transaction, response, *branch, ended);
}

/// What the script thinks of the response, or the `rest` of what it thinks.
proxy::RouteEnd Engine::run_reply_route(Transaction& transaction, Run& response, Branch& branch,
                                        proxy::RestOfRoute* rest) noexcept {
  if (rest == nullptr && (transaction.on_reply == kNoRoute || x_services.routes == nullptr))
    return proxy::RouteEnd::done;
  RunState& state = response.state();
  RunState& request = *transaction.request.state;
  state.kind = proxy::RouteKind::onreply;
  state.flags = request.flags;
  state.branch_flags = branch.flags;
  // AVPs are the transaction's: what the route adds must outlive the response.
  RequestInHand in_hand(x_services, transaction);
  state.avps = request.avps;
  state.avp_arena = &in_hand.run().arena();
  x_request = &in_hand.run();
  const proxy::RouteEnd ended =
      rest != nullptr ? rest->go_on(response) : x_services.routes->run_route(transaction.on_reply, response);
  x_request = nullptr;
  request.avps = state.avps;
  state.avp_arena = nullptr;
  request.flags = state.flags;
  branch.flags = state.branch_flags;
  return ended;
}

/// A provisional response that the route dropped is none.
void Engine::end_reply_route(Transaction& transaction, Run& response, Branch& branch,
                             proxy::RouteEnd ended) noexcept {
  const std::uint16_t status = response.message().status();
  if (ended != proxy::RouteEnd::done && status < 200) return;
  branch.status = status;
  branch.received = true;
  if (status >= 200) branch.settled = true;
  settle(transaction, branch, &response);
}

void Engine::keep_response(Transaction& transaction, Branch& branch, const Run& response) noexcept {
  const sip::EditList* edits = response.state().edits;
  if (edits == nullptr || edits->empty()) {
    store(transaction, branch.response, response.message().bytes());
    return;
  }
  // As the reply route left it.
  const std::size_t room = sip::written_size(response.message(), edits, {});
  auto* text = static_cast<char*>(response.arena().allocate(room, 1));
  if (text == nullptr) return;
  if (const auto size = sip::write(response.message(), edits, {}, {text, room}); size)
    store(transaction, branch.response, {text, *size});
}

/// Something has become of a branch: what follows for the transaction.
void Engine::settle(Transaction& transaction, Branch& branch, Run* response) noexcept {
  std::array<BranchStatus, kMaxBranches> list{};
  std::size_t size = 0;
  for (const Branch* each = transaction.branches; each != nullptr && size < list.size(); each = each->next) {
    BranchStatus& status = list[size++];
    status.status = each->status;
    status.finished = (each->settled && each->status >= 200) || each->replica;
    status.local = !each->received;
    status.challenge = each->received && is_challenge(each->status);
    status.dropped = each->dropped || (x_config.drop_earlier_legs && each->earlier);
  }
  Upstream upstream;
  upstream.invite = transaction.invite;
  upstream.cancelled = transaction.cancelled;
  upstream.keep_503 = x_config.keep_503;
  const std::uint16_t sent = transaction.status.load(std::memory_order_relaxed);
  upstream.status = sent >= 200 ? sent : 0;
  const Decision decision = decide(std::span(list).first(size), branch.index, upstream);
  switch (decision.act) {
    case Decision::Act::relay_now:
      if (response != nullptr) relay_response(transaction, *response);
      break;
    case Decision::Act::hold:
      if (response != nullptr && branch.status >= 300 && upstream.status == 0)
        keep_response(transaction, branch, *response);
      break;
    case Decision::Act::finish:
      // Another branch's response may win, and take the challenges of this one along.
      if (response != nullptr && (decision.choice.branch != branch.index || decision.choice.challenges != 0))
        keep_response(transaction, branch, *response);
      finish(transaction, decision.choice, response);
      break;
  }
  if (!decision.cancel_others || !is_ours(transaction)) return;
  give_reason(transaction, branch.status);
  for (Branch* each = transaction.branches; each != nullptr; each = each->next) {
    if (each != &branch && is_pending(each->client)) cancel_branch(transaction, *each);
  }
}

/// So that the ACK is known when it comes.
void Engine::note_answered(Transaction& transaction, sip::Message& message, std::uint16_t status) noexcept {
  if (!transaction.invite || status < 200 || status >= 300) return;
  const auto call = call_hash(x_shared.segment.header().table_key, message);
  if (call) x_answered.insert(transaction, *call);
}

void Engine::relay_response(Transaction& transaction, Run& response) noexcept {
  const std::uint16_t status = response.message().status();
  const auto sent = proxy::send_response(response, transaction.reply_to);
  if (!sent) return;
  // A 2xx to INVITE is sent again by who made it.
  if (!transaction.invite || status >= 300 || status < 200) store(transaction, transaction.reply, *sent);
  transaction.reply_is_local = false;
  note_sent(transaction, status);
  note_answered(transaction, response.message(), status);
  static_cast<void>(step(transaction.server, ServerEvent::sent(status), now(), timers(transaction)));
}

void Engine::finish(Transaction& transaction, const Choice& choice, Run* response) noexcept {
  // Also when RFC 4320 has nothing sent upstream: another target may yet answer in time.
  const bool failed = choice.status >= 300 || choice.status == 0;
  if (transaction.on_failure != kNoRoute && x_services.routes != nullptr && failed) {
    if (response != nullptr) {
      Branch* branch = this->branch(transaction, response->state().via_branch_index);
      if (branch != nullptr) keep_response(transaction, *branch, *response);
    }
    if (run_failure_route(transaction, choice)) return;
  }
  send_choice(transaction, choice, response);
}

/// True: the route began new branches, or answered, or waits.
bool Engine::run_failure_route(Transaction& transaction, const Choice& choice) noexcept {
  const std::uint16_t route = transaction.on_failure;
  transaction.on_failure = kNoRoute;
  transaction.paused = {choice, transaction.branch_count, transaction.request.state->kind};
  return go_through_failure_route(transaction, route, nullptr);
}

/// The route from its begin, or the `rest` of it.
bool Engine::go_through_failure_route(Transaction& transaction, std::uint16_t route,
                                      proxy::RestOfRoute* rest) noexcept {
  const PausedFailure paused = transaction.paused;
  proxy::RouteEnd ended{};
  x_failure = paused.choice;
  {
    RequestInHand in_hand(x_services, transaction);
    Run& run = in_hand.run();
    RunState& state = run.state();
    state.kind = proxy::RouteKind::failure;
    state.transaction = &transaction;
    if (rest == nullptr) {
      run.clear_branches();
      state.last_error = {};
    }
    ended = rest != nullptr ? rest->go_on(run) : x_services.routes->run_route(route, run);
    if (ended != proxy::RouteEnd::suspended) state.kind = paused.kind;
  }
  x_failure = {};
  if (ended == proxy::RouteEnd::suspended) {
    leave_to_run(transaction, block_of(transaction));
    return true;
  }
  if (transaction.has_final()) return true;
  if (transaction.branch_count == paused.branches) return false;
  bool pending = false;
  unsigned index = 0;
  for (Branch* branch = transaction.branches; branch != nullptr; branch = branch->next, ++index) {
    if (index < paused.branches)
      branch->earlier = true;
    else
      pending = pending || is_pending(branch->client);
  }
  return pending;
}

void Engine::send_choice(Transaction& transaction, const Choice& choice, Run* response) noexcept {
  if (choice.status == 0) {
    note_sent(transaction, 408);
    static_cast<void>(step(transaction.server, {ServerEvent::Kind::silence}, now(), timers(transaction)));
    return;
  }
  if (choice.branch == kNoBranch) {
    proxy::LocalReply reply;
    reply.status = choice.status;
    count(x_counters.local_replies);
    RequestInHand in_hand(x_services, transaction);
    static_cast<void>(answer(transaction, in_hand.run(), reply));
    return;
  }
  if (response != nullptr && response->state().via_branch_index == choice.branch) {
    add_challenges(transaction, *response, choice);
    relay_response(transaction, *response);
    return;
  }
  if (Branch* branch = this->branch(transaction, choice.branch); branch != nullptr)
    relay_stored(transaction, *branch, choice);
}

void Engine::relay_stored(Transaction& transaction, Branch& branch, const Choice& choice) noexcept {
  if (branch.response.size == 0) return;
  alignas(16) std::array<char, kScratchRoom> block;
  Arena arena(block.data(), block.size(), x_shared.chunks);
  const auto message = sip::Message::parse(branch.response.view(), arena);
  RunState* state = message ? arena.make<RunState>() : nullptr;
  if (state == nullptr) return;
  state->message = *message;
  state->rx.bytes = branch.response.view();
  state->kind = proxy::RouteKind::reply;
  Run response(*state, x_services);
  add_challenges(transaction, response, choice);
  relay_response(transaction, response);
}

/// RFC 3261 16.7 step 7: the challenges of all branches go into the one response.
void Engine::add_challenges(Transaction& transaction, Run& response, const Choice& choice) noexcept {
  if (choice.challenges == 0) return;
  for (Branch* branch = transaction.branches; branch != nullptr; branch = branch->next) {
    if ((choice.challenges >> branch->index & 1U) == 0 || branch->index == choice.branch) continue;
    alignas(16) std::array<char, kScratchRoom> block;
    Arena arena(block.data(), block.size(), x_shared.chunks);
    const auto message = sip::Message::parse(branch->response.view(), arena);
    sip::EditList* edits = response.edits();
    if (!message || edits == nullptr) continue;
    for (const sip::HeaderId id : {sip::HeaderId::www_authenticate, sip::HeaderId::proxy_authenticate}) {
      for (const sip::HeaderField* field = (*message)->find(id); field != nullptr;
           field = (*message)->next_same(*field)) {
        static_cast<void>(edits->append_header(field->line()));
      }
    }
  }
}

}  // namespace ser::txn
