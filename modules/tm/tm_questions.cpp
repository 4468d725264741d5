// SPDX-License-Identifier: Apache-2.0
// The script functions and variables that only ask.
#include <array>

#include "base/text.h"
#include "modules/tm/tm_module.h"

namespace ser::modules {

using mod::Outcome;
using proxy::Run;
using txn::Branch;
using txn::Transaction;

namespace {

template <class F>
bool any_branch(const Transaction* transaction, F&& holds) {
  if (transaction == nullptr) return false;
  for (const Branch* branch = transaction->branches; branch != nullptr; branch = branch->next) {
    if (holds(*branch)) return true;
  }
  return false;
}

bool timed_out(const Branch& branch) {
  return branch.status == 408 && !branch.received;
}

}  // namespace

Branch* Tm::last_branch(Run& run) const noexcept {
  Transaction* have = transaction(run);
  if (have == nullptr) return nullptr;
  const unsigned which = run.state().kind == proxy::RouteKind::failure ? engine(run).failure().picked
                                                                       : run.state().via_branch_index;
  return engine(run).branch(*have, which);
}

std::uint16_t Tm::last_status(Run& run) const noexcept {
  if (!run.is_request()) return run.message().status();
  if (run.state().kind == proxy::RouteKind::failure) {
    const Branch* branch = last_branch(run);
    return branch != nullptr ? branch->status : engine(run).failure().status;
  }
  const Transaction* have = transaction(run);
  return have != nullptr ? have->status.load(std::memory_order_relaxed) : 0;
}

Outcome Tm::is_set(Run& run, std::string_view what) {
  const Transaction* have = transaction(run);
  const auto* wish = static_cast<const Wishes*>(run.state().transaction_wishes);
  const auto armed = [&](std::uint16_t Transaction::* mine, std::uint16_t Wishes::* wished) {
    const std::uint16_t route = have != nullptr   ? have->*mine
                                : wish != nullptr ? wish->*wished
                                                  : txn::kNoRoute;
    return Outcome::from(route != txn::kNoRoute);
  };
  if (what == "branch_route") return armed(&Transaction::on_branch, &Wishes::on_branch);
  if (what == "failure_route") return armed(&Transaction::on_failure, &Wishes::on_failure);
  if (what == "onreply_route") return armed(&Transaction::on_reply, &Wishes::on_reply);
  return Outcome::no();
}

Outcome Tm::is_canceled(Run& run) {
  const Transaction* have = transaction(run);
  return Outcome::from(have != nullptr && (have->cancelled || (have->due.load(std::memory_order_relaxed) &
                                                               txn::kDueCancel) != 0));
}

Outcome Tm::is_expired(Run& run) {
  const Transaction* have = transaction(run);
  if (have == nullptr || have->lifetime == 0) return Outcome::no();
  return Outcome::from(run.services().clock.now() >= have->created + have->lifetime);
}

Outcome Tm::any_replied(Run& run) {
  const Branch* at_hand = last_branch(run);
  return Outcome::from(any_branch(transaction(run), [at_hand](const Branch& branch) {
    return branch.replied || (&branch != at_hand && branch.received);
  }));
}

Outcome Tm::any_timeout(Run& run) {
  return Outcome::from(any_branch(transaction(run), timed_out));
}

Outcome Tm::branch_replied(Run& run) {
  const Branch* branch = last_branch(run);
  return Outcome::from(branch != nullptr && branch->replied);
}

Outcome Tm::branch_timeout(Run& run) {
  const Branch* branch = last_branch(run);
  return Outcome::from(branch != nullptr && timed_out(*branch));
}

Outcome Tm::check_status(Run& run, mod::Compiled<mod::SearchRegex> pattern) {
  const std::uint16_t status = last_status(run);
  if (status == 0) return Outcome::no();
  std::array<char, 20> digits{};
  const std::size_t size = print_u64(digits.data(), status);
  const auto verdict = pattern->regex->match(worker_state<TmWorker>(run).matcher, {digits.data(), size});
  return Outcome::from(verdict == mod::Regex::Verdict::match);
}

Outcome Tm::grep_status(Run& run, std::int64_t code) {
  return Outcome::from(
      any_branch(transaction(run), [code](const Branch& branch) { return branch.status == code; }));
}

Outcome Tm::status_code(Run& run) {
  const std::uint16_t status = last_status(run);
  return status != 0 ? Outcome::yes(status) : Outcome::no();
}

proxy::Value Tm::reply_code_value(Run& run) {
  return proxy::Value::of(std::int64_t{last_status(run)});
}

proxy::Value Tm::reply_reason_value(Run& run) {
  if (!run.is_request()) return proxy::Value::of(run.message().start().reason);
  const Branch* branch = last_branch(run);
  if (run.state().kind != proxy::RouteKind::failure || branch == nullptr) return proxy::Value::null();
  std::string_view line = branch->response.view();
  line = line.substr(0, line.find_first_of("\r\n"));
  return line.size() > 12 ? proxy::Value::of(line.substr(12)) : proxy::Value::null();
}

proxy::Value Tm::reply_last_value(Run& run) {
  const Branch* branch = last_branch(run);
  return proxy::Value::of(std::int64_t{branch != nullptr ? branch->status : std::uint16_t{0}});
}

proxy::Value Tm::branch_index_value(Run& run) {
  if (transaction(run) == nullptr) return proxy::Value::null();
  return proxy::Value::of(std::int64_t{run.state().via_branch_index});
}

}  // namespace ser::modules
