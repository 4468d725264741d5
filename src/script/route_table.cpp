// SPDX-License-Identifier: Apache-2.0
// The route blocks of a script.
#include "script/route_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace ser::script {

namespace {

// SER's `route[0]` is the request route however it is called.
bool is_request_name(std::string_view name) noexcept {
  return name.empty() || name == "0";
}

}  // namespace

std::string_view route_name_of(const Expression& argument) noexcept {
  switch (argument.kind) {
    case ExpressionKind::word:
    case ExpressionKind::string:
      return argument.text;
    case ExpressionKind::integer:
      return argument.raw.empty() ? argument.text : argument.raw;
    default:
      return {};
  }
}

RouteTable::RouteTable(const Ast& ast, conf::Diagnostics& diagnostics)
    : x_ast(ast), x_diagnostics(diagnostics) {
  for (const RouteBlock& block : ast.routes) add(block);
}

void RouteTable::add(const RouteBlock& block) {
  const BlockKind kind =
      block.kind == BlockKind::route && is_request_name(block.name) ? BlockKind::request : block.kind;
  const std::string_view name = kind == BlockKind::request ? std::string_view() : block.name;
  const auto found = x_index.find({kind, name});
  if (found == x_index.end()) {
    if (x_routes.size() >= kNoBlock) {
      x_diagnostics.error("E0319", block.range, "too many route blocks");
      return;
    }
    x_index[{kind, name}] = static_cast<std::uint16_t>(x_routes.size());
    x_routes.emplace_back().parts.push_back(&block);
    return;
  }
  RouteInfo& info = x_routes[found->second];
  if (x_ast.dialect.dialect == Dialect::kamailio) {
    x_diagnostics.error("E0310", block.name.empty() ? block.range : block.name_range,
                        name.empty() ? fmt::format("a second `{}`", block.keyword)
                                     : fmt::format("a second `{}[{}]`", block.keyword, name),
                        fmt::format("the first one stands in line {}", info.parts.front()->range.line));
    return;
  }
  info.parts.push_back(&block);
}

std::uint16_t RouteTable::find(BlockKind kind, std::string_view name) const noexcept {
  if (kind == BlockKind::route && is_request_name(name)) {
    kind = BlockKind::request;
    name = {};
  }
  const auto found = x_index.find({kind, name});
  return found == x_index.end() ? kNoBlock : found->second;
}

std::uint16_t RouteTable::find(proxy::RouteKinds kinds, std::string_view name) const noexcept {
  for (const auto& [key, block] : x_index) {
    if ((route_kind(key.first) & kinds) != 0 && key.second == name) return block;
  }
  return kNoBlock;
}

std::vector<std::string_view> RouteTable::names(BlockKind kind) const {
  std::vector<std::string_view> list;
  for (const auto& [key, block] : x_index) {
    if (key.first == kind && !key.second.empty()) list.push_back(key.second);
  }
  return list;
}

void RouteTable::note_call(std::uint16_t block, const Expression& call) {
  if (call.text != "route" || call.arguments.size() != 1 || call.arguments[0] == nullptr) return;
  const Expression& argument = *call.arguments[0];
  std::string number;
  std::string_view name = route_name_of(argument);
  if (argument.kind == ExpressionKind::integer) {
    number = std::to_string(argument.number);
    name = number;
  }
  if (name.empty()) return;
  const std::uint16_t callee = find(BlockKind::route, name);
  if (callee == kNoBlock) {
    const auto known = names(BlockKind::route);
    // Kamailio refuses to start; in SER the call finds an empty list.
    if (x_ast.dialect.dialect == Dialect::kamailio) {
      x_diagnostics.error("E0309", argument.range, fmt::format("there is no `route[{}]`", name),
                          conf::did_you_mean(name, known));
    } else {
      x_diagnostics.warning("W0309", argument.range,
                            fmt::format("there is no `route[{}]`; the call does nothing", name),
                            conf::did_you_mean(name, known));
    }
    return;
  }
  x_routes[callee].used = true;
  auto& calls = x_routes[block].calls;
  if (std::find(calls.begin(), calls.end(), callee) == calls.end()) calls.push_back(callee);
}

void RouteTable::walk(std::uint16_t block, const Expression* expression) {
  if (expression == nullptr) return;
  if (expression->kind == ExpressionKind::call) note_call(block, *expression);
  walk(block, expression->left);
  walk(block, expression->right);
  walk(block, expression->body);
  for (const Expression* argument : expression->arguments) walk(block, argument);
}

void RouteTable::walk(std::uint16_t block, const Statement* statement) {
  if (statement == nullptr) return;
  walk(block, statement->condition);
  walk(block, statement->value);
  walk(block, statement->body);
  walk(block, statement->otherwise);
  for (const Statement* inner : statement->statements) walk(block, inner);
  for (const Case& one : statement->cases) {
    for (const Statement* inner : one.statements) walk(block, inner);
  }
}

void RouteTable::build_call_graph() {
  for (std::size_t block = 0; block < x_routes.size(); ++block) {
    for (const RouteBlock* part : x_routes[block].parts) walk(static_cast<std::uint16_t>(block), part->body);
  }
  spread_kinds();
  report_recursion();
}

void RouteTable::spread_kinds() {
  std::vector<std::uint16_t> queue;
  for (const auto& [key, block] : x_index) {
    const proxy::RouteKinds kind =
        key.first == BlockKind::route ? proxy::RouteKinds{0} : route_kind(key.first);
    x_routes[block].reached = kind;
    if (kind != 0) queue.push_back(block);
  }
  while (!queue.empty()) {
    const std::uint16_t block = queue.back();
    queue.pop_back();
    for (const std::uint16_t callee : x_routes[block].calls) {
      const auto reached = static_cast<proxy::RouteKinds>(x_routes[callee].reached | x_routes[block].reached);
      if (reached == x_routes[callee].reached) continue;
      x_routes[callee].reached = reached;
      queue.push_back(callee);
    }
  }
}

void RouteTable::report_recursion() {
  for (std::size_t block = 0; block < x_routes.size(); ++block) {
    // A block that can come back to itself.
    std::vector<bool> seen(x_routes.size(), false);
    std::vector<std::uint16_t> queue = x_routes[block].calls;
    bool comes_back = false;
    while (!queue.empty() && !comes_back) {
      const std::uint16_t next = queue.back();
      queue.pop_back();
      if (next == block) comes_back = true;
      if (seen[next]) continue;
      seen[next] = true;
      queue.insert(queue.end(), x_routes[next].calls.begin(), x_routes[next].calls.end());
    }
    if (!comes_back) continue;
    const RouteBlock& first = first_part(block);
    x_diagnostics.warning("W0311", first.name.empty() ? first.range : first.name_range,
                          fmt::format("`{}{}` can call itself", first.keyword,
                                      first.name.empty() ? std::string() : fmt::format("[{}]", first.name)),
                          "the depth of calls is limited when it runs");
  }
}

void RouteTable::report_unused() {
  for (const auto& [key, block] : x_index) {
    if (key.first != BlockKind::route || x_routes[block].used) continue;
    const RouteBlock& first = first_part(block);
    x_diagnostics.warning("W0312", first.name_range, fmt::format("`route[{}]` is never called", first.name));
  }
}

}  // namespace ser::script
