// SPDX-License-Identifier: Apache-2.0
// Lists of tokens: option tags (Supported, Require, Proxy-Require, Unsupported) and methods (Allow).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "sip/hdr.h"
#include "sip/message.h"
#include "sip/method.h"

namespace ser::sip {

/// A checked list of tokens with commas between them; views into the message. May be empty (RFC
/// 3261 20.37, 20.5).
struct TokenList {
  std::string_view text;
  std::uint32_t count = 0;

  /// Takes the next token off `rest` (`text` at first). False at the end.
  static bool next(std::string_view& rest, std::string_view& token) noexcept;
  /// Option tags are compared without regard to case (RFC 3261 7.3.1).
  bool contains(std::string_view token) const noexcept;
};

/// The methods of one Allow header field.
struct MethodSet {
  std::uint32_t bits = 0;  ///< bit 1 << Method; unknown ones only in the list
  TokenList list;

  bool contains(Method method) const noexcept { return (bits >> static_cast<unsigned>(method) & 1U) != 0; }
};

/// Errc::syntax for anything but tokens and commas (empty elements are skipped); no_memory. Linear time.
Result<TokenList*> parse_token_list(std::string_view text, Arena& arena) noexcept;
Result<MethodSet*> parse_method_set(std::string_view text, Arena& arena) noexcept;

namespace hdr {
struct Supported : Tag<HeaderId::supported, TokenList, parse_token_list> {};
struct Require : Tag<HeaderId::require, TokenList, parse_token_list> {};
struct ProxyRequire : Tag<HeaderId::proxy_require, TokenList, parse_token_list> {};
struct Unsupported : Tag<HeaderId::unsupported, TokenList, parse_token_list> {};
struct AllowEvents : Tag<HeaderId::allow_events, TokenList, parse_token_list> {};
struct Allow : Tag<HeaderId::allow, MethodSet, parse_method_set> {};
}  // namespace hdr

/// True when any header field of `H` (hdr::Supported, hdr::Require …) names `tag`. Malformed fields count as
/// not naming it.
template <class H>
bool has_tag(const Message& message, std::string_view tag) noexcept {
  for (const HeaderField* field = message.find(H::id); field != nullptr; field = message.next_same(*field)) {
    const auto list = message.get<H>(*field);
    if (list && (*list)->contains(tag)) return true;
  }
  return false;
}

/// True when an Allow header field names `method`; nullopt when there is none (RFC 3261 20.5: unknown).
std::optional<bool> allows(const Message& message, Method method) noexcept;

}  // namespace ser::sip
