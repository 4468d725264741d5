// SPDX-License-Identifier: Apache-2.0
// The addresses of this machine by network interface. Asked while starting, never on the data path.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"

namespace ser::net {

/// One address of one interface.
struct InterfaceAddress {
  std::string interface;  ///< "eth0"; a label such as "eth0:1" is kept as the kernel gives it
  IpAddress ip;
  bool loopback = false;  ///< the interface is a loopback interface
};

/// Addresses of all interfaces that are UP, in the kernel's order, IPv4 and IPv6, link-local ones included.
Result<std::vector<InterfaceAddress>> local_addresses();

/// 169.254/16 or fe80::/10.
bool is_link_local(const IpAddress& ip) noexcept;

/// uname's node name; "localhost" when there is none. What SER listens on when no interface is found.
std::string own_host_name();

}  // namespace ser::net
