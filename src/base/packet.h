// SPDX-License-Identifier: Apache-2.0
// What comes from and goes to the network, as interfaces: nothing above knows sockets.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "base/endpoint.h"
#include "base/result.h"

namespace ser {

/// Monotonic time in nanoseconds since an arbitrary start. One reading per receive batch.
using Instant = std::int64_t;

/// One received datagram. `bytes` is followed by one NUL byte that is not counted.
struct RxPacket {
  std::string_view bytes;
  SockAddr from;                ///< source as the kernel saw it
  SockAddr to;                  ///< local address it arrived at (the real one, also on a wildcard listener)
  SocketId socket = kNoSocket;  ///< listener it arrived on
  Proto proto = Proto::udp;
  Instant at = 0;
};

/// Where an outgoing datagram leaves from and goes to.
struct TxTarget {
  SockAddr to;
  SocketId socket = kNoSocket;  ///< listener to send from
  IpAddress from_ip;            ///< source address to use on a wildcard listener; none: the kernel chooses
};

/// Takes outgoing datagrams. A worker's sink queues them in its send block until the batch is flushed; a
/// test's records them. Sending never blocks, and a refusal of the kernel is counted there, not reported
/// here.
class PacketSink {
 public:
  virtual ~PacketSink() = default;
  /// Room for up to `bytes` bytes, valid until the next call of any member. Empty: impossible (too long).
  virtual std::span<char> reserve(std::size_t bytes) noexcept = 0;
  /// Queues the first `bytes` bytes of the last reserve().
  virtual Result<void> commit(std::size_t bytes, const TxTarget& target) noexcept = 0;
};

}  // namespace ser
