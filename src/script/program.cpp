// SPDX-License-Identifier: Apache-2.0
// Programs: look-up of blocks, names of things.
#include "script/program.h"

namespace ser::script {

std::uint16_t Program::find(BlockKind kind, std::string_view name) const noexcept {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].kind == kind && blocks[i].name == name) return static_cast<std::uint16_t>(i);
  }
  return kNoBlock;
}

proxy::RouteKinds route_kind(BlockKind kind) noexcept {
  using proxy::RouteKind;
  switch (kind) {
    case BlockKind::request:
      return proxy::kinds(RouteKind::request);
    case BlockKind::reply:
      return proxy::kinds(RouteKind::reply);
    case BlockKind::onreply:
      return proxy::kinds(RouteKind::onreply);
    case BlockKind::failure:
      return proxy::kinds(RouteKind::failure);
    case BlockKind::branch:
      return proxy::kinds(RouteKind::branch);
    case BlockKind::onsend:
      return proxy::kinds(RouteKind::onsend);
    case BlockKind::event:
      return proxy::kinds(RouteKind::event);
    case BlockKind::route:
      break;
  }
  return 0;
}

std::string_view keyword_of(BlockKind kind) noexcept {
  switch (kind) {
    case BlockKind::request:
      return "request_route";
    case BlockKind::route:
      return "route";
    case BlockKind::reply:
      return "reply_route";
    case BlockKind::onreply:
      return "onreply_route";
    case BlockKind::failure:
      return "failure_route";
    case BlockKind::branch:
      return "branch_route";
    case BlockKind::onsend:
      return "onsend_route";
    case BlockKind::event:
      return "event_route";
  }
  return "";
}

std::string_view to_string(Op op) noexcept {
  constexpr std::string_view kNames[] = {"end",          "jump",
                                         "loop",         "jump_result",
                                         "jump_if",      "set_result",
                                         "ret",          "ret_pop",
                                         "exit",         "exit_pop",
                                         "drop",         "pop",
                                         "while_begin",  "while_check",
                                         "route",        "call",
                                         "push_int",     "push_text",
                                         "push_null",    "push_var",
                                         "push_field",   "push_field_text",
                                         "push_concat",  "store",
                                         "unary",        "binary",
                                         "match",        "test_method",
                                         "test_text",    "test_match",
                                         "test_int",     "test_max_len",
                                         "test_myself",  "test_network",
                                         "test_name",    "test_reverse",
                                         "test_null",    "test_var_text",
                                         "test_var_int", "test_var_match",
                                         "to_int",       "case_int",
                                         "case_text",    "case_match"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Op::case_match) + 1);
  return kNames[static_cast<std::size_t>(op)];
}

}  // namespace ser::script
