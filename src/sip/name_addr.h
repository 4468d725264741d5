// SPDX-License-Identifier: Apache-2.0
// name-addr / addr-spec with parameters: From, To, Route, Record-Route, Path, Service-Route, Refer-To,
// identities.
#pragma once
#include <string_view>

#include "base/arena.h"
#include "base/result.h"

namespace ser::sip {

class HeaderField;

/// One address (RFC 3261 20.10, 25.1). Views point into the parsed text.
struct NameAddr {
  std::string_view display;  ///< as written: a quoted string with its quotes, or tokens; empty when absent
  std::string_view uri;      ///< without angle brackets, not checked beyond its scheme; see sip/uri.h
  std::string_view params;   ///< header parameters from the first `;`, empty when none
  std::string_view text;     ///< the whole value, no surrounding LWS, no comma
  std::string_view tag;      ///< parameter tag (outside <>); empty when absent
  const NameAddr* next = nullptr;      ///< next value of the same header field
  const HeaderField* field = nullptr;  ///< where it stands; nullptr when parsed outside a message
  bool angle = false;                  ///< the URI stood in angle brackets
};

/// Exactly one address: From, To, Refer-To, Referred-By, Reply-To. Without angle brackets the URI ends at
/// `;`, and a
/// `?` or comma in it is an error (RFC 3261 20). Errc::syntax, no_memory. Linear time.
Result<NameAddr*> parse_name_addr(std::string_view text, Arena& arena) noexcept;

/// One address or several with commas, the others on `next`: P-Asserted-Identity and its kin, where angle
/// brackets may be missing.
Result<NameAddr*> parse_name_addr_list(std::string_view text, Arena& arena) noexcept;

/// As parse_name_addr_list(), but angle brackets are mandatory: Route, Record-Route, Path, Service-Route.
Result<NameAddr*> parse_route_list(std::string_view text, Arena& arena) noexcept;

}  // namespace ser::sip
