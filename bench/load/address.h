// SPDX-License-Identifier: Apache-2.0
// Loopback addresses, the only ones the tools of this folder talk to.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace ser::bench {

/// A numeric address of a loopback interface. The tool refuses every other one.
struct Address {
  sockaddr_storage native{};
  socklen_t length = 0;

  /// "127.0.0.1:5060" or "[::1]:5060". False: not numeric, no port, or not a loopback address.
  bool parse(const char* text);
  std::string text() const;
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&native); }
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
};

}  // namespace ser::bench
