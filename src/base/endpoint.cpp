// SPDX-License-Identifier: Apache-2.0
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace ser {

namespace {
constexpr std::string_view kLower[] = {"none", "udp", "tcp", "tls", "sctp", "ws", "wss"};
constexpr std::string_view kUpper[] = {"NONE", "UDP", "TCP", "TLS", "SCTP", "WS", "WSS"};
}  // namespace

std::string_view to_string(Proto proto) noexcept {
  return kLower[static_cast<std::size_t>(proto)];
}
std::string_view to_upper_string(Proto proto) noexcept {
  return kUpper[static_cast<std::size_t>(proto)];
}

Proto parse_proto(std::string_view text) noexcept {
  for (std::size_t i = 1; i < std::size(kLower); ++i) {
    if (iequals(text, kLower[i])) return static_cast<Proto>(i);
  }
  return Proto::none;
}

IpAddress IpAddress::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept {
  IpAddress ip;
  ip.bytes[0] = a;
  ip.bytes[1] = b;
  ip.bytes[2] = c;
  ip.bytes[3] = d;
  ip.family = Family::v4;
  return ip;
}

bool IpAddress::is_wildcard() const noexcept {
  return valid() && std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return bytes[0] == 127;
  if (!is_v6()) return false;
  return std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t b) { return b == 0; }) && bytes[15] == 1;
}

bool IpAddress::is_multicast_or_broadcast() const noexcept {
  if (is_v6()) return bytes[0] == 0xFF;
  return is_v4() && (bytes[0] >> 4 == 14 || (bytes[0] & bytes[1] & bytes[2] & bytes[3]) == 0xFF);
}

bool IpAddress::in_network(const IpAddress& net, unsigned bits) const noexcept {
  if (family != net.family) return false;
  bits = std::min(bits, is_v4() ? 32U : 128U);
  const unsigned whole = bits / 8;
  if (std::memcmp(bytes.data(), net.bytes.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF00U >> (bits % 8));
  return ((bytes[whole] ^ net.bytes[whole]) & mask) == 0;
}

namespace {

/// One part of a dotted quad at `p`, in text that ends with a NUL: up to three digits, without leading zeros,
/// which some read as octal (inet_pton refuses them too). Returns what is behind it; nullptr: there is none.
[[gnu::always_inline]] inline const char* parse_part(const char* p, std::uint8_t& part) noexcept {
  const auto digit = [](char c) { return static_cast<unsigned>(static_cast<unsigned char>(c)) - '0'; };
  unsigned value = digit(*p++);
  if (value > 9) return nullptr;
  if (unsigned next = digit(*p); next <= 9) {
    if (value == 0) return nullptr;
    value = value * 10 + next;
    next = digit(*++p);
    if (next <= 9) {
      value = value * 10 + next;
      if (value > 255) return nullptr;
      ++p;
    }
  }
  part = static_cast<std::uint8_t>(value);
  return p;
}

/// Dotted quad and nothing else.
bool parse_dotted_quad(std::string_view text, IpAddress& ip) noexcept {
  constexpr std::size_t kShortest = 7;
  constexpr std::size_t kLongest = 15;
  if (text.size() - kShortest > kLongest - kShortest) return false;
  // A copy with a NUL behind it, of two words that may overlap: no bounds to be checked from here on.
  char copy[kLongest + 1] = {};
  if (text.size() >= 8) {
    std::memcpy(copy, text.data(), 8);
    std::memcpy(copy + text.size() - 8, text.data() + text.size() - 8, 8);
  } else {
    std::memcpy(copy, text.data(), kShortest);
  }
  const char* p = copy;
  for (unsigned part = 0; part < 4; ++part) {
    if (part != 0 && *p++ != '.') return false;
    p = parse_part(p, ip.bytes[part]);
    if (p == nullptr) return false;
  }
  ip.family = IpAddress::Family::v4;
  return p == copy + text.size();
}

}  // namespace

Result<IpAddress> parse_ip(std::string_view text) noexcept {
  IpAddress quad;
  if (parse_dotted_quad(text, quad)) [[likely]]
    return quad;
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return {Errc::syntax, "brackets hold no IPv6 address"};
  }
  char copy[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
  if (text.empty() || text.size() >= sizeof copy) return {Errc::syntax, "not an IP address"};
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  IpAddress ip;
  if (text.find(':') == std::string_view::npos) return {Errc::syntax, "not an IP address"};
  if (char* scope = std::strchr(copy, '%'); scope != nullptr) {
    *scope = '\0';
    ip.scope = if_nametoindex(scope + 1);
    if (ip.scope == 0) return {Errc::not_found, "no such interface after '%'"};
  }
  if (inet_pton(AF_INET6, copy, ip.bytes.data()) != 1) return {Errc::syntax, "not an IP address"};
  ip.family = IpAddress::Family::v6;
  return ip;
}

IpText print_ip(const IpAddress& ip, bool brackets) noexcept {
  IpText text;
  char* out = text.chars.data();
  if (ip.is_v4()) {
    for (int i = 0; i < 4; ++i) {
      if (i != 0) *out++ = '.';
      out += print_u64(out, ip.bytes[static_cast<std::size_t>(i)]);
    }
  } else if (ip.is_v6()) {
    if (brackets) *out++ = '[';
    char copy[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, ip.bytes.data(), copy, sizeof copy);
    out = std::copy_n(copy, std::strlen(copy), out);
    if (brackets) *out++ = ']';
  }
  text.size = static_cast<std::uint8_t>(out - text.chars.data());
  return text;
}

SockAddr SockAddr::from(const sockaddr* native) noexcept {
  SockAddr result;
  if (native->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, native, sizeof in);
    std::memcpy(result.ip.bytes.data(), &in.sin_addr, 4);
    result.ip.family = IpAddress::Family::v4;
    result.port = ntohs(in.sin_port);
  } else if (native->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, native, sizeof in);
    std::memcpy(result.ip.bytes.data(), &in.sin6_addr, 16);
    result.ip.family = IpAddress::Family::v6;
    result.ip.scope = in.sin6_scope_id;
    result.port = ntohs(in.sin6_port);
  }
  return result;
}

socklen_t SockAddr::to_native(sockaddr_storage& out) const noexcept {
  if (ip.is_v6()) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    in.sin6_scope_id = ip.scope;
    std::memcpy(&in.sin6_addr, ip.bytes.data(), 16);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  std::memcpy(&in.sin_addr, ip.bytes.data(), 4);
  std::memcpy(&out, &in, sizeof in);
  return sizeof in;
}

IpText print(const SockAddr& address) noexcept {
  IpText text = print_ip(address.ip, true);
  char* out = text.chars.data() + text.size;
  *out++ = ':';
  out += print_u64(out, address.port);
  text.size = static_cast<std::uint8_t>(out - text.chars.data());
  return text;
}

std::string to_string(const SockAddr& address) {
  return std::string(print(address).view());
}

}  // namespace ser
