// SPDX-License-Identifier: Apache-2.0
// Statements of route blocks.
#include <fmt/format.h>

#include "script/parser_state.h"

namespace ser::script {
namespace {

constexpr std::string_view kStatementWords[] = {"if",     "else", "while", "switch", "case", "default",
                                                "return", "exit", "drop",  "break",  "route"};

bool is_else_if(std::string_view word) noexcept {
  return word == "elseif" || word == "elsif" || word == "elif";
}

}  // namespace

Statement* Parser::new_statement(StatementKind kind) {
  Statement* node = x_ast.new_statement();
  node->kind = kind;
  node->range = peek().range;
  return node;
}

/// `{ … }`; the parser stands at the brace. Never null.
Statement* Parser::parse_block() {
  Statement* block = new_statement(StatementKind::block);
  const SourceRange open = take().range;
  for (;;) {
    if (x_unwinding) return block;
    if (at(TokenKind::right_brace)) {
      block->end = take().range;
      return block;
    }
    if (at(TokenKind::end) || (at_item_start() && first_on_line())) {
      x_failed = false;
      fail("E0204", open, "this `{` is not closed",
           at(TokenKind::end)
               ? std::string("`}` is missing at the end of the file")
               : fmt::format("`}}` is missing before `{}` in line {}", peek().text, peek().range.line));
      x_failed = false;
      x_unwinding = true;
      return block;
    }
    Statement* statement = parse_statement();
    if (statement->kind != StatementKind::empty) block->statements.push_back(statement);
    if (x_failed) recover_statement();
  }
}

/// One statement with its `;`. After an error x_failed is set and the caller goes on behind the statement.
Statement* Parser::parse_statement() {
  Statement* node = new_statement(StatementKind::invalid);
  if (x_depth >= kMaxNesting) {
    fail("E0213", peek().range, "statements are nested too deeply",
         fmt::format("at most {} levels; move parts into route blocks", kMaxNesting));
    return node;
  }
  ++x_depth;
  Statement* result = node;
  if (accept(TokenKind::semicolon)) {
    node->kind = StatementKind::empty;
  } else if (at(TokenKind::left_brace)) {
    result = parse_block();
    accept(TokenKind::semicolon);
  } else {
    result = parse_simple(node);
  }
  --x_depth;
  return result;
}

Statement* Parser::parse_simple(Statement* node) {
  if (!at(TokenKind::identifier)) return parse_command(node);
  const std::string_view word = peek().text;
  if (word == "if") return parse_if(node);
  if (word == "switch") return parse_switch(node);
  if (word == "break") return parse_leave(node, StatementKind::break_);
  if (word == "return") return parse_leave(node, StatementKind::return_);
  if (word == "exit") return parse_leave(node, StatementKind::exit_);
  if (word == "drop") return parse_leave(node, StatementKind::drop_);
  if (word == "while") {
    take();
    node->kind = StatementKind::while_;
    node->condition = parse_condition("while");
    if (x_failed || x_unwinding) return node;
    node->body = parse_statement();
    return node;
  }
  if (word == "else" || is_else_if(word)) {
    const bool after_semicolon = x_at != 0 && previous().kind == TokenKind::semicolon;
    fail("E0208", peek().range, fmt::format("`{}` without `if`", word),
         after_semicolon ? "a `;` before `else` ends the `if`"
                         : "more than one statement before `else` needs `{ }`");
    // What follows it can be read as a statement of its own.
    take();
    x_failed = false;
    node->kind = StatementKind::empty;
    return node;
  }
  if ((word == "case" || word == "default") && peek(1).kind != TokenKind::left_paren) {
    fail("E0208", peek().range, fmt::format("`{}` outside of `switch`", word));
    return node;
  }
  return parse_command(node);
}

/// `( expression )`. After an error goes on behind the matching `)`, so that the body is read.
Expression* Parser::parse_condition(std::string_view keyword) {
  if (!at(TokenKind::left_paren)) {
    expect(TokenKind::left_paren, fmt::format("after `{}`", keyword));
    return invalid();
  }
  const std::size_t begin = x_at;
  take();
  Expression* condition = parse_expression();
  if (!x_failed && at(TokenKind::assign)) {
    fail("E0207", peek().range, "`=` assigns, it does not compare", "write `==`");
  }
  if (!x_failed) expect(TokenKind::right_paren, "after the condition");
  if (!x_failed) return condition;
  // Parentheses opened so far, inside of which the error may be.
  unsigned depth = 0;
  for (std::size_t i = begin; i < x_at; ++i) {
    if (x_tokens[i].kind == TokenKind::left_paren) ++depth;
    if (x_tokens[i].kind == TokenKind::right_paren) --depth;
  }
  while (depth != 0 && !at(TokenKind::end) && !at(TokenKind::left_brace) && !at(TokenKind::semicolon) &&
         !at(TokenKind::right_brace)) {
    const TokenKind kind = take().kind;
    if (kind == TokenKind::left_paren) ++depth;
    if (kind == TokenKind::right_paren) --depth;
  }
  x_failed = at(TokenKind::end);
  return invalid();
}

Statement* Parser::parse_if(Statement* node) {
  const unsigned else_ifs = x_else_ifs;
  Statement* current = node;
  for (;;) {
    take();
    current->kind = StatementKind::if_;
    current->condition = parse_condition("if");
    if (x_failed || x_unwinding) break;
    current->body = parse_statement();
    if (x_failed) recover_statement();
    if (x_unwinding) break;
    const bool joined = at(TokenKind::identifier) && is_else_if(peek().text);
    if (joined) {
      x_diagnostics.error("E0208", peek().range, fmt::format("unknown word `{}`", peek().text),
                          "write `else if`");
    } else if (!at_word("else")) {
      break;
    } else {
      take();
    }
    if (!joined && !at_word("if")) {
      current->otherwise = parse_statement();
      break;
    }
    if (++x_else_ifs > kMaxElseIf) {
      fail("E0213", peek().range, "too many `else if`", "use `switch`, or several route blocks");
      break;
    }
    current->otherwise = new_statement(StatementKind::invalid);
    current = current->otherwise;
  }
  x_else_ifs = else_ifs;
  return node;
}

Statement* Parser::parse_switch(Statement* node) {
  take();
  node->kind = StatementKind::switch_;
  node->condition = parse_condition("switch");
  if (x_failed || !expect(TokenKind::left_brace, "after `switch (…)`")) return node;
  const SourceRange open = previous().range;
  while (!at(TokenKind::right_brace)) {
    if (at(TokenKind::end) || (at_item_start() && first_on_line())) {
      fail("E0204", open, "this `{` is not closed");
      x_failed = false;
      x_unwinding = true;
      return node;
    }
    const bool is_default = at_word("default") && peek(1).kind == TokenKind::colon;
    if (at_word("case") || is_default) {
      Case& one = node->cases.emplace_back();
      one.range = take().range;
      if (!is_default) one.label = parse_expression();
      if (!x_failed) expect(TokenKind::colon, is_default ? "after `default`" : "after the value of `case`");
      if (x_failed) recover_statement();
      continue;
    }
    if (node->cases.empty()) {
      fail("E0208", peek().range, fmt::format("`case` expected, found {}", describe(peek())));
      recover_statement();
      if (x_unwinding) return node;
      continue;
    }
    Statement* statement = parse_statement();
    if (statement->kind != StatementKind::empty) node->cases.back().statements.push_back(statement);
    if (x_failed) recover_statement();
    if (x_unwinding) return node;
  }
  node->end = take().range;
  return node;
}

/// `return`, `exit`, `drop`, `break`, each alone, with `()` or with a value.
Statement* Parser::parse_leave(Statement* node, StatementKind kind) {
  take();
  node->kind = kind;
  if (at(TokenKind::left_paren) && peek(1).kind == TokenKind::right_paren) {
    take();
    take();
  } else if (!at(TokenKind::semicolon) && !at(TokenKind::right_brace) && !first_on_line()) {
    if (kind == StatementKind::break_) {
      expect(TokenKind::semicolon, "after `break`");
      return node;
    }
    node->value = parse_expression();
  }
  finish_statement();
  return node;
}

Statement* Parser::parse_command(Statement* node) {
  const Token& first = peek();
  if (first.kind == TokenKind::identifier && peek(1).kind == TokenKind::assign) {
    fail("E0209", first.range, fmt::format("`{}` cannot be assigned to", first.text),
         "settings stand outside of route blocks; variables begin with `$`");
    return node;
  }
  if (first.kind != TokenKind::identifier && first.kind != TokenKind::variable &&
      first.kind != TokenKind::select && first.kind != TokenKind::left_paren &&
      first.kind != TokenKind::bang) {
    fail("E0209", first.range, fmt::format("a statement expected, found {}", describe(first)));
    return node;
  }
  Expression* value = first.kind == TokenKind::variable ? parse_variable_token() : nullptr;
  if (value != nullptr && at(TokenKind::assign)) {
    take();
    node->kind = StatementKind::assignment;
    node->target = value;
    node->value = parse_expression();
    finish_statement();
    return node;
  }
  if (value != nullptr) {
    if (!x_failed) fail("E0209", first.range, "a variable alone does nothing", "assign to it: `$x = value;`");
    return node;
  }
  node->kind = StatementKind::expression;
  node->value = parse_expression();
  node->range = node->value->range;
  if (!x_failed && at(TokenKind::left_brace) && first.kind == TokenKind::identifier) {
    fail("E0209", first.range, fmt::format("`{}` is not a statement with a block", first.text),
         conf::did_you_mean(first.text, kStatementWords));
    x_failed = false;  // its block is read as one of its own
    return node;
  }
  finish_statement();
  return node;
}

/// The `;`. One that is missing is reported and taken as if it were there.
void Parser::finish_statement() {
  if (x_failed || accept(TokenKind::semicolon)) return;
  // SER lets the last command of a block go without.
  if (ser() && at(TokenKind::right_brace)) return;
  if (at(TokenKind::right_brace) || first_on_line()) {
    x_diagnostics.error("E0201", behind_previous(), "`;` is missing");
    return;
  }
  expect(TokenKind::semicolon, "after a statement");
}

void Parser::skip_braces() {
  unsigned depth = 0;
  while (!at(TokenKind::end) && !(at_item_start() && first_on_line())) {
    const TokenKind kind = take().kind;
    if (kind == TokenKind::left_brace) ++depth;
    if (kind == TokenKind::right_brace && --depth == 0) return;
  }
}

/// Goes on behind the next `;`, before a `}`, or where a new item or a keyword of a statement begins a line.
void Parser::recover_statement() {
  x_failed = false;
  while (!at(TokenKind::end) && !at(TokenKind::right_brace)) {
    if (at_item_start() && first_on_line()) return;
    if (at(TokenKind::left_brace)) {
      skip_braces();
      return;
    }
    if (take().kind == TokenKind::semicolon) return;
    if (!first_on_line() || !at(TokenKind::identifier)) continue;
    for (const std::string_view word : kStatementWords) {
      if (peek().text == word && word != "route") return;
    }
  }
}

}  // namespace ser::script
