// SPDX-License-Identifier: Apache-2.0
// Actor: who is doing something to the segment. Private memory of one worker; handed to every call that takes
// a lock.
#pragma once
#include <atomic>
#include <cstdint>

#include "shm/owner.h"

namespace ser::shm {

class FutexLock;

/// Answers whether the holder of a lock is still there. Slots' answer: shm/slot.h, SlotOwnerCheck.
class OwnerCheck {
 public:
  virtual ~OwnerCheck() = default;
  /// False only when that incarnation is known to be dead. `incarnation20`: the low 20 bits of the
  /// incarnation.
  virtual bool alive(std::uint16_t slot, std::uint32_t incarnation20) noexcept = 0;
  /// False only when that worker's list of held locks is known and does not name `lock`. A lock's word that
  /// names such a holder was overwritten.
  virtual bool holds(std::uint16_t slot, const FutexLock& lock) noexcept = 0;
};

/// Called at every store of the ownership paths in builds with assertions: a test dies there. See
/// Actor::step().
class FaultHook {
 public:
  virtual ~FaultHook() = default;
  virtual void step() noexcept = 0;
};

/// Order in which locks may be taken: only upwards. Asserted in debug builds. A worker holds few at a time.
enum class LockLevel : std::uint32_t {
  module = 10,       ///< tables of modules
  transaction = 20,  ///< buckets of the transaction table
  location = 30,     ///< shards of the location table
  timers = 40,       ///< queues and wheel
  inbox = 50,        ///< producers' side of an inbox
  heap_class = 60,   ///< a size class
  heap_pages = 70,   ///< spans
};

/// Locks a worker holds or is about to take, in its slot. An entry counts only while the lock's word names
/// the worker.
struct HeldLocks {
  static constexpr std::uint32_t kMax = 8;
  struct Entry {
    std::atomic<FutexLock*> lock;  ///< others read it: OwnerCheck::holds()
    LockLevel level;
  };
  std::atomic<std::uint32_t> count;
  Entry entries[kMax];
};
static_assert(Storable<HeldLocks>);

/// Who acts. One per worker (process or thread), in private memory, not shared between threads.
class Actor {
 public:
  /// `held` (the list in the worker's slot) and `check` outlive the actor. Both may be null: then deaths of
  /// lock holders are not noticed, and ours not recorded, which is good enough before the first fork.
  Actor(WorkerId id, HeldLocks* held, OwnerCheck* check) noexcept
      : x_owner(Owner::worker(id)), x_held(held), x_check(check), x_id(id) {}
  /// The one who builds everything before the first fork: its cells belong to OwnerKind::system and are never
  /// swept.
  static Actor system() noexcept {
    Actor actor({kSystemSlot, 1}, nullptr, nullptr);
    actor.x_owner = Owner::make(OwnerKind::system, 0, 0);
    return actor;
  }

  WorkerId id() const noexcept { return x_id; }
  /// Owner word of cells this actor allocates.
  Owner owner() const noexcept { return x_owner; }
  HeldLocks* held() const noexcept { return x_held; }
  OwnerCheck* check() const noexcept { return x_check; }

  /// Slot + incarnation as a lock's word has them: (slot + 1) << 20 | incarnation & 0xFFFFF. Never 0, bit 31
  /// clear.
  std::uint32_t lock_word() const noexcept { return lock_word(x_id); }
  static constexpr std::uint32_t lock_word(WorkerId id) noexcept {
    return (std::uint32_t{id.slot} + 1) << 20 | (id.incarnation & 0xFFFFFU);
  }
  /// Slot number that no slot has.
  static constexpr std::uint16_t kSystemSlot = 2046;
  /// Slots are numbered below this: workers, and the few of those who clear up after them.
  static constexpr std::uint16_t kMaxSlots = 1040;

  /// Between two stores whose order matters to whoever finds us dead: keeps the compiler from moving them (a
  /// killed process has done a prefix of its stores), and lets a test die here.
  void step() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
#ifndef NDEBUG
    if (x_fault != nullptr) x_fault->step();
#endif
  }
  /// Tests only; no effect in release builds.
  void set_fault(FaultHook* hook) noexcept { x_fault = hook; }

 private:
  Owner x_owner;
  HeldLocks* x_held;
  OwnerCheck* x_check;
  FaultHook* x_fault = nullptr;
  WorkerId x_id;
};

}  // namespace ser::shm
