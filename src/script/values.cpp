// SPDX-License-Identifier: Apache-2.0
// What operators do with values.
#include "script/values.h"

#include <charconv>
#include <cstring>

#include "base/text.h"
#include "script/variable.h"

namespace ser::script {

using proxy::Value;

namespace {

std::int64_t wrap(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value);
}
std::uint64_t raw(std::int64_t value) noexcept {
  return static_cast<std::uint64_t>(value);
}

bool arithmetic(Operator op, std::int64_t a, std::int64_t b, std::int64_t& out) noexcept {
  switch (op) {
    case Operator::add:
      out = wrap(raw(a) + raw(b));
      return true;
    case Operator::subtract:
      out = wrap(raw(a) - raw(b));
      return true;
    case Operator::multiply:
      out = wrap(raw(a) * raw(b));
      return true;
    case Operator::divide:
    case Operator::modulo:
      if (b == 0) return false;
      if (b == -1) {
        out = op == Operator::divide ? wrap(0 - raw(a)) : 0;
      } else {
        out = op == Operator::divide ? a / b : a % b;
      }
      return true;
    case Operator::bit_or:
      out = a | b;
      return true;
    case Operator::bit_and:
      out = a & b;
      return true;
    case Operator::bit_xor:
      out = a ^ b;
      return true;
    case Operator::shift_left:
      out = b < 0 || b > 63 ? 0 : wrap(raw(a) << b);
      return true;
    case Operator::shift_right:
      out = b < 0 || b > 63 ? 0 : wrap(raw(a) >> b);
      return true;
    case Operator::logical_or:
      out = a != 0 || b != 0 ? 1 : 0;
      return true;
    case Operator::logical_and:
      out = a != 0 && b != 0 ? 1 : 0;
      return true;
    default:
      out = compare(op, a, b) ? 1 : 0;
      return true;
  }
}

}  // namespace

bool parse_integer(std::string_view text, std::int64_t& out) noexcept {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (begin != end && *begin == '+') ++begin;
  if (begin == end) return false;
  const auto [stop, failure] = std::from_chars(begin, end, out);
  return failure == std::errc() && stop == end;
}

std::int64_t integer_of(const Value& value) noexcept {
  if (!value.is_string()) return value.is_integer() ? value.integer : 0;
  std::int64_t number = 0;
  return parse_integer(value.text, number) ? number : 0;
}

std::string_view digits_of(std::int64_t number, Arena& arena) noexcept {
  char text[24];
  const auto [end, failure] = std::to_chars(text, text + sizeof text, number);
  return arena.copy({text, static_cast<std::size_t>(end - text)});
}

std::string_view text_of(const Value& value, Arena& arena) noexcept {
  if (value.is_string()) return value.text;
  return value.is_integer() ? digits_of(value.integer, arena) : std::string_view("");
}

bool equal(const Value& left, const Value& right, Arena& arena) noexcept {
  if (left.is_string())
    return right.is_string() ? left.text == right.text : left.text == text_of(right, arena);
  if (left.is_integer()) return left.integer == integer_of(right);
  if (right.is_string()) return right.text.empty();
  return integer_of(right) == 0;
}

bool compare(Operator op, std::int64_t left, std::int64_t right) noexcept {
  switch (op) {
    case Operator::equal:
    case Operator::int_equal:
      return left == right;
    case Operator::not_equal:
    case Operator::int_not_equal:
      return left != right;
    case Operator::greater:
      return left > right;
    case Operator::less:
      return left < right;
    case Operator::greater_equal:
      return left >= right;
    case Operator::less_equal:
      return left <= right;
    default:
      return false;
  }
}

std::string_view join(std::string_view a, std::string_view b, Arena& arena) noexcept {
  if (a.empty() && b.empty()) return "";
  auto* at = static_cast<char*>(arena.allocate(a.size() + b.size(), 1));
  if (at == nullptr) return {};
  if (!a.empty()) std::memcpy(at, a.data(), a.size());
  if (!b.empty()) std::memcpy(at + a.size(), b.data(), b.size());
  return {at, a.size() + b.size()};
}

bool apply_unary(Operator op, const Value& operand, Arena& arena, Value& out) noexcept {
  switch (op) {
    case Operator::logical_not:
      out = Value::of(std::int64_t{truth_of(operand) ? 0 : 1});
      return true;
    case Operator::negate:
      out = Value::of(wrap(0 - raw(integer_of(operand))));
      return true;
    case Operator::bit_not:
      out = Value::of(~integer_of(operand));
      return true;
    case Operator::defined:
      out = Value::of(std::int64_t{operand.is_null() ? 0 : 1});
      return true;
    case Operator::strempty:
      out = Value::of(std::int64_t{text_of(operand, arena).empty() ? 1 : 0});
      return true;
    case Operator::strlen:
      out = Value::of(static_cast<std::int64_t>(text_of(operand, arena).size()));
      return true;
    case Operator::to_int:
      out = Value::of(integer_of(operand));
      return true;
    case Operator::to_string:
      out = Value::of(text_of(operand, arena));
      return true;
    default:
      out = Value::null();
      return false;
  }
}

bool apply_binary(Operator op, const Value& left, const Value& right, Arena& arena, Value& out) noexcept {
  std::int64_t number = 0;
  switch (op) {
    case Operator::equal:
      out = Value::of(std::int64_t{equal(left, right, arena) ? 1 : 0});
      return true;
    case Operator::not_equal:
      out = Value::of(std::int64_t{equal(left, right, arena) ? 0 : 1});
      return true;
    case Operator::string_equal:
    case Operator::string_not_equal: {
      const bool same = text_of(left, arena) == text_of(right, arena);
      out = Value::of(std::int64_t{same == (op == Operator::string_equal) ? 1 : 0});
      return true;
    }
    case Operator::add:
      if (left.is_string() || (left.is_null() && right.is_string())) {
        out = Value::of(join(text_of(left, arena), text_of(right, arena), arena));
        if (out.text.data() != nullptr) return true;
        out = Value::null();
        return false;
      }
      break;
    default:
      break;
  }
  if (!arithmetic(op, integer_of(left), integer_of(right), number)) {
    out = Value::null();
    return false;
  }
  out = Value::of(number);
  return true;
}

bool is_comparison(Operator op) noexcept {
  switch (op) {
    case Operator::equal:
    case Operator::not_equal:
    case Operator::int_equal:
    case Operator::int_not_equal:
    case Operator::string_equal:
    case Operator::string_not_equal:
    case Operator::match:
    case Operator::not_match:
    case Operator::greater:
    case Operator::less:
    case Operator::greater_equal:
    case Operator::less_equal:
      return true;
    default:
      return false;
  }
}

}  // namespace ser::script
