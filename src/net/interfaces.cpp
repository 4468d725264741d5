// SPDX-License-Identifier: Apache-2.0
#include "net/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/utsname.h>

#include "base/fd.h"

namespace ser::net {

Result<std::vector<InterfaceAddress>> local_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return errno_error("cannot list network interfaces");
  std::vector<InterfaceAddress> result;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_UP) == 0) continue;
    const auto address = SockAddr::from(at->ifa_addr);
    if (!address.valid()) continue;
    result.push_back({at->ifa_name, address.ip, (at->ifa_flags & IFF_LOOPBACK) != 0});
  }
  ::freeifaddrs(list);
  return result;
}

bool is_link_local(const IpAddress& ip) noexcept {
  if (ip.is_v4()) return ip.bytes[0] == 169 && ip.bytes[1] == 254;
  return ip.is_v6() && ip.bytes[0] == 0xFE && (ip.bytes[1] & 0xC0) == 0x80;
}

std::string own_host_name() {
  utsname name{};
  if (::uname(&name) != 0 || name.nodename[0] == '\0') return "localhost";
  return name.nodename;
}

}  // namespace ser::net
