// SPDX-License-Identifier: Apache-2.0
#include "flow/variables.h"

namespace ser::flow {

bool substitute(std::string_view text, const LookUp& look_up, std::string& out, std::string& unknown) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("$${")) {
      out += "${";
      i += 2;
      continue;
    }
    if (!text.substr(i).starts_with("${")) {
      out += text[i];
      continue;
    }
    const std::size_t end = text.find('}', i);
    const std::string_view name = text.substr(i + 2, end == std::string_view::npos ? end : end - i - 2);
    const auto value = end == std::string_view::npos ? std::nullopt : look_up(name);
    if (!value) {
      unknown = name;
      return false;
    }
    out += *value;
    i = end;
  }
  return true;
}

}  // namespace ser::flow
