// SPDX-License-Identifier: Apache-2.0
// Spawners: the same workers as processes (production) or as threads of one process (fork=no,
// ThreadSanitizer).
#pragma once
#include <sys/types.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "srv/process.h"
#include "srv/reaper.h"
#include "srv/shared.h"

namespace ser::srv {

/// How a worker ended.
struct WorkerExit {
  std::uint16_t slot = 0;
  int status = 0;  ///< exit status; meaningless when signal != 0
  int signal = 0;  ///< that ended it; 0: it left by itself
  bool core = false;
  pid_t pid = 0;
};

/// What a reaper is given.
struct ReaperContext {
  Shared& shared;
  shm::WorkerId self;
  Death death;
  bool sweep_only = false;  ///< see Reaper::run
};

class Spawner {
 public:
  virtual ~Spawner() = default;
  /// Starts the worker of the context. Errc::system.
  virtual Result<void> spawn(const WorkerContext& context) = 0;
  /// Starts a reaper (srv/reaper.h); reap() tells its end like a worker's. Errc::system.
  virtual Result<void> spawn_reaper(const ReaperContext& context) = 0;
  /// One worker that has ended since the last call; false when there is none.
  virtual bool reap(WorkerExit& out) = 0;
  /// Makes a worker's sleeping system call return, so that it looks at its stop flag. Once may be too early:
  /// repeat. False: we may not signal the worker.
  virtual bool interrupt(std::uint16_t slot) noexcept = 0;
  /// Ends a worker that does not stop. False: we may not.
  virtual bool kill(std::uint16_t slot) noexcept = 0;
  /// Workers running now.
  virtual std::size_t running() const noexcept = 0;
};

/// What a forked worker becomes.
struct ForkOptions {
  Identity identity;
  std::string chroot_dir;
  bool daemon = false;       ///< standard descriptors go to /dev/null
  bool keep_stderr = false;  ///< but for standard error
};

class ForkSpawner final : public Spawner {
 public:
  ForkSpawner(Logger& log, ProcessTitle& title, ForkOptions options)
      : x_log(log), x_title(title), x_options(std::move(options)) {}
  Result<void> spawn(const WorkerContext& context) override;
  Result<void> spawn_reaper(const ReaperContext& context) override;
  bool reap(WorkerExit& out) override;
  bool interrupt(std::uint16_t slot) noexcept override;
  bool kill(std::uint16_t slot) noexcept override;
  std::size_t running() const noexcept override { return x_slots.size(); }

 private:
  /// What every child does first. False: it must not go on.
  bool become_child(const std::string& title, pid_t supervisor);
  [[noreturn]] void become_worker(const WorkerContext& context, pid_t supervisor);
  [[noreturn]] void become_reaper(const ReaperContext& context, pid_t supervisor);
  pid_t pid_of(std::uint16_t slot) const noexcept;
  bool send_signal(std::uint16_t slot, int signal) const noexcept;

  Logger& x_log;
  ProcessTitle& x_title;
  ForkOptions x_options;
  std::map<pid_t, std::uint16_t> x_slots;
};

class ThreadSpawner final : public Spawner {
 public:
  ThreadSpawner();
  ~ThreadSpawner() override;
  Result<void> spawn(const WorkerContext& context) override;
  /// Does the reaper's work in the caller's thread.
  Result<void> spawn_reaper(const ReaperContext& context) override;
  bool reap(WorkerExit& out) override;
  bool interrupt(std::uint16_t slot) noexcept override;
  /// A thread cannot be ended from outside without taking the process with it: the same as interrupt().
  bool kill(std::uint16_t slot) noexcept override { return interrupt(slot); }
  std::size_t running() const noexcept override { return x_workers.size() + x_reaped.size(); }

 private:
  struct Worker {
    std::uint16_t slot = 0;
    std::atomic<bool> ended{false};
    int status = 0;
    std::thread thread;
  };
  std::vector<std::unique_ptr<Worker>> x_workers;
  std::vector<WorkerExit> x_reaped;  ///< ends of reapers not told yet
  pthread_t x_supervisor;
};

/// "receiver child=2 sock=127.0.0.1:5060", "event worker", "timer": the process title and the name in logs.
std::string worker_title(const WorkerContext& context);

}  // namespace ser::srv
