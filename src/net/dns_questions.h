// SPDX-License-Identifier: Apache-2.0
// What a resolver does beside the transport: which questions are asked, how long answers are kept, which
// names are kept fresh. No descriptor, no waiting: the same object serves c-ares and the simulated network of
// flows.
#pragma once
#include <set>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/log.h"
#include "net/dns_cache.h"
#include "net/dns_message.h"
#include "net/hosts_file.h"
#include "net/resolver.h"

namespace ser::net {

/// Carries a question to a name server.
class DnsTransport {
 public:
  virtual ~DnsTransport() = default;
  /// Asks. Exactly one DnsQuestions::answered() of the same name and type follows, now or later, unless
  /// forget() comes between.
  virtual void ask(const DnsName& name, DnsType type) = 0;
  /// The moment of DnsQuestions::next_refresh() may have moved.
  virtual void refresh_moved() = 0;
};

/// Not thread-safe. All references outlive it.
class DnsQuestions {
 public:
  static constexpr Instant kNever = INT64_MAX;
  static constexpr std::size_t kMaxKept = 1024;

  DnsQuestions(Clock& clock, DnsCache cache, Logger& logger, ResolverOptions options, DnsTransport& transport)
      : x_clock(clock),
        x_cache(cache),
        x_logger(logger),
        x_options(std::move(options)),
        x_transport(transport) {}

  void set_observer(ResolverObserver* observer) noexcept { x_observer = observer; }
  /// The transport is ready: asks for all names of keep_fresh().
  void start();
  /// The transport is gone: no question is on its way any more.
  void forget() noexcept;

  /// As DnsResolver::request().
  Result<void> request(std::string_view name, DnsType type);
  /// As DnsResolver::keep_fresh().
  Result<void> keep_fresh(std::string_view name, DnsType type);
  /// The transport's answer; status failure when there was none. Kept, counted, told to the observer.
  void answered(const DnsName& name, DnsType type, const DnsAnswer& answer);
  /// When refresh() has something to do; kNever.
  Instant next_refresh() const noexcept;
  /// Asks again for the names of keep_fresh() whose time is over.
  void refresh();

  std::size_t pending() const noexcept { return x_pending.size(); }
  const ResolverStats& stats() const noexcept { return x_stats; }
  const ResolverOptions& options() const noexcept { return x_options; }

 private:
  struct Kept {
    DnsName name;
    DnsType type;
    Instant next = 0;
  };
  Result<void> ask(const DnsName& name, DnsType type);
  bool answer_from_hosts(const DnsName& name, DnsType type, DnsAnswer& answer);
  void settle(const DnsName& name, DnsType type, const DnsAnswer& answer, std::uint32_t ttl,
              std::uint32_t stale);

  Clock& x_clock;
  DnsCache x_cache;
  Logger& x_logger;
  ResolverOptions x_options;
  DnsTransport& x_transport;
  ResolverObserver* x_observer = nullptr;
  ResolverStats x_stats;
  HostsFile x_hosts;
  Instant x_hosts_checked = 0;
  bool x_started = false;
  std::set<std::string> x_pending;
  std::unordered_map<std::string, Kept> x_kept;
};

}  // namespace ser::net
