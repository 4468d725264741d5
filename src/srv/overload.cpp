// SPDX-License-Identifier: Apache-2.0
#include "srv/overload.h"

namespace ser::srv {

Episode::Change Episode::update(bool holds, Instant now) noexcept {
  if (holds) {
    x_held = now;
    if (x_going_on) return {};
    x_going_on = true;
    x_began = now;
    x_told = now - x_line >= kQuiet;
    if (x_told) x_line = now;
    return {true, false, x_told};
  }
  if (!x_going_on || now - x_held < kCalm) return {};
  x_going_on = false;
  return {false, true, x_told};
}

Overload::Verdict Overload::judge(unsigned received, shm::Pressure pressure, Instant now) noexcept {
  const bool full = received >= shm::kRxBatch;
  const bool was_refusing = x_refusing;
  Verdict verdict;
  // A full batch after a long pause goes on with nothing: the queue was empty in between.
  verdict.backlog = x_backlog.update(false, now);
  if (verdict.backlog.ended) x_refusing = false;
  x_full = full ? (verdict.backlog.ended ? 1 : x_full + 1) : 0;
  if (x_refusing) {
    x_refusing = received > shm::kRxBatch / 2;
    if (!x_refusing) x_full = 0;
  } else if (x_batches != 0) {
    x_refusing = x_full >= (x_backlog.going_on() ? x_again : x_batches);
  }
  if (x_refusing) verdict.backlog = x_backlog.update(true, now);
  verdict.switched = x_refusing != was_refusing;
  const bool scarce = pressure != shm::Pressure::normal;
  verdict.memory = x_memory.update(scarce, now);
  x_watching = x_refusing || x_backlog.going_on() || x_memory.going_on();
  verdict.admission = scarce ? Admission::memory : x_refusing ? Admission::overload : Admission::open;
  return verdict;
}

}  // namespace ser::srv
