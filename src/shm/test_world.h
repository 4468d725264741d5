// SPDX-License-Identifier: Apache-2.0
// What every test of this library needs: a small segment with heap and slots, and workers in it.
#pragma once
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "shm/heap.h"
#include "shm/segment.h"
#include "shm/slot.h"

namespace ser::shm {

inline SegmentOptions small_segment(std::uint64_t limit = std::uint64_t{64} << 20) {
  return {.size = std::size_t{512} << 20, .min_size = std::size_t{64} << 20, .limit = limit};
}

struct World {
  explicit World(std::uint64_t limit = std::uint64_t{64} << 20)
      : segment(std::move(*Segment::create(small_segment(limit)))),
        heap(*Heap::create(segment)),
        slots(*SlotTable::create(segment, 8)),
        check(slots) {}

  /// A new incarnation in the slot, as the supervisor and the worker would make it.
  Actor worker(std::uint16_t slot) {
    const WorkerId id = slots.begin(slot, WorkerKind::datagram);
    slots.started(slot, ::getpid());
    return {id, &slots.slot(slot)->held, &check};
  }
  /// What happens when a worker is found dead.
  SweepCursor bury(WorkerId dead) {
    slots.mark_dead(dead.slot, 9);
    slots.release_locks(segment, dead.slot, dead);
    Actor reaper = worker(7);
    SweepCursor cursor;
    while (!heap.sweep(reaper, Owner::worker(dead), cursor, 1000)) {
    }
    return cursor;
  }

  Segment segment;
  Heap heap;
  SlotTable slots;
  SlotOwnerCheck check;
};

/// Leaves the process at the n-th step of the ownership paths, as a kill there would.
class DieAt final : public FaultHook {
 public:
  explicit DieAt(int steps) noexcept : x_left(steps) {}
  void step() noexcept override {
    if (x_left-- == 0) ::_exit(42);
  }

 private:
  int x_left;
};

/// Runs `body` in a child that dies at step `steps`. True when it died there, false when it came to its end.
template <class F>
bool dies_at(int steps, Actor& self, F&& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    DieAt hook(steps);
    self.set_fault(&hook);
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

}  // namespace ser::shm
