// SPDX-License-Identifier: Apache-2.0
// Listen lines and `-l` options become a table of listeners: text → ListenSpec → addresses to bind.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "net/interfaces.h"

namespace ser::net {

/// What the operator may set for a socket.
struct ListenOptions {
  int tos = -1;                ///< IP_TOS / IPV6_TCLASS, 0..255; -1: leave as the system has it
  bool free_bind = false;      ///< `ip_free_bind`: bind an address that is not there yet
  bool dont_fragment = false;  ///< `pmtu_discovery`: the don't-fragment bit on IPv4
  bool v6_only = true;         ///< false: an IPv6 wildcard socket serves IPv4 too
  bool reuse_port = false;     ///< SO_REUSEPORT: several sockets share the address
  std::uint32_t rcvbuf =
      262144;  ///< `maxbuffer`: SO_RCVBUF is raised to this many bytes if the system lets us
};

/// One listen line, not yet resolved.
struct ListenSpec {
  Proto proto = Proto::none;          ///< none: not given, which means UDP
  std::string host;                   ///< address without brackets, host name, interface name or "*"
  std::uint16_t port = 0;             ///< 0: the default port
  std::string advertised_host;        ///< `advertise`; IPv6 without brackets; empty: none
  std::uint16_t advertised_port = 0;  ///< 0: the listener's port
  std::string name;                   ///< `name "…"`; empty: none
  std::string origin;                 ///< "ser.cfg:12:1" or "-l": heads the error line
  ListenOptions options;
};

/// An address to bind. Its index in the table is its SocketId.
struct Listener {
  SocketId id = kNoSocket;
  Proto proto = Proto::udp;
  SockAddr address;                   ///< may be a wildcard
  std::string host;                   ///< as a SIP host is written: "192.0.2.1", "[2001:db8::1]"
  std::string given_host;             ///< as the operator wrote it: a name here is one of ours too (`myself`)
  std::string advertised_host;        ///< SIP form, or empty
  std::uint16_t advertised_port = 0;  ///< 0 only when advertised_host is empty
  std::string name;
  ListenOptions options;
  bool is_wildcard() const noexcept { return address.ip.is_wildcard(); }
  /// "udp:192.0.2.1:5060" as the `Listening on` list prints it.
  std::string text() const;
};

/// Reads "[proto:]host[:port][/advertised_host[:port]]", where host is an address (IPv6 in brackets, or bare
/// when neither proto nor port is given), a host name, an interface name or `*`. Error::what says what is
/// wrong.
Result<ListenSpec> parse_listen_text(std::string_view text);

/// "[proto:](a, b)[:port][/advertised]", as -l of Kamailio takes it, into one text for each host; any other
/// text as it is.
std::vector<std::string> listen_texts(std::string_view text);

/// All problems at once, one line each, ready to print.
struct ListenTable {
  std::vector<Listener> listeners;
  std::vector<std::string> errors;   ///< not empty: do not start
  std::vector<std::string> notices;  ///< lines accepted without effect, and addresses left out
};

/// Expands and resolves `specs` in order; duplicates are removed. An interface name stands for each of its
/// addresses but IPv6 link-local ones, `*` for 0.0.0.0, a host name for its first IPv4 address, else its
/// first IPv6 address. `defaults` are the options where there is no spec. No spec: every address of
/// `interfaces` but IPv6 link-local ones, else the machine's own host name. Names go to getaddrinfo(3), which
/// blocks: call it in the supervisor before the first fork only.
ListenTable resolve_listeners(std::span<const ListenSpec> specs, std::uint16_t default_port,
                              const ListenOptions& defaults, std::span<const InterfaceAddress> interfaces);

}  // namespace ser::net
