// SPDX-License-Identifier: Apache-2.0
// Equality of URIs (RFC 3261 19.1.4, RFC 3966 section 4) and the canonical form of an address-of-record.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"
#include "sip/uri.h"

namespace ser::sip {

/// True when both stand for the same resource. Symmetric and reflexive; as the RFC says, not transitive,
/// because a parameter of no special meaning counts only when both have it. Of transport, user, ttl, method
/// and maddr, one URI alone may have none. sip and sips never match, nor do URIs of different schemes; of
/// unknown schemes everything after the colon is compared byte by byte. URIs with more than 32 parameters or
/// headers match only when their texts are the same.
bool equal(const Uri& a, const Uri& b) noexcept;

/// Equality of two pieces of a URI in which an escaped character is the same as the plain one, unless it is
/// of the reserved set (`;/?:@&=+$,`).
bool equal_escaped(std::string_view a, std::string_view b, bool ignore_case) noexcept;

/// The key of an address-of-record (RFC 3261 10.3 step 5): scheme in lower case, user unescaped (case kept),
/// host in lower case, port when given, no password, parameters or headers; of a tel URI the number without
/// visual separators. Unknown schemes: Errc::unsupported. Returns the part of `out` that was written;
/// text.size() bytes always suffice.
Result<std::string_view> canonical_aor(const Uri& uri, std::span<char> out) noexcept;

}  // namespace ser::sip
