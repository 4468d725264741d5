// SPDX-License-Identifier: Apache-2.0
#include "srv/event_worker.h"

#include "srv/module_timers.h"
#include "srv/reaper.h"

namespace ser::srv {

EventWorker::EventWorker(const WorkerContext& context)
    : WorkerBase(context),
      x_loop(*context.shared.clock),
      x_resolver(x_loop, context.shared.dns, x_log, context.shared.resolver),
      x_work(context.shared, x_resolver.questions(), x_log) {
  x_work.set_modules([this](const shm::Event& event) {
    mod::WorkerContext worker{x_log, x_context.rank, x_services};
    if (ModuleTimers::pass_on(x_shared, event.type, event.words, worker)) x_sink.flush();
  });
}

void EventWorker::after_death() {
  mod::WorkerContext worker{x_log, x_context.rank, x_services};
  for (mod::Loaded& loaded : x_shared.registry->loaded()) loaded.module->after_death(worker);
  x_sink.flush();
}

void EventWorker::on_ready(int /*fd*/, std::uint32_t /*events*/) {
  x_shared.event_inbox->woke();
  // The supervisor wakes us after every death: what the dead one was writing is freed.
  x_work.reclaim();
  after_death();
  drain_inbox();
}

void EventWorker::drain_inbox() {
  do {
    x_work.drain();
  } while (!x_shared.event_inbox->prepare_sleep());
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
  while (!stopping()) {
    drain_inbox();
    set_state(shm::WorkerState::sleeping);
    if (auto ran = x_loop.run_once(-1); !ran) {
      LOG(x_log, critical, "event loop: {}", ran.error().what);
      return 1;
    }
    set_state(shm::WorkerState::working);
    if (segment_is_damaged()) return kExitDamaged;
  }
  set_state(shm::WorkerState::stopping);
  x_resolver.stop();
  return 0;
}

}  // namespace ser::srv
