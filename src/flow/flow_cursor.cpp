// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_cursor.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"

namespace ser::flow {

namespace {

/// A comment on a step's line: a `#` between blanks, outside of quotes and patterns.
std::size_t comment_at(std::string_view text) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool word_begins = i == 0 || is_space(text[i - 1]);
    if (quote != 0) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == quote)
        quote = 0;
    } else if (text[i] == '"' || (text[i] == '/' && word_begins)) {
      quote = text[i];
    } else if (text[i] == '#' && word_begins && (i + 1 == text.size() || is_space(text[i + 1]))) {
      return i;
    }
  }
  return text.size();
}

/// Names of the groups of a pattern, by number from 1.
std::vector<std::string> group_names(std::string_view pattern) {
  std::vector<std::string> names;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (in_class) {
      in_class = pattern[i] != ']';
    } else if (pattern[i] == '[') {
      in_class = true;
    } else if (pattern[i] == '(') {
      std::string_view rest = pattern.substr(i + 1);
      if (!rest.starts_with('?') && !rest.starts_with('*')) {
        names.emplace_back();
        continue;
      }
      if (rest.starts_with("?P<")) rest.remove_prefix(1);
      if (rest.size() > 2 && rest[1] == '<' && rest[2] != '=' && rest[2] != '!')
        names.emplace_back(rest.substr(2, rest.find('>') - 2));
    }
  }
  return names;
}

}  // namespace

bool unescape_text(std::string_view text, std::string& out, std::size_t& bad) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    bad = i;
    if (++i == text.size()) return false;
    switch (text[i]) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case '0':
        out += '\0';
        break;
      case '\\':
      case '"':
      case '/':
        out += text[i];
        break;
      case 'x': {
        const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) return false;
        out += static_cast<char>(high * 16 + low);
        i += 2;
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

Cursor::Cursor(const Line& line, std::uint32_t file, conf::Diagnostics& diagnostics)
    : x_text(line.text.substr(0, comment_at(line.text))),
      x_line(line.number),
      x_file(file),
      x_diagnostics(diagnostics) {
  while (!x_text.empty() && is_space(x_text.back())) x_text.remove_suffix(1);
}

void Cursor::skip_blanks() {
  while (x_at < x_text.size() && is_space(x_text[x_at])) ++x_at;
}

conf::SourceRange Cursor::range(std::size_t begin, std::size_t end) const noexcept {
  return {x_file, x_line, static_cast<std::uint32_t>(begin + 1), static_cast<std::uint32_t>(end - begin)};
}

conf::SourceRange Cursor::whole() const noexcept {
  std::size_t begin = 0;
  while (begin < x_text.size() && is_space(x_text[begin])) ++begin;
  return range(begin, x_text.size());
}

std::size_t Cursor::word_end(std::size_t from) const noexcept {
  if (from < x_text.size() && (x_text[from] == '"' || x_text[from] == '/')) {
    for (std::size_t i = from + 1; i < x_text.size(); ++i) {
      if (x_text[i] == '\\')
        ++i;
      else if (x_text[i] == x_text[from])
        return i + 1;
    }
    return x_text.size();
  }
  std::size_t end = from;
  while (end < x_text.size() && !is_space(x_text[end])) ++end;
  return end;
}

bool Cursor::at_end() {
  skip_blanks();
  return x_at >= x_text.size();
}

bool Cursor::next_is_quoted() {
  return !at_end() && x_text[x_at] == '"';
}

std::string_view Cursor::peek() {
  skip_blanks();
  return x_text.substr(x_at, word_end(x_at) - x_at);
}

conf::SourceRange Cursor::here() {
  skip_blanks();
  return range(x_at, word_end(x_at));
}

Text Cursor::word() {
  const std::string_view found = peek();
  const Text out{std::string(found), range(x_at, x_at + found.size())};
  x_at += found.size();
  return out;
}

bool Cursor::take(std::string_view word) {
  if (peek() != word) return false;
  x_at += word.size();
  return true;
}

Text Cursor::rest() {
  skip_blanks();
  const Text out{std::string(x_text.substr(x_at)), range(x_at, x_text.size())};
  x_at = x_text.size();
  return out;
}

std::optional<Text> Cursor::text(std::string_view what) {
  if (at_end()) {
    error("E0602", here(), fmt::format("{} is missing", what));
    return std::nullopt;
  }
  Text found = word();
  if (!found.text.starts_with('"')) return found;
  if (found.text.size() < 2 || found.text.back() != '"') {
    error("E0601", found.range, "the quote is not closed");
    return std::nullopt;
  }
  std::string plain;
  std::size_t bad = 0;
  if (!unescape_text(std::string_view(found.text).substr(1, found.text.size() - 2), plain, bad)) {
    conf::SourceRange at = found.range;
    at.column += static_cast<std::uint32_t>(bad + 1);
    at.length = 2;
    error("E0601", at, "unknown escape", "known are \\r \\n \\t \\0 \\\\ \\\" and \\xHH");
    return std::nullopt;
  }
  found.text = std::move(plain);
  return found;
}

std::optional<Pattern> Cursor::pattern(std::string_view what, Text& as_written) {
  as_written = word();
  const std::string& text = as_written.text;
  if (text.size() < 2 || text.front() != '/' || text.back() != '/') {
    error("E0602", as_written.range, fmt::format("{} is a pattern between slashes: /…/", what));
    return std::nullopt;
  }
  std::string plain;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && text[i + 1] == '/' && i + 2 < text.size()) continue;
    plain += text[i];
  }
  std::string problem;
  Pattern out;
  out.regex = mod::Regex::compile(plain, {.ignore_case = false}, problem);
  if (out.regex == nullptr) {
    error("E0601", as_written.range, fmt::format("bad pattern: {}", problem));
    return std::nullopt;
  }
  out.groups = group_names(plain);
  return out;
}

std::optional<Instant> Cursor::duration(std::string_view what) {
  const Text found = word();
  std::size_t digits = 0;
  while (digits < found.text.size() && (is_digit(found.text[digits]) || found.text[digits] == '.')) ++digits;
  const std::string_view figure = std::string_view(found.text).substr(0, digits);
  const std::string_view unit = std::string_view(found.text).substr(digits);
  const std::size_t dot = figure.find('.');
  const auto whole = parse_u32(figure.substr(0, dot), 10'000'000);
  double value = whole ? *whole : 0;
  bool good = whole.has_value();
  if (dot != std::string_view::npos) {
    const std::string_view decimals = figure.substr(dot + 1);
    const auto part = parse_u32(decimals, 999'999);
    good = good && part && decimals.size() <= 6;
    double scale = 1;
    for (std::size_t i = 0; i < decimals.size(); ++i) scale *= 10;
    if (part) value += *part / scale;
  }
  const double factor = unit == "us"   ? 1e3
                        : unit == "ms" ? 1e6
                        : unit == "s"  ? 1e9
                        : unit == "m"  ? 60e9
                        : unit == "h"  ? 3600e9
                                       : 0;
  constexpr double kLongest = 31 * 24 * 3600e9;
  if (good && factor != 0 && value * factor <= kLongest) return std::llround(value * factor);
  error("E0602", found.range, fmt::format("{} is a time such as 500ms, 32s or 5m, up to 31 days", what));
  return std::nullopt;
}

std::optional<std::uint64_t> Cursor::number(std::string_view what, std::uint64_t max) {
  const Text found = word();
  const auto value = parse_u64(found.text);
  if (value && *value <= max) return value;
  error("E0602", found.range, fmt::format("{} is a number up to {}", what, max));
  return std::nullopt;
}

std::optional<double> Cursor::share(std::string_view what) {
  const Text found = word();
  std::string_view figure = found.text;
  const bool percent = figure.ends_with('%');
  if (percent) figure.remove_suffix(1);
  const std::size_t dot = figure.find('.');
  const std::string_view decimals = dot == std::string_view::npos ? "0" : figure.substr(dot + 1);
  const auto whole = parse_u32(figure.substr(0, dot), 100);
  const auto part = parse_u32(decimals, 999'999);
  if (whole && part && decimals.size() <= 6) {
    double scale = percent ? 100 : 1;
    double value = *whole / scale;
    for (std::size_t i = 0; i < decimals.size(); ++i) scale *= 10;
    value += *part / scale;
    if (value <= 1) return value;
  }
  error("E0602", found.range, fmt::format("{} is a share such as 5% or 0.05", what));
  return std::nullopt;
}

void Cursor::expect_end() {
  if (!at_end()) {
    const Text left = rest();
    error("E0603", left.range, fmt::format("`{}` is too much here", left.text));
  }
}

}  // namespace ser::flow
