// SPDX-License-Identifier: Apache-2.0
// The top level of a configuration: settings, modules and their parameters, route blocks.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "script/parser_state.h"

namespace ser::script {
namespace {

struct BlockWord {
  std::string_view word;
  BlockKind plain;  ///< without a name
  BlockKind named;
  bool needs_name;
  bool takes_name;
};
constexpr std::array<BlockWord, 8> kBlockWords{{
    {"route", BlockKind::request, BlockKind::route, false, true},
    {"request_route", BlockKind::request, BlockKind::request, false, false},
    {"reply_route", BlockKind::reply, BlockKind::failure, false, true},
    {"onreply_route", BlockKind::reply, BlockKind::onreply, false, true},
    {"failure_route", BlockKind::failure, BlockKind::failure, true, true},
    {"branch_route", BlockKind::branch, BlockKind::branch, true, true},
    {"onsend_route", BlockKind::onsend, BlockKind::onsend, false, false},
    {"event_route", BlockKind::event, BlockKind::event, true, true},
}};

const BlockWord* find_block_word(std::string_view word) noexcept {
  const auto found = std::find_if(kBlockWords.begin(), kBlockWords.end(),
                                  [word](const BlockWord& one) { return one.word == word; });
  return found == kBlockWords.end() ? nullptr : &*found;
}

constexpr std::array<std::string_view, 16> kTopWords{
    "route",        "request_route", "reply_route", "onreply_route", "failure_route", "branch_route",
    "onsend_route", "event_route",   "loadmodule",  "loadmodulex",   "loadpath",      "modparam",
    "modparamx",    "include_file",  "import_file", "flags"};

std::string_view module_name(std::string_view path) noexcept {
  if (const std::size_t slash = path.rfind('/'); slash != std::string_view::npos)
    path.remove_prefix(slash + 1);
  if (path.ends_with(".so")) path.remove_suffix(3);
  return path;
}

}  // namespace

bool Parser::at_block_keyword() const noexcept {
  if (!at(TokenKind::identifier) || find_block_word(peek().text) == nullptr) return false;
  const TokenKind next = peek(1).kind;
  return next == TokenKind::left_brace || next == TokenKind::left_bracket;
}

/// Whether a new item can be seen to begin here: used to go on after an error and to notice a missing `}`.
bool Parser::at_item_start() const noexcept {
  if (at_block_keyword()) return true;
  if (!at(TokenKind::identifier)) return false;
  const std::string_view word = peek().text;
  const TokenKind next = peek(1).kind;
  if (word == "loadmodule" || word == "loadmodulex" || word == "loadpath") return next != TokenKind::assign;
  if (word == "modparam" || word == "modparamx") return next == TokenKind::left_paren;
  return false;
}

void Parser::parse_item() {
  x_failed = false;
  x_unwinding = false;
  x_depth = 0;
  x_else_ifs = 0;
  const Token& token = peek();
  if (accept(TokenKind::semicolon)) return;
  ++x_order;
  if (token.kind == TokenKind::right_brace) {
    fail("E0203", token.range, "this `}` closes nothing",
         "a block was closed too early, or there is one `}` too many");
    take();
  } else if (token.kind != TokenKind::identifier) {
    fail("E0202", token.range, fmt::format("a setting or a route block expected, found {}", describe(token)));
    take();
  } else if (find_block_word(token.text) != nullptr && peek(1).kind != TokenKind::assign) {
    parse_block_item();
  } else if (token.text == "loadmodule" || token.text == "loadmodulex" ||
             (token.text == "loadpath" && peek(1).kind != TokenKind::assign)) {
    parse_load(token.text == "loadpath");
  } else if (token.text == "modparam" || token.text == "modparamx") {
    parse_module_parameter();
  } else if ((token.text == "flags" || token.text == "bool" || token.text == "avpflags") &&
             peek(1).kind == TokenKind::identifier) {
    parse_flags();
  } else if (peek(1).kind == TokenKind::dot) {
    parse_custom_variable();
  } else {
    parse_setting();
  }
  if (x_failed) recover_item();
}

void Parser::recover_item() {
  // Statements of a broken block are passed over; `name = value` ends that only outside of braces.
  unsigned depth = 0;
  while (!at(TokenKind::end)) {
    if (at_item_start() && first_on_line()) return;
    if (depth == 0 && first_on_line() && at(TokenKind::identifier) && peek(1).kind == TokenKind::assign)
      return;
    const TokenKind kind = take().kind;
    if (kind == TokenKind::left_brace) ++depth;
    if (kind == TokenKind::right_brace && depth != 0) --depth;
  }
}

std::string_view Parser::parse_block_name(RouteBlock& block) {
  block.name_range = peek().range;
  std::string name;
  while (!at(TokenKind::right_bracket) && !at(TokenKind::end) && !at(TokenKind::left_brace)) {
    block.name_range = join(block.name_range, peek().range);
    name += take().text;
  }
  if (name.empty()) fail("E0205", block.name_range, "a route block needs a name between `[` and `]`");
  expect(TokenKind::right_bracket, "after the name of the block");
  return x_ast.keep(std::move(name));
}

void Parser::parse_block_item() {
  const Token& keyword = take();
  const BlockWord& word = *find_block_word(keyword.text);
  RouteBlock block;
  block.order = x_order;
  block.keyword = keyword.text;
  block.range = keyword.range;
  block.kind = word.plain;
  if (accept(TokenKind::left_bracket)) {
    block.kind = word.named;
    block.name = parse_block_name(block);
    if (!word.takes_name) {
      fail("E0205", block.name_range, fmt::format("`{}` has no name", word.word),
           "names stand behind route, onreply_route, failure_route, branch_route and event_route");
    } else if (word.word == "reply_route" && !ser()) {
      fail("E0205", block.name_range, "`reply_route` with a name is SER 0.8.8's",
           "write `failure_route[…]`, or force the dialect with --dialect=ser");
    }
    if (block.name == "0" && word.word == "route") {
      block.kind = BlockKind::request;
      block.name = {};
    }
  } else if (word.needs_name) {
    fail("E0205", keyword.range, fmt::format("`{}` needs a name", word.word),
         fmt::format("write `{}[NAME] {{`", word.word));
  }
  x_failed = x_failed && !at(TokenKind::left_brace);
  if (!at(TokenKind::left_brace)) {
    expect(TokenKind::left_brace, fmt::format("after `{}`", block.keyword));
    return;
  }
  block.body = parse_block();
  x_ast.routes.push_back(block);
}

void Parser::finish_item() {
  accept(TokenKind::semicolon);
}

void Parser::parse_setting() {
  const Token& name = take();
  Setting setting;
  setting.order = x_order;
  setting.name = name.text;
  setting.range = name.range;
  if (!accept(TokenKind::assign)) {
    const bool block = at(TokenKind::left_brace) || at(TokenKind::left_bracket);
    std::string hint = conf::did_you_mean(name.text, kTopWords);
    if (hint.empty())
      hint = block ? "a block begins with `route`, `failure_route` …" : "a setting is `name = value`";
    if (name.text == "if" || at(TokenKind::left_paren)) hint = "statements stand inside of route blocks";
    fail("E0202", name.range,
         block ? fmt::format("unknown block `{}`", name.text)
               : fmt::format("`{}` begins neither a setting nor a route block", name.text),
         hint);
    return;
  }
  do {
    setting.values.push_back(parse_value(setting.name));
  } while (!x_failed && value_goes_on(setting.name));
  x_ast.settings.push_back(std::move(setting));
  finish_item();
}

void Parser::parse_custom_variable() {
  const Token& group = take();
  take();
  CustomVariable variable;
  variable.order = x_order;
  variable.group = group.text;
  variable.range = join(group.range, peek().range);
  if (!at(TokenKind::identifier)) {
    expect(TokenKind::identifier, "after the `.` of a custom variable");
    return;
  }
  variable.id = take().text;
  if (!expect(TokenKind::assign, "after the name of a custom variable",
              "write `group.name = value desc \"text\"`")) {
    return;
  }
  variable.value = parse_value({});
  if (at_word("desc") || at_word("descr") || at_word("description")) {
    take();
    if (at(TokenKind::string)) {
      variable.description = string_value();
    } else {
      expect(TokenKind::string, "after `desc`");
    }
  }
  x_ast.custom_variables.push_back(variable);
  finish_item();
}

void Parser::parse_load(bool is_path) {
  const Token& keyword = take();
  const bool paren = accept(TokenKind::left_paren);
  if (!at(TokenKind::string)) {
    expect(TokenKind::string, fmt::format("after `{}`", keyword.text));
    return;
  }
  const SourceRange range = peek().range;
  const std::string_view path = string_value();
  // Options for the dynamic loader, which built-in modules do not need.
  if (paren && accept(TokenKind::comma)) parse_expression();
  if (paren) expect(TokenKind::right_paren, "after the path");
  if (module_name(path).empty() && !is_path) {
    fail("E0206", range, "the name of the module is empty");
  } else if (is_path) {
    x_ast.load_paths.push_back({x_order, path, range});
  } else {
    x_ast.modules.push_back({x_order, path, module_name(path), range});
  }
  finish_item();
}

void Parser::parse_module_parameter() {
  const Token& keyword = take();
  ModuleParameter parameter;
  parameter.order = x_order;
  parameter.range = keyword.range;
  parameter.evaluated = keyword.text == "modparamx";
  static constexpr std::string_view kHint = "write `modparam(\"module\", \"name\", value)`";
  if (!expect(TokenKind::left_paren, fmt::format("after `{}`", keyword.text), kHint)) return;
  std::string_view* const texts[2] = {&parameter.module, &parameter.name};
  SourceRange* const ranges[2] = {&parameter.module_range, &parameter.name_range};
  for (std::size_t i = 0; i < 2; ++i) {
    *ranges[i] = peek().range;
    if (!at(TokenKind::string)) {
      expect(TokenKind::string, i == 0 ? "as the name of the module" : "as the name of the parameter", kHint);
      return;
    }
    *texts[i] = string_value();
    if (!expect(TokenKind::comma, i == 0 ? "after the name of the module" : "after the name of the parameter",
                kHint)) {
      return;
    }
  }
  parameter.value = parse_expression();
  if (x_failed) return;
  expect(TokenKind::right_paren, "after the value of the parameter", kHint);
  x_ast.module_parameters.push_back(parameter);
  finish_item();
}

void Parser::parse_flags() {
  const bool avp = take().text == "avpflags";
  do {
    FlagName flag;
    flag.is_avp_flag = avp;
    flag.range = peek().range;
    if (!at(TokenKind::identifier)) {
      expect(TokenKind::identifier, "as the name of a flag");
      return;
    }
    flag.name = take().text;
    if (accept(TokenKind::colon)) {
      if (!at(TokenKind::integer) || peek().number > 255) {
        fail("E0205", peek().range, "a flag's number is 0 to 255");
        return;
      }
      flag.number = static_cast<std::int32_t>(take().number);
    }
    x_ast.flag_names.push_back(flag);
  } while (accept(TokenKind::comma));
  finish_item();
}

}  // namespace ser::script
