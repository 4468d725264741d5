// SPDX-License-Identifier: Apache-2.0
// Registry: the module specs that are linked in, and the modules a configuration loaded.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mod/spec.h"

namespace ser::mod {

/// A loaded module: spec, config filled by modparam, object made after the check.
struct Loaded {
  const ModuleSpec* spec = nullptr;
  std::shared_ptr<void> config;
  std::unique_ptr<Module> module;  ///< null until create_all()
  std::string written_name;        ///< as in loadmodule, without folder and ".so"
};

/// Which module a name means: "tm.so", "/usr/lib/ser/modules/tm.so", "tm", and the other_names of built-in
/// modules.
std::string_view module_base_name(std::string_view written) noexcept;

class Registry {
 public:
  /// `builtin`: describe() functions of everything linked in. The core's own functions are a module named
  /// "core" that is always loaded first.
  explicit Registry(std::span<ModuleSpec (*const)()> builtin);
  ~Registry();
  const ModuleSpec* find_builtin(std::string_view base_name) const noexcept;
  std::span<const ModuleSpec> builtin() const noexcept { return x_builtin; }

  enum class Load : std::uint8_t { loaded, already, unknown, bad_file };
  /// Loads a built-in by name or a shared object by path (searched in `paths` when it has no '/'). `error`
  /// explains bad_file.
  Load load(std::string_view written, std::span<const std::string> paths, std::string& error);
  std::span<Loaded> loaded() noexcept { return x_loaded; }
  Loaded* find_loaded(std::string_view base_name) noexcept;

  /// Makes the module objects from their configs, in load order, and gives them their index.
  void create_all();

 private:
  struct SharedObject;
  std::vector<ModuleSpec> x_builtin;
  std::vector<std::unique_ptr<SharedObject>> x_objects;
  std::vector<Loaded> x_loaded;
};

/// The reference page of a module as Markdown (`ser --doc MODULE`, docs/reference).
std::string reference_page(const ModuleSpec& spec);

}  // namespace ser::mod
