// SPDX-License-Identifier: Apache-2.0
// DialogId: Call-ID and the two tags, the key of a dialog (RFC 3261 12).
#pragma once
#include <cstdint>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "sip/message.h"

namespace ser::sip {

/// Views into the message. All compared byte by byte (RFC 3261 8.1.1.4, 19.3: case-sensitive Call-ID; tags as
/// tokens). An absent tag is empty (RFC 2543 elements).
struct DialogId {
  std::string_view call_id;
  std::string_view from_tag;
  std::string_view to_tag;

  /// The same dialog seen from the other side, or in a request that goes the other way.
  DialogId reversed() const noexcept { return {call_id, to_tag, from_tag}; }
  /// Keyed hash; parts cannot run into each other.
  std::uint64_t hash(const HashKey& key) const noexcept;
  friend bool operator==(const DialogId&, const DialogId&) noexcept = default;
};

/// Errc::missing or syntax when Call-ID, From or To is not there or malformed.
Result<DialogId> dialog_id(const Message& message) noexcept;

}  // namespace ser::sip
