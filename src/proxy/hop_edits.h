// SPDX-License-Identifier: Apache-2.0
// The few edits a hop makes itself: own Via on top, received and rport noted, hop counted. On the stack,
// sorted for the writer.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/local_sockets.h"
#include "proxy/run.h"
#include "sip/edit.h"
#include "sip/message.h"
#include "sip/via_stamp.h"

namespace ser::proxy {

inline constexpr std::size_t kMaxOwnVia = 512;  ///< a line of own_via_line()

/// Room for "host:port": a host name has 255 bytes at most, the configuration refuses longer ones.
struct SentByText {
  std::array<char, 264> bytes;
};
/// How the run's message names us on a socket, "host:port" for Via and Record-Route: what the script says for
/// this message, else what the socket says, else (a wildcard without advertise) `used`, the address it leaves
/// from or came to. The socket's text or in `text`.
std::string_view sent_by(const RunState& state, const LocalSocket& socket, const IpAddress& used,
                         SentByText& text) noexcept;

/// "Via: SIP/2.0/UDP host:port;branch=…CRLF" in `out`, with ";rport" when asked for (local_rport).
std::string_view own_via_line(std::string_view sent_by, std::string_view branch, bool rport,
                              std::span<char, kMaxOwnVia> out) noexcept;

/// True when the source address is not the sent-by host or rport asks for it (RFC 3261 18.2.1, RFC 3581 4):
/// the top Via then gets received.
bool needs_received(const Services& services, const RxPacket& rx, const sip::Via& top) noexcept;

/// What the top Via of the run's request is to be stamped with. `source` holds the text of the address and
/// must outlive the stamp.
sip::ViaStamp source_stamp(Run& run, const sip::Via& top, IpText& source) noexcept;

/// At most eight edits; texts must outlive the write.
class HopEdits {
 public:
  explicit HopEdits(const sip::Message& message) noexcept : x_bytes(message.bytes().data()) {}

  /// Own Via line in front of the header field that holds `top`.
  void add_via(std::string_view line, const sip::Via& top) noexcept;
  /// A header line at the top, below the own Via.
  void add_header(std::string_view line) noexcept { x_header = line; }
  /// Of two at one place the one that was made first stands first.
  void replace(std::size_t offset, std::size_t size, std::string_view text) noexcept;
  /// The edits of a stamp on the top Via.
  void add(std::span<const sip::Edit> edits) noexcept;
  /// Takes the first Via value away: its whole line when it stands alone, else up to the next value.
  void remove_top_via(const sip::Via& top) noexcept;
  /// The edits in the writer's order. Valid as long as this object.
  std::span<const sip::Edit> in_order() noexcept;

 private:
  std::uint32_t offset(const char* at) const noexcept { return static_cast<std::uint32_t>(at - x_bytes); }
  const char* x_bytes;
  std::string_view x_header;
  std::array<sip::Edit, 8> x_edits{};
  std::size_t x_count = 0;
};

}  // namespace ser::proxy
