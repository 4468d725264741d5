// SPDX-License-Identifier: Apache-2.0
// The expressions of `#!ifexp`.
#include <fmt/format.h>

#include "script/preprocessor.h"

namespace ser::script {
namespace {

/// A number or a string. Undefined names are the number 0.
struct Value {
  bool is_text = false;
  std::int64_t number = 0;
  std::string text;

  bool truth() const { return is_text ? !text.empty() : number != 0; }
};

Value number(std::int64_t n) {
  return {false, n, {}};
}

int compare(const Value& a, const Value& b) {
  if (a.is_text != b.is_text) return a.is_text ? 1 : -1;
  if (a.is_text) return a.text.compare(b.text);
  return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
}

/// Wraps as the machine does; defined for all operands.
std::int64_t wrap(std::uint64_t n) {
  return static_cast<std::int64_t>(n);
}

int precedence(const Token& token) {
  switch (token.kind) {
    case TokenKind::logical_or:
      return 1;
    case TokenKind::logical_and:
      return 2;
    case TokenKind::equal:
    case TokenKind::not_equal:
      return 3;
    case TokenKind::less:
    case TokenKind::greater:
    case TokenKind::less_equal:
    case TokenKind::greater_equal:
      return 4;
    case TokenKind::plus:
    case TokenKind::minus:
      return 5;
    case TokenKind::star:
    case TokenKind::slash:
      return 6;
    default:
      return 0;
  }
}

/// Precedence climbing over the tokens of one line. `Resolve(name, value)` says whether a name is defined and
/// its text.
template <class Resolve>
class Evaluator {
 public:
  Evaluator(Lexer& lexer, Resolve resolve) : x_lexer(lexer), x_resolve(resolve) { step(); }

  Value run() {
    Value value = binary(1);
    if (x_token.kind != TokenKind::end) fail("what follows the expression is not understood");
    return value;
  }
  const char* problem() const { return x_problem; }

 private:
  void step() { x_token = x_lexer.next(); }
  void fail(const char* problem) {
    if (x_problem == nullptr) x_problem = problem;
  }

  Value binary(int lowest) {
    Value left = unary();
    for (int level = precedence(x_token); level >= lowest && x_problem == nullptr;
         level = precedence(x_token)) {
      const TokenKind op = x_token.kind;
      step();
      const Value right = binary(level + 1);
      left = apply(op, left, right);
    }
    return left;
  }

  Value apply(TokenKind op, const Value& a, const Value& b) {
    const auto x = static_cast<std::uint64_t>(a.number);
    const auto y = static_cast<std::uint64_t>(b.number);
    switch (op) {
      case TokenKind::logical_or:
        return number(a.truth() || b.truth());
      case TokenKind::logical_and:
        return number(a.truth() && b.truth());
      case TokenKind::equal:
        return number(compare(a, b) == 0);
      case TokenKind::not_equal:
        return number(compare(a, b) != 0);
      case TokenKind::less:
        return number(compare(a, b) < 0);
      case TokenKind::greater:
        return number(compare(a, b) > 0);
      case TokenKind::less_equal:
        return number(compare(a, b) <= 0);
      case TokenKind::greater_equal:
        return number(compare(a, b) >= 0);
      default:
        break;
    }
    if (op == TokenKind::plus && a.is_text && b.is_text && a.text.size() + b.text.size() < 65536) {
      return {true, 0, a.text + b.text};
    }
    if (a.is_text || b.is_text) {
      fail("numbers and strings do not mix in arithmetic");
      return {};
    }
    if (op == TokenKind::plus) return number(wrap(x + y));
    if (op == TokenKind::minus) return number(wrap(x - y));
    if (op == TokenKind::star) return number(wrap(x * y));
    if (b.number == 0) fail("division by zero");
    if (b.number == 0) return {};
    return number(b.number == -1 ? wrap(0 - x) : a.number / b.number);
  }

  Value unary() {
    if (++x_depth > 100) fail("it is nested too deeply");
    Value result;
    const Token token = x_token;
    if (x_problem == nullptr && token.kind == TokenKind::bang) {
      step();
      result = number(!unary().truth());
    } else if (x_problem == nullptr && token.kind == TokenKind::minus) {
      step();
      result = number(wrap(0 - static_cast<std::uint64_t>(unary().number)));
    } else if (x_problem == nullptr) {
      step();
      result = primary(token);
    }
    --x_depth;
    return result;
  }

  Value primary(const Token& token) {
    switch (token.kind) {
      case TokenKind::integer:
        return number(token.number);
      case TokenKind::string:
        return {true, 0, std::string(token.text)};
      case TokenKind::left_paren: {
        Value inside = binary(1);
        if (x_token.kind != TokenKind::right_paren) fail("`)` is missing");
        step();
        return inside;
      }
      case TokenKind::identifier:
        break;
      default:
        fail("a number, a string or a name is missing");
        return {};
    }
    std::string_view text;
    if (token.text == "defined") {
      const bool paren = x_token.kind == TokenKind::left_paren;
      if (paren) step();
      if (x_token.kind != TokenKind::identifier) fail("`defined` needs a name");
      const bool defined = x_resolve(x_token.text, text);
      step();
      if (paren && x_token.kind != TokenKind::right_paren) fail("`)` is missing");
      if (paren) step();
      return number(defined);
    }
    if (!x_resolve(token.text, text)) return number(0);
    std::int64_t n = 0;
    const bool negative = text.starts_with('-');
    for (const char c : text.substr(negative ? 1 : 0)) {
      if (c < '0' || c > '9' || n > 99'999'999'999'999) return {true, 0, unquote(text)};
      n = n * 10 + (c - '0');
    }
    return number(negative ? -n : n);
  }

  static std::string unquote(std::string_view text) {
    if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front()) {
      text = text.substr(1, text.size() - 2);
    }
    return std::string(text);
  }

  Lexer& x_lexer;
  Resolve x_resolve;
  Token x_token;
  const char* x_problem = nullptr;
  unsigned x_depth = 0;
};

}  // namespace

bool Preprocessor::evaluate(std::string_view expression, const conf::SourceRange& range) {
  conf::Diagnostics inner;
  Lexer lexer(expression, range.file, Dialect::kamailio, x_ast, inner);
  const auto resolve = [this](std::string_view name, std::string_view& text) {
    const auto found = x_defines.find(name);
    if (found == x_defines.end()) return false;
    text = found->second.has_value ? found->second.value : std::string_view("1");
    return true;
  };
  Evaluator evaluator(lexer, resolve);
  const Value value = evaluator.run();
  const char* problem = evaluator.problem();
  if (inner.errors() != 0 || problem != nullptr) {
    x_diagnostics.error("E0114", range,
                        fmt::format("bad `#!ifexp`: {}",
                                    problem != nullptr ? problem : inner.sorted().front().message.c_str()));
    return false;
  }
  return value.truth();
}

}  // namespace ser::script
