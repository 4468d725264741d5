// SPDX-License-Identifier: Apache-2.0
#include "load/udp.h"

#include <linux/sock_diag.h>
#include <unistd.h>

#include <cerrno>

namespace ser::bench {
Socket::~Socket() {
  if (x_fd >= 0) ::close(x_fd);
}

const char* Socket::open(const Address& local, const Address& peer) {
  x_fd = ::socket(local.native.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (x_fd < 0) return "socket";
  // Bursts of a whole window must fit; the kernel caps the value at its limit.
  const int bytes = 4 << 20;
  if (::setsockopt(x_fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    (void)::setsockopt(x_fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  (void)::setsockopt(x_fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  if (::bind(x_fd, local.raw(), local.length) != 0) return "bind";
  if (::connect(x_fd, peer.raw(), peer.length) != 0) return "connect";
  x_local = local;
  socklen_t length = sizeof x_local.native;
  if (::getsockname(x_fd, reinterpret_cast<sockaddr*>(&x_local.native), &length) != 0) {
    return "getsockname";
  }
  return nullptr;
}

std::uint32_t Socket::drops() const {
  std::uint32_t figures[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof figures;
  return ::getsockopt(x_fd, SOL_SOCKET, SO_MEMINFO, figures, &length) == 0 ? figures[SK_MEMINFO_DROPS] : 0;
}

ReceiveBatch::ReceiveBatch() : x_memory(new char[kBatch * kRoom]), x_iovecs(kBatch), x_headers(kBatch) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    x_iovecs[i] = {x_memory.get() + i * kRoom, kRoom};
    x_headers[i].msg_hdr.msg_iov = &x_iovecs[i];
    x_headers[i].msg_hdr.msg_iovlen = 1;
  }
}

int ReceiveBatch::receive(const Socket& socket) {
  const int count = ::recvmmsg(socket.fd(), x_headers.data(), kBatch, MSG_DONTWAIT, nullptr);
  if (count >= 0) return count;
  // ECONNREFUSED is the ICMP answer to an earlier send; whoever misses a reply reports it as lost.
  return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -1;
}

SendQueue::SendQueue() : x_iovecs(kRoom), x_headers(kRoom) {
  for (std::size_t i = 0; i < kRoom; ++i) {
    x_headers[i].msg_hdr.msg_iov = &x_iovecs[i];
    x_headers[i].msg_hdr.msg_iovlen = 1;
  }
}

void SendQueue::add(const char* bytes, std::size_t size) {
  x_iovecs[x_end++] = {const_cast<char*>(bytes), size};
}

bool SendQueue::flush(const Socket& socket) {
  while (x_begin < x_end) {
    const int sent = ::sendmmsg(socket.fd(), x_headers.data() + x_begin, x_end - x_begin, MSG_DONTWAIT);
    if (sent > 0) {
      x_begin += static_cast<unsigned>(sent);
    } else if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
      return true;
    } else if (errno != ECONNREFUSED) {
      return false;
    }
  }
  x_begin = x_end = 0;
  return true;
}

}  // namespace ser::bench
