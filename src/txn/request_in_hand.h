// SPDX-License-Identifier: Apache-2.0
// RequestInHand: the request of a transaction as a run of this worker, for as long as the object lives.
#pragma once
#include "proxy/keeper.h"
#include "txn/engine.h"

namespace ser::txn {

/// Takes the kept request up and puts it down again. The transaction is held by us, and its request is not in
/// the hands of the run that made it.
class Engine::RequestInHand {
 public:
  RequestInHand(proxy::Services& services, Transaction& transaction) noexcept
      : x_transaction(transaction),
        x_chunks(*services.shared, transaction.owner()),
        x_arena(transaction.request.arena, x_chunks),
        x_run(*transaction.request.state, services) {
    transaction.in_hand = true;
    proxy::RunState& state = *transaction.request.state;
    state.message->set_arena(x_arena);
    if (state.edits != nullptr) state.edits->set_arena(x_arena);
  }
  RequestInHand(const RequestInHand&) = delete;
  RequestInHand& operator=(const RequestInHand&) = delete;
  ~RequestInHand() {
    proxy::put_down(x_run, *x_run.services().shared, x_transaction.owner(), x_transaction.request);
    x_transaction.in_hand = false;
  }
  proxy::Run& run() noexcept { return x_run; }

 private:
  /// Chunks that are the transaction's from the start: what is linked to it outlives our death.
  class Chunks final : public ChunkSource {
   public:
    Chunks(proxy::SharedServices& shared, shm::Owner owner) noexcept : x_shared(shared), x_owner(owner) {}
    void* take(std::size_t& bytes) noexcept override {
      void* chunk = x_shared.chunks.take(bytes);
      if (chunk != nullptr) x_shared.heap.transfer(chunk, x_owner);
      return chunk;
    }
    void give(void* chunk, std::size_t /*bytes*/) noexcept override {
      x_shared.heap.free(x_shared.self, chunk);
    }

   private:
    proxy::SharedServices& x_shared;
    shm::Owner x_owner;
  };

  Transaction& x_transaction;
  Chunks x_chunks;
  Arena x_arena;
  proxy::Run x_run;
};

}  // namespace ser::txn
