// SPDX-License-Identifier: Apache-2.0
#include "sip/via_stamp.h"

#include <utility>

namespace ser::sip {

void ViaEdits::add(const char* at, std::size_t removed, std::size_t size) noexcept {
  Edit& edit = x_edits[x_count++];
  edit.offset = static_cast<std::uint32_t>(at - x_bytes);
  edit.removed = static_cast<std::uint32_t>(removed);
  edit.text = {x_text.data() + x_used, size};
  x_used += size;
}

ViaEdits::ViaEdits(const Message& message, const Via& via, const ViaStamp& stamp) noexcept
    : x_bytes(message.bytes().data()) {
  const char* end = via.text.data() + via.text.size();
  // Parameters go behind the last parameter, not behind a comment.
  const char* behind =
      via.params.empty() ? via.sent_by.data() + via.sent_by.size() : via.params.data() + via.params.size();
  if (behind < via.text.data() || behind > end) behind = end;
  if (stamp.rport != 0 && (via.has_rport || stamp.force_rport)) {
    if (!via.has_rport) {
      add(behind, 0, write(";rport=", stamp.rport));
    } else if (via.rport_text.empty()) {
      add(via.rport_text.data(), 0, write("=", stamp.rport));
    } else {
      add(via.rport_text.data(), via.rport_text.size(), write("", stamp.rport));
    }
  }
  if (!stamp.received.empty() && stamp.received.size() <= kMaxReceived) {
    if (via.received.empty()) {
      add(behind, 0, write(";received=", stamp.received));
    } else if (via.received != stamp.received) {
      add(via.received.data(), via.received.size(), write("", stamp.received));
    }
  }
  if (x_count == 2 && !edits_in_order(x_edits[0], x_edits[1])) std::swap(x_edits[0], x_edits[1]);
}

}  // namespace ser::sip
