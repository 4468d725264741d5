// SPDX-License-Identifier: Apache-2.0
// Shared: everything that exists once, is made before the first fork and is the same in every worker. And
// WorkerContext, the share of it that one worker is given.
#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "crash/recorder.h"
#include "mod/registry.h"
#include "net/dns_cache.h"
#include "net/listener.h"
#include "net/resolver.h"
#include "net/udp_batch.h"
#include "net/udp_socket.h"
#include "proxy/local_sockets.h"
#include "proxy/services.h"
#include "proxy/suspended_runs.h"
#include "script/script.h"
#include "shm/counters_page.h"
#include "shm/heap.h"
#include "shm/inbox.h"
#include "shm/segment.h"
#include "shm/slot.h"
#include "shm/timers.h"
#include "srv/name_requests.h"

namespace ser::srv {

/// Counters of the worker machinery itself.
struct ServerCounters {
  CounterId kernel_drops, batches, truncated, send_failed[net::kSendFailures], respawns, deaths, renewals,
      dns_requests, quarantine_drops;
  CounterId overload, overload_entered;
};
ServerCounters register_server_counters(CounterTable& table);

/// Where the buffers of a slot lie. Kept in private memory too: the pointers in the slot may be overwritten.
struct SlotAreas {
  char* spill = nullptr;  ///< kRxBatch places of kSpillBytes
  char* send = nullptr;   ///< kSendArea bytes
  net::RxArea* receive = nullptr;
};

/// What is kept of a worker's death, beside the quarantine; for the reaper.
struct CrashKeeping {
  int directory = -1;  ///< descriptor of crash_dir, opened once; -1: no files
  unsigned files = crash::CrashDirectory::kDefaultKept;
  std::string program;               ///< absolute path of what runs
  std::string config_file;           ///< absolute path
  std::vector<std::string> sockets;  ///< "udp:192.0.2.1:5060" by SocketId
  HashKey key;                       ///< of fingerprints
};

/// What a forked worker puts around itself.
struct Hardening {
  std::uint32_t watchdog_ms = 0;  ///< CPU time between two ticks; 0: none
  bool seccomp = false;
};

/// Made by Server before the first fork; const for workers but for what lives in the segment. In thread mode
/// all workers share the one object.
struct Shared {
  explicit Shared(shm::Segment made) : segment(std::move(made)) {}

  shm::Segment segment;
  std::unique_ptr<shm::Heap> heap;
  std::unique_ptr<shm::SlotTable> slots;
  std::unique_ptr<shm::CounterPages> pages;
  std::unique_ptr<shm::Timers> timers;
  std::unique_ptr<shm::Inbox> event_inbox;
  std::unique_ptr<NameRequests> name_requests;
  std::unique_ptr<proxy::SuspendedRuns> suspended;
  std::vector<SlotAreas> slot_areas;  ///< by slot
  net::DnsCache dns;
  shm::AccountId message_account = 0;
  std::atomic<std::uint32_t>* closing = nullptr;  ///< in the segment; not 0: nothing new is begun any more
  Fd event_wake;                                  ///< eventfd of event_inbox

  std::unique_ptr<crash::Quarantine> quarantine;
  CrashKeeping crash;
  Hardening hardening;

  CounterTable counters;
  proxy::CoreCounters core;
  ServerCounters server;

  proxy::LocalSockets sockets;
  proxy::Settings settings;
  std::vector<net::Listener> listeners;     ///< by SocketId
  std::vector<net::UdpSocket> udp;          ///< by SocketId
  std::vector<net::UdpSocket> further_udp;  ///< reuse_port: sockets of the second worker and so on
  std::vector<net::SendSocket> send_sockets;
  std::vector<std::uint32_t*> drop_cells;  ///< by SocketId, in the segment
  net::ResolverOptions resolver;
  std::vector<std::string> config_names;  ///< host names of the configuration: kept fresh by the event worker

  mod::Registry* registry = nullptr;
  const script::Program* program = nullptr;

  Clock* clock = nullptr;
  LogSink* log_sink = nullptr;
  int log_level = 0;
};

/// What a worker is given. It touches nothing else (DESIGN 2.1).
struct WorkerContext {
  Shared& shared;
  shm::WorkerId id;  ///< slot and incarnation
  shm::WorkerKind kind;
  SocketId socket;          ///< datagram workers: what they receive on
  int rank;                 ///< child_init rank: 1.. for datagram workers
  int further_socket = -1;  ///< index into Shared::further_udp to receive from; -1: the listener's own

  const net::UdpSocket& receive_socket() const noexcept {
    return further_socket < 0 ? shared.udp[socket]
                              : shared.further_udp[static_cast<std::size_t>(further_socket)];
  }
};

/// What the reaper's recorder needs. `shared` outlives it.
crash::RecorderContext recorder_context(const Shared& shared);

/// Registers the areas of the first `workers` slots in the static part of the segment. False: it is too
/// small.
bool lay_out_slot_areas(Shared& shared, std::uint16_t workers);

}  // namespace ser::srv
