// SPDX-License-Identifier: Apache-2.0
// A small epoll loop for the event worker: descriptors, a wake-up from other processes, one-shot timers.
#pragma once
#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/fd.h"

namespace ser::net {

/// Told when a descriptor is ready. Must outlive its registration.
class FdHandler {
 public:
  virtual ~FdHandler() = default;
  /// `events` is epoll's mask (EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP). May add and remove descriptors, its
  /// own too.
  virtual void on_ready(int fd, std::uint32_t events) = 0;
};

/// Told when its time has come. Must outlive its being armed.
class TimerHandler {
 public:
  virtual ~TimerHandler() = default;
  /// The timer is no longer armed; it may be armed again here.
  virtual void on_timer(Instant now) = 0;
};

/// Level-triggered. Sleeps without limit when no timer is armed. Belongs to one thread but for wake() and
/// stop().
class EventLoop {
 public:
  explicit EventLoop(Clock& clock) noexcept : x_clock(&clock) {}
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Makes the epoll descriptor: call it after the fork. `wake_fd` is an eventfd made before the fork, so
  /// that other workers can write to it; it stays the caller's. -1: the loop makes its own.
  Result<void> open(int wake_fd = -1);
  /// Called whenever the eventfd was written to (once for many writes): look into the inbox.
  void set_wake_handler(FdHandler* handler) noexcept { x_on_wake = handler; }

  Result<void> add(int fd, std::uint32_t events, FdHandler& handler);
  Result<void> modify(int fd, std::uint32_t events);
  /// Safe for a descriptor that is not registered. After it the handler is not called, even if its event was
  /// already taken.
  void remove(int fd) noexcept;

  /// Arms the handler's one timer, or moves it.
  void arm(TimerHandler& handler, Instant at);
  void disarm(TimerHandler& handler) noexcept;

  /// Handles what is ready and what is due; waits at most `max_wait_ms` (-1: no limit) for something.
  /// Interrupted by a signal: returns.
  Result<void> run_once(int max_wait_ms = -1);
  /// run_once() until stop().
  Result<void> run();

  /// From any thread; async-signal-safe.
  void wake() noexcept;
  /// From any thread and from signal handlers: run() returns after the current round.
  void stop() noexcept;
  bool stopping() const noexcept { return x_stop.load(std::memory_order_acquire); }
  Clock& clock() noexcept { return *x_clock; }

 private:
  struct Registration {
    FdHandler* handler;
    std::uint32_t serial;
  };
  int wait_time(int max_wait_ms) noexcept;
  void fire_timers();

  Clock* x_clock;
  Fd x_epoll;
  Fd x_own_wake;
  int x_wake_fd = -1;
  FdHandler* x_on_wake = nullptr;
  std::uint32_t x_serial = 0;
  std::unordered_map<int, Registration> x_handlers;
  std::set<std::pair<Instant, TimerHandler*>> x_timers;
  std::unordered_map<TimerHandler*, Instant> x_armed;
  std::atomic<bool> x_stop{false};
};

}  // namespace ser::net
