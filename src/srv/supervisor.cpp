// SPDX-License-Identifier: Apache-2.0
#include "srv/supervisor.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "srv/statistics.h"

namespace ser::srv {

namespace {

constexpr Instant kMillisecond = 1'000'000;
constexpr Instant kFirstDelay = 100 * kMillisecond;
constexpr Instant kLongestDelay = 5'000 * kMillisecond;
/// A worker without messages of its own that lived this long is no worker that dies at its start.
constexpr Instant kSettled = 10'000 * kMillisecond;
/// How often a stop is said again: a worker may have looked at its flag just before the signal came.
constexpr int kStopRepeatMs = 10;

sigset_t awaited_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP}) sigaddset(&set, signal);
  return set;
}

/// Sent by people and systems, not by the worker's own fault.
bool is_from_outside(int signal) noexcept {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

}  // namespace

Supervisor::Supervisor(Shared& shared, Spawner& spawner, std::vector<Post> posts, SupervisorOptions options,
                       Logger& log)
    : x_shared(shared),
      x_spawner(spawner),
      x_posts(std::move(posts)),
      x_watch(x_posts.size()),
      x_options(std::move(options)),
      x_log(log) {}

void Supervisor::block_signals() noexcept {
  const sigset_t set = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

WorkerContext Supervisor::context(std::uint16_t slot, std::uint32_t incarnation) const noexcept {
  const Post& post = x_posts[slot];
  return {x_shared, {slot, incarnation}, post.kind, post.socket, post.rank, post.further_socket};
}

bool Supervisor::spawn(std::uint16_t slot, std::string& error) {
  const Post& post = x_posts[slot];
  const shm::WorkerId id = x_shared.slots->begin(slot, post.kind);
  if (id.incarnation == 0) {
    error = fmt::format("cannot start a worker: slot {} of the shared segment is damaged", slot);
    return false;
  }
  x_shared.slots->slot(slot)->socket = post.socket;
  Watch& watch = x_watch[slot];
  // Before the spawn: the worker may have finished messages by the time it returns.
  watch.messages_at_start = x_shared.slots->slot(slot)->messages.load(std::memory_order_relaxed);
  watch.started_at = x_shared.clock->now();
  if (auto spawned = x_spawner.spawn(context(slot, id.incarnation)); !spawned) {
    error = fmt::format("cannot start a worker: {}", std::strerror(static_cast<int>(spawned.error().offset)));
    return false;
  }
  watch.running = true;
  watch.respawn_at = 0;
  return true;
}

bool Supervisor::start() {
  for (std::uint16_t slot = 0; slot < x_posts.size(); ++slot) {
    if (spawn(slot, x_error)) continue;
    stop_workers();
    return false;
  }
  return true;
}

int Supervisor::run() {
  const sigset_t set = awaited_signals();
  while (!x_stopping && !x_gave_up) {
    const int timeout = wait_ms();
    siginfo_t info;
    timespec limit = {timeout / 1000, static_cast<long>(timeout % 1000) * kMillisecond};
    // With nothing to respawn there is no timeout: an idle supervisor never wakes up.
    const int signal = timeout < 0 ? sigwaitinfo(&set, &info) : sigtimedwait(&set, &info, &limit);
    if (signal > 0) handle_signal(signal);
    reap_all();
    respawn_due();
  }
  stop_workers();
  return x_gave_up ? 1 : 0;
}

int Supervisor::wait_ms() const {
  Instant next = 0;
  for (const Watch& watch : x_watch) {
    if (watch.respawn_at != 0 && (next == 0 || watch.respawn_at < next)) next = watch.respawn_at;
  }
  if (next == 0) return -1;
  return static_cast<int>(std::clamp<Instant>((next - x_shared.clock->now()) / kMillisecond + 1, 0, 5000));
}

/// What the operator asked for is told whatever the log level is.
void Supervisor::tell(std::string_view line) {
  x_log.sink().line(LogLevel::notice, line);
}

bool Supervisor::handle_signal(int signal) {
  switch (signal) {
    case SIGTERM:
    case SIGINT:
      tell(fmt::format("signal {} received, stopping", signal));
      x_stopping = true;
      return true;
    case SIGUSR1:
      report_statistics();
      return true;
    case SIGHUP:
      tell("SIGHUP received; ser goes on, restart it to read its configuration again");
      return true;
    default:
      return true;
  }
}

void Supervisor::reap_all() {
  WorkerExit ended;
  while (x_spawner.reap(ended)) note_death(ended);
}

/// Did it do something before it died? Only datagram workers count messages; of the others, who lived long
/// did.
bool Supervisor::has_worked(const WorkerExit& ended) const noexcept {
  const shm::WorkerSlot* slot = x_shared.slots->slot(ended.slot);
  const Watch& watch = x_watch[ended.slot];
  if (slot == nullptr) return false;
  if (x_posts[ended.slot].kind != shm::WorkerKind::datagram)
    return x_shared.clock->now() - watch.started_at > kSettled;
  return slot->messages.load(std::memory_order_relaxed) != watch.messages_at_start;
}

void Supervisor::note_death(const WorkerExit& ended) {
  const shm::WorkerSlot* slot = x_shared.slots->slot(ended.slot);
  Watch& watch = x_watch[ended.slot];
  watch.running = false;
  const std::uint32_t incarnation = slot != nullptr ? slot->incarnation.load(std::memory_order_relaxed) : 0;
  x_shared.slots->mark_dead(ended.slot, ended.signal);
  x_shared.slots->release_locks(x_shared.segment, ended.slot, {ended.slot, incarnation});
  if (x_stopping) return;
  Counters own = x_shared.pages->page(x_shared.slots->size());
  own.add(x_shared.server.deaths);
  const std::string name = worker_title(context(ended.slot, incarnation));
  if (ended.signal != 0) {
    LOG(x_log, alert, "{} died by signal {} ({}){}; replaced, the others go on", name, ended.signal,
        ::strsignal(ended.signal), ended.core ? ", core dumped" : "");
  } else {
    LOG(x_log, alert, "{} left with status {}; replaced, the others go on", name, ended.status);
  }
  const bool worked = has_worked(ended);
  if (worked || is_from_outside(ended.signal))
    watch.deaths_in_row = worked ? 0 : watch.deaths_in_row;
  else
    ++watch.deaths_in_row;
  if (watch.deaths_in_row >= kGiveUpAt) {
    LOG(x_log, alert, "{} died {} times in a row before it finished a message; giving up", name,
        watch.deaths_in_row);
    x_gave_up = true;
    return;
  }
  Instant delay = 0;
  if (watch.deaths_in_row >= kDelayFrom)
    delay = std::min(kLongestDelay, kFirstDelay << std::min(watch.deaths_in_row - kDelayFrom, 10U));
  watch.respawn_at = x_shared.clock->now() + delay;
}

void Supervisor::respawn_due() {
  if (x_stopping || x_gave_up) return;
  const Instant now = x_shared.clock->now();
  for (std::uint16_t slot = 0; slot < x_posts.size(); ++slot) {
    Watch& watch = x_watch[slot];
    if (watch.respawn_at == 0 || watch.respawn_at > now) continue;
    std::string error;
    if (spawn(slot, error)) {
      Counters own = x_shared.pages->page(x_shared.slots->size());
      own.add(x_shared.server.respawns);
      // It may have died between arming a timer, or leaving an event, and waking who waits for it.
      x_shared.timers->nudge();
      x_shared.event_inbox->nudge();
    } else {
      LOG(x_log, critical, "{}", error);
      watch.respawn_at = now + kLongestDelay;
    }
  }
}

void Supervisor::report_statistics() {
  const std::string text = statistics_text(x_shared);
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = text.find('\n', begin);
    tell(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
  }
  std::string error;
  if (!x_options.statistics_file.empty() && !write_statistics_file(x_options.statistics_file, text, error)) {
    LOG(x_log, error, "{}", error);
  }
}

void Supervisor::stop_workers() {
  x_stopping = true;
  const sigset_t set = awaited_signals();
  const Instant deadline = x_shared.clock->now() + x_options.stop_grace;
  bool killed = false;
  while (x_spawner.running() > 0) {
    const bool late = x_options.stop_grace != 0 && x_shared.clock->now() > deadline;
    for (std::uint16_t slot = 0; slot < x_posts.size(); ++slot) {
      if (!x_watch[slot].running) continue;
      x_shared.slots->stop(slot);
      if (late && !killed) LOG(x_log, warning, "{} does not stop, killed", worker_title(context(slot, 0)));
      if (late)
        x_spawner.kill(slot);
      else
        x_spawner.interrupt(slot);
    }
    killed = killed || late;
    x_shared.timers->nudge();
    x_shared.event_inbox->nudge();
    siginfo_t info;
    timespec limit = {0, kStopRepeatMs * kMillisecond};
    if (sigtimedwait(&set, &info, &limit) == SIGUSR1) report_statistics();
    reap_all();
  }
}

}  // namespace ser::srv
