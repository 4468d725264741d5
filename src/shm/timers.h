// SPDX-License-Identifier: Apache-2.0
// Timers: a FIFO queue per duration, a small wheel for odd ones; O(1) to arm and cancel, asleep while nothing
// is armed.
#pragma once
#include <atomic>
#include <cstdint>

#include "base/packet.h"
#include "base/result.h"
#include "shm/section.h"
#include "shm/segment.h"

namespace ser::shm {

struct TimersRoot;

/// Number of a queue; 0 is the wheel.
using TimerQueue = std::uint16_t;
inline constexpr TimerQueue kWheel = 0;

/// Lies inside what it belongs to (a transaction, a binding). Zero bytes: not armed. Only Timers writes it.
struct TimerEntry {
  TimerEntry* next;
  TimerEntry* prev;
  Instant deadline;
  std::atomic<std::uint32_t> place;  ///< 0: not armed; else where, see timers.cpp
  std::uint32_t type;                ///< who armed it says what it means
  std::uint64_t words[2];            ///< handed to the callback; a cell and its generation, say
};
static_assert(Storable<TimerEntry> && sizeof(TimerEntry) == 48);

/// What expire() hands out: a copy, because the entry may be armed again or freed by then.
struct TimerEvent {
  std::uint32_t type = 0;
  std::uint64_t words[2] = {};
  Instant deadline = 0;
};

/// Handle in private memory; copies are as good. Any worker arms and cancels; one (the timer worker) expires.
///
/// Delivery: an expired entry is moved to a list of pending deliveries in the same step that disarms it; a
/// timer worker that dies leaves them to its successor, whose first expire() hands them out. So an event
/// comes at least once; the receiver compares generations. cancel() that returns false means: not armed, the
/// event is out or was never.
class Timers {
 public:
  static constexpr std::uint32_t kQueues = 48;
  static constexpr Instant kNever = INT64_MAX;
  static constexpr Instant kWheelTick = 16'000'000;  ///< 16 ms: precision of the wheel
  static constexpr std::uint32_t kWheelSlots = 1024;

  /// Errors: no_space.
  static Result<Timers> create(Segment& segment) noexcept;

  /// The queue for a duration in nanoseconds, made when new. Before the first fork. kWheel when all queues
  /// are taken: the wheel serves any duration.
  TimerQueue queue(Instant duration) noexcept;
  Instant duration(TimerQueue queue) const noexcept;

  /// Arms for now + the queue's duration. `entry` must not be armed (asserted); type and words are set by the
  /// caller before. False: lock not to be had.
  bool arm(Actor& self, TimerEntry& entry, TimerQueue queue, Instant now) noexcept;
  /// Arms on the wheel for a moment. It fires up to one tick late.
  bool arm_at(Actor& self, TimerEntry& entry, Instant deadline, Instant now) noexcept;
  /// True when it was armed and now is not. False: not armed; or, while a stopped worker holds the queue's
  /// lock, still armed, which armed(entry) tells: memory of an armed entry must not be freed.
  bool cancel(Actor& self, TimerEntry& entry) noexcept;

  /// Timer worker: hands out up to `max` expired timers: callback(const TimerEvent&), without locks held.
  /// Returns their number; == max: call again.
  template <class F>
  std::uint32_t expire(Actor& self, Instant now, std::uint32_t max, F&& callback) {
    if (repair_wanted()) repair(self);
    std::uint32_t done = deliver_pending(self, callback);
    while (done < max && collect(self, now, max - done) != 0) done += deliver_pending(self, callback);
    return done;
  }
  /// When the next timer is due (of the wheel: when its next occupied slot is), kNever when nothing is armed.
  Instant next_expiry() const noexcept;
  /// Timer worker: sleeps until the next expiry, or until arm() brings an earlier one, or nudge(). With
  /// nothing armed it sleeps until woken: no tick. `now` is read by the caller; the kernel measures the rest.
  void sleep(Instant now) noexcept;
  /// Wakes the timer worker, for stopping it or because a worker died: that one may have died between arming
  /// and waking, or inside a queue, which the next expire() puts right. Whoever finds a worker dead calls
  /// this; a new timer worker begins with it.
  void nudge() noexcept;
  /// After a death in the middle it may stay true until cancel() has looked.
  static bool armed(const TimerEntry& entry) noexcept {
    return entry.place.load(std::memory_order_acquire) != 0;
  }
  /// Number armed, for statistics.
  std::uint64_t armed() const noexcept;

 private:
  explicit Timers(TimersRoot* root) noexcept : x_root(root) {}
  void settle_place(Actor& self, TimerEntry& entry) noexcept;
  bool repair_wanted() const noexcept;
  /// Takes every lock once: what a dead holder left half done goes back.
  void repair(Actor& self) noexcept;
  std::uint32_t collect(Actor& self, Instant now, std::uint32_t max) noexcept;
  void collect_queue(Actor& self, TimerQueue queue, Instant now, std::uint32_t room) noexcept;
  void collect_wheel(Actor& self, Instant now, std::uint32_t room) noexcept;
  bool pending(std::uint32_t index, TimerEvent& out) const noexcept;
  void clear_pending() noexcept;
  void wake_for(Instant deadline) noexcept;
  template <class F>
  std::uint32_t deliver_pending(Actor& self, F&& callback) {
    std::uint32_t n = 0;
    for (TimerEvent event; pending(n, event); ++n) {
      self.step();
      callback(event);
    }
    if (n != 0) clear_pending();
    return n;
  }

  TimersRoot* x_root;
};

}  // namespace ser::shm
