// SPDX-License-Identifier: Apache-2.0
#include "srv/event_worker.h"

#include "srv/module_timers.h"
#include "srv/reaper.h"

namespace ser::srv {

namespace {
/// Runs that are resumed before sockets and inbox are looked at again.
constexpr unsigned kRound = 32;
/// For those that still wait when the server stops.
constexpr Instant kStopTime = 500'000'000;
}  // namespace

EventWorker::EventWorker(const WorkerContext& context)
    : WorkerBase(context),
      x_vm(*context.shared.program, *context.shared.registry),
      x_pipeline(x_services, x_vm, context.shared.registry->loaded(), &x_slot),
      x_loop(*context.shared.clock),
      x_resolver(x_loop, context.shared.dns, x_log, context.shared.resolver),
      x_resumer(context.shared, with_script(), x_pipeline, x_resolver.questions(), x_slot),
      x_work(context.shared, x_resolver.questions(), x_resumer, x_log) {
  x_work.set_modules([this](const shm::Event& event) {
    mod::WorkerContext worker{x_log, x_context.rank, x_services};
    if (ModuleTimers::pass_on(x_shared, event.type, event.words, worker)) flush();
  });
}

void EventWorker::after_death() {
  mod::WorkerContext worker{x_log, x_context.rank, x_services};
  for (mod::Loaded& loaded : x_shared.registry->loaded()) loaded.module->after_death(worker);
  flush();
}

/// What waits for the datagrams to have left may lead to more.
void EventWorker::flush() noexcept {
  do {
    x_sink.flush();
    x_pipeline.flushed();
  } while (!x_sink.empty());
}

/// What runs need of the services.
proxy::Services& EventWorker::with_script() noexcept {
  x_services.script_state = &x_vm;
  x_shared_services.keeper = &x_suspender;
  x_shared_services.batches = true;
  x_pipeline.set_chunks(&x_chunks);
  return x_services;
}

void EventWorker::on_ready(int /*fd*/, std::uint32_t /*events*/) {
  x_shared.event_inbox->woke();
  // The supervisor wakes us after every death: what the dead one was writing is freed.
  if (x_work.reclaim()) after_death();
}

/// True: more runs are ready.
bool EventWorker::resume_some() {
  for (unsigned n = 0; n < kRound && x_resumer.resume_next(); ++n) flush();
  return x_resumer.has_ready();
}

/// True: there is more to do, do not sleep.
bool EventWorker::work_off() {
  do {
    x_work.drain();
    if (resume_some()) return true;
  } while (!x_shared.event_inbox->prepare_sleep());
  return false;
}

/// Nobody is left without an answer, as far as the time reaches.
void EventWorker::finish_suspended() {
  x_work.drain();
  x_resumer.expire_all();
  const Instant end = x_shared.clock->now() + kStopTime;
  while (x_shared.clock->now() < end && x_resumer.resume_next()) flush();
}

int EventWorker::work() {
  x_work.start();
  after_death();
  if (auto opened = x_loop.open(x_shared.event_wake.get()); !opened) {
    LOG(x_log, critical, "event loop: {}", opened.error().what);
    return 1;
  }
  x_loop.set_wake_handler(this);
  if (auto started = x_resolver.start(); !started) {
    LOG(x_log, error, "resolver: {}; host names will not be resolved", started.error().what);
  }
  x_work.find_suspended();
  while (!stopping()) {
    const bool more = work_off();
    if (!more) set_state(shm::WorkerState::sleeping);
    if (auto ran = x_loop.run_once(more ? 0 : -1); !ran) {
      LOG(x_log, critical, "event loop: {}", ran.error().what);
      return 1;
    }
    set_state(shm::WorkerState::working);
    if (segment_is_damaged()) return kExitDamaged;
  }
  set_state(shm::WorkerState::stopping);
  finish_suspended();
  x_resolver.stop();
  return 0;
}

}  // namespace ser::srv
