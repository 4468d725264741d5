// SPDX-License-Identifier: Apache-2.0
#include "srv/name_requests.h"

#include <cstring>

namespace ser::srv {

namespace {
/// A writer needs microseconds; one that has not come back after a second is dead or stopped for long.
constexpr Instant kWriterLost = 1'000'000'000;
constexpr std::string_view kSipUdp = "_sip._udp.";
}  // namespace

Result<NameRequests> NameRequests::create(shm::Segment& segment) {
  auto* cells = static_cast<NameRequestCell*>(segment.reserve(sizeof(NameRequestCell) * kCells));
  if (cells == nullptr) return {Errc::no_space, "no room for name requests"};
  for (std::uint32_t i = 0; i < kCells; ++i) new (cells + i) NameRequestCell{};
  return NameRequests(cells);
}

std::uint32_t NameRequests::put(std::string_view name, net::DnsType type, Instant now) noexcept {
  if (name.empty() || name.size() >= sizeof NameRequestCell::name) return kCells;
  for (std::uint32_t i = 0; i < kCells; ++i) {
    NameRequestCell& cell = x_cells[i];
    std::uint32_t expected = NameRequestCell::empty;
    if (!cell.state.compare_exchange_strong(expected, NameRequestCell::writing, std::memory_order_acquire))
      continue;
    cell.since.store(now, std::memory_order_relaxed);
    cell.type = type;
    cell.length = static_cast<std::uint16_t>(name.size());
    std::memcpy(cell.name, name.data(), name.size());
    cell.state.store(NameRequestCell::ready, std::memory_order_release);
    return i;
  }
  return kCells;
}

bool NameRequests::take(std::uint32_t index, char (&name)[256], std::uint16_t& length,
                        net::DnsType& type) noexcept {
  if (index >= kCells) return false;
  NameRequestCell& cell = x_cells[index];
  if (cell.state.load(std::memory_order_acquire) != NameRequestCell::ready) return false;
  length = cell.length < sizeof cell.name ? cell.length : 0;
  std::memcpy(name, cell.name, length);
  type = cell.type;
  cell.state.store(NameRequestCell::empty, std::memory_order_release);
  return length != 0;
}

void NameRequests::reclaim(Instant now) noexcept {
  for (std::uint32_t i = 0; i < kCells; ++i) {
    NameRequestCell& cell = x_cells[i];
    if (cell.state.load(std::memory_order_acquire) == NameRequestCell::empty) continue;
    // Also requests whose event never reached the inbox: their writer died between the two.
    if (now - cell.since.load(std::memory_order_relaxed) > kWriterLost)
      cell.state.store(NameRequestCell::empty, std::memory_order_release);
  }
}

/// The first of a look-up: whoever waits looks again then.
void CachedNames::note_pending(std::string_view name, net::DnsType type) noexcept {
  if (x_pending_type != 0 || !x_pending.assign(name)) return;
  x_pending_type = static_cast<std::uint16_t>(type);
}

void CachedNames::ask(std::string_view name, net::DnsType type, Instant now) noexcept {
  const std::uint32_t index = x_requests.put(name, type, now);
  if (index == NameRequests::kCells) return;
  shm::Event event;
  event.type = kEventNameRequest;
  event.from = x_self.id().slot;
  event.words[0] = index;
  if (x_inbox.push(x_self, event))
    x_counters.add(x_asked);
  else
    x_requests.cancel(index);
}

bool CachedNames::add_host(std::string_view host, std::uint16_t port, Instant now, Addresses& out,
                           bool& waiting, bool& exists) noexcept {
  const std::uint8_t before = out.count;
  for (const net::DnsType type : {net::DnsType::a, net::DnsType::aaaa}) {
    if (type == net::DnsType::aaaa && !x_ipv6) continue;
    const net::DnsFreshness freshness = x_cache.find(host, type, now, x_answer);
    if (freshness != net::DnsFreshness::fresh) ask(host, type, now);
    if (freshness == net::DnsFreshness::miss) {
      note_pending(host, type);
      waiting = true;
      continue;
    }
    exists = exists || x_answer.status != net::DnsStatus::no_name;
    for (unsigned i = 0;
         x_answer.status == net::DnsStatus::ok && i < x_answer.count && out.count < std::size(out.list);
         ++i) {
      out.list[out.count++] = {x_answer.addresses[i], port};
    }
  }
  return out.count > before;
}

Result<CachedNames::Addresses> CachedNames::lookup(std::string_view host, std::uint16_t port,
                                                   Proto proto) noexcept {
  if (proto != Proto::udp) return {Errc::unsupported, "only UDP is built"};
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.empty() || host.size() > net::DnsName::kMax - kSipUdp.size())
    return {Errc::syntax, "not a host name"};
  const Instant now = x_clock.now();
  Addresses out;
  bool waiting = false;
  bool exists = false;
  x_pending_type = 0;
  // RFC 3263 4.2: no port given, so SRV is asked first.
  if (port == 0) {
    std::memcpy(x_name, kSipUdp.data(), kSipUdp.size());
    std::memcpy(x_name + kSipUdp.size(), host.data(), host.size());
    const std::string_view srv_name(x_name, kSipUdp.size() + host.size());
    const net::DnsFreshness freshness = x_cache.find(srv_name, net::DnsType::srv, now, x_answer);
    if (freshness != net::DnsFreshness::fresh) ask(srv_name, net::DnsType::srv, now);
    if (freshness == net::DnsFreshness::miss) {
      note_pending(srv_name, net::DnsType::srv);
      waiting = true;
    } else if (x_answer.status == net::DnsStatus::ok) {
      const net::DnsAnswer records = x_answer;
      for (unsigned i = 0; i < records.count && out.count == 0; ++i) {
        add_host(records.srv[i].target.view(), records.srv[i].port, now, out, waiting, exists);
      }
      if (out.count > 0) return out;
      if (waiting) return {Errc::pending, "SRV targets are being resolved"};
    }
  }
  add_host(host, port != 0 ? port : std::uint16_t{5060}, now, out, waiting, exists);
  if (waiting && (out.count == 0 || port == 0)) return {Errc::pending, "name is being resolved"};
  if (out.count == 0) return {Errc::not_found, "name has no address"};
  return out;
}

Result<std::string_view> CachedNames::reverse(const IpAddress& ip) noexcept {
  const Instant now = x_clock.now();
  const net::DnsName name = net::reverse_name(ip);
  const net::DnsFreshness freshness = x_cache.find(name.view(), net::DnsType::ptr, now, x_answer);
  if (freshness != net::DnsFreshness::fresh) ask(name.view(), net::DnsType::ptr, now);
  if (freshness == net::DnsFreshness::miss) {
    x_pending_type = 0;
    note_pending(name.view(), net::DnsType::ptr);
    return {Errc::pending, "address is being resolved"};
  }
  if (x_answer.status != net::DnsStatus::ok) return {Errc::not_found, "address has no name"};
  const std::string_view found = x_answer.name.view();
  std::memcpy(x_name, found.data(), found.size());
  return std::string_view(x_name, found.size());
}

}  // namespace ser::srv
