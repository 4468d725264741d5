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

/// One per worker. Entries and bytes lie in the segment, so that a successor can send what was finished; how
/// many there are is kept beside it, because the segment can be overwritten.
class BatchSink final : public PacketSink {
 public:
  /// `area`: kSendArea bytes in the segment, the slot's. All outlive the sink.
  BatchSink(shm::WorkerSlot& slot, char* area, std::span<const net::SendSocket> sockets, Counters& counters,
            const ServerCounters& names, Logger& log)
      : x_slot(slot), x_area(area), x_sender(sockets), x_counters(counters), x_names(names), x_log(log) {}

  std::span<char> reserve(std::size_t bytes) noexcept override;
  Result<void> commit(std::size_t bytes, const TxTarget& target) noexcept override;
  /// What was committed so far is a successor's to send, should we die. A message in hand leaves nothing: its
  /// client sends it again, which a 100 of ours would have kept it from.
  void message_finished() noexcept;
  /// Takes over what a predecessor had finished and not sent, for the next flush(). Entries out of range end
  /// it.
  void adopt() noexcept;
  /// Sends everything queued. Never blocks; what the kernel refuses is counted by reason.
  void flush() noexcept;
  bool empty() const noexcept { return x_count == 0; }

 private:
  void clear() noexcept;

  shm::WorkerSlot& x_slot;
  char* x_area;
  std::uint32_t x_count = 0;  ///< entries queued
  std::uint32_t x_used = 0;   ///< bytes of the area in use
  net::UdpSender x_sender;
  Counters& x_counters;
  const ServerCounters& x_names;
  Logger& x_log;
  std::array<net::TxDatagram, shm::kTxBatch> x_batch{};
};

}  // namespace ser::srv
