// SPDX-License-Identifier: Apache-2.0
// Header fields whose value is a number, or numbers and a method.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "sip/method.h"

namespace ser::sip {

/// Max-Forwards, Expires, Min-Expires, Content-Length, RSeq, Max-Breadth.
struct Number {
  std::uint32_t value = 0;
};

/// RFC 3261 20.16.
struct CSeq {
  std::uint32_t number = 0;
  Method method = Method::other;
  std::string_view method_name;  ///< as written
};

/// RFC 3262 7.2: response number, CSeq number and method.
struct RAck {
  std::uint32_t rseq = 0;
  std::uint32_t cseq = 0;
  Method method = Method::other;
  std::string_view method_name;  ///< as written
};

/// Session-Expires and Min-SE (RFC 4028). Seconds.
struct SessionExpires {
  enum class Refresher : std::uint8_t { none, uac, uas };
  std::uint32_t seconds = 0;
  Refresher refresher = Refresher::none;
  std::string_view params;  ///< from the first `;`
};

/// Retry-After (RFC 3261 20.33). Seconds.
struct RetryAfter {
  std::uint32_t seconds = 0;
  std::string_view params;  ///< from the first `;`
};

/// RFC 3261 20.38: the stamp as text (compare bytes, do not compute) and the optional delay.
struct Timestamp {
  std::string_view stamp;
  std::string_view delay;  ///< empty when absent
};

/// All: Errc::syntax when the text is no number, out_of_range when it is one above the limit, no_memory.
/// Leading zeros are legal. Views point into the text.
Result<Number*> parse_number(std::string_view text, Arena& arena, std::uint32_t max) noexcept;
Result<CSeq*> parse_cseq(std::string_view text, Arena& arena) noexcept;
Result<RAck*> parse_rack(std::string_view text, Arena& arena) noexcept;
Result<SessionExpires*> parse_session_expires(std::string_view text, Arena& arena) noexcept;
Result<RetryAfter*> parse_retry_after(std::string_view text, Arena& arena) noexcept;
Result<Timestamp*> parse_timestamp(std::string_view text, Arena& arena) noexcept;

}  // namespace ser::sip
