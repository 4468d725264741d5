// SPDX-License-Identifier: Apache-2.0
// The engine and targets: which of them are branches now, and what RFC 5393 asks of a proxy that forks.
#include <algorithm>
#include <array>

#include "txn/engine.h"
#include "txn/loop.h"
#include "txn/target_in_hand.h"

namespace ser::txn {

using proxy::Run;
using proxy::RunState;

/// After CANCEL there are no new branches (RFC 3261 16.10), nor after a final response.
Result<void> Engine::may_relay(Transaction& transaction, Run& request) const noexcept {
  const bool cancelled =
      transaction.cancelled || (transaction.due.load(std::memory_order_relaxed) & kDueCancel) != 0;
  if (!cancelled && !transaction.has_final()) return {};
  request.fail(cancelled ? 487 : 500, cancelled ? "Request Terminated" : "Server Internal Error");
  return {Errc::refused, cancelled ? "the client cancelled the request" : "a final response was sent"};
}

/// As in Kamailio: the current target is none any more when append_branch() without a URI has put it into the
/// branch set, or when it was sent to before and the script has not set it again.
bool Engine::is_new_target(const Transaction& transaction, const Run& request) noexcept {
  const RunState& state = request.state();
  const char* uri = request.uri().data();
  const char* dst = state.dst_uri.data();
  for (std::size_t i = 0; i < state.branch_count; ++i) {
    if (state.branches[i].uri.data() == uri && state.branches[i].dst_uri.data() == dst) return false;
  }
  for (const Branch* branch = transaction.branches; branch != nullptr; branch = branch->next) {
    if (branch->given_uri == uri && branch->given_dst == dst) return false;
  }
  return true;
}

/// We are about to fork: has the request been here as it is, and may it have so many branches (RFC 5393 4.1,
/// 5.3.3)?
Result<void> Engine::begin_fork(Run& request, std::size_t targets) noexcept {
  const sip::Message& message = request.message();
  const std::uint32_t hash = loop_hash(message, x_services.via_key);
  if (is_loop(message, x_services.via_key, hash)) {
    request.fail(482, "Loop Detected");
    return {Errc::refused, "the request has been here before"};
  }
  const auto breadth = incoming_breadth(message);
  if (!breadth) {
    request.fail(400, "Bad Max-Breadth");
    return breadth.error();
  }
  if (parallel_branches(*breadth, targets) < targets) {
    request.fail(440, "Max-Breadth Exceeded");
    return {Errc::too_many, "Max-Breadth does not allow so many branches"};
  }
  x_fork = {hash, *breadth, targets, 0};
  return {};
}

/// The branch's share of the request's Max-Breadth.
Result<void> Engine::limit_breadth(Run& request, const Branch& branch) noexcept {
  if (x_fork.targets == 0) return {};
  sip::EditList* edits = request.edits();
  if (edits == nullptr) return {Errc::no_memory, "no memory for a branch"};
  const sip::Message& message = request.message();
  for (const sip::HeaderField* field = message.find(sip::HeaderId::max_breadth); field != nullptr;
       field = message.next_same(*field)) {
    static_cast<void>(edits->remove(field->line(), branch.index));
  }
  std::array<char, 32> room{};
  const std::uint32_t share = branch_breadth(x_fork.breadth, x_fork.targets, x_fork.next++);
  return edits->append_header(breadth_line(share, room), branch.index);
}

void Engine::try_at_once(Transaction& transaction, Run& request) noexcept {
  const bool wanted = transaction.trying != 0 ? transaction.trying == 1 : x_config.trying_at_once;
  if (transaction.invite && wanted && transaction.status.load(std::memory_order_relaxed) == 0)
    send_trying(transaction, request);
}

Result<unsigned> Engine::relay_to(Transaction& transaction, Run& request, const SockAddr& to) noexcept {
  TRY_VOID(may_relay(transaction, request));
  TRY_VOID(add_branch(transaction, request, &to));
  transaction.on_branch = kNoRoute;
  try_at_once(transaction, request);
  return 1U;
}

Result<unsigned> Engine::replicate(Transaction& transaction, Run& request, const SockAddr& to) noexcept {
  TRY_VOID(may_relay(transaction, request));
  TRY_VOID(add_branch(transaction, request, &to, true));
  return 1U;
}

Result<unsigned> Engine::relay(Transaction& transaction, Run& request) noexcept {
  return relay(transaction, request, is_new_target(transaction, request));
}

Result<unsigned> Engine::relay_appended(Transaction& transaction, Run& request) noexcept {
  return relay(transaction, request, false);
}

/// `current`: to the current destination, too.
Result<unsigned> Engine::relay(Transaction& transaction, Run& request, bool current) noexcept {
  read_clock();
  TRY_VOID(may_relay(transaction, request));
  RunState& state = request.state();
  const std::size_t targets = state.branch_count + (current ? 1U : 0U);
  if (targets > 1) TRY_VOID(begin_fork(request, targets));
  unsigned sent = 0;
  Error first_error{Errc::refused, 0, "no new destination"};
  const auto add = [&] {
    if (const auto added = add_branch(transaction, request, nullptr); added)
      ++sent;
    else if (sent == 0)
      first_error = added.error();
  };
  if (current) add();
  for (std::size_t i = 0; i < state.branch_count; ++i) {
    const proxy::Branch& target = state.branches[i];
    Branch as{};
    as.uri = target.uri;
    as.flags = target.flags;
    const TargetInHand hand(request, as, target.dst_uri, target.socket);
    add();
  }
  x_fork = {};
  request.clear_branches();
  // It is armed for one t_relay().
  transaction.on_branch = kNoRoute;
  if (sent == 0) return first_error;
  state.last_error = {};
  try_at_once(transaction, request);
  return sent;
}

}  // namespace ser::txn
