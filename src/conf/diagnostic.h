// SPDX-License-Identifier: Apache-2.0
// Everything a configuration has to be told, collected and printed at once as a good compiler does.
#pragma once
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/source_map.h"

namespace ser::conf {

enum class Severity : std::uint8_t {
  error,    ///< the configuration is refused (exit 1)
  warning,  ///< it runs, but probably not as meant; an error with --strict
  notice,   ///< accepted without effect, or how something was read; never an error
};

/// "error", "warning", "notice". Static storage.
std::string_view to_string(Severity severity) noexcept;

/// One finding. Codes are stable and short, a letter and four digits: x01xx lexer and preprocessor, x02xx
/// parser, x03xx names, types and routes (checker), x04xx core parameters, x05xx modules and their
/// parameters.
struct Diagnostic {
  Severity severity = Severity::error;
  const char* code = "";  ///< static text such as "E0201"
  SourceRange range;
  std::string message;  ///< one sentence without a full stop, lower case first letter
  std::string hint;     ///< what to do, such as "did you mean `t_relay`?"; may be empty
};

/// Collects diagnostics from all stages of reading a configuration. Not thread-safe.
class Diagnostics {
 public:
  static constexpr std::size_t kDefaultLimit = 200;

  /// At most `limit` diagnostics are kept; all are counted. Errors push out warnings and notices when it is
  /// full.
  explicit Diagnostics(std::size_t limit = kDefaultLimit) noexcept : x_limit(limit) {}

  /// With strict, warnings are turned into errors when they are added (`--strict`).
  void set_strict(bool strict) noexcept { x_strict = strict; }

  void add(Severity severity, const char* code, const SourceRange& range, std::string message,
           std::string hint = {});
  void error(const char* code, const SourceRange& range, std::string message, std::string hint = {}) {
    add(Severity::error, code, range, std::move(message), std::move(hint));
  }
  void warning(const char* code, const SourceRange& range, std::string message, std::string hint = {}) {
    add(Severity::warning, code, range, std::move(message), std::move(hint));
  }
  void notice(const char* code, const SourceRange& range, std::string message, std::string hint = {}) {
    add(Severity::notice, code, range, std::move(message), std::move(hint));
  }

  /// Kept diagnostics in the order of their positions (stable). Valid until the next add().
  std::span<const Diagnostic> sorted() const noexcept { return x_list; }

  std::size_t errors() const noexcept { return x_errors; }
  std::size_t warnings() const noexcept { return x_warnings; }
  std::size_t notices() const noexcept { return x_notices; }
  /// How many were counted but not kept.
  std::size_t dropped() const noexcept { return x_dropped; }

 private:
  std::vector<Diagnostic> x_list;  ///< always in order
  std::size_t x_limit;
  std::size_t x_errors = 0;
  std::size_t x_warnings = 0;
  std::size_t x_notices = 0;
  std::size_t x_dropped = 0;
  bool x_strict = false;
};

/// One diagnostic as text, lines ended by '\n':
///   ser.cfg:12:3: error: unknown function `t_rely` [E0301]
///       t_rely();
///       ^~~~~~
///   hint: did you mean `t_relay`?
/// Tabs of the source line are kept before the caret so that it stands right; control bytes become '?'.
std::string print(const Diagnostic& diagnostic, const SourceMap& sources);

/// All of them in order, then "N errors, N warnings" (nothing when there is nothing to say).
std::string print(const Diagnostics& diagnostics, const SourceMap& sources);

/// The candidate nearest to `name` by edit distance without regard to case, when near enough to be meant: at
/// most a third of its length, 2 from four letters on, 1 below; two swapped neighbours count 1. Empty when
/// none is. Linear in the number of candidates. The result points into `candidates`.
std::string_view suggest(std::string_view name, std::span<const std::string_view> candidates) noexcept;

/// "did you mean `x`?", or empty when suggest() found nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace ser::conf
