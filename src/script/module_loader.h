// SPDX-License-Identifier: Apache-2.0
// loadmodule and modparam: loads modules into the registry and stores parameters in their configs.
#pragma once
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"
#include "mod/registry.h"
#include "script/ast.h"

namespace ser::script {

class ModuleLoader {
 public:
  ModuleLoader(mod::Registry& registry, conf::Diagnostics& diagnostics)
      : x_registry(registry), x_diagnostics(diagnostics) {}

  /// The core, the extra modules of the command line, then those of the file in its order.
  void load_all(const Ast& ast, std::span<const std::string> extra, std::span<const std::string> paths);
  /// All modparam lines, then "module:name:s|i:value" of the command line.
  void store_parameters(const Ast& ast, std::span<const std::string> extra);

  /// A module of the family that the script loads and that is not built: what belongs to it is not checked.
  bool is_unbuilt(std::string_view name) const noexcept { return x_unbuilt.count(name) != 0; }
  /// One of them has a function of that name.
  bool unbuilt_has_function(std::string_view function) const noexcept;
  bool any_unbuilt() const noexcept { return !x_unbuilt.empty(); }

 private:
  void load(std::string_view written, const SourceRange& range, std::span<const std::string> paths,
            Dialect dialect);
  void store(const ModuleParameter& parameter);
  void store(mod::Loaded& loaded, std::string_view name, const mod::ParamValue& value,
             const SourceRange& name_range, const SourceRange& value_range);
  std::vector<mod::Loaded*> matching(const ModuleParameter& parameter, bool& all_unbuilt);

  mod::Registry& x_registry;
  conf::Diagnostics& x_diagnostics;
  std::set<std::string, std::less<>> x_unbuilt;
  std::vector<std::pair<std::string, std::uint32_t>> x_order;  ///< module and its place in the file
};

}  // namespace ser::script
