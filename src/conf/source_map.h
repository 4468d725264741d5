// SPDX-License-Identifier: Apache-2.0
// The texts a configuration was read from, kept until its diagnostics are printed. A file is a small number.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace ser::conf {

/// A piece of one line of one source. Plain value, 16 bytes.
struct SourceRange {
  std::uint32_t file = 0;    ///< index in the SourceMap
  std::uint32_t line = 0;    ///< 1-based; 0 = the file as a whole, no line is shown
  std::uint32_t column = 0;  ///< 1-based, in bytes
  std::uint32_t length = 0;  ///< bytes marked on that line; 0 is shown as one caret
};

/// True when `a` begins before `b` (file, then line, then column).
constexpr bool precedes(const SourceRange& a, const SourceRange& b) noexcept {
  if (a.file != b.file) return a.file < b.file;
  return a.line != b.line ? a.line < b.line : a.column < b.column;
}

/// From the beginning of `first` to the end of `last` when both lie on one line in that order; else `first`.
constexpr SourceRange join(const SourceRange& first, const SourceRange& last) noexcept {
  if (first.file != last.file || first.line != last.line || last.column < first.column) return first;
  SourceRange whole = first;
  const std::uint32_t end = last.column + last.length;
  if (end > first.column + first.length) whole.length = end - first.column;
  return whole;
}

/// Owns the texts. Views handed out stay valid as long as the map (texts are never moved or dropped).
class SourceMap {
 public:
  SourceMap() = default;
  SourceMap(const SourceMap&) = delete;
  SourceMap& operator=(const SourceMap&) = delete;

  /// Adds a text under the name that diagnostics shall print. Returns its index.
  std::uint32_t add(std::string name, std::string text);
  std::size_t size() const noexcept { return x_sources.size(); }
  /// Name and text of an index that add() returned; empty for any other.
  std::string_view name(std::uint32_t file) const noexcept;
  std::string_view text(std::uint32_t file) const noexcept;
  /// The line (1-based) without its line end; empty when there is none.
  std::string_view line(std::uint32_t file, std::uint32_t line) const noexcept;

 private:
  struct Source {
    std::string name;
    std::string text;
    std::vector<std::uint32_t> line_starts;
  };
  std::deque<Source> x_sources;
};

}  // namespace ser::conf
