// SPDX-License-Identifier: Apache-2.0
// Small typed header values: Call-ID, Content-Type, Event, Privacy, Reason.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"

namespace ser::sip {

/// RFC 3261 20.8: word [ "@" word ].
struct CallId {
  std::string_view text;
};

/// Content-Type (RFC 3261 20.15): type "/" subtype and parameters.
struct ContentType {
  std::string_view type;
  std::string_view subtype;
  std::string_view params;  ///< from the first `;`

  /// Without regard to case: is("application", "sdp").
  bool is(std::string_view a_type, std::string_view a_subtype) const noexcept;
};

/// Event (RFC 6665 8.2.1).
struct Event {
  std::string_view package;  ///< with its templates: "presence.winfo"
  std::string_view id;       ///< parameter id; empty when absent
  std::string_view params;   ///< from the first `;`
};

/// Privacy (RFC 3323, RFC 3325, RFC 7044): known priv-values as bits.
struct Privacy {
  static constexpr std::uint8_t kHeader = 1, kSession = 2, kUser = 4, kNone = 8, kCritical = 16, kId = 32,
                                kHistory = 64, kOther = 128;
  std::uint8_t values = 0;
  std::string_view text;
};

/// One Reason value (RFC 3326).
struct Reason {
  std::string_view protocol;     ///< "SIP", "Q.850" …
  std::string_view reason_text;  ///< parameter text without its quotes, escapes kept
  std::string_view params;       ///< from the first `;`
  std::int32_t cause = -1;       ///< -1: absent
  const Reason* next = nullptr;  ///< next value of the same header field
};

/// All: Errc::syntax, no_memory; Reason also out_of_range (cause). Views point into the text. Linear time.
Result<CallId*> parse_call_id(std::string_view text, Arena& arena) noexcept;
Result<ContentType*> parse_content_type(std::string_view text, Arena& arena) noexcept;
Result<Event*> parse_event(std::string_view text, Arena& arena) noexcept;
Result<Privacy*> parse_privacy(std::string_view text, Arena& arena) noexcept;
Result<Reason*> parse_reason(std::string_view text, Arena& arena) noexcept;

}  // namespace ser::sip
