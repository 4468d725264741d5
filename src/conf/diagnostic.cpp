// SPDX-License-Identifier: Apache-2.0
// Collecting, ordering and printing of diagnostics; hints by edit distance.
#include "conf/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ser::conf {
namespace {

/// Longer source lines are cut to a window around the marked place.
constexpr std::size_t kMaxShown = 160;

/// The line and its marker, two lines indented by two.
void print_source_line(std::string& out, std::string_view line, const SourceRange& range) {
  std::size_t begin = std::min<std::size_t>(range.column == 0 ? 0 : range.column - 1, line.size());
  if (line.size() > kMaxShown) {
    const std::size_t skip = begin > kMaxShown / 2 ? begin - kMaxShown / 2 : 0;
    line = line.substr(skip, kMaxShown);
    begin -= skip;
  }
  out += "  ";
  for (const char c : line) out += (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F ? '?' : c;
  out += "\n  ";
  for (const char c : line.substr(0, begin)) {
    // UTF-8 continuation bytes take no place on the screen.
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) out += c == '\t' ? '\t' : ' ';
  }
  out += '^';
  const std::size_t length = std::min<std::size_t>(range.length, line.size() - begin);
  if (length > 1) out.append(length - 1, '~');
  out += '\n';
}

/// `fi` for `if`: one slip of the fingers, though two edits.
bool swapped_neighbours(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin());
  const std::size_t at = static_cast<std::size_t>(in_a - a.begin());
  return at + 1 < a.size() && a[at] == b[at + 1] && a[at + 1] == b[at] &&
         a.substr(at + 2) == b.substr(at + 2);
}

}  // namespace

std::string_view to_string(Severity severity) noexcept {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::notice:
      break;
  }
  return "notice";
}

void Diagnostics::add(Severity severity, const char* code, const SourceRange& range, std::string message,
                      std::string hint) {
  if (severity == Severity::warning && x_strict) severity = Severity::error;
  std::size_t& count = severity == Severity::error     ? x_errors
                       : severity == Severity::warning ? x_warnings
                                                       : x_notices;
  ++count;
  if (x_list.size() >= x_limit) {
    ++x_dropped;
    if (severity != Severity::error) return;
    const auto weaker = std::find_if(x_list.rbegin(), x_list.rend(),
                                     [](const Diagnostic& one) { return one.severity != Severity::error; });
    if (weaker == x_list.rend()) return;
    x_list.erase(std::next(weaker).base());
  }
  const auto place =
      std::upper_bound(x_list.begin(), x_list.end(), range,
                       [](const SourceRange& a, const Diagnostic& b) { return precedes(a, b.range); });
  x_list.insert(place, {severity, code, range, std::move(message), std::move(hint)});
}

std::string print(const Diagnostic& diagnostic, const SourceMap& sources) {
  const SourceRange& range = diagnostic.range;
  std::string out;
  const std::string_view name = sources.name(range.file);
  if (!name.empty() && range.line != 0) {
    out = fmt::format("{}:{}:{}: ", name, range.line, range.column);
  } else if (!name.empty()) {
    out = fmt::format("{}: ", name);
  }
  out += fmt::format("{}: {} [{}]\n", to_string(diagnostic.severity), diagnostic.message, diagnostic.code);
  if (range.line != 0 && !name.empty()) {
    print_source_line(out, sources.line(range.file, range.line), range);
  }
  if (!diagnostic.hint.empty()) out += fmt::format("  hint: {}\n", diagnostic.hint);
  return out;
}

std::string print(const Diagnostics& diagnostics, const SourceMap& sources) {
  std::string out;
  for (const Diagnostic& one : diagnostics.sorted()) out += print(one, sources);
  if (diagnostics.dropped() != 0) out += fmt::format("{} more not shown\n", diagnostics.dropped());
  if (diagnostics.errors() + diagnostics.warnings() != 0) {
    out +=
        fmt::format("{} error{}, {} warning{}\n", diagnostics.errors(), diagnostics.errors() == 1 ? "" : "s",
                    diagnostics.warnings(), diagnostics.warnings() == 1 ? "" : "s");
  }
  return out;
}

std::string_view suggest(std::string_view name, std::span<const std::string_view> candidates) noexcept {
  if (name.empty()) return {};
  // Two, so that swapped letters are found, but one for the shortest names, where two is half of them.
  const unsigned farthest =
      name.size() < 4 ? 1 : std::max<unsigned>(2, static_cast<unsigned>(name.size() / 3));
  unsigned nearest = farthest + 1;
  std::string_view best;
  for (const std::string_view candidate : candidates) {
    if (candidate == name) continue;
    const unsigned distance =
        swapped_neighbours(name, candidate) ? 1 : edit_distance(name, candidate, farthest);
    if (distance >= nearest || distance >= candidate.size()) continue;
    best = candidate;
    nearest = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates) {
  const std::string_view best = suggest(name, candidates);
  return best.empty() ? std::string() : fmt::format("did you mean `{}`?", best);
}

}  // namespace ser::conf
