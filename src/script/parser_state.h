// SPDX-License-Identifier: Apache-2.0
// The recursive-descent parser behind parser.h. Internal to the library.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"
#include "script/ast.h"
#include "script/token.h"

namespace ser::script {

/// One use: construct with all tokens, run() once. After a syntax error x_failed is set and nothing more is
/// reported until a place is found to go on from.
class Parser {
 public:
  static constexpr unsigned kMaxNesting = 100;     ///< statements and expressions inside of each other
  static constexpr unsigned kMaxElseIf = 300;      ///< `else if` on one way down
  static constexpr unsigned kMaxExpression = 400;  ///< operators in one chain

  Parser(std::vector<Token> tokens, Ast& ast, conf::Diagnostics& diagnostics);
  void run();

 private:
  // tokens (parser.cpp)
  const Token& peek(std::size_t ahead = 0) const noexcept;
  const Token& take() noexcept;
  bool at(TokenKind kind) const noexcept { return peek().kind == kind; }
  bool at_word(std::string_view word) const noexcept;
  bool accept(TokenKind kind) noexcept;
  bool expect(TokenKind kind, std::string_view after, std::string_view hint = {});
  const Token& previous() const noexcept { return x_tokens[x_at == 0 ? 0 : x_at - 1]; }
  SourceRange behind_previous() const noexcept;
  bool first_on_line(std::size_t ahead = 0) const noexcept;
  void fail(const char* code, const SourceRange& range, std::string message, std::string hint = {});
  std::string_view string_value();
  std::string_view joined_word();
  bool ser() const noexcept { return x_ast.dialect.dialect == Dialect::ser; }

  // top level (parser_top.cpp)
  void parse_item();
  void parse_block_item();
  std::string_view parse_block_name(RouteBlock& block);
  void parse_setting();
  void parse_custom_variable();
  void parse_load(bool is_path);
  void parse_module_parameter();
  void parse_flags();
  void finish_item();
  void recover_item();
  bool at_block_keyword() const noexcept;
  bool at_item_start() const noexcept;

  // values of settings (parser_value.cpp)
  SettingValue parse_value(std::string_view setting);
  bool begins_next_item() const noexcept;
  bool value_goes_on(std::string_view setting) const noexcept;
  const SocketSpec* parse_socket();
  bool parse_host(std::string_view& host);
  std::uint32_t parse_port();
  bool at_protocol() const noexcept;
  void parse_socket_options(SocketSpec& socket);

  // statements (parser_statement.cpp)
  Statement* parse_block();
  Statement* parse_statement();
  Statement* parse_simple(Statement* node);
  Statement* parse_if(Statement* node);
  Statement* parse_switch(Statement* node);
  Statement* parse_leave(Statement* node, StatementKind kind);
  Statement* parse_command(Statement* node);
  Expression* parse_condition(std::string_view keyword);
  void finish_statement();
  void recover_statement();
  void skip_braces();
  Statement* new_statement(StatementKind kind);

  // expressions (parser_expression.cpp)
  Expression* parse_expression();
  Expression* parse_binary(int lowest);
  Expression* parse_unary();
  Expression* parse_unary_operator(Operator op);
  Expression* parse_primary(bool may_compare);
  Expression* parse_word(bool may_compare);
  Expression* parse_field(bool may_compare);
  Expression* parse_parenthesised();
  Expression* parse_address();
  Expression* parse_call();
  Expression* parse_argument();
  Expression* parse_string();
  Expression* parse_variable_token();
  Expression* compare_field(Expression* field);
  Expression* new_expression(ExpressionKind kind);
  Expression* make_binary(Operator op, const SourceRange& op_range, Expression* left, Expression* right);
  Expression* invalid();

  std::vector<Token> x_tokens;
  std::size_t x_at = 0;
  Ast& x_ast;
  conf::Diagnostics& x_diagnostics;
  std::uint32_t x_order = 0;
  unsigned x_depth = 0;
  unsigned x_else_ifs = 0;
  bool x_failed = false;
  bool x_unwinding = false;  ///< a block keyword was met inside of a block: leave all blocks
};

/// "`;`", "`foo`", "a string", "end of file": a token as messages name it.
std::string describe(const Token& token);

/// All words that begin an item at the top level or a statement, for hints.
extern const std::string_view kItemWords[];
extern const std::size_t kItemWordCount;

}  // namespace ser::script
