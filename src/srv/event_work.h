// SPDX-License-Identifier: Apache-2.0
// What the event worker does with the events of its inbox. Knows no descriptor and never waits: the event
// worker calls it around its loop, flows on their virtual clock.
#pragma once
#include <functional>

#include "base/log.h"
#include "net/dns_questions.h"
#include "srv/resumer.h"
#include "srv/shared.h"

namespace ser::srv {

class EventWork {
 public:
  /// All outlive it.
  EventWork(Shared& shared, net::DnsQuestions& questions, Resumer& resumer, Logger& log) noexcept
      : x_shared(shared), x_questions(questions), x_resumer(resumer), x_log(log) {}

  /// At the start of the worker, before the questions are started: what a predecessor left half done is put
  /// right, and the names of the configuration are kept fresh from now on.
  void start();
  /// Once the questions are started: the suspended runs that a predecessor left are found.
  void find_suspended() { x_resumer.start(); }
  /// Requests for names whose writer died are freed, and runs it suspended found; after a death somebody
  /// calls it. True: there was a death, and modules want to hear of it.
  bool reclaim() {
    x_shared.name_requests->reclaim(x_shared.clock->now());
    return x_resumer.rescan_if_asked();
  }
  /// Who gets the events that are neither about names nor about runs: the modules.
  void set_modules(std::function<void(const shm::Event&)> modules) { x_modules = std::move(modules); }
  /// Handles every event that is in the inbox. Runs that became ready are Resumer::resume_next()'s.
  void drain();

 private:
  void ask_for(std::uint32_t index);

  Shared& x_shared;
  net::DnsQuestions& x_questions;
  Resumer& x_resumer;
  Logger& x_log;
  std::function<void(const shm::Event&)> x_modules;
};

}  // namespace ser::srv
