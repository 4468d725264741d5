// SPDX-License-Identifier: Apache-2.0
#include "srv/batch_sink.h"

#include <cstring>

namespace ser::srv {

std::span<char> BatchSink::reserve(std::size_t bytes) noexcept {
  if (bytes > kMaxUdpPayload + 1024) return {};
  shm::TxBatch& tx = x_slot.tx;
  if (tx.used + bytes > shm::kSendArea || tx.count.load(std::memory_order_relaxed) == shm::kTxBatch) flush();
  return {x_slot.send_area + tx.used, bytes};
}

Result<void> BatchSink::commit(std::size_t bytes, const TxTarget& target) noexcept {
  if (bytes > kMaxUdpPayload) return {Errc::too_long, "longer than a UDP datagram"};
  shm::TxBatch& tx = x_slot.tx;
  const std::uint32_t place = tx.count.load(std::memory_order_relaxed);
  tx.entries[place] = {tx.used, static_cast<std::uint32_t>(bytes), target};
  // Aligned, so that the next message's copies start on a cache line's quarter.
  tx.used += static_cast<std::uint32_t>((bytes + 15) & ~std::size_t{15});
  tx.count.store(place + 1, std::memory_order_release);
  return {};
}

void BatchSink::flush() noexcept {
  shm::TxBatch& tx = x_slot.tx;
  const std::uint32_t count = tx.count.load(std::memory_order_relaxed);
  const std::uint32_t first = tx.sent.load(std::memory_order_relaxed);
  if (count > first) {
    for (std::uint32_t i = first; i < count; ++i) {
      const shm::TxEntry& entry = tx.entries[i];
      x_batch[i - first] = {x_slot.send_area + entry.offset, entry.length, entry.target.socket,
                            entry.target.to, entry.target.from_ip};
    }
    std::uint64_t done = 0;
    net::SendStats stats;
    x_sender.send({x_batch.data(), count - first}, done, stats);
    tx.sent.store(count, std::memory_order_release);
    if (stats.failures() != 0) [[unlikely]] {
      for (unsigned i = 0; i < net::kSendFailures; ++i)
        x_counters.add(x_names.send_failed[i], stats.failed[i]);
      LOG(x_log, info, "{} datagrams could not be sent, last reason: {}", stats.failures(),
          std::strerror(stats.last_errno));
    }
  }
  tx.count.store(0, std::memory_order_release);
  tx.sent.store(0, std::memory_order_release);
  tx.used = 0;
}

}  // namespace ser::srv
