// SPDX-License-Identifier: Apache-2.0
// Via: who sent the request, hop by hop (RFC 3261 20.42, RFC 3581, RFC 5118 4.5).
#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"

namespace ser::sip {

class HeaderField;

/// One Via value. All views point into the parsed text, so their pointers are positions for edits. Text that
/// is absent is empty.
struct Via {
  std::string_view transport;  ///< "UDP" as written
  std::string_view host;       ///< name, IPv4, or IPv6 with its brackets
  std::string_view branch;     ///< without its name; empty when absent (RFC 2543)
  std::string_view received;   ///< an address, IPv6 with or without brackets
  std::string_view maddr;
  std::string_view params;      ///< from the first `;` to the last parameter
  std::string_view text;        ///< the whole value, no surrounding LWS, no comma
  std::string_view rport_text;  ///< the value of rport; without one empty, but standing behind the name
  std::string_view sent_by;     ///< host [ : port ] as written
  const Via* next = nullptr;    ///< next value of the same header field
  const HeaderField* field = nullptr;  ///< where it stands; nullptr when parsed outside a message
  std::uint16_t port = 0;              ///< 1..65535; 0: none written
  std::uint16_t rport = 0;             ///< 1..65535; 0: absent or without value
  bool has_rport = false;              ///< `rport` is there, with or without value
  bool other_version = false;          ///< the protocol is not SIP/2.0: read so that a 505 finds its way
  std::int16_t ttl = -1;               ///< 0..255; -1: absent
};

/// Parses a Via field value: one Via or several with commas; the others hang on `next`. LWS and folds are
/// legal between all tokens, a comment may end a value (RFC 2543). Errc::syntax, out_of_range (port, rport,
/// ttl), no_memory. Linear time, one pass.
Result<Via*> parse_via(std::string_view text, Arena& arena) noexcept;

}  // namespace ser::sip
