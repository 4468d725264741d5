// SPDX-License-Identifier: Apache-2.0
// Reading the words of one line of a flow file.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "conf/diagnostic.h"
#include "flow/flow_file.h"

namespace ser::flow {

/// A line of the file without its line end.
struct Line {
  std::string_view text;
  std::uint32_t number = 0;  ///< from 1
};

/// A place in a line. Words are separated by blanks; `"…"` with escapes and `/…/` are one word each.
class Cursor {
 public:
  Cursor(const Line& line, std::uint32_t file, conf::Diagnostics& diagnostics);

  bool at_end();
  /// The next word without taking it; empty at the end.
  std::string_view peek();
  /// The next word as it stands; empty at the end.
  Text word();
  /// Takes the next word when it is this one.
  bool take(std::string_view word);
  /// The rest of the line without blanks around it.
  Text rest();
  /// A word, or the bytes of a quoted text. nullopt and an error: nothing there, or a bad escape.
  std::optional<Text> text(std::string_view what);
  std::optional<Pattern> pattern(std::string_view what, Text& as_written);
  /// 500ms, 32s, 2m, 1h, 1.5s in nanoseconds.
  std::optional<Instant> duration(std::string_view what);
  std::optional<std::uint64_t> number(std::string_view what, std::uint64_t max);
  /// 5% or 0.05 as 0..1.
  std::optional<double> share(std::string_view what);
  /// An error when something is left on the line.
  void expect_end();

  void error(const char* code, const conf::SourceRange& range, std::string message, std::string hint = {}) {
    x_diagnostics.error(code, range, std::move(message), std::move(hint));
  }
  /// From the first word to the last.
  conf::SourceRange whole() const noexcept;
  /// The next word, or the place behind the last.
  conf::SourceRange here();
  conf::Diagnostics& diagnostics() noexcept { return x_diagnostics; }
  bool next_is_quoted();

 private:
  void skip_blanks();
  conf::SourceRange range(std::size_t begin, std::size_t end) const noexcept;
  std::size_t word_end(std::size_t from) const noexcept;

  std::string_view x_text;
  std::uint32_t x_line;
  std::uint32_t x_file;
  conf::Diagnostics& x_diagnostics;
  std::size_t x_at = 0;
};

/// `text` with the escapes of quoted text replaced: \r \n \t \0 \\ \" \xHH. False: `bad` is the offset of a
/// wrong one.
bool unescape_text(std::string_view text, std::string& out, std::size_t& bad);

}  // namespace ser::flow
