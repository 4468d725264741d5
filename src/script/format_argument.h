// SPDX-License-Identifier: Apache-2.0
// Texts with variables inside constant arguments (mod::FormatCompiler), by the compiler's own formats.
#pragma once
#include "mod/argument.h"
#include "script/compiler.h"

namespace ser::script {

/// For one argument; what is wrong goes to the compiler's diagnostics.
class FormatArguments final : public mod::FormatCompiler {
 public:
  FormatArguments(Compiler& compiler, const SourceRange& range) noexcept
      : x_compiler(compiler), x_range(range) {}
  std::unique_ptr<mod::Format> compile(std::string_view text, std::string& error) override;
  /// A diagnostic was written, so the argument needs no other.
  bool reported() const noexcept { return x_reported; }

 private:
  Compiler& x_compiler;
  const SourceRange& x_range;
  bool x_reported = false;
};

}  // namespace ser::script
