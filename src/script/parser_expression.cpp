// SPDX-License-Identifier: Apache-2.0
// Expressions by precedence climbing, with the precedences of both dialects.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "script/parser.h"
#include "script/parser_state.h"

namespace ser::script {
namespace {

constexpr int kComparison = 8;
constexpr int kProduct = 11;
constexpr int kTightest = 12;

struct BinaryOperator {
  Operator op = Operator::none;
  int level = 0;
};

BinaryOperator word_operator(std::string_view word, bool ser) noexcept {
  if (word == "or") return {Operator::logical_or, 1};
  if (word == "and") return {Operator::logical_and, 2};
  if (ser) return {};
  if (word == "eq") return {Operator::string_equal, kComparison};
  if (word == "ne") return {Operator::string_not_equal, kComparison};
  if (word == "ieq") return {Operator::int_equal, kComparison};
  if (word == "ine") return {Operator::int_not_equal, kComparison};
  if (word == "mod") return {Operator::modulo, kProduct};
  return {};
}

/// Level 1 binds weakest; Kamailio's order, where `^` binds tighter than `&`, and shifts weaker than
/// comparisons. In SER `|` and `&` are the logical operators.
BinaryOperator binary_operator(const Token& token, bool ser) noexcept {
  switch (token.kind) {
    case TokenKind::logical_or:
      return {Operator::logical_or, 1};
    case TokenKind::logical_and:
      return {Operator::logical_and, 2};
    case TokenKind::pipe:
      return ser ? BinaryOperator{Operator::logical_or, 1} : BinaryOperator{Operator::bit_or, 3};
    case TokenKind::ampersand:
      return ser ? BinaryOperator{Operator::logical_and, 2} : BinaryOperator{Operator::bit_and, 4};
    case TokenKind::caret:
      return {Operator::bit_xor, 5};
    case TokenKind::shift_left:
      return {Operator::shift_left, 6};
    case TokenKind::shift_right:
      return {Operator::shift_right, 7};
    case TokenKind::equal:
      return {Operator::equal, kComparison};
    case TokenKind::not_equal:
      return {Operator::not_equal, kComparison};
    case TokenKind::match:
      return {Operator::match, kComparison};
    case TokenKind::not_match:
      return {Operator::not_match, kComparison};
    case TokenKind::greater:
      return {Operator::greater, 9};
    case TokenKind::less:
      return {Operator::less, 9};
    case TokenKind::greater_equal:
      return {Operator::greater_equal, 9};
    case TokenKind::less_equal:
      return {Operator::less_equal, 9};
    case TokenKind::plus:
      return {Operator::add, 10};
    case TokenKind::minus:
      return {Operator::subtract, 10};
    case TokenKind::star:
      return {Operator::multiply, kProduct};
    case TokenKind::slash:
      return {Operator::divide, kProduct};
    case TokenKind::percent:
      return {Operator::modulo, kProduct};
    case TokenKind::identifier:
      return word_operator(token.text, ser);
    default:
      return {};
  }
}

}  // namespace

Expression* Parser::new_expression(ExpressionKind kind) {
  Expression* node = x_ast.new_expression();
  node->kind = kind;
  node->range = peek().range;
  return node;
}

Expression* Parser::invalid() {
  return new_expression(ExpressionKind::invalid);
}

Expression* Parser::make_binary(Operator op, const SourceRange& op_range, Expression* left,
                                Expression* right) {
  Expression* node = x_ast.new_expression();
  node->kind = ExpressionKind::binary;
  node->op = op;
  node->op_range = op_range;
  node->left = left;
  node->right = right;
  node->range = join(left->range, right->range);
  node->depth = static_cast<std::uint16_t>(std::max(left->depth, right->depth) + 1);
  if (node->depth > kMaxExpression) {
    fail("E0213", op_range, "the expression is too long",
         fmt::format("at most {} operators in a row", kMaxExpression));
  }
  return node;
}

Expression* Parser::parse_expression() {
  return parse_binary(1);
}

Expression* Parser::parse_binary(int lowest) {
  Expression* left = parse_unary();
  while (!x_failed) {
    const BinaryOperator found = binary_operator(peek(), ser());
    if (found.op == Operator::none || found.level < lowest) break;
    const SourceRange op_range = take().range;
    Expression* right = parse_binary(found.level + 1);
    left = make_binary(found.op, op_range, left, right);
  }
  return left;
}

Expression* Parser::parse_unary() {
  if (x_depth >= kMaxNesting) {
    fail("E0213", peek().range, "the expression is nested too deeply",
         fmt::format("at most {} levels", kMaxNesting));
    return invalid();
  }
  ++x_depth;
  Operator op = Operator::none;
  if (at(TokenKind::bang) || at_word("not")) {
    op = Operator::logical_not;
  } else if (at(TokenKind::minus)) {
    op = Operator::negate;
  } else if (at(TokenKind::tilde)) {
    op = Operator::bit_not;
  } else if (at_word("defined") && !ser()) {
    op = Operator::defined;
  } else if (at_word("strempty") && peek(1).kind == TokenKind::left_paren) {
    op = Operator::strempty;
  } else if (at_word("strlen") && peek(1).kind == TokenKind::left_paren) {
    op = Operator::strlen;
  } else if (at(TokenKind::left_paren) && peek(2).kind == TokenKind::right_paren &&
             peek(1).kind == TokenKind::identifier && (peek(1).text == "int" || peek(1).text == "str")) {
    op = peek(1).text == "int" ? Operator::to_int : Operator::to_string;
  }
  Expression* node = op == Operator::none ? parse_primary(true) : parse_unary_operator(op);
  --x_depth;
  return node;
}

Expression* Parser::parse_unary_operator(Operator op) {
  Expression* node = new_expression(ExpressionKind::unary);
  node->op = op;
  node->op_range = take().range;
  if (op == Operator::to_int || op == Operator::to_string) {
    take();
    take();
  }
  // A number with its sign is one literal.
  if (op == Operator::negate && at(TokenKind::integer)) {
    node->kind = ExpressionKind::integer;
    node->op = Operator::none;
    node->range = join(node->range, peek().range);
    node->number = -take().number;
    return node;
  }
  // SER's `not` takes a whole comparison, Kamailio's the next operand.
  node->left = parse_binary(op == Operator::logical_not && ser() ? kComparison : kTightest);
  node->range = join(node->range, node->left->range);
  node->depth = static_cast<std::uint16_t>(node->left->depth + 1);
  return node;
}

Expression* Parser::parse_primary(bool may_compare) {
  switch (peek().kind) {
    case TokenKind::integer: {
      Expression* node = new_expression(ExpressionKind::integer);
      node->number = take().number;
      return node;
    }
    case TokenKind::string:
      return parse_string();
    case TokenKind::variable:
      return parse_variable_token();
    case TokenKind::select:
    case TokenKind::regex: {
      Expression* node =
          new_expression(at(TokenKind::regex) ? ExpressionKind::regex : ExpressionKind::select);
      node->text = take().text;
      return node;
    }
    case TokenKind::address:
    case TokenKind::left_bracket:
      return parse_address();
    case TokenKind::left_paren:
      return parse_parenthesised();
    case TokenKind::identifier:
      return parse_word(may_compare);
    case TokenKind::left_brace:
      if (ser()) {
        Expression* node = new_expression(ExpressionKind::block);
        node->body = parse_block();
        return node;
      }
      break;
    default:
      break;
  }
  const bool gap = first_on_line() && x_at != 0;
  const bool at_assign = at(TokenKind::assign);
  fail("E0214", gap ? behind_previous() : peek().range,
       fmt::format("an expression expected, found {}", describe(peek())), at_assign ? "`==` compares" : "");
  return invalid();
}

Expression* Parser::parse_parenthesised() {
  const SourceRange open = take().range;
  Expression* node = parse_expression();
  if (!x_failed && at(TokenKind::assign))
    fail("E0207", peek().range, "`=` assigns, it does not compare", "write `==`");
  if (!x_failed && !at(TokenKind::right_paren)) {
    const bool gap = first_on_line();
    fail("E0201", gap ? behind_previous() : peek().range,
         fmt::format("`)` expected, found {}", describe(peek())),
         fmt::format("the `(` stands in line {}, column {}", open.line, open.column));
  }
  if (x_failed) return node;
  node->range = join(open, take().range);
  if (node->kind != ExpressionKind::call) node->parenthesised = true;
  return node;
}

Expression* Parser::parse_string() {
  Expression* node = new_expression(ExpressionKind::string);
  node->raw = peek().raw;
  node->single_quoted = peek().single_quoted;
  node->text = string_value();
  node->has_format = node->text.find('$') != std::string_view::npos;
  node->range = join(node->range, previous().range);
  return node;
}

Expression* Parser::parse_variable_token() {
  Expression* node = new_expression(ExpressionKind::variable);
  const Token& token = take();
  node->text = token.text;
  node->variable = script::parse_variable(token.text, x_ast);
  if (node->variable != nullptr) return node;
  node->kind = ExpressionKind::invalid;
  fail("E0106", token.range, fmt::format("`{}` is not a variable", token.text),
       "variables are written `$name`, `$name(inner)` or `$(name(inner){transformation})`");
  return node;
}

/// An address, `[IPv6]`, or a network: `10.0.0.0/8`, `10.0.0.0/255.0.0.0`.
Expression* Parser::parse_address() {
  Expression* node = new_expression(ExpressionKind::address);
  if (accept(TokenKind::left_bracket)) {
    if (!at(TokenKind::address)) {
      fail("E0210", peek().range,
           fmt::format("an IPv6 address expected after `[`, found {}", describe(peek())));
      return node;
    }
    node->text = take().text;
    if (!expect(TokenKind::right_bracket, "after the IPv6 address")) return node;
  } else {
    node->text = take().text;
  }
  if (at(TokenKind::slash) && (peek(1).kind == TokenKind::integer || peek(1).kind == TokenKind::address)) {
    take();
    node->kind = ExpressionKind::network;
    node->raw = take().text;
  }
  node->range = join(node->range, previous().range);
  return node;
}

}  // namespace ser::script
