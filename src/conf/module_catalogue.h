// SPDX-License-Identifier: Apache-2.0
// What the family's modules are called, with their functions and parameters: so that a script that uses a
// module which is not built here is told that once, and not that all its functions are unknown. Facts only;
// built modules describe themselves.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ser::conf {

/// A module of SER 0.8 or Kamailio 5.6. Static storage.
struct ModuleFacts {
  std::string_view name;
  std::string_view
      functions;  ///< "save/1-3@fr lookup/1-2": name, number of arguments, route blocks; blank-separated
  std::string_view parameters;  ///< names, blank-separated
};

struct FunctionFacts {
  std::string_view name;
  std::uint8_t min_arguments = 0;
  std::uint8_t max_arguments = 0;
  /// Where the documentation allows it: r request, f failure, o onreply, b branch, s onsend, e event; empty:
  /// everywhere, or not documented.
  std::string_view routes;
};

/// Null when no module of the family has that name.
const ModuleFacts* find_module_facts(std::string_view module) noexcept;
/// The module that has the function; the first by name when several do. Null: none.
const ModuleFacts* find_module_of_function(std::string_view function) noexcept;
/// nullopt when the module has no such function.
std::optional<FunctionFacts> find_function_facts(const ModuleFacts& module,
                                                 std::string_view function) noexcept;
bool has_parameter(const ModuleFacts& module, std::string_view parameter) noexcept;

/// Candidates for hints. Static storage behind the views.
std::vector<std::string_view> module_names();
std::vector<std::string_view> function_names(const ModuleFacts& module);
std::vector<std::string_view> parameter_names(const ModuleFacts& module);

namespace detail {
std::span<const ModuleFacts> modules_a_to_c() noexcept;
std::span<const ModuleFacts> modules_d_to_m() noexcept;
std::span<const ModuleFacts> modules_n_to_r() noexcept;
std::span<const ModuleFacts> modules_s_to_z() noexcept;
}  // namespace detail

}  // namespace ser::conf
