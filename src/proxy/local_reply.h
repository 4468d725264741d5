// SPDX-License-Identifier: Apache-2.0
// Answers made here without a transaction (sl_send_reply and every error the core answers itself).
#pragma once
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "proxy/run.h"
#include "proxy/services.h"

namespace ser::proxy {

struct LocalReply {
  std::uint16_t status = 500;
  std::string_view reason;
  std::string_view headers;  ///< further whole lines with CRLF; validated by the caller
  std::string_view body;
  std::string_view content_type;
  bool of_transaction = false;  ///< another To tag: the ACK to it is the transaction's, not the core's
  bool add_contacts = false;    ///< 3xx: Contact from the branch set (SER row sl_send_reply)
};

/// Sends a stateless reply to the run's request: to the source address (or by Via when reply_to_via), To tag
/// keyed on the request so that retransmissions get the same one. Never answers an ACK (Errc::refused). Adds
/// the run's reply headers, Server and Warning as configured.
/// The bytes as they left, valid until the next call of the sink.
Result<std::string_view> send_local_reply(Run& run, const LocalReply& reply) noexcept;

/// Where our reply to the run's request goes: its source address, or by Via.
Result<TxTarget> reply_target(Run& run) noexcept;

/// The To tag of our stateless replies to this request, as a number of 16 hex digits: a keyed hash over
/// branch and sent-by of the top Via and, when that branch is none of RFC 3261, over From tag, Call-ID and
/// CSeq number. The ACK to such a reply comes back with this tag (sl's ACK filter compares).
std::uint64_t local_to_tag(Services& services, sip::Message& request, bool of_transaction = false) noexcept;

/// Whether the request is the ACK to a final reply made here: its To tag is the one we gave.
bool is_ack_to_local_reply(Run& run) noexcept;

}  // namespace ser::proxy
