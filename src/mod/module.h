// SPDX-License-Identifier: Apache-2.0
// Module: what gives the script its functions. One object per configuration; immutable after start(), shared
// by all workers; what changes per worker lives in a WorkerState.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "base/log.h"
#include "base/result.h"
#include "proxy/run.h"
#include "proxy/services.h"

namespace ser::shm {
class CounterPages;
class Heap;
}  // namespace ser::shm

namespace ser::mod {

/// Base of whatever a module keeps per worker. Destroyed when the worker ends in order.
struct WorkerState {
  virtual ~WorkerState() = default;
};

/// What start() may use: everything is checked, nothing is forked, no socket is open yet.
struct StartContext {
  Logger& log;
  const proxy::LocalSockets& sockets;
  const proxy::Settings& settings;
  std::string_view server_name;
  /// Memory in the segment that lives as long as the configuration, zeroed, aligned to 64; nullptr:
  /// exhausted.
  void* (*segment_alloc)(void* self, std::size_t bytes);
  void* segment_self;
  /// Where accounts are declared: after the fork two workers would do it at once. nullptr: no segment.
  shm::Heap* heap = nullptr;
};

/// What start_worker() may use: right after the fork (or in the new thread).
struct WorkerContext {
  Logger& log;
  int rank;  ///< 1..n datagram workers; negative: event, timer …
  proxy::Services& services;
};

enum class ResponseVerdict : std::uint8_t { pass, absorb };

/// Types of timer entries and inbox events of modules begin here; the module's index is added.
inline constexpr std::uint32_t kModuleEvents = 0x1000;

class Module {
 public:
  virtual ~Module() = default;
  /// Before the fork, in load order. An error refuses the start; its text is one clear line. Called again,
  /// after stop(), when the segment was overwritten and is made anew: what came from the old one is gone.
  virtual Result<void> start(StartContext&, std::string& /*error*/) { return {}; }
  /// In every worker that runs scripts. May return nullptr when the module keeps nothing per worker.
  virtual std::unique_ptr<WorkerState> start_worker(WorkerContext&) { return nullptr; }
  /// In the supervisor, when the server ends, or when the segment is made anew.
  virtual void stop() {}

  // Hooks; called only when declared in the spec.
  virtual bool pre_script(proxy::Run&) { return true; }  ///< false drops the message (SER row: 0 drops)
  virtual void post_script(proxy::Run&) {}
  virtual void on_break(proxy::Run&) {}  ///< the outermost list ended with 0
  virtual ResponseVerdict on_response(proxy::Run&) { return ResponseVerdict::pass; }
  virtual void after_flush(proxy::Services&) {}  ///< what a batch of messages produced has left
  virtual void on_timer(WorkerContext&) {}       ///< in the timer worker, at the declared interval

  /// An event of the type kModuleEvents + index: a timer entry that expired (in the timer worker, where no
  /// script runs), or an event from the inbox (in the event worker).
  virtual void on_event(WorkerContext&, const std::uint64_t (& /*words*/)[2]) {}
  /// In the event worker, at its start and after each death of a worker: what the dead one held in the
  /// module's tables is put right.
  virtual void after_death(WorkerContext&) {}

  /// In the supervisor, while the server waits for what has begun (`shutdown_grace`): how much of that there
  /// is in this module. By counters alone: the segment is not looked at.
  virtual std::uint64_t unfinished(const shm::CounterPages&) const { return 0; }

  /// Its place in load order; set by the loader.
  std::uint16_t index = 0;

 protected:
  template <class State>
  State& worker_state(proxy::Run& run) const noexcept {
    return *static_cast<State*>(static_cast<WorkerState*>(run.services().worker_state[index]));
  }
};

}  // namespace ser::mod
