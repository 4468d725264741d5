// SPDX-License-Identifier: Apache-2.0
// A program as text.
#include <fmt/format.h>

#include <iterator>

#include "script/program.h"
#include "script/syntax_dump.h"

namespace ser::script {

namespace {

constexpr std::string_view kModes[] = {"", " jump_false", " jump_true", " push_truth", " push_code"};

std::string format_text(const Program& program, std::uint32_t index) {
  std::string text = "format(";
  for (const FormatPiece& piece : program.formats[index]) {
    text += piece.variable == nullptr ? std::string(piece.literal) : piece.variable->text;
  }
  return text + ")";
}

std::string arguments(const Program& program, const CallSite& site) {
  using From = ArgSource::From;
  std::string text;
  for (std::size_t i = 0; i < site.sources.size(); ++i) {
    if (i != 0) text += ", ";
    const ArgSource& source = site.sources[i];
    switch (source.from) {
      case From::ready:
        text += site.ready[i].text.data() == nullptr ? fmt::format("#{}", site.ready[i].integer)
                                                     : fmt::format("\"{}\"", site.ready[i].text);
        break;
      case From::format:
      case From::format_integer:
        text += format_text(program, source.index);
        break;
      case From::variable_text:
      case From::variable_integer:
        text += program.variables[source.index]->text;
        break;
      case From::stack_text:
      case From::stack_integer:
        text += "stack";
        break;
    }
  }
  return text;
}

std::string regex(const Program& program, std::uint32_t index) {
  return program.regexes[index] == nullptr ? "/bad/" : fmt::format("/{}/", program.regexes[index]->pattern());
}

std::string field(const Instruction& in) {
  return std::string(to_string(static_cast<CoreField>(in.b)));
}

std::string operands(const Program& program, const Instruction& in) {
  switch (in.op) {
    case Op::set_result:
    case Op::push_int:
    case Op::exit:
    case Op::case_int:
      return fmt::format(" {}", program.integers[in.c]);
    case Op::ret:
      return fmt::format(" {}{}", program.integers[in.c], in.a != 0 ? " exits_at_0" : "");
    case Op::ret_pop:
      return in.a != 0 ? " exits_at_0" : "";
    case Op::pop:
      return fmt::format(" {}", in.c);
    case Op::route: {
      const Block& block = program.blocks[in.c];
      return fmt::format(" {}[{}]{}", keyword_of(block.kind), block.name, kModes[in.a]);
    }
    case Op::call: {
      const CallSite& site = program.sites[in.c];
      const Native& native = program.natives[site.native];
      return fmt::format(" {}.{}({}){}", native.module, native.name, arguments(program, site), kModes[in.a]);
    }
    case Op::push_concat:
      return " " + format_text(program, in.c);
    case Op::push_text:
    case Op::case_text:
      return fmt::format(" \"{}\"", program.texts[in.c]);
    case Op::push_var:
    case Op::store:
    case Op::test_null:
      return fmt::format(" {}", program.variables[in.c]->text);
    case Op::push_field:
    case Op::push_field_text:
    case Op::test_myself:
      return " " + field(in);
    case Op::unary:
    case Op::binary:
      return fmt::format(" {}", to_string(static_cast<Operator>(in.a)));
    case Op::match:
    case Op::case_match:
      return " " + regex(program, in.c);
    case Op::test_method:
      return fmt::format(" {} \"{}\"", in.b, program.texts[in.c]);
    case Op::test_text:
    case Op::test_name:
      return fmt::format(" {} \"{}\"", field(in), program.texts[in.c]);
    case Op::test_match:
      return fmt::format(" {} {}", field(in), regex(program, in.c));
    case Op::test_reverse:
      return in.d == 0 ? fmt::format(" {} {}", field(in), regex(program, in.c))
                       : fmt::format(" {} \"{}\"", field(in), program.texts[in.c]);
    case Op::test_int:
      return fmt::format(" {} {} {}", field(in), to_string(static_cast<Operator>(in.d)),
                         program.integers[in.c]);
    case Op::test_max_len:
      return fmt::format(" {} {} max_len", field(in), to_string(static_cast<Operator>(in.d)));
    case Op::test_network: {
      const Network& network = program.networks[in.c];
      return fmt::format(" {} {}/{}", field(in), print_ip(network.address, false).view(), network.bits);
    }
    case Op::test_var_text:
      return fmt::format(" {} \"{}\"", program.variables[in.c]->text, program.texts[in.d]);
    case Op::test_var_int:
      return fmt::format(" {} {}", program.variables[in.c]->text, program.integers[in.d]);
    case Op::test_var_match:
      return fmt::format(" {} {}", program.variables[in.c]->text, regex(program, in.d));
    default:
      return {};
  }
}

bool jumps(const Instruction& in) noexcept {
  switch (in.op) {
    case Op::jump:
    case Op::loop:
    case Op::jump_result:
    case Op::jump_if:
    case Op::while_check:
    case Op::case_int:
    case Op::case_text:
    case Op::case_match:
      return true;
    case Op::route:
    case Op::call:
      return static_cast<CallMode>(in.a) == CallMode::jump_false ||
             static_cast<CallMode>(in.a) == CallMode::jump_true;
    default:
      return in.op >= Op::test_method && in.op <= Op::test_var_match;
  }
}

bool tests(const Instruction& in) noexcept {
  return in.op == Op::jump_if || in.op == Op::jump_result ||
         (in.op >= Op::test_method && in.op <= Op::test_var_match);
}

}  // namespace

std::string dump(const Program& program) {
  std::string text = fmt::format("dialect {}\n", to_string(program.dialect));
  auto out = std::back_inserter(text);
  for (const Block& block : program.blocks) {
    fmt::format_to(out, "{}[{}] stack {} reached {:#x}\n", keyword_of(block.kind), block.name,
                   block.max_stack, block.reached);
    for (std::uint32_t pc = block.begin; pc < block.end; ++pc) {
      const Instruction& in = program.code[pc];
      fmt::format_to(out, "{:5} {:4}  {}{}{}{}\n", pc, program.places[pc].line, to_string(in.op),
                     operands(program, in), tests(in) ? ((in.a & 1) != 0 ? " if true" : " if false") : "",
                     jumps(in) ? fmt::format(" -> {}", in.target) : std::string());
    }
  }
  return text;
}

}  // namespace ser::script
