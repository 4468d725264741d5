// SPDX-License-Identifier: Apache-2.0
// The syntax tree as text.
#include "script/syntax_dump.h"

#include <fmt/format.h>

#include <algorithm>

namespace ser::script {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string host_and_port(std::string_view host, std::uint32_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  std::string out = v6 ? fmt::format("[{}]", host) : std::string(host);
  if (port != 0) out += fmt::format(":{}", port);
  return out;
}

std::string socket_text(const SocketSpec& socket) {
  std::string out;
  if (!socket.protocol.empty()) out = fmt::format("{}:", socket.protocol);
  out += host_and_port(socket.host, socket.port);
  if (socket.last_port != 0) out += fmt::format("-{}", socket.last_port);
  for (const std::string_view host : socket.more_hosts) out += fmt::format(" also {}", host);
  if (!socket.advertise_host.empty()) {
    out += fmt::format(" advertise {}", host_and_port(socket.advertise_host, socket.advertise_port));
  }
  if (!socket.name.empty()) out += fmt::format(" name {}", quoted(socket.name));
  if (socket.is_virtual) out += " virtual";
  return out;
}

std::string value_text(const SettingValue& value) {
  switch (value.kind) {
    case ValueKind::number:
      return fmt::format("{}", value.number);
    case ValueKind::string:
      return quoted(value.text);
    case ValueKind::word:
      return fmt::format("{}{}", value.is_boolean_word ? "bool " : "word ", value.text);
    case ValueKind::address:
      return fmt::format("address {}", value.text);
    case ValueKind::socket:
      return fmt::format("socket {}", socket_text(*value.socket));
    case ValueKind::invalid:
      break;
  }
  return "invalid";
}

std::string variable_text(const VariableSyntax& variable) {
  std::string out = fmt::format("${}", variable.name);
  if (variable.has_inner) out += fmt::format("({})", variable.inner);
  if (variable.has_index) out += fmt::format("[{}]", variable.index);
  for (const Transformation& one : variable.transformations) {
    out += fmt::format("{{{}", one.name);
    for (const std::string_view argument : one.arguments) out += fmt::format(",{}", argument);
    out += '}';
  }
  return out;
}

/// Walks statements; recursion is bounded by Ast::kMaxDepth.
class Dumper {
 public:
  std::string take() { return std::move(x_out); }

  void line(unsigned level, std::string_view text) {
    x_out.append(level * 2, ' ');
    x_out += text;
    x_out += '\n';
  }

  void statements(unsigned level, const std::vector<Statement*>& list) {
    for (const Statement* one : list) statement(level, *one);
  }

  void body(unsigned level, const Statement* one) {
    if (one == nullptr) {
      line(level, "nothing");
    } else if (one->kind == StatementKind::block) {
      statements(level, one->statements);
    } else {
      statement(level, *one);
    }
  }

  void statement(unsigned level, const Statement& one) {
    switch (one.kind) {
      case StatementKind::empty:
        line(level, "empty");
        break;
      case StatementKind::block:
        line(level, "block");
        statements(level + 1, one.statements);
        break;
      case StatementKind::expression:
        line(level, expression(one.value));
        break;
      case StatementKind::assignment:
        line(level, fmt::format("{} = {}", expression(one.target), expression(one.value)));
        break;
      case StatementKind::if_:
        if_chain(level, one);
        break;
      case StatementKind::while_:
        line(level, fmt::format("while {}", expression(one.condition)));
        body(level + 1, one.body);
        break;
      case StatementKind::switch_:
        switch_cases(level, one);
        break;
      case StatementKind::break_:
        line(level, "break");
        break;
      case StatementKind::return_:
        leave(level, "return", one);
        break;
      case StatementKind::exit_:
        leave(level, "exit", one);
        break;
      case StatementKind::drop_:
        leave(level, "drop", one);
        break;
      case StatementKind::invalid:
        line(level, "invalid");
        break;
    }
  }

 private:
  static std::string expression(const Expression* one) {
    return one == nullptr ? std::string("nothing") : dump_expression(*one);
  }

  void leave(unsigned level, std::string_view word, const Statement& one) {
    line(level, one.value == nullptr ? std::string(word) : fmt::format("{} {}", word, expression(one.value)));
  }

  void if_chain(unsigned level, const Statement& first) {
    std::string_view word = "if";
    for (const Statement* one = &first; one != nullptr; one = one->otherwise) {
      if (one->kind != StatementKind::if_) {
        line(level, "else");
        body(level + 1, one);
        return;
      }
      line(level, fmt::format("{} {}", word, expression(one->condition)));
      body(level + 1, one->body);
      word = "else if";
    }
  }

  void switch_cases(unsigned level, const Statement& one) {
    line(level, fmt::format("switch {}", expression(one.condition)));
    for (const Case& label : one.cases) {
      line(level + 1,
           label.label == nullptr ? std::string("default") : fmt::format("case {}", expression(label.label)));
      statements(level + 2, label.statements);
    }
  }

  std::string x_out;
};

struct Entry {
  std::uint32_t order;
  std::string text;
  const Statement* body;
  std::size_t sequence = 0;  ///< keeps items of one order as they were
};

void add_module_items(const Ast& ast, std::vector<Entry>& entries) {
  for (const LoadModule& one : ast.modules) {
    entries.push_back({one.order, fmt::format("loadmodule {} from {}", one.name, quoted(one.path)), nullptr});
  }
  for (const LoadPath& one : ast.load_paths) {
    entries.push_back({one.order, fmt::format("loadpath {}", quoted(one.path)), nullptr});
  }
  for (const ModuleParameter& one : ast.module_parameters) {
    entries.push_back({one.order,
                       fmt::format("modparam{} {} {} = {}", one.evaluated ? "x" : "", quoted(one.module),
                                   quoted(one.name), dump_expression(*one.value)),
                       nullptr});
  }
}

}  // namespace

std::string dump_expression(const Expression& one) {
  switch (one.kind) {
    case ExpressionKind::integer:
      return fmt::format("{}", one.number);
    case ExpressionKind::string:
      return (one.has_format ? "f" : "") + quoted(one.text);
    case ExpressionKind::variable:
      return variable_text(*one.variable);
    case ExpressionKind::select:
      return std::string(one.text);
    case ExpressionKind::field:
      return std::string(to_string(one.field));
    case ExpressionKind::myself:
      return "myself";
    case ExpressionKind::max_len:
      return "max_len";
    case ExpressionKind::address:
      return fmt::format("address {}", one.text);
    case ExpressionKind::network:
      return fmt::format("network {}/{}", one.text, one.raw);
    case ExpressionKind::word:
      return fmt::format("word {}", one.text);
    case ExpressionKind::socket:
      return fmt::format("socket {}", socket_text(*one.socket));
    case ExpressionKind::regex:
      return fmt::format("/{}/", one.text);
    case ExpressionKind::unary:
      return fmt::format("({} {})", to_string(one.op), dump_expression(*one.left));
    case ExpressionKind::binary:
      return fmt::format("({} {} {})", to_string(one.op), dump_expression(*one.left),
                         dump_expression(*one.right));
    case ExpressionKind::block: {
      Dumper inner;
      inner.body(0, one.body);
      std::string text = inner.take();
      std::replace(text.begin(), text.end(), '\n', ';');
      return fmt::format("{{ {} }}", text);
    }
    case ExpressionKind::invalid:
      return "invalid";
    case ExpressionKind::call:
      break;
  }
  std::string out(one.text);
  out += '(';
  for (std::size_t i = 0; i < one.arguments.size(); ++i) {
    if (i != 0) out += ", ";
    out += dump_expression(*one.arguments[i]);
  }
  return out + ')';
}

std::string dump_syntax(const Ast& ast) {
  std::vector<Entry> entries;
  for (const Setting& one : ast.settings) {
    std::string text = fmt::format("setting {} =", one.name);
    for (const SettingValue& value : one.values) text += fmt::format(" {}", value_text(value));
    entries.push_back({one.order, std::move(text), nullptr});
  }
  for (const CustomVariable& one : ast.custom_variables) {
    entries.push_back({one.order,
                       fmt::format("custom {}.{} = {} desc {}", one.group, one.id, value_text(one.value),
                                   quoted(one.description)),
                       nullptr});
  }
  add_module_items(ast, entries);
  for (const FlagName& one : ast.flag_names) {
    entries.push_back(
        {0, fmt::format("{} {} {}", one.is_avp_flag ? "avpflag" : "flag", one.name, one.number), nullptr});
  }
  for (const RouteBlock& one : ast.routes) {
    entries.push_back({one.order,
                       fmt::format("{} {}{}{} line {}", to_string(one.kind), one.keyword,
                                   one.name.empty() ? "" : " ", one.name, one.range.line),
                       one.body});
  }
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].sequence = i;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.order != b.order ? a.order < b.order : a.sequence < b.sequence;
  });
  Dumper out;
  out.line(0, fmt::format("dialect {}: {}", to_string(ast.dialect.dialect), ast.dialect.reason));
  for (const Entry& entry : entries) {
    out.line(0, entry.text);
    if (entry.body != nullptr) out.body(1, entry.body);
  }
  return out.take();
}

std::string_view to_string(Operator op) noexcept {
  switch (op) {
    case Operator::none:
      break;
    case Operator::logical_not:
      return "not";
    case Operator::negate:
      return "neg";
    case Operator::bit_not:
      return "~";
    case Operator::defined:
      return "defined";
    case Operator::strempty:
      return "strempty";
    case Operator::strlen:
      return "strlen";
    case Operator::to_int:
      return "int";
    case Operator::to_string:
      return "str";
    case Operator::logical_or:
      return "||";
    case Operator::logical_and:
      return "&&";
    case Operator::bit_or:
      return "|";
    case Operator::bit_and:
      return "&";
    case Operator::bit_xor:
      return "^";
    case Operator::shift_left:
      return "<<";
    case Operator::shift_right:
      return ">>";
    case Operator::equal:
      return "==";
    case Operator::not_equal:
      return "!=";
    case Operator::int_equal:
      return "ieq";
    case Operator::int_not_equal:
      return "ine";
    case Operator::string_equal:
      return "eq";
    case Operator::string_not_equal:
      return "ne";
    case Operator::match:
      return "=~";
    case Operator::not_match:
      return "!~";
    case Operator::greater:
      return ">";
    case Operator::less:
      return "<";
    case Operator::greater_equal:
      return ">=";
    case Operator::less_equal:
      return "<=";
    case Operator::add:
      return "+";
    case Operator::subtract:
      return "-";
    case Operator::multiply:
      return "*";
    case Operator::divide:
      return "/";
    case Operator::modulo:
      return "mod";
  }
  return "?";
}

std::string_view to_string(CoreField field) noexcept {
  switch (field) {
    case CoreField::method:
      return "method";
    case CoreField::uri:
      return "uri";
    case CoreField::from_uri:
      return "from_uri";
    case CoreField::to_uri:
      return "to_uri";
    case CoreField::src_ip:
      return "src_ip";
    case CoreField::dst_ip:
      return "dst_ip";
    case CoreField::src_port:
      return "src_port";
    case CoreField::dst_port:
      return "dst_port";
    case CoreField::proto:
      return "proto";
    case CoreField::af:
      return "af";
    case CoreField::msg_len:
      return "msg:len";
    case CoreField::status:
      return "status";
    case CoreField::snd_ip:
      return "snd_ip";
    case CoreField::snd_port:
      return "snd_port";
    case CoreField::snd_proto:
      return "snd_proto";
    case CoreField::snd_af:
      return "snd_af";
    case CoreField::to_ip:
      return "to_ip";
    case CoreField::to_port:
      return "to_port";
  }
  return "?";
}

std::string_view to_string(BlockKind kind) noexcept {
  switch (kind) {
    case BlockKind::request:
      return "request";
    case BlockKind::route:
      return "route";
    case BlockKind::reply:
      return "reply";
    case BlockKind::onreply:
      return "onreply";
    case BlockKind::failure:
      return "failure";
    case BlockKind::branch:
      return "branch";
    case BlockKind::onsend:
      return "onsend";
    case BlockKind::event:
      return "event";
  }
  return "?";
}

}  // namespace ser::script
