// SPDX-License-Identifier: Apache-2.0
// Batched datagrams: recvmmsg and sendmmsg on sockets connected to the server.
#pragma once
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "load/options.h"
#include "load/template.h"

namespace ser::bench {

/// A non-blocking UDP socket bound to `local` and connected to `peer`, so that only the server is heard.
class Socket {
 public:
  Socket() = default;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket(Socket&& other) noexcept : x_fd(other.x_fd), x_local(other.x_local) { other.x_fd = -1; }
  ~Socket();
  /// nullptr, or which step failed; errno tells why.
  const char* open(const Address& local, const Address& peer);
  int fd() const { return x_fd; }
  /// Datagrams the kernel dropped so far because the receive buffer was full.
  std::uint32_t drops() const;
  const Address& local() const { return x_local; }

 private:
  int x_fd = -1;
  Address x_local;
};

/// Up to kBatch received datagrams; views are valid until the next receive().
class ReceiveBatch {
 public:
  static constexpr unsigned kBatch = 32;
  ReceiveBatch();
  /// How many came (0: none waits), or -1 with errno.
  int receive(const Socket& socket);
  std::string_view at(int i) const {
    return {x_memory.get() + static_cast<std::size_t>(i) * kRoom,
            x_headers[static_cast<std::size_t>(i)].msg_len};
  }

 private:
  static constexpr std::size_t kRoom = 4096;
  std::unique_ptr<char[]> x_memory;
  std::vector<iovec> x_iovecs;
  std::vector<mmsghdr> x_headers;
};

/// Datagrams waiting to leave one socket, in order. The bytes belong to the caller until flush() has sent
/// them.
class SendQueue {
 public:
  static constexpr unsigned kRoom = 128;
  SendQueue();
  unsigned room() const { return kRoom - x_end; }
  unsigned waiting() const { return x_end - x_begin; }
  void add(const char* bytes, std::size_t size);
  /// Sends what the kernel takes now. False with errno: a real error.
  bool flush(const Socket& socket);

 private:
  unsigned x_begin = 0;
  unsigned x_end = 0;
  std::vector<iovec> x_iovecs;
  std::vector<mmsghdr> x_headers;
};

}  // namespace ser::bench
