// SPDX-License-Identifier: Apache-2.0
// Names that workers met and want looked up: a bounded table in the segment between all workers and the event
// worker. And the NameService that answers from the shared cache and files such requests.
#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/counters.h"
#include "net/dns_cache.h"
#include "proxy/services.h"
#include "shm/inbox.h"
#include "shm/segment.h"

namespace ser::srv {

/// Types of events in the event worker's inbox.
inline constexpr std::uint32_t kEventNameRequest = 1;  ///< words[0]: index into NameRequests

/// In the segment.
struct NameRequestCell {
  enum State : std::uint32_t { empty, writing, ready };
  std::atomic<std::uint32_t> state;
  net::DnsType type;
  std::uint16_t length;
  std::atomic<Instant> since;  ///< when writing began: a writer that died is noticed by its age
  char name[256];
};

/// Handle; copies share the table.
class NameRequests {
 public:
  static constexpr std::uint32_t kCells = 128;
  /// Before the first fork. Errc::no_space.
  static Result<NameRequests> create(shm::Segment& segment);

  /// Index of the cell that holds the request, or kCells when the table is full (counted by the caller; the
  /// client tries again).
  std::uint32_t put(std::string_view name, net::DnsType type, Instant now) noexcept;
  /// Takes back what put() gave: nobody was told of it.
  void cancel(std::uint32_t index) noexcept {
    if (index < kCells) x_cells[index].state.store(NameRequestCell::empty, std::memory_order_release);
  }
  /// The event worker: copies a request out and frees its cell. False: nothing ready there.
  bool take(std::uint32_t index, char (&name)[256], std::uint16_t& length, net::DnsType& type) noexcept;
  /// The event worker, at its start and now and then: frees cells whose writer died.
  void reclaim(Instant now) noexcept;

 private:
  explicit NameRequests(NameRequestCell* cells) noexcept : x_cells(cells) {}
  NameRequestCell* x_cells;
};

/// Answers from the cache, never waits. One per worker.
class CachedNames final : public proxy::NameService {
 public:
  CachedNames(net::DnsCache cache, NameRequests requests, shm::Inbox inbox, shm::Actor& self, Clock& clock,
              Counters& counters, CounterId asked, bool ipv6 = true) noexcept
      : x_cache(cache),
        x_requests(requests),
        x_inbox(inbox),
        x_self(self),
        x_clock(clock),
        x_counters(counters),
        x_asked(asked),
        x_ipv6(ipv6) {}
  Result<Addresses> lookup(std::string_view host, std::uint16_t port, Proto proto) noexcept override;
  Result<std::string_view> reverse(const IpAddress& ip) noexcept override;
  Question pending() const noexcept override {
    return x_pending_type != 0 ? Question{x_pending.view(), x_pending_type} : Question{};
  }

 private:
  void note_pending(std::string_view name, net::DnsType type) noexcept;
  void ask(std::string_view name, net::DnsType type, Instant now) noexcept;
  bool add_host(std::string_view host, std::uint16_t port, Instant now, Addresses& out, bool& waiting,
                bool& exists) noexcept;

  net::DnsCache x_cache;
  NameRequests x_requests;
  shm::Inbox x_inbox;
  shm::Actor& x_self;
  Clock& x_clock;
  Counters& x_counters;
  CounterId x_asked;
  bool x_ipv6;  ///< dns_try_ipv6
  net::DnsAnswer x_answer;
  char x_name[256];
  net::DnsName x_pending;
  std::uint16_t x_pending_type = 0;  ///< 0: x_pending is none
};

}  // namespace ser::srv
