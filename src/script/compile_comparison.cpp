// SPDX-License-Identifier: Apache-2.0
// The compiler: comparisons of the core's fields (method, uri, src_ip …), made into one instruction where
// possible.
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/text.h"
#include "script/compiler.h"
#include "script/syntax_dump.h"
#include "sip/method.h"

namespace ser::script {

namespace {

bool is_address_field(CoreField field) noexcept {
  return field == CoreField::src_ip || field == CoreField::dst_ip || field == CoreField::snd_ip ||
         field == CoreField::to_ip;
}
bool is_uri_field(CoreField field) noexcept {
  return field == CoreField::uri || field == CoreField::from_uri || field == CoreField::to_uri;
}
bool is_number_field(CoreField field) noexcept {
  switch (field) {
    case CoreField::src_port:
    case CoreField::dst_port:
    case CoreField::proto:
    case CoreField::af:
    case CoreField::msg_len:
    case CoreField::snd_port:
    case CoreField::snd_proto:
    case CoreField::snd_af:
    case CoreField::to_port:
      return true;
    default:
      return false;
  }
}

bool is_matching(Operator op) noexcept {
  return op == Operator::match || op == Operator::not_match;
}
bool is_negated(Operator op) noexcept {
  return op == Operator::not_equal || op == Operator::not_match;
}

sip::Method method_of(std::string_view text) noexcept {
  std::string upper(text.substr(0, 32));
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c; });
  return sip::parse_method(upper);
}

// "255.255.0.0" as 16; nullopt when its ones are not all in front.
std::optional<unsigned> mask_bits(const IpAddress& mask) noexcept {
  const unsigned size = mask.is_v4() ? 4 : 16;
  unsigned bits = 0;
  while (bits < size * 8 && (mask.bytes[bits / 8] & (0x80U >> (bits % 8))) != 0) ++bits;
  for (unsigned i = bits; i < size * 8; ++i) {
    if ((mask.bytes[i / 8] & (0x80U >> (i % 8))) != 0) return std::nullopt;
  }
  return bits;
}

std::optional<std::int64_t> proto_or_family(CoreField field, std::string_view word) noexcept {
  if (field == CoreField::af || field == CoreField::snd_af) {
    if (iequals(word, "INET") || iequals(word, "IPv4")) return AF_INET;
    if (iequals(word, "INET6") || iequals(word, "IPv6")) return AF_INET6;
    return std::nullopt;
  }
  if (field != CoreField::proto && field != CoreField::snd_proto) return std::nullopt;
  const Proto proto = parse_proto(word);
  if (proto == Proto::none) return std::nullopt;
  return static_cast<std::int64_t>(proto);
}

}  // namespace

bool Compiler::address_comparison(CoreField field, const Expression& right, bool match, Instruction& out) {
  out.b = static_cast<std::uint16_t>(field);
  if (match) {
    if (right.kind != ExpressionKind::string) return false;
    out.op = Op::test_reverse;
    out.c = add_regex(right.text, right);
    return true;
  }
  switch (right.kind) {
    case ExpressionKind::network: {
      const auto ip = parse_ip(right.text);
      if (!ip) return false;
      const unsigned most = (*ip).is_v4() ? 32 : 128;
      std::optional<unsigned> bits = parse_u32(right.raw, most);
      if (!bits) {
        if (const auto mask = parse_ip(right.raw); mask && (*mask).family == (*ip).family)
          bits = mask_bits(*mask);
      }
      if (!bits) {
        x_diagnostics.error("E0320", right.range, fmt::format("`/{}` is no network mask", right.raw),
                            fmt::format("a number from 0 to {}, or a mask such as 255.255.0.0", most));
        bits = most;
      }
      out.op = Op::test_network;
      out.c = add_network(*ip, *bits);
      return true;
    }
    case ExpressionKind::address:
    case ExpressionKind::string:
    case ExpressionKind::word: {
      if (const auto ip = parse_ip(right.text)) {
        out.op = Op::test_network;
        out.c = add_network(*ip, (*ip).is_v4() ? 32 : 128);
        return true;
      }
      out.c = text(right.text);
      // SER takes a text for the name that the address resolves to.
      const bool reverse = x_ser && right.kind == ExpressionKind::string;
      out.op = reverse ? Op::test_reverse : Op::test_name;
      out.d = reverse ? 1 : 0;
      if (!reverse) host_name(right.text);
      return true;
    }
    default:
      return false;
  }
}

bool Compiler::number_comparison(CoreField field, Operator op, const Expression& right, Instruction& out) {
  out.b = static_cast<std::uint16_t>(field);
  out.d = static_cast<std::uint32_t>(op == Operator::not_equal ? Operator::equal : op);
  if (right.kind == ExpressionKind::max_len) {
    out.op = Op::test_max_len;
    return true;
  }
  out.op = Op::test_int;
  if (const auto constant = fold(right); constant && constant->is_integer()) {
    out.c = integer(constant->integer);
    return true;
  }
  if (right.kind != ExpressionKind::word && right.kind != ExpressionKind::string) return false;
  const auto known = proto_or_family(field, right.text);
  if (!known) {
    x_diagnostics.error("E0321", right.range,
                        fmt::format("`{}` cannot be compared with `{}`", to_string(field), right.text),
                        field == CoreField::proto ? "UDP, TCP, TLS, SCTP, WS or WSS"
                        : field == CoreField::af  ? "INET or INET6"
                                                  : "a number is needed");
  }
  out.c = integer(known.value_or(0));
  return true;
}

bool Compiler::text_comparison(CoreField field, Operator op, const Expression& right, Instruction& out) {
  out.b = static_cast<std::uint16_t>(field);
  const bool is_text = right.kind == ExpressionKind::string || right.kind == ExpressionKind::word;
  if (is_matching(op)) {
    if (right.kind != ExpressionKind::string) return false;
    out.op = Op::test_match;
    out.c = add_regex(right.text, right);
    return true;
  }
  if (op != Operator::equal && op != Operator::not_equal) return false;
  if (!is_text) return false;
  out.c = text(right.text);
  if (field == CoreField::method) {
    out.op = Op::test_method;
    out.b = static_cast<std::uint16_t>(method_of(right.text));
  } else {
    out.op = Op::test_text;
  }
  return true;
}

void Compiler::field_comparison(const Expression& whole, CoreField field, Operator op,
                                const Expression& right, bool when, Label target) {
  const bool truth = when != is_negated(op);
  Instruction test;
  bool done = false;
  if (right.kind == ExpressionKind::myself) {
    if (!is_uri_field(field) && !is_address_field(field)) {
      x_diagnostics.error("E0321", right.range,
                          fmt::format("`{}` cannot be compared with `myself`", to_string(field)));
      return;
    }
    test.op = Op::test_myself;
    test.b = static_cast<std::uint16_t>(field);
    test.c = x_ser ? 0 : 1;
    done = op == Operator::equal || op == Operator::not_equal;
  } else if (is_address_field(field)) {
    done = (is_matching(op) || op == Operator::equal || op == Operator::not_equal) &&
           address_comparison(field, right, is_matching(op), test);
  } else if (is_number_field(field) ||
             (field == CoreField::status && right.kind == ExpressionKind::integer)) {
    if (is_matching(op)) {
      x_diagnostics.error("E0321", whole.op_range,
                          fmt::format("`{}` is a number, it matches no expression", to_string(field)));
      return;
    }
    done = number_comparison(field, op, right, test);
  } else {
    done = text_comparison(field, op, right, test);
  }
  if (done) {
    place_test(test, truth, target, whole.range);
    return;
  }
  if (right.kind == ExpressionKind::myself || right.kind == ExpressionKind::network) {
    x_diagnostics.error("E0321", whole.op_range,
                        fmt::format("`{}` does not go with `{}`", to_string(op), to_string(field)));
    return;
  }
  Instruction& field_push = emit(is_number_field(field) ? Op::push_field : Op::push_field_text, whole.range);
  field_push.b = static_cast<std::uint16_t>(field);
  pushed();
  value(right);
  emit(Op::binary, whole.op_range).a = static_cast<std::uint8_t>(op);
  popped();
  emit_jump(Op::jump_if, target, whole.range).a = when ? 1 : 0;
  popped();
}

}  // namespace ser::script
