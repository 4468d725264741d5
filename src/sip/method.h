// SPDX-License-Identifier: Apache-2.0
// Request methods: those with a number of their own, and all others by name.
#pragma once
#include <cstdint>
#include <string_view>

namespace ser::sip {

/// The methods of RFC 3261, 3262, 3311, 6086, 6665, 3515, 3428 and 3903; everything else is `other`.
enum class Method : std::uint8_t {
  other,
  invite,
  ack,
  cancel,
  bye,
  options,
  register_,
  prack,
  update,
  info,
  subscribe,
  notify,
  refer,
  message,
  publish
};

/// Method of an exact name; case-sensitive (RFC 3261 7.1). Unknown names, also malformed ones, give `other`.
Method parse_method(std::string_view name) noexcept;

/// Name as it stands on the wire ("INVITE"); empty for `other`. Static storage.
std::string_view to_string(Method method) noexcept;

}  // namespace ser::sip
