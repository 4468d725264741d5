// SPDX-License-Identifier: Apache-2.0
#include "proxy/suspended_runs.h"

#include <cassert>

namespace ser::proxy {

namespace {

using Stage = SuspendedRuns::Stage;

constexpr unsigned kGenerationAt = 36;
constexpr unsigned kStageAt = 32;
constexpr std::uint64_t kExpired = std::uint64_t{1} << 35;
constexpr std::uint64_t kStageMask = std::uint64_t{7} << kStageAt;
/// In `early` a stage that says: there is an answer.
constexpr std::uint64_t kAnswered = std::uint64_t{1} << kStageAt;
constexpr unsigned kTicketAt = 24;

std::uint64_t generation_of(std::uint64_t word) noexcept {
  return word >> kGenerationAt;
}
Stage stage_of(std::uint64_t word) noexcept {
  return static_cast<Stage>((word & kStageMask) >> kStageAt);
}
std::uint64_t make_word(std::uint64_t generation, Stage stage, std::uint32_t low) noexcept {
  return generation << kGenerationAt | std::uint64_t{static_cast<std::uint8_t>(stage)} << kStageAt | low;
}
std::uint64_t make_ready(std::uint64_t generation, const Answer& answer) noexcept {
  return make_word(generation, Stage::ready, static_cast<std::uint32_t>(answer.code)) |
         (answer.expired ? kExpired : 0);
}
Answer answer_of(std::uint64_t word) noexcept {
  return {static_cast<std::int32_t>(static_cast<std::uint32_t>(word)), (word & kExpired) != 0};
}
Ticket ticket_of(std::uint64_t word, std::uint32_t index) noexcept {
  return {(generation_of(word) + 1) << kTicketAt | index};
}
/// The next generation of the wait; overflow leaves the word.
std::uint64_t next_generation(std::uint64_t word) noexcept {
  return generation_of(word + (std::uint64_t{1} << kGenerationAt));
}

}  // namespace

Result<SuspendedRuns> SuspendedRuns::create(shm::Segment& segment, std::uint32_t capacity) noexcept {
  if (capacity > kMaxCapacity) return {Errc::out_of_range, "too many suspended runs"};
  auto* table = segment.reserve_object<Table>();
  void* words = segment.reserve(sizeof(std::atomic<std::uint64_t>) * (capacity + std::size_t{1}));
  void* cells = segment.reserve(sizeof(SuspendedRun) * (capacity + std::size_t{1}));
  if (table == nullptr || words == nullptr || cells == nullptr)
    return {Errc::no_space, "segment too small for suspended runs"};
  table->capacity = capacity;
  // Zero bytes are free cells of the first generation: nothing is touched.
  return SuspendedRuns(table, static_cast<std::atomic<std::uint64_t>*>(words),
                       static_cast<SuspendedRun*>(cells));
}

SuspendedRuns::Look SuspendedRuns::look(std::uint32_t index) const noexcept {
  if (index >= x_table->capacity) return {};
  const std::uint64_t word = x_words[index].load(std::memory_order_acquire);
  return {stage_of(word), ticket_of(word, index)};
}

std::uint32_t SuspendedRuns::take(shm::Actor& self) const noexcept {
  const std::uint32_t capacity = x_table->capacity;
  const std::uint32_t from = x_table->hint.load(std::memory_order_relaxed);
  for (std::uint32_t n = 0; n < capacity; ++n) {
    const std::uint32_t index = (from + n) % capacity;
    std::uint64_t word = x_words[index].load(std::memory_order_relaxed);
    // A timer that could not be cancelled, because a stopped worker held its lock, keeps the cell for now.
    if (stage_of(word) != Stage::free || shm::Timers::armed(x_cells[index].timer)) continue;
    if (!x_words[index].compare_exchange_strong(
            word, make_word(generation_of(word), Stage::taken, self.lock_word()), std::memory_order_acquire,
            std::memory_order_relaxed))
      continue;
    self.step();
    x_table->hint.store(index + 1, std::memory_order_relaxed);
    SuspendedRun& cell = x_cells[index];
    cell.message = {};
    cell.machine = nullptr;
    cell.name = {};
    cell.progress = 0;
    cell.deadline = 0;
    return index;
  }
  return kNone;
}

Ticket SuspendedRuns::begin_wait(std::uint32_t index) const noexcept {
  const std::uint64_t word = x_words[index].load(std::memory_order_relaxed);
  assert(stage_of(word) == Stage::taken || stage_of(word) == Stage::running);
  const std::uint64_t next =
      make_word(next_generation(word), stage_of(word), static_cast<std::uint32_t>(word));
  x_words[index].store(next, std::memory_order_seq_cst);
  return ticket_of(next, index);
}

bool SuspendedRuns::publish(shm::Actor& self, std::uint32_t index) const noexcept {
  const std::uint64_t generation = generation_of(x_words[index].load(std::memory_order_relaxed));
  std::uint64_t waiting = make_word(generation, Stage::waiting, 0);
  self.step();
  // seq_cst on both sides: either we see the early answer or who gives it sees that the run waits.
  x_words[index].store(waiting, std::memory_order_seq_cst);
  self.step();
  const std::uint64_t early = x_cells[index].early.load(std::memory_order_seq_cst);
  if ((early & kAnswered) == 0 || generation_of(early) != generation) return false;
  return x_words[index].compare_exchange_strong(waiting, make_ready(generation, answer_of(early)),
                                                std::memory_order_seq_cst);
}

void SuspendedRuns::release(std::uint32_t index) const noexcept {
  const std::uint64_t word = x_words[index].load(std::memory_order_relaxed);
  x_table->hint.store(index, std::memory_order_relaxed);
  x_words[index].store(make_word(next_generation(word), Stage::free, 0), std::memory_order_seq_cst);
}

bool SuspendedRuns::answer(Ticket ticket, const Answer& answer) const noexcept {
  const std::uint32_t index = index_of(ticket);
  if (!ticket || index >= x_table->capacity) return false;
  const std::uint64_t generation = (ticket.value >> kTicketAt) - 1;
  const std::uint64_t early = (make_ready(generation, answer) & ~kStageMask) | kAnswered;
  bool told = false;
  for (;;) {
    std::uint64_t word = x_words[index].load(std::memory_order_seq_cst);
    if (generation_of(word) != generation) return false;
    switch (stage_of(word)) {
      case Stage::waiting:
        if (x_words[index].compare_exchange_strong(word, make_ready(generation, answer),
                                                   std::memory_order_seq_cst))
          return true;
        break;
      case Stage::taken:
      case Stage::running: {
        if (told) return true;
        std::uint64_t before = x_cells[index].early.load(std::memory_order_relaxed);
        const bool answered = (before & kAnswered) != 0 && generation_of(before) == generation;
        if (answered) return false;
        told = x_cells[index].early.compare_exchange_strong(before, early, std::memory_order_seq_cst);
        break;
      }
      case Stage::ready:
        return told;
      case Stage::free:
        return false;
    }
  }
}

bool SuspendedRuns::claim(std::uint32_t index, shm::Actor& self, Answer& out) const noexcept {
  if (index >= x_table->capacity) return false;
  std::uint64_t word = x_words[index].load(std::memory_order_relaxed);
  if (stage_of(word) != Stage::ready) return false;
  const std::uint64_t running = make_word(generation_of(word), Stage::running, self.lock_word());
  if (!x_words[index].compare_exchange_strong(word, running, std::memory_order_acq_rel)) return false;
  self.step();
  out = answer_of(word);
  return true;
}

void SuspendedRuns::bury(shm::Timers& timers, shm::Actor& self, std::uint32_t index) const noexcept {
  timers.cancel(self, x_cells[index].timer);
  x_cells[index].message = {};
  self.step();
  release(index);
}

std::uint32_t SuspendedRuns::next_held(std::uint32_t index, shm::WorkerId dead) const noexcept {
  const std::uint32_t holder = shm::Actor::lock_word(dead);
  for (; index < x_table->capacity; ++index) {
    const std::uint64_t word = x_words[index].load(std::memory_order_acquire);
    const Stage stage = stage_of(word);
    if ((stage == Stage::taken || stage == Stage::running) && static_cast<std::uint32_t>(word) == holder)
      return index;
  }
  return kNone;
}

}  // namespace ser::proxy
