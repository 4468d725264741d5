// SPDX-License-Identifier: Apache-2.0
// The event worker: epoll, inbox and resolver. It answers what other workers may not wait for, and goes on
// with the script runs that waited.
#pragma once
#include "net/event_loop.h"
#include "net/resolver.h"
#include "script/vm.h"
#include "srv/event_work.h"
#include "srv/pipeline.h"
#include "srv/resumer.h"
#include "srv/worker.h"

namespace ser::srv {

class EventWorker final : public WorkerBase, private net::FdHandler {
 public:
  explicit EventWorker(const WorkerContext& context);

 private:
  int work() override;
  void on_ready(int fd, std::uint32_t events) override;
  void flush() noexcept;
  void after_death();
  proxy::Services& with_script() noexcept;
  bool work_off();
  bool resume_some();
  void finish_suspended();

  script::Vm x_vm;
  Pipeline x_pipeline;
  net::EventLoop x_loop;
  net::DnsResolver x_resolver;
  Resumer x_resumer;
  EventWork x_work;
};

}  // namespace ser::srv
