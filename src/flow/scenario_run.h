// SPDX-License-Identifier: Apache-2.0
// One scenario being run: the steps of a flow in a world of its own.
#pragma once
#include <set>
#include <string>

#include "flow/runner.h"

namespace ser::flow {

class ScenarioRun {
 public:
  /// All outlive it.
  ScenarioRun(const FlowFile& file, const Scenario& scenario, Builtin builtin, std::uint64_t seed);
  ScenarioResult run(Coverage* coverage);

 private:
  /// What a step without `within` waits at most, and how far from `after` something may come (the wheel of
  /// the timers ticks every 16 ms).
  static constexpr Instant kPatience = 1'000'000'000;
  static constexpr Instant kSlack = 20'000'000;
  static constexpr unsigned kMaxEvents = 100'000;  ///< at one moment
  static constexpr std::size_t kLongestText = std::size_t{256} << 10;
  static constexpr std::size_t kLongestDatagram = 65'507;

  bool build();
  bool build_servers();
  bool build_actors(const std::vector<ActorSpec>& specs);
  bool run_steps(const std::vector<Step>& steps);
  bool run_end();

  bool perform(const Step& step);
  bool operator()(const SendStep& step);
  bool operator()(const ReceiveStep& step);
  bool operator()(const IgnoreStep& step);
  bool operator()(const WaitStep& step);
  bool operator()(const LinkStep& step);
  bool operator()(const PacketRule& step);
  bool operator()(const NameStep& step);
  bool operator()(const LogStep& step);
  bool operator()(const CounterStep& step);
  bool operator()(const SetStep& step);

  bool fail(std::string what, const conf::SourceRange& range = {});
  bool expand(const Text& text, std::string& out, const LookUp& look_up);
  std::optional<std::string> variable(std::string_view name) const;
  LookUp variables() const;

  bool make_draft(Actor& actor, const SendStep& step, Draft& draft);
  bool apply_block(const Block& block, Draft& draft);
  bool set_fields(const Block& block, Draft& draft);
  bool destination(const Actor& actor, const SendStep& step, SockAddr& to);
  SockAddr default_server(const Actor& actor) const;

  /// Lets time pass until `actor` has a message it does not ignore, at most until `until`.
  bool await(Actor& actor, Instant until);
  void drop_ignored(Actor& actor);
  bool check_arrival(const ReceiveStep& step, const Arrival& arrival);
  bool accept(Actor& actor, const ReceiveStep& step, const Arrival& arrival);
  bool nothing_came(const Actor& actor, const ReceiveStep& step, Instant waited);
  bool run_one(unsigned& events);
  bool run_until(Instant until);
  bool quiet(const std::string& actor);
  bool log_of_errors();
  std::string last_script() const;

  const FlowFile& x_file;
  const Scenario& x_scenario;
  Builtin x_builtin;
  World x_world;
  Variables x_variables;
  ScenarioResult x_result;
  const Step* x_step = nullptr;
  Instant x_last = SimClock::kStart;                          ///< when the last step ended
  std::set<std::pair<const Server*, std::size_t>> x_allowed;  ///< log lines that were expected
  std::vector<const LogStep*> x_allows;
  std::size_t x_passages_seen = 0;
};

}  // namespace ser::flow
