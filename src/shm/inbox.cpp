// SPDX-License-Identifier: Apache-2.0
#include "shm/inbox.h"

#include <unistd.h>

#include <bit>

namespace ser::shm {

Result<Inbox> Inbox::create(Segment& segment, std::uint32_t capacity, int wake_fd) noexcept {
  if (capacity == 0 || capacity > (1U << 24)) return {Errc::out_of_range, "capacity of an inbox"};
  capacity = std::bit_ceil(capacity);
  void* at = segment.reserve(sizeof(InboxRing) + sizeof(Event) * (capacity - 1), alignof(InboxRing));
  if (at == nullptr) return {Errc::no_space, "segment too small for an inbox"};
  auto* ring = new (at) InboxRing{};
  ring->capacity = capacity;
  return Inbox(ring, wake_fd);
}

bool Inbox::push(Actor& self, const Event& event) noexcept {
  {
    LockGuard guard(x_ring->lock, self, LockLevel::inbox);
    if (!guard.owns()) {
      x_ring->refused.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    // A producer that died here left tail as it was or raised by one: both are whole states.
    const std::uint64_t tail = x_ring->tail.load(std::memory_order_relaxed);
    if (tail - x_ring->head.load(std::memory_order_acquire) >= x_ring->capacity) {
      x_ring->refused.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    Event* entries = x_ring->entries;
    Event& place = entries[tail & (x_ring->capacity - 1)];
    place = event;
    place.from = self.id().slot;
    self.step();
    x_ring->tail.store(tail + 1, std::memory_order_seq_cst);
    self.step();
  }
  // seq_cst on both sides: either we see the consumer asleep or it sees our event (prepare_sleep).
  if (x_ring->sleeping.load(std::memory_order_seq_cst) != 0 && x_ring->sleeping.exchange(0) != 0) nudge();
  return true;
}

bool Inbox::pop(Event& out) noexcept {
  const std::uint64_t head = x_ring->head.load(std::memory_order_relaxed);
  if (head == x_ring->tail.load(std::memory_order_acquire)) return false;
  const Event* entries = x_ring->entries;
  out = entries[head & (x_ring->capacity - 1)];
  x_ring->head.store(head + 1, std::memory_order_release);
  return true;
}

bool Inbox::prepare_sleep() noexcept {
  x_ring->sleeping.store(1, std::memory_order_seq_cst);
  if (x_ring->tail.load(std::memory_order_seq_cst) == x_ring->head.load(std::memory_order_relaxed))
    return true;
  x_ring->sleeping.store(0, std::memory_order_relaxed);
  return false;
}

void Inbox::woke() noexcept {
  x_ring->sleeping.store(0, std::memory_order_relaxed);
  if (x_fd < 0) return;
  std::uint64_t drained = 0;
  // EAGAIN is the ordinary end here: woken by something else.
  [[maybe_unused]] const ssize_t n = ::read(x_fd, &drained, sizeof drained);
}

void Inbox::nudge() noexcept {
  if (x_fd < 0) return;
  const std::uint64_t one = 1;
  // Fails only when 2^64 - 2 wake-ups are waiting: then the consumer is woken anyway.
  [[maybe_unused]] const ssize_t n = ::write(x_fd, &one, sizeof one);
}

std::uint32_t Inbox::size() const noexcept {
  const std::uint64_t head = x_ring->head.load(std::memory_order_acquire);
  const std::uint64_t tail = x_ring->tail.load(std::memory_order_acquire);
  return tail > head ? static_cast<std::uint32_t>(tail - head) : 0;
}

}  // namespace ser::shm
