// SPDX-License-Identifier: Apache-2.0
#include "sip/name_pattern.h"

namespace ser::sip {

namespace {

/// Whether `rest`, what follows a name, is a colon, perhaps with white space before it.
bool begins_with_colon(std::string_view rest) noexcept {
  std::size_t at = 0;
  while (at < rest.size() && is_space(rest[at])) ++at;
  return at < rest.size() && rest[at] == ':';
}

}  // namespace

std::size_t match_name_slowly(std::string_view text, HeaderId id) noexcept {
  const HeaderRow& row = header_row(id);
  if (istarts_with(text, row.name))
    return begins_with_colon(text.substr(row.name.size())) ? row.name.size() : 0;
  const bool compact = !text.empty() && row.compact != 0 && to_lower(text[0]) == row.compact;
  return compact && begins_with_colon(text.substr(1)) ? 1 : 0;
}

}  // namespace ser::sip
