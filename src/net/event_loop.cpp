// SPDX-License-Identifier: Apache-2.0
#include "net/event_loop.h"

#include <sys/eventfd.h>

#include <array>
#include <limits>

namespace ser::net {

namespace {
constexpr std::uint32_t kWakeSerial = 0;

std::uint64_t pack(int fd, std::uint32_t serial) noexcept {
  return (std::uint64_t{serial} << 32) | static_cast<std::uint32_t>(fd);
}
}  // namespace

Result<void> EventLoop::open(int wake_fd) {
  x_epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!x_epoll) return errno_error("epoll_create1 failed");
  x_handlers.clear();
  if (wake_fd < 0) {
    x_own_wake = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!x_own_wake) return errno_error("eventfd failed");
    wake_fd = x_own_wake.get();
  }
  x_wake_fd = wake_fd;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = pack(wake_fd, kWakeSerial);
  if (::epoll_ctl(x_epoll.get(), EPOLL_CTL_ADD, wake_fd, &event) != 0) return errno_error("epoll_ctl failed");
  return {};
}

Result<void> EventLoop::add(int fd, std::uint32_t events, FdHandler& handler) {
  if (++x_serial == kWakeSerial) ++x_serial;
  epoll_event event{};
  event.events = events;
  event.data.u64 = pack(fd, x_serial);
  if (::epoll_ctl(x_epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) return errno_error("epoll_ctl failed");
  x_handlers[fd] = {&handler, x_serial};
  return {};
}

Result<void> EventLoop::modify(int fd, std::uint32_t events) {
  const auto at = x_handlers.find(fd);
  if (at == x_handlers.end()) return {Errc::not_found, "descriptor is not registered"};
  epoll_event event{};
  event.events = events;
  event.data.u64 = pack(fd, at->second.serial);
  if (::epoll_ctl(x_epoll.get(), EPOLL_CTL_MOD, fd, &event) != 0) return errno_error("epoll_ctl failed");
  return {};
}

void EventLoop::remove(int fd) noexcept {
  if (x_handlers.erase(fd) == 0) return;
  ::epoll_ctl(x_epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::arm(TimerHandler& handler, Instant at) {
  disarm(handler);
  x_timers.emplace(at, &handler);
  x_armed.emplace(&handler, at);
}

void EventLoop::disarm(TimerHandler& handler) noexcept {
  const auto at = x_armed.find(&handler);
  if (at == x_armed.end()) return;
  x_timers.erase({at->second, &handler});
  x_armed.erase(at);
}

int EventLoop::wait_time(int max_wait_ms) noexcept {
  if (x_timers.empty()) return max_wait_ms;
  const Instant left = x_timers.begin()->first - x_clock->now();
  if (left <= 0) return 0;
  // Rounded up, or the loop would spin through the last millisecond.
  const Instant ms = (left + 999'999) / 1'000'000;
  const int wait =
      ms > std::numeric_limits<int>::max() ? std::numeric_limits<int>::max() : static_cast<int>(ms);
  return max_wait_ms >= 0 && max_wait_ms < wait ? max_wait_ms : wait;
}

void EventLoop::fire_timers() {
  if (x_timers.empty()) return;
  const Instant now = x_clock->now();
  // Timers armed by handlers for a time that is already over wait for the next round: descriptors get their
  // turn.
  for (std::size_t rounds = x_timers.size(); rounds > 0 && !x_timers.empty(); --rounds) {
    const auto first = x_timers.begin();
    if (first->first > now) return;
    TimerHandler* const handler = first->second;
    disarm(*handler);
    handler->on_timer(now);
  }
}

Result<void> EventLoop::run_once(int max_wait_ms) {
  std::array<epoll_event, 32> events;
  const int n = ::epoll_wait(x_epoll.get(), events.data(), events.size(), wait_time(max_wait_ms));
  if (n < 0 && errno != EINTR) return errno_error("epoll_wait failed");
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const int fd = static_cast<int>(event.data.u64 & 0xFFFFFFFFU);
    const auto serial = static_cast<std::uint32_t>(event.data.u64 >> 32);
    if (serial == kWakeSerial) {
      std::uint64_t count = 0;
      if (::read(fd, &count, sizeof count) > 0 && x_on_wake != nullptr) x_on_wake->on_ready(fd, event.events);
      continue;
    }
    // The serial tells a descriptor that was closed and opened again by an earlier handler of this round.
    const auto at = x_handlers.find(fd);
    if (at != x_handlers.end() && at->second.serial == serial) at->second.handler->on_ready(fd, event.events);
  }
  fire_timers();
  return {};
}

Result<void> EventLoop::run() {
  while (!stopping()) TRY_VOID(run_once());
  return {};
}

void EventLoop::wake() noexcept {
  const int saved = errno;
  const std::uint64_t one = 1;
  // A full counter (EAGAIN) means that the loop will wake anyway.
  [[maybe_unused]] const auto written = ::write(x_wake_fd, &one, sizeof one);
  errno = saved;
}

void EventLoop::stop() noexcept {
  x_stop.store(true, std::memory_order_release);
  wake();
}

}  // namespace ser::net
