// SPDX-License-Identifier: Apache-2.0
#include "mod/spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ser::mod {

const FunctionSpec* ModuleSpec::find_function(std::string_view function, std::size_t arity) const noexcept {
  const FunctionSpec* by_name = nullptr;
  for (const FunctionSpec& spec : functions) {
    if (spec.name != function) continue;
    if (arity >= spec.min_args() && arity <= spec.args.size()) return &spec;
    by_name = by_name == nullptr ? &spec : by_name;
  }
  return by_name;
}

const ParamSpec* ModuleSpec::find_param(std::string_view param) const noexcept {
  const auto found =
      std::find_if(params.begin(), params.end(), [&](const ParamSpec& spec) { return spec.name == param; });
  return found == params.end() ? nullptr : &*found;
}

std::string default_text(bool value) {
  return value ? "yes" : "no";
}
std::string default_text(std::int64_t value) {
  return std::to_string(value);
}
std::string default_text(const std::string& value) {
  return '"' + value + '"';
}

std::string convert(const ParamValue& value, const ParamSpec& /*spec*/, bool& out) {
  if (!value.is_text) {
    if (value.integer != 0 && value.integer != 1) return "must be yes or no (1 or 0)";
    out = value.integer == 1;
    return {};
  }
  for (const char* word : {"yes", "true", "on", "enable", "1"}) {
    if (iequals(value.text, word)) return out = true, "";
  }
  for (const char* word : {"no", "false", "off", "disable", "0"}) {
    if (iequals(value.text, word)) return out = false, "";
  }
  return "must be yes or no";
}

std::string convert(const ParamValue& value, const ParamSpec& spec, std::int64_t& out) {
  std::int64_t number = value.integer;
  if (value.is_text) {
    const bool negative = value.text.starts_with('-');
    const auto digits = parse_u64(negative ? value.text.substr(1) : value.text);
    if (!digits || *digits > INT64_MAX) return "must be a number";
    number = negative ? -static_cast<std::int64_t>(*digits) : static_cast<std::int64_t>(*digits);
  }
  if (number < spec.min || number > spec.max) {
    if (spec.max == INT64_MAX) return fmt::format("must be at least {}", spec.min);
    if (spec.min == INT64_MIN) return fmt::format("must be at most {}", spec.max);
    return fmt::format("must be between {} and {}", spec.min, spec.max);
  }
  out = number;
  return {};
}

std::string convert(const ParamValue& value, const ParamSpec& /*spec*/, std::string& out) {
  out = value.is_text ? std::string(value.text) : std::to_string(value.integer);
  return {};
}

}  // namespace ser::mod
