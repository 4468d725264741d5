// SPDX-License-Identifier: Apache-2.0
#include "srv/batch_sink.h"

#include <cstring>

namespace ser::srv {

std::span<char> BatchSink::reserve(std::size_t bytes) noexcept {
  if (bytes > kMaxUdpPayload + 1024) return {};
  if (x_used + bytes > shm::kSendArea || x_count == shm::kTxBatch) flush();
  return {x_area + x_used, bytes};
}

Result<void> BatchSink::commit(std::size_t bytes, const TxTarget& target) noexcept {
  if (bytes > kMaxUdpPayload) return {Errc::too_long, "longer than a UDP datagram"};
  shm::TxBatch& tx = x_slot.tx;
  tx.entries[x_count] = {x_used, static_cast<std::uint32_t>(bytes), target};
  // Aligned, so that the next message's copies start on a cache line's quarter.
  x_used += static_cast<std::uint32_t>((bytes + 15) & ~std::size_t{15});
  ++x_count;
  return {};
}

void BatchSink::message_finished() noexcept {
  x_slot.tx.count.store(x_count, std::memory_order_release);
}

void BatchSink::adopt() noexcept {
  const shm::TxBatch& tx = x_slot.tx;
  const std::uint32_t first = tx.sent.load(std::memory_order_acquire);
  const std::uint32_t count = tx.count.load(std::memory_order_acquire);
  x_count = 0;
  if (count > shm::kTxBatch || first > count) return clear();
  for (std::uint32_t i = first; i < count; ++i) {
    const shm::TxEntry& entry = tx.entries[i];
    if (entry.offset > shm::kSendArea || entry.length > shm::kSendArea - entry.offset) break;
    x_count = i + 1;
  }
}

void BatchSink::clear() noexcept {
  // `sent` only after `count`: a successor that sees the old `sent` with no entries has nothing to do.
  x_slot.tx.count.store(0, std::memory_order_release);
  x_slot.tx.sent.store(0, std::memory_order_release);
  x_count = 0;
  x_used = 0;
}

void BatchSink::flush() noexcept {
  shm::TxBatch& tx = x_slot.tx;
  // Above 0 only for what was adopted.
  const std::uint32_t first = tx.sent.load(std::memory_order_relaxed);
  if (first < x_count) {
    message_finished();
    for (std::uint32_t i = first; i < x_count; ++i) {
      const shm::TxEntry& entry = tx.entries[i];
      x_batch[i - first] = {x_area + entry.offset, entry.length, entry.target.socket, entry.target.to,
                            entry.target.from_ip};
    }
    std::uint64_t done = 0;
    net::SendStats stats;
    x_sender.send({x_batch.data(), x_count - first}, done, stats);
    tx.sent.store(x_count, std::memory_order_release);
    if (stats.failures() != 0) [[unlikely]] {
      for (unsigned i = 0; i < net::kSendFailures; ++i)
        x_counters.add(x_names.send_failed[i], stats.failed[i]);
      LOG(x_log, info, "{} datagrams could not be sent, last reason: {}", stats.failures(),
          std::strerror(stats.last_errno));
    }
  }
  clear();
}

}  // namespace ser::srv
