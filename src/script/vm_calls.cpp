// SPDX-License-Identifier: Apache-2.0
// The machine: arguments of functions, format strings, regular expressions.
#include <cstring>

#include "proxy/services.h"
#include "script/values.h"
#include "script/vm.h"

namespace ser::script {

using proxy::Run;
using proxy::Value;

namespace {

constexpr std::size_t kPiecesAtOnce = 32;

std::string_view piece_text(const FormatPiece& piece, Run& run, std::string_view null_text) noexcept {
  if (piece.variable == nullptr) return piece.literal;
  const Value value = piece.variable->read(run);
  if (!value.is_null()) return text_of(value, run.arena());
  // A transformation of nothing is nothing; the variable itself is told apart from an empty text.
  return piece.variable->transforms.empty() ? null_text : std::string_view("");
}

}  // namespace

std::string_view Vm::evaluate(const Format& format, Run& run, std::string_view null_text) const noexcept {
  if (format.empty()) return "";
  if (format.size() == 1) {
    const std::string_view only = piece_text(format.front(), run, null_text);
    return only.data() == nullptr ? std::string_view("") : only;
  }
  std::string_view text("");
  for (std::size_t from = 0; from < format.size(); from += kPiecesAtOnce) {
    std::string_view parts[kPiecesAtOnce + 1];
    std::size_t count = 0;
    std::size_t length = text.size();
    parts[count++] = text;
    for (std::size_t i = from; i < format.size() && count <= kPiecesAtOnce; ++i) {
      parts[count] = piece_text(format[i], run, null_text);
      length += parts[count++].size();
    }
    auto* at = static_cast<char*>(run.arena().allocate(length + 1, 1));
    if (at == nullptr) return {};
    text = {at, length};
    for (std::size_t i = 0; i < count; ++i) {
      if (!parts[i].empty()) std::memcpy(at, parts[i].data(), parts[i].size());
      at += parts[i].size();
    }
  }
  return text;
}

std::string_view Vm::log_prefix(Run& run) const noexcept {
  return x_program.log_prefix == UINT32_MAX ? std::string_view()
                                            : evaluate(x_program.formats[x_program.log_prefix], run);
}

bool Vm::prepare(const CallSite& site, const Value* stack, Run& run, mod::Arg* args) noexcept {
  using From = ArgSource::From;
  for (std::size_t i = 0; i < site.sources.size(); ++i) {
    const ArgSource& source = site.sources[i];
    mod::Arg& arg = args[i];
    arg = site.ready[i];
    switch (source.from) {
      case From::ready:
        break;
      case From::format:
      case From::format_integer:
        arg.text = evaluate(x_program.formats[source.index], run);
        if (arg.text.data() == nullptr) return false;
        if (source.from == From::format_integer) arg.integer = integer_of(Value::of(arg.text));
        break;
      case From::stack_text:
        arg.text = text_of(*stack++, run.arena());
        break;
      case From::stack_integer:
        arg.integer = integer_of(*stack++);
        break;
      case From::variable_text:
        arg.text = text_of(x_program.variables[source.index]->read(run), run.arena());
        break;
      case From::variable_integer:
        arg.integer = integer_of(x_program.variables[source.index]->read(run));
        break;
    }
  }
  for (std::size_t i = site.sources.size(); i < mod::kMaxArgs; ++i) args[i].present = false;
  return true;
}

mod::Outcome Vm::call(const Call& call, const Value* stack, Run& run) noexcept {
  mod::Arg args[mod::kMaxArgs];
  if (!prepare(x_program.sites[call.site], stack, run, args)) {
    (void)fail_memory(run);
    return mod::Outcome::stop();
  }
  return call.function(*call.module, run, args);
}

bool Vm::matches(const mod::Regex& regex, std::string_view text, Run& run) noexcept {
  const auto verdict = regex.match(x_matcher, text);
  if (verdict == mod::Regex::Verdict::limit) [[unlikely]] {
    run.services().counters.add(run.services().count.regex_limit);
    LOG(run.services().log, warning, "{}:{}: `{}` reached the limit of matching; taken as no match",
        x_program.files[run.state().script.file], run.state().script.line, regex.pattern());
  }
  return verdict == mod::Regex::Verdict::match;
}

bool Vm::matches_dynamic(const Value& pattern, const Value& text, Run& run) noexcept {
  mod::Regex::Options options;
  options.multi_line = false;
  std::string error;
  const auto regex = mod::Regex::compile(text_of(pattern, run.arena()), options, error);
  if (regex == nullptr) {
    LOG(run.services().log, error, "{}:{}: bad regular expression at run time: {}",
        x_program.files[run.state().script.file], run.state().script.line, error);
    return false;
  }
  return matches(*regex, text_of(text, run.arena()), run);
}

}  // namespace ser::script
