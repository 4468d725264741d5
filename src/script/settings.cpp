// SPDX-License-Identifier: Apache-2.0
// Checks the core parameters of a configuration.
#include "script/settings.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "conf/core_parameter.h"

namespace ser::script {

namespace {

using conf::CoreParameter;
using conf::ParameterType;

bool is_number(const SettingValue& value) noexcept {
  return value.kind == ValueKind::number;
}
bool is_text(const SettingValue& value) noexcept {
  return value.kind == ValueKind::string || value.kind == ValueKind::word || value.kind == ValueKind::address;
}

void check_number(const CoreParameter& parameter, const SettingValue& value, conf::Diagnostics& diagnostics) {
  std::int64_t number = value.number;
  if (value.kind == ValueKind::string) {
    const auto parsed = parse_u64(value.text);
    if (!parsed) {
      diagnostics.error("E0402", value.range, fmt::format("`{}` needs a number", parameter.name));
      return;
    }
    number = static_cast<std::int64_t>(*parsed);
  } else if (!is_number(value) && !value.is_boolean_word) {
    diagnostics.error("E0402", value.range, fmt::format("`{}` needs a number", parameter.name));
    return;
  }
  if (number < parameter.min || number > parameter.max) {
    diagnostics.error("E0403", value.range,
                      fmt::format("{} is out of range for `{}`", number, parameter.name),
                      fmt::format("from {} to {}", parameter.min, parameter.max));
  }
}

void check_value(const CoreParameter& parameter, const SettingValue& value, conf::Diagnostics& diagnostics) {
  if (value.kind == ValueKind::invalid) return;
  switch (parameter.type) {
    case ParameterType::integer:
    case ParameterType::size:
      check_number(parameter, value, diagnostics);
      break;
    case ParameterType::boolean:
      if (!is_number(value) && !value.is_boolean_word) {
        diagnostics.error("E0402", value.range, fmt::format("`{}` needs yes or no", parameter.name));
      }
      break;
    case ParameterType::string:
      if (!is_text(value))
        diagnostics.error("E0402", value.range, fmt::format("`{}` needs a text", parameter.name));
      break;
    case ParameterType::string_or_number:
      if (!is_text(value) && !is_number(value)) {
        diagnostics.error("E0402", value.range, fmt::format("`{}` needs a text or a number", parameter.name));
      }
      break;
    case ParameterType::sockets:
      if (is_number(value)) {
        diagnostics.error("E0402", value.range,
                          fmt::format("`{}` needs an address or a host", parameter.name));
      }
      break;
  }
}

}  // namespace

void check_settings(Ast& ast, conf::Diagnostics& diagnostics) {
  std::set<std::string_view> told;
  for (Setting& setting : ast.settings) {
    const CoreParameter* parameter = conf::find_core_parameter(setting.name);
    if (parameter == nullptr) {
      diagnostics.error("E0401", setting.range, fmt::format("unknown core parameter `{}`", setting.name),
                        conf::did_you_mean(setting.name, conf::core_parameter_names()));
      continue;
    }
    setting.name = parameter->name;
    for (const SettingValue& value : setting.values) check_value(*parameter, value, diagnostics);
    if (parameter->status == conf::ParameterStatus::honoured || !told.insert(parameter->name).second)
      continue;
    if (parameter->status == conf::ParameterStatus::later) {
      diagnostics.warning("W0404", setting.range, fmt::format("`{}` is not built yet", parameter->name),
                          std::string(parameter->help));
    } else {
      diagnostics.notice("N0405", setting.range,
                         fmt::format("`{}` has no effect: {}", parameter->name, parameter->help));
    }
  }
}

}  // namespace ser::script
