// SPDX-License-Identifier: Apache-2.0
// The module's life: its table in the segment, an engine per worker, and what reaches it without a script.
#include "modules/tm/tm_module.h"

#include <new>

#include "modules/tm/tm.h"
#include "shm/counters_page.h"

namespace ser::modules {

Result<void> Tm::start(mod::StartContext& context, std::string& error) {
  void* memory = context.segment_alloc(context.segment_self, sizeof(txn::Root));
  if (memory == nullptr) {
    error = "no room in the segment for the table of transactions; raise -m";
    return {Errc::no_space, "no room in the segment"};
  }
  x_root = new (memory) txn::Root;
  if (context.heap != nullptr) {
    x_account = context.heap->account("transactions");
    x_root->cell_account = context.heap->account("transaction cells");
  }
  x_unit = context.settings.ser_dialect ? txn::kSecond : txn::kMillisecond;
  txn::TimerValues& timers = x_engine_config.timers;
  // Whoever writes nothing gets the defaults, which are milliseconds in any dialect.
  const TmConfig defaults;
  const auto given = [&](std::int32_t value, std::int32_t otherwise) {
    return value == otherwise ? value * txn::kMillisecond : time(value);
  };
  timers.t1 = given(x_config.retr_timer1, defaults.retr_timer1);
  timers.t2 = given(x_config.retr_timer2, defaults.retr_timer2);
  // SER 0.8.8 names the first three intervals; they double up to T2 anyway.
  if (x_config.retr_timer1p1 != 0) timers.t1 = time(x_config.retr_timer1p1);
  timers.fr = given(x_config.fr_timer, defaults.fr_timer);
  timers.fr_inv = given(x_config.fr_inv_timer, defaults.fr_inv_timer);
  timers.wait = given(x_config.wt_timer, defaults.wt_timer);
  timers.restart_c = x_config.restart_fr_on_each_reply;
  x_engine_config.trying_at_once = x_config.auto_inv_100;
  x_engine_config.trying_reason = x_config.auto_inv_100_reason;
  x_engine_config.pass_reason = x_config.e2e_cancel_reason;
  x_engine_config.own_reason = x_config.local_cancel_reason;
  x_engine_config.keep_503 = !x_config.remap_503_500;
  x_engine_config.drop_earlier_legs = (x_config.failure_reply_mode & 2) != 0;
  return {};
}

std::unique_ptr<mod::WorkerState> Tm::start_worker(mod::WorkerContext& context) {
  if (context.services.shared == nullptr) return nullptr;
  auto made = std::make_unique<TmWorker>(*x_root, x_engine_config, x_counters, context.services, x_account,
                                         mod::kModuleEvents + index);
  context.services.transactions = made.get();
  return made;
}

void Tm::post_script(Run& run) {
  const proxy::RunState& state = run.state();
  if (state.transaction != nullptr || state.pending_transaction != nullptr) engine(run).end_of_run(run);
}

mod::ResponseVerdict Tm::on_response(Run& run) {
  return engine(run).on_response(run) ? mod::ResponseVerdict::absorb : mod::ResponseVerdict::pass;
}

void Tm::after_flush(proxy::Services& services) {
  static_cast<TmWorker*>(static_cast<mod::WorkerState*>(services.worker_state[index]))->engine.after_flush();
}

void Tm::on_event(mod::WorkerContext& context, const std::uint64_t (&words)[2]) {
  auto* state = static_cast<TmWorker*>(static_cast<mod::WorkerState*>(context.services.worker_state[index]));
  if (state == nullptr) return;
  state->engine.on_clock({static_cast<std::uint32_t>(words[0]), static_cast<std::uint32_t>(words[1])});
}

/// A worker's death may leave one too many: then the grace is waited for to its end.
std::uint64_t Tm::unfinished(const shm::CounterPages& pages) const {
  const std::uint64_t made = pages.sum(x_counters.created);
  const std::uint64_t answered = pages.sum(x_counters.answered);
  return made > answered ? made - answered : 0;
}

void Tm::after_death(mod::WorkerContext& context) {
  auto* state = static_cast<TmWorker*>(static_cast<mod::WorkerState*>(context.services.worker_state[index]));
  if (state != nullptr) state->engine.put_right();
}

}  // namespace ser::modules
