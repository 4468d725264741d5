// SPDX-License-Identifier: Apache-2.0
#include "load/address.h"

#include <arpa/inet.h>

#include <cstdlib>
#include <cstring>

namespace ser::bench {
namespace {

bool parse_port(const char* text, std::uint16_t& port) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || value > 65535) return false;
  port = static_cast<std::uint16_t>(value);
  return true;
}

}  // namespace

bool Address::parse(const char* text) {
  const char* colon = std::strrchr(text, ':');
  std::uint16_t port_value = 0;
  if (colon == nullptr || !parse_port(colon + 1, port_value)) return false;
  std::string host(text, static_cast<std::size_t>(colon - text));
  native = {};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_value);
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1 || !IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr))
      return false;
    std::memcpy(&native, &v6, sizeof v6);
    length = sizeof v6;
    return true;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port_value);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1 || (ntohl(v4.sin_addr.s_addr) >> 24) != 127)
    return false;
  std::memcpy(&native, &v4, sizeof v4);
  length = sizeof v4;
  return true;
}

std::uint16_t Address::port() const {
  if (native.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &native, sizeof v6);
    return ntohs(v6.sin6_port);
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &native, sizeof v4);
  return ntohs(v4.sin_port);
}

void Address::set_port(std::uint16_t port) {
  if (native.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &native, sizeof v6);
    v6.sin6_port = htons(port);
    std::memcpy(&native, &v6, sizeof v6);
    return;
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &native, sizeof v4);
  v4.sin_port = htons(port);
  std::memcpy(&native, &v4, sizeof v4);
}

std::string Address::text() const {
  char host[INET6_ADDRSTRLEN] = "";
  if (native.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &native, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
    return "[" + std::string(host) + "]:" + std::to_string(port());
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &native, sizeof v4);
  inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
  return std::string(host) + ":" + std::to_string(port());
}

}  // namespace ser::bench
