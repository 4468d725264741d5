// SPDX-License-Identifier: Apache-2.0
#include "mod/registry.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>

namespace ser::mod {

/// A dlopen()ed module and its spec. Never closed: its code must outlive every module object and program.
struct Registry::SharedObject {
  std::string path;
  ModuleSpec spec;
};

namespace {

std::string with_suffix(std::string_view written) {
  return written.ends_with(".so") ? std::string(written) : std::string(written) + ".so";
}

std::string locate(std::string_view written, std::span<const std::string> paths) {
  const std::string file = with_suffix(written);
  if (written.find('/') != std::string_view::npos)
    return ::access(file.c_str(), R_OK) == 0 ? file : std::string{};
  for (const std::string& folder : paths) {
    std::string path = folder;
    path.append("/").append(file);
    if (::access(path.c_str(), R_OK) == 0) return path;
  }
  return {};
}

}  // namespace

std::string_view module_base_name(std::string_view written) noexcept {
  if (const std::size_t slash = written.rfind('/'); slash != std::string_view::npos)
    written.remove_prefix(slash + 1);
  if (written.ends_with(".so")) written.remove_suffix(3);
  return written;
}

Registry::Registry(std::span<ModuleSpec (*const)()> builtin) {
  x_builtin.reserve(builtin.size());
  for (const auto describe : builtin) x_builtin.push_back(describe());
  std::string error;
  if (find_builtin("core") != nullptr) static_cast<void>(load("core", {}, error));
}

Registry::~Registry() = default;

const ModuleSpec* Registry::find_builtin(std::string_view base_name) const noexcept {
  for (const ModuleSpec& spec : x_builtin) {
    if (spec.name == base_name) return &spec;
    if (std::find(spec.other_names.begin(), spec.other_names.end(), base_name) != spec.other_names.end())
      return &spec;
  }
  return nullptr;
}

Registry::Load Registry::load(std::string_view written, std::span<const std::string> paths,
                              std::string& error) {
  const std::string_view name = module_base_name(written);
  const ModuleSpec* spec = find_builtin(name);
  if (spec == nullptr) {
    const std::string path = locate(written, paths);
    if (path.empty()) return Load::unknown;
    if (std::any_of(x_objects.begin(), x_objects.end(),
                    [&](const auto& object) { return object->path == path; })) {
      return Load::already;
    }
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      error = ::dlerror();
      return Load::bad_file;
    }
    const auto* entry = static_cast<const ModuleEntry*>(::dlsym(handle, "ser_module"));
    if (entry == nullptr || entry->abi != kAbi) {
      error = entry == nullptr ? "it does not export 'ser_module'"
                               : "it was built for module interface " + std::to_string(entry->abi) +
                                     ", this is " + std::to_string(kAbi);
      ::dlclose(handle);
      return Load::bad_file;
    }
    x_objects.push_back(std::make_unique<SharedObject>(SharedObject{path, entry->describe()}));
    spec = &x_objects.back()->spec;
  }
  const auto same = [&](const Loaded& loaded) { return loaded.spec == spec; };
  const bool known = std::any_of(x_loaded.begin(), x_loaded.end(), same);
  if (known) return Load::already;
  x_loaded.push_back({spec, spec->make_config(), nullptr, std::string(name)});
  return Load::loaded;
}

Loaded* Registry::find_loaded(std::string_view base_name) noexcept {
  for (Loaded& loaded : x_loaded) {
    const auto& others = loaded.spec->other_names;
    if (loaded.spec->name == base_name || loaded.written_name == base_name ||
        std::find(others.begin(), others.end(), base_name) != others.end()) {
      return &loaded;
    }
  }
  return nullptr;
}

void Registry::create_all() {
  for (std::size_t i = 0; i < x_loaded.size(); ++i) {
    x_loaded[i].module = x_loaded[i].spec->create(x_loaded[i].config.get());
    x_loaded[i].module->index = static_cast<std::uint16_t>(i);
  }
}

}  // namespace ser::mod
