// SPDX-License-Identifier: Apache-2.0
// The reference page of a module, made from its spec.
#include <fmt/format.h>

#include "mod/registry.h"

namespace ser::mod {

namespace {

std::string_view arg_text(ArgKind kind) {
  switch (kind) {
    case ArgKind::text:
      return "text";
    case ArgKind::integer:
      return "number";
    case ArgKind::literal:
      return "constant text";
    case ArgKind::compiled:
      return "constant, checked at load";
    case ArgKind::variable:
      return "variable";
    case ArgKind::route:
      return "route name";
  }
  return "text";
}

std::string kinds_text(proxy::RouteKinds kinds) {
  constexpr std::pair<proxy::RouteKind, std::string_view> kNames[] = {
      {proxy::RouteKind::request, "request"}, {proxy::RouteKind::reply, "reply"},
      {proxy::RouteKind::onreply, "onreply"}, {proxy::RouteKind::failure, "failure"},
      {proxy::RouteKind::branch, "branch"},   {proxy::RouteKind::onsend, "onsend"},
      {proxy::RouteKind::event, "event"}};
  if ((kinds & proxy::kAnyRoute) == proxy::kAnyRoute) return "any block";
  std::string text;
  for (const auto& [kind, name] : kNames) {
    if ((kinds & proxy::kinds(kind)) != 0) text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
  }
  return text + " blocks";
}

std::string signature(const FunctionSpec& function) {
  std::string text = function.name + "(";
  std::string closing;
  for (std::size_t i = 0; i < function.args.size(); ++i) {
    if (function.args[i].optional) {
      text += "[";
      closing += "]";
    }
    text += fmt::format("{}{}", i == 0 ? "" : ", ", function.args[i].name);
  }
  return text + closing + ")";
}

void add_params(const ModuleSpec& spec, std::string& page) {
  if (spec.params.empty()) return;
  page += "\n## Parameters\n\n| parameter | type | default | range | meaning |\n|---|---|---|---|---|\n";
  for (const ParamSpec& param : spec.params) {
    const std::string_view type = param.type == ParamType::boolean ? "yes/no"
                                  : param.type == ParamType::text  ? "text"
                                                                   : "number";
    std::string range;
    if (param.min != INT64_MIN || param.max != INT64_MAX) {
      range = param.max == INT64_MAX ? fmt::format("from {}", param.min)
                                     : fmt::format("{} to {}", param.min, param.max);
    }
    page += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", param.name, type, param.default_text, range,
                        param.help);
  }
}

void add_functions(const ModuleSpec& spec, std::string& page) {
  if (spec.functions.empty()) return;
  page += "\n## Functions\n";
  for (const FunctionSpec& function : spec.functions) {
    page += fmt::format("\n### `{}`\n\n{}\n\nAllowed in {}.", signature(function), function.help,
                        kinds_text(function.allowed));
    if (!function.returns.empty()) page += fmt::format(" Returns {}.", function.returns);
    page += "\n";
    if (!function.args.empty()) page += "\n";
    for (const ArgSpec& arg : function.args) {
      page += fmt::format("- `{}`: {}{}\n", arg.name, arg_text(arg.kind), arg.optional ? ", optional" : "");
    }
  }
}

}  // namespace

std::string reference_page(const ModuleSpec& spec) {
  std::string page = fmt::format("# Module {}\n\n{}\n", spec.name, spec.summary);
  if (!spec.other_names.empty()) {
    page += "\nAlso loaded by the names";
    for (std::size_t i = 0; i < spec.other_names.size(); ++i)
      page += fmt::format("{} `{}`", i == 0 ? "" : ",", spec.other_names[i]);
    page += ".\n";
  }
  page += fmt::format("\nStability: {}.", spec.stability == Stability::stable ? "stable" : "beta");
  if (!spec.hardening.empty()) page += fmt::format(" Untrusted peers: {}", spec.hardening);
  page += "\n";
  add_params(spec, page);
  add_functions(spec, page);
  if (!spec.variables.empty()) {
    page += "\n## Variables\n\n| variable | meaning | assignable |\n|---|---|---|\n";
    for (const VariableSpec& variable : spec.variables) {
      const std::string_view inner = variable.inner == VariableSpec::Inner::none       ? ""
                                     : variable.inner == VariableSpec::Inner::required ? "(name)"
                                                                                       : "[(name)]";
      page += fmt::format("| `${}{}` | {} | {} |\n", variable.name, inner, variable.help,
                          variable.set != nullptr ? "yes" : "no");
    }
  }
  if (!spec.counters.empty()) {
    page += "\n## Statistics\n\n| statistic | meaning |\n|---|---|\n";
    for (const CounterSpec& counter : spec.counters)
      page += fmt::format("| `{}.{}` | {} |\n", spec.name, counter.name, counter.help);
  }
  return page;
}

}  // namespace ser::mod
