// SPDX-License-Identifier: Apache-2.0
// What the event worker does with the events of its inbox. Knows no descriptor and never waits: the event
// worker calls it around its loop, flows on their virtual clock.
#pragma once
#include <functional>

#include "base/log.h"
#include "net/dns_questions.h"
#include "srv/shared.h"

namespace ser::srv {

class EventWork {
 public:
  /// All outlive it.
  EventWork(Shared& shared, net::DnsQuestions& questions, Logger& log) noexcept
      : x_shared(shared), x_questions(questions), x_log(log) {}

  /// At the start of the worker, before the questions are started: what a predecessor left half done is put
  /// right, and the names of the configuration are kept fresh from now on.
  void start();
  /// Requests for names whose writer died are freed; after a death somebody calls it.
  void reclaim() noexcept { x_shared.name_requests->reclaim(x_shared.clock->now()); }
  /// Who gets the events that are not about names: the modules.
  void set_modules(std::function<void(const shm::Event&)> modules) { x_modules = std::move(modules); }
  /// Handles every event that is in the inbox.
  void drain();

 private:
  void ask_for(std::uint32_t index);

  Shared& x_shared;
  net::DnsQuestions& x_questions;
  Logger& x_log;
  std::function<void(const shm::Event&)> x_modules;
};

}  // namespace ser::srv
