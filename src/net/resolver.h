// SPDX-License-Identifier: Apache-2.0
// The resolver of the event worker: c-ares for transport, our parser for answers, results into the shared
// cache.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "net/dns_cache.h"
#include "net/event_loop.h"

namespace ser::net {

struct ResolverOptions {
  std::string servers;                    ///< "127.0.0.1:5353,[::1]:53"; empty: as /etc/resolv.conf says
  std::string hosts_file = "/etc/hosts";  ///< answered before any server; empty: none
  std::uint32_t timeout_ms = 1000;        ///< first try; doubles
  std::uint32_t tries = 3;
  std::uint32_t max_pending = 256;  ///< queries at a time
  std::uint32_t min_ttl = 1;        ///< seconds; shorter ones are raised
  std::uint32_t max_ttl = 86400;    ///< seconds; longer ones are cut
  std::uint32_t negative_ttl = 60;  ///< seconds; upper bound, and value where the server gives none
  std::uint32_t failure_ttl = 5;    ///< seconds; no answer: do not ask again before
  std::uint32_t stale_ttl = 3600;   ///< seconds an old answer is served while no new one comes
};

struct ResolverStats {
  std::uint64_t queries = 0;   ///< sent to a server
  std::uint64_t answers = 0;   ///< with records
  std::uint64_t negative = 0;  ///< NXDOMAIN or no data
  std::uint64_t failures = 0;  ///< timeouts, SERVFAIL, answers that do not parse
  std::uint64_t refused = 0;   ///< not asked: max_pending reached or not a name
  std::uint64_t joined = 0;    ///< the same question was already on its way
};

/// Told when a question is settled (the cache holds the result, failures too). Must outlive the resolver. May
/// ask further questions, but not call keep_fresh(), start() or stop().
class ResolverObserver {
 public:
  virtual ~ResolverObserver() = default;
  virtual void on_resolved(std::string_view name, DnsType type, DnsStatus status) = 0;
};

class DnsQuestions;

/// Not thread-safe: lives in the event worker, on its loop. Nothing here blocks but the read of the hosts
/// file when it has changed.
class DnsResolver {
 public:
  DnsResolver(EventLoop& loop, DnsCache cache, Logger& logger, ResolverOptions options);
  ~DnsResolver();
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;

  void set_observer(ResolverObserver* observer) noexcept;
  /// After the fork. Makes the channel, reads hosts and asks for all names of keep_fresh().
  Result<void> start();
  /// Cancels what is running. start() may follow.
  void stop() noexcept;

  /// Asks, unless the cache has a fresh answer or the question is on its way. Errors: Errc::syntax (not a
  /// name), Errc::too_many (max_pending), Errc::refused (not started). An answer known at once is in the
  /// cache on return.
  Result<void> request(std::string_view name, DnsType type);
  /// request() of A and AAAA.
  Result<void> request_host(std::string_view name);
  /// request() of the PTR of reverse_name(ip).
  Result<void> request_reverse(const IpAddress& ip);
  /// A name of the configuration: asked at start() and again whenever its TTL ends. At most 1024. May be
  /// called before start().
  Result<void> keep_fresh(std::string_view name, DnsType type);

  std::size_t pending() const noexcept;
  const ResolverStats& stats() const noexcept;
  /// The part that knows no network.
  DnsQuestions& questions() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> x_impl;
};

}  // namespace ser::net
