// SPDX-License-Identifier: Apache-2.0
// The event worker: epoll, inbox and resolver. It answers what other workers may not wait for.
#pragma once
#include "net/event_loop.h"
#include "net/resolver.h"
#include "srv/event_work.h"
#include "srv/worker.h"

namespace ser::srv {

class EventWorker final : public WorkerBase, private net::FdHandler {
 public:
  explicit EventWorker(const WorkerContext& context);

 private:
  int work() override;
  void on_ready(int fd, std::uint32_t events) override;
  void after_death();
  void drain_inbox();

  net::EventLoop x_loop;
  net::DnsResolver x_resolver;
  EventWork x_work;
};

}  // namespace ser::srv
