// SPDX-License-Identifier: Apache-2.0
// Opens UDP sockets as a SIP server needs them.
#pragma once
#include <cstdint>
#include <string>

#include "base/endpoint.h"
#include "base/fd.h"
#include "net/listener.h"

namespace ser::net {

/// A bound, blocking UDP socket.
struct UdpSocket {
  Fd fd;
  SockAddr local;            ///< as bound; the port is the real one even if 0 was asked for
  bool wildcard = false;     ///< destination addresses come as ancillary data
  bool dual_stack = false;   ///< IPv6 wildcard that serves IPv4 as well
  std::uint32_t rcvbuf = 0;  ///< what SO_RCVBUF became, bytes as the kernel counts them (twice the payload)
};

/// Opens and binds. Errors: Errc::system with errno in Error::offset (EADDRINUSE: port in use; EADDRNOTAVAIL;
/// EACCES). `first` is false for the further sockets of one listener with reuse_port: only the first one
/// proves that nobody else has the port.
Result<UdpSocket> open_udp_socket(const SockAddr& address, const ListenOptions& options, bool first = true);

/// One line for the operator: what failed for which listener, and what to do about it.
std::string describe_open_error(const Listener& listener, const Error& error);

}  // namespace ser::net
