// SPDX-License-Identifier: Apache-2.0
// The compiler: blocks, constants, labels.
#include "script/compiler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ser::script {

namespace {

SourcePlace place_of(const SourceRange& range) noexcept {
  return {range.line, static_cast<std::uint16_t>(range.file)};
}

}  // namespace

Instruction& Compiler::emit(Op op, const SourceRange& range) {
  Instruction& made = x_program->code.emplace_back();
  made.op = op;
  x_program->places.push_back(place_of(range));
  return made;
}

Instruction& Compiler::emit_jump(Op op, Label target, const SourceRange& range) {
  x_fixups.push_back({static_cast<std::uint32_t>(x_program->code.size()), target});
  return emit(op, range);
}

Compiler::Label Compiler::new_label() {
  x_labels.push_back(UINT32_MAX);
  return static_cast<Label>(x_labels.size() - 1);
}

void Compiler::bind(Label label) {
  x_labels[label] = static_cast<std::uint32_t>(x_program->code.size());
}

void Compiler::patch() {
  for (const Fixup& fixup : x_fixups) x_program->code[fixup.instruction].target = x_labels[fixup.label];
  x_fixups.clear();
  x_labels.clear();
}

void Compiler::pushed(unsigned count) {
  x_depth += count;
  x_max_depth = std::max(x_max_depth, x_depth);
}

void Compiler::popped(unsigned count) {
  x_depth -= std::min(count, x_depth);
}

std::uint32_t Compiler::integer(std::int64_t value) {
  const auto [at, is_new] =
      x_integers.try_emplace(value, static_cast<std::uint32_t>(x_program->integers.size()));
  if (is_new) x_program->integers.push_back(value);
  return at->second;
}

std::uint32_t Compiler::text(std::string_view value) {
  const auto found = x_texts.find(value);
  if (found != x_texts.end()) return found->second;
  const auto index = static_cast<std::uint32_t>(x_program->texts.size());
  x_program->texts.emplace_back(value);
  x_texts.emplace(value, index);
  return index;
}

std::uint32_t Compiler::add_regex(std::string_view pattern, const Expression& where) {
  mod::Regex::Options options;
  options.multi_line = false;
  std::string error;
  auto regex = mod::Regex::compile(pattern, options, error);
  if (regex == nullptr) {
    SourceRange range = where.range;
    // "… at offset N": the column is known when the text was written without escapes and joins.
    const std::size_t at = error.rfind("at offset ");
    if (at != std::string::npos && where.raw.size() == pattern.size() + 2) {
      const auto offset = parse_u32(std::string_view(error).substr(at + 10), 65535);
      if (offset) {
        range.column += 1 + std::min<std::uint32_t>(*offset, static_cast<std::uint32_t>(pattern.size()));
        range.length = 1;
      }
    }
    x_diagnostics.error("E0306", range, fmt::format("bad regular expression: {}", error));
  }
  x_program->regexes.push_back(std::move(regex));
  return static_cast<std::uint32_t>(x_program->regexes.size() - 1);
}

std::uint32_t Compiler::add_network(const IpAddress& address, unsigned bits) {
  x_program->networks.push_back({address, static_cast<std::uint8_t>(bits)});
  return static_cast<std::uint32_t>(x_program->networks.size() - 1);
}

/// In SER 0.8.8 tm itself forwards to what a `reply_route[n]` has appended, however that ended.
Compiler::FoundFunction Compiler::closing_function(const RouteBlock& block) const {
  if (!x_ser || block.kind != BlockKind::failure || block.keyword != "reply_route") return {};
  return find_function("t_relay_appended", 0);
}

void Compiler::compile_block(std::uint16_t index) {
  RouteInfo& info = x_routes.at(index);
  Block& block = x_program->blocks[index];
  x_block = index;
  x_depth = x_max_depth = 0;
  block.begin = static_cast<std::uint32_t>(x_program->code.size());
  const FoundFunction closing = closing_function(*info.parts.front());
  const Label end = new_label();
  if (closing.function != nullptr) x_breaks.push_back({end});
  for (const RouteBlock* part : info.parts) list(part->body->statements, part == info.parts.back());
  if (closing.function != nullptr) {
    x_breaks.pop_back();
    bind(end);
    call_site(closing, {}, info.parts.back()->body->end, CallMode::statement, 0);
  }
  emit(Op::end, info.parts.back()->body->end);
  patch();
  block.end = static_cast<std::uint32_t>(x_program->code.size());
  block.max_stack = static_cast<std::uint16_t>(std::min(x_max_depth, 0xFFFFU));
}

void Compiler::check_allowed() {
  for (const PlacedCall& call : x_calls) {
    const proxy::RouteKinds reached = x_routes.at(call.block).reached;
    const auto refused = static_cast<proxy::RouteKinds>(reached & ~call.function->allowed);
    if (refused == 0) continue;
    std::string where;
    for (const BlockKind kind : {BlockKind::request, BlockKind::reply, BlockKind::onreply, BlockKind::failure,
                                 BlockKind::branch, BlockKind::onsend, BlockKind::event}) {
      if ((route_kind(kind) & refused) == 0) continue;
      if (!where.empty()) where += ", ";
      where += keyword_of(kind);
    }
    const RouteBlock& block = x_routes.first_part(call.block);
    const std::string hint = block.kind == BlockKind::route
                                 ? fmt::format("`route[{}]` is reached from there", block.name)
                                 : std::string();
    if ((reached & call.function->allowed) == 0) {
      x_diagnostics.error("E0308", call.range,
                          fmt::format("`{}` is not allowed in {}", call.function->name, where), hint);
    } else {
      // It works in some of the runs that come here; the script may look before it calls.
      x_diagnostics.warning("W0308", call.range,
                            fmt::format("`{}` does not work in {}", call.function->name, where), hint);
    }
  }
}

std::unique_ptr<Program> Compiler::compile() {
  Program& program = *x_program;
  program.dialect = x_ast.dialect.dialect;
  x_routes.build_call_graph();
  program.blocks.resize(x_routes.size());
  for (std::size_t i = 0; i < x_routes.size(); ++i) {
    const RouteBlock& first = x_routes.first_part(i);
    Block& block = program.blocks[i];
    const auto index = static_cast<std::uint16_t>(i);
    const bool request = x_routes.find(BlockKind::request, {}) == index;
    block.kind = request ? BlockKind::request : first.kind;
    block.name = request ? std::string_view() : first.name;
    block.reached = x_routes.at(i).reached;
    block.place = place_of(first.range);
    if (request) program.request = index;
    if (block.kind == BlockKind::reply) program.reply = index;
    if (block.kind == BlockKind::onsend) program.onsend = index;
  }
  for (std::size_t i = 0; i < x_routes.size(); ++i) compile_block(static_cast<std::uint16_t>(i));
  check_allowed();
  x_routes.report_unused();
  std::uint16_t loaded = 0;
  for (const mod::Loaded& module : x_registry.loaded()) {
    if (module.spec->has(mod::Hook::on_break)) program.on_break.push_back(loaded);
    ++loaded;
  }
  return std::move(x_program);
}

}  // namespace ser::script
