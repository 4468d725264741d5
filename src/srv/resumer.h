// SPDX-License-Identifier: Apache-2.0
// Resumer: which runs wait for what, and going on with those that were answered. The logic of the event
// worker; knows no descriptor, no loop and never waits: flows use it on their virtual clock.
#pragma once
#include <cstdint>
#include <vector>

#include "net/dns_questions.h"
#include "net/resolver.h"
#include "proxy/suspender.h"
#include "shm/slot.h"
#include "srv/pipeline.h"
#include "srv/shared.h"

namespace ser::srv {

/// Everything here is private memory and can be made again from the cells in the segment: start() does. Its
/// size is bounded by max_suspended. Not thread-safe.
class Resumer final : public net::ResolverObserver {
 public:
  /// All outlive it. `services` and `pipeline` are the event worker's; `services.shared->suspender` is set.
  Resumer(Shared& shared, proxy::Services& services, Pipeline& pipeline, net::DnsQuestions& questions,
          shm::WorkerSlot& slot);
  ~Resumer() override;
  Resumer(const Resumer&) = delete;
  Resumer& operator=(const Resumer&) = delete;

  /// Once the questions are started: finds the runs that a predecessor left, and asks for their names.
  void start();
  /// An event of the inbox. False: it is not one of ours.
  bool on_event(const shm::Event& event);
  /// When the worker was woken: looks at all cells if somebody could not leave an event, or died. True: it
  /// did.
  bool rescan_if_asked();
  void on_resolved(std::string_view name, net::DnsType type, net::DnsStatus status) override;

  /// Goes on with the run that has been ready for longest, to its end or until it waits again. What it sends
  /// has gone to the sink: flush it. False: none is ready.
  bool resume_next();
  bool has_ready() const noexcept { return x_first_ready != kNone; }
  /// The server stops: who waits goes on without the answer.
  void expire_all();

 private:
  static constexpr std::uint32_t kNone = proxy::SuspendedRuns::kNone;
  enum class Place : std::uint8_t { nowhere, known, listed, ready };
  /// Of a cell, by its index. `next` and `before` link those of one bucket, or those that are ready.
  struct Node {
    std::uint32_t next = kNone;
    std::uint32_t before = kNone;
    std::uint32_t bucket = 0;
    Place place = Place::nowhere;
    bool asked = false;  ///< listed: the question is on its way
  };

  void look_at(std::uint32_t index);
  void list(std::uint32_t index);
  bool ask(std::uint32_t index);
  void ask_rest();
  void unlist(std::uint32_t index);
  void make_ready(std::uint32_t index);
  void answer(std::uint32_t index, bool expired);
  void set_known(std::int64_t change) noexcept;
  std::uint32_t bucket_of(std::string_view name, std::uint16_t type) const noexcept;
  void note_in_hand(const proxy::SuspendedRun& run) noexcept;

  Shared& x_shared;
  proxy::Services& x_services;
  proxy::Suspender& x_suspender;
  proxy::SuspendedRuns& x_runs;
  Pipeline& x_pipeline;
  net::DnsQuestions& x_questions;
  shm::WorkerSlot& x_slot;
  std::vector<Node> x_nodes;
  std::vector<std::uint32_t> x_buckets;
  std::uint32_t x_first_ready = kNone;
  std::uint32_t x_last_ready = kNone;
  std::uint32_t x_unasked = 0;  ///< listed, and their question could not be asked yet
  std::uint32_t x_ask_from = 0;
};

}  // namespace ser::srv
