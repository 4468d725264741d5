// SPDX-License-Identifier: Apache-2.0
// Section: changes of several words under a lock that happen wholly or not at all, whoever dies in between.
#pragma once
#include <cassert>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "shm/lock.h"

namespace ser::shm {

/// A lock with an undo log of up to N words. The log is empty whenever the lock is free, unless its holder
/// died; then whoever takes the lock next puts the old values back before anything else.
template <std::uint32_t N>
struct LoggedLock {
  struct Entry {
    std::uintptr_t where;  ///< bit 0: a 32-bit word
    std::uint64_t old;
  };
  FutexLock lock;
  std::uint32_t count = 0;
  Entry entries[N];

  void put(Actor& self, std::uintptr_t where, std::uint64_t old) noexcept {
    assert(count < N && "undo log too small");
    entries[count] = {where, old};
    self.step();
    ++count;
    self.step();
  }
  /// Puts old values back, newest first. May itself be interrupted by death and be done again.
  void roll_back(Actor& self) noexcept {
    for (std::uint32_t n = count < N ? count : N; n > 0; --n) {
      const Entry entry = entries[n - 1];
      if ((entry.where & 1U) != 0) {
        auto& word = *reinterpret_cast<std::uint32_t*>(entry.where & ~std::uintptr_t{1});
        std::atomic_ref<std::uint32_t>(word).store(static_cast<std::uint32_t>(entry.old),
                                                   std::memory_order_relaxed);
      } else {
        auto& word = *reinterpret_cast<std::uint64_t*>(entry.where);
        std::atomic_ref<std::uint64_t>(word).store(entry.old, std::memory_order_relaxed);
      }
      self.step();
    }
    count = 0;
  }
};

/// RAII: takes the lock (repairing what a dead holder left), logs each store made through set(), and at the
/// end lets the changes stand (after commit()) or takes them back. If the worker dies inside, the next holder
/// takes them back.
///   Section section(table.lock, self, LockLevel::module);
///   if (!section) return nullptr;              // holder alive but stopped
///   section.set(table.head, node); …; section.commit();
template <std::uint32_t N>
class Section {
 public:
  Section(LoggedLock<N>& lock, Actor& self, LockLevel level,
          std::uint32_t max_wait_ms = FutexLock::kMaxWaitMs) noexcept
      : x_lock(lock),
        x_self(self),
        x_owns(lock.lock.lock(self, level, max_wait_ms) != LockOutcome::timed_out) {
    if (x_owns && x_lock.count != 0) [[unlikely]]
      x_lock.roll_back(self);
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  ~Section() { leave(); }

  /// False: the lock was not to be had.
  explicit operator bool() const noexcept { return x_owns; }

  /// A store that is undone unless commit() follows. T: integer, enum, pointer of 4 or 8 bytes, in the
  /// segment.
  template <class T, class U>
  void set(T& field, U value) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && (sizeof(T) == 4 || sizeof(T) == 8));
    std::uint64_t old = 0;
    std::memcpy(&old, &field, sizeof(T));
    x_lock.put(x_self, reinterpret_cast<std::uintptr_t>(&field) | (sizeof(T) == 4 ? 1U : 0U), old);
    field = static_cast<T>(value);
    x_self.step();
  }
  /// As set() for an atomic that others read without the lock.
  template <class T, class U>
  void set_atomic(std::atomic<T>& field, U value,
                  std::memory_order order = std::memory_order_relaxed) noexcept {
    static_assert(sizeof(std::atomic<T>) == sizeof(T) && (sizeof(T) == 4 || sizeof(T) == 8));
    const T before = field.load(std::memory_order_relaxed);
    std::uint64_t old = 0;
    std::memcpy(&old, &before, sizeof(T));
    x_lock.put(x_self, reinterpret_cast<std::uintptr_t>(&field) | (sizeof(T) == 4 ? 1U : 0U), old);
    field.store(static_cast<T>(value), order);
    x_self.step();
  }
  /// What was set so far stands. More may follow, with its own commit().
  void commit() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    x_lock.count = 0;
    x_self.step();
  }
  /// Unlocks before the end of the scope; uncommitted changes are taken back.
  void leave() noexcept {
    if (!x_owns) return;
    if (x_lock.count != 0) x_lock.roll_back(x_self);
    x_owns = false;
    x_lock.lock.unlock(x_self);
  }

 private:
  LoggedLock<N>& x_lock;
  Actor& x_self;
  bool x_owns;
};

}  // namespace ser::shm
