// SPDX-License-Identifier: Apache-2.0
// Contact: addresses with q, expires, instance and flow number, or `*` (RFC 3261 20.10, RFC 5626).
#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"

namespace ser::sip {

class HeaderField;

/// One Contact value. Views point into the parsed text.
struct Contact {
  static constexpr std::int16_t kNoQ = -1;

  std::string_view display;            ///< as written, quotes included; empty when absent
  std::string_view uri;                ///< without angle brackets; empty for `*`
  std::string_view params;             ///< header parameters from the first `;`
  std::string_view text;               ///< the whole value, no surrounding LWS, no comma
  std::string_view instance;           ///< +sip.instance without its quotes (RFC 5626 4.1); empty when absent
  std::string_view methods;            ///< methods="…" without its quotes (RFC 3840)
  std::string_view received;           ///< received="…" without its quotes, as SER's family writes it
  const Contact* next = nullptr;       ///< next value of the same header field
  const HeaderField* field = nullptr;  ///< where it stands; nullptr when parsed outside a message
  std::uint32_t expires = 0;           ///< seconds; a malformed value counts as 3600 (RFC 3261 10.2.1.1)
  std::uint32_t reg_id = 0;            ///< 1..2^31-1 (RFC 5626 4.2); 0: absent
  std::int16_t q = kNoQ;               ///< thousandths, 0..1000; kNoQ: absent
  bool has_expires = false;
  bool angle = false;  ///< the URI stood in angle brackets
  bool star = false;   ///< the value is `*`; then it is the only one of its field
};

/// Parses a Contact field value; values after the first hang on `next`. Errc::syntax, out_of_range (expires,
/// q, reg-id), no_memory. Linear time.
Result<Contact*> parse_contact(std::string_view text, Arena& arena) noexcept;

}  // namespace ser::sip
