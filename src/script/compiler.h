// SPDX-License-Identifier: Apache-2.0
// Compiler: one walk over the tree checks every statement and emits its instructions. It goes on after
// errors, so that all are found; the program is thrown away then.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"
#include "mod/registry.h"
#include "script/ast.h"
#include "script/module_loader.h"
#include "script/program.h"
#include "script/route_table.h"

namespace ser::script {

class Compiler {
 public:
  Compiler(Ast& ast, mod::Registry& registry, const ModuleLoader& modules, conf::Diagnostics& diagnostics)
      : x_ast(ast),
        x_registry(registry),
        x_modules(modules),
        x_diagnostics(diagnostics),
        x_routes(ast, diagnostics),
        x_ser(ast.dialect.dialect == Dialect::ser) {}

  /// All blocks. The result is good only when the diagnostics have no errors.
  std::unique_ptr<Program> compile();
  /// A format string of a setting (log_prefix); its index in the program.
  std::optional<std::uint32_t> compile_format(std::string_view text, const SourceRange& range);
  Program& program() noexcept { return *x_program; }

 private:
  using Label = std::uint32_t;
  struct Fixup {
    std::uint32_t instruction;
    Label label;
  };
  struct BreakTarget {
    Label label;
  };
  struct PlacedCall {
    const mod::FunctionSpec* function;
    SourceRange range;
    std::uint16_t block;
  };
  struct FoundFunction {
    const mod::FunctionSpec* function = nullptr;
    std::uint16_t loaded = 0;
  };

  // Emission (compiler.cpp).
  Instruction& emit(Op op, const SourceRange& range);
  Instruction& emit_jump(Op op, Label target, const SourceRange& range);
  Label new_label();
  void bind(Label label);
  void patch();
  void pushed(unsigned count = 1);
  void popped(unsigned count = 1);
  std::uint32_t integer(std::int64_t value);
  std::uint32_t text(std::string_view value);
  std::uint32_t add_regex(std::string_view pattern, const Expression& where);
  std::uint32_t add_network(const IpAddress& address, unsigned bits);
  void compile_block(std::uint16_t block);
  void check_allowed();

  // Statements (compile_statement.cpp).
  void statement(const Statement& statement, bool last);
  void list(const std::vector<Statement*>& statements, bool last);
  void expression_statement(const Statement& statement);
  void assignment(const Statement& statement);
  void if_statement(const Statement& statement, bool last);
  void while_statement(const Statement& statement, bool last);
  void switch_statement(const Statement& statement, bool last);
  void case_label(const Case& one, bool numbers, Label target);
  void leave_statement(const Statement& statement);

  // Conditions (compile_condition.cpp, compile_comparison.cpp): jump to target when the truth is `when`, else
  // go on.
  void condition(const Expression& expression, bool when, Label target);
  void comparison(const Expression& expression, bool when, Label target);
  void field_comparison(const Expression& whole, CoreField field, Operator op, const Expression& right,
                        bool when, Label target);
  bool address_comparison(CoreField field, const Expression& right, bool match, Instruction& out);
  bool number_comparison(CoreField field, Operator op, const Expression& right, Instruction& out);
  bool text_comparison(CoreField field, Operator op, const Expression& right, Instruction& out);
  bool variable_comparison(const Expression& whole, bool when, Label target);
  void place_test(const Instruction& test, bool when, Label target, const SourceRange& range);
  void warn_traps(const Expression& expression);

  // Values (compile_expression.cpp): leave one value on the stack.
  void value(const Expression& expression);
  void boolean_value(const Expression& expression);
  bool concat_value(const Expression& expression);
  void binary_value(const Expression& expression);
  void push(const proxy::Value& constant, const SourceRange& range);
  std::optional<proxy::Value> fold(const Expression& expression);
  enum class Type : std::uint8_t { unknown, integer, string };
  Type type_of(const Expression& expression) const noexcept;
  bool check_types(const Expression& expression);
  static bool is_null_constant(const Expression& expression) noexcept;

  // Calls (compile_call.cpp, compile_argument.cpp).
  void call(const Expression& expression, CallMode mode, Label target);
  void call_site(const FoundFunction& found, CallSite site, const SourceRange& range, CallMode mode,
                 Label target);
  FoundFunction closing_function(const RouteBlock& block) const;
  void route_call(const Expression& expression, CallMode mode, Label target);
  void unknown_answer(CallMode mode, Label target, const SourceRange& range);
  FoundFunction find_function(std::string_view name, std::size_t arity) const;
  void report_unknown_function(const Expression& expression);
  std::uint16_t native(const FoundFunction& found);
  bool argument(const mod::ArgSpec& spec, const Expression& expression, std::string_view function,
                CallSite& site, std::size_t index);
  bool text_argument(const Expression& expression, mod::Arg& ready, ArgSource& source, CallSite& site);
  bool integer_argument(const Expression& expression, std::string_view function, mod::Arg& ready,
                        ArgSource& source, CallSite& site);
  void host_name(std::string_view name);
  bool compiled_argument(const mod::ArgSpec& spec, const Expression& expression, std::string_view function,
                         mod::Arg& ready);
  bool variable_argument(const Expression& expression, std::string_view function, mod::Arg& ready);
  bool route_argument(const mod::ArgSpec& spec, const Expression& expression, std::string_view function,
                      mod::Arg& ready);
  std::optional<std::string_view> constant_text(const Expression& expression);

  // Variables (compile_variable.cpp).
  std::optional<std::uint32_t> variable(const VariableSyntax& syntax, const SourceRange& range,
                                        bool quiet = false);
  bool bind_core(const VariableSyntax& syntax, const VariableRow& row, const SourceRange& range,
                 BoundVariable& bound, bool quiet);
  bool bind_inner(const VariableSyntax& syntax, const VariableRow& row, const SourceRange& range,
                  BoundVariable& bound, bool quiet);
  bool bind_module(const VariableSyntax& syntax, const SourceRange& range, BoundVariable& bound);
  bool bind_index(const VariableSyntax& syntax, const SourceRange& range, BoundVariable& bound, bool quiet);
  bool bind_transforms(const VariableSyntax& syntax, const SourceRange& range, BoundVariable& bound,
                       bool quiet);
  bool bind_selected(const VariableSyntax& syntax, const SourceRange& range, BoundVariable& bound,
                     bool quiet);
  void report_unknown_variable(const VariableSyntax& syntax, const SourceRange& range);
  std::optional<std::int64_t> flag_number(std::string_view name) const noexcept;

  Ast& x_ast;
  mod::Registry& x_registry;
  const ModuleLoader& x_modules;
  conf::Diagnostics& x_diagnostics;
  RouteTable x_routes;
  bool x_ser;
  std::unique_ptr<Program> x_program = std::make_unique<Program>();
  std::vector<std::uint32_t> x_labels;
  std::vector<Fixup> x_fixups;
  std::vector<BreakTarget> x_breaks;
  std::vector<PlacedCall> x_calls;
  std::map<std::string, std::uint32_t, std::less<>> x_texts;
  std::map<std::int64_t, std::uint32_t> x_integers;
  std::map<std::string, std::uint32_t, std::less<>> x_variables;
  std::map<std::pair<std::uint16_t, const mod::FunctionSpec*>, std::uint16_t> x_natives;
  std::map<std::string, std::uint16_t, std::less<>> x_local_slots;
  std::uint16_t x_block = 0;
  unsigned x_depth = 0;
  unsigned x_max_depth = 0;
};

}  // namespace ser::script
