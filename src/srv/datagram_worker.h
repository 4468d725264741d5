// SPDX-License-Identifier: Apache-2.0
// The datagram worker: receive a batch, handle each message, send what came out of it, receive again (SER's
// udp_rcv_loop).
#pragma once
#include <memory>

#include "net/udp_batch.h"
#include "script/vm.h"
#include "srv/overload.h"
#include "srv/pipeline.h"
#include "srv/worker.h"

namespace ser::srv {

class DatagramWorker final : public WorkerBase, private proxy::MessageKeeper {
 public:
  explicit DatagramWorker(const WorkerContext& context);

 private:
  /// How many datagrams one receive call may bring: few while others sleep, so that an INVITE is not held up
  /// behind others in one worker while its CANCEL is answered by another; many under backlog, where calls are
  /// the cost (DESIGN 1).
  static constexpr unsigned kIdleBatch = 1;
  static constexpr unsigned kMaxBatch = shm::kRxBatch;
  static constexpr Instant kFlushAge = 200'000;

  int work() override;
  bool provide_blocks() noexcept;
  bool provide_block(unsigned place) noexcept;
  char* spill_of(unsigned place) const noexcept;
  Result<void> keep(const proxy::Run& run, shm::Owner owner, proxy::KeptMessage& kept) noexcept override;
  void flush() noexcept;
  void finish_predecessors_batch() noexcept;
  void publish(unsigned count) noexcept;
  void admit(unsigned received) noexcept;
  void tell(const Overload::Verdict& verdict) noexcept;
  void handle_batch() noexcept;
  void handle(shm::RxEntry& entry, unsigned place) noexcept;
  void pass_on(const RxPacket& packet, Arena& arena) noexcept;
  void handle_spilled(shm::RxEntry& entry, unsigned place, RxPacket& packet) noexcept;

  script::Vm x_vm;
  Pipeline x_pipeline;
  Overload x_overload;
  std::unique_ptr<char[]>
      x_last_resort;  ///< room for the largest datagram; touched when the segment has none
  SlotAreas x_areas;
  net::UdpReceiver x_receiver;
  crash::Quarantine x_quarantine;
  char* x_whole_copy = nullptr;  ///< of the datagram in hand, when it is larger than a block
  unsigned x_limit = kIdleBatch;
};

}  // namespace ser::srv
