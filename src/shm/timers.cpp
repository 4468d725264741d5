// SPDX-License-Identifier: Apache-2.0
#include "shm/timers.h"

#include <algorithm>
#include <bit>

namespace ser::shm {

namespace {
constexpr std::uint32_t kWheelPlace = 0x1'0000;
/// Set in TimerEntry::place in the section that takes the entry off its list. Place becomes 0 only after
/// commit(): whoever reads 0 without the lock may arm again elsewhere at once, so a death must not bring the
/// old place back.
constexpr std::uint32_t kLeaving = 0x8000'0000;
constexpr std::uint32_t kPending = 16;
constexpr Instant kAwake = INT64_MIN;
using TimerLock = LoggedLock<12>;
using TimerSection = Section<12>;
}  // namespace

struct alignas(64) TimerQueueRoot {
  TimerLock lock;
  std::atomic<Instant> due;  ///< deadline of the first, kNever when empty
  std::atomic<std::uint32_t> armed;
  TimerEntry* first;
  TimerEntry* last;
  Instant duration;
};

struct alignas(64) TimerWheelRoot {
  TimerLock lock;
  std::atomic<Instant>
      due;  ///< lower bound: when the next occupied slot must be looked at; kNever when empty
  std::atomic<std::uint32_t> armed;
  Instant done_tick;  ///< all slots up to this tick have been looked at
  std::uint64_t occupied[Timers::kWheelSlots / 64];
  TimerEntry* slots[Timers::kWheelSlots];
};

struct TimersRoot {
  std::atomic<std::uint32_t> word;    ///< the timer worker sleeps on it
  std::atomic<std::uint32_t> nudged;  ///< a nudge that the next sleep() must not miss
  std::atomic<std::uint32_t> repair;  ///< 1: take every lock once
  std::atomic<Instant> sleep_until;   ///< kAwake: it does not sleep, nobody needs to wake it
  std::atomic<std::uint32_t> queue_count;
  std::uint32_t turn;           ///< queue collect() begins with: no queue starves another
  std::uint32_t pending_count;  ///< the timer worker's alone
  TimerEvent pending[kPending];
  TimerQueueRoot queues[Timers::kQueues];  ///< [0] unused: number 0 is the wheel
  TimerWheelRoot wheel;
};
static_assert(Storable<TimersRoot>);

namespace {

Instant tick_of(Instant deadline) noexcept {
  return (deadline + Timers::kWheelTick - 1) / Timers::kWheelTick;
}

/// Copies what is to be delivered; counts only with the commit() of the section that disarms the entry.
void put_pending(TimerSection& section, TimersRoot& root, const TimerEntry& entry) noexcept {
  TimerEvent& event = root.pending[root.pending_count];
  event.type = entry.type;
  event.words[0] = entry.words[0];
  event.words[1] = entry.words[1];
  event.deadline = entry.deadline;
  section.set(root.pending_count, root.pending_count + 1);
}

/// Ends the section's change: what is decided is then told to those who look without the lock.
void commit_unlink(TimerSection& section, TimerEntry& entry) noexcept {
  section.commit();
  entry.place.store(0, std::memory_order_release);
}

void unlink(TimerSection& section, TimerQueueRoot& queue, TimerEntry& entry) noexcept {
  if (entry.prev != nullptr) {
    section.set(entry.prev->next, entry.next);
  } else {
    section.set(queue.first, entry.next);
    section.set_atomic(queue.due, entry.next == nullptr ? Timers::kNever : entry.next->deadline);
  }
  if (entry.next != nullptr) {
    section.set(entry.next->prev, entry.prev);
  } else {
    section.set(queue.last, entry.prev);
  }
  section.set_atomic(queue.armed, queue.armed.load(std::memory_order_relaxed) - 1);
  section.set_atomic(entry.place, entry.place.load(std::memory_order_relaxed) | kLeaving);
}

void unlink(TimerSection& section, TimerWheelRoot& wheel, TimerEntry& entry) noexcept {
  const std::uint32_t slot = entry.place.load(std::memory_order_relaxed) - kWheelPlace;
  if (entry.prev != nullptr) {
    section.set(entry.prev->next, entry.next);
  } else {
    section.set(wheel.slots[slot], entry.next);
    if (entry.next == nullptr) {
      section.set(wheel.occupied[slot / 64], wheel.occupied[slot / 64] & ~(1ULL << (slot % 64)));
    }
  }
  if (entry.next != nullptr) section.set(entry.next->prev, entry.prev);
  const std::uint32_t left = wheel.armed.load(std::memory_order_relaxed) - 1;
  section.set_atomic(wheel.armed, left);
  if (left == 0) section.set_atomic(wheel.due, Timers::kNever);
  section.set_atomic(entry.place, entry.place.load(std::memory_order_relaxed) | kLeaving);
}

/// First tick after `tick` whose slot is occupied; kNever when none is.
Instant next_occupied(const TimerWheelRoot& wheel, Instant tick) noexcept {
  for (std::uint32_t step = 1; step <= Timers::kWheelSlots;) {
    const auto slot = static_cast<std::uint32_t>((tick + step) % Timers::kWheelSlots);
    const std::uint64_t bits = wheel.occupied[slot / 64] >> (slot % 64);
    if (bits != 0) {
      step += static_cast<std::uint32_t>(std::countr_zero(bits));
      return step <= Timers::kWheelSlots ? tick + step : Timers::kNever;
    }
    step += 64 - slot % 64;
  }
  return Timers::kNever;
}
}  // namespace

Result<Timers> Timers::create(Segment& segment) noexcept {
  auto* root = segment.reserve_object<TimersRoot>();
  if (root == nullptr) return {Errc::no_space, "segment too small for the timers"};
  for (TimerQueueRoot& queue : root->queues) queue.due.store(kNever, std::memory_order_relaxed);
  root->wheel.due.store(kNever, std::memory_order_relaxed);
  root->sleep_until.store(kAwake, std::memory_order_relaxed);
  root->queue_count.store(1, std::memory_order_relaxed);
  segment.header().timers = root;
  return Timers(root);
}

TimerQueue Timers::queue(Instant duration) noexcept {
  const std::uint32_t count = x_root->queue_count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 1; i < count; ++i) {
    if (x_root->queues[i].duration == duration) return static_cast<TimerQueue>(i);
  }
  if (count >= kQueues) return kWheel;
  x_root->queues[count].duration = duration;
  x_root->queue_count.store(count + 1, std::memory_order_release);
  return static_cast<TimerQueue>(count);
}

Instant Timers::duration(TimerQueue queue) const noexcept {
  return queue < kQueues ? x_root->queues[queue].duration : 0;
}

void Timers::wake_for(Instant deadline) noexcept {
  // seq_cst on both sides: either the sleeper's next_expiry() sees the new deadline or we see that it sleeps.
  if (deadline >= x_root->sleep_until.load(std::memory_order_seq_cst)) return;
  x_root->word.fetch_add(1, std::memory_order_seq_cst);
  futex_wake(x_root->word, 1);
}

/// Of an entry that was being taken off its list, perhaps by somebody who died there.
void Timers::settle_place(Actor& self, TimerEntry& entry) noexcept {
  assert((entry.place.load(std::memory_order_relaxed) & kLeaving) != 0 && "armed twice");
  cancel(self, entry);
}

bool Timers::arm(Actor& self, TimerEntry& entry, TimerQueue number, Instant now) noexcept {
  assert(number != kWheel && number < x_root->queue_count.load(std::memory_order_relaxed));
  TimerQueueRoot& queue = x_root->queues[number];
  const Instant deadline = now + queue.duration;
  if (entry.place.load(std::memory_order_relaxed) != 0) settle_place(self, entry);
  bool first = false;
  {
    TimerSection section(queue.lock, self, LockLevel::timers);
    if (!section) return false;
    assert(entry.place.load(std::memory_order_relaxed) == 0);
    entry.deadline = deadline;
    entry.next = nullptr;
    entry.prev = queue.last;
    first = queue.last == nullptr;
    if (first) {
      section.set(queue.first, &entry);
      section.set_atomic(queue.due, deadline, std::memory_order_seq_cst);
    } else {
      section.set(queue.last->next, &entry);
    }
    section.set(queue.last, &entry);
    section.set_atomic(queue.armed, queue.armed.load(std::memory_order_relaxed) + 1);
    section.set_atomic(entry.place, std::uint32_t{number} + 1, std::memory_order_release);
    section.commit();
  }
  if (first) wake_for(deadline);
  return true;
}

bool Timers::arm_at(Actor& self, TimerEntry& entry, Instant deadline, Instant now) noexcept {
  TimerWheelRoot& wheel = x_root->wheel;
  if (entry.place.load(std::memory_order_relaxed) != 0) settle_place(self, entry);
  Instant due = 0;
  bool earlier = false;
  {
    TimerSection section(wheel.lock, self, LockLevel::timers);
    if (!section) return false;
    assert(entry.place.load(std::memory_order_relaxed) == 0);
    const std::uint32_t armed = wheel.armed.load(std::memory_order_relaxed);
    if (armed == 0) section.set(wheel.done_tick, now / kWheelTick);
    // What is due already goes into the next slot to be looked at.
    const Instant tick = std::max(tick_of(deadline), wheel.done_tick + 1);
    const auto slot = static_cast<std::uint32_t>(tick % kWheelSlots);
    // A deadline beyond one turn shares the slot with nearer ones: it is looked at once per turn.
    const Instant ahead = tick - wheel.done_tick;
    due = (ahead <= kWheelSlots ? tick : wheel.done_tick + (ahead - 1) % kWheelSlots + 1) * kWheelTick;
    entry.deadline = deadline;
    entry.prev = nullptr;
    entry.next = wheel.slots[slot];
    if (entry.next != nullptr) section.set(entry.next->prev, &entry);
    section.set(wheel.slots[slot], &entry);
    section.set(wheel.occupied[slot / 64], wheel.occupied[slot / 64] | 1ULL << (slot % 64));
    section.set_atomic(wheel.armed, armed + 1);
    earlier = due < wheel.due.load(std::memory_order_relaxed);
    if (earlier) section.set_atomic(wheel.due, due, std::memory_order_seq_cst);
    section.set_atomic(entry.place, kWheelPlace + slot, std::memory_order_release);
    section.commit();
  }
  if (earlier) wake_for(due);
  return true;
}

bool Timers::cancel(Actor& self, TimerEntry& entry) noexcept {
  const std::uint32_t place = entry.place.load(std::memory_order_acquire) & ~kLeaving;
  if (place == 0 || (place > kQueues && (place < kWheelPlace || place >= kWheelPlace + kWheelSlots)))
    return false;
  const bool on_wheel = place >= kWheelPlace;
  TimerLock& lock = on_wheel ? x_root->wheel.lock : x_root->queues[place - 1].lock;
  TimerSection section(lock, self, LockLevel::timers);
  if (!section) return false;
  const std::uint32_t now = entry.place.load(std::memory_order_relaxed);
  if (now == (place | kLeaving))
    entry.place.store(0, std::memory_order_release);  // who took it off died on the way
  if (now != place) return false;
  if (on_wheel) {
    unlink(section, x_root->wheel, entry);
  } else {
    unlink(section, x_root->queues[place - 1], entry);
  }
  commit_unlink(section, entry);
  return true;
}

void Timers::collect_queue(Actor& self, TimerQueue number, Instant now, std::uint32_t room) noexcept {
  TimerQueueRoot& queue = x_root->queues[number];
  TimerSection section(queue.lock, self, LockLevel::timers);
  if (!section) return;
  while (x_root->pending_count < room && queue.first != nullptr && queue.first->deadline <= now) {
    TimerEntry& entry = *queue.first;
    put_pending(section, *x_root, entry);
    unlink(section, queue, entry);
    commit_unlink(section, entry);
  }
}

void Timers::collect_wheel(Actor& self, Instant now, std::uint32_t room) noexcept {
  TimerWheelRoot& wheel = x_root->wheel;
  TimerSection section(wheel.lock, self, LockLevel::timers);
  if (!section) return;
  const Instant now_tick = now / kWheelTick;
  // After a long pause every slot is looked at once, not once per tick missed.
  Instant from = std::max(wheel.done_tick, now_tick - kWheelSlots);
  bool full = false;
  while (!full) {
    const Instant tick = next_occupied(wheel, from);
    if (tick > now_tick) break;
    TimerEntry* entry = wheel.slots[tick % kWheelSlots];
    while (entry != nullptr && !full) {
      TimerEntry* next = entry->next;
      if (tick_of(entry->deadline) <= now_tick) {
        full = x_root->pending_count >= room;
        if (!full) {
          put_pending(section, *x_root, *entry);
          unlink(section, wheel, *entry);
          commit_unlink(section, *entry);
        }
      }
      entry = next;
    }
    if (!full) from = tick;
  }
  section.set(wheel.done_tick, full ? from : std::max(now_tick, wheel.done_tick));
  if (wheel.armed.load(std::memory_order_relaxed) != 0) {
    section.set_atomic(wheel.due, next_occupied(wheel, wheel.done_tick) * kWheelTick);
  }
  section.commit();
}

bool Timers::repair_wanted() const noexcept {
  return x_root->repair.load(std::memory_order_relaxed) != 0;
}

void Timers::repair(Actor& self) noexcept {
  x_root->repair.store(0, std::memory_order_seq_cst);
  bool all = true;
  const std::uint32_t count = x_root->queue_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    TimerLock& lock = i == kWheel ? x_root->wheel.lock : x_root->queues[i].lock;
    if (const TimerSection section(lock, self, LockLevel::timers); !section) all = false;
  }
  if (!all) x_root->repair.store(1, std::memory_order_relaxed);
}

std::uint32_t Timers::collect(Actor& self, Instant now, std::uint32_t max) noexcept {
  const std::uint32_t room = std::min(max, kPending);
  const std::uint32_t count = x_root->queue_count.load(std::memory_order_acquire);
  const std::uint32_t start = x_root->turn++ % count;
  for (std::uint32_t i = 0; i < count && x_root->pending_count < room; ++i) {
    const auto number = static_cast<TimerQueue>((start + i) % count);
    if (number == kWheel) {
      if (x_root->wheel.due.load(std::memory_order_relaxed) <= now) collect_wheel(self, now, room);
    } else if (x_root->queues[number].due.load(std::memory_order_relaxed) <= now) {
      collect_queue(self, number, now, room);
    }
  }
  return x_root->pending_count;
}

bool Timers::pending(std::uint32_t index, TimerEvent& out) const noexcept {
  if (index >= std::min(x_root->pending_count, kPending)) return false;
  out = x_root->pending[index];
  return true;
}

void Timers::clear_pending() noexcept {
  x_root->pending_count = 0;
}

Instant Timers::next_expiry() const noexcept {
  Instant next = x_root->wheel.due.load(std::memory_order_seq_cst);
  const std::uint32_t count = x_root->queue_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 1; i < count; ++i) {
    next = std::min(next, x_root->queues[i].due.load(std::memory_order_seq_cst));
  }
  return x_root->pending_count != 0 ? 0 : next;
}

void Timers::sleep(Instant now) noexcept {
  // From here on whoever arms must raise the word, until we know how long we may sleep.
  x_root->sleep_until.store(kNever, std::memory_order_seq_cst);
  const std::uint32_t seen = x_root->word.load(std::memory_order_seq_cst);
  const Instant next = next_expiry();
  if (x_root->nudged.exchange(0, std::memory_order_seq_cst) == 0 && next > now) {
    x_root->sleep_until.store(next, std::memory_order_seq_cst);
    futex_wait(x_root->word, seen, next == kNever ? -1 : next - now);
  }
  x_root->sleep_until.store(kAwake, std::memory_order_seq_cst);
}

void Timers::nudge() noexcept {
  x_root->repair.store(1, std::memory_order_seq_cst);
  x_root->nudged.store(1, std::memory_order_seq_cst);
  x_root->word.fetch_add(1, std::memory_order_seq_cst);
  futex_wake(x_root->word, 1);
}

std::uint64_t Timers::armed() const noexcept {
  std::uint64_t total = x_root->wheel.armed.load(std::memory_order_relaxed);
  for (const TimerQueueRoot& queue : x_root->queues) total += queue.armed.load(std::memory_order_relaxed);
  return total;
}

}  // namespace ser::shm
