// SPDX-License-Identifier: Apache-2.0
// TargetInHand: one target of a request in place of its current one, for as long as the object lives.
#pragma once
#include <string_view>

#include "proxy/run.h"
#include "txn/transaction.h"

namespace ser::txn {

/// Sets what a run has of the current target, and puts the old back.
class TargetInHand {
 public:
  TargetInHand(proxy::Run& run, const Branch& branch, std::string_view dst_uri, SocketId socket) noexcept
      : x_run(run),
        x_uri(run.state().new_uri),
        x_dst_uri(run.state().dst_uri),
        x_socket(run.state().force_socket),
        x_flags(run.state().branch_flags),
        x_index(run.state().via_branch_index),
        x_kind(run.state().kind) {
    proxy::RunState& state = run.state();
    state.new_uri = branch.uri;
    state.dst_uri = dst_uri;
    if (socket != kNoSocket) state.force_socket = socket;
    state.branch_flags = branch.flags;
    state.via_branch_index = branch.index;
  }
  TargetInHand(const TargetInHand&) = delete;
  TargetInHand& operator=(const TargetInHand&) = delete;
  ~TargetInHand() {
    proxy::RunState& state = x_run.state();
    state.new_uri = x_uri;
    state.dst_uri = x_dst_uri;
    state.force_socket = x_socket;
    state.branch_flags = x_flags;
    state.via_branch_index = x_index;
    state.kind = x_kind;
  }

 private:
  proxy::Run& x_run;
  std::string_view x_uri, x_dst_uri;
  SocketId x_socket;
  std::uint32_t x_flags;
  std::uint8_t x_index;
  proxy::RouteKind x_kind;
};

}  // namespace ser::txn
