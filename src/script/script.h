// SPDX-License-Identifier: Apache-2.0
// The front door: a configuration file becomes checked settings, loaded modules and a program, or a list of
// diagnostics.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"
#include "conf/source_map.h"
#include "mod/registry.h"
#include "script/ast.h"
#include "script/parser.h"
#include "script/program.h"

namespace ser::script {

/// What the command line decides.
struct CompileOptions {
  std::string path;                           ///< the file; with `text` set only its name
  std::optional<std::string> text;            ///< the configuration itself
  ParseOptions parse;                         ///< -A, --dialect, environment
  std::vector<std::string> extra_modules;     ///< --loadmodule, before those of the file
  std::vector<std::string> extra_parameters;  ///< --modparam "module:name:s|i:value", after those of the file
  std::vector<std::string> module_paths;  ///< where shared objects are looked for, before mpath and loadpath
};

/// A configuration that was read. `program` is null when there were errors.
struct Configuration {
  Dialect dialect = Dialect::kamailio;
  std::string dialect_reason;
  /// Owns all texts below: settings, custom variables (`group.id = value`) and the tree.
  std::unique_ptr<Ast> ast;
  std::unique_ptr<const Program> program;

  /// The core settings in file order, with positions, names as in conf/core_parameter.h; checked.
  const std::vector<Setting>& settings() const noexcept { return ast->settings; }
  /// The last setting of that name (any alias of it is read as it), nullptr when the file has none.
  const Setting* find(std::string_view name) const noexcept;
  /// The number (yes = 1) of the last setting of that name.
  std::optional<std::int64_t> number(std::string_view name) const noexcept;
  /// The text of the last setting of that name.
  std::optional<std::string_view> text(std::string_view name) const noexcept;
};

/// Reads, loads and checks everything. Modules are loaded into `registry`, their parameters are stored in
/// their configs; the module objects are made by the caller (Registry::create_all) when there are no errors.
/// All findings go to `diagnostics`, all texts to `sources`; both may be printed whatever the result. Set
/// Diagnostics::set_strict before. Never throws on bad input.
Configuration compile(const CompileOptions& options, SourceReader& reader, mod::Registry& registry,
                      conf::SourceMap& sources, conf::Diagnostics& diagnostics);

/// The core's own functions (forward, setflag, append_branch …) as a module; a Registry gets it first.
mod::ModuleSpec describe_core();

}  // namespace ser::script
