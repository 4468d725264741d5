// SPDX-License-Identifier: Apache-2.0
#include "net/resolver.h"

#include <ares.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "net/dns_questions.h"

namespace ser::net {

namespace {

constexpr int kReceiveBuffer = 4 << 20;  // a burst of answers overruns the default one
constexpr int kEdnsSize = 1232;          // fits every path without fragments
constexpr Instant kSecond = 1'000'000'000;

}  // namespace

class DnsResolver::Impl final : public FdHandler, private DnsTransport {
 public:
  Impl(EventLoop& loop, DnsCache cache, Logger& logger, ResolverOptions options)
      : x_loop(loop), x_logger(logger), x_questions(loop.clock(), cache, logger, std::move(options), *this) {}
  ~Impl() override { stop(); }

  DnsQuestions& questions() noexcept { return x_questions; }

  Result<void> start() {
    stop();
    ares_library_init(ARES_LIB_INIT_ALL);
    x_library = true;
    TRY_VOID(make_channel());
    x_questions.start();
    return {};
  }

  void stop() noexcept {
    x_questions.forget();
    x_loop.disarm(x_query_timer);
    x_loop.disarm(x_keep_timer);
    if (x_channel != nullptr) ares_destroy(std::exchange(x_channel, nullptr));
    if (std::exchange(x_library, false)) ares_library_cleanup();
  }

  void on_ready(int fd, std::uint32_t events) override {
    const bool read = (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    const bool write = (events & EPOLLOUT) != 0;
    ares_process_fd(x_channel, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
    schedule();
  }

 private:
  /// One question on its way. c-ares holds its address and hands it back once, also when the channel goes.
  struct Query {
    Impl* owner;
    DnsName name;
    DnsType type;
  };
  template <void (Impl::*Member)()>
  struct Timer final : TimerHandler {
    explicit Timer(Impl& impl) noexcept : owner(&impl) {}
    void on_timer(Instant /*now*/) override { (owner->*Member)(); }
    Impl* owner;
  };

  Result<void> make_channel() {
    const ResolverOptions& wanted = x_questions.options();
    ares_options options{};
    options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH;
    options.ednspsz = kEdnsSize;
    options.timeout = static_cast<int>(wanted.timeout_ms);
    options.tries = static_cast<int>(std::max(1U, wanted.tries));
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
    if (wanted.servers.empty()) return {};
    status = ares_set_servers_ports_csv(x_channel, wanted.servers.c_str());
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
    const std::unique_ptr<Query> query(static_cast<Query*>(arg));
    query->owner->finish(*query, status,
                         {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  }

  void ask(const DnsName& name, DnsType type) override {
    auto query = std::make_unique<Query>(Query{this, name, type});
    constexpr int kInternet = 1;
    ares_query(x_channel, std::string(name.view()).c_str(), kInternet, static_cast<int>(type),
               &Impl::on_answer, query.release());
    schedule();
  }

  void finish(const Query& query, int status, std::string_view bytes) {
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
    DnsAnswer answer;
    answer.clear(query.type, DnsStatus::failure);
    if (bytes.data() != nullptr) {
      const auto parsed = parse_dns_answer(bytes, query.name.view(), query.type, answer);
      if (!parsed)
        LOG(x_logger, notice, "DNS: answer for {} {}: {}", query.name.view(), to_string(query.type),
            parsed.error().what);
    } else {
      LOG(x_logger, info, "DNS: no answer for {} {}: {}", query.name.view(), to_string(query.type),
          ares_strerror(status));
    }
    x_questions.answered(query.name, query.type, answer);
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

  void refresh_moved() override {
    if (const Instant next = x_questions.next_refresh(); next != DnsQuestions::kNever)
      x_loop.arm(x_keep_timer, next);
  }
  void refresh_kept() { x_questions.refresh(); }

  EventLoop& x_loop;
  Logger& x_logger;
  DnsQuestions x_questions;
  bool x_library = false;
  ares_channel x_channel = nullptr;
  Timer<&Impl::on_query_timeout> x_query_timer{*this};
  Timer<&Impl::refresh_kept> x_keep_timer{*this};
};

DnsResolver::DnsResolver(EventLoop& loop, DnsCache cache, Logger& logger, ResolverOptions options)
    : x_impl(std::make_unique<Impl>(loop, cache, logger, std::move(options))) {}
DnsResolver::~DnsResolver() = default;

void DnsResolver::set_observer(ResolverObserver* observer) noexcept {
  x_impl->questions().set_observer(observer);
}
Result<void> DnsResolver::start() {
  return x_impl->start();
}
void DnsResolver::stop() noexcept {
  x_impl->stop();
}
Result<void> DnsResolver::request(std::string_view name, DnsType type) {
  return x_impl->questions().request(name, type);
}

Result<void> DnsResolver::request_host(std::string_view name) {
  TRY_VOID(x_impl->questions().request(name, DnsType::a));
  return x_impl->questions().request(name, DnsType::aaaa);
}

Result<void> DnsResolver::request_reverse(const IpAddress& ip) {
  return x_impl->questions().request(reverse_name(ip).view(), DnsType::ptr);
}

Result<void> DnsResolver::keep_fresh(std::string_view name, DnsType type) {
  return x_impl->questions().keep_fresh(name, type);
}
DnsQuestions& DnsResolver::questions() noexcept {
  return x_impl->questions();
}
std::size_t DnsResolver::pending() const noexcept {
  return x_impl->questions().pending();
}
const ResolverStats& DnsResolver::stats() const noexcept {
  return x_impl->questions().stats();
}

}  // namespace ser::net
