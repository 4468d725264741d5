// SPDX-License-Identifier: Apache-2.0
// Reads DNS answers (RFC 1035, 2308, 2782, 3596): A, AAAA, SRV, PTR with their TTL along CNAME chains.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "base/endpoint.h"
#include "base/result.h"

namespace ser::net {

enum class DnsType : std::uint16_t { none = 0, a = 1, cname = 5, soa = 6, ptr = 12, aaaa = 28, srv = 33 };
/// "A", "AAAA" …; "?" for others. Static storage.
std::string_view to_string(DnsType type) noexcept;

/// A domain name in text form, lower case, without the last dot. At most 253 bytes (RFC 1035 2.3.4). Plain
/// data; the bytes behind `size` are undefined.
struct DnsName {
  static constexpr std::size_t kMax = 253;
  std::uint8_t size;
  std::array<char, kMax> chars;
  std::string_view view() const noexcept { return {chars.data(), size}; }
  /// Lower case, one trailing dot removed. False, and empty: too long, empty, or a byte that is no LDH, '_'
  /// or '.'.
  bool assign(std::string_view text) noexcept;
};

enum class DnsStatus : std::uint8_t {
  ok,       ///< at least one record
  no_data,  ///< the name exists, but not with this type
  no_name,  ///< NXDOMAIN
  failure,  ///< SERVFAIL, REFUSED, no answer in time …: nothing is known
};

struct SrvRecord {
  std::uint16_t priority;
  std::uint16_t weight;
  std::uint16_t port;
  DnsName target;  ///< empty for "." (service not available)
};

/// The answer to one question. Plain data of about 2.4 KiB; elements at and behind `count` are undefined.
struct DnsAnswer {
  static constexpr unsigned kMax = 8;  ///< records kept; of SRV those with the lowest priority values
  DnsType type;
  DnsStatus status;
  std::uint8_t count;
  bool truncated;  ///< TC was set: ask by TCP
  std::uint32_t
      ttl;  ///< seconds: the least of all records used; for negative answers RFC 2308 5; 0: not given
  std::array<IpAddress, kMax> addresses;  ///< A and AAAA, in the server's order
  std::array<SrvRecord, kMax> srv;        ///< SRV, by rising priority
  DnsName name;                           ///< PTR: the name

  /// An answer without records.
  void clear(DnsType t, DnsStatus s) noexcept {
    type = t;
    status = s;
    count = 0;
    truncated = false;
    ttl = 0;
  }
};

/// Reads a whole DNS message that answers (`name`, `type`). Linear in time, no allocation. Errors:
/// Errc::syntax for a message that is not well-formed or answers something else, Errc::too_many for more than
/// 512 records.
Result<void> parse_dns_answer(std::string_view message, std::string_view name, DnsType type,
                              DnsAnswer& out) noexcept;

/// "1.2.0.192.in-addr.arpa", "…ip6.arpa": the name whose PTR names `ip`.
DnsName reverse_name(const IpAddress& ip) noexcept;

}  // namespace ser::net
