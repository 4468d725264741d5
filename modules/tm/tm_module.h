// SPDX-License-Identifier: Apache-2.0
// The module's object, for its own files.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mod/spec.h"
#include "txn/engine.h"

namespace ser::modules {

/// Parameters as written. Times are milliseconds; in SER's dialect, seconds (DESIGN 2.15).
struct TmConfig {
  std::int32_t fr_timer = 30'000;
  std::int32_t fr_inv_timer = 120'000;
  std::int32_t wt_timer = 0;
  std::int32_t retr_timer1 = 500;
  std::int32_t retr_timer2 = 4'000;
  std::int32_t max_inv_lifetime = 0;
  std::int32_t max_noninv_lifetime = 0;
  bool auto_inv_100 = true;
  std::string auto_inv_100_reason = "trying -- your call is important to us";
  bool remap_503_500 = true;
  bool restart_fr_on_each_reply = true;
  bool e2e_cancel_reason = true;
  bool local_cancel_reason = true;
  std::int32_t failure_reply_mode = 0;
  std::int32_t retr_timer1p1 = 0, retr_timer1p2 = 0, retr_timer1p3 = 0;
  std::int32_t accepted = 0;  ///< of those that are known and change nothing
  std::string accepted_text;
};

/// What the script asked for before the request had a transaction. In the message's arena.
struct Wishes {
  std::uint16_t on_branch = txn::kNoRoute, on_reply = txn::kNoRoute, on_failure = txn::kNoRoute;
  Instant fr = 0, fr_inv = 0;
  Instant lifetime_invite = 0, lifetime_other = 0;
  Instant t1 = 0, t2 = 0;
  std::uint8_t trying = 0;
  bool no_reason = false;
  txn::TransactionId looked_up;  ///< what t_lookup_request() found
  // t_load_contacts(): the targets still to be tried, the best first.
  proxy::Branch* contacts = nullptr;
  std::uint16_t contact_count = 0, next_contact = 0;
};

struct TmWorker final : mod::WorkerState, proxy::Transactions {
  TmWorker(txn::Root& root, const txn::EngineConfig& config, const txn::EngineCounters& counters,
           proxy::Services& services, shm::AccountId account, std::uint32_t type)
      : engine(root, config, counters, services, account, type) {}
  Result<void> reply(proxy::Run& run, const proxy::LocalReply& reply) noexcept override {
    return engine.reply(*static_cast<txn::Transaction*>(run.state().transaction), run, reply);
  }
  bool knows(proxy::Run& run) noexcept override {
    txn::TransactionId id;
    return engine.find(run, id) != txn::Engine::Found::nothing;
  }
  bool begin_pending(proxy::Run& run) noexcept override { return engine.begin_pending(run); }
  void put_aside(proxy::Run& run) noexcept override { engine.put_aside(run); }
  proxy::KeptMessage* take_up(proxy::RunState& state) noexcept override { return engine.take_up(state); }
  void resume(proxy::SuspendedRun& suspended, proxy::RestOfRoute& rest) noexcept override {
    engine.resume(suspended, rest);
  }
  txn::Engine engine;
  mod::Matcher matcher;
};

class Tm final : public mod::Module {
 public:
  using Config = TmConfig;
  using Outcome = mod::Outcome;
  using Run = proxy::Run;
  explicit Tm(const TmConfig& config) : x_config(config) {}

  Result<void> start(mod::StartContext& context, std::string& error) override;
  std::unique_ptr<mod::WorkerState> start_worker(mod::WorkerContext& context) override;
  void post_script(Run& run) override;
  mod::ResponseVerdict on_response(Run& run) override;
  void after_flush(proxy::Services& services) override;
  void on_event(mod::WorkerContext& context, const std::uint64_t (&words)[2]) override;
  void after_death(mod::WorkerContext& context) override;
  std::uint64_t unfinished(const shm::CounterPages& pages) const override;

  // Transactions. tm_functions.cpp
  Outcome newtran(Run& run);
  Outcome relay_appended(Run& run);
  Outcome relay(Run& run, std::optional<std::string_view> host, std::optional<std::int64_t> port);
  Outcome replicate(Run& run, std::optional<std::string_view> host, std::optional<std::int64_t> port);
  Outcome relay_cancel(Run& run);
  Outcome reply(Run& run, std::int64_t code, std::string_view reason);
  Outcome release(Run& run);
  Outcome retransmit_reply(Run& run);
  Outcome check_trans(Run& run);
  Outcome precheck_trans(Run& run);
  Outcome lookup_request(Run& run);
  Outcome lookup_cancel(Run& run);
  Outcome on_branch(Run& run, mod::RouteRef route);
  Outcome on_reply(Run& run, mod::RouteRef route);
  Outcome on_failure(Run& run, mod::RouteRef route);
  Outcome set_fr(Run& run, std::int64_t fr_inv, std::optional<std::int64_t> fr);
  Outcome reset_fr(Run& run);
  Outcome set_max_lifetime(Run& run, std::int64_t invite, std::int64_t other);
  Outcome reset_max_lifetime(Run& run);
  Outcome set_retr(Run& run, std::int64_t t1, std::int64_t t2);
  Outcome reset_retr(Run& run);
  Outcome set_auto_inv_100(Run& run, std::int64_t on);
  Outcome set_no_e2e_cancel_reason(Run& run, std::int64_t off);
  Outcome flush_flags(Run& run);
  Outcome cancel_branches(Run& run, std::string_view which);
  Outcome load_contacts(Run& run, std::optional<std::int64_t> mode);
  Outcome next_contacts(Run& run);
  Outcome drop_replies(Run& run, std::optional<std::string_view> which);
  Outcome nothing_to_do(Run& run);
  Outcome accept_number(Run& /*run*/, std::int64_t /*number*/) { return Outcome::yes(); }
  Outcome is_retr_async_reply(Run& /*run*/) { return Outcome::no(); }

  // Questions. tm_questions.cpp
  Outcome is_set(Run& run, std::string_view what);
  Outcome is_canceled(Run& run);
  Outcome is_expired(Run& run);
  Outcome any_replied(Run& run);
  Outcome any_timeout(Run& run);
  Outcome branch_replied(Run& run);
  Outcome branch_timeout(Run& run);
  Outcome check_status(Run& run, mod::Compiled<mod::SearchRegex> pattern);
  Outcome grep_status(Run& run, std::int64_t code);
  Outcome status_code(Run& run);
  Outcome is_branch_route(Run& run) { return is_kind(run, proxy::RouteKind::branch); }
  Outcome is_failure_route(Run& run) { return is_kind(run, proxy::RouteKind::failure); }
  Outcome is_reply_route(Run& run) { return is_kind(run, proxy::RouteKind::onreply); }
  Outcome is_request_route(Run& run) { return is_kind(run, proxy::RouteKind::request); }
  proxy::Value reply_code_value(Run& run);
  proxy::Value branch_index_value(Run& run);
  proxy::Value reply_reason_value(Run& run);
  proxy::Value reply_last_value(Run& run);

  txn::EngineCounters x_counters{};

 private:
  txn::Engine& engine(Run& run) const noexcept { return worker_state<TmWorker>(run).engine; }
  static txn::Transaction* transaction(Run& run) noexcept {
    return static_cast<txn::Transaction*>(run.state().transaction);
  }
  static Outcome is_kind(Run& run, proxy::RouteKind kind) { return Outcome::from(run.state().kind == kind); }
  Wishes* wishes(Run& run) const noexcept;
  Outcome arm_route(Run& run, mod::RouteRef route, std::uint16_t txn::Transaction::* of_transaction,
                    std::uint16_t Wishes::* wished);
  void grant_wishes(Run& run, txn::Transaction& transaction) const noexcept;
  /// The run's transaction, made now when there is none. A retransmission ends the run: `ended`.
  Result<txn::Transaction*> ensure(Run& run, bool& ended);
  static Result<std::optional<SockAddr>> destination(Run& run, std::optional<std::string_view> host,
                                                     std::optional<std::int64_t> port);
  /// What a function answers whose destination is not known.
  static Outcome failed(const Error& error) {
    return error.code == Errc::suspended ? Outcome::again() : Outcome::no();
  }
  Outcome relay_statelessly(Run& run, const SockAddr* to);
  std::uint16_t last_status(Run& run) const noexcept;
  txn::Branch* last_branch(Run& run) const noexcept;
  Instant time(std::int64_t value) const noexcept { return value * x_unit; }

  TmConfig x_config;
  txn::EngineConfig x_engine_config;
  txn::Root* x_root = nullptr;
  shm::AccountId x_account = 0;
  Instant x_unit = txn::kMillisecond;
};

}  // namespace ser::modules
