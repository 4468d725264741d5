// SPDX-License-Identifier: Apache-2.0
#include "flow/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "conf/diagnostic.h"

namespace ser::flow {

namespace {

constexpr std::string_view kRed = "\033[31m";
constexpr std::string_view kGreen = "\033[32m";
constexpr std::string_view kPlain = "\033[0m";

std::string coloured(const ReportStyle& style, std::string_view colour, std::string_view text) {
  return style.colour ? fmt::format("{}{}{}", colour, text, kPlain) : std::string(text);
}

/// Without bytes that would disturb a terminal or a line.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out;
}

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at == 0 || at < text.size(); at += width) out.push_back(text.substr(at, width));
  return out;
}

std::string seconds(Instant ns) {
  return fmt::format("{:.3f}", static_cast<double>(ns) / 1e9);
}

/// "INVITE sip:bob@example.com SIP/2.0" as "INVITE", a response as "180 Ringing".
std::string label_of(const Passage& passage) {
  const std::string_view line = passage.first_line;
  std::string label(line.starts_with("SIP/2.0 ") ? line.substr(8) : line.substr(0, line.find(' ')));
  if (label.empty()) label = "(no message)";
  if (passage.duplicate) label += " (twice)";
  return printable(label);
}

std::size_t place_of(const std::vector<std::string>& nodes, const std::string& name) {
  return static_cast<std::size_t>(std::find(nodes.begin(), nodes.end(), name) - nodes.begin());
}

/// The arrow from column `from` to column `to` of a row with `columns` life lines, `step` apart.
std::string arrow(std::size_t from, std::size_t to, std::size_t columns, std::size_t step,
                  const Passage& passage) {
  std::string row;
  for (std::size_t i = 0; i < columns; ++i) row += "|" + std::string(i + 1 < columns ? step - 1 : 0, ' ');
  if (from == to) return row.substr(0, from * step + 1) + "-> itself: " + label_of(passage);
  const std::size_t left = std::min(from, to) * step + 1;
  const std::size_t right = std::max(from, to) * step - 1;
  if (right <= left || right >= row.size() + step) return row;
  row.resize(std::max(row.size(), right + 1), ' ');
  for (std::size_t i = left; i <= right; ++i) row[i] = '-';
  std::string label = label_of(passage);
  const std::size_t room = right - left > 4 ? right - left - 3 : 0;
  if (label.size() > room) label.resize(room);
  row.replace(left + (right - left + 1 - label.size()) / 2, label.size(), label);
  const bool gone = passage.fate == Passage::Fate::lost || passage.fate == Passage::Fate::nowhere ||
                    passage.fate == Passage::Fate::swallowed;
  const char head = gone ? 'x' : from < to ? '>' : '<';
  row[from < to ? right : left] = head;
  return row;
}

}  // namespace

std::string ladder(const ScenarioResult& result, std::size_t width) {
  std::vector<std::string> nodes = result.nodes;
  for (const Passage& passage : result.passages) {
    if (place_of(nodes, passage.to) == nodes.size()) nodes.push_back(passage.to);
  }
  constexpr std::size_t kTime = 12;
  constexpr std::size_t kRemark = 20;
  const std::size_t columns = std::max<std::size_t>(nodes.size(), 2);
  const std::size_t step = std::clamp<std::size_t>((width - kTime - kRemark) / (columns - 1), 14, 28);
  std::string out = std::string(kTime, ' ');
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::string name = nodes[i].substr(0, step - 1);
    if (i + 1 < nodes.size()) name.resize(step, ' ');
    out += name;
  }
  out += '\n';
  for (const Passage& passage : result.passages) {
    std::string row = fmt::format("{:>{}} ", seconds(passage.sent), kTime - 1);
    row += arrow(place_of(nodes, passage.from), place_of(nodes, passage.to), columns, step, passage);
    if (passage.fate == Passage::Fate::travelling) row += "  (on its way)";
    if (passage.fate == Passage::Fate::lost) row += "  (lost)";
    if (passage.fate == Passage::Fate::delivered && passage.arrived != passage.sent)
      row += fmt::format("  (there at {})", seconds(passage.arrived));
    while (row.ends_with(' ')) row.pop_back();
    out += row + '\n';
  }
  return out;
}

std::string side_by_side(const std::vector<Row>& rows, const ReportStyle& style) {
  const std::size_t room = std::clamp<std::size_t>(style.width, 60, 200) - 7;
  std::size_t longest = 20;
  for (const Row& row : rows) longest = std::max(longest, row.expected.size());
  const std::size_t left = std::min(longest, room / 2);
  const std::size_t right = room - left;
  std::string out = fmt::format("    {:<{}} | {}\n", "expected", left, "got");
  for (const Row& row : rows) {
    const auto want = wrap(printable(row.expected), left);
    const auto have = wrap(printable(row.got), right);
    for (std::size_t i = 0; i < std::max(want.size(), have.size()); ++i) {
      std::string line = fmt::format("  {} {:<{}} | {}", row.differs ? '!' : ' ',
                                     i < want.size() ? want[i] : "", left, i < have.size() ? have[i] : "");
      while (line.ends_with(' ')) line.pop_back();
      out += (row.differs ? coloured(style, kRed, line) : line) + '\n';
    }
  }
  return out;
}

namespace {

std::string log_text(const ScenarioResult& result) {
  std::string out;
  for (const LogLine& line : result.log)
    out += fmt::format("  {:>9} {}: {}\n", seconds(line.at), to_string(line.level), printable(line.text));
  return out;
}

std::string failure_text(const ScenarioResult& result, const conf::SourceMap& sources,
                         const ReportStyle& style) {
  const Failure& failure = *result.failure;
  conf::Diagnostic where;
  where.range = failure.range;
  where.message = failure.what;
  where.code = "failed";
  std::string out = conf::print(where, sources);
  out += fmt::format("  at {} s{}\n", seconds(failure.at),
                     failure.script.empty() ? "" : ", script at " + failure.script);
  out += failure.text;
  if (!failure.rows.empty()) out += "\n" + side_by_side(failure.rows, style);
  if (!result.passages.empty()) out += "\n" + ladder(result, style.width);
  if (!result.log.empty()) out += "\n  log\n" + log_text(result);
  return out;
}

std::string escape_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        // XML 1.0 has no other control characters, and bytes above 127 need not be UTF-8.
        if (c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F))
          out += c;
        else
          out += '?';
    }
  }
  return out;
}

}  // namespace

std::string describe(const std::string& path, const ScenarioResult& result, const conf::SourceMap& sources,
                     const ReportStyle& style) {
  if (!result.failure) {
    std::string out = fmt::format("{} {}: {} ({} s)\n", coloured(style, kGreen, "passed"), path, result.name,
                                  seconds(result.duration));
    if (style.verbose) out += ladder(result, style.width) + log_text(result);
    return out;
  }
  return fmt::format("{} {}: {}\n", coloured(style, kRed, "FAILED"), path, result.name) +
         failure_text(result, sources, style) + '\n';
}

std::string summary(std::size_t passed, std::size_t failed) {
  return fmt::format("{} passed, {} failed", passed, failed);
}

std::string junit(const std::vector<FlowResults>& all, const conf::SourceMap& sources) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const FlowResults& file : all) {
    std::size_t failed = 0;
    double time = 0;
    for (const ScenarioResult& one : file.scenarios) {
      failed += one.failure ? 1 : 0;
      time += one.seconds;
    }
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" time=\"{:.3f}\">\n",
        escape_xml(file.path), file.scenarios.size(), failed, time);
    for (const ScenarioResult& one : file.scenarios) {
      out += fmt::format("    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3f}\"",
                         escape_xml(file.path), escape_xml(one.name), escape_xml(file.path), one.range.line,
                         one.seconds);
      if (!one.failure) {
        out += "/>\n";
        continue;
      }
      out += fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                         escape_xml(one.failure->what), escape_xml(failure_text(one, sources, {})));
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace ser::flow
