// SPDX-License-Identifier: Apache-2.0
// Inbox: events for one worker from all others, a ring in the segment and an eventfd to wake it.
#pragma once
#include <atomic>
#include <cstdint>

#include "base/result.h"
#include "shm/actor.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace ser::shm {

/// What is handed over. Types are numbered by who sends and receives; words mostly are cells and generations.
/// An owner of a cell that is handed over is the receiver only after it took the event: transfer the cell to
/// a neutral owner first.
struct Event {
  std::uint32_t type = 0;
  std::uint32_t from = 0;  ///< slot of the sender
  std::uint64_t words[3] = {};
};

/// The ring in the segment. `capacity` is a power of two.
struct InboxRing {
  FutexLock lock;  ///< between producers
  std::uint32_t capacity;
  std::atomic<std::uint64_t> refused;           ///< pushes into a full ring
  alignas(64) std::atomic<std::uint64_t> tail;  ///< raised by producers, after the entry is written
  alignas(64) std::atomic<std::uint64_t> head;  ///< raised by the consumer
  std::atomic<std::uint32_t> sleeping;          ///< 1: the consumer sleeps or is about to
  alignas(64) Event entries[1];                 ///< really `capacity`
};
static_assert(Storable<InboxRing>);

/// Handle in private memory (ring pointer and descriptor, both inherited over fork). Many producers, one
/// consumer. An event is in or not, wherever its producer dies; only its wake-up may be missing, so after
/// every death somebody calls nudge() (the supervisor does, for all inboxes).
class Inbox {
 public:
  /// `wake_fd`: an eventfd (EFD_NONBLOCK | EFD_CLOEXEC), owned by the caller, or -1: the consumer polls.
  /// `capacity`: rounded up to a power of two. Errors: no_space.
  static Result<Inbox> create(Segment& segment, std::uint32_t capacity, int wake_fd) noexcept;

  /// False: full, or a stopped producer holds the lock: count it and refuse the work. The consumer is woken
  /// only when it sleeps.
  bool push(Actor& self, const Event& event) noexcept;
  /// Consumer: the oldest event; false when there is none. Copies, so that the place is free at once.
  bool pop(Event& out) noexcept;
  /// Consumer, before it sleeps on the descriptor: false when events arrived meanwhile (then do not sleep).
  bool prepare_sleep() noexcept;
  /// Consumer, after it woke: reads the eventfd empty.
  void woke() noexcept;
  /// Wakes the consumer, whatever it does.
  void nudge() noexcept;

  std::uint32_t size() const noexcept;
  std::uint32_t capacity() const noexcept { return x_ring->capacity; }
  std::uint64_t refused() const noexcept { return x_ring->refused.load(std::memory_order_relaxed); }
  int fd() const noexcept { return x_fd; }

 private:
  Inbox(InboxRing* ring, int fd) noexcept : x_ring(ring), x_fd(fd) {}
  InboxRing* x_ring;
  int x_fd;
};

}  // namespace ser::shm
