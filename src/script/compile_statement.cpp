// SPDX-License-Identifier: Apache-2.0
// The compiler: statements.
#include <fmt/format.h>

#include "script/compiler.h"
#include "script/values.h"

namespace ser::script {

namespace {

bool leaves(const Statement& statement) noexcept {
  switch (statement.kind) {
    case StatementKind::break_:
    case StatementKind::return_:
    case StatementKind::exit_:
    case StatementKind::drop_:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Compiler::list(const std::vector<Statement*>& statements, bool last) {
  for (std::size_t i = 0; i < statements.size(); ++i) {
    bool rest_empty = true;
    const Statement* next = nullptr;
    for (std::size_t k = i + 1; k < statements.size(); ++k) {
      if (statements[k]->kind == StatementKind::empty) continue;
      next = statements[k];
      rest_empty = false;
      break;
    }
    statement(*statements[i], last && rest_empty);
    // A closing `return;` after `exit;` is a habit (blocks with #!ifdef need it), not a mistake.
    const bool habit = next != nullptr && leaves(*next) && next == statements.back();
    if (next != nullptr && habit && leaves(*statements[i])) return;
    if (next != nullptr && leaves(*statements[i])) {
      x_diagnostics.warning("W0313", next->range, "this is never reached",
                            fmt::format("the block is left in line {}", statements[i]->range.line));
      return;
    }
  }
}

void Compiler::statement(const Statement& statement, bool last) {
  switch (statement.kind) {
    case StatementKind::empty:
    case StatementKind::invalid:
      break;
    case StatementKind::block:
      list(statement.statements, last);
      break;
    case StatementKind::expression:
      expression_statement(statement);
      break;
    case StatementKind::assignment:
      assignment(statement);
      break;
    case StatementKind::if_:
      if_statement(statement, last);
      break;
    case StatementKind::while_:
      while_statement(statement, last);
      break;
    case StatementKind::switch_:
      switch_statement(statement, last);
      break;
    default:
      leave_statement(statement);
      break;
  }
}

void Compiler::expression_statement(const Statement& statement) {
  const Expression* expression = statement.value;
  if (expression == nullptr || expression->kind == ExpressionKind::invalid) return;
  if (expression->kind == ExpressionKind::call) {
    call(*expression, CallMode::statement, 0);
    return;
  }
  // `word;` is a function called without parentheses when the parser could not know.
  if (expression->kind == ExpressionKind::word) {
    x_diagnostics.error("E0301", expression->range, fmt::format("unknown command `{}`", expression->text));
    return;
  }
  x_diagnostics.warning("W0314", expression->range, "this statement has no effect");
  value(*expression);
  emit(Op::pop, expression->range).c = 1;
  popped();
}

void Compiler::assignment(const Statement& statement) {
  const Expression* target = statement.target;
  const Expression* source = statement.value;
  if (target == nullptr || source == nullptr || target->kind == ExpressionKind::invalid ||
      source->kind == ExpressionKind::invalid) {
    return;
  }
  std::optional<std::uint32_t> index;
  if (target->kind == ExpressionKind::variable) {
    index = variable(*target->variable, target->range);
    if (index && x_program->variables[*index]->set == nullptr) {
      x_diagnostics.error("E0312", target->range, fmt::format("{} is read-only", target->variable->text));
    }
  } else {
    x_diagnostics.error("E0313", target->range, "only a variable can be assigned to");
  }
  if (source->kind == ExpressionKind::string && source->has_format && !x_ser) {
    x_diagnostics.warning("W0321", source->range, "`$` in a text that is assigned is not replaced by values",
                          "join the parts with `+`");
  }
  if (source->kind == ExpressionKind::call) {
    call(*source, CallMode::push_code, 0);
  } else {
    value(*source);
  }
  emit(Op::store, statement.range).c = index.value_or(0);
  popped();
}

void Compiler::if_statement(const Statement& statement, bool last) {
  if (statement.condition == nullptr || statement.body == nullptr) return;
  const Label otherwise = new_label();
  const Label end = new_label();
  if (last) emit(Op::set_result, statement.range).c = integer(1);
  const auto constant = fold(*statement.condition);
  if (constant) {
    x_diagnostics.warning("W0315", statement.condition->range,
                          fmt::format("this condition is always {}", truth_of(*constant) ? "true" : "false"));
  }
  condition(*statement.condition, false, otherwise);
  this->statement(*statement.body, last);
  if (statement.otherwise != nullptr) emit_jump(Op::jump, end, statement.range);
  bind(otherwise);
  if (statement.otherwise != nullptr) this->statement(*statement.otherwise, last);
  bind(end);
}

void Compiler::while_statement(const Statement& statement, bool last) {
  if (statement.condition == nullptr || statement.body == nullptr) return;
  const Label again = new_label();
  const Label end = new_label();
  if (last) emit(Op::set_result, statement.range).c = integer(1);
  emit(Op::while_begin, statement.range);
  pushed();
  x_breaks.push_back({end});
  bind(again);
  condition(*statement.condition, false, end);
  emit_jump(Op::while_check, end, statement.range);
  this->statement(*statement.body, last);
  emit_jump(Op::loop, again, statement.range);
  bind(end);
  emit(Op::pop, statement.range).c = 1;
  popped();
  x_breaks.pop_back();
}

void Compiler::case_label(const Case& one, bool numbers, Label target) {
  const Expression& label = *one.label;
  if (label.kind == ExpressionKind::regex) {
    emit_jump(Op::case_match, target, one.range).c = add_regex(label.text, label);
    return;
  }
  const auto constant = fold(label);
  if (!constant || constant->is_null()) {
    if (label.kind != ExpressionKind::invalid)
      x_diagnostics.error("E0314", label.range, "a case needs a constant");
    return;
  }
  if (constant->is_integer() != numbers) {
    x_diagnostics.error("E0315", label.range, "cases of one switch must be all numbers or all texts");
    return;
  }
  if (numbers) {
    emit_jump(Op::case_int, target, one.range).c = integer(constant->integer);
  } else {
    emit_jump(Op::case_text, target, one.range).c = text(constant->text);
  }
}

void Compiler::switch_statement(const Statement& statement, bool last) {
  if (statement.condition == nullptr) return;
  bool numbers = true;
  for (const Case& one : statement.cases) {
    if (one.label == nullptr) continue;
    const auto constant = fold(*one.label);
    numbers = constant && constant->is_integer();
    break;
  }
  if (last) emit(Op::set_result, statement.range).c = integer(1);
  value(*statement.condition);
  if (numbers) emit(Op::to_int, statement.range);
  const Label end = new_label();
  Label otherwise = end;
  std::vector<Label> labels;
  std::vector<std::int64_t> seen;
  for (const Case& one : statement.cases) {
    labels.push_back(new_label());
    if (one.label == nullptr) {
      otherwise = labels.back();
      continue;
    }
    if (const auto constant = fold(*one.label); constant && constant->is_integer()) {
      for (const std::int64_t old : seen) {
        if (old == constant->integer)
          x_diagnostics.error("E0316", one.label->range, "this case stands here twice");
      }
      seen.push_back(constant->integer);
    }
    case_label(one, numbers, labels.back());
  }
  emit_jump(Op::jump, otherwise, statement.range);
  x_breaks.push_back({end});
  for (std::size_t i = 0; i < statement.cases.size(); ++i) {
    bind(labels[i]);
    list(statement.cases[i].statements, last);
  }
  bind(end);
  emit(Op::pop, statement.range).c = 1;
  popped();
  x_breaks.pop_back();
}

void Compiler::leave_statement(const Statement& statement) {
  const SourceRange& range = statement.range;
  const bool breaks =
      statement.kind == StatementKind::break_ || (x_ser && statement.kind == StatementKind::drop_);
  if (breaks && !x_breaks.empty()) {
    emit_jump(Op::jump, x_breaks.back().label, range);
    return;
  }
  if (breaks) {
    emit(Op::ret, range).c = integer(0);
    return;
  }
  if (statement.kind == StatementKind::drop_) {
    emit(Op::drop, range);
    return;
  }
  const bool is_exit = statement.kind == StatementKind::exit_;
  const std::uint8_t zero_ends = x_ser ? 0 : 1;
  if (statement.value == nullptr) {
    Instruction& made = emit(is_exit ? Op::exit : Op::ret, range);
    made.a = zero_ends;
    made.c = integer(is_exit ? 0 : 1);
    return;
  }
  if (!x_ser && type_of(*statement.value) == Type::string) {
    x_diagnostics.error("E0311", statement.value->range,
                        fmt::format("`{}` needs a number, not a text", is_exit ? "exit" : "return"));
    return;
  }
  if (const auto constant = fold(*statement.value)) {
    Instruction& made = emit(is_exit ? Op::exit : Op::ret, range);
    made.a = zero_ends;
    made.c = integer(integer_of(*constant));
    return;
  }
  value(*statement.value);
  emit(is_exit ? Op::exit_pop : Op::ret_pop, range).a = zero_ends;
  popped();
}

}  // namespace ser::script
