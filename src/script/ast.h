// SPDX-License-Identifier: Apache-2.0
// The syntax tree of a configuration: plain nodes with positions and no behaviour, owned by one Ast. It
// carries the whole language of both dialects, also what only later stages run. Names and types are not
// checked here.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "conf/source_map.h"
#include "script/dialect.h"

namespace ser::script {

using conf::SourceRange;

struct Expression;
struct Statement;

/// One `{class.name,parameter,…}` of a variable; texts as written, nested variables unread.
struct Transformation {
  std::string_view name;  ///< "s.len", "uri.user", "param.value" …
  std::vector<std::string_view> arguments;
};

/// A pseudo-variable in its parts: `$name`, `$name(inner)`, `$(name(inner)[index]{transformation}…)`.
struct VariableSyntax {
  std::string_view text;   ///< the whole as written, with the `$`
  std::string_view name;   ///< "ru", "avp", "hdr" …; never empty
  std::string_view inner;  ///< between the parentheses, may itself hold variables (`ipban=>$si`)
  std::string_view index;  ///< between the brackets: "0", "-1", "*"
  std::vector<Transformation> transformations;
  bool has_inner = false;  ///< `$x()` has an empty inner, `$x` has none
  bool has_index = false;
};

/// A socket as in `listen=udp:eth0:5060 advertise 192.0.2.1:5060 name "lan"`, `alias=tcp:host:5060` or
/// `force_send_socket(udp:192.0.2.1:5060)`. Texts without IPv6 brackets; empty / 0 = not given.
struct SocketSpec {
  SourceRange range;
  std::string_view protocol;  ///< lower case: "udp", "tcp", "tls", "sctp", "ws", "wss"
  std::string_view host;      ///< address, host name, interface name or "*"
  std::uint32_t port = 0;
  std::uint32_t last_port = 0;  ///< of a range `5060-5070`
  std::string_view advertise_host;
  std::uint32_t advertise_port = 0;
  std::string_view name;
  bool is_virtual = false;
  std::vector<std::string_view> more_hosts;  ///< multi-homed `(a, b)` form (SCTP)
};

/// Things of the message and of the server that the core compares without a `$`.
enum class CoreField : std::uint8_t {
  method,
  uri,
  from_uri,
  to_uri,
  src_ip,
  dst_ip,
  src_port,
  dst_port,
  proto,
  af,
  msg_len,
  status,
  snd_ip,
  snd_port,
  snd_proto,
  snd_af,
  to_ip,
  to_port,
};

enum class ExpressionKind : std::uint8_t {
  integer,   ///< number
  string,    ///< text (decoded, adjacent literals joined), raw
  variable,  ///< variable
  select,    ///< `@a.b.c`: text; parsed, nothing reads it yet
  field,     ///< field: `uri`, `method`, `msg:len` …
  myself,    ///< `myself`
  max_len,   ///< `max_len`: the largest message (max_message_size)
  address,   ///< text: IPv4 or IPv6 literal, without brackets
  network,   ///< text: address; raw: prefix length or mask as written after the `/`
  word,     ///< text: a bare word: host name, route name, flag name, `yes`, `LOG_LOCAL0`, `INET6`, `uri:host`
  socket,   ///< socket: `udp:192.0.2.1:5060` as an argument
  regex,    ///< text: the pattern of `case /re/:`
  call,     ///< text: function name; arguments; parenthesised
  unary,    ///< op, left
  binary,   ///< op, left, right
  block,    ///< body: SER's `if ({ … })`
  invalid,  ///< left by a syntax error that was already reported; say nothing more about it
};

/// Operators of both dialects. In SER `&` and `|` are read as logical_and and logical_or.
enum class Operator : std::uint8_t {
  none,
  // unary
  logical_not,
  negate,
  bit_not,
  defined,
  strempty,
  strlen,
  to_int,
  to_string,
  // binary
  logical_or,
  logical_and,
  bit_or,
  bit_and,
  bit_xor,
  shift_left,
  shift_right,
  equal,
  not_equal,  ///< `==`, `!=`: types decide
  int_equal,
  int_not_equal,  ///< Kamailio's `ieq`, `ine`
  string_equal,
  string_not_equal,  ///< Kamailio's `eq`, `ne`
  match,
  not_match,  ///< `=~`, `!~`
  greater,
  less,
  greater_equal,
  less_equal,
  add,
  subtract,
  multiply,
  divide,
  modulo,
};

/// One node for all expressions; which members count stands at the kinds.
struct Expression {
  ExpressionKind kind = ExpressionKind::invalid;
  Operator op = Operator::none;
  CoreField field = CoreField::method;
  bool parenthesised = false;  ///< call: written with `()`; others: stood in parentheses of its own
  bool has_format =
      false;  ///< string: holds a `$`, so it may be a format string where a function expects one
  bool single_quoted = false;  ///< string: '…' (raw in SER)
  SourceRange range;           ///< the whole expression, as far as it stands on one line
  std::uint16_t depth = 1;     ///< nodes on the longest way down, this one included
  SourceRange op_range;        ///< unary, binary: the operator
  std::int64_t number = 0;
  std::string_view text;
  std::string_view raw;  ///< string: as written, with quotes (first literal)
  const VariableSyntax* variable = nullptr;
  const SocketSpec* socket = nullptr;
  Expression* left = nullptr;
  Expression* right = nullptr;
  Statement* body = nullptr;
  std::vector<Expression*> arguments;
};

enum class StatementKind : std::uint8_t {
  empty,       ///< `;`
  block,       ///< statements
  expression,  ///< value: most often a call (functions, core commands, `route(X)`, bare `append_branch`)
  assignment,  ///< target = value
  if_,         ///< condition, body, otherwise (may be null)
  while_,      ///< condition, body
  switch_,     ///< condition, cases
  break_,      ///< `break`: in SER the same as drop
  return_,     ///< value may be null
  exit_,       ///< value may be null (`exit(0)`)
  drop_,       ///< value may be null (`drop(0)`)
  invalid,     ///< left by a syntax error that was already reported
};

/// `case 1: case "a": …` or `default: …` with the statements up to the next label; falls through as in C.
struct Case {
  SourceRange range;
  Expression* label = nullptr;  ///< null: default
  std::vector<Statement*> statements;
};

/// One node for all statements; which members count stands at the kinds.
struct Statement {
  StatementKind kind = StatementKind::invalid;
  SourceRange range;  ///< its first word, or the whole if on one line
  SourceRange end;    ///< block, switch: the closing brace
  Expression* condition = nullptr;
  Expression* target = nullptr;
  Expression* value = nullptr;
  Statement* body = nullptr;
  Statement* otherwise = nullptr;
  std::vector<Statement*> statements;
  std::vector<Case> cases;
};

/// What a top-level block is run for.
enum class BlockKind : std::uint8_t {
  request,  ///< `request_route`, `route{}`, `route[0]`: every request
  route,    ///< `route[X]`: called by `route(X)`
  reply,    ///< `reply_route{}`, `onreply_route{}` without a name: every response, before modules see it
  onreply,  ///< `onreply_route[X]`: responses of a transaction
  failure,  ///< `failure_route[X]`; in SER 0.8.8 also `reply_route[n]`
  branch,   ///< `branch_route[X]`: every outgoing branch
  onsend,   ///< `onsend_route{}`: every message sent
  event,    ///< `event_route[module:event]`
};

struct RouteBlock {
  BlockKind kind = BlockKind::request;
  std::uint32_t order = 0;   ///< position among all items of the file
  std::string_view keyword;  ///< as written: "route", "reply_route" …
  std::string_view name;     ///< text between the brackets; empty: none (also for `route[0]`)
  SourceRange range;         ///< the keyword
  SourceRange name_range;
  Statement* body = nullptr;  ///< a block, never null
};

enum class ValueKind : std::uint8_t { number, string, word, address, socket, invalid };

/// One value on the right of a setting.
struct SettingValue {
  ValueKind kind = ValueKind::invalid;
  SourceRange range;
  std::int64_t number = 0;             ///< number; of `yes`, `on`, `true`, `enable`: 1; of their opposites: 0
  bool is_boolean_word = false;        ///< word: one of those eight
  std::string_view text;               ///< string: decoded; word, address: as written
  const SocketSpec* socket = nullptr;  ///< socket: `proto:host:port` or an entry of `listen`
};

/// `name = value…`. `listen`, `alias` and other lists may have several values.
struct Setting {
  std::uint32_t order = 0;
  std::string_view name;
  SourceRange range;  ///< the name
  std::vector<SettingValue> values;
};

/// `group.id = value desc "text"`: a custom run-time variable, read as `$sel(cfg_get.group.id)`.
struct CustomVariable {
  std::uint32_t order = 0;
  std::string_view group;
  std::string_view id;
  SourceRange range;
  SettingValue value;
  std::string_view description;
};

/// `loadmodule "tm.so"`, also with a path or options.
struct LoadModule {
  std::uint32_t order = 0;
  std::string_view path;  ///< as written
  std::string_view name;  ///< without folder and ".so": "tm"
  SourceRange range;      ///< the string
};

/// `loadpath "a:b"`, `mpath="a:b"` (the latter is a Setting).
struct LoadPath {
  std::uint32_t order = 0;
  std::string_view path;
  SourceRange range;
};

/// `modparam("tm|sl", "name", value)`.
struct ModuleParameter {
  std::uint32_t order = 0;
  std::string_view module;  ///< as written: in Kamailio a regular expression over module names
  std::string_view name;
  SourceRange range;  ///< the word modparam
  SourceRange module_range;
  SourceRange name_range;
  Expression* value = nullptr;  ///< integer, string or word (`yes`); other kinds with modparamx only
  bool evaluated = false;       ///< modparamx: the string is a format string, evaluated at load
};

/// `flags name:3, other;` and `avpflags`: names for flag numbers.
struct FlagName {
  std::string_view name;
  std::int32_t number = -1;  ///< -1: the next free one
  SourceRange range;
  bool is_avp_flag = false;
};

/// A whole configuration. Owns all nodes and all texts they point to; it may outlive the SourceMap. Made at
/// load only; addresses of expressions, statements, sockets, variables and texts never change. No path from a
/// root through left, right, arguments, body, otherwise, statements is longer than kMaxDepth nodes, so that
/// recursive walks are safe.
class Ast {
 public:
  static constexpr unsigned kMaxDepth = 1000;

  Ast() = default;
  Ast(const Ast&) = delete;
  Ast& operator=(const Ast&) = delete;

  DialectChoice dialect;
  std::vector<Setting> settings;
  std::vector<CustomVariable> custom_variables;
  std::vector<LoadModule> modules;
  std::vector<LoadPath> load_paths;
  std::vector<ModuleParameter> module_parameters;
  std::vector<FlagName> flag_names;
  std::vector<RouteBlock> routes;  ///< in file order; SER appends blocks of one number

  Expression* new_expression() { return &x_expressions.emplace_back(); }
  Statement* new_statement() { return &x_statements.emplace_back(); }
  SocketSpec* new_socket() { return &x_sockets.emplace_back(); }
  VariableSyntax* new_variable() { return &x_variables.emplace_back(); }
  /// A copy of the text that lives as long as the tree.
  std::string_view keep(std::string_view text) { return x_texts.emplace_back(text); }
  std::string_view keep(std::string&& text) { return x_texts.emplace_back(std::move(text)); }

 private:
  std::deque<Expression> x_expressions;
  std::deque<Statement> x_statements;
  std::deque<SocketSpec> x_sockets;
  std::deque<VariableSyntax> x_variables;
  std::deque<std::string> x_texts;
};

}  // namespace ser::script
