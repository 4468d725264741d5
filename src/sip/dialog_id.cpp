// SPDX-License-Identifier: Apache-2.0
#include "sip/dialog_id.h"

namespace ser::sip {

std::uint64_t DialogId::hash(const HashKey& key) const noexcept {
  SipHasher hasher(key);
  hasher.add(std::uint64_t{call_id.size()} << 32 | from_tag.size());
  hasher.add(call_id);
  hasher.add(from_tag);
  hasher.add(to_tag);
  return hasher.finish();
}

Result<DialogId> dialog_id(const Message& message) noexcept {
  const HeaderField* call_id = message.find(HeaderId::call_id);
  if (call_id == nullptr) return {Errc::missing, "Call-ID missing"};
  TRY(const NameAddr* from, message.get<hdr::From>());
  TRY(const NameAddr* to, message.get<hdr::To>());
  return DialogId{call_id->value(), from->tag, to->tag};
}

}  // namespace ser::sip
