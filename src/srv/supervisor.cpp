// SPDX-License-Identifier: Apache-2.0
#include "srv/supervisor.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>

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
/// How often a reaper at work is looked at; only while a successor waits for one.
constexpr int kReaperPollMs = 1;
/// How often it is looked whether what has begun has ended, while the server closes.
constexpr int kClosingPollMs = 50;
/// So long nothing may be unfinished before it stops: the ACK to the last 200 is on its way.
constexpr Instant kQuiet = 500 * kMillisecond;

sigset_t awaited_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

Supervisor::Supervisor(Shared& shared, Spawner& spawner, std::vector<Post> posts, SupervisorOptions options,
                       Logger& log)
    : x_shared(shared),
      x_spawner(spawner),
      x_posts(std::move(posts)),
      x_watch(x_posts.size()),
      x_options(std::move(options)),
      x_log(log),
      x_reapers(shared, spawner, worker_slots(), log) {}

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
  watch.incarnation = id.incarnation;
  if (auto spawned = x_spawner.spawn(context(slot, id.incarnation)); !spawned) {
    error = fmt::format("cannot start a worker: {}", std::strerror(static_cast<int>(spawned.error().offset)));
    return false;
  }
  watch.running = true;
  watch.respawn_at = 0;
  return true;
}

bool Supervisor::start() {
  for (std::uint16_t slot = 0; slot < worker_slots(); ++slot) {
    if (spawn(slot, x_error)) continue;
    stop_workers();
    return false;
  }
  return true;
}

int Supervisor::run() {
  const sigset_t set = awaited_signals();
  while (!x_stopping && !x_gave_up && !x_damaged) {
    const int timeout = wait_ms();
    siginfo_t info;
    timespec limit = {timeout / 1000, static_cast<long>(timeout % 1000) * kMillisecond};
    // With nothing to respawn there is no timeout: an idle supervisor never wakes up.
    const int signal = timeout < 0 ? sigwaitinfo(&set, &info) : sigtimedwait(&set, &info, &limit);
    if (signal > 0) handle_signal(signal);
    reap_all();
    look_after_reapers();
    respawn_due();
    look_after_closing();
  }
  // Who closes does not begin anew.
  if (x_damaged && !x_stopping && x_closing_until == 0) {
    kill_workers();
    return x_gave_up ? 1 : kExitDamaged;
  }
  stop_workers();
  return x_gave_up ? 1 : 0;
}

int Supervisor::wait_ms() const {
  if (x_reapers.pending()) return kReaperPollMs;
  Instant next = 0;
  for (const Watch& watch : x_watch) {
    if (watch.respawn_at != 0 && (next == 0 || watch.respawn_at < next)) next = watch.respawn_at;
  }
  const int longest = x_closing_until != 0 ? kClosingPollMs : 5000;
  if (next == 0) return x_closing_until != 0 ? longest : -1;
  return static_cast<int>(std::clamp<Instant>((next - x_shared.clock->now()) / kMillisecond + 1, 0, longest));
}

/// What the operator asked for is told whatever the log level is.
void Supervisor::tell(std::string_view line) {
  x_log.sink().line(LogLevel::notice, line);
}

bool Supervisor::handle_signal(int signal) {
  switch (signal) {
    case SIGTERM:
    case SIGINT:
      on_stop_signal(signal);
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

/// The first one closes the door when a grace is configured and something is to be waited for; the second
/// stops at once.
void Supervisor::on_stop_signal(int signal) {
  const std::uint64_t open = x_options.shutdown_grace != 0 && x_closing_until == 0 ? unfinished() : 0;
  if (open == 0) {
    tell(fmt::format("signal {} received, stopping", signal));
    x_stopping = true;
    return;
  }
  tell(
      fmt::format("signal {} received: new requests get 503, {} transactions may end within {} s; "
                  "the next signal stops at once",
                  signal, open, x_options.shutdown_grace / (1000 * kMillisecond)));
  x_closing_until = x_shared.clock->now() + x_options.shutdown_grace;
  x_shared.closing->store(1, std::memory_order_relaxed);
}

std::uint64_t Supervisor::unfinished() const {
  std::uint64_t sum = 0;
  for (const mod::Loaded& loaded : x_shared.registry->loaded())
    sum += loaded.module->unfinished(*x_shared.pages);
  return sum;
}

void Supervisor::look_after_closing() {
  if (x_closing_until == 0 || x_stopping) return;
  const Instant now = x_shared.clock->now();
  const std::uint64_t open = unfinished();
  if (open != 0)
    x_quiet_since = 0;
  else if (x_quiet_since == 0)
    x_quiet_since = now;
  const bool quiet = x_quiet_since != 0 && now - x_quiet_since >= kQuiet;
  if (!quiet && now < x_closing_until) return;
  tell(open == 0 ? std::string("all transactions have ended, stopping")
                 : fmt::format("shutdown_grace is over with {} transactions unfinished, stopping", open));
  x_stopping = true;
}

void Supervisor::reap_all() {
  WorkerExit ended;
  while (x_spawner.reap(ended)) {
    if (x_reapers.owns(ended.slot))
      x_reapers.ended(ended);
    else
      note_death(ended);
  }
}

/// The first page of the segment and the magic of slots are all that is looked at: no pointer is followed.
bool Supervisor::segment_is_damaged() const noexcept {
  const shm::SegmentHeader& header = x_shared.segment.header();
  return header.magic != shm::SegmentHeader::kMagic ||
         header.corruptions.load(std::memory_order_acquire) != 0;
}

void Supervisor::look_after_reapers() {
  if (x_stopping || x_gave_up) return;
  const Instant now = x_shared.clock->now();
  x_reapers.advance(now);
  for (std::uint16_t slot = 0; x_reapers.take_ready(slot);) {
    Watch& watch = x_watch[slot];
    watch.respawn_at = std::max(watch.not_before, now);
  }
  if (x_found_damage || x_reapers.damaged() || segment_is_damaged()) {
    const shm::SegmentHeader& header = x_shared.segment.header();
    LOG(x_log, alert,
        "the shared segment was overwritten; all workers are replaced, on a new one (check {} at {:#x})",
        header.corrupt_line.load(std::memory_order_relaxed),
        header.corrupt_at.load(std::memory_order_relaxed));
    x_damaged = true;
  }
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
  x_shared.slots->mark_dead(ended.slot, ended.signal);
  if (x_stopping) return;
  own_counters().add(x_shared.server.deaths);
  const std::string name = worker_title(context(ended.slot, watch.incarnation));
  // The status alone could be anybody's: a module may have called exit().
  const bool says_damaged = ended.signal == 0 && ended.status == kExitDamaged && segment_is_damaged();
  if (ended.signal != 0) {
    LOG(x_log, alert, "{} died by signal {} ({}){}; replaced, the others go on", name, ended.signal,
        ::strsignal(ended.signal), ended.core ? ", core dumped" : "");
  } else if (says_damaged) {
    LOG(x_log, alert, "{} found the shared segment overwritten", name);
  } else {
    LOG(x_log, alert, "{} left with status {}; replaced, the others go on", name, ended.status);
  }
  // Looked at again by look_after_reapers(), which tells where the damage is.
  if (slot == nullptr || says_damaged) {
    x_found_damage = true;
    return;
  }
  count_in_row(ended, name);
  if (x_gave_up || x_damaged) return;
  x_reapers.add({{ended.slot, watch.incarnation},
                 x_posts[ended.slot].kind,
                 ended.pid,
                 ended.signal,
                 ended.status,
                 ended.core});
}

/// Deaths in a row before a message was finished, and what follows from them.
void Supervisor::count_in_row(const WorkerExit& ended, const std::string& name) {
  Watch& watch = x_watch[ended.slot];
  watch.not_before = 0;
  if (has_worked(ended)) watch.deaths_in_row = 0;
  if (has_worked(ended) || is_from_outside(ended.signal)) return;
  ++watch.deaths_in_row;
  if (watch.deaths_in_row >= kGiveUpAt) {
    LOG(x_log, alert, "{} died {} times in a row before it finished a message; giving up", name,
        watch.deaths_in_row);
    x_gave_up = true;
    return;
  }
  if (watch.deaths_in_row == kRenewAt && x_options.may_renew) {
    LOG(x_log, alert, "{} died {} times in a row; the shared segment is made anew", name,
        watch.deaths_in_row);
    x_damaged = true;
    return;
  }
  if (watch.deaths_in_row < kDelayFrom) return;
  const Instant delay =
      std::min(kLongestDelay, kFirstDelay << std::min(watch.deaths_in_row - kDelayFrom, 10U));
  watch.not_before = x_shared.clock->now() + delay;
}

/// The page of counters after those of the workers.
Counters Supervisor::own_counters() const noexcept {
  return x_shared.pages->page(worker_slots());
}

void Supervisor::respawn_due() {
  if (x_stopping || x_gave_up) return;
  const Instant now = x_shared.clock->now();
  for (std::uint16_t slot = 0; slot < worker_slots(); ++slot) {
    Watch& watch = x_watch[slot];
    if (watch.respawn_at == 0 || watch.respawn_at > now) continue;
    std::string error;
    if (spawn(slot, error)) {
      own_counters().add(x_shared.server.respawns);
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

bool Supervisor::end_worker(std::uint16_t slot, bool by_force) noexcept {
  return by_force ? x_spawner.kill(slot) : x_spawner.interrupt(slot);
}

/// The way to those we may not signal (a root without CAP_KILL, workers of another user; the kernel's
/// PR_SET_PDEATHSIG is refused there as well): a shut socket wakes everybody who sleeps in its receive call.
void Supervisor::wake_receivers() noexcept {
  for (const auto* sockets : {&x_shared.udp, &x_shared.further_udp}) {
    for (const net::UdpSocket& socket : *sockets) ::shutdown(socket.fd.get(), SHUT_RD);
  }
}

void Supervisor::stop_workers() {
  x_stopping = true;
  const sigset_t set = awaited_signals();
  const Instant deadline = x_shared.clock->now() + x_options.stop_grace;
  bool killed = false;
  bool refused = false;
  while (x_spawner.running() > 0) {
    const bool late = x_options.stop_grace != 0 && x_shared.clock->now() > deadline;
    for (std::uint16_t slot = 0; slot < x_shared.slots->size(); ++slot) {
      if (x_reapers.owns(slot)) {
        if (late) x_spawner.kill(slot);
        continue;
      }
      if (!x_watch[slot].running) continue;
      x_shared.slots->stop(slot);
      if (late && !killed) LOG(x_log, warning, "{} does not stop, killed", worker_title(context(slot, 0)));
      refused = !end_worker(slot, late) || refused;
    }
    if (late && refused) {
      LOG(x_log, alert, "{} workers of another user are left behind: without CAP_KILL they cannot be killed",
          x_spawner.running());
      return;
    }
    if (refused) wake_receivers();
    killed = killed || late;
    x_shared.timers->nudge();
    x_shared.event_inbox->nudge();
    siginfo_t info;
    timespec limit = {0, kStopRepeatMs * kMillisecond};
    if (sigtimedwait(&set, &info, &limit) == SIGUSR1) report_statistics();
    reap_all();
  }
}

/// For a segment that cannot be trusted: no flag in it is waited for, nothing in it is repaired.
void Supervisor::kill_workers() {
  const sigset_t set = awaited_signals();
  while (x_spawner.running() > 0) {
    bool refused = false;
    for (std::uint16_t slot = 0; slot < x_shared.slots->size(); ++slot) {
      x_shared.slots->stop(slot);  // for workers that are threads
      refused = !x_spawner.kill(slot) || refused;
    }
    if (refused) {
      LOG(x_log, alert, "workers of another user cannot be replaced without CAP_KILL; giving up");
      x_gave_up = true;
      stop_workers();
      return;
    }
    x_shared.timers->nudge();
    x_shared.event_inbox->nudge();
    siginfo_t info;
    timespec limit = {0, kReaperPollMs * kMillisecond};
    const int signal = sigtimedwait(&set, &info, &limit);
    if (signal == SIGTERM || signal == SIGINT) x_stopping = true;
    WorkerExit ended;
    while (x_spawner.reap(ended)) {
    }
  }
}

}  // namespace ser::srv
