// SPDX-License-Identifier: Apache-2.0
#include "sip/params.h"

#include "base/text.h"

namespace ser::sip {

bool ParamIterator::next() noexcept {
  if (!ok) return false;
  x_cursor.skip_lws();
  if (x_cursor.at_end()) return false;
  Param param;
  if (!x_cursor.take_separator(';') || !scan_param(x_cursor, param)) {
    ok = false;
    return false;
  }
  name = param.name;
  value = param.value;
  has_value = param.has_value;
  quoted = param.quoted;
  return true;
}

std::optional<std::string_view> find_param(std::string_view params, std::string_view name) noexcept {
  ParamIterator it(params);
  while (it.next()) {
    if (iequals(it.name, name)) return it.value;
  }
  return std::nullopt;
}

}  // namespace ser::sip
