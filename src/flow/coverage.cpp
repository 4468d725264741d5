// SPDX-License-Identifier: Apache-2.0
#include "flow/coverage.h"

#include <fmt/format.h>

#include <algorithm>

namespace ser::flow {

void Coverage::add(const Server& server) {
  const script::Program& program = server.program();
  const script::Trace& trace = server.trace();
  // A line ran as often as the busiest of its instructions.
  std::map<std::uint16_t, std::map<std::uint32_t, std::uint64_t>> lines;
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    // These stand at no statement of the script.
    if (program.code[i].op == script::Op::end || program.code[i].op == script::Op::jump) continue;
    const SourcePlace place = program.places[i];
    if (place.line == 0) continue;
    std::uint64_t& count = lines[place.file][place.line];
    count = std::max(count, i < trace.hits.size() ? trace.hits[i] : 0);
  }
  for (const auto& [file, counts] : lines) {
    for (const auto& [line, count] : counts) x_files[program.files[file]][line] += count;
  }
}

namespace {

double percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string Coverage::text() const {
  std::string out;
  std::size_t all = 0;
  std::size_t all_ran = 0;
  for (const auto& [file, lines] : x_files) {
    std::size_t ran = 0;
    std::string missing;
    std::uint32_t from = 0;
    std::uint32_t last = 0;
    const auto flush = [&] {
      if (from != 0) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", from);
      if (from != last) missing += fmt::format("-{}", last);
      from = last = 0;
    };
    for (const auto& [line, count] : lines) {
      if (count != 0) {
        ++ran;
        flush();
      } else {
        if (from == 0) from = line;
        last = line;
      }
    }
    flush();
    all += lines.size();
    all_ran += ran;
    out += fmt::format("{:>6.1f} %  {:>5} of {:<5} {}{}\n", percent(ran, lines.size()), ran, lines.size(),
                       file, missing.empty() ? "" : "  not run: " + missing);
  }
  return out + fmt::format("{:>6.1f} %  {:>5} of {:<5} in all\n", percent(all_ran, all), all_ran, all);
}

std::string Coverage::lcov() const {
  std::string out = "TN:\n";
  for (const auto& [file, lines] : x_files) {
    out += fmt::format("SF:{}\n", file);
    std::size_t ran = 0;
    for (const auto& [line, count] : lines) {
      out += fmt::format("DA:{},{}\n", line, count);
      ran += count != 0 ? 1 : 0;
    }
    out += fmt::format("LF:{}\nLH:{}\nend_of_record\n", lines.size(), ran);
  }
  return out;
}

}  // namespace ser::flow
