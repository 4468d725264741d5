// SPDX-License-Identifier: Apache-2.0
// Overload: whether requests that begin something new are refused before the script. A state machine without
// I/O, asked once per receive batch.
#pragma once
#include <cstdint>

#include "base/packet.h"
#include "shm/heap.h"
#include "shm/slot.h"

namespace ser::srv {

/// What happens to an INVITE, REGISTER or SUBSCRIBE without a To tag.
enum class Admission : std::uint8_t {
  open,      ///< the script decides
  overload,  ///< 503: the receive queue does not run dry
  memory,    ///< 503: the segment is nearly full
  closing,  ///< 503: the server stops soon; any request that neither a dialog nor a transaction of ours knows
};

/// A condition that comes and goes, and what of it is worth a log line. Over when it did not hold for kCalm.
class Episode {
 public:
  static constexpr Instant kCalm = 1'000'000'000;
  /// Episodes that begin sooner after the last line are counted and not told.
  static constexpr Instant kQuiet = 10'000'000'000;
  struct Change {
    bool began = false;
    bool ended = false;
    bool tell = false;  ///< write a line about it
  };
  Change update(bool holds, Instant now) noexcept;
  bool going_on() const noexcept { return x_going_on; }
  /// When the one that goes on, or went on last, began.
  Instant began_at() const noexcept { return x_began; }

 private:
  bool x_going_on = false;
  bool x_told = false;  ///< the beginning of this one was told, so its end is
  Instant x_began = 0;
  Instant x_held = 0;  ///< when it last held
  Instant x_line = -kQuiet;
};

/// One per datagram worker, in its private memory. Overload is backlog: `batches` full receive batches in a
/// row, that is, so many times sixteen datagrams without the queue running dry. It lets go with the first
/// batch that is at most half full: the queue was empty then. Within Episode::kCalm after that a sixteenth of
/// `batches` is enough, so that under lasting overload new requests are let in as far as there is room for
/// them, and the queue stays short.
class Overload {
 public:
  /// 0 switches the backlog rule off; memory is watched all the same.
  explicit Overload(std::uint32_t batches) noexcept
      : x_batches(batches), x_again(batches < 32 ? 2 : batches / 16) {}

  struct Verdict {
    Admission admission = Admission::open;
    bool switched = false;  ///< refusing by backlog began or stopped with this batch
    Episode::Change backlog;
    Episode::Change memory;
    /// Something beside the admission is to be noted.
    bool notable() const noexcept {
      return switched || backlog.began || backlog.ended || memory.began || memory.ended;
    }
  };

  /// After a receive call brought `received` datagrams (1 .. shm::kRxBatch) at `now`, before they are
  /// handled.
  Verdict on_batch(unsigned received, shm::Pressure pressure, Instant now) noexcept {
    // The ordinary case: not even the clock is looked at.
    if (received < shm::kRxBatch && !x_watching && pressure == shm::Pressure::normal) [[likely]] {
      x_full = 0;
      return {};
    }
    return judge(received, pressure, now);
  }

  bool refusing() const noexcept { return x_refusing; }
  const Episode& backlog() const noexcept { return x_backlog; }
  const Episode& memory() const noexcept { return x_memory; }

 private:
  Verdict judge(unsigned received, shm::Pressure pressure, Instant now) noexcept;

  std::uint32_t x_batches;
  std::uint32_t x_again;
  std::uint32_t x_full = 0;  ///< full batches in a row
  bool x_refusing = false;
  bool x_watching = false;  ///< an episode goes on
  Episode x_backlog;
  Episode x_memory;
};

}  // namespace ser::srv
