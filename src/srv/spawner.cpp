// SPDX-License-Identifier: Apache-2.0
#include "srv/spawner.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>

#include "srv/worker.h"
#include "srv/worker_process.h"

namespace ser::srv {

namespace {

constexpr rlim_t kReaperCpuSeconds = 10;

/// Above it the kernel ends the process by SIGXCPU.
void limit_cpu_time(rlim_t seconds) {
  const rlimit limit{seconds, seconds + 1};
  ::setrlimit(RLIMIT_CPU, &limit);
}

/// Makes system calls return EINTR and does nothing else.
void wake_up(int /*signal*/) {}

void install_wake_up(int signal) {
  struct sigaction action = {};
  action.sa_handler = wake_up;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);  // without SA_RESTART: the call must return
}

/// TERM wakes; what a terminal sends to the whole group is the supervisor's business.
void set_worker_signals() {
  install_wake_up(SIGTERM);
  for (const int signal : {SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE}) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

std::string worker_title(const WorkerContext& context) {
  switch (context.kind) {
    case shm::WorkerKind::datagram:
      return fmt::format("ser: receiver child={} sock={}", context.rank - 1,
                         to_string(context.shared.udp[context.socket].local));
    case shm::WorkerKind::event:
      return "ser: event worker";
    case shm::WorkerKind::timer:
      return "ser: timer";
    default:
      return "ser: worker";
  }
}

Result<void> ForkSpawner::spawn(const WorkerContext& context) {
  const pid_t supervisor = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork");
  if (pid == 0) become_worker(context, supervisor);
  x_slots[pid] = context.id.slot;
  return {};
}

Result<void> ForkSpawner::spawn_reaper(const ReaperContext& context) {
  const pid_t supervisor = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork");
  if (pid == 0) become_reaper(context, supervisor);
  x_slots[pid] = context.self.slot;
  return {};
}

bool ForkSpawner::become_child(const std::string& title, pid_t supervisor) {
  x_title.set(title);
  set_worker_signals();
  // A child of a daemon must not keep the terminal, or the pipe of who started it, open.
  if (x_options.daemon) detach_standard_descriptors(x_options.keep_stderr);
  std::string error;
  if (!drop_privileges(x_options.identity, x_options.chroot_dir, error)) {
    LOG(x_log, critical, "{}", error);
    return false;
  }
  // After setuid, which clears it. The supervisor may be gone by now: then nobody would ever stop us.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return ::getppid() == supervisor;
}

void ForkSpawner::become_reaper(const ReaperContext& context, pid_t supervisor) {
  if (!become_child("ser: reaper", supervisor)) ::_exit(1);
  // A damaged list may have no end. CPU time, so that a busy machine does not look like a damaged segment.
  limit_cpu_time(kReaperCpuSeconds);
  Reaper reaper(context.shared, context.self, x_log);
  ::_exit(reaper.run(context.death, context.sweep_only));
}

void ForkSpawner::become_worker(const WorkerContext& context, pid_t supervisor) {
  if (!become_child(worker_title(context), supervisor)) ::_exit(1);
  int status = 1;
  try {
    WorkerProcess process(context, x_log);
    status = make_worker(context)->run(&process);
  } catch (const std::exception& exception) {
    // Only start-up allocates from the process's own heap; a worker that cannot is replaced by the
    // supervisor.
    LOG(x_log, critical, "worker could not start: {}", exception.what());
  }
  ::_exit(status);
}

bool ForkSpawner::reap(WorkerExit& out) {
  int status = 0;
  for (;;) {
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return false;
    const auto found = x_slots.find(pid);
    if (found == x_slots.end()) continue;
    out = {};
    out.slot = found->second;
    out.pid = pid;
    if (WIFSIGNALED(status)) {
      out.signal = WTERMSIG(status);
      out.core = WCOREDUMP(status);
    } else {
      out.status = WEXITSTATUS(status);
    }
    x_slots.erase(found);
    return true;
  }
}

pid_t ForkSpawner::pid_of(std::uint16_t slot) const noexcept {
  for (const auto& [pid, owner] : x_slots) {
    if (owner == slot) return pid;
  }
  return 0;
}

bool ForkSpawner::send_signal(std::uint16_t slot, int signal) const noexcept {
  const pid_t pid = pid_of(slot);
  return pid <= 0 || ::kill(pid, signal) == 0 || errno != EPERM;
}

bool ForkSpawner::interrupt(std::uint16_t slot) noexcept {
  return send_signal(slot, SIGTERM);
}

bool ForkSpawner::kill(std::uint16_t slot) noexcept {
  return send_signal(slot, SIGKILL);
}

ThreadSpawner::ThreadSpawner() : x_supervisor(pthread_self()) {
  install_wake_up(SIGURG);
}

ThreadSpawner::~ThreadSpawner() {
  for (const auto& worker : x_workers) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

Result<void> ThreadSpawner::spawn(const WorkerContext& context) {
  auto made = std::make_unique<Worker>();
  Worker* worker = made.get();
  worker->slot = context.id.slot;
  const auto body = [this, worker, context] {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGURG);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    try {
      worker->status = make_worker(context)->run();
    } catch (const std::exception&) {
      worker->status = 1;  // as in a process: only start-up allocates from the heap
    }
    worker->ended.store(true, std::memory_order_release);
    pthread_kill(x_supervisor, SIGCHLD);
  };
  try {
    worker->thread = std::thread(body);
  } catch (const std::system_error& error) {
    return {Errc::system, "thread", static_cast<std::uint32_t>(error.code().value())};
  }
  x_workers.push_back(std::move(made));
  return {};
}

Result<void> ThreadSpawner::spawn_reaper(const ReaperContext& context) {
  Logger log(*context.shared.log_sink, static_cast<LogLevel>(context.shared.log_level));
  context.shared.slots->started(context.self.slot, 0);
  Reaper reaper(context.shared, context.self, log);
  WorkerExit exit;
  exit.slot = context.self.slot;
  exit.status = reaper.run(context.death, context.sweep_only);
  x_reaped.push_back(exit);
  pthread_kill(x_supervisor, SIGCHLD);
  return {};
}

bool ThreadSpawner::reap(WorkerExit& out) {
  if (!x_reaped.empty()) {
    out = x_reaped.back();
    x_reaped.pop_back();
    return true;
  }
  const auto found = std::find_if(x_workers.begin(), x_workers.end(), [](const auto& worker) {
    return worker->ended.load(std::memory_order_acquire);
  });
  if (found == x_workers.end()) return false;
  (*found)->thread.join();
  out = {};
  out.slot = (*found)->slot;
  out.status = (*found)->status;
  x_workers.erase(found);
  return true;
}

bool ThreadSpawner::interrupt(std::uint16_t slot) noexcept {
  for (const auto& worker : x_workers) {
    if (worker->slot == slot && !worker->ended.load(std::memory_order_acquire))
      pthread_kill(worker->thread.native_handle(), SIGURG);
  }
  return true;
}

}  // namespace ser::srv
