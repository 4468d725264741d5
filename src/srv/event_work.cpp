// SPDX-License-Identifier: Apache-2.0
#include "srv/event_work.h"

namespace ser::srv {

void EventWork::start() {
  net::DnsCache cache = x_shared.dns;
  cache.repair();
  x_shared.name_requests->reclaim(x_shared.clock->now());
  for (const std::string& name : x_shared.config_names) {
    static_cast<void>(x_questions.keep_fresh(name, net::DnsType::a));
    if (x_shared.settings.dns_try_ipv6) static_cast<void>(x_questions.keep_fresh(name, net::DnsType::aaaa));
  }
}

void EventWork::ask_for(std::uint32_t index) {
  char name[256];
  std::uint16_t length = 0;
  net::DnsType type = net::DnsType::a;
  if (!x_shared.name_requests->take(index, name, length, type)) return;
  if (auto asked = x_questions.request({name, length}, type); !asked) {
    LOG(x_log, info, "'{}' is not looked up: {}", std::string_view(name, length), asked.error().what);
  }
}

void EventWork::drain() {
  shm::Event event;
  while (x_shared.event_inbox->pop(event)) {
    if (event.type == kEventNameRequest)
      ask_for(static_cast<std::uint32_t>(event.words[0]));
    else if (!x_resumer.on_event(event) && x_modules)
      x_modules(event);
  }
}

}  // namespace ser::srv
