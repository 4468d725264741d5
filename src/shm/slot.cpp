// SPDX-License-Identifier: Apache-2.0
#include "shm/slot.h"

#include <algorithm>
#include <climits>
#include <cstring>

namespace ser::shm {

std::string_view to_string(WorkerKind kind) noexcept {
  switch (kind) {
    case WorkerKind::none:
      return "none";
    case WorkerKind::datagram:
      return "datagram";
    case WorkerKind::event:
      return "event";
    case WorkerKind::timer:
      return "timer";
    case WorkerKind::storage:
      return "storage";
    case WorkerKind::control:
      return "control";
    case WorkerKind::reaper:
      return "reaper";
  }
  return "?";
}

std::string_view to_string(WorkerState state) noexcept {
  switch (state) {
    case WorkerState::empty:
      return "empty";
    case WorkerState::starting:
      return "starting";
    case WorkerState::ready:
      return "ready";
    case WorkerState::sleeping:
      return "sleeping";
    case WorkerState::working:
      return "working";
    case WorkerState::stopping:
      return "stopping";
    case WorkerState::dead:
      return "dead";
  }
  return "?";
}

std::string_view to_string(Stage stage) noexcept {
  switch (stage) {
    case Stage::none:
      return "none";
    case Stage::received:
      return "received";
    case Stage::parsing:
      return "parsing";
    case Stage::pre_script:
      return "pre_script";
    case Stage::script:
      return "script";
    case Stage::response:
      return "response";
    case Stage::forward:
      return "forward";
    case Stage::post_script:
      return "post_script";
    case Stage::flush:
      return "flush";
    case Stage::resume:
      return "resume";
    case Stage::timer:
      return "timer";
  }
  return "?";
}

std::string_view to_string(FaultCause cause) noexcept {
  switch (cause) {
    case FaultCause::none:
      return "none";
    case FaultCause::fault:
      return "fault";
    case FaultCause::watchdog:
      return "watchdog";
    case FaultCause::outside:
      return "outside";
  }
  return "?";
}

void WorkerSlot::set_error(std::string_view text) noexcept {
  const std::size_t n = std::min(text.size(), sizeof last_error - 1);
  std::memcpy(last_error, text.data(), n);
  last_error[n] = '\0';
}

Result<SlotTable> SlotTable::create(Segment& segment, std::uint16_t count) noexcept {
  if (count == 0 || count > Actor::kMaxSlots) return {Errc::too_many, "number of worker slots"};
  void* at = segment.reserve(sizeof(WorkerSlot) * count, alignof(WorkerSlot));
  if (at == nullptr) return {Errc::no_space, "segment too small for the worker slots"};
  auto* slots = static_cast<WorkerSlot*>(at);
  for (std::uint16_t i = 0; i < count; ++i) {
    auto* slot = new (&slots[i]) WorkerSlot{};
    slot->index = i;
    slot->magic = WorkerSlot::kMagic;
  }
  segment.header().slots = at;
  return SlotTable(slots, count);
}

WorkerSlot* SlotTable::slot(std::uint16_t index) const noexcept {
  if (index >= x_count) return nullptr;
  WorkerSlot& slot = x_slots[index];
  return slot.magic == WorkerSlot::kMagic && slot.index == index ? &slot : nullptr;
}

WorkerId SlotTable::begin(std::uint16_t index, WorkerKind kind) noexcept {
  WorkerSlot* slot = this->slot(index);
  if (slot == nullptr) return {};
  slot->kind.store(kind, std::memory_order_relaxed);
  slot->stop.store(0, std::memory_order_relaxed);
  slot->pid.store(0, std::memory_order_relaxed);
  slot->held.count.store(0, std::memory_order_relaxed);
  slot->fault.cause.store(FaultCause::none, std::memory_order_relaxed);
  slot->fault.frame_count.store(0, std::memory_order_relaxed);
  const std::uint32_t incarnation = slot->incarnation.load(std::memory_order_relaxed) + 1;
  slot->incarnation.store(incarnation, std::memory_order_release);
  slot->state.store(WorkerState::starting, std::memory_order_release);
  return {index, incarnation};
}

void SlotTable::started(std::uint16_t index, std::int32_t pid) noexcept {
  if (WorkerSlot* slot = this->slot(index); slot != nullptr) {
    slot->pid.store(pid, std::memory_order_relaxed);
    slot->state.store(WorkerState::ready, std::memory_order_release);
  }
}

void SlotTable::mark_dead(std::uint16_t index, std::int32_t signal) noexcept {
  if (WorkerSlot* slot = this->slot(index); slot != nullptr) {
    slot->signal.store(signal, std::memory_order_relaxed);
    slot->pid.store(0, std::memory_order_relaxed);
    slot->state.store(WorkerState::dead, std::memory_order_release);
  }
}

void SlotTable::stop(std::uint16_t index) noexcept {
  if (WorkerSlot* slot = this->slot(index); slot != nullptr) {
    slot->stop.store(1, std::memory_order_release);
    futex_wake(slot->stop, INT_MAX);
  }
}

std::uint32_t SlotTable::release_locks(const Segment& segment, std::uint16_t index, WorkerId dead) noexcept {
  WorkerSlot* slot = this->slot(index);
  if (slot == nullptr) return 0;
  std::uint32_t released = 0;
  // All entries, whatever count says: a death between unlock and forget, or an overwritten count, loses
  // nothing so.
  for (const HeldLocks::Entry& entry : slot->held.entries) {
    FutexLock* lock = entry.lock.load(std::memory_order_relaxed);
    const bool sound = lock != nullptr && segment.contains(lock, sizeof *lock) &&
                       reinterpret_cast<std::uintptr_t>(lock) % alignof(FutexLock) == 0;
    if (sound && lock->release_dead(dead)) ++released;
  }
  slot->held.count.store(0, std::memory_order_relaxed);
  return released;
}

bool SlotOwnerCheck::alive(std::uint16_t slot, std::uint32_t incarnation20) noexcept {
  if (slot == Actor::kSystemSlot) return true;
  const WorkerSlot* found = x_slots.slot(slot);
  if (found == nullptr) return false;
  if (found->state.load(std::memory_order_acquire) == WorkerState::dead) return false;
  return (found->incarnation.load(std::memory_order_acquire) & 0xFFFFFU) == incarnation20;
}

bool SlotOwnerCheck::holds(std::uint16_t slot, const FutexLock& lock) noexcept {
  const WorkerSlot* found = x_slots.slot(slot);
  // Who builds before the first fork (kSystemSlot) holds nothing any more when others wait.
  if (found == nullptr) return false;
  // An entry counts from before the lock is taken until after it is free.
  const std::uint32_t count = std::min(found->held.count.load(std::memory_order_relaxed), HeldLocks::kMax);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (found->held.entries[i].lock.load(std::memory_order_relaxed) == &lock) return true;
  }
  return false;
}

bool add_reference(WorkerSlot& slot, const Reference& reference) noexcept {
  const std::uint32_t n = slot.reference_count.load(std::memory_order_relaxed);
  if (n >= kMaxReferences) return false;
  slot.references[n] = reference;
  slot.reference_count.store(n + 1, std::memory_order_release);
  return true;
}

void drop_reference(WorkerSlot& slot, const void* target) noexcept {
  const std::uint32_t n = std::min(slot.reference_count.load(std::memory_order_relaxed), kMaxReferences);
  for (std::uint32_t i = 0; i < n; ++i) {
    if (slot.references[i].target != target) continue;
    // A death between the two stores leaves the last reference twice: the reaper counts equal entries once.
    slot.references[i] = slot.references[n - 1];
    slot.reference_count.store(n - 1, std::memory_order_release);
    return;
  }
}

}  // namespace ser::shm
