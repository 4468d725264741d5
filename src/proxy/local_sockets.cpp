// SPDX-License-Identifier: Apache-2.0
#include "proxy/local_sockets.h"

#include <algorithm>

#include "base/text.h"

namespace ser::proxy {

namespace {

constexpr std::uint16_t kDefaultPort = 5060;

bool same_proto(Proto ours, Proto asked) noexcept {
  return asked == Proto::none || ours == asked;
}

/// Port 0 in a question means "any"; port 0 of an alias means the same.
bool same_port(std::uint16_t ours, std::uint16_t asked) noexcept {
  return ours == 0 || asked == 0 || ours == asked;
}

bool same_host(std::string_view a, std::string_view b) noexcept {
  if (!b.empty() && b.back() == '.') b.remove_suffix(1);  // a fully qualified name's root label
  return iequals(a, b);
}

std::string make_sent_by(const LocalSocket& socket) {
  std::string text;
  if (!socket.advertised_host.empty()) {
    text = socket.advertised_host;
    const std::uint16_t port = socket.advertised_port != 0 ? socket.advertised_port : socket.address.port;
    return text + ":" + std::to_string(port);
  }
  if (socket.wildcard) return {};
  return to_string(socket.address);
}

}  // namespace

SocketId LocalSockets::add(LocalSocket socket) {
  socket.wildcard = socket.address.ip.is_wildcard();
  if (socket.host.empty()) socket.host = std::string(print_ip(socket.address.ip, true).view());
  socket.sent_by = make_sent_by(socket);
  x_sockets.push_back(std::move(socket));
  return static_cast<SocketId>(x_sockets.size() - 1);
}

void LocalSockets::add_alias(Alias alias) {
  const auto same = [&](const Alias& other) {
    return iequals(other.host, alias.host) && other.port == alias.port && other.proto == alias.proto;
  };
  if (std::none_of(x_aliases.begin(), x_aliases.end(), same)) x_aliases.push_back(std::move(alias));
}

void LocalSockets::add_local_address(const IpAddress& ip) {
  if (std::find(x_local.begin(), x_local.end(), ip) == x_local.end()) x_local.push_back(ip);
}

bool LocalSockets::is_myself(const IpAddress& ip, std::uint16_t port, Proto proto) const noexcept {
  bool wildcard = false;
  for (const LocalSocket& socket : x_sockets) {
    if (!same_port(socket.address.port, port) || !same_proto(socket.proto, proto)) continue;
    if (socket.address.ip == ip) return true;
    wildcard =
        wildcard || (socket.wildcard && (socket.address.ip.family == ip.family || socket.address.ip.is_v6()));
  }
  return wildcard && std::find(x_local.begin(), x_local.end(), ip) != x_local.end();
}

bool LocalSockets::is_myself(std::string_view host, std::uint16_t port, Proto proto) const noexcept {
  if (host.empty()) return false;
  for (const LocalSocket& socket : x_sockets) {
    if (!same_proto(socket.proto, proto)) continue;
    if (same_port(socket.address.port, port) && same_host(socket.host, host)) return true;
    const std::uint16_t advertised =
        socket.advertised_port != 0 ? socket.advertised_port : socket.address.port;
    if (!socket.advertised_host.empty() && same_port(advertised, port) &&
        same_host(socket.advertised_host, host))
      return true;
  }
  for (const Alias& alias : x_aliases) {
    const bool proto_fits = alias.proto == Proto::none || same_proto(alias.proto, proto);
    if (proto_fits && same_port(alias.port, port) && same_host(alias.host, host)) return true;
  }
  // Only text that can be an address is worth parsing: IPv6 in its many spellings, and wildcard listeners.
  if (host.front() == '[' || is_digit(host.front())) {
    if (const auto ip = parse_ip(host); ip) return is_myself(*ip, port, proto);
  }
  return false;
}

SocketId LocalSockets::find(Proto proto, std::string_view host, std::uint16_t port) const noexcept {
  const std::uint16_t wanted = port != 0 ? port : kDefaultPort;
  const auto ip = parse_ip(host);
  for (std::size_t i = 0; i < x_sockets.size(); ++i) {
    const LocalSocket& socket = x_sockets[i];
    if (!same_proto(socket.proto, proto)) continue;
    const bool here = same_host(socket.host, host) || (ip && socket.address.ip == *ip);
    if (here && socket.address.port == wanted) return static_cast<SocketId>(i);
    const std::uint16_t advertised =
        socket.advertised_port != 0 ? socket.advertised_port : socket.address.port;
    if (!socket.advertised_host.empty() && advertised == wanted && same_host(socket.advertised_host, host)) {
      return static_cast<SocketId>(i);
    }
  }
  if (ip && is_myself(*ip, wanted)) {
    for (std::size_t i = 0; i < x_sockets.size(); ++i) {
      const LocalSocket& socket = x_sockets[i];
      if (socket.wildcard && socket.address.port == wanted && same_proto(socket.proto, proto) &&
          socket.address.ip.family == ip->family) {
        return static_cast<SocketId>(i);
      }
    }
  }
  return kNoSocket;
}

SocketId LocalSockets::find_named(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < x_sockets.size(); ++i) {
    if (!x_sockets[i].name.empty() && iequals(x_sockets[i].name, name)) return static_cast<SocketId>(i);
  }
  return kNoSocket;
}

SocketId LocalSockets::choose(Proto proto, const IpAddress& to, SocketId arrived_on) const noexcept {
  const auto fits = [&](const LocalSocket& socket) {
    if (socket.proto != proto || socket.address.ip.family != to.family) return false;
    // A socket on 127.0.0.1 cannot reach another machine: the kernel refuses such a source address.
    return socket.wildcard || to.is_loopback() || !socket.address.ip.is_loopback();
  };
  if (arrived_on < x_sockets.size() && fits(x_sockets[arrived_on])) return arrived_on;
  for (std::size_t i = 0; i < x_sockets.size(); ++i) {
    if (fits(x_sockets[i])) return static_cast<SocketId>(i);
  }
  return kNoSocket;
}

IpAddress LocalSockets::source_address(SocketId id, const IpAddress& to,
                                       const IpAddress& arrived_at) const noexcept {
  const auto reaches = [&](const IpAddress& ip) {
    return ip.family == to.family && !ip.is_wildcard() && (to.is_loopback() || !ip.is_loopback());
  };
  if (id >= x_sockets.size() || x_sockets[id].address.ip.family != to.family) return {};
  if (reaches(arrived_at)) return arrived_at;
  const auto found = std::find_if(x_local.begin(), x_local.end(), reaches);
  return found != x_local.end() ? *found : IpAddress{};
}

}  // namespace ser::proxy
