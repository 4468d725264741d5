// SPDX-License-Identifier: Apache-2.0
// The compiler: expressions that leave a value; constants are computed here.
#include <fmt/format.h>

#include "script/compiler.h"
#include "script/syntax_dump.h"
#include "script/values.h"

namespace ser::script {

using proxy::Value;

namespace {

// Folding needs an arena for joined texts; what does not fit is left to the machine.
struct FoldArena {
  alignas(16) char block[4096];
  HeapChunks chunks;
  Arena arena{block, sizeof block, chunks, 0};
};

bool is_boolean(Operator op) noexcept {
  return is_comparison(op) || op == Operator::logical_not || op == Operator::logical_or ||
         op == Operator::logical_and;
}

bool wants_integers(Operator op) noexcept {
  switch (op) {
    case Operator::greater:
    case Operator::less:
    case Operator::greater_equal:
    case Operator::less_equal:
    case Operator::subtract:
    case Operator::multiply:
    case Operator::divide:
    case Operator::modulo:
    case Operator::bit_or:
    case Operator::bit_and:
    case Operator::bit_xor:
    case Operator::shift_left:
    case Operator::shift_right:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool Compiler::is_null_constant(const Expression& expression) noexcept {
  return expression.kind == ExpressionKind::variable && expression.variable->name == "null";
}

Compiler::Type Compiler::type_of(const Expression& expression) const noexcept {
  switch (expression.kind) {
    case ExpressionKind::integer:
    case ExpressionKind::call:
    case ExpressionKind::max_len:
      return Type::integer;
    case ExpressionKind::string:
      return Type::string;
    case ExpressionKind::unary:
      return expression.op == Operator::to_string ? Type::string : Type::integer;
    case ExpressionKind::binary:
      if (expression.op != Operator::add) return Type::integer;
      return expression.left == nullptr ? Type::unknown : type_of(*expression.left);
    default:
      return Type::unknown;
  }
}

bool Compiler::check_types(const Expression& expression) {
  if (x_ser || expression.kind != ExpressionKind::binary) return true;
  const Expression* wrong = nullptr;
  if (wants_integers(expression.op)) {
    if (type_of(*expression.right) == Type::string) wrong = expression.right;
    if (type_of(*expression.left) == Type::string) wrong = expression.left;
  } else if (expression.op == Operator::add && type_of(*expression.left) == Type::integer &&
             type_of(*expression.right) == Type::string) {
    wrong = expression.right;
  }
  if (wrong == nullptr) return true;
  x_diagnostics.error(
      "E0311", wrong->range, fmt::format("`{}` needs a number here, not a text", to_string(expression.op)),
      expression.op == Operator::add ? "the left side decides: `+` joins texts when it is one" : "");
  return false;
}

std::optional<Value> Compiler::fold(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::integer:
      return Value::of(expression.number);
    case ExpressionKind::string:
      return Value::of(std::string_view(x_program->texts[text(expression.text)]));
    case ExpressionKind::unary: {
      if (expression.left == nullptr) return std::nullopt;
      const auto operand = fold(*expression.left);
      if (!operand) return std::nullopt;
      FoldArena scratch;
      Value result;
      if (!apply_unary(expression.op, *operand, scratch.arena, result)) return std::nullopt;
      if (result.is_string()) result.text = x_program->texts[text(result.text)];
      return result;
    }
    case ExpressionKind::binary: {
      if (expression.left == nullptr || expression.right == nullptr || expression.op == Operator::match ||
          expression.op == Operator::not_match) {
        return std::nullopt;
      }
      const auto left = fold(*expression.left);
      if (!left) return std::nullopt;
      const auto right = fold(*expression.right);
      if (!right) return std::nullopt;
      FoldArena scratch;
      Value result;
      if (!apply_binary(expression.op, *left, *right, scratch.arena, result)) return std::nullopt;
      if (result.is_string()) result.text = x_program->texts[text(result.text)];
      return result;
    }
    default:
      return std::nullopt;
  }
}

void Compiler::push(const Value& constant, const SourceRange& range) {
  if (constant.is_string()) {
    emit(Op::push_text, range).c = text(constant.text);
  } else if (constant.is_integer()) {
    emit(Op::push_int, range).c = integer(constant.integer);
  } else {
    emit(Op::push_null, range);
  }
  pushed();
}

void Compiler::boolean_value(const Expression& expression) {
  const Label no = new_label();
  const Label end = new_label();
  condition(expression, false, no);
  emit(Op::push_int, expression.range).c = integer(1);
  emit_jump(Op::jump, end, expression.range);
  bind(no);
  emit(Op::push_int, expression.range).c = integer(0);
  bind(end);
  pushed();
}

// A chain of `+` that begins with a text joins texts: one instruction instead of one for each `+`.
bool Compiler::concat_value(const Expression& expression) {
  std::vector<const Expression*> parts;
  const Expression* at = &expression;
  for (; at->kind == ExpressionKind::binary && at->op == Operator::add; at = at->left)
    parts.push_back(at->right);
  parts.push_back(at);
  if (at->kind != ExpressionKind::string) return false;
  for (const Expression* part : parts) {
    if (part->kind != ExpressionKind::variable && !fold(*part)) return false;
  }
  Format format;
  std::string literal;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (const auto constant = fold(**part)) {
      literal += constant->is_integer() ? std::to_string(constant->integer) : std::string(constant->text);
      continue;
    }
    if (is_null_constant(**part)) continue;
    const auto index = variable(*(*part)->variable, (*part)->range);
    if (!literal.empty()) format.push_back({x_program->texts[text(literal)], nullptr});
    literal.clear();
    if (index) format.push_back({{}, x_program->variables[*index].get()});
  }
  if (!literal.empty()) format.push_back({x_program->texts[text(literal)], nullptr});
  x_program->formats.push_back(std::move(format));
  emit(Op::push_concat, expression.range).c = static_cast<std::uint32_t>(x_program->formats.size() - 1);
  pushed();
  return true;
}

void Compiler::binary_value(const Expression& expression) {
  if (expression.op == Operator::add && concat_value(expression)) return;
  (void)check_types(expression);
  value(*expression.left);
  value(*expression.right);
  emit(Op::binary, expression.op_range).a = static_cast<std::uint8_t>(expression.op);
  popped();
}

void Compiler::value(const Expression& expression) {
  if (const auto constant = fold(expression)) {
    (void)check_types(expression);
    push(*constant, expression.range);
    return;
  }
  const SourceRange& range = expression.range;
  switch (expression.kind) {
    case ExpressionKind::variable:
      if (is_null_constant(expression)) {
        push(Value::null(), range);
        return;
      }
      emit(Op::push_var, range).c = variable(*expression.variable, range).value_or(0);
      pushed();
      return;
    case ExpressionKind::field:
      emit(Op::push_field, range).b = static_cast<std::uint16_t>(expression.field);
      pushed();
      return;
    case ExpressionKind::call:
      call(expression, CallMode::push_truth, 0);
      return;
    case ExpressionKind::unary:
      if (expression.left == nullptr) break;
      if (expression.op == Operator::logical_not) {
        boolean_value(expression);
        return;
      }
      value(*expression.left);
      emit(Op::unary, expression.op_range).a = static_cast<std::uint8_t>(expression.op);
      return;
    case ExpressionKind::binary:
      if (expression.left == nullptr || expression.right == nullptr) break;
      if (is_boolean(expression.op)) {
        boolean_value(expression);
      } else {
        binary_value(expression);
      }
      return;
    case ExpressionKind::address:
      push(Value::of(expression.text), range);
      return;
    case ExpressionKind::block:
      boolean_value(expression);
      return;
    case ExpressionKind::select:
      x_diagnostics.error("E0317", range, fmt::format("selects are not built yet: `{}`", expression.text),
                          "most of them have a `$` variable");
      break;
    case ExpressionKind::word:
      if (const auto flag = flag_number(expression.text)) {
        push(Value::of(*flag), range);
        return;
      }
      x_diagnostics.error("E0318", range, fmt::format("`{}` means nothing here", expression.text),
                          "a text needs quotes, a variable a `$`");
      break;
    case ExpressionKind::invalid:
      break;
    default:
      x_diagnostics.error("E0318", range, "this cannot stand here as a value");
      break;
  }
  push(Value::null(), range);
}

}  // namespace ser::script
