// SPDX-License-Identifier: Apache-2.0
#include "srv/datagram_worker.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "crash/fingerprint.h"
#include "srv/reaper.h"

namespace ser::srv {

using shm::kRxBlock;
using shm::WorkerState;

namespace {

/// One byte of the block is kept for the NUL.
constexpr std::size_t kBlockRoom = kRxBlock - 1;

}  // namespace

DatagramWorker::DatagramWorker(const WorkerContext& context)
    : WorkerBase(context),
      x_vm(*context.shared.program, *context.shared.registry),
      x_pipeline(x_services, x_vm, context.shared.registry->loaded(), &x_slot),
      x_overload(context.shared.settings.overload_batches),
      x_last_resort(new char[kBlockRoom + shm::kSpillBytes]),
      x_areas(context.shared.slot_areas[context.id.slot]),
      x_receiver(context.receive_socket(), context.socket, context.shared.drop_cells[context.socket],
                 *x_areas.receive),
      x_quarantine(*context.shared.quarantine) {
  // A wild write may have changed them since.
  x_slot.spill = x_areas.spill;
  x_slot.send_area = x_areas.send;
  x_services.script_state = &x_vm;
  x_shared_services.keeper = this;
  x_shared_services.batches = true;
  x_pipeline.set_chunks(&x_chunks);
  // A predecessor may have died in overload.
  x_counters.subtract(x_shared.server.overload, x_counters.value(x_shared.server.overload));
}

char* DatagramWorker::spill_of(unsigned place) const noexcept {
  return x_areas.spill + std::size_t{place} * shm::kSpillBytes;
}

bool DatagramWorker::provide_block(unsigned place) noexcept {
  shm::RxEntry& entry = x_slot.rx.entries[place];
  if (entry.block == nullptr) {
    entry.block = static_cast<char*>(
        x_shared.heap->alloc(x_actor, kRxBlock, x_shared.message_account, shm::Priority::reserve));
    if (entry.block == nullptr) return false;
  }
  x_receiver.set_slot(place, entry.block, kBlockRoom, spill_of(place), shm::kSpillBytes - 1);
  return true;
}

Result<void> DatagramWorker::keep(const proxy::Run& run, shm::Owner owner,
                                  proxy::KeptMessage& kept) noexcept {
  const std::uint32_t place = x_slot.rx_index.load(std::memory_order_relaxed);
  shm::RxEntry& entry = x_slot.rx.entries[place];
  const char* bytes = run.state().rx.bytes.data();
  const bool in_block = bytes >= entry.block && bytes < entry.block + kRxBlock;
  if (!in_block && x_whole_copy == nullptr)
    return {Errc::refused, "the message lies in the worker's own memory"};
  // First what can fail: without another block this worker would be deaf.
  auto* next = static_cast<char*>(
      x_shared.heap->alloc(x_actor, kRxBlock, x_shared.message_account, shm::Priority::reserve));
  if (next == nullptr) return {Errc::no_memory, "no memory for another receive block"};
  kept.block = entry.block;
  kept.whole_copy = x_whole_copy;
  x_actor.step();
  x_shared.heap->transfer(kept.block, owner);
  x_actor.step();
  if (x_whole_copy != nullptr) x_shared.heap->transfer(x_whole_copy, owner);
  x_whole_copy = nullptr;
  entry.block = next;
  x_actor.step();
  x_receiver.set_slot(place, next, kBlockRoom, spill_of(place), shm::kSpillBytes - 1);
  return {};
}

bool DatagramWorker::provide_blocks() noexcept {
  for (unsigned i = 0; i < kMaxBatch; ++i) {
    if (!provide_block(i)) return false;
  }
  return true;
}

/// What a worker that died in this slot had finished is sent, and what it had received and not begun is
/// handled; the message it was working on is lost (DESIGN 2.9). The reaper has looked at the batches and
/// given the blocks to us; a block that is not ours has another owner by now.
void DatagramWorker::finish_predecessors_batch() noexcept {
  shm::RxBatch& rx = x_slot.rx;
  for (shm::RxEntry& entry : rx.entries) {
    const bool ours = entry.block != nullptr && x_shared.heap->valid(entry.block) &&
                      x_shared.heap->owner_of(entry.block) == x_actor.owner();
    if (!ours) entry.block = nullptr;
  }
  if (!provide_blocks()) return;
  if (rx.count.load(std::memory_order_acquire) == 0) {
    // Nothing was published; the kernel may have handed over something all the same.
    if (const unsigned left = x_receiver.left_over(rx.entries); left != 0) publish(left);
  }
  x_receiver.taken(kMaxBatch);
  handle_batch();
  flush();
  rx.count.store(0, std::memory_order_release);
  x_slot.stage.store(shm::Stage::none, std::memory_order_relaxed);
}

/// What waits for the datagrams to have left may lead to more.
void DatagramWorker::flush() noexcept {
  do {
    x_sink.flush();
    x_pipeline.flushed();
  } while (!x_sink.empty());
}

/// From here on the datagrams are in the slot: a successor finds them by count, no longer by what the kernel
/// wrote.
void DatagramWorker::publish(unsigned count) noexcept {
  shm::RxBatch& rx = x_slot.rx;
  rx.at = x_shared.clock->now();
  rx.next.store(0, std::memory_order_relaxed);
  rx.count.store(count, std::memory_order_release);
  x_actor.step();
  x_receiver.taken(count);
}

void DatagramWorker::pass_on(const RxPacket& packet, Arena& arena) noexcept {
  // Before anything reads the message: that may be what kills.
  if (x_quarantine.active(packet.at)) [[unlikely]] {
    const std::uint64_t looks = crash::fingerprint(x_shared.crash.key, packet.bytes, packet.from.ip);
    if (x_quarantine.holds(looks, packet.at)) {
      x_counters.add(x_shared.server.quarantine_drops);
      return;
    }
  }
  x_pipeline.receive(packet, arena);
}

/// Asks once per batch whether there is room for new requests.
void DatagramWorker::admit(unsigned received) noexcept {
  const Overload::Verdict verdict = x_overload.on_batch(received, x_shared.heap->pressure(), x_slot.rx.at);
  const bool closing = x_shared.closing->load(std::memory_order_relaxed) != 0;
  x_pipeline.set_admission(closing ? Admission::closing : verdict.admission);
  if (verdict.notable()) [[unlikely]]
    tell(verdict);
}

void DatagramWorker::tell(const Overload::Verdict& verdict) noexcept {
  const ServerCounters& c = x_shared.server;
  if (verdict.switched && x_overload.refusing()) x_counters.add(c.overload);
  if (verdict.switched && !x_overload.refusing()) x_counters.subtract(c.overload);
  if (verdict.backlog.began) x_counters.add(c.overload_entered);
  constexpr double kSecond = 1e9;
  const Instant now = x_slot.rx.at;
  if (verdict.backlog.tell && verdict.backlog.began)
    LOG(x_log, warning,
        "overload: the receive queue does not run dry; new INVITE, REGISTER and SUBSCRIBE get 503");
  if (verdict.backlog.tell && verdict.backlog.ended)
    LOG(x_log, warning, "overload is over after {:.1f} s; {} requests refused since the start",
        static_cast<double>(now - x_overload.backlog().began_at()) / kSecond,
        x_counters.value(x_shared.core.refused_overload));
  if (verdict.memory.tell && verdict.memory.began)
    LOG(x_log, error, "the segment is nearly full; new INVITE, REGISTER and SUBSCRIBE get 503; raise -m");
  if (verdict.memory.tell && verdict.memory.ended)
    LOG(x_log, warning, "the segment has room again after {:.1f} s; {} requests refused since the start",
        static_cast<double>(now - x_overload.memory().began_at()) / kSecond,
        x_counters.value(x_shared.core.refused_memory));
}

void DatagramWorker::handle_spilled(shm::RxEntry& entry, unsigned place, RxPacket& packet) noexcept {
  // The rare large datagram is copied once, to be in one piece; the block it began in becomes its arena.
  // Where the segment has no room, or a stopped worker holds the heap's lock, our own memory does: nobody can
  // keep such a message, and nobody needs to.
  auto* cell = static_cast<char*>(
      x_shared.heap->alloc(x_actor, entry.length + std::size_t{1}, x_shared.message_account));
  char* whole = cell != nullptr ? cell : x_last_resort.get();
  std::memcpy(whole, entry.block, kBlockRoom);
  std::memcpy(whole + kBlockRoom, spill_of(place), entry.length - kBlockRoom);
  whole[entry.length] = '\0';
  packet.bytes = {whole, entry.length};
  x_whole_copy = cell;
  {
    Arena arena(entry.block, kRxBlock, x_chunks);
    pass_on(packet, arena);
  }
  // Null when somebody keeps the message.
  x_shared.heap->free(x_actor, std::exchange(x_whole_copy, nullptr));
}

void DatagramWorker::handle(shm::RxEntry& entry, unsigned place) noexcept {
  if ((entry.flags & shm::kRxTruncated) != 0) {
    x_counters.add(x_shared.server.truncated);
    return;
  }
  RxPacket packet;
  packet.from = entry.from;
  packet.to = entry.to;
  packet.socket = entry.socket;
  packet.proto = Proto::udp;
  packet.at = x_slot.rx.at;
  if ((entry.flags & shm::kRxSpilled) != 0) {
    handle_spilled(entry, place, packet);
    return;
  }
  entry.block[entry.length] = '\0';
  packet.bytes = {entry.block, entry.length};
  // The rest of the block, from the next multiple of eight on, is the message's arena.
  const std::size_t used = (entry.length + std::size_t{8}) & ~std::size_t{7};
  Arena arena(entry.block + used, used < kRxBlock ? kRxBlock - used : 0, x_chunks);
  pass_on(packet, arena);
}

void DatagramWorker::handle_batch() noexcept {
  shm::RxBatch& rx = x_slot.rx;
  const std::uint32_t count = rx.count.load(std::memory_order_relaxed);
  for (std::uint32_t i = rx.next.load(std::memory_order_relaxed); i < count; ++i) {
    x_slot.rx_index.store(i, std::memory_order_relaxed);
    rx.next.store(i + 1, std::memory_order_release);
    x_slot.stage.store(shm::Stage::received, std::memory_order_relaxed);
    x_slot.message_serial.store(x_slot.message_serial.load(std::memory_order_relaxed) + 1,
                                std::memory_order_relaxed);
    handle(rx.entries[i], i);
    x_sink.message_finished();
    x_slot.messages.store(x_slot.messages.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    // A batch that takes long must not hold back what is finished.
    if ((i & 3) == 3 && i + 1 < count && x_shared.clock->now() - rx.at > kFlushAge) flush();
  }
  x_slot.stage.store(shm::Stage::flush, std::memory_order_relaxed);
}

int DatagramWorker::work() {
  finish_predecessors_batch();
  if (!provide_blocks()) {
    LOG(x_log, critical, "no memory in the segment for receive blocks; raise -m");
    return 1;
  }
  while (!stopping()) {
    set_state(WorkerState::sleeping);
    const auto received = x_receiver.receive(std::span(x_slot.rx.entries).first(x_limit));
    set_state(WorkerState::working);
    if (!received) {
      LOG(x_log, critical, "receive failed: {}", std::strerror(static_cast<int>(received.error().offset)));
      return 1;
    }
    if (*received == 0) continue;
    x_counters.add(x_shared.server.batches);
    if (const std::uint32_t drops = x_receiver.take_drops(); drops != 0)
      x_counters.add(x_shared.server.kernel_drops, drops);
    publish(*received);
    admit(*received);
    handle_batch();
    const Instant done = x_shared.clock->now();
    x_counters.add(x_shared.core.script_microseconds,
                   static_cast<std::uint64_t>(std::max<Instant>(done - x_slot.rx.at, 0)) / 1000);
    flush();
    x_slot.rx.count.store(0, std::memory_order_release);
    x_slot.stage.store(shm::Stage::none, std::memory_order_relaxed);
    if (segment_is_damaged()) [[unlikely]]
      return kExitDamaged;
    x_limit = *received == x_limit ? std::min(x_limit * 2, kMaxBatch) : std::max(x_limit / 2, kIdleBatch);
  }
  set_state(WorkerState::stopping);
  flush();
  return 0;
}

}  // namespace ser::srv
