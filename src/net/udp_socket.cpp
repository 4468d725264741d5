// SPDX-License-Identifier: Apache-2.0
#include "net/udp_socket.h"

#include <netinet/ip.h>

#include <cstring>

namespace ser::net {

namespace {

bool set_option(int fd, int level, int option, int value) noexcept {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

int get_option(int fd, int level, int option) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, option, &value, &size) == 0 ? value : 0;
}

/// Linux cuts a wish above net.core.rmem_max in silence and reports twice what it set; a wish below the
/// present size must not shrink it.
std::uint32_t raise_receive_buffer(int fd, std::uint32_t wish) noexcept {
  const int before = get_option(fd, SOL_SOCKET, SO_RCVBUF);
  constexpr std::uint32_t kMost = 1U << 29;
  if (wish > kMost) wish = kMost;
  set_option(fd, SOL_SOCKET, SO_RCVBUF, static_cast<int>(wish));
  int after = get_option(fd, SOL_SOCKET, SO_RCVBUF);
  if (after < before) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, before / 2);
    after = get_option(fd, SOL_SOCKET, SO_RCVBUF);
  }
  return static_cast<std::uint32_t>(after);
}

/// Options that matter for one address family. Returns what failed, or null.
const char* set_v4_options(int fd, bool wildcard, const ListenOptions& options) noexcept {
  if (wildcard && !set_option(fd, IPPROTO_IP, IP_PKTINFO, 1)) return "cannot set IP_PKTINFO";
  // Large SIP datagrams must leave fragmented, not be refused because of a path MTU learnt earlier.
  const int mtu = options.dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
  if (!set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, mtu)) return "cannot set IP_MTU_DISCOVER";
  if (options.tos >= 0 && !set_option(fd, IPPROTO_IP, IP_TOS, options.tos)) return "cannot set IP_TOS";
  if (options.free_bind && !set_option(fd, IPPROTO_IP, IP_FREEBIND, 1)) return "cannot set IP_FREEBIND";
  return nullptr;
}

const char* set_v6_options(int fd, bool wildcard, bool v6_only, const ListenOptions& options) noexcept {
  if (!set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only ? 1 : 0)) return "cannot set IPV6_V6ONLY";
  if (wildcard && !set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)) return "cannot set IPV6_RECVPKTINFO";
  if (options.tos >= 0 && !set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, options.tos))
    return "cannot set IPV6_TCLASS";
  if (options.free_bind && !set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)) return "cannot set IPV6_FREEBIND";
  if (!v6_only) {
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, options.dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
    if (options.tos >= 0) set_option(fd, IPPROTO_IP, IP_TOS, options.tos);
  }
  return nullptr;
}

/// With SO_REUSEPORT bind() succeeds beside another server of the same user: try without it first.
Result<void> prove_port_free(const sockaddr_storage& native, socklen_t size, const SockAddr& address,
                             const ListenOptions& options) noexcept {
  const Fd probe(::socket(native.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) return errno_error("cannot make a UDP socket");
  if (address.ip.is_v6()) {
    set_option(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only || !address.ip.is_wildcard() ? 1 : 0);
  }
  if (options.free_bind) set_option(probe.get(), IPPROTO_IP, IP_FREEBIND, 1);
  if (::bind(probe.get(), reinterpret_cast<const sockaddr*>(&native), size) != 0)
    return errno_error("cannot bind");
  return {};
}

}  // namespace

Result<UdpSocket> open_udp_socket(const SockAddr& address, const ListenOptions& options, bool first) {
  sockaddr_storage native{};
  socklen_t size = address.to_native(native);
  if (options.reuse_port && first && address.port != 0) {
    TRY_VOID(prove_port_free(native, size, address, options));
  }
  UdpSocket result;
  result.wildcard = address.ip.is_wildcard();
  result.dual_stack = result.wildcard && address.ip.is_v6() && !options.v6_only;
  result.fd = Fd(::socket(native.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int fd = result.fd.get();
  if (fd < 0) return errno_error("cannot make a UDP socket");
  const char* failed = address.ip.is_v6() ? set_v6_options(fd, result.wildcard, !result.dual_stack, options)
                                          : set_v4_options(fd, result.wildcard, options);
  if (failed != nullptr) return errno_error(failed);
  if (!set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1)) return errno_error("cannot set SO_RXQ_OVFL");
  if (options.reuse_port && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
    return errno_error("cannot set SO_REUSEPORT");
  }
  result.rcvbuf = raise_receive_buffer(fd, options.rcvbuf);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&native), size) != 0) return errno_error("cannot bind");
  size = sizeof native;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&native), &size) != 0)
    return errno_error("getsockname failed");
  result.local = SockAddr::from(reinterpret_cast<const sockaddr*>(&native));
  return result;
}

std::string describe_open_error(const Listener& listener, const Error& error) {
  std::string line = std::string(error.what) + " " + listener.text();
  if (error.code != Errc::system) return line;
  const int number = static_cast<int>(error.offset);
  switch (number) {
    case EADDRINUSE:
      return line + ": port in use (another server, or another copy of this one, has it)";
    case EADDRNOTAVAIL:
      return line + ": no address of this machine (ip_free_bind=yes binds it anyway)";
    case EACCES:
      return line + ": not permitted (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    case EAFNOSUPPORT:
      return line + ": this system has no such address family (IPv6 switched off?)";
    default:
      return line + ": " + ::strerrordesc_np(number);
  }
}

}  // namespace ser::net
