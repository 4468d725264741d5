// SPDX-License-Identifier: Apache-2.0
// Reads a configuration: preprocessor, lexer and parser in one call. Never throws on bad input; goes on after
// an error, so that one run reports all of them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/diagnostic.h"
#include "conf/source_map.h"
#include "script/ast.h"
#include "script/source_reader.h"

namespace ser::script {

/// What the command line decides about reading.
struct ParseOptions {
  std::optional<Dialect> dialect;    ///< `--dialect`; unset: choose_dialect()
  std::vector<std::string> defines;  ///< `-A NAME` or `-A NAME=value`, in order
  /// `--subst` and its like, each as "subst:/expression/replacement/flags", "substdef:…" or "substdefs:…".
  std::vector<std::string> substitutions;
  /// Value of an environment variable for `#!defenv`; null function: none is set.
  const char* (*environment)(const char* name) = nullptr;
};

/// Reads the file at `path` with everything it includes. All texts are added to `sources` (for printing), all
/// findings to `diagnostics`. The result is never null: after errors it holds what could be understood, and
/// must then be used for further checks only. Linear in the size of the texts, but for bounded expansion of
/// defines.
std::unique_ptr<Ast> parse_file(const std::string& path, SourceReader& reader, const ParseOptions& options,
                                conf::SourceMap& sources, conf::Diagnostics& diagnostics);

/// As parse_file() of a text already at hand; `name` is printed and includes are relative to its folder.
std::unique_ptr<Ast> parse_text(std::string_view name, std::string_view text, SourceReader& reader,
                                const ParseOptions& options, conf::SourceMap& sources,
                                conf::Diagnostics& diagnostics);

/// What the preprocessor makes of the file at `path`, as text that reads the same (`--cfg-print`): includes
/// and defines are in place, comments and layout are gone but for the lines. Findings go to `diagnostics`.
std::string print_preprocessed(const std::string& path, SourceReader& reader, const ParseOptions& options,
                               conf::SourceMap& sources, conf::Diagnostics& diagnostics);

/// A variable written alone ("$avp(x)", "$(ru{s.len})"), as in a module parameter: its parts, or null when
/// `text` is not exactly one variable. Parts are kept in `ast`.
const VariableSyntax* parse_variable(std::string_view text, Ast& ast);

/// A piece of a format string: either a variable or literal text.
struct FormatPart {
  std::string_view literal;
  const VariableSyntax* variable = nullptr;
  std::size_t offset = 0;  ///< where it begins in the format string
};

/// Splits "call from $fu\n" into its parts; `$$` is one dollar. nullopt when a variable is not closed or has
/// no name: `bad_offset` then tells where.
std::optional<std::vector<FormatPart>> parse_format(std::string_view text, Ast& ast, std::size_t& bad_offset);

}  // namespace ser::script
