// SPDX-License-Identifier: Apache-2.0
// The lines below a step: header fields, body, order.
#include <fmt/format.h>

#include "base/text.h"
#include "flow/flow_parser_state.h"

namespace ser::flow {

namespace {

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!is_alnum(c) && std::string_view("-.!%*_+`'~").find(c) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

Block FlowParser::block(bool expects) {
  Block out;
  for (const Line& line : take_block(false)) block_line(line, expects, out);
  return out;
}

void FlowParser::block_line(const Line& line, bool expects, Block& out) {
  const std::string_view text = trim(line.text);
  if (text.starts_with('|') || text.starts_with('"')) return body_line(line, out);
  Cursor cursor(line, x_out.source, x_diagnostics);
  if (cursor.peek() == "order" && expects) return order_line(cursor, out);
  field_line(cursor, line, expects, out);
}

void FlowParser::body_line(const Line& line, Block& out) {
  Cursor cursor(line, x_out.source, x_diagnostics);
  if (!out.body) out.body = Text{{}, cursor.whole()};
  const std::string_view text = line.text.substr(line.text.find_first_not_of(" \t"));
  if (text.starts_with('|')) {
    out.body->text += text.substr(text.starts_with("| ") ? 2 : 1);
    out.body->text += "\r\n";
    return;
  }
  if (auto piece = cursor.text("the bytes")) out.body->text += piece->text;
  cursor.expect_end();
}

void FlowParser::order_line(Cursor& cursor, Block& out) {
  out.order_range = cursor.whole();
  cursor.take("order");
  while (!cursor.at_end()) {
    Text name = cursor.word();
    while (name.text.ends_with(',')) name.text.pop_back();
    if (!is_token(name.text)) cursor.error("E0602", name.range, "not a header field name");
    out.order.push_back(std::move(name.text));
  }
  if (out.order.size() < 2) cursor.error("E0602", out.order_range, "an order has two names at least");
}

/// `Name: value`, `Name ~ /…/`, `Name contains "…"`, `Name lacks "…"`, `Name present`, `Name absent`,
/// `Name count 2`, `Name -> variable`.
void FlowParser::field_line(Cursor& cursor, const Line& line, bool expects, Block& out) {
  FieldLine field;
  field.range = cursor.whole();
  const std::size_t begin = line.text.find_first_not_of(" \t");
  const std::size_t colon = line.text.find(':', begin);
  const std::string_view head =
      colon == std::string_view::npos ? std::string_view() : trim(line.text.substr(begin, colon - begin));
  if (is_token(head)) {
    // A value may hold anything, `#` and quotes too.
    field.name = head;
    const std::string_view value = trim(line.text.substr(colon + 1));
    const auto column =
        static_cast<std::uint32_t>(value.empty() ? line.text.size() : value.data() - line.text.data());
    field.value = {std::string(value),
                   {x_out.source, line.number, column + 1, static_cast<std::uint32_t>(value.size())}};
    field.range.length = static_cast<std::uint32_t>(trim(line.text).size());
    out.fields.push_back(std::move(field));
    return;
  }
  const Text name = cursor.word();
  field.name = name.text;
  if (!is_token(name.text)) {
    cursor.error("E0602", name.range, "not a header field name",
                 "`Name: value`, `Name ~ /pattern/`, `| body`");
    return;
  }
  const Text how = cursor.word();
  bool good = true;
  if (how.text == "absent") {
    field.how = FieldLine::How::absent;
  } else if (!expects) {
    cursor.error("E0602", how.range.length != 0 ? how.range : name.range,
                 "what is sent has `Name: value` or `Name absent`");
    return;
  } else if (how.text == "present") {
    field.how = FieldLine::How::present;
  } else if (how.text == "~") {
    field.how = FieldLine::How::pattern;
    auto pattern = cursor.pattern("what the value looks like", field.value);
    good = pattern.has_value();
    if (good) field.pattern = std::move(*pattern);
  } else if (how.text == "contains" || how.text == "lacks") {
    field.how = how.text == "lacks" ? FieldLine::How::lacks : FieldLine::How::contains;
    auto text = cursor.text("the text");
    good = text.has_value();
    if (good) field.value = std::move(*text);
  } else if (how.text == "count") {
    field.how = FieldLine::How::count;
    const auto number = cursor.number("the count", 1000);
    good = number.has_value();
    if (good) field.count = static_cast<std::uint32_t>(*number);
  } else if (how.text == "->") {
    field.how = FieldLine::How::save;
    auto variable = cursor.text("the variable");
    good = variable.has_value();
    if (good) field.value = std::move(*variable);
  } else {
    cursor.error("E0602", how.range, fmt::format("`{}` says nothing about {}", how.text, name.text),
                 ":  ~ /…/  contains  lacks  present  absent  count  ->");
    return;
  }
  cursor.expect_end();
  if (good) out.fields.push_back(std::move(field));
}

std::vector<FieldLine> FlowParser::actor_fields(ActorSpec& actor) {
  std::vector<FieldLine> fields;
  for (const Line& line : take_block(false)) {
    Cursor cursor(line, x_out.source, x_diagnostics);
    if (cursor.take("uri")) {
      if (auto uri = cursor.text("the actor's URI")) actor.uri = std::move(*uri);
      cursor.expect_end();
      continue;
    }
    Block out;
    field_line(cursor, line, false, out);
    for (FieldLine& field : out.fields) fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace ser::flow
