// SPDX-License-Identifier: Apache-2.0
// `#!subst "/expression/replacement/flags"`: applied to every string literal that follows.
#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace ser::script {

class Substitution {
 public:
  Substitution() noexcept;
  ~Substitution();
  Substitution(Substitution&&) noexcept;
  Substitution& operator=(Substitution&&) noexcept;

  /// Reads "/expression/replacement/flags" with any delimiter; flags i (no case), g (all), s (`.` matches
  /// line ends). False, with a sentence in `problem`, when it cannot be understood.
  bool compile(std::string_view text, std::string& problem);
  /// Replaces `text` and returns true when the expression is found in it. `\0`-`\9` stand for groups. The
  /// result is at most 64 KiB; a longer one is refused and leaves `text` as it is.
  bool apply(std::string& text) const;
  /// The parts, for `#!substdef`.
  std::string_view pattern() const noexcept { return x_pattern; }
  std::string_view replacement() const noexcept { return x_replacement; }

 private:
  struct Code;
  std::unique_ptr<Code> x_code;
  std::string x_pattern;
  std::string x_replacement;
  bool x_all = false;
};

}  // namespace ser::script
