// SPDX-License-Identifier: Apache-2.0
// Words for what lies in the segment: which types may lie there, who owns a cell, which worker is meant.
#pragma once
#include <cstdint>
#include <mutex>
#include <type_traits>

namespace ser::shm {

/// What may lie in the segment: no vtable, nothing with a destructor (std::string, containers, handles), no
/// std::mutex, no pointer to code. Zero bytes must be a valid state of the type. Pointers into the segment
/// are fine: it lies at one address in all workers. Pointers to private memory and file descriptors are not,
/// which no type can say.
template <class T>
concept Storable =
    std::is_standard_layout_v<T> && std::is_trivially_destructible_v<T> && !std::is_polymorphic_v<T> &&
    !std::is_same_v<T, std::mutex> && !std::is_reference_v<T> && !std::is_member_pointer_v<T> &&
    !(std::is_pointer_v<T> && std::is_function_v<std::remove_pointer_t<T>>);

/// Kind of owner of a cell. The values stand in the segment and in crash files: never renumber.
enum class OwnerKind : std::uint8_t {
  free = 0,           ///< nobody: the rest of the word is the allocator's
  worker = 1,         ///< id: slot, incarnation: of the slot. Swept when that incarnation is dead
  transaction = 2,    ///< id: cell number of the transaction, incarnation: its generation
  suspended_run = 3,  ///< id: number of its cell (proxy/suspended_runs.h), which holds one run at a time
  location = 4,       ///< id: shard
  module = 5,         ///< id: account or number the module chose
  system = 6,         ///< made before the first fork, lives as long as the segment
  deferred = 7,  ///< the allocator's: freed while the lock was not to be had; id, incarnation as for worker
};

/// A worker at one time of its life. Incarnations of a slot count from 1 and never repeat within 2^20 deaths.
struct WorkerId {
  std::uint16_t slot = 0;
  std::uint32_t incarnation = 0;
  friend bool operator==(const WorkerId&, const WorkerId&) noexcept = default;
};

/// Owner word of a cell: kind 8 bits | id 24 bits | incarnation 32 bits. Written by one 64-bit store.
struct Owner {
  std::uint64_t word = 0;

  static constexpr Owner make(OwnerKind kind, std::uint32_t id, std::uint32_t incarnation) noexcept {
    return {std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 | std::uint64_t{id & 0xFFFFFFU} << 32 |
            incarnation};
  }
  static constexpr Owner worker(WorkerId id) noexcept {
    return make(OwnerKind::worker, id.slot, id.incarnation);
  }
  constexpr OwnerKind kind() const noexcept { return static_cast<OwnerKind>(word >> 56); }
  constexpr std::uint32_t id() const noexcept { return static_cast<std::uint32_t>(word >> 32) & 0xFFFFFFU; }
  constexpr std::uint32_t incarnation() const noexcept { return static_cast<std::uint32_t>(word); }
  friend constexpr bool operator==(const Owner&, const Owner&) noexcept = default;
};

static_assert(Storable<Owner> && Storable<WorkerId>);

}  // namespace ser::shm
