// SPDX-License-Identifier: Apache-2.0
// DetachedWorker: what a worker is made of, without a process, a loop and sockets. Replays and flows take
// messages through it.
#pragma once
#include <memory>
#include <vector>

#include "proxy/suspender.h"
#include "script/vm.h"
#include "shm/chunk_source.h"
#include "srv/pipeline.h"
#include "srv/shared.h"

namespace ser::srv {

/// What else a worker gets from its surroundings. All outlive it.
struct Surroundings {
  PacketSink& sink;
  Random& random;
  proxy::NameService* names = nullptr;  ///< null: the shared cache, asked through the event worker's inbox
  proxy::SourceService* sources = nullptr;  ///< as in proxy::Services
};

/// Takes its slot of the segment, starts the modules in it and frees what it holds when it goes. One thread.
class DetachedWorker final : private proxy::MessageKeeper {
 public:
  /// `slot`: its index; `rank`: as modules see it. `shared` is that of a prepared server and outlives it.
  DetachedWorker(Shared& shared, std::uint16_t slot, shm::WorkerKind kind, int rank,
                 const Surroundings& around);
  DetachedWorker(const DetachedWorker&) = delete;
  DetachedWorker& operator=(const DetachedWorker&) = delete;
  ~DetachedWorker() override;

  /// One datagram as a receiver has it: copied into a block of the segment, which becomes the message's
  /// arena; a datagram that is too large for it into a cell of its own. The message may be kept
  /// (MessageKeeper), which a datagram worker's can. packet.bytes need not be followed by a NUL. False: no
  /// memory in the segment.
  bool receive(RxPacket packet) noexcept;

  shm::WorkerSlot& slot() noexcept { return x_slot; }
  shm::Actor& actor() noexcept { return x_actor; }
  Pipeline& pipeline() noexcept { return x_pipeline; }
  script::Vm& vm() noexcept { return x_vm; }
  proxy::Services& services() noexcept { return x_services; }
  proxy::Suspender& suspender() noexcept { return x_suspender; }
  Logger& log() noexcept { return x_log; }
  /// For what modules do outside of messages.
  mod::WorkerContext module_context() noexcept { return {x_log, x_rank, x_services}; }

 private:
  Result<void> keep(const proxy::Run& run, shm::Owner owner, proxy::KeptMessage& kept) noexcept override;

  Shared& x_shared;
  shm::WorkerSlot& x_slot;
  shm::SlotOwnerCheck x_owner_check;
  shm::Actor x_actor;
  shm::SlotChunks x_chunks;
  int x_rank;
  Logger x_log;
  Counters x_counters;
  CachedNames x_cached_names;
  std::vector<void*> x_state;
  std::vector<std::unique_ptr<mod::WorkerState>> x_owned;
  proxy::SharedServices x_shared_services;
  proxy::Suspender x_suspender;
  proxy::Services x_services;
  script::Vm x_vm;
  Pipeline x_pipeline;
  char* x_block = nullptr;       ///< of the message in hand, until somebody keeps it
  char* x_whole_copy = nullptr;  ///< the same, of a datagram larger than a block
};

}  // namespace ser::srv
