// SPDX-License-Identifier: Apache-2.0
// Serial forking by q (RFC 3261 16.6: targets of a lower q are tried when those of a higher one have failed).
#include <algorithm>

#include "modules/tm/tm_module.h"

namespace ser::modules {

using mod::Outcome;
using proxy::Run;

namespace {

/// Without a q a target is tried last.
int rank(std::uint16_t q) noexcept {
  return q == proxy::kNoQ ? -1 : q;
}

}  // namespace

Outcome Tm::load_contacts(Run& run, std::optional<std::int64_t> /*mode*/) {
  proxy::RunState& state = run.state();
  Wishes* wish = wishes(run);
  const std::size_t count = std::size_t{state.branch_count} + 1;
  auto* contacts = run.arena().make_array<proxy::Branch>(count);
  if (wish == nullptr || contacts == nullptr) return Outcome::no();
  proxy::Branch& first = contacts[0];
  first.uri = run.uri();
  first.dst_uri = state.dst_uri;
  first.socket = state.force_socket;
  first.q = state.ruri_q;
  first.flags = state.branch_flags;
  std::copy_n(state.branches, state.branch_count, contacts + 1);
  // Insertion keeps the order of equals, and the branch set is small (max_branches).
  for (std::size_t i = 1; i < count; ++i) {
    for (std::size_t at = i; at > 0 && rank(contacts[at - 1].q) < rank(contacts[at].q); --at)
      std::swap(contacts[at - 1], contacts[at]);
  }
  wish->contacts = contacts;
  wish->contact_count = static_cast<std::uint16_t>(count);
  wish->next_contact = 0;
  run.clear_branches();
  return Outcome::yes();
}

Outcome Tm::next_contacts(Run& run) {
  auto* wish = static_cast<Wishes*>(run.state().transaction_wishes);
  if (wish == nullptr || wish->next_contact >= wish->contact_count) return Outcome::no(-2);
  proxy::RunState& state = run.state();
  run.clear_branches();
  const proxy::Branch& first = wish->contacts[wish->next_contact++];
  if (!run.set_uri(first.uri)) return Outcome::no();
  state.dst_uri = first.dst_uri;
  state.force_socket = first.socket;
  state.branch_flags = first.flags;
  state.ruri_q = first.q;
  for (; wish->next_contact < wish->contact_count && wish->contacts[wish->next_contact].q == first.q;
       ++wish->next_contact) {
    const proxy::Branch& next = wish->contacts[wish->next_contact];
    if (!run.append_branch(next.uri, next.q)) return Outcome::no();
    proxy::Branch& added = state.branches[state.branch_count - 1];
    added.dst_uri = next.dst_uri;
    added.path = next.path;
    added.socket = next.socket;
    added.flags = next.flags;
  }
  return Outcome::yes();
}

}  // namespace ser::modules
