// SPDX-License-Identifier: Apache-2.0
// The table of script runs that wait for something, in the segment (DESIGN 2.7): which there are, who has one
// in hand, and what was answered. Who suspends and resumes: proxy/suspender.h.
#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/packet.h"
#include "base/result.h"
#include "proxy/keeper.h"
#include "shm/actor.h"
#include "shm/owner.h"
#include "shm/segment.h"
#include "shm/timers.h"

namespace ser::proxy {

/// One wait of one run, for whoever owes the answer. Plain data, may lie anywhere; a ticket whose wait is
/// over answers nothing. 0: none.
struct Ticket {
  std::uint64_t value = 0;
  explicit operator bool() const noexcept { return value != 0; }
  friend bool operator==(const Ticket&, const Ticket&) noexcept = default;
};
static_assert(shm::Storable<Ticket>);

/// What came of a wait.
struct Answer {
  std::int32_t code = 0;  ///< what the function answers that waited
  bool expired = false;   ///< nobody answered in time
};

/// Types of events in the event worker's inbox; words[0] is the ticket. 1 is srv's (name requests).
inline constexpr std::uint32_t kEventRunSuspended = 2;  ///< a run waits from now on
inline constexpr std::uint32_t kEventRunReady = 3;      ///< one was answered
/// Type of the timer entry in a cell: words[0] is the ticket, words[1] the code. 1 is srv's (modules).
inline constexpr std::uint32_t kTimerSuspended = 2;

/// A cell of the table. Its holder alone writes it, but for `early`; while nobody holds it, nobody does.
/// Cells of the heap that belong to the run have the owner SuspendedRuns::owner().
struct SuspendedRun {
  enum class WaitsFor : std::uint8_t {
    name,    ///< the answer to a question to name servers
    answer,  ///< whoever was given the ticket
  };
  KeptMessage message;  ///< state null: nothing waits here; state only: the message is its transaction's
  void* machine;        ///< script::Machine in the arena; nullptr: it is not the script that waits
  shm::TimerEntry timer;
  std::atomic<std::uint64_t> early;  ///< an answer that came while the run was in hand
  char* block;                       ///< where the message lies, whoever's it is: for the reaper
  std::string_view name;             ///< in the arena
  Instant deadline;
  std::uint64_t progress;  ///< who is called again and has not come further waits on
  std::int32_t late_code;  ///< the answer when the deadline passes
  std::uint16_t name_type;
  WaitsFor waits_for;
  std::uint8_t phase;  ///< what the run has come to: the pipeline's
};
static_assert(shm::Storable<SuspendedRun> && sizeof(SuspendedRun) == 168);

/// Handle in private memory; copies are as good. All changes are one store each, so a death leaves a cell
/// free, held by a dead worker, or waiting.
class SuspendedRuns {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kMaxCapacity = 1'000'000;

  enum class Stage : std::uint8_t {
    free,
    taken,    ///< in the hands of who suspends
    waiting,  ///< nobody's
    ready,    ///< nobody's, and answered
    running,  ///< in the hands of who resumes
  };
  struct Look {
    Stage stage = Stage::free;
    Ticket ticket;
  };

  /// Address space only; pages are touched as cells are used. Before the first fork. Errors: no_space.
  static Result<SuspendedRuns> create(shm::Segment& segment, std::uint32_t capacity) noexcept;

  std::uint32_t capacity() const noexcept { return x_table->capacity; }
  SuspendedRun& cell(std::uint32_t index) const noexcept { return x_cells[index]; }
  static shm::Owner owner(std::uint32_t index) noexcept {
    return shm::Owner::make(shm::OwnerKind::suspended_run, index, 0);
  }
  static std::uint32_t index_of(Ticket ticket) noexcept {
    return static_cast<std::uint32_t>(ticket.value & kIndexMask);
  }
  Look look(std::uint32_t index) const noexcept;

  /// A free cell, cleared and held by `self`; kNone: all are in use.
  std::uint32_t take(shm::Actor& self) const noexcept;
  /// Holder: a new wait begins. Tickets of earlier ones are void.
  Ticket begin_wait(std::uint32_t index) const noexcept;
  /// Holder: the run waits, and is anybody's from here on. True: it was answered meanwhile.
  bool publish(shm::Actor& self, std::uint32_t index) const noexcept;
  /// Holder, or who found the holder dead: nothing is left in the cell.
  void release(std::uint32_t index) const noexcept;

  /// Anybody. False: that wait is over, or answered.
  bool answer(Ticket ticket, const Answer& answer) const noexcept;
  /// Who resumes: takes an answered run in hand. False: it is none.
  bool claim(std::uint32_t index, shm::Actor& self, Answer& out) const noexcept;

  /// The first cell from `index` on that a dead worker held; kNone: there is none.
  std::uint32_t next_held(std::uint32_t index, shm::WorkerId dead) const noexcept;
  /// The reaper, once the cells of the heap that the run in it owned are freed.
  void bury(shm::Timers& timers, shm::Actor& self, std::uint32_t index) const noexcept;

  /// An event may have been lost: the event worker looks at all cells when it wakes.
  void ask_rescan() const noexcept { x_table->rescan.store(1, std::memory_order_seq_cst); }
  bool take_rescan() const noexcept {
    return x_table->rescan.load(std::memory_order_relaxed) != 0 &&
           x_table->rescan.exchange(0, std::memory_order_seq_cst) != 0;
  }

 private:
  static constexpr std::uint64_t kIndexMask = 0xFF'FFFF;
  /// In the segment. A word per cell: generation of the wait 28 bits | expired 1 | stage 3 | holder
  /// (Actor::lock_word) or code 32.
  struct Table {
    std::uint32_t capacity;
    std::atomic<std::uint32_t> hint;  ///< where to look for a free cell first
    std::atomic<std::uint32_t> rescan;
  };

  SuspendedRuns(Table* table, std::atomic<std::uint64_t>* words, SuspendedRun* cells) noexcept
      : x_table(table), x_words(words), x_cells(cells) {}

  Table* x_table;
  std::atomic<std::uint64_t>* x_words;
  SuspendedRun* x_cells;
};

}  // namespace ser::proxy
