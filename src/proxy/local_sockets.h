// SPDX-License-Identifier: Apache-2.0
// Who we are: the sockets we listen on, the names we answer to ("myself"), and which socket a destination is
// reached by.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"

namespace ser::proxy {

/// One listening socket as the rest of the server sees it. Texts are made once, at start.
struct LocalSocket {
  Proto proto = Proto::udp;
  SockAddr address;             ///< bound address; may be a wildcard
  std::string name;             ///< `name` of the listen line, empty if none
  std::string host;             ///< official host text: the name given, or the address ([v6] in brackets)
  std::string advertised_host;  ///< empty: none
  std::uint16_t advertised_port = 0;
  bool wildcard = false;

  /// "host:port" for Via and Record-Route: advertised if set, else address. Valid as long as the object;
  /// empty on a wildcard socket without advertise (then the local address of the message decides).
  std::string sent_by;
};

/// An alias line: a host we are, on one port and protocol or on any.
struct Alias {
  std::string host;           ///< compared without case; IPv6 in brackets
  std::uint16_t port = 0;     ///< 0: any
  Proto proto = Proto::none;  ///< none: any
};

/// Immutable after start. All look-ups are linear over small tables and allocate nothing.
class LocalSockets {
 public:
  SocketId add(LocalSocket socket);
  void add_alias(Alias alias);
  /// Further addresses that are ours although no socket names them: the interfaces behind a wildcard
  /// listener.
  void add_local_address(const IpAddress& ip);
  void set_multihomed_probe(bool on) noexcept { x_mhomed = on; }

  std::size_t size() const noexcept { return x_sockets.size(); }
  const LocalSocket& at(SocketId id) const noexcept { return x_sockets[id]; }
  const std::vector<LocalSocket>& all() const noexcept { return x_sockets; }
  const std::vector<Alias>& aliases() const noexcept { return x_aliases; }

  /// True when host (name or literal, brackets tolerated), port (0: any/default) and protocol (none: any) are
  /// ours. With port 0 the port is not looked at (SER row "uri==myself": no port check).
  bool is_myself(std::string_view host, std::uint16_t port = 0, Proto proto = Proto::none) const noexcept;
  bool is_myself(const IpAddress& ip, std::uint16_t port = 0, Proto proto = Proto::none) const noexcept;

  /// The socket `host:port` names exactly ($fs, force_send_socket, Route of ours); kNoSocket if none.
  SocketId find(Proto proto, std::string_view host, std::uint16_t port) const noexcept;
  SocketId find_named(std::string_view name) const noexcept;

  /// The socket to reach `to` from, given the one the message arrived on: that one if family and protocol
  /// fit, else the first that fits; kNoSocket when there is none. A wildcard fits; a loopback address reaches
  /// nothing but loopback addresses (the kernel refuses such a source).
  SocketId choose(Proto proto, const IpAddress& to, SocketId arrived_on) const noexcept;
  /// The source address on wildcard socket `id` towards `to`: `arrived_at` (the local address of the message
  /// in hand; may be none) if it can reach `to`, else the first of our addresses that can; none when there is
  /// none.
  IpAddress source_address(SocketId id, const IpAddress& to, const IpAddress& arrived_at) const noexcept;
  bool multihomed_probe() const noexcept { return x_mhomed; }

 private:
  std::vector<LocalSocket> x_sockets;
  std::vector<Alias> x_aliases;
  std::vector<IpAddress> x_local;
  bool x_mhomed = false;
};

}  // namespace ser::proxy
