// SPDX-License-Identifier: Apache-2.0
// What is looked at before a datagram is parsed at all: keep-alives, runts, and SER's message checks
// (receive_checks).
#pragma once
#include <cstdint>
#include <string_view>

#include "sip/line_index.h"

namespace ser::srv {

enum class DatagramKind : std::uint8_t {
  sip,
  keepalive,       ///< only CR, LF, NUL or white space (RFC 5626 3.5.1, phones' NAT probes)
  runt,            ///< too short to be SIP
  bad_start_line,  ///< bytes that no start line has
  bad_version,     ///< no "SIP/" where the version stands
  no_blank_line,   ///< the header never ends
  bare_cr,         ///< CR without LF in the header
};

/// Shortest datagram looked at as SIP, as in the family (MIN_UDP_PACKET).
inline constexpr std::size_t kMinDatagram = 20;

/// Takes trailing NUL bytes off (SER row "main loop": stripped). Linear in what it takes.
std::string_view strip_trailing_nul(std::string_view bytes) noexcept;

/// Takes empty lines before the start line off (RFC 3261 7.5).
std::string_view strip_leading_lines(std::string_view bytes) noexcept;

/// What a datagram without its trailing NULs and leading empty lines is. With `full` SER's message checks are
/// done: printable start line (bytes over 127 are legal in a response's reason), SIP/ at its begin or end, CR
/// only before LF, blank line present. One pass, linear. `lines` is filled when the verdict is `sip`.
DatagramKind check_datagram(std::string_view bytes, bool full, sip::LineIndex& lines) noexcept;

}  // namespace ser::srv
