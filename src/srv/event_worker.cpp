// SPDX-License-Identifier: Apache-2.0
#include "srv/event_worker.h"

#include "srv/reaper.h"

namespace ser::srv {

EventWorker::EventWorker(const WorkerContext& context)
    : WorkerBase(context),
      x_loop(*context.shared.clock),
      x_resolver(x_loop, context.shared.dns, x_log, context.shared.resolver) {}

void EventWorker::on_ready(int /*fd*/, std::uint32_t /*events*/) {
  x_shared.event_inbox->woke();
  // The supervisor wakes us after every death: what the dead one was writing is freed.
  x_shared.name_requests->reclaim(x_shared.clock->now());
  drain_inbox();
}

void EventWorker::ask_for(std::uint32_t index) {
  char name[256];
  std::uint16_t length = 0;
  net::DnsType type = net::DnsType::a;
  if (!x_shared.name_requests->take(index, name, length, type)) return;
  if (auto asked = x_resolver.request({name, length}, type); !asked) {
    LOG(x_log, info, "'{}' is not looked up: {}", std::string_view(name, length), asked.error().what);
  }
}

void EventWorker::drain_inbox() {
  shm::Event event;
  do {
    while (x_shared.event_inbox->pop(event)) {
      if (event.type == kEventNameRequest) ask_for(static_cast<std::uint32_t>(event.words[0]));
    }
  } while (!x_shared.event_inbox->prepare_sleep());
}

int EventWorker::work() {
  net::DnsCache cache = x_shared.dns;
  cache.repair();
  x_shared.name_requests->reclaim(x_shared.clock->now());
  if (auto opened = x_loop.open(x_shared.event_wake.get()); !opened) {
    LOG(x_log, critical, "event loop: {}", opened.error().what);
    return 1;
  }
  x_loop.set_wake_handler(this);
  for (const std::string& name : x_shared.config_names) {
    static_cast<void>(x_resolver.keep_fresh(name, net::DnsType::a));
    if (x_shared.settings.dns_try_ipv6) static_cast<void>(x_resolver.keep_fresh(name, net::DnsType::aaaa));
  }
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
