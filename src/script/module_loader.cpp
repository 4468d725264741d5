// SPDX-License-Identifier: Apache-2.0
// loadmodule and modparam.
#include "script/module_loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "conf/module_catalogue.h"
#include "mod/regex.h"
#include "script/values.h"

namespace ser::script {

namespace {

std::string_view base_of(std::string_view written) noexcept {
  return mod::module_base_name(written);
}

bool is_plain_list(std::string_view names) noexcept {
  return std::all_of(names.begin(), names.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '|'; });
}

std::vector<std::string_view> known_modules(const mod::Registry& registry) {
  std::vector<std::string_view> known;
  for (const mod::ModuleSpec& spec : registry.builtin()) {
    known.push_back(spec.name);
    known.insert(known.end(), spec.other_names.begin(), spec.other_names.end());
  }
  for (const std::string_view name : conf::module_names()) known.push_back(name);
  return known;
}

}  // namespace

bool ModuleLoader::unbuilt_has_function(std::string_view function) const noexcept {
  return std::any_of(x_unbuilt.begin(), x_unbuilt.end(), [function](const std::string& name) {
    const conf::ModuleFacts* facts = conf::find_module_facts(name);
    return facts != nullptr && conf::find_function_facts(*facts, function).has_value();
  });
}

void ModuleLoader::load(std::string_view written, const SourceRange& range,
                        std::span<const std::string> paths, Dialect dialect) {
  const std::string_view base = base_of(written);
  std::string error;
  switch (x_registry.load(written, paths, error)) {
    case mod::Registry::Load::loaded:
      break;
    case mod::Registry::Load::already: {
      const mod::ModuleSpec* spec = x_registry.find_builtin(base);
      if (spec == nullptr || spec->name != base) break;  // another name of one that is here
      if (dialect == Dialect::ser) {
        x_diagnostics.error("E0504", range, fmt::format("module \"{}\" is loaded twice", base));
      } else {
        x_diagnostics.warning("W0504", range, fmt::format("module \"{}\" is loaded twice", base));
      }
      break;
    }
    case mod::Registry::Load::unknown:
      if (conf::find_module_facts(base) != nullptr) {
        if (x_unbuilt.emplace(base).second) {
          x_diagnostics.error("E0501", range, fmt::format("module \"{}\" is not built yet", base));
        }
        break;
      }
      x_diagnostics.error("E0505", range, fmt::format("unknown module \"{}\"", base),
                          conf::did_you_mean(base, known_modules(x_registry)));
      x_unbuilt.emplace(base);
      break;
    case mod::Registry::Load::bad_file:
      x_diagnostics.error("E0506", range, fmt::format("module \"{}\" cannot be loaded: {}", base, error));
      x_unbuilt.emplace(base);
      break;
  }
}

void ModuleLoader::load_all(const Ast& ast, std::span<const std::string> extra,
                            std::span<const std::string> paths) {
  std::string error;
  (void)x_registry.load("core", {}, error);
  const SourceRange nowhere;
  for (const std::string& name : extra) {
    load(name, nowhere, paths, ast.dialect.dialect);
    x_order.emplace_back(base_of(name), 0);
  }
  // Paths hold for the modules after them.
  std::vector<std::string> places(paths.begin(), paths.end());
  struct Item {
    std::uint32_t order;
    const LoadModule* module;
    std::string_view path;
  };
  std::vector<Item> items;
  for (const LoadModule& module : ast.modules) items.push_back({module.order, &module, {}});
  for (const LoadPath& path : ast.load_paths) items.push_back({path.order, nullptr, path.path});
  for (const Setting& setting : ast.settings) {
    if ((setting.name == "mpath" || setting.name == "loadpath") && !setting.values.empty()) {
      items.push_back({setting.order, nullptr, setting.values[0].text});
    }
  }
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.order < b.order; });
  for (const Item& item : items) {
    if (item.module == nullptr) {
      std::string_view rest = item.path;
      while (!rest.empty()) places.emplace_back(split_off(rest, ':'));
      continue;
    }
    load(item.module->path, item.module->range, places, ast.dialect.dialect);
    x_order.emplace_back(base_of(item.module->path), item.order);
  }
}

std::vector<mod::Loaded*> ModuleLoader::matching(const ModuleParameter& parameter, bool& all_unbuilt) {
  std::vector<mod::Loaded*> found;
  all_unbuilt = false;
  const auto add = [&](std::string_view name) {
    mod::Loaded* loaded = x_registry.find_loaded(name);
    if (loaded != nullptr && std::find(found.begin(), found.end(), loaded) == found.end())
      found.push_back(loaded);
  };
  if (is_plain_list(parameter.module)) {
    std::string_view rest = parameter.module;
    while (!rest.empty()) {
      const std::string_view name = split_off(rest, '|');
      const auto placed =
          std::find_if(x_order.begin(), x_order.end(), [&](const auto& one) { return one.first == name; });
      if (is_unbuilt(name)) {
        all_unbuilt = true;
      } else if (placed != x_order.end() && placed->second > parameter.order) {
        x_diagnostics.error("E0507", parameter.module_range,
                            fmt::format("module \"{}\" is loaded only in a later line", name));
        all_unbuilt = true;
      } else {
        add(name);
      }
    }
    return found;
  }
  std::string error;
  mod::Regex::Options options;
  options.ignore_case = false;
  const auto regex = mod::Regex::compile(fmt::format("^(?:{})$", parameter.module), options, error);
  if (regex == nullptr) {
    x_diagnostics.error("E0306", parameter.module_range, fmt::format("bad regular expression: {}", error));
    all_unbuilt = true;
    return found;
  }
  mod::Matcher matcher;
  for (const auto& [name, order] : x_order) {
    if (regex->match(matcher, name) != mod::Regex::Verdict::match) continue;
    if (is_unbuilt(name)) {
      all_unbuilt = true;
    } else {
      add(name);
    }
  }
  return found;
}

void ModuleLoader::store(mod::Loaded& loaded, std::string_view name, const mod::ParamValue& value,
                         const SourceRange& name_range, const SourceRange& value_range) {
  const auto& params = loaded.spec->params;
  const auto found = std::find_if(params.begin(), params.end(),
                                  [&](const mod::ParamSpec& spec) { return spec.name == name; });
  if (found == params.end()) {
    std::vector<std::string_view> known;
    for (const mod::ParamSpec& spec : params) known.push_back(spec.name);
    x_diagnostics.error("E0503", name_range,
                        fmt::format("module \"{}\" has no parameter \"{}\"", loaded.spec->name, name),
                        conf::did_you_mean(name, known));
    return;
  }
  const std::string wrong = found->store(loaded.config.get(), value);
  if (!wrong.empty()) {
    x_diagnostics.error("E0508", value_range, fmt::format("{}: \"{}\": {}", loaded.spec->name, name, wrong));
  }
}

void ModuleLoader::store(const ModuleParameter& parameter) {
  bool all_unbuilt = false;
  const std::vector<mod::Loaded*> modules = matching(parameter, all_unbuilt);
  if (modules.empty()) {
    if (all_unbuilt) return;
    const bool known = conf::find_module_facts(parameter.module) != nullptr ||
                       x_registry.find_builtin(parameter.module) != nullptr;
    x_diagnostics.error("E0502", parameter.module_range,
                        fmt::format("module \"{}\" is not loaded", parameter.module),
                        known ? fmt::format("add `loadmodule \"{}.so\"` before this line", parameter.module)
                              : conf::did_you_mean(parameter.module, known_modules(x_registry)));
    return;
  }
  const Expression* written = parameter.value;
  if (written == nullptr || written->kind == ExpressionKind::invalid) return;
  mod::ParamValue value;
  switch (written->kind) {
    case ExpressionKind::integer:
      value.integer = written->number;
      break;
    case ExpressionKind::string:
      value.is_text = true;
      value.text = written->text;
      break;
    case ExpressionKind::unary:
      if (written->op == Operator::negate && written->left != nullptr &&
          written->left->kind == ExpressionKind::integer) {
        value.integer = -written->left->number;
        break;
      }
      [[fallthrough]];
    default: {
      const bool yes = iequals(written->text, "yes") || iequals(written->text, "on") ||
                       iequals(written->text, "true") || iequals(written->text, "enable");
      const bool no = iequals(written->text, "no") || iequals(written->text, "off") ||
                      iequals(written->text, "false") || iequals(written->text, "disable");
      if (!yes && !no) {
        x_diagnostics.error("E0508", written->range, "a parameter is a number, a text, or yes or no");
        return;
      }
      value.integer = yes ? 1 : 0;
    }
  }
  for (mod::Loaded* loaded : modules)
    store(*loaded, parameter.name, value, parameter.name_range, written->range);
}

void ModuleLoader::store_parameters(const Ast& ast, std::span<const std::string> extra) {
  for (const ModuleParameter& parameter : ast.module_parameters) store(parameter);
  const SourceRange nowhere;
  for (const std::string& line : extra) {
    std::string_view rest = line;
    const std::string_view module = split_off(rest, ':');
    const std::string_view name = split_off(rest, ':');
    const std::string_view type = split_off(rest, ':');
    mod::ParamValue value;
    value.is_text = type == "s";
    value.text = rest;
    if (module.empty() || name.empty() || (type != "s" && type != "i") ||
        (type == "i" && !parse_integer(rest, value.integer))) {
      x_diagnostics.error("E0509", nowhere,
                          fmt::format("--modparam `{}` is not module:name:s|i:value", line));
      continue;
    }
    if (is_unbuilt(module)) continue;
    mod::Loaded* loaded = x_registry.find_loaded(module);
    if (loaded == nullptr) {
      x_diagnostics.error("E0502", nowhere, fmt::format("--modparam: module \"{}\" is not loaded", module));
      continue;
    }
    store(*loaded, name, value, nowhere, nowhere);
  }
}

}  // namespace ser::script
