// SPDX-License-Identifier: Apache-2.0
// BatchSink: what a batch of messages produces, written once into the slot's send area and sent in one go.
#pragma once
#include <array>

#include "base/packet.h"
#include "net/udp_batch.h"
#include "shm/slot.h"
#include "srv/shared.h"

namespace ser::srv {

/// Largest payload of a UDP datagram over IPv4.
inline constexpr std::size_t kMaxUdpPayload = 65507;

/// One per worker. Entries and bytes lie in the segment, so that a successor can send what was finished.
class BatchSink final : public PacketSink {
 public:
  BatchSink(shm::WorkerSlot& slot, std::span<const net::SendSocket> sockets, Counters& counters,
            const ServerCounters& names, Logger& log)
      : x_slot(slot), x_sender(sockets), x_counters(counters), x_names(names), x_log(log) {}

  std::span<char> reserve(std::size_t bytes) noexcept override;
  Result<void> commit(std::size_t bytes, const TxTarget& target) noexcept override;
  /// Sends everything queued. Never blocks; what the kernel refuses is counted by reason.
  void flush() noexcept;
  bool empty() const noexcept { return x_slot.tx.count.load(std::memory_order_relaxed) == 0; }

 private:
  shm::WorkerSlot& x_slot;
  net::UdpSender x_sender;
  Counters& x_counters;
  const ServerCounters& x_names;
  Logger& x_log;
  std::array<net::TxDatagram, shm::kTxBatch> x_batch{};
};

}  // namespace ser::srv
