// SPDX-License-Identifier: Apache-2.0
#include "srv/worker.h"

#include <unistd.h>

#include "srv/datagram_worker.h"
#include "srv/event_worker.h"
#include "srv/timer_worker.h"
#include "srv/worker_process.h"

namespace ser::srv {

ServerCounters register_server_counters(CounterTable& table) {
  ServerCounters c;
  c.kernel_drops =
      table.add("net", "kernel_drops", "Datagrams the kernel dropped because a receive buffer was full.");
  c.batches = table.add("net", "batches", "Receive calls that brought something.");
  c.truncated = table.add("net", "truncated", "Datagrams longer than any SIP message may be.");
  constexpr std::string_view kNames[net::kSendFailures] = {"send_full",    "send_too_big", "send_unreachable",
                                                           "send_refused", "send_denied",  "send_invalid",
                                                           "send_other"};
  for (unsigned i = 0; i < net::kSendFailures; ++i) {
    c.send_failed[i] = table.add("net", kNames[i], "Datagrams the kernel did not take, by reason.");
  }
  c.respawns = table.add("core", "respawns", "Workers started again after a death.");
  c.deaths = table.add("core", "worker_deaths", "Workers that died.");
  c.renewals = table.add("core", "renewals", "Times the shared segment was made anew after damage.");
  c.overload = table.add("core", "overload",
                         "Datagram workers that refuse new requests because of backlog, now.", true);
  c.overload_entered = table.add("core", "overload_entered", "Times a datagram worker came into overload.");
  c.dns_requests = table.add("dns", "requests", "Names workers asked the event worker for.");
  c.quarantine_drops = table.add("core", "quarantine_drops",
                                 "Messages dropped because messages like them have killed workers.");
  return c;
}

crash::RecorderContext recorder_context(const Shared& shared) {
  return {shared.segment,
          *shared.heap,
          *shared.slots,
          *shared.quarantine,
          crash::CrashDirectory(shared.crash.directory, shared.crash.files),
          shared.crash.key,
          *shared.clock,
          "ser " SER_VERSION,
          shared.crash.program,
          shared.crash.config_file,
          shared.program->files,
          shared.crash.sockets};
}

bool lay_out_slot_areas(Shared& shared, std::uint16_t workers) {
  for (std::uint16_t i = 0; i < workers; ++i) {
    shm::WorkerSlot* slot = shared.slots->slot(i);
    // Address space only: pages are touched when a large datagram or a reply comes.
    SlotAreas areas;
    areas.spill = static_cast<char*>(shared.segment.reserve(shm::kSpillBytes * shm::kRxBatch, shm::kPage));
    areas.send = static_cast<char*>(shared.segment.reserve(shm::kSendArea, shm::kPage));
    areas.receive = shared.segment.reserve_object<net::RxArea>();
    if (areas.spill == nullptr || areas.send == nullptr || areas.receive == nullptr) return false;
    areas.receive->clear();
    slot->spill = areas.spill;
    slot->send_area = areas.send;
    shared.slot_areas.push_back(areas);
  }
  return true;
}

bool KernelSources::choose(TxTarget& target, const RxPacket& received) noexcept {
  const net::SourceChoice choice =
      x_chooser.choose(target.to, Proto::udp, received.socket, received.to.ip, x_clock.now());
  if (!choice.found()) return false;
  target.socket = choice.socket;
  target.from_ip = choice.from_ip;
  return true;
}

WorkerBase::WorkerBase(const WorkerContext& context)
    : x_shared(context.shared),
      x_context(context),
      x_slot(*context.shared.slots->slot(context.id.slot)),
      x_corruptions(context.shared.segment.header().corruptions),
      x_owner_check(*context.shared.slots),
      x_actor(context.id, &x_slot.held, &x_owner_check),
      x_chunks(*context.shared.heap, x_actor, context.shared.message_account),
      x_log(*context.shared.log_sink, static_cast<LogLevel>(context.shared.log_level)),
      x_counters(context.shared.pages->page(context.id.slot)),
      x_sink(x_slot, context.shared.slot_areas[context.id.slot].send, context.shared.send_sockets, x_counters,
             context.shared.server, x_log),
      x_names(context.shared.dns, *context.shared.name_requests, *context.shared.event_inbox, x_actor,
              *context.shared.clock, x_counters, context.shared.server.dns_requests,
              context.shared.settings.dns_try_ipv6),
      x_sources(context.shared.settings.mhomed
                    ? std::make_unique<KernelSources>(context.shared.listeners, *context.shared.clock)
                    : nullptr),
      x_module_state(context.shared.registry->loaded().size(), nullptr),
      x_shared_services{context.shared.segment,
                        *context.shared.heap,
                        x_actor,
                        *context.shared.timers,
                        *context.shared.event_inbox,
                        x_chunks,
                        nullptr,
                        &x_suspender},
      x_suspender(*context.shared.suspended, x_shared_services),
      x_services{x_log,
                 *context.shared.clock,
                 x_random,
                 x_sink,
                 x_counters,
                 x_names,
                 x_sources.get(),
                 context.shared.core,
                 context.shared.sockets,
                 context.shared.settings,
                 context.shared.segment.header().branch_key,
                 x_module_state,
                 nullptr,
                 context.id.slot,
                 nullptr,
                 nullptr,
                 &x_shared_services} {}

int WorkerBase::run(WorkerProcess* process) {
  x_shared.slots->started(x_context.id.slot, static_cast<std::int32_t>(::getpid()));
  x_sink.adopt();
  x_sink.flush();
  mod::WorkerContext worker{x_log, x_context.rank, x_services};
  for (mod::Loaded& loaded : x_shared.registry->loaded()) {
    x_owned_state.push_back(loaded.module->start_worker(worker));
    x_module_state[loaded.module->index] = x_owned_state.back().get();
  }
  // Modules have opened what they need by now.
  if (process != nullptr && !process->lock_down(x_log)) return 1;
  set_state(shm::WorkerState::ready);
  return work();
}

std::unique_ptr<WorkerBase> make_worker(const WorkerContext& context) {
  switch (context.kind) {
    case shm::WorkerKind::datagram:
      return std::make_unique<DatagramWorker>(context);
    case shm::WorkerKind::event:
      return std::make_unique<EventWorker>(context);
    case shm::WorkerKind::timer:
      return std::make_unique<TimerWorker>(context);
    case shm::WorkerKind::none:
    case shm::WorkerKind::storage:
    case shm::WorkerKind::control:
    case shm::WorkerKind::reaper:
      break;
  }
  return nullptr;
}

}  // namespace ser::srv
