// SPDX-License-Identifier: Apache-2.0
#include "sip/via_stamp.h"

#include <cstring>
#include <utility>

#include "base/text.h"

namespace ser::sip {

void ViaEdits::add(const char* at, std::size_t removed, std::string_view prefix,
                   std::string_view value) noexcept {
  if (prefix.size() + value.size() > x_text.size() - x_used) return;
  char* text = x_text.data() + x_used;
  std::memcpy(text, prefix.data(), prefix.size());
  if (!value.empty()) std::memcpy(text + prefix.size(), value.data(), value.size());
  const std::size_t size = prefix.size() + value.size();
  x_used += size;
  Edit& edit = x_edits[x_count++];
  edit.offset = static_cast<std::uint32_t>(at - x_bytes);
  edit.removed = static_cast<std::uint32_t>(removed);
  edit.text = {text, size};
}

ViaEdits::ViaEdits(const Message& message, const Via& via, const ViaStamp& stamp) noexcept
    : x_bytes(message.bytes().data()) {
  const char* end = via.text.data() + via.text.size();
  // Parameters go behind the last parameter, not behind a comment.
  const char* behind =
      via.params.empty() ? via.sent_by.data() + via.sent_by.size() : via.params.data() + via.params.size();
  if (behind < via.text.data() || behind > end) behind = end;
  if (stamp.rport != 0 && (via.has_rport || stamp.force_rport)) {
    char digits[20];
    const std::string_view port(digits, print_u64(digits, stamp.rport));
    if (via.has_rport) {
      add(via.rport_text.data(), via.rport_text.size(), via.rport_text.empty() ? "=" : "", port);
    } else {
      add(behind, 0, ";rport=", port);
    }
  }
  if (!stamp.received.empty() && stamp.received.size() <= 45) {
    if (via.received.empty()) {
      add(behind, 0, ";received=", stamp.received);
    } else if (via.received != stamp.received) {
      add(via.received.data(), via.received.size(), "", stamp.received);
    }
  }
  if (x_count == 2 && !edits_in_order(x_edits[0], x_edits[1])) std::swap(x_edits[0], x_edits[1]);
}

}  // namespace ser::sip
