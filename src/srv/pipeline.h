// SPDX-License-Identifier: Apache-2.0
// The pipeline: what happens to one message between receive and send (SER's receive_msg, DESIGN 1).
#pragma once
#include <span>
#include <vector>

#include "base/arena.h"
#include "base/packet.h"
#include "mod/registry.h"
#include "proxy/run.h"
#include "proxy/services.h"
#include "proxy/suspender.h"
#include "script/vm.h"
#include "shm/chunk_source.h"
#include "shm/slot.h"
#include "srv/overload.h"

namespace ser::srv {

/// One per worker. Knows no socket and no clock but those of its services: the same object runs in flows with
/// a simulated network.
class Pipeline final : public proxy::RouteRunner {
 public:
  /// All outlive the pipeline. `slot` (may be null) is told the stage of the message in hand.
  /// It becomes the services' RouteRunner.
  Pipeline(proxy::Services& services, script::Vm& vm, std::span<mod::Loaded> modules, shm::WorkerSlot* slot);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Takes one datagram through everything. `packet.bytes` is followed by a NUL; it and `arena` stay
  /// untouched by the pipeline after it returns. What is to be sent has gone to the sink.
  void receive(const RxPacket& packet, Arena& arena) noexcept;

  /// What the messages so far produced has left. Hooks may send more.
  void flushed() noexcept;

  /// Goes on with the run that the worker's Suspender took up, with what came of its wait, and ends it as
  /// receive() does; or it waits once more. What is to be sent has gone to the sink.
  void resume(proxy::SuspendedRun& suspended, const proxy::Answer& answer) noexcept;
  proxy::RouteEnd run_route(std::uint16_t block, proxy::Run& run) noexcept override;

  /// From the next message on: whether requests that begin something new are answered 503 at once.
  void set_admission(Admission admission) noexcept { x_admission = admission; }
  /// Where the arenas get their chunks: told with each message whether it may draw on the reserve. May be
  /// null; outlives the pipeline.
  void set_chunks(shm::SlotChunks* chunks) noexcept { x_chunks = chunks; }

  /// Header fields indexed of the last message: laziness is tested by it.
  std::size_t last_headers_indexed() const noexcept { return x_last_headers_indexed; }

 private:
  bool screen(std::string_view bytes, const RxPacket& packet, sip::LineIndex& lines) noexcept;
  void process(proxy::RunState& state, const Error& bad_start) noexcept;
  void count_received(const sip::Message& message) noexcept;
  /// What a run has come to when it waits; stands in SuspendedRun::phase.
  enum class Phase : std::uint8_t { request_route, reply_route, forward_response, transaction_route };
  class Rest;
  // All of these: false when the run waits, and is not ours any more.
  bool handle_request(proxy::Run& run) noexcept;
  bool handle_response(proxy::Run& run) noexcept;
  bool finish_request(proxy::Run& run, script::Ended ended) noexcept;
  bool finish_reply_route(proxy::Run& run, script::Ended ended) noexcept;
  bool pass_response_on(proxy::Run& run) noexcept;
  bool forward_response(proxy::Run& run) noexcept;
  bool go_on(proxy::Run& run, const proxy::SuspendedRun& suspended, const proxy::Answer& answer) noexcept;
  script::Ended continue_script(proxy::Run& run, const proxy::SuspendedRun& suspended,
                                const proxy::Answer& answer) noexcept;
  proxy::RouteEnd end_route(proxy::Run& run, script::Ended ended) noexcept;
  void resume_message(proxy::SuspendedRun& suspended, const proxy::Answer& answer) noexcept;
  bool park(proxy::Run& run, script::Machine* machine, Phase phase) noexcept;
  bool park_script(proxy::Run& run, script::Ended& ended, Phase phase) noexcept;
  void set_priority(shm::Priority priority) noexcept {
    if (x_chunks != nullptr) x_chunks->set_priority(priority);
  }
  bool is_refused(proxy::Run& run) noexcept;
  bool refuse(proxy::Run& run) noexcept;
  void answer_bad_request(proxy::Run& run, const Error& error) noexcept;
  void answer_if_silent(proxy::Run& run, script::Ended::How how) noexcept;
  bool pre_script(proxy::Run& run) noexcept;
  void post_script(proxy::Run& run) noexcept;
  void stage(shm::Stage stage) noexcept {
    if (x_slot != nullptr) x_slot->stage.store(stage, std::memory_order_relaxed);
  }
  void count(CounterId id) noexcept { x_services.counters.add(id); }

  proxy::Services& x_services;
  script::Vm& x_vm;
  shm::WorkerSlot* x_slot;
  std::vector<mod::Module*> x_pre;
  std::vector<mod::Module*> x_post;
  std::vector<mod::Module*> x_response;
  std::vector<mod::Module*> x_flushed;
  shm::SlotChunks* x_chunks = nullptr;
  Admission x_admission = Admission::open;
  std::size_t x_last_headers_indexed = 0;
};

}  // namespace ser::srv
