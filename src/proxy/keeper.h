// SPDX-License-Identifier: Apache-2.0
// Keeping a message beyond the end of its handling (DESIGN 2.3): whoever keeps it gets its cells of the
// segment as they are, without a copy.
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "proxy/run.h"
#include "shm/heap.h"
#include "shm/inbox.h"
#include "shm/owner.h"
#include "shm/segment.h"
#include "shm/timers.h"

namespace ser::proxy {

class Suspender;

/// A message nobody works on just now: plain data, lies in the segment. Zero bytes: none. Whoever takes it up
/// makes an Arena of `arena`, gives it to message and edits (set_arena) and puts it down again at the end.
struct KeptMessage {
  RunState* state;   ///< in the arena, and the message with it
  KeptArena arena;   ///< valid once put_down() has run
  char* block;       ///< heap cell: the receive block, whose rest the arena began in
  char* whole_copy;  ///< heap cell of a datagram larger than a block; nullptr: it lies in the block
};
static_assert(shm::Storable<KeptMessage>);

/// Takes the message in hand away from the receive batch. The worker that received it.
class MessageKeeper {
 public:
  virtual ~MessageKeeper() = default;
  /// Gives block and whole copy of the run's message to `owner` and notes them in `kept`, which lies where
  /// `owner`'s cells are found after a death. The run goes on as before. Errc::no_memory: there is no other
  /// block to receive into; Errc::refused: the message does not lie in the segment. Then nothing changed.
  virtual Result<void> keep(const Run& run, shm::Owner owner, KeptMessage& kept) noexcept = 0;
};

/// What a worker lends to those who keep things in the segment. All outlive the worker's services.
struct SharedServices {
  shm::Segment& segment;
  shm::Heap& heap;
  shm::Actor& self;
  shm::Timers& timers;
  shm::Inbox& events;  ///< of the event worker
  ChunkSource& chunks;
  MessageKeeper* keeper = nullptr;  ///< null: this worker receives nothing
  Suspender* suspender = nullptr;   ///< null: no run can wait
  bool batches = false;  ///< what is sent is gathered, and mod::Module::after_flush() called when it has left
};

/// The end of a run whose message was kept: the arena is put down into `kept` and its chunks get `owner`.
/// Nothing of the message may be touched afterwards.
inline void put_down(const Run& run, SharedServices& shared, shm::Owner owner, KeptMessage& kept) noexcept {
  kept.state = &run.state();
  kept.arena = run.arena().put_down();
  Arena::for_each_chunk(kept.arena, [&](void* chunk) { shared.heap.transfer(chunk, owner); });
}

/// Frees all cells of a kept message and clears it. Each pointer goes before its cell, so that who finds us
/// dead frees nothing twice.
inline void free_kept(SharedServices& shared, KeptMessage& kept) noexcept {
  const KeptArena arena = kept.arena;
  kept.arena = {};
  kept.state = nullptr;
  shared.self.step();
  Arena::for_each_chunk(arena, [&](void* chunk) { shared.heap.free(shared.self, chunk); });
  for (char** cell : {&kept.whole_copy, &kept.block}) {
    char* at = *cell;
    if (at == nullptr) continue;
    *cell = nullptr;
    shared.self.step();
    shared.heap.free(shared.self, at);
  }
}

}  // namespace ser::proxy
