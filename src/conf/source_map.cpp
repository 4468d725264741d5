// SPDX-License-Identifier: Apache-2.0
// The texts of a configuration by number, with an index of their lines.
#include "conf/source_map.h"

namespace ser::conf {

std::uint32_t SourceMap::add(std::string name, std::string text) {
  Source& source = x_sources.emplace_back();
  source.name = std::move(name);
  source.text = std::move(text);
  source.line_starts.push_back(0);
  for (std::size_t at = source.text.find('\n'); at != std::string::npos;
       at = source.text.find('\n', at + 1)) {
    source.line_starts.push_back(static_cast<std::uint32_t>(at + 1));
  }
  return static_cast<std::uint32_t>(x_sources.size() - 1);
}

std::string_view SourceMap::name(std::uint32_t file) const noexcept {
  return file < x_sources.size() ? std::string_view(x_sources[file].name) : std::string_view();
}

std::string_view SourceMap::text(std::uint32_t file) const noexcept {
  return file < x_sources.size() ? std::string_view(x_sources[file].text) : std::string_view();
}

std::string_view SourceMap::line(std::uint32_t file, std::uint32_t line) const noexcept {
  if (file >= x_sources.size() || line == 0 || line > x_sources[file].line_starts.size()) return {};
  const Source& source = x_sources[file];
  const std::string_view rest = std::string_view(source.text).substr(source.line_starts[line - 1]);
  std::string_view result = rest.substr(0, rest.find('\n'));
  if (!result.empty() && result.back() == '\r') result.remove_suffix(1);
  return result;
}

}  // namespace ser::conf
