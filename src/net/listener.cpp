// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <netdb.h>

#include <algorithm>

#include "base/text.h"

namespace ser::net {

namespace {

struct HostPort {
  std::string_view host;
  std::uint16_t port = 0;
};

Result<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_u32(text, 65535);
  if (!port) return {Errc::out_of_range, "port is not a number from 1 to 65535"};
  return static_cast<std::uint16_t>(*port);
}

bool is_host_text(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '@';
  });
}

/// "host", "host:port", "[v6]", "[v6]:port", "v6"; the host comes out without brackets.
Result<HostPort> parse_host_port(std::string_view text) {
  HostPort result;
  if (text.empty()) return {Errc::missing, "no host"};
  if (text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return {Errc::syntax, "no ']' after the IPv6 address"};
    if (!parse_ip(text.substr(0, close + 1))) return {Errc::syntax, "not an IPv6 address in the brackets"};
    result.host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return result;
    if (rest.front() != ':') return {Errc::syntax, "only a port may follow the brackets"};
    TRY(result.port, parse_port(rest.substr(1)));
    return result;
  }
  if (std::count(text.begin(), text.end(), ':') > 1) {
    if (!parse_ip(text)) return {Errc::syntax, "unknown protocol, or an IPv6 address without brackets"};
    result.host = text;
    return result;
  }
  const std::size_t colon = text.find(':');
  result.host = text.substr(0, colon);
  if (result.host != "*" && !is_host_text(result.host)) {
    return {Errc::syntax, "not an address, a host name or an interface name"};
  }
  if (colon != std::string_view::npos) {
    TRY(result.port, parse_port(text.substr(colon + 1)));
  }
  return result;
}

std::string sip_host(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// The first IPv4 address of a name, else its first IPv6 address. `why` is the resolver's text when there is
/// none.
IpAddress resolve_host(const std::string& host, std::string& why) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  IpAddress result;
  if (const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); failed != 0) {
    why = ::gai_strerror(failed);
    return result;
  }
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    const IpAddress ip = SockAddr::from(at->ai_addr).ip;
    if (!result.valid() || (ip.is_v4() && !result.is_v4())) result = ip;
  }
  ::freeaddrinfo(list);
  if (!result.valid()) why = "the name has no address";
  return result;
}

class Expander {
 public:
  Expander(std::uint16_t default_port, std::span<const InterfaceAddress> interfaces)
      : x_default_port(default_port), x_interfaces(interfaces) {}

  void expand(const ListenSpec& spec) {
    if (spec.proto != Proto::none && spec.proto != Proto::udp) {
      x_table.notices.push_back(head(spec) + "no effect: " + std::string(to_string(spec.proto)) +
                                " is not built yet, only udp carries traffic");
      return;
    }
    if (spec.host == "*") return add(spec, IpAddress::v4(0, 0, 0, 0));
    if (const auto ip = parse_ip(spec.host)) return add(spec, *ip);
    if (expand_interface(spec)) return;
    std::string why;
    const IpAddress ip = resolve_host(spec.host, why);
    if (!ip.valid()) {
      x_table.errors.push_back(head(spec) + "neither an interface nor a host name that resolves: " + why +
                               hint(spec));
      return;
    }
    add(spec, ip);
  }

  void expand_default(const ListenOptions& options) {
    ListenSpec spec;
    spec.options = options;
    spec.origin = "default";
    for (const auto& address : x_interfaces) {
      if (address.ip.is_v6() && is_link_local(address.ip)) continue;
      spec.host = print_ip(address.ip, false).view();
      add(spec, address.ip);
    }
    if (!x_table.listeners.empty()) return;
    spec.host = own_host_name();
    expand(spec);
  }

  ListenTable take() { return std::move(x_table); }

 private:
  static std::string head(const ListenSpec& spec) {
    return (spec.origin.empty() ? "listen" : spec.origin) + ": listen \"" + spec.host + "\": ";
  }

  bool expand_interface(const ListenSpec& spec) {
    bool known = false;
    const std::size_t before = x_seen;
    for (const auto& address : x_interfaces) {
      if (address.interface != spec.host) continue;
      known = true;
      if (!(address.ip.is_v6() && is_link_local(address.ip))) add(spec, address.ip);
    }
    if (known && x_seen == before)
      x_table.errors.push_back(head(spec) + "the interface has no usable address");
    return known;
  }

  std::string hint(const ListenSpec& spec) const {
    for (const auto& address : x_interfaces) {
      if (edit_distance(address.interface, spec.host, 2) <= 2)
        return " (did you mean " + address.interface + "?)";
    }
    return {};
  }

  void add(const ListenSpec& spec, const IpAddress& ip) {
    ++x_seen;
    Listener listener;
    listener.address = {ip, spec.port == 0 ? x_default_port : spec.port};
    for (const auto& other : x_table.listeners) {
      if (other.address == listener.address) return;
    }
    if (x_table.listeners.size() >= kNoSocket) {
      x_table.errors.push_back(head(spec) + "too many listeners");
      return;
    }
    listener.id = static_cast<SocketId>(x_table.listeners.size());
    listener.host = print_ip(ip, true).view();
    listener.given_host = spec.host == "*" ? listener.host : sip_host(spec.host);
    if (!spec.advertised_host.empty()) {
      listener.advertised_host = sip_host(spec.advertised_host);
      listener.advertised_port = spec.advertised_port == 0 ? listener.address.port : spec.advertised_port;
    }
    listener.name = spec.name;
    listener.options = spec.options;
    x_table.listeners.push_back(std::move(listener));
  }

  std::uint16_t x_default_port;
  std::span<const InterfaceAddress> x_interfaces;
  std::size_t x_seen = 0;
  ListenTable x_table;
};

}  // namespace

std::string Listener::text() const {
  return std::string(to_string(proto)) + ":" + to_string(address);
}

Result<ListenSpec> parse_listen_text(std::string_view text) {
  text = trim(text);
  ListenSpec spec;
  const std::size_t slash = text.find('/');
  std::string_view local = text.substr(0, slash);
  if (const std::size_t colon = local.find(':'); colon != std::string_view::npos) {
    spec.proto = parse_proto(local.substr(0, colon));
    if (spec.proto != Proto::none) local.remove_prefix(colon + 1);
  }
  TRY(const HostPort host, parse_host_port(local));
  spec.host = host.host;
  spec.port = host.port;
  if (slash == std::string_view::npos) return spec;
  const auto advertised = parse_host_port(text.substr(slash + 1));
  if (!advertised || advertised->host == "*")
    return {Errc::syntax, "no host, or host:port, after '/' (advertise)"};
  spec.advertised_host = advertised->host;
  spec.advertised_port = advertised->port;
  return spec;
}

std::vector<std::string> listen_texts(std::string_view text) {
  text = trim(text);
  const std::size_t open = text.find('(');
  const std::size_t close = text.find(')', open == std::string_view::npos ? text.size() : open);
  if (close == std::string_view::npos) return {std::string(text)};
  std::vector<std::string> texts;
  std::string_view rest = text.substr(open + 1, close - open - 1);
  do {
    const std::string_view host = trim(split_off(rest, ','));
    // An IPv6 address needs brackets where a port may follow.
    const bool bare = host.find(':') != std::string_view::npos && !host.starts_with('[');
    std::string& one = texts.emplace_back(text.substr(0, open));
    one += bare ? '[' + std::string(host) + ']' : std::string(host);
    one += text.substr(close + 1);
  } while (!rest.empty());
  return texts;
}

ListenTable resolve_listeners(std::span<const ListenSpec> specs, std::uint16_t default_port,
                              const ListenOptions& defaults, std::span<const InterfaceAddress> interfaces) {
  Expander expander(default_port, interfaces);
  for (const ListenSpec& spec : specs) expander.expand(spec);
  if (specs.empty()) expander.expand_default(defaults);
  return expander.take();
}

}  // namespace ser::net
