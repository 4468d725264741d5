// SPDX-License-Identifier: Apache-2.0
// `/re/replacement/flags`: the argument of subst() and its kin, taken apart when the configuration is read.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mod/argument.h"
#include "mod/regex.h"
#include "proxy/run.h"

namespace ser::modules {

/// Flags: i ignore case, g all matches, s a dot matches line ends too. The replacement may hold \0 to \9, \u
/// (the Request-URI), \n \r \t, an escaped delimiter, and variables.
class Substitution {
 public:
  static std::unique_ptr<Substitution> compile(std::string_view text, std::string& error);
  static std::unique_ptr<Substitution> compile(std::string_view text, std::string& error,
                                               mod::FormatCompiler& formats);

  const mod::Regex& regex() const noexcept { return *x_regex; }
  bool all() const noexcept { return x_all; }
  /// The replacement for one match, in the arena; data() == nullptr when that is exhausted.
  std::string_view expand(proxy::Run& run, std::string_view subject,
                          std::span<const mod::Capture> captures) const;

  static constexpr std::size_t kGroups = 10;

 private:
  struct Piece {
    enum class Kind : std::uint8_t { literal, group, uri, format };
    Kind kind = Kind::literal;
    std::uint8_t group = 0;
    std::string literal;
    std::unique_ptr<mod::Format> format;
  };
  static std::unique_ptr<Substitution> build(std::string_view text, std::string& error,
                                             mod::FormatCompiler* formats);
  bool add_replacement(std::string_view text, char delimiter, std::string& error,
                       mod::FormatCompiler* formats);
  bool add_literal(std::string& literal, std::string& error, mod::FormatCompiler* formats);

  std::unique_ptr<mod::Regex> x_regex;
  std::vector<Piece> x_pieces;
  bool x_all = false;
};

}  // namespace ser::modules
