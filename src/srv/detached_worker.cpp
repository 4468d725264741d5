// SPDX-License-Identifier: Apache-2.0
#include "srv/detached_worker.h"

#include <unistd.h>

#include <cstring>
#include <utility>

namespace ser::srv {

using shm::kRxBlock;

DetachedWorker::DetachedWorker(Shared& shared, std::uint16_t slot, shm::WorkerKind kind, int rank,
                               const Surroundings& around)
    : x_shared(shared),
      x_slot(*shared.slots->slot(slot)),
      x_owner_check(*shared.slots),
      x_actor(shared.slots->begin(slot, kind), &x_slot.held, &x_owner_check),
      x_chunks(*shared.heap, x_actor, shared.message_account),
      x_rank(rank),
      x_log(*shared.log_sink, static_cast<LogLevel>(shared.log_level)),
      x_counters(shared.pages->page(slot)),
      x_cached_names(shared.dns, *shared.name_requests, *shared.event_inbox, x_actor, *shared.clock,
                     x_counters, shared.server.dns_requests, shared.settings.dns_try_ipv6),
      x_state(shared.registry->loaded().size(), nullptr),
      x_shared_services{
          shared.segment,
          *shared.heap,
          x_actor,
          *shared.timers,
          *shared.event_inbox,
          x_chunks,
          kind == shm::WorkerKind::event ? static_cast<proxy::MessageKeeper*>(&x_suspender) : this,
          &x_suspender},
      x_suspender(*shared.suspended, x_shared_services),
      x_services{x_log,
                 *shared.clock,
                 around.random,
                 around.sink,
                 x_counters,
                 around.names != nullptr ? *around.names : x_cached_names,
                 around.sources,
                 shared.core,
                 shared.sockets,
                 shared.settings,
                 shared.segment.header().branch_key,
                 x_state,
                 nullptr,
                 slot,
                 nullptr,
                 nullptr,
                 &x_shared_services},
      x_vm(*shared.program, *shared.registry),
      x_pipeline(x_services, x_vm, shared.registry->loaded(), &x_slot) {
  shared.slots->started(slot, static_cast<std::int32_t>(::getpid()));
  x_services.script_state = &x_vm;
  if (kind == shm::WorkerKind::timer) x_services.routes = nullptr;
  x_pipeline.set_chunks(&x_chunks);
  mod::WorkerContext worker = module_context();
  for (mod::Loaded& loaded : shared.registry->loaded()) {
    x_owned.push_back(loaded.module->start_worker(worker));
    x_state[loaded.module->index] = x_owned.back().get();
  }
}

DetachedWorker::~DetachedWorker() {
  x_slot.script.store(nullptr, std::memory_order_relaxed);
}

Result<void> DetachedWorker::keep(const proxy::Run& run, shm::Owner owner,
                                  proxy::KeptMessage& kept) noexcept {
  const char* bytes = run.state().rx.bytes.data();
  const bool in_block = x_block != nullptr && bytes >= x_block && bytes < x_block + kRxBlock;
  if (!in_block && x_whole_copy == nullptr) return {Errc::refused, "the message does not lie in the segment"};
  kept.block = std::exchange(x_block, nullptr);
  kept.whole_copy = std::exchange(x_whole_copy, nullptr);
  x_shared.heap->transfer(kept.block, owner);
  if (kept.whole_copy != nullptr) x_shared.heap->transfer(kept.whole_copy, owner);
  return {};
}

bool DetachedWorker::receive(RxPacket packet) noexcept {
  shm::Heap& heap = *x_shared.heap;
  x_block =
      static_cast<char*>(heap.alloc(x_actor, kRxBlock, x_shared.message_account, shm::Priority::reserve));
  if (x_block == nullptr) return false;
  const std::size_t size = packet.bytes.size();
  std::size_t arena_from = (size + std::size_t{8}) & ~std::size_t{7};
  char* bytes = x_block;
  if (arena_from > kRxBlock) {
    bytes = x_whole_copy = static_cast<char*>(heap.alloc(x_actor, size + 1, x_shared.message_account));
    arena_from = 0;
  }
  if (bytes != nullptr) {
    std::memcpy(bytes, packet.bytes.data(), size);
    bytes[size] = '\0';
    packet.bytes = {bytes, size};
    Arena arena(x_block + arena_from, kRxBlock - arena_from, x_chunks);
    x_slot.stage.store(shm::Stage::received, std::memory_order_relaxed);
    x_pipeline.receive(packet, arena);
    x_slot.script.store(nullptr, std::memory_order_relaxed);
    x_slot.stage.store(shm::Stage::none, std::memory_order_relaxed);
  }
  heap.free(x_actor, std::exchange(x_whole_copy, nullptr));
  heap.free(x_actor, std::exchange(x_block, nullptr));
  return bytes != nullptr;
}

}  // namespace ser::srv
