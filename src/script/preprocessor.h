// SPDX-License-Identifier: Apache-2.0
// Files to one sequence of tokens: conditionals, defines, substitutions, includes. Every token knows where it
// came from.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "script/lexer.h"
#include "script/parser.h"
#include "script/substitution.h"

namespace ser::script {

class Preprocessor {
 public:
  static constexpr unsigned kMaxIncludeDepth = 16;
  static constexpr unsigned kMaxIncludes = 1000;
  static constexpr unsigned kMaxDefineDepth = 16;
  static constexpr unsigned kMaxConditionDepth = 64;
  static constexpr std::size_t kMaxTokens = 1'000'000;

  Preprocessor(SourceReader& reader, const ParseOptions& options, Ast& ast, conf::SourceMap& sources,
               conf::Diagnostics& diagnostics);

  /// Reads the text and all it includes; ast.dialect must be set. The last token is TokenKind::end.
  std::vector<Token> run(std::string_view name, std::string_view text);

  /// An `#!ifexp`: numbers, strings, names of defines (undefined: 0), `defined NAME`, `! - + * / == != < > <=
  /// >= && ||` and parentheses. Reports a bad one at `range` and takes it as false.
  bool evaluate(std::string_view expression, const conf::SourceRange& range);

 private:
  struct Define {
    std::string_view value;
    bool has_value = false;
  };
  struct Condition {
    conf::SourceRange range;
    bool taken = false;  ///< some branch was taken
    bool seen_else = false;
  };
  enum class DefineMode { define, try_define, redefine };

  void add_defines_of(const ParseOptions& options);
  void read_text(std::string_view name, std::string_view text);
  void read_tokens(Lexer& lexer, std::string_view name);
  void emit(const Token& token);
  void emit_string(Token token);
  bool expand(const Token& token);
  bool expand_def_variable(const Token& token);
  void emit_value(std::string_view value, const Token& use, std::string_view define);
  void directive(Lexer& lexer, const Token& token, std::string_view name);
  void condition(Lexer& lexer, std::string_view word, std::string_view rest, const conf::SourceRange& range);
  void skip(Lexer& lexer);
  void end_condition(const conf::SourceRange& range, std::string_view word);
  void define(std::string_view rest, DefineMode mode, const conf::SourceRange& range);
  void define_from_environment(std::string_view rest, std::string_view word, const conf::SourceRange& range);
  void substitute(std::string_view word, std::string_view rest, const conf::SourceRange& range);
  void include(std::string_view path, bool must_exist, std::string_view from, const conf::SourceRange& range);
  void note_module(const Token& token);

  SourceReader& x_reader;
  const ParseOptions& x_options;
  Ast& x_ast;
  conf::SourceMap& x_sources;
  conf::Diagnostics& x_diagnostics;
  std::map<std::string, Define, std::less<>> x_defines;
  std::vector<Substitution> x_substitutions;
  std::vector<Condition> x_conditions;
  std::vector<std::string> x_open_files;
  std::vector<std::string_view> x_expanding;
  std::vector<Token> x_tokens;
  std::size_t x_expansions = 0;
  unsigned x_includes = 0;
  bool x_full = false;
  bool x_after_load = false;
};

/// Path of an included file: absolute, or relative to the folder of the including file.
std::string include_path(std::string_view path, std::string_view from);

}  // namespace ser::script
