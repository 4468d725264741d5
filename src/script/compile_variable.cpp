// SPDX-License-Identifier: Apache-2.0
// The compiler: a variable as written becomes one bound to the core's table or to a module.
#include <fmt/format.h>

#include "base/text.h"
#include "script/compiler.h"
#include "script/values.h"
#include "script/variable_readers.h"
#include "sip/header_id.h"

namespace ser::script {

using proxy::Value;

std::optional<std::uint32_t> Compiler::variable(const VariableSyntax& syntax, const SourceRange& range,
                                                bool quiet) {
  if (const auto known = x_variables.find(syntax.text); known != x_variables.end()) return known->second;
  auto bound = std::make_unique<BoundVariable>();
  bound->text = syntax.text;
  bool good = false;
  if (const VariableRow* row = find_core_variable(syntax.name); row != nullptr) {
    good = bind_core(syntax, *row, range, *bound, quiet);
  } else if (bind_module(syntax, range, *bound)) {
    good = true;
  } else if (!quiet) {
    report_unknown_variable(syntax, range);
  }
  good = good && bind_index(syntax, range, *bound, quiet) && bind_transforms(syntax, range, *bound, quiet);
  if (!good) return std::nullopt;
  if (!bound->transforms.empty()) bound->set = nullptr;
  const auto index = static_cast<std::uint32_t>(x_program->variables.size());
  x_program->variables.push_back(std::move(bound));
  x_variables.emplace(std::string(syntax.text), index);
  return index;
}

void Compiler::report_unknown_variable(const VariableSyntax& syntax, const SourceRange& range) {
  if (is_later_variable(syntax.name)) {
    // It may belong to a module of this script about which all is said where it is loaded.
    if (x_modules.any_unbuilt()) return;
    x_diagnostics.error("E0307", range, fmt::format("variable `${}` is not built yet", syntax.name));
    return;
  }
  std::vector<std::string_view> known;
  for (const VariableRow& row : core_variables()) known.push_back(row.name);
  for (const mod::Loaded& module : x_registry.loaded()) {
    for (const mod::VariableSpec& spec : module.spec->variables) known.push_back(spec.name);
  }
  const std::string_view near = conf::suggest(syntax.name, known);
  x_diagnostics.error("E0307", range, fmt::format("unknown variable `${}`", syntax.name),
                      near.empty() ? std::string() : fmt::format("did you mean `${}`?", near));
}

bool Compiler::bind_module(const VariableSyntax& syntax, const SourceRange& range, BoundVariable& bound) {
  std::uint16_t loaded = 0;
  for (const mod::Loaded& module : x_registry.loaded()) {
    for (const mod::VariableSpec& spec : module.spec->variables) {
      if (spec.name != syntax.name) continue;
      const bool wanted = spec.inner != mod::VariableSpec::Inner::none;
      if (syntax.has_inner ? !wanted : spec.inner == mod::VariableSpec::Inner::required) {
        x_diagnostics.error("E0323", range,
                            wanted ? fmt::format("`${}` needs a name in parentheses", spec.name)
                                   : fmt::format("`${}` takes no name in parentheses", spec.name));
      }
      bound.get = &var::of_module;
      bound.set = spec.set != nullptr ? &var::set_of_module : nullptr;
      bound.module_get = spec.get;
      bound.module_set = spec.set;
      bound.loaded = loaded;
      bound.inner = syntax.inner;
      return true;
    }
    ++loaded;
  }
  return false;
}

bool Compiler::bind_core(const VariableSyntax& syntax, const VariableRow& row, const SourceRange& range,
                         BoundVariable& bound, bool quiet) {
  bound.row = &row;
  bound.get = row.get;
  bound.set = row.set;
  if (row.inner == InnerForm::none) {
    if (!syntax.has_inner) return true;
    if (!quiet)
      x_diagnostics.error("E0323", range, fmt::format("`${}` takes no name in parentheses", row.name));
    return false;
  }
  if (!syntax.has_inner || syntax.inner.empty()) {
    if (!quiet) {
      x_diagnostics.error("E0323", range,
                          fmt::format("`${}` needs a name in parentheses: `${}(…)`", row.name, row.name));
    }
    return false;
  }
  return bind_inner(syntax, row, range, bound, quiet);
}

bool Compiler::bind_inner(const VariableSyntax& syntax, const VariableRow& row, const SourceRange& range,
                          BoundVariable& bound, bool quiet) {
  bound.inner = syntax.inner;
  if (syntax.inner.find('$') != std::string_view::npos) {
    if (!quiet) {
      x_diagnostics.error("E0324", range,
                          fmt::format("a name computed at run time is not built yet: `{}`", syntax.text));
    }
    return false;
  }
  switch (row.inner) {
    case InnerForm::header:
      bound.header_id = static_cast<std::uint8_t>(sip::header_id(bound.inner));
      return true;
    case InnerForm::local: {
      const auto next = static_cast<std::uint16_t>(x_program->locals.size());
      const auto [at, is_new] = x_local_slots.try_emplace(bound.inner, next);
      if (is_new) x_program->locals.push_back(bound.inner);
      bound.slot = at->second;
      return true;
    }
    case InnerForm::avp:
      if (istarts_with(bound.inner, "s:")) {
        bound.inner.erase(0, 2);
      } else if (istarts_with(bound.inner, "i:")) {
        bound.inner.erase(0, 2);
        bound.number_name = true;
        std::int64_t number = 0;
        if (!parse_integer(bound.inner, number)) {
          if (!quiet)
            x_diagnostics.error("E0323", range, fmt::format("`i:{}`: a number must follow", bound.inner));
          return false;
        }
      }
      return true;
    case InnerForm::name:
      return bind_selected(syntax, range, bound, quiet);
    case InnerForm::none:
      break;
  }
  return true;
}

bool Compiler::bind_selected(const VariableSyntax& syntax, const SourceRange& range, BoundVariable& bound,
                             bool quiet) {
  constexpr std::string_view kPrefix = "cfg_get.";
  const std::string_view inner = syntax.inner;
  if (inner.substr(0, kPrefix.size()) == kPrefix) {
    for (const CustomVariable& custom : x_ast.custom_variables) {
      if (inner.substr(kPrefix.size()) != fmt::format("{}.{}", custom.group, custom.id)) continue;
      if (custom.value.kind == ValueKind::number) {
        bound.constant = Value::of(custom.value.number);
      } else {
        bound.constant = Value::of(std::string_view(x_program->texts[text(custom.value.text)]));
      }
      return true;
    }
    if (!quiet) {
      x_diagnostics.error("E0307", range,
                          fmt::format("there is no custom variable `{}`", inner.substr(kPrefix.size())),
                          "it is declared as `group.name = value`");
    }
    return false;
  }
  if (!quiet)
    x_diagnostics.error("E0317", range, fmt::format("this select is not built yet: `{}`", syntax.text));
  return false;
}

bool Compiler::bind_index(const VariableSyntax& syntax, const SourceRange& range, BoundVariable& bound,
                          bool quiet) {
  if (!syntax.has_index) return true;
  bound.has_index = true;
  if (bound.row == nullptr || !bound.row->indexed) {
    if (!quiet) x_diagnostics.error("E0323", range, fmt::format("`${}` takes no index", syntax.name));
    return false;
  }
  if (syntax.index == "*") {
    bound.index = BoundVariable::kAll;
    return true;
  }
  std::int64_t number = 0;
  if (parse_integer(syntax.index, number) && number > -100'000 && number < 100'000) {
    bound.index = static_cast<std::int32_t>(number);
    return true;
  }
  if (!quiet)
    x_diagnostics.error("E0323", range, fmt::format("bad index `[{}]`: a number or `*`", syntax.index));
  return false;
}

bool Compiler::bind_transforms(const VariableSyntax& syntax, const SourceRange& range, BoundVariable& bound,
                               bool quiet) {
  for (const Transformation& written : syntax.transformations) {
    Transform made;
    if (!find_transform(written.name, made.kind)) {
      if (!quiet) {
        x_diagnostics.error(
            "E0325", range,
            fmt::format("transformation `{{{}}}` is not known or not built yet", written.name));
      }
      return false;
    }
    std::size_t wanted = 0;
    if (made.kind == TransformKind::s_substr) wanted = 2;
    if (made.kind == TransformKind::uri_param) wanted = 1;
    bool good = written.arguments.size() == wanted;
    if (good && made.kind == TransformKind::s_substr) {
      good = parse_integer(trim(written.arguments[0]), made.first) &&
             parse_integer(trim(written.arguments[1]), made.second) && made.second >= 0;
    } else if (good && wanted == 1) {
      made.text = trim(written.arguments[0]);
    }
    if (!good) {
      if (!quiet) {
        x_diagnostics.error("E0325", range,
                            fmt::format("`{{{}}}` needs {} constant argument(s)", written.name, wanted));
      }
      return false;
    }
    bound.transforms.push_back(std::move(made));
  }
  return true;
}

}  // namespace ser::script
