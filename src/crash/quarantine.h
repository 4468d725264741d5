// SPDX-License-Identifier: Apache-2.0
// Quarantine: which kinds of messages have killed workers, how often, and which of them are dropped for now.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/packet.h"
#include "base/result.h"
#include "shm/actor.h"
#include "shm/lock.h"
#include "shm/segment.h"
#include "shm/slot.h"

namespace ser::crash {

struct QuarantineLimits {
  std::uint32_t deaths = 3;        ///< `crash_quarantine_deaths`; 0: nothing is ever dropped
  Instant time = 600'000'000'000;  ///< `crash_quarantine_time`, ns
};

/// One fingerprint at one stage. All zero: free.
struct QuarantineEntry {
  std::atomic<std::uint64_t> fingerprint;
  std::atomic<shm::Stage> stage;
  std::atomic<std::uint32_t> deaths;
  std::atomic<Instant> last;   ///< of the last death
  std::atomic<Instant> until;  ///< matching messages are dropped until then; 0: not (yet)
};

/// In the segment.
struct QuarantineTable {
  static constexpr std::size_t kMax = 64;
  std::atomic<Instant> active_until;  ///< no entry is in force from then on
  shm::FutexLock writing;             ///< one reaper at a time; readers do not ask
  QuarantineEntry entries[kMax];
};
static_assert(shm::Storable<QuarantineTable>);

/// What note_death() found.
struct DeathCount {
  std::uint32_t deaths = 0;  ///< of this fingerprint at this stage, this one included
  bool quarantined = false;  ///< matching messages are dropped from now on
};

/// For people: one entry that is in force or counts.
struct QuarantineListed {
  std::uint64_t fingerprint;
  shm::Stage stage;
  std::uint32_t deaths;
  std::uint32_t seconds_left;  ///< 0: not dropped, only counted
};

/// An entry outside of the segment, for the way from one segment to the next.
struct QuarantineKept {
  std::uint64_t fingerprint;
  shm::Stage stage;
  std::uint32_t deaths;
  Instant last;
  Instant until;
};

/// A handle in private memory. Reapers write, one at a time; workers read without a lock. Each store leaves a
/// table that is right, so a writer that dies in the middle costs at most the death it was counting.
/// Whatever is written over the table, readers only compare numbers.
class Quarantine {
 public:
  /// Before the first fork. Errors: no_space.
  static Result<Quarantine> create(shm::Segment& segment, const QuarantineLimits& limits) noexcept;

  /// Is anything in quarantine? One relaxed load and a comparison: for each message. `now`: the clock reading
  /// of the batch. Only when it is, compute the fingerprint and ask holds().
  bool active(Instant now) const noexcept {
    return now < x_table->active_until.load(std::memory_order_relaxed);
  }
  /// Is a message that looks like this to be dropped, at whatever stage the others died?
  bool holds(std::uint64_t fingerprint, Instant now) const noexcept;

  /// Reaper: counts a death. Deaths are forgotten when `time` passed without one since the last, or since
  /// the end of the quarantine: so what kills again soon after it is dropped again at its first death. A full
  /// table loses the entry whose last death is oldest. Nothing is counted (0) while another reaper, `self`'s
  /// neighbour, is stopped in here.
  DeathCount note_death(shm::Actor& self, std::uint64_t fingerprint, shm::Stage stage, Instant now) noexcept;

  /// Entries in force.
  unsigned size(Instant now) const noexcept;
  /// Entries in force or counting, in no order.
  std::vector<QuarantineListed> list(Instant now) const;
  /// All entries, as they are.
  std::vector<QuarantineKept> keep() const;
  /// Puts kept entries into an empty table. They may come from a segment that was overwritten: what this
  /// quarantine could not have written at `now` is left out.
  void restore(const std::vector<QuarantineKept>& kept, Instant now) noexcept;
  const QuarantineLimits& limits() const noexcept { return x_limits; }

 private:
  Quarantine(QuarantineTable& table, const QuarantineLimits& limits) noexcept
      : x_table(&table), x_limits(limits) {}
  DeathCount count(std::uint64_t fingerprint, shm::Stage stage, Instant now) noexcept;
  QuarantineEntry& place_for(std::uint64_t fingerprint, shm::Stage stage) noexcept;
  bool is_over(const QuarantineEntry& entry, Instant now) const noexcept;

  QuarantineTable* x_table;
  QuarantineLimits x_limits;
};

}  // namespace ser::crash
