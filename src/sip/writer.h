// SPDX-License-Identifier: Apache-2.0
// The writer: message and edits become the outgoing bytes, in one copying pass.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "sip/edit.h"
#include "sip/message.h"

namespace ser::sip {

struct WriteOptions {
  /// Which branch this is: edits of all branches and of this one are applied.
  std::uint16_t branch = kAllBranches;
  /// Takes the place of the Request-URI of a request; empty: as received.
  std::string_view request_uri;
  /// Edits of the forwarder itself (Via, received, Max-Forwards …) in the order of edits_in_order(); `branch`
  /// and `next` are not looked at. At one place they come before those of the list.
  std::span<const Edit> extra;
  /// For streams: adds a Content-Length when there is none (RFC 3261 18.3).
  bool require_content_length = false;
};

/// An upper bound of what write() needs. Cheap: no pass over the edits of the list.
std::size_t written_size(const Message& message, const EditList* edits, const WriteOptions& options) noexcept;

/// Writes the message. What no edit touches leaves byte for byte: unknown headers, order, folding, body. What
/// lies behind Content-Length is left out. When the edits change the size of the body, Content-Length is set
/// right. An edit that lies inside a part removed by the other source (list, extra, request_uri) is dropped;
/// a partial overlap is Errc::overlap. Errc::no_space when `out` is too short (nothing useful in it then).
Result<std::size_t> write(const Message& message, const EditList* edits, const WriteOptions& options,
                          std::span<char> out) noexcept;

}  // namespace ser::sip
