// SPDX-License-Identifier: Apache-2.0
// The front door: reads, loads, checks and compiles a configuration.
#include "script/script.h"

#include "script/compiler.h"
#include "script/module_loader.h"
#include "script/settings.h"

namespace ser::script {

const Setting* Configuration::find(std::string_view name) const noexcept {
  const Setting* found = nullptr;
  for (const Setting& setting : ast->settings) {
    if (setting.name == name && !setting.values.empty()) found = &setting;
  }
  return found;
}

std::optional<std::int64_t> Configuration::number(std::string_view name) const noexcept {
  const Setting* setting = find(name);
  if (setting == nullptr) return std::nullopt;
  const SettingValue& value = setting->values.back();
  if (value.kind != ValueKind::number && !value.is_boolean_word) return std::nullopt;
  return value.number;
}

std::optional<std::string_view> Configuration::text(std::string_view name) const noexcept {
  const Setting* setting = find(name);
  if (setting == nullptr || setting->values.back().kind == ValueKind::number) return std::nullopt;
  return setting->values.back().text;
}

Configuration compile(const CompileOptions& options, SourceReader& reader, mod::Registry& registry,
                      conf::SourceMap& sources, conf::Diagnostics& diagnostics) {
  Configuration configuration;
  configuration.ast =
      options.text ? parse_text(options.path, *options.text, reader, options.parse, sources, diagnostics)
                   : parse_file(options.path, reader, options.parse, sources, diagnostics);
  Ast& ast = *configuration.ast;
  configuration.dialect = ast.dialect.dialect;
  configuration.dialect_reason = ast.dialect.reason;
  check_settings(ast, diagnostics);
  ModuleLoader modules(registry, diagnostics);
  modules.load_all(ast, options.extra_modules, options.module_paths);
  modules.store_parameters(ast, options.extra_parameters);

  Compiler compiler(ast, registry, modules, diagnostics);
  std::uint32_t log_prefix = UINT32_MAX;
  if (const Setting* prefix = configuration.find("log_prefix"); prefix != nullptr) {
    const SettingValue& value = prefix->values.back();
    log_prefix = compiler.compile_format(value.text, value.range).value_or(UINT32_MAX);
  }
  std::unique_ptr<Program> program = compiler.compile();
  program->log_prefix = log_prefix;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    program->files.emplace_back(sources.name(static_cast<std::uint32_t>(i)));
  }
  if (diagnostics.errors() == 0) configuration.program = std::move(program);
  return configuration;
}

}  // namespace ser::script
