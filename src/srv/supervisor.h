// SPDX-License-Identifier: Apache-2.0
// The supervisor ("attendant"): starts the workers, then only waits for signals and dead children. It never
// follows a pointer into shared state but through handles that check what they read (DESIGN 1, 2.9).
#pragma once
#include <string>
#include <vector>

#include "srv/reapers.h"
#include "srv/shared.h"
#include "srv/spawner.h"

namespace ser::srv {

/// A worker that is to run: one slot each.
struct Post {
  shm::WorkerKind kind = shm::WorkerKind::none;
  SocketId socket = kNoSocket;
  int rank = 0;
  int further_socket = -1;  ///< see WorkerContext
};

struct SupervisorOptions {
  std::string statistics_file;       ///< SIGUSR1 writes here; empty: to the log only
  Instant stop_grace = 900'000'000;  ///< then workers that do not stop are killed; ns; 0: never
  Instant shutdown_grace = 0;        ///< what has begun may end before the workers are told to stop; ns
  bool may_renew = true;             ///< deaths in a row may be taken as damage of the segment (kRenewAt)
};

class Supervisor {
 public:
  Supervisor(Shared& shared, Spawner& spawner, std::vector<Post> posts, SupervisorOptions options,
             Logger& log);

  /// Blocks the signals it waits for: call it before the first thread or child exists.
  static void block_signals() noexcept;
  /// Starts all workers. False: one could not be started, `error()` says why; those that were are stopped
  /// again.
  bool start();
  const std::string& error() const noexcept { return x_error; }
  /// Waits until told to stop (0), until a worker died too often (1), or until the segment was found
  /// overwritten (kExitDamaged): then all workers are gone, and others may start on a new segment.
  int run();

  /// Deaths of one slot in a row, each before the worker finished a message: from the first number on the
  /// successor is delayed, at the second the server gives up (DESIGN 2.9).
  static constexpr unsigned kDelayFrom = 5;
  /// At this number the fault is looked for in the segment: it is made anew, unless that was tried lately.
  static constexpr unsigned kRenewAt = 4;
  static constexpr unsigned kGiveUpAt = 20;

 private:
  struct Watch {
    std::uint64_t messages_at_start = 0;
    unsigned deaths_in_row = 0;
    std::uint32_t incarnation = 0;  ///< of the worker that runs, or died last
    Instant not_before = 0;         ///< its successor must not start earlier
    Instant respawn_at = 0;         ///< 0: not waiting, or waiting for its reaper
    Instant started_at = 0;
    bool running = false;
  };
  WorkerContext context(std::uint16_t slot, std::uint32_t incarnation) const noexcept;
  bool spawn(std::uint16_t slot, std::string& error);
  /// Slots of workers; the reapers' follow.
  std::uint16_t worker_slots() const noexcept { return static_cast<std::uint16_t>(x_posts.size()); }
  bool has_worked(const WorkerExit& ended) const noexcept;
  bool segment_is_damaged() const noexcept;
  void reap_all();
  void note_death(const WorkerExit& ended);
  void count_in_row(const WorkerExit& ended, const std::string& name);
  void look_after_reapers();
  void respawn_due();
  int wait_ms() const;
  void tell(std::string_view line);
  bool handle_signal(int signal);
  void on_stop_signal(int signal);
  std::uint64_t unfinished() const;
  void look_after_closing();
  void report_statistics();
  void stop_workers();
  void kill_workers();
  bool end_worker(std::uint16_t slot, bool by_force) noexcept;
  Counters own_counters() const noexcept;
  void wake_receivers() noexcept;

  Shared& x_shared;
  Spawner& x_spawner;
  std::vector<Post> x_posts;
  std::vector<Watch> x_watch;
  SupervisorOptions x_options;
  Logger& x_log;
  Reapers x_reapers;
  std::string x_error;
  Instant x_closing_until = 0;  ///< 0: nobody has asked to stop
  Instant x_quiet_since = 0;    ///< while closing: since when nothing is unfinished; 0: something is
  bool x_stopping = false;
  bool x_gave_up = false;
  bool x_found_damage = false;  ///< a worker said so
  bool x_damaged = false;
};

}  // namespace ser::srv
