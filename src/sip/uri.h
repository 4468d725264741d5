// SPDX-License-Identifier: Apache-2.0
// URIs as SIP uses them: sip, sips (RFC 3261 19.1), tel (RFC 3966); everything else is kept as `other`.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace ser::sip {

enum class UriScheme : std::uint8_t { other, sip, sips, tel };

/// One `;name[=value]` of a URI. `value` is empty both for `;a` and `;a=`; `has_value` tells them apart.
struct UriParam {
  std::string_view name, value;
  bool has_value = false;
};

/// A parsed URI: views into the text it was parsed from, with escapes as they stand there.
struct Uri {
  std::string_view text;         ///< the whole URI
  std::string_view scheme_text;  ///< as written, without the colon
  std::string_view user;         ///< sip(s): without password; tel: the number as written
  std::string_view password;
  std::string_view host;     ///< as written; an IPv6 reference keeps its brackets. Empty for tel
  std::string_view params;   ///< what follows the first `;` of the parameters, without it
  std::string_view headers;  ///< what follows the `?`, without it
  std::string_view rest;     ///< other: what follows the colon
  std::uint16_t port = 0;    ///< 0: none given
  UriScheme scheme = UriScheme::other;
  bool has_user = false;
  bool has_password = false;

  bool is_sip() const noexcept { return scheme == UriScheme::sip || scheme == UriScheme::sips; }
  /// The value of a parameter (empty for a flag), nullopt when absent. Names are compared without regard to
  /// case.
  std::optional<std::string_view> param(std::string_view name) const noexcept;
  bool has_param(std::string_view name) const noexcept { return param(name).has_value(); }
  /// The port, or 5061 for sips and for transport=tls, or 5060.
  std::uint16_t port_or_default() const noexcept;
  /// Host and port as written ("host", "host:5070").
  std::string_view host_port() const noexcept;
};

/// Parses exactly the whole text. Escapes are checked (% and two hex digits). Tolerated beyond the grammar:
/// the printable characters phones put into user parts (# | ^ { } ` [ ]) and bytes over 127 there,
/// underscores in host names,
/// `:::` in IPv6 references (RFC 5118 4.10). Errc::syntax or Errc::out_of_range (port) with the offset of the
/// fault.
Result<Uri> parse_uri(std::string_view text) noexcept;

/// Takes the next parameter off `rest` (Uri::params at first). Empty parameters are skipped. False at the
/// end.
bool next_uri_param(std::string_view& rest, UriParam& param) noexcept;

/// Takes the next `name=value` off a header part (Uri::headers at first). False at the end.
bool next_uri_header(std::string_view& rest, UriParam& header) noexcept;

/// Writes `text` with %HH replaced by the byte it stands for; a broken escape is copied. Never longer than
/// `text`. Errc::no_space when `out` is shorter than the result.
Result<std::size_t> unescape(std::string_view text, std::span<char> out) noexcept;

/// Builds the text of a URI from its parts (not from Uri::text), for callers that changed user, host or port.
Result<std::size_t> print_uri(const Uri& uri, std::span<char> out) noexcept;

}  // namespace ser::sip
