// SPDX-License-Identifier: Apache-2.0
#include "net/source_address.h"

#include <cstring>

namespace ser::net {

namespace {
constexpr Instant kCacheLife = 5'000'000'000;

bool fits(const Listener& listener, Proto proto, const IpAddress& to) noexcept {
  if (listener.proto != proto) return false;
  if (listener.address.ip.family == to.family) return true;
  return to.is_v4() && listener.is_wildcard() && !listener.options.v6_only;
}

/// A datagram from a loopback address cannot leave the machine.
bool can_reach(const Listener& listener, const IpAddress& to) noexcept {
  return to.is_loopback() || !listener.address.ip.is_loopback();
}
}  // namespace

SourceChooser::SourceChooser(std::span<const Listener> listeners, bool mhomed) noexcept
    : x_listeners(listeners), x_mhomed(mhomed) {}

SourceChoice SourceChooser::choose(const SockAddr& to, Proto proto, SocketId received_on,
                                   const IpAddress& received_ip, Instant now) noexcept {
  if (x_mhomed) {
    const SourceChoice choice = by_route(to, proto, received_on, now);
    if (choice.found()) return choice;
  }
  if (received_on < x_listeners.size()) {
    const Listener& listener = x_listeners[received_on];
    if (fits(listener, proto, to.ip) && can_reach(listener, to.ip)) {
      SourceChoice choice{received_on, {}};
      // A wildcard listener answers from the address that was spoken to, unless that one cannot get there.
      const bool usable =
          received_ip.family == to.ip.family && (to.ip.is_loopback() || !received_ip.is_loopback());
      if (listener.is_wildcard() && usable) choice.from_ip = received_ip;
      return choice;
    }
  }
  SourceChoice second_best;
  for (const Listener& listener : x_listeners) {
    if (!fits(listener, proto, to.ip)) continue;
    const bool same_side = listener.is_wildcard() || listener.address.ip.is_loopback() == to.ip.is_loopback();
    if (same_side) return {listener.id, {}};
    if (!second_best.found()) second_best.socket = listener.id;
  }
  return second_best;
}

SourceChoice SourceChooser::by_route(const SockAddr& to, Proto proto, SocketId received_on,
                                     Instant now) noexcept {
  std::uint32_t hash = to.ip.scope;
  for (std::size_t i = 0; i < 16; i += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, to.ip.bytes.data() + i, 4);
    hash = (hash ^ word) * 0x9E3779B1U;
  }
  CacheEntry& entry = x_cache[hash >> 26];
  static_assert(kCacheSize == 1U << (32 - 26));
  if (entry.to != to.ip || entry.until <= now) entry = {to.ip, kernel_source(to), now + kCacheLife};
  if (!entry.source.valid()) return {};
  const auto serves = [&](const Listener& listener) {
    return fits(listener, proto, to.ip) && (listener.is_wildcard() || listener.address.ip == entry.source);
  };
  const auto answer = [&](const Listener& listener) {
    return SourceChoice{listener.id, listener.is_wildcard() ? entry.source : IpAddress{}};
  };
  std::uint16_t port = 0;
  if (received_on < x_listeners.size()) {
    if (serves(x_listeners[received_on])) return answer(x_listeners[received_on]);
    port = x_listeners[received_on].address.port;
  }
  const Listener* found = nullptr;
  for (const Listener& listener : x_listeners) {
    if (!serves(listener)) continue;
    if (listener.address.port == port) return answer(listener);
    if (found == nullptr) found = &listener;
  }
  return found == nullptr ? SourceChoice{} : answer(*found);
}

IpAddress SourceChooser::kernel_source(const SockAddr& to) noexcept {
  Fd& probe = to.ip.is_v6() ? x_probe_v6 : x_probe_v4;
  if (!probe) probe = Fd(::socket(to.ip.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) return {};
  // A connected socket keeps its first source address: dissolve before asking again. Nothing is sent.
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  static_cast<void>(::connect(probe.get(), &none, sizeof none));
  sockaddr_storage native{};
  SockAddr target = to;
  if (target.port == 0) target.port = 5060;
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&native), target.to_native(native)) != 0)
    return {};
  socklen_t size = sizeof native;
  if (::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&native), &size) != 0) return {};
  return SockAddr::from(reinterpret_cast<const sockaddr*>(&native)).ip;
}

}  // namespace ser::net
