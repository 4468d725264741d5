// SPDX-License-Identifier: Apache-2.0
// The route blocks of a script: names, who calls whom, and from what kinds of runs a block can be reached.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/diagnostic.h"
#include "script/ast.h"
#include "script/program.h"

namespace ser::script {

/// One block with all its parts (SER appends blocks of one number).
struct RouteInfo {
  std::vector<const RouteBlock*> parts;
  std::vector<std::uint16_t> calls;  ///< blocks it runs by route(X)
  proxy::RouteKinds reached = 0;
  bool used = false;  ///< called, or armed by a function
};

class RouteTable {
 public:
  RouteTable(const Ast& ast, conf::Diagnostics& diagnostics);
  std::size_t size() const noexcept { return x_routes.size(); }
  RouteInfo& at(std::size_t block) noexcept { return x_routes[block]; }
  const RouteBlock& first_part(std::size_t block) const noexcept { return *x_routes[block].parts.front(); }

  /// The block `route(X)` or a function's argument names; kNoBlock: there is none.
  std::uint16_t find(BlockKind kind, std::string_view name) const noexcept;
  /// The block of any of the kinds a function may arm; kNoBlock: none.
  std::uint16_t find(proxy::RouteKinds kinds, std::string_view name) const noexcept;
  /// Names of all blocks of a kind, for hints.
  std::vector<std::string_view> names(BlockKind kind) const;

  /// Fills RouteInfo::calls and reached from the tree; reports undefined blocks and recursion.
  void build_call_graph();
  /// Reports blocks nobody calls; after all calls were compiled.
  void report_unused();

 private:
  void add(const RouteBlock& block);
  void walk(std::uint16_t block, const Statement* statement);
  void walk(std::uint16_t block, const Expression* expression);
  void note_call(std::uint16_t block, const Expression& call);
  void spread_kinds();
  void report_recursion();

  const Ast& x_ast;
  conf::Diagnostics& x_diagnostics;
  std::vector<RouteInfo> x_routes;
  std::map<std::pair<BlockKind, std::string_view>, std::uint16_t> x_index;
};

/// The name of a block as an argument writes it: a word, a text or a number; empty when it is none of them.
std::string_view route_name_of(const Expression& argument) noexcept;

}  // namespace ser::script
