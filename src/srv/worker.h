// SPDX-License-Identifier: Apache-2.0
// What every kind of worker has in common: its place in the segment and its services. A worker is the same
// object in a forked process and in a thread.
#pragma once
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "net/source_address.h"
#include "proxy/keeper.h"
#include "proxy/services.h"
#include "proxy/suspender.h"
#include "shm/actor.h"
#include "shm/chunk_source.h"
#include "shm/slot.h"
#include "srv/batch_sink.h"
#include "srv/shared.h"

namespace ser::srv {

class WorkerProcess;

/// multihomed source choice for a worker (`mhomed`).
class KernelSources final : public proxy::SourceService {
 public:
  KernelSources(std::span<const net::Listener> listeners, Clock& clock)
      : x_chooser(listeners, true), x_clock(clock) {}
  bool choose(TxTarget& target, const RxPacket& received) noexcept override;

 private:
  net::SourceChooser x_chooser;
  Clock& x_clock;
};

/// The private side of a worker. Made in the worker itself (after the fork, or in its thread).
class WorkerBase {
 public:
  explicit WorkerBase(const WorkerContext& context);
  virtual ~WorkerBase() = default;
  WorkerBase(const WorkerBase&) = delete;
  WorkerBase& operator=(const WorkerBase&) = delete;

  /// Works until the slot's stop flag is set; returns the exit status of a process. `process`: null in a
  /// thread.
  int run(WorkerProcess* process = nullptr);

 protected:
  /// The loop. Returns the exit status.
  virtual int work() = 0;
  /// A check word was found wrong since the start: leave with kExitDamaged.
  bool segment_is_damaged() const noexcept { return x_corruptions.load(std::memory_order_relaxed) != 0; }
  bool stopping() const noexcept { return x_slot.stop.load(std::memory_order_acquire) != 0; }
  void set_state(shm::WorkerState state) noexcept { x_slot.state.store(state, std::memory_order_release); }

  Shared& x_shared;
  WorkerContext x_context;
  shm::WorkerSlot& x_slot;
  const std::atomic<std::uint64_t>& x_corruptions;
  shm::SlotOwnerCheck x_owner_check;
  shm::Actor x_actor;
  shm::SlotChunks x_chunks;
  Logger x_log;
  SystemRandom x_random;
  Counters x_counters;
  BatchSink x_sink;
  CachedNames x_names;
  std::unique_ptr<KernelSources> x_sources;
  std::vector<void*> x_module_state;
  proxy::SharedServices x_shared_services;
  proxy::Suspender x_suspender;
  proxy::Services x_services;
  std::vector<std::unique_ptr<mod::WorkerState>> x_owned_state;
};

/// The worker of the kind the context asks for.
std::unique_ptr<WorkerBase> make_worker(const WorkerContext& context);

}  // namespace ser::srv
