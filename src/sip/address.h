// SPDX-License-Identifier: Apache-2.0
// Internal: the part that name-addr, addr-spec and Contact have in common.
#pragma once
#include <string_view>

#include "base/result.h"
#include "sip/scanner.h"

namespace ser::sip {

/// `[display-name] <uri>` or a bare addr-spec, as read by scan_address(). Views point into the text.
struct Address {
  const char* begin = nullptr;  ///< first byte of the value
  const char* end = nullptr;    ///< behind the address: `>` included
  std::string_view display;
  std::string_view uri;
  bool angle = false;
};

/// Reads leading LWS and one address. Without angle brackets the URI ends at LWS, `;`, `,` or the end, and a
/// `?` in it is an error (RFC 3261 20). LWS just inside the brackets is forgiven (RFC 4475 3.1.2.14), and so
/// are bytes above 127 in a display name without quotes.
Result<void> scan_address(Cursor& cursor, Address& address) noexcept;

}  // namespace ser::sip
