// SPDX-License-Identifier: Apache-2.0
// Addresses as values: IP address, transport protocol, socket address.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ser {

/// Transport protocol. Only udp carries traffic today; the others are known by name everywhere.
enum class Proto : std::uint8_t { none, udp, tcp, tls, sctp, ws, wss };

/// "udp", "tcp" … ("none" for Proto::none). Static storage.
std::string_view to_string(Proto proto) noexcept;
/// "UDP", "TCP" … as a Via sent-protocol has it. Static storage.
std::string_view to_upper_string(Proto proto) noexcept;
/// Case-insensitive; Proto::none when unknown.
Proto parse_proto(std::string_view text) noexcept;

/// An IPv4 or IPv6 address. Trivially copyable; IPv4 lies in the first four bytes. Scope ids are kept for
/// fe80::.
struct IpAddress {
  enum class Family : std::uint8_t { none, v4, v6 };
  std::array<std::uint8_t, 16> bytes{};
  std::uint32_t scope = 0;
  Family family = Family::none;

  static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept;
  bool is_v4() const noexcept { return family == Family::v4; }
  bool is_v6() const noexcept { return family == Family::v6; }
  bool valid() const noexcept { return family != Family::none; }
  /// 0.0.0.0 or ::
  bool is_wildcard() const noexcept;
  bool is_loopback() const noexcept;
  /// 224/4, ff00::/8 or 255.255.255.255.
  bool is_multicast_or_broadcast() const noexcept;
  /// True when the first `bits` bits of both are equal and the families match.
  bool in_network(const IpAddress& net, unsigned bits) const noexcept;
  friend bool operator==(const IpAddress&, const IpAddress&) noexcept = default;
};

/// "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; exactly the whole text. No names, no ports, no leading
/// zeros games.
Result<IpAddress> parse_ip(std::string_view text) noexcept;

/// Fixed-size text of an address: what print_ip writes, without heap.
struct IpText {
  std::array<char, 64> chars{};
  std::uint8_t size = 0;
  operator std::string_view() const noexcept {
    return {chars.data(), size};
  }  // NOLINT(google-explicit-constructor)
  std::string_view view() const noexcept { return {chars.data(), size}; }
};
/// `brackets`: IPv6 in [ ] as a SIP host needs it.
IpText print_ip(const IpAddress& ip, bool brackets) noexcept;

/// IP address and port (host byte order). 28 bytes, trivially copyable.
struct SockAddr {
  IpAddress ip;
  std::uint16_t port = 0;

  static SockAddr from(const sockaddr* native) noexcept;
  /// Fills `out`; returns the length to hand to the kernel.
  socklen_t to_native(sockaddr_storage& out) const noexcept;
  bool valid() const noexcept { return ip.valid(); }
  friend bool operator==(const SockAddr&, const SockAddr&) noexcept = default;
};
/// "192.0.2.1:5060", "[2001:db8::1]:5060".
IpText print(const SockAddr& address) noexcept;
std::string to_string(const SockAddr& address);

/// Index of a listening socket in the table built from the configuration. Stable for the life of a
/// configuration.
using SocketId = std::uint16_t;
inline constexpr SocketId kNoSocket = 0xFFFF;

}  // namespace ser
