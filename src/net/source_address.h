// SPDX-License-Identifier: Apache-2.0
// Which listener, and which source address, a datagram to a given destination leaves from.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "base/fd.h"
#include "base/packet.h"
#include "net/listener.h"

namespace ser::net {

/// The answer: a listener and, when it is a wildcard, the address to use (none: the kernel chooses).
struct SourceChoice {
  SocketId socket = kNoSocket;
  IpAddress from_ip;
  bool found() const noexcept { return socket != kNoSocket; }
};

/// Chooses by the family's rules: the listener the message came in on if protocol and address family fit (but
/// a loopback listener never serves a destination outside), else the first of that protocol and family,
/// preferring one that is not loopback. With `mhomed` the kernel's routing decides and its answers are kept
/// for a few seconds. One per worker: opens its probing sockets itself, after the fork, at first use.
class SourceChooser {
 public:
  /// `listeners` outlives the chooser.
  SourceChooser(std::span<const Listener> listeners, bool mhomed) noexcept;

  /// `received_on` and `received_ip` (local address the message came to) may be kNoSocket and none.
  SourceChoice choose(const SockAddr& to, Proto proto, SocketId received_on, const IpAddress& received_ip,
                      Instant now) noexcept;
  /// The source address the kernel would use for `to`, by a connected UDP socket; none when there is no
  /// route.
  IpAddress kernel_source(const SockAddr& to) noexcept;

 private:
  struct CacheEntry {
    IpAddress to;
    IpAddress source;
    Instant until = 0;
  };
  SourceChoice by_route(const SockAddr& to, Proto proto, SocketId received_on, Instant now) noexcept;

  static constexpr unsigned kCacheSize = 64;
  std::span<const Listener> x_listeners;
  bool x_mhomed;
  Fd x_probe_v4;
  Fd x_probe_v6;
  std::array<CacheEntry, kCacheSize> x_cache{};
};

}  // namespace ser::net
