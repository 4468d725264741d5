// SPDX-License-Identifier: Apache-2.0
// Suspender: how a worker lets a run wait and another one goes on with it. And what functions of scripts use:
// wait_for_name(), suspend(), resume().
#pragma once
#include <cstdint>

#include "proxy/keeper.h"
#include "proxy/run.h"
#include "proxy/services.h"
#include "proxy/suspended_runs.h"

namespace ser::proxy {

/// One per worker, in its private memory. Not thread-safe. Does no I/O: flows use it as it is.
class Suspender final : public MessageKeeper {
 public:
  /// All outlive it; `shared.suspender` is set by the owner of both.
  Suspender(SuspendedRuns runs, SharedServices& shared) noexcept : x_runs(runs), x_shared(shared) {}

  SuspendedRuns& runs() noexcept { return x_runs; }

  // What a function of a script does, by way of the functions below.

  /// Can the run wait where it stands? Runs of all routes but branch_route of a worker that can keep their
  /// message; not a function that is called again because its time is over.
  bool may_wait(const Run& run) const noexcept;
  /// The run will wait for NameService::pending(), once the function has answered Outcome::again().
  void wait_for_name() noexcept { x_wait = {SuspendedRun::WaitsFor::name, 0, -1, {}}; }
  /// The run will wait for answer(), once the function has answered Outcome::suspend().
  /// Errors: too_many.
  Result<Ticket> wait_for_answer(Instant at_most, std::int32_t late_code) noexcept;

  // What the pipeline does with a run that waits.

  /// What of a run must be known to go on with it.
  struct Place {
    void* machine = nullptr;     ///< as in SuspendedRun
    std::uint64_t progress = 0;  ///< of a call that is made again: the same as long as it has not returned
    std::uint8_t phase = 0;
  };
  /// Puts the run down as it stands, to wait for what a function has said. True: it is not ours any more, and
  /// nothing of it may be touched. False: it cannot wait (counted); it goes on as before, and the function
  /// fails.
  /// A run with a transaction waits only when let_wait() has been called: after its transaction was put
  /// down. What follows a failure route and a response's is the transaction's, too.
  bool park(const Run& run, const Place& place) noexcept;
  /// The run that was parked last may go on from now on. `block`: where its message lies, when that is its
  /// transaction's; else null.
  void let_wait(char* block) noexcept;
  /// What that run waits for.
  Ticket parked() const noexcept { return x_parked; }
  /// Whether somebody waits with that ticket, or is going on.
  bool waits(Ticket ticket) const noexcept;
  /// The run of a transaction that is no more does not go on. The event worker, with no run in hand.
  void withdraw(Ticket ticket) noexcept;

  // What the event worker does.

  /// Takes an answered run in hand. Null: it is none.
  SuspendedRun* take_up(std::uint32_t index, Answer& out) noexcept;
  /// The end of the run in hand. `arena`: its own. Everything it had is freed.
  void finish(Arena& arena) noexcept;
  /// The end of the run in hand, if there is one, whose message is somebody else's by now.
  void let_go() noexcept;
  /// Lets somebody else keep the message of the run in hand, a transaction for example.
  Result<void> keep(const Run& run, shm::Owner owner, KeptMessage& kept) noexcept override;

  // What anybody does.

  /// Gives the answer a run waits for, and tells the event worker. False: that wait is over.
  bool answer(Ticket ticket, const Answer& answer) noexcept;
  /// An expired timer. False: it is not one of ours.
  bool on_timer(const shm::TimerEvent& event) noexcept;

 private:
  struct Wait {
    SuspendedRun::WaitsFor what = SuspendedRun::WaitsFor::answer;
    Instant at_most = 0;  ///< of an answer
    std::int32_t late_code = -1;
    Ticket ticket;  ///< of an answer; none: nobody asked to wait
  };
  std::uint32_t reserve() noexcept;
  bool prepare(const Run& run, const Place& place, const Wait& wait, SuspendedRun& cell) noexcept;
  bool arm(const Run& run, SuspendedRun& cell, Ticket ticket) noexcept;
  void tell(std::uint32_t type, Ticket ticket) noexcept;

  SuspendedRuns x_runs;
  SharedServices& x_shared;
  Wait x_wait;
  Ticket x_parked;
  std::uint32_t x_reserved = SuspendedRuns::kNone;  ///< taken, not in use yet
  std::uint32_t x_in_hand = SuspendedRuns::kNone;   ///< of the run that is being resumed
};

/// The last look-up said Errc::pending: will the run wait for the answer? Then the function answers
/// Outcome::again() at once. It must have had no effect so far.
bool wait_for_name(const Run& run) noexcept;

/// For a function that waits for something it has asked for: answers Outcome::suspend() at once, and the run
/// goes on with the code that resume() brings, or with `late_code` when `at_most` (nanoseconds) is over. Asks
/// after this call, with the ticket, and only when it succeeded. Errc::refused: the run cannot wait here;
/// Errc::too_many: max_suspended.
Result<Ticket> suspend(const Run& run, Instant at_most, std::int32_t late_code = -1) noexcept;

/// The answer; from any worker, at any time. False: the run has gone on without it.
bool resume(const Services& services, Ticket ticket, std::int32_t code) noexcept;

}  // namespace ser::proxy
