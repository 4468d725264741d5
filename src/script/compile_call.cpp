// SPDX-License-Identifier: Apache-2.0
// The compiler: calls of route blocks and of functions.
#include <fmt/format.h>

#include <algorithm>

#include "conf/module_catalogue.h"
#include "script/compiler.h"
#include "script/core_module.h"

namespace ser::script {

namespace {

std::string arity_text(const mod::ModuleSpec& spec, std::string_view name) {
  std::string text;
  for (const mod::FunctionSpec& function : spec.functions) {
    if (function.name != name) continue;
    if (!text.empty()) text += " or ";
    const std::size_t least = function.min_args();
    text += least == function.args.size() ? std::to_string(least)
                                          : fmt::format("{} to {}", least, function.args.size());
  }
  return text + (text == "1" ? " argument" : " arguments");
}

bool has_function(const mod::ModuleSpec& spec, std::string_view name) noexcept {
  return std::any_of(spec.functions.begin(), spec.functions.end(),
                     [name](const mod::FunctionSpec& function) { return function.name == name; });
}

}  // namespace

Compiler::FoundFunction Compiler::find_function(std::string_view name, std::size_t arity) const {
  std::uint16_t loaded = 0;
  for (const mod::Loaded& module : x_registry.loaded()) {
    for (const mod::FunctionSpec& function : module.spec->functions) {
      if (function.name == name && function.min_args() <= arity && arity <= function.args.size()) {
        return {&function, loaded};
      }
    }
    ++loaded;
  }
  return {};
}

void Compiler::report_unknown_function(const Expression& expression) {
  const std::string_view name = expression.text;
  SourceRange where = expression.range;
  where.length = static_cast<std::uint32_t>(name.size());
  std::vector<std::string_view> known = {"route"};
  for (const mod::Loaded& module : x_registry.loaded()) {
    if (has_function(*module.spec, name)) {
      x_diagnostics.error("E0302", where,
                          fmt::format("`{}` takes {}, not {}", name, arity_text(*module.spec, name),
                                      expression.arguments.size()));
      return;
    }
    for (const mod::FunctionSpec& function : module.spec->functions) known.push_back(function.name);
  }
  for (const mod::ModuleSpec& spec : x_registry.builtin()) {
    if (!has_function(spec, name)) continue;
    x_diagnostics.error("E0304", where,
                        fmt::format("`{}` belongs to module \"{}\", which is not loaded", name, spec.name),
                        fmt::format("add `loadmodule \"{}.so\"`", spec.name));
    return;
  }
  if (x_modules.unbuilt_has_function(name)) return;  // said where the module is loaded
  if (is_known_command(name)) {
    x_diagnostics.error("E0305", where, fmt::format("`{}` of Kamailio's core is not built yet", name));
    return;
  }
  if (const conf::ModuleFacts* owner = conf::find_module_of_function(name); owner != nullptr) {
    if (x_registry.find_builtin(owner->name) != nullptr) {
      x_diagnostics.error("E0305", where,
                          fmt::format("`{}` of module \"{}\" is not built yet", name, owner->name));
      return;
    }
    x_diagnostics.error("E0304", where,
                        fmt::format("`{}` belongs to module \"{}\", which is not loaded", name, owner->name),
                        fmt::format("add `loadmodule \"{}.so\"`", owner->name));
    return;
  }
  // Of modules that are not loaded, too: what is loaded comes first when both are as near.
  for (const mod::ModuleSpec& spec : x_registry.builtin()) {
    for (const mod::FunctionSpec& function : spec.functions) known.push_back(function.name);
  }
  x_diagnostics.error("E0301", where, fmt::format("unknown function `{}`", name),
                      conf::did_you_mean(name, known));
}

std::uint16_t Compiler::native(const FoundFunction& found) {
  const auto next = static_cast<std::uint16_t>(x_program->natives.size());
  const auto [at, is_new] = x_natives.try_emplace({found.loaded, found.function}, next);
  if (is_new) {
    const mod::Loaded& module = x_registry.loaded()[found.loaded];
    Native& made = x_program->natives.emplace_back();
    made.call = found.function->call;
    made.loaded = found.loaded;
    made.name = found.function->name;
    made.module = module.spec->name;
    made.sets_return_code = module.spec->name != "core";
  }
  return at->second;
}

// Something unknown still answers something, so that the rest can be compiled and checked.
void Compiler::unknown_answer(CallMode mode, Label target, const SourceRange& range) {
  switch (mode) {
    case CallMode::statement:
      emit(Op::set_result, range).c = integer(1);
      break;
    case CallMode::jump_false:
      break;
    case CallMode::jump_true:
      emit_jump(Op::jump, target, range);
      break;
    case CallMode::push_truth:
    case CallMode::push_code:
      push(proxy::Value::of(std::int64_t{1}), range);
      break;
  }
}

void Compiler::route_call(const Expression& expression, CallMode mode, Label target) {
  if (expression.arguments.size() != 1) {
    x_diagnostics.error("E0302", expression.range,
                        fmt::format("`route` takes 1 argument, not {}", expression.arguments.size()));
    return unknown_answer(mode, target, expression.range);
  }
  const Expression& argument = *expression.arguments[0];
  const std::string number =
      argument.kind == ExpressionKind::integer ? std::to_string(argument.number) : std::string();
  const std::string_view name = number.empty() ? route_name_of(argument) : std::string_view(number);
  if (name.empty()) {
    if (argument.kind != ExpressionKind::invalid) {
      x_diagnostics.error("E0303", argument.range, "`route` needs the name or number of a route block",
                          "names computed at run time are not built yet");
    }
    return unknown_answer(mode, target, expression.range);
  }
  const std::uint16_t block = x_routes.find(BlockKind::route, name);
  if (block == kNoBlock)
    return unknown_answer(mode, target, expression.range);  // reported with the call graph
  const bool jumps = mode == CallMode::jump_false || mode == CallMode::jump_true;
  Instruction& made =
      jumps ? emit_jump(Op::route, target, expression.range) : emit(Op::route, expression.range);
  made.a = static_cast<std::uint8_t>(mode);
  made.c = block;
  if (mode == CallMode::push_truth || mode == CallMode::push_code) pushed();
}

void Compiler::call(const Expression& expression, CallMode mode, Label target) {
  if (expression.text == "route") return route_call(expression, mode, target);
  const FoundFunction found = find_function(expression.text, expression.arguments.size());
  if (found.function == nullptr) {
    report_unknown_function(expression);
    return unknown_answer(mode, target, expression.range);
  }
  CallSite site;
  site.ready.resize(mod::kMaxArgs);
  site.sources.resize(expression.arguments.size());
  bool good = true;
  for (std::size_t i = 0; i < expression.arguments.size(); ++i) {
    const Expression* one = expression.arguments[i];
    if (one == nullptr || one->kind == ExpressionKind::invalid) {
      good = false;
      continue;
    }
    good = argument(found.function->args[i], *one, found.function->name, site, i) && good;
  }
  popped(site.stack_values);
  if (!good) return unknown_answer(mode, target, expression.range);
  if (x_registry.loaded()[found.loaded].spec->name == "core" && is_unbuilt_command(found.function->name)) {
    x_diagnostics.warning("W0390", expression.range,
                          fmt::format("`{}` is not built yet; the call does nothing", found.function->name));
  }
  call_site(found, std::move(site), expression.range, mode, target);
}

void Compiler::call_site(const FoundFunction& found, CallSite site, const SourceRange& range, CallMode mode,
                         Label target) {
  site.native = native(found);
  site.ready.resize(mod::kMaxArgs);
  x_calls.push_back({found.function, range, x_block});
  x_program->sites.push_back(std::move(site));
  const bool jumps = mode == CallMode::jump_false || mode == CallMode::jump_true;
  Instruction& made = jumps ? emit_jump(Op::call, target, range) : emit(Op::call, range);
  made.a = static_cast<std::uint8_t>(mode);
  made.b = x_program->natives[x_program->sites.back().native].sets_return_code ? 1 : 0;
  made.c = static_cast<std::uint32_t>(x_program->sites.size() - 1);
  if (mode == CallMode::push_truth || mode == CallMode::push_code) pushed();
}

}  // namespace ser::script
