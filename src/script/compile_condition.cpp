// SPDX-License-Identifier: Apache-2.0
// The compiler: conditions, short-circuit logic and what is compared by value.
#include <fmt/format.h>

#include "script/compiler.h"
#include "script/values.h"

namespace ser::script {

namespace {

Operator mirrored(Operator op) noexcept {
  switch (op) {
    case Operator::greater:
      return Operator::less;
    case Operator::less:
      return Operator::greater;
    case Operator::greater_equal:
      return Operator::less_equal;
    case Operator::less_equal:
      return Operator::greater_equal;
    default:
      return op;
  }
}

bool is_empty_text(const Expression& expression) noexcept {
  return expression.kind == ExpressionKind::string && expression.text.empty();
}

bool is_field(const Expression& expression) noexcept {
  return expression.kind == ExpressionKind::field;
}

}  // namespace

void Compiler::place_test(const Instruction& test, bool when, Label target, const SourceRange& range) {
  Instruction& made = emit_jump(test.op, target, range);
  made.a = when ? 1 : 0;
  made.b = test.b;
  made.c = test.c;
  made.d = test.d;
}

void Compiler::condition(const Expression& expression, bool when, Label target) {
  if (const auto constant = fold(expression)) {
    (void)check_types(expression);
    if (truth_of(*constant) == when) emit_jump(Op::jump, target, expression.range);
    return;
  }
  switch (expression.kind) {
    case ExpressionKind::unary:
      if (expression.op == Operator::logical_not && expression.left != nullptr) {
        condition(*expression.left, !when, target);
        return;
      }
      break;
    case ExpressionKind::binary: {
      if (expression.left == nullptr || expression.right == nullptr) return;
      const bool is_and = expression.op == Operator::logical_and;
      if (is_and || expression.op == Operator::logical_or) {
        // `a && b` is left early by a false a, `a || b` by a true one.
        if (when != is_and) {
          condition(*expression.left, when, target);
          condition(*expression.right, when, target);
        } else {
          const Label skip = new_label();
          condition(*expression.left, !when, skip);
          condition(*expression.right, when, target);
          bind(skip);
        }
        return;
      }
      if (is_comparison(expression.op)) {
        comparison(expression, when, target);
        return;
      }
      break;
    }
    case ExpressionKind::call:
      call(expression, when ? CallMode::jump_true : CallMode::jump_false, target);
      return;
    case ExpressionKind::block:
      if (expression.body == nullptr) return;
      statement(*expression.body, true);
      emit_jump(Op::jump_result, target, expression.range).a = when ? 1 : 0;
      return;
    case ExpressionKind::invalid:
      return;
    default:
      break;
  }
  value(expression);
  emit_jump(Op::jump_if, target, expression.range).a = when ? 1 : 0;
  popped();
}

void Compiler::warn_traps(const Expression& expression) {
  const Expression& left = *expression.left;
  const Expression& right = *expression.right;
  const bool call_left = left.kind == ExpressionKind::call;
  const bool call_right = right.kind == ExpressionKind::call;
  if (!call_left && !call_right) return;
  const auto constant = fold(call_left ? right : left);
  if (!constant || !constant->is_integer()) return;
  x_diagnostics.warning("W0320", expression.range,
                        "the answer of a function is only true (1) or false (0) here, not its return code",
                        "call it first and compare $rc");
}

void Compiler::comparison(const Expression& expression, bool when, Label target) {
  const Expression& left = *expression.left;
  const Expression& right = *expression.right;
  if (left.kind == ExpressionKind::invalid || right.kind == ExpressionKind::invalid) return;
  if (is_field(left)) {
    field_comparison(expression, left.field, expression.op, right, when, target);
    return;
  }
  if (is_field(right)) {
    field_comparison(expression, right.field, mirrored(expression.op), left, when, target);
    return;
  }
  warn_traps(expression);
  if (!check_types(expression)) return;
  if (variable_comparison(expression, when, target)) return;
  const bool negated = expression.op == Operator::not_equal || expression.op == Operator::not_match;
  if (is_null_constant(right) && (expression.op == Operator::equal || expression.op == Operator::not_equal)) {
    // `x == $null` asks whether x is defined, whatever its type.
    value(left);
    emit(Op::unary, expression.op_range).a = static_cast<std::uint8_t>(Operator::defined);
    emit_jump(Op::jump_if, target, expression.range).a = (when != negated) ? 0 : 1;
    popped();
    return;
  }
  if (expression.op == Operator::match || expression.op == Operator::not_match) {
    if (const auto pattern = fold(right); pattern && pattern->is_string()) {
      value(left);
      emit(Op::match, expression.op_range).c = add_regex(pattern->text, right);
      emit_jump(Op::jump_if, target, expression.range).a = (when != negated) ? 1 : 0;
      popped();
      return;
    }
  }
  Operator op = expression.op;
  if (is_empty_text(right)) {
    // `x == ""` asks whether x is empty as a text: the number 0 is not.
    if (op == Operator::equal) op = Operator::string_equal;
    if (op == Operator::not_equal) op = Operator::string_not_equal;
  }
  value(left);
  value(right);
  emit(Op::binary, expression.op_range).a = static_cast<std::uint8_t>(op);
  popped();
  emit_jump(Op::jump_if, target, expression.range).a = when ? 1 : 0;
  popped();
}

bool Compiler::variable_comparison(const Expression& whole, bool when, Label target) {
  const Expression& left = *whole.left;
  const Expression& right = *whole.right;
  if (left.kind != ExpressionKind::variable || is_null_constant(left)) return false;
  const bool negated = whole.op == Operator::not_equal || whole.op == Operator::not_match;
  const bool equality = whole.op == Operator::equal || whole.op == Operator::not_equal;
  const bool matching = whole.op == Operator::match || whole.op == Operator::not_match;
  if (!equality && !matching) return false;
  Instruction test;
  if (equality && is_null_constant(right)) {
    test.op = Op::test_null;
  } else {
    const auto constant = fold(right);
    if (!constant || (matching && !constant->is_string())) return false;
    if (matching) {
      test.op = Op::test_var_match;
      test.d = add_regex(constant->text, right);
    } else if (constant->is_string()) {
      test.op = Op::test_var_text;
      test.d = text(constant->text);
    } else {
      test.op = Op::test_var_int;
      test.d = integer(constant->integer);
    }
  }
  test.c = variable(*left.variable, left.range).value_or(0);
  place_test(test, when != negated, target, whole.range);
  return true;
}

}  // namespace ser::script
