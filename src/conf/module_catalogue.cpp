// SPDX-License-Identifier: Apache-2.0
// Look-ups in the catalogue of the family's modules. Used at load only, so plain scans do.
#include "conf/module_catalogue.h"

#include <array>

#include "base/text.h"

namespace ser::conf {
namespace {

std::array<std::span<const ModuleFacts>, 4> tables() noexcept {
  return {detail::modules_a_to_c(), detail::modules_d_to_m(), detail::modules_n_to_r(),
          detail::modules_s_to_z()};
}

FunctionFacts read_function(std::string_view text) noexcept {
  FunctionFacts facts;
  facts.name = split_off(text, '/');
  std::string_view arity = split_off(text, '@');
  facts.routes = text;
  const std::string_view min = split_off(arity, '-');
  facts.min_arguments = static_cast<std::uint8_t>(parse_u32(min).value_or(0));
  facts.max_arguments =
      arity.empty() ? facts.min_arguments : static_cast<std::uint8_t>(parse_u32(arity).value_or(0));
  return facts;
}

}  // namespace

const ModuleFacts* find_module_facts(std::string_view module) noexcept {
  for (const auto table : tables()) {
    for (const ModuleFacts& one : table) {
      if (one.name == module) return &one;
    }
  }
  return nullptr;
}

std::optional<FunctionFacts> find_function_facts(const ModuleFacts& module,
                                                 std::string_view function) noexcept {
  for (std::string_view rest = module.functions; !rest.empty();) {
    const FunctionFacts facts = read_function(split_off(rest, ' '));
    if (facts.name == function) return facts;
  }
  return std::nullopt;
}

const ModuleFacts* find_module_of_function(std::string_view function) noexcept {
  for (const auto table : tables()) {
    for (const ModuleFacts& one : table) {
      if (find_function_facts(one, function)) return &one;
    }
  }
  return nullptr;
}

bool has_parameter(const ModuleFacts& module, std::string_view parameter) noexcept {
  for (std::string_view rest = module.parameters; !rest.empty();) {
    if (split_off(rest, ' ') == parameter) return true;
  }
  return false;
}

std::vector<std::string_view> module_names() {
  std::vector<std::string_view> names;
  for (const auto table : tables()) {
    for (const ModuleFacts& one : table) names.push_back(one.name);
  }
  return names;
}

std::vector<std::string_view> function_names(const ModuleFacts& module) {
  std::vector<std::string_view> names;
  for (std::string_view rest = module.functions; !rest.empty();) {
    names.push_back(read_function(split_off(rest, ' ')).name);
  }
  return names;
}

std::vector<std::string_view> parameter_names(const ModuleFacts& module) {
  std::vector<std::string_view> names;
  for (std::string_view rest = module.parameters; !rest.empty();) names.push_back(split_off(rest, ' '));
  return names;
}

}  // namespace ser::conf
