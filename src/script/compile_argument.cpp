// SPDX-License-Identifier: Apache-2.0
// The compiler: arguments of functions, by the kind the function declares.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "script/compiler.h"
#include "script/format_argument.h"
#include "script/parser.h"
#include "script/syntax_dump.h"
#include "script/values.h"

namespace ser::script {

using From = ArgSource::From;

namespace {

proxy::Value read_handle(const void* self, proxy::Run& run) {
  return static_cast<const BoundVariable*>(self)->read(run);
}
Result<void> write_handle(const void* self, proxy::Run& run, const proxy::Value& value) {
  const auto* variable = static_cast<const BoundVariable*>(self);
  return variable->set(*variable, run, value);
}

}  // namespace

std::optional<std::uint32_t> Compiler::compile_format(std::string_view written, const SourceRange& range) {
  std::size_t bad_offset = 0;
  const auto parts = parse_format(written, x_ast, bad_offset);
  Format format;
  bool good = true;
  if (!parts) {
    if (!x_ser) {
      SourceRange at = range;
      if (range.length == written.size() + 2) {
        at.column += 1 + static_cast<std::uint32_t>(bad_offset);
        at.length = 1;
      }
      x_diagnostics.error("E0322", at, "`$` is followed by no good variable", "`$$` is a plain dollar");
      return std::nullopt;
    }
    format.push_back({x_program->texts[text(written)], nullptr});
  } else {
    for (const FormatPart& part : *parts) {
      if (part.variable == nullptr) {
        format.push_back({x_program->texts[text(part.literal)], nullptr});
        continue;
      }
      // Positions inside the text are known when it was written without escapes.
      SourceRange at = range;
      if (range.length == written.size() + 2) {
        at.column += 1 + static_cast<std::uint32_t>(part.offset);
        at.length = static_cast<std::uint32_t>(part.variable->text.size());
      }
      const auto index = variable(*part.variable, at, x_ser);
      if (index) {
        format.push_back({{}, x_program->variables[*index].get()});
      } else if (x_ser) {
        format.push_back(
            {x_program->texts[text(part.variable->text)], nullptr});  // `$` has no meaning in SER 0.8
      } else {
        good = false;
      }
    }
  }
  if (!good) return std::nullopt;
  x_program->formats.push_back(std::move(format));
  return static_cast<std::uint32_t>(x_program->formats.size() - 1);
}

std::optional<std::int64_t> Compiler::flag_number(std::string_view name) const noexcept {
  std::int64_t next = 0;
  for (const FlagName& flag : x_ast.flag_names) {
    if (flag.is_avp_flag) continue;
    const std::int64_t number = flag.number >= 0 ? flag.number : next;
    if (flag.name == name) return number;
    next = number + 1;
  }
  return std::nullopt;
}

// What may stand for a constant: a text, a number, a bare word, an address.
std::optional<std::string_view> Compiler::constant_text(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::string:
    case ExpressionKind::address:
      return expression.text;
    case ExpressionKind::word:
      if (const auto flag = flag_number(expression.text))
        return x_program->texts[text(std::to_string(*flag))];
      return expression.text;
    case ExpressionKind::network:
      return x_program->texts[text(fmt::format("{}/{}", expression.text, expression.raw))];
    case ExpressionKind::max_len:
      return "max_len";
    case ExpressionKind::myself:
      return "myself";
    case ExpressionKind::socket: {
      const SocketSpec& socket = *expression.socket;
      const bool v6 = socket.host.find(':') != std::string_view::npos;
      const std::string host = v6 ? fmt::format("[{}]", socket.host) : std::string(socket.host);
      return x_program
          ->texts[text(fmt::format("{}{}{}{}", socket.protocol, socket.protocol.empty() ? "" : ":", host,
                                   socket.port != 0 ? fmt::format(":{}", socket.port) : std::string()))];
    }
    case ExpressionKind::field:
      return to_string(expression.field);  // `uri` and the like as plain words
    default:
      if (const auto constant = fold(expression)) {
        if (constant->is_integer()) return x_program->texts[text(std::to_string(constant->integer))];
        return constant->text;
      }
      return std::nullopt;
  }
}

bool Compiler::text_argument(const Expression& expression, mod::Arg& ready, ArgSource& source,
                             CallSite& site) {
  if (expression.kind == ExpressionKind::string) {
    if (!expression.has_format) {
      ready.text = x_program->texts[text(expression.text)];
      return true;
    }
    const auto format = compile_format(expression.text, expression.range);
    if (!format) return false;
    const Format& pieces = x_program->formats[*format];
    if (pieces.size() == 1 && pieces[0].variable == nullptr) {
      ready.text = pieces[0].literal;
      return true;
    }
    source = {From::format, *format};
    return true;
  }
  if (expression.kind == ExpressionKind::variable) {
    const auto index = variable(*expression.variable, expression.range);
    if (!index) return false;
    source = {From::variable_text, *index};
    return true;
  }
  if (const auto constant = constant_text(expression); constant && expression.kind != ExpressionKind::field) {
    ready.text = x_program->texts[text(*constant)];
    return true;
  }
  value(expression);
  ++site.stack_values;
  source.from = From::stack_text;
  return true;
}

bool Compiler::integer_argument(const Expression& expression, std::string_view function, mod::Arg& ready,
                                ArgSource& source, CallSite& site) {
  if (expression.kind == ExpressionKind::variable) {
    const auto index = variable(*expression.variable, expression.range);
    if (!index) return false;
    source = {From::variable_integer, *index};
    return true;
  }
  if (expression.kind == ExpressionKind::string && expression.has_format) {
    const auto format = compile_format(expression.text, expression.range);
    if (!format) return false;
    source = {From::format_integer, *format};
    return true;
  }
  if (const auto constant = constant_text(expression); constant && expression.kind != ExpressionKind::field) {
    if (parse_integer(*constant, ready.integer)) {
      ready.text = x_program->texts[text(*constant)];
      return true;
    }
    x_diagnostics.error("E0303", expression.range,
                        fmt::format("`{}` needs a number here, not `{}`", function, *constant));
    return false;
  }
  value(expression);
  ++site.stack_values;
  source.from = From::stack_integer;
  return true;
}

/// Remembers a host name of the script, so that it is resolved before the first message needs it. Addresses
/// and the forms of SER that take the host of the URI are none.
void Compiler::host_name(std::string_view name) {
  if (name.empty() || parse_ip(name) || name == "uri" || name == "uri:host") return;
  auto& names = x_program->host_names;
  if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
}

bool Compiler::compiled_argument(const mod::ArgSpec& spec, const Expression& expression,
                                 std::string_view function, mod::Arg& ready) {
  const auto constant = constant_text(expression);
  if (!constant) {
    x_diagnostics.error("E0303", expression.range,
                        fmt::format("`{}` needs a constant for `{}`", function, spec.name),
                        "it is made ready when the configuration is read");
    return false;
  }
  ready.text = x_program->texts[text(*constant)];
  if (spec.kind == mod::ArgKind::literal) return true;
  std::string error;
  FormatArguments formats(*this, expression.range);
  mod::CompiledArg made = spec.compile_format != nullptr ? spec.compile_format(ready.text, error, formats)
                                                         : spec.compile(ready.text, error);
  if (made == nullptr && formats.reported()) return false;
  if (made == nullptr) {
    SourceRange range = expression.range;
    const std::size_t at = error.rfind("at offset ");
    if (at != std::string::npos && expression.raw.size() == expression.text.size() + 2) {
      if (const auto offset = parse_u32(std::string_view(error).substr(at + 10), 65535)) {
        range.column += 1 + std::min(*offset, static_cast<std::uint32_t>(expression.text.size()));
        range.length = 1;
      }
    }
    x_diagnostics.error("E0306", range, fmt::format("`{}`: bad `{}`: {}", function, spec.name, error));
    return false;
  }
  if (spec.names_host) host_name(ready.text);
  ready.pointer = made.get();
  x_program->compiled.push_back(std::move(made));
  return true;
}

bool Compiler::variable_argument(const Expression& expression, std::string_view function, mod::Arg& ready) {
  const VariableSyntax* syntax = expression.variable;
  if (expression.kind == ExpressionKind::string) syntax = parse_variable(expression.text, x_ast);
  if (syntax == nullptr) {
    x_diagnostics.error("E0303", expression.range, fmt::format("`{}` needs a variable here", function));
    return false;
  }
  const auto index = variable(*syntax, expression.range);
  if (!index) return false;
  BoundVariable* bound = x_program->variables[*index].get();
  if (bound->set == nullptr) {
    x_diagnostics.error("E0312", expression.range, fmt::format("{} is read-only", syntax->text));
    return false;
  }
  x_program->handles.emplace_back(bound, &read_handle, &write_handle);
  ready.pointer = &x_program->handles.back();
  return true;
}

bool Compiler::route_argument(const mod::ArgSpec& spec, const Expression& expression,
                              std::string_view function, mod::Arg& ready) {
  const auto name = constant_text(expression);
  if (!name) {
    x_diagnostics.error("E0303", expression.range,
                        fmt::format("`{}` needs the name of a route block", function));
    return false;
  }
  const std::uint16_t block = x_routes.find(spec.route_kinds, *name);
  if (block == kNoBlock) {
    x_diagnostics.error("E0309", expression.range,
                        fmt::format("`{}`: there is no such block: `{}`", function, *name));
    return false;
  }
  x_routes.at(block).used = true;
  ready.integer = block;
  return true;
}

bool Compiler::argument(const mod::ArgSpec& spec, const Expression& expression, std::string_view function,
                        CallSite& site, std::size_t index) {
  mod::Arg ready;
  ready.present = true;
  ArgSource source;
  bool good = false;
  switch (spec.kind) {
    case mod::ArgKind::text:
      good = text_argument(expression, ready, source, site);
      break;
    case mod::ArgKind::integer:
      good = integer_argument(expression, function, ready, source, site);
      break;
    case mod::ArgKind::literal:
    case mod::ArgKind::compiled:
      good = compiled_argument(spec, expression, function, ready);
      break;
    case mod::ArgKind::variable:
      good = variable_argument(expression, function, ready);
      break;
    case mod::ArgKind::route:
      good = route_argument(spec, expression, function, ready);
      break;
  }
  site.ready[index] = ready;
  site.sources[index] = source;
  if (source.from != From::ready) site.all_ready = false;
  return good;
}

}  // namespace ser::script
