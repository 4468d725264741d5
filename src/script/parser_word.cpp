// SPDX-License-Identifier: Apache-2.0
// Expressions that begin with a word: calls with their arguments, fields of the core, host names.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "script/parser_state.h"

namespace ser::script {
namespace {

struct FieldWord {
  std::string_view word;
  CoreField field;
};
constexpr std::array<FieldWord, 24> kFields{{
    {"method", CoreField::method},     {"uri", CoreField::uri},
    {"from_uri", CoreField::from_uri}, {"to_uri", CoreField::to_uri},
    {"src_ip", CoreField::src_ip},     {"SRC_IP", CoreField::src_ip},
    {"dst_ip", CoreField::dst_ip},     {"DST_IP", CoreField::dst_ip},
    {"src_port", CoreField::src_port}, {"SRC_PORT", CoreField::src_port},
    {"dst_port", CoreField::dst_port}, {"DST_PORT", CoreField::dst_port},
    {"proto", CoreField::proto},       {"af", CoreField::af},
    {"status", CoreField::status},     {"snd_ip", CoreField::snd_ip},
    {"snd_port", CoreField::snd_port}, {"snd_proto", CoreField::snd_proto},
    {"snd_af", CoreField::snd_af},     {"to_proto", CoreField::snd_proto},
    {"to_af", CoreField::snd_af},      {"to_ip", CoreField::to_ip},
    {"to_port", CoreField::to_port},   {"PROTO", CoreField::proto},
}};

const FieldWord* find_field(std::string_view word) noexcept {
  const auto found =
      std::find_if(kFields.begin(), kFields.end(), [word](const FieldWord& one) { return one.word == word; });
  return found == kFields.end() ? nullptr : &*found;
}

Operator comparison(TokenKind kind) noexcept {
  switch (kind) {
    case TokenKind::equal:
      return Operator::equal;
    case TokenKind::not_equal:
      return Operator::not_equal;
    case TokenKind::match:
      return Operator::match;
    case TokenKind::not_match:
      return Operator::not_match;
    case TokenKind::greater:
      return Operator::greater;
    case TokenKind::less:
      return Operator::less;
    case TokenKind::greater_equal:
      return Operator::greater_equal;
    case TokenKind::less_equal:
      return Operator::less_equal;
    default:
      return Operator::none;
  }
}

}  // namespace

Expression* Parser::parse_word(bool may_compare) {
  if (peek(1).kind == TokenKind::left_paren) return parse_call();
  const std::string_view word = peek().text;
  if (find_field(word) != nullptr || word == "myself" || word == "MYSELF" || word == "max_len" ||
      word == "MAX_LEN" || (word == "msg" && peek(1).kind == TokenKind::colon)) {
    return parse_field(may_compare);
  }
  Expression* node = new_expression(ExpressionKind::word);
  node->text = joined_word();
  node->range = join(node->range, previous().range);
  return node;
}

/// A field of the core with what it is compared to. The comparison binds tighter than anything around it: in
/// both dialects
/// `!uri==myself` is not(uri==myself).
Expression* Parser::parse_field(bool may_compare) {
  Expression* node = new_expression(ExpressionKind::field);
  const Token& token = take();
  if (token.text == "myself" || token.text == "MYSELF") {
    node->kind = ExpressionKind::myself;
  } else if (token.text == "max_len" || token.text == "MAX_LEN") {
    node->kind = ExpressionKind::max_len;
  } else if (token.text == "msg") {
    take();
    if (!at_word("len")) {
      fail("E0214", peek().range, "only `msg:len` exists", "write `msg:len`");
      return node;
    }
    take();
    node->field = CoreField::msg_len;
  } else {
    node->field = find_field(token.text)->field;
  }
  node->text = token.text;
  node->range = join(node->range, previous().range);
  return may_compare ? compare_field(node) : node;
}

Expression* Parser::compare_field(Expression* field) {
  const Operator op = comparison(peek().kind);
  if (op == Operator::none) return field;
  const SourceRange op_range = take().range;
  Expression* right = nullptr;
  if (at(TokenKind::minus) || at(TokenKind::plus) || ser()) {
    right = at(TokenKind::minus) ? parse_unary() : parse_primary(false);
  } else {
    right = parse_primary(false);
    // `method == "A" + $var(x)`: sums bind tighter than the comparison.
    while (!x_failed && at(TokenKind::plus)) {
      const SourceRange plus = take().range;
      right = make_binary(Operator::add, plus, right, parse_primary(false));
    }
  }
  return make_binary(op, op_range, field, right);
}

Expression* Parser::parse_call() {
  Expression* node = new_expression(ExpressionKind::call);
  node->parenthesised = true;
  const Token& name = take();
  node->text = name.text;
  const SourceRange open = take().range;
  while (!at(TokenKind::right_paren)) {
    Expression* argument = parse_argument();
    node->arguments.push_back(argument);
    node->depth = std::max(node->depth, static_cast<std::uint16_t>(argument->depth + 1));
    if (x_failed) return node;
    if (accept(TokenKind::comma)) {
      if (at(TokenKind::right_paren)) {
        fail("E0214", peek().range, "an argument is missing after `,`");
        return node;
      }
      continue;
    }
    if (!at(TokenKind::right_paren)) {
      const bool gap = first_on_line();
      fail("E0201", gap ? behind_previous() : peek().range,
           fmt::format("`,` or `)` expected in the arguments of `{}`, found {}", name.text, describe(peek())),
           gap ? fmt::format("the `(` stands in line {}, column {}", open.line, open.column) : std::string());
      return node;
    }
  }
  node->range = join(name.range, take().range);
  return node;
}

/// An argument: an expression, or one of the bare forms `udp:host:port`, `host:port`, `uri:host`, `uri:port`.
Expression* Parser::parse_argument() {
  const bool touching = peek(1).kind == TokenKind::colon && !peek(1).space_before;
  if (at_word("uri") && touching && peek(2).kind == TokenKind::identifier) {
    Expression* node = new_expression(ExpressionKind::word);
    take();
    take();
    node->text = at_word("host")   ? std::string_view("uri:host")
                 : at_word("port") ? std::string_view("uri:port")
                                   : "";
    if (node->text.empty()) fail("E0214", peek().range, "only `uri:host` and `uri:port` exist");
    node->range = join(node->range, take().range);
    return node;
  }
  const bool address = at(TokenKind::address) && touching;
  if (!at_protocol() && !address) {
    // An empty argument, as in `f(,1)`, is an error of its own.
    if (at(TokenKind::comma)) {
      fail("E0214", peek().range, "an argument is missing before `,`");
      return invalid();
    }
    return parse_expression();
  }
  Expression* node = new_expression(ExpressionKind::socket);
  node->socket = parse_socket();
  node->range = node->socket->range;
  return node;
}

}  // namespace ser::script
