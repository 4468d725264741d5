// SPDX-License-Identifier: Apache-2.0
#include "net/udp_batch.h"

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/fd.h"

namespace ser::net {

namespace {

constexpr std::uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

inline void read_v4(const in_addr& native, IpAddress& ip) noexcept {
  ip = {};
  std::memcpy(ip.bytes.data(), &native, 4);
  ip.family = IpAddress::Family::v4;
}

inline void read_v6(const in6_addr& native, std::uint32_t scope, bool dual_stack, IpAddress& ip) noexcept {
  if (dual_stack && std::memcmp(&native, kMappedPrefix, 12) == 0) {
    ip = {};
    std::memcpy(ip.bytes.data(), native.s6_addr + 12, 4);
    ip.family = IpAddress::Family::v4;
    return;
  }
  std::memcpy(ip.bytes.data(), &native, 16);
  ip.scope = scope;
  ip.family = IpAddress::Family::v6;
}

inline bool is_v6_link_local(const std::uint8_t* bytes) noexcept {
  return bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80;
}

/// Errors that belong to an earlier datagram (an ICMP message came back) or to nobody: the socket is still
/// good.
bool is_passing(int error) noexcept {
  switch (error) {
    case EINTR:
    case EAGAIN:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EMSGSIZE:
    case EPERM:
    case EACCES:
    case ENOMEM:
    case ENOBUFS:
      return true;
    default:
      return false;
  }
}

SendFailure classify(int error) noexcept {
  switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
      return SendFailure::full;
    case EMSGSIZE:
      return SendFailure::too_big;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
      return SendFailure::unreachable;
    case ECONNREFUSED:
      return SendFailure::refused;
    case EPERM:
    case EACCES:
      return SendFailure::denied;
    case EINVAL:
    case EAFNOSUPPORT:
    case EDESTADDRREQ:
      return SendFailure::invalid;
    default:
      return SendFailure::other;
  }
}

void count_failure(SendStats& stats, int error) noexcept {
  ++stats.failed[static_cast<std::size_t>(classify(error))];
  stats.last_errno = error;
}

/// Appends one ancillary message to `header`, whose control buffer is large enough for it.
void set_control(msghdr& header, char* bytes, int level, int type, const void* data,
                 std::size_t size) noexcept {
  header.msg_control = bytes;
  header.msg_controllen = CMSG_SPACE(size);
  std::memset(bytes, 0, CMSG_SPACE(size));
  cmsghdr* const message = CMSG_FIRSTHDR(&header);
  message->cmsg_level = level;
  message->cmsg_type = type;
  message->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(message), data, size);
}

}  // namespace

UdpReceiver::UdpReceiver(const UdpSocket& socket, SocketId id, std::uint32_t* drop_cell,
                         RxArea& area) noexcept
    : x_fd(socket.fd.get()),
      x_id(id),
      x_v6(socket.local.ip.is_v6()),
      x_dual(socket.dual_stack),
      x_drop_cell(drop_cell == nullptr ? &x_own_cell : drop_cell),
      x_local(socket.local),
      x_area(area) {
  for (unsigned i = 0; i < kMaxBatch; ++i) {
    msghdr& header = x_area.headers[i].msg_hdr;
    header.msg_name = &x_area.names[i];
    // The kernel writes back the size of the address it stored, which is just this: never to be reset.
    header.msg_namelen = x_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    header.msg_iov = x_area.iov[i];
    header.msg_iovlen = 2;
    header.msg_control = &x_area.control[i];
    // What a predecessor left keeps the size that the kernel wrote.
    if (x_area.headers[i].msg_len == RxArea::kUntouched || header.msg_controllen > sizeof(RxArea::Control))
      header.msg_controllen = sizeof(RxArea::Control);
  }
}

Result<unsigned> UdpReceiver::receive(std::span<shm::RxEntry> out, int flags) noexcept {
  const auto want = static_cast<unsigned>(out.size() < kMaxBatch ? out.size() : kMaxBatch);
  const int n = ::recvmmsg(x_fd, x_area.headers, want, MSG_WAITFORONE | flags, nullptr);
  if (n < 0) {
    if (is_passing(errno)) return 0U;
    return errno_error("recvmmsg failed");
  }
  for (unsigned i = 0; i < static_cast<unsigned>(n); ++i) read(i, out[i]);
  return static_cast<unsigned>(n);
}

unsigned UdpReceiver::left_over(std::span<shm::RxEntry> out) noexcept {
  unsigned count = 0;
  for (; count < kMaxBatch && count < out.size(); ++count) {
    const std::uint32_t length = x_area.headers[count].msg_len;
    if (length == RxArea::kUntouched || length > x_area.iov[count][0].iov_len + x_area.iov[count][1].iov_len)
      break;
    read(count, out[count]);
  }
  // Behind the first free place nothing was received, whatever stands there.
  for (unsigned i = count; i < kMaxBatch; ++i) x_area.headers[i].msg_len = RxArea::kUntouched;
  return count;
}

void UdpReceiver::read(unsigned place, shm::RxEntry& out) noexcept {
  const mmsghdr& message = x_area.headers[place];
  msghdr& header = x_area.headers[place].msg_hdr;
  const RxArea::Name& name = x_area.names[place];
  out.length = message.msg_len;
  out.socket = x_id;
  out.proto = static_cast<std::uint8_t>(Proto::udp);
  out.flags = (header.msg_flags & MSG_TRUNC) != 0              ? shm::kRxTruncated
              : message.msg_len > x_area.iov[place][0].iov_len ? shm::kRxSpilled
                                                               : std::uint8_t{0};
  if (!x_v6) {
    read_v4(name.v4.sin_addr, out.from.ip);
    out.from.port = ntohs(name.v4.sin_port);
  } else {
    read_v6(name.v6.sin6_addr, name.v6.sin6_scope_id, x_dual, out.from.ip);
    out.from.port = ntohs(name.v6.sin6_port);
  }
  out.to = x_local;
  if (header.msg_controllen != 0) read_control(header, out);
  header.msg_controllen = sizeof(RxArea::Control);
}

void UdpReceiver::read_control(msghdr& header, shm::RxEntry& out) noexcept {
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
    if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(at), sizeof info);
      // Not ipi_addr: for a broadcast or multicast datagram that is no address to answer from.
      read_v4(info.ipi_spec_dst, out.to.ip);
    } else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(at), sizeof info);
      const bool scoped = is_v6_link_local(info.ipi6_addr.s6_addr);
      read_v6(info.ipi6_addr, scoped ? info.ipi6_ifindex : 0, x_dual, out.to.ip);
    } else if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_RXQ_OVFL) {
      std::uint32_t now = 0;
      std::memcpy(&now, CMSG_DATA(at), sizeof now);
      count_drops(now);
    }
  }
}

/// The kernel's counter belongs to the socket and many workers read it: whoever moves the shared cell forward
/// counts the difference.
void UdpReceiver::count_drops(std::uint32_t now) noexcept {
  std::atomic_ref<std::uint32_t> cell(*x_drop_cell);
  std::uint32_t seen = cell.load(std::memory_order_relaxed);
  while (static_cast<std::int32_t>(now - seen) > 0) {
    if (cell.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
      x_drops += now - seen;
      return;
    }
  }
}

std::string_view to_string(SendFailure reason) noexcept {
  constexpr std::string_view kNames[kSendFailures] = {"full",   "too_big", "unreachable", "refused",
                                                      "denied", "invalid", "other"};
  return kNames[static_cast<std::size_t>(reason)];
}

UdpSender::UdpSender(std::span<const SendSocket> sockets) noexcept : x_sockets(sockets) {
  for (unsigned i = 0; i < kMaxBatch; ++i) {
    msghdr& header = x_headers[i].msg_hdr;
    header.msg_name = &x_names[i];
    header.msg_iov = &x_iov[i];
    header.msg_iovlen = 1;
  }
}

bool UdpSender::prepare(unsigned place, const TxDatagram& datagram, const SendSocket& socket) noexcept {
  msghdr& header = x_headers[place].msg_hdr;
  Name& name = x_names[place];
  const IpAddress& ip = datagram.to.ip;
  if (ip.is_v4() && socket.family == IpAddress::Family::v4) {
    name.v4.sin_family = AF_INET;
    name.v4.sin_port = htons(datagram.to.port);
    std::memcpy(&name.v4.sin_addr, ip.bytes.data(), 4);
    header.msg_namelen = sizeof(sockaddr_in);
  } else if (socket.family == IpAddress::Family::v6 && (ip.is_v6() || (ip.is_v4() && socket.dual_stack))) {
    name.v6.sin6_family = AF_INET6;
    name.v6.sin6_port = htons(datagram.to.port);
    name.v6.sin6_flowinfo = 0;
    name.v6.sin6_scope_id = ip.scope;
    if (ip.is_v6()) {
      std::memcpy(&name.v6.sin6_addr, ip.bytes.data(), 16);
    } else {
      std::memcpy(name.v6.sin6_addr.s6_addr, kMappedPrefix, 12);
      std::memcpy(name.v6.sin6_addr.s6_addr + 12, ip.bytes.data(), 4);
    }
    header.msg_namelen = sizeof(sockaddr_in6);
  } else {
    return false;
  }
  x_iov[place] = {const_cast<char*>(datagram.data), datagram.size};
  header.msg_control = nullptr;
  header.msg_controllen = 0;
  if (socket.wildcard && datagram.from_ip.valid()) add_source(place, datagram, socket);
  return true;
}

void UdpSender::add_source(unsigned place, const TxDatagram& datagram, const SendSocket& socket) noexcept {
  msghdr& header = x_headers[place].msg_hdr;
  char* const bytes = x_control[place].bytes.data();
  const IpAddress& source = datagram.from_ip;
  if (source.family != datagram.to.ip.family) return;
  if (socket.family == IpAddress::Family::v4) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, source.bytes.data(), 4);
    set_control(header, bytes, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    return;
  }
  in6_pktinfo info{};
  if (source.is_v6()) {
    std::memcpy(&info.ipi6_addr, source.bytes.data(), 16);
    info.ipi6_ifindex = source.scope;
  } else {
    std::memcpy(info.ipi6_addr.s6_addr, kMappedPrefix, 12);
    std::memcpy(info.ipi6_addr.s6_addr + 12, source.bytes.data(), 4);
  }
  set_control(header, bytes, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
}

void UdpSender::flush(int fd, unsigned count, std::uint64_t& done, SendStats& stats) noexcept {
  const std::atomic_ref<std::uint64_t> mask(done);
  std::uint64_t settled = mask.load(std::memory_order_relaxed);
  unsigned at = 0;
  unsigned retried = kMaxBatch;
  while (at < count) {
    const int n = ::sendmmsg(fd, &x_headers[at], count - at, MSG_DONTWAIT | MSG_NOSIGNAL);
    unsigned moved = 1;
    if (n > 0) {
      moved = static_cast<unsigned>(n);
      stats.sent += moved;
    } else {
      const int error = errno;
      if (error == EINTR) continue;
      // A refusal may be the late echo of an earlier datagram, and this one was then not tried.
      if (error == ECONNREFUSED && retried != at) {
        retried = at;
        continue;
      }
      count_failure(stats, error);
    }
    for (; moved != 0; --moved) settled |= std::uint64_t{1} << x_index[at++];
    mask.store(settled, std::memory_order_release);
  }
}

void UdpSender::send(std::span<const TxDatagram> batch, std::uint64_t& done, SendStats& stats) noexcept {
  const std::size_t size = batch.size() < kMaxBatch ? batch.size() : kMaxBatch;
  std::uint64_t pending = ~done;
  if (size < kMaxBatch) pending &= (std::uint64_t{1} << size) - 1;
  while (pending != 0) {
    const SocketId id = batch[static_cast<std::size_t>(std::countr_zero(pending))].socket;
    const SendSocket socket = id < x_sockets.size() ? x_sockets[id] : SendSocket{};
    unsigned count = 0;
    for (std::uint64_t rest = pending; rest != 0; rest &= rest - 1) {
      const auto index = static_cast<unsigned>(std::countr_zero(rest));
      const TxDatagram& datagram = batch[index];
      if (datagram.socket != id) continue;
      const std::uint64_t bit = rest & (~rest + 1);
      pending &= ~bit;
      if (prepare(count, datagram, socket)) {
        x_index[count++] = static_cast<std::uint8_t>(index);
      } else {
        count_failure(stats, EINVAL);
        done |= bit;
      }
    }
    flush(socket.fd, count, done, stats);
  }
}

}  // namespace ser::net
