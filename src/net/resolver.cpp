// SPDX-License-Identifier: Apache-2.0
#include "net/resolver.h"

#include <ares.h>

#include <algorithm>
#include <string>
#include <unordered_map>

#include "net/hosts_file.h"

namespace ser::net {

namespace {

constexpr std::uint32_t kHostsTtl = 300;
constexpr Instant kHostsCheck = 1'000'000'000;
constexpr std::size_t kMaxKept = 1024;
constexpr int kReceiveBuffer = 4 << 20;  // a burst of answers overruns the default one
constexpr int kEdnsSize = 1232;          // fits every path without fragments
constexpr Instant kSecond = 1'000'000'000;

std::string key_of(const DnsName& name, DnsType type) {
  std::string key(name.view());
  key.push_back(' ');
  key.append(to_string(type));
  return key;
}

}  // namespace

class DnsResolver::Impl final : public FdHandler {
 public:
  Impl(EventLoop& loop, DnsCache cache, Logger& logger, ResolverOptions options)
      : x_loop(loop), x_cache(cache), x_logger(logger), x_options(std::move(options)) {}
  ~Impl() override { stop(); }

  void set_observer(ResolverObserver* observer) noexcept { x_observer = observer; }
  std::size_t pending() const noexcept { return x_pending.size(); }
  const ResolverStats& stats() const noexcept { return x_stats; }

  Result<void> start() {
    stop();
    ares_library_init(ARES_LIB_INIT_ALL);
    x_library = true;
    TRY_VOID(make_channel());
    x_cache.repair();
    x_hosts_checked = 0;
    for (auto& [key, kept] : x_kept) kept.next = 0;
    refresh_kept();
    return {};
  }

  void stop() noexcept {
    x_loop.disarm(x_query_timer);
    x_loop.disarm(x_keep_timer);
    if (x_channel != nullptr) ares_destroy(std::exchange(x_channel, nullptr));
    x_pending.clear();
    if (std::exchange(x_library, false)) ares_library_cleanup();
  }

  Result<void> request(std::string_view text, DnsType type) {
    DnsName name;
    if (!name.assign(text) || parse_ip(text)) {
      ++x_stats.refused;
      return {Errc::syntax, "not a host name"};
    }
    if (x_channel == nullptr) return {Errc::refused, "the resolver is not started"};
    DnsAnswer known;
    if (x_cache.find(name.view(), type, x_loop.clock().now(), known) == DnsFreshness::fresh) return {};
    return ask(name, type);
  }

  Result<void> keep_fresh(std::string_view text, DnsType type) {
    Kept kept;
    if (!kept.name.assign(text) || parse_ip(text)) return {Errc::syntax, "not a host name"};
    if (x_kept.size() >= kMaxKept) return {Errc::too_many, "too many names to keep fresh"};
    kept.type = type;
    const bool added = x_kept.emplace(key_of(kept.name, type), kept).second;
    if (added && x_channel != nullptr) refresh_kept();
    return {};
  }

  void on_ready(int fd, std::uint32_t events) override {
    const bool read = (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    const bool write = (events & EPOLLOUT) != 0;
    ares_process_fd(x_channel, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
    schedule();
  }

 private:
  /// One question on its way. Lives in x_pending; c-ares holds its address.
  struct Query {
    Impl* owner;
    DnsName name;
    DnsType type;
  };
  struct Kept {
    DnsName name;
    DnsType type;
    Instant next = 0;
  };
  template <void (Impl::*Member)()>
  struct Timer final : TimerHandler {
    explicit Timer(Impl& impl) noexcept : owner(&impl) {}
    void on_timer(Instant /*now*/) override { (owner->*Member)(); }
    Impl* owner;
  };

  Result<void> make_channel() {
    ares_options options{};
    options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH;
    options.ednspsz = kEdnsSize;
    options.timeout = static_cast<int>(x_options.timeout_ms);
    options.tries = static_cast<int>(std::max(1U, x_options.tries));
    options.socket_receive_buffer_size = kReceiveBuffer;
    options.sock_state_cb = &Impl::on_socket_state;
    options.sock_state_cb_data = this;
    const int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                     ARES_OPT_SOCK_RCVBUF | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE;
    int status = ares_init_options(&x_channel, &options, mask);
    if (status != ARES_SUCCESS) {
      x_channel = nullptr;
      return {Errc::refused, ares_strerror(status)};
    }
    if (x_options.servers.empty()) return {};
    status = ares_set_servers_ports_csv(x_channel, x_options.servers.c_str());
    if (status == ARES_SUCCESS) return {};
    stop();
    return {Errc::syntax, "bad list of name servers"};
  }

  static void on_socket_state(void* self, ares_socket_t fd, int readable, int writable) {
    auto& impl = *static_cast<Impl*>(self);
    const auto events =
        (readable != 0 ? std::uint32_t{EPOLLIN} : 0U) | (writable != 0 ? std::uint32_t{EPOLLOUT} : 0U);
    if (events == 0) {
      impl.x_loop.remove(fd);
    } else if (!impl.x_loop.modify(fd, events) && !impl.x_loop.add(fd, events, impl)) {
      LOG(impl.x_logger, error, "DNS: cannot watch socket {}", fd);
    }
  }

  static void on_answer(void* arg, int status, int /*timeouts*/, unsigned char* bytes, int size) {
    const auto& query = *static_cast<const Query*>(arg);
    query.owner->finish(query, status,
                        {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  }

  Result<void> ask(const DnsName& name, DnsType type) {
    DnsAnswer answer;
    if (answer_from_hosts(name, type, answer)) {
      settle(name, type, answer, kHostsTtl, x_options.stale_ttl);
      return {};
    }
    std::string key = key_of(name, type);
    if (x_pending.count(key) != 0) {
      ++x_stats.joined;
      return {};
    }
    if (x_pending.size() >= x_options.max_pending) {
      ++x_stats.refused;
      return {Errc::too_many, "too many DNS queries are running"};
    }
    const auto at = x_pending.emplace(std::move(key), Query{this, name, type}).first;
    ++x_stats.queries;
    constexpr int kInternet = 1;
    ares_query(x_channel, std::string(name.view()).c_str(), kInternet, static_cast<int>(type),
               &Impl::on_answer, &at->second);
    schedule();
    return {};
  }

  bool answer_from_hosts(const DnsName& name, DnsType type, DnsAnswer& answer) {
    if (x_options.hosts_file.empty()) return false;
    const Instant now = x_loop.clock().now();
    if (x_hosts_checked == 0 || now - x_hosts_checked >= kHostsCheck) {
      x_hosts.refresh(x_options.hosts_file);
      x_hosts_checked = now;
    }
    return x_hosts.answer(name.view(), type, answer);
  }

  void finish(const Query& query, int status, std::string_view bytes) {
    const DnsName name = query.name;
    const DnsType type = query.type;
    x_pending.erase(key_of(name, type));
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
    DnsAnswer answer;
    answer.clear(type, DnsStatus::failure);
    if (bytes.data() != nullptr) {
      const auto parsed = parse_dns_answer(bytes, name.view(), type, answer);
      if (!parsed)
        LOG(x_logger, notice, "DNS: answer for {} {}: {}", name.view(), to_string(type), parsed.error().what);
    } else {
      LOG(x_logger, info, "DNS: no answer for {} {}: {}", name.view(), to_string(type),
          ares_strerror(status));
    }
    switch (answer.status) {
      case DnsStatus::ok: {
        ++x_stats.answers;
        const std::uint32_t ttl = std::max(x_options.min_ttl, std::min(answer.ttl, x_options.max_ttl));
        return settle(name, type, answer, ttl, x_options.stale_ttl);
      }
      case DnsStatus::no_data:
      case DnsStatus::no_name: {
        ++x_stats.negative;
        const std::uint32_t given = answer.ttl == 0 ? x_options.negative_ttl : answer.ttl;
        return settle(name, type, answer,
                      std::max(x_options.min_ttl, std::min(given, x_options.negative_ttl)), 0);
      }
      case DnsStatus::failure:
        ++x_stats.failures;
        return settle(name, type, answer, x_options.failure_ttl, 0);
    }
  }

  void settle(const DnsName& name, DnsType type, const DnsAnswer& answer, std::uint32_t ttl,
              std::uint32_t stale) {
    const Instant now = x_loop.clock().now();
    x_cache.store(name.view(), type, answer, ttl, stale, now);
    const auto kept = x_kept.find(key_of(name, type));
    if (kept != x_kept.end()) {
      kept->second.next = now + std::max(1U, ttl) * kSecond;
      arm_keep_timer();
    }
    if (x_observer != nullptr) x_observer->on_resolved(name.view(), type, answer.status);
  }

  void on_query_timeout() {
    ares_process_fd(x_channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    schedule();
  }

  /// One timer for all of c-ares' timeouts.
  void schedule() {
    if (x_channel == nullptr) return;
    timeval wait{};
    if (ares_timeout(x_channel, nullptr, &wait) == nullptr) return x_loop.disarm(x_query_timer);
    constexpr Instant kSlack = 1'000'000;  // c-ares counts microseconds: do not come a moment too early
    x_loop.arm(x_query_timer, x_loop.clock().now() + wait.tv_sec * kSecond + wait.tv_usec * 1000 + kSlack);
  }

  void arm_keep_timer() {
    if (x_kept.empty()) return;
    const auto first = std::min_element(x_kept.begin(), x_kept.end(), [](const auto& a, const auto& b) {
      return a.second.next < b.second.next;
    });
    x_loop.arm(x_keep_timer, first->second.next);
  }

  void refresh_kept() {
    const Instant now = x_loop.clock().now();
    for (auto& [key, kept] : x_kept) {
      if (kept.next > now) continue;
      // Until the answer comes; also when the question cannot be asked now.
      kept.next = now + std::max(1U, x_options.failure_ttl) * kSecond;
      if (const auto asked = ask(kept.name, kept.type); !asked) {
        LOG(x_logger, notice, "DNS: {} not asked: {}", kept.name.view(), asked.error().what);
      }
    }
    arm_keep_timer();
  }

  EventLoop& x_loop;
  DnsCache x_cache;
  Logger& x_logger;
  ResolverOptions x_options;
  ResolverObserver* x_observer = nullptr;
  ResolverStats x_stats;
  HostsFile x_hosts;
  Instant x_hosts_checked = 0;
  bool x_library = false;
  ares_channel x_channel = nullptr;
  std::unordered_map<std::string, Query> x_pending;
  std::unordered_map<std::string, Kept> x_kept;
  Timer<&Impl::on_query_timeout> x_query_timer{*this};
  Timer<&Impl::refresh_kept> x_keep_timer{*this};
};

DnsResolver::DnsResolver(EventLoop& loop, DnsCache cache, Logger& logger, ResolverOptions options)
    : x_impl(std::make_unique<Impl>(loop, cache, logger, std::move(options))) {}
DnsResolver::~DnsResolver() = default;

void DnsResolver::set_observer(ResolverObserver* observer) noexcept {
  x_impl->set_observer(observer);
}
Result<void> DnsResolver::start() {
  return x_impl->start();
}
void DnsResolver::stop() noexcept {
  x_impl->stop();
}
Result<void> DnsResolver::request(std::string_view name, DnsType type) {
  return x_impl->request(name, type);
}

Result<void> DnsResolver::request_host(std::string_view name) {
  TRY_VOID(x_impl->request(name, DnsType::a));
  return x_impl->request(name, DnsType::aaaa);
}

Result<void> DnsResolver::request_reverse(const IpAddress& ip) {
  return x_impl->request(reverse_name(ip).view(), DnsType::ptr);
}

Result<void> DnsResolver::keep_fresh(std::string_view name, DnsType type) {
  return x_impl->keep_fresh(name, type);
}
std::size_t DnsResolver::pending() const noexcept {
  return x_impl->pending();
}
const ResolverStats& DnsResolver::stats() const noexcept {
  return x_impl->stats();
}

}  // namespace ser::net
