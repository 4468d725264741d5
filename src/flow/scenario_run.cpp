// SPDX-License-Identifier: Apache-2.0
#include "flow/scenario_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>

#include "base/text.h"

namespace ser::flow {

ScenarioRun::ScenarioRun(const FlowFile& file, const Scenario& scenario, Builtin builtin, std::uint64_t seed)
    : x_file(file), x_scenario(scenario), x_builtin(builtin), x_world(seed) {
  x_result.name = scenario.name;
  x_result.range = scenario.range;
}

bool ScenarioRun::fail(std::string what, const conf::SourceRange& range) {
  if (x_result.failure) return false;
  Failure failure;
  failure.what = std::move(what);
  failure.range = range.line != 0 ? range : x_step != nullptr ? x_step->range : x_scenario.range;
  failure.at = x_world.clock.elapsed();
  x_result.failure = std::move(failure);
  return false;
}

ScenarioResult ScenarioRun::run(Coverage* coverage) {
  const auto begin = std::chrono::steady_clock::now();
  if (build() && run_steps(x_file.common.steps) && run_steps(x_scenario.own.steps)) run_end();
  x_result.passages = x_world.network.passages();
  x_result.duration = x_world.clock.elapsed();
  for (const auto& actor : x_world.actors()) x_result.nodes.push_back(actor->node_name());
  const std::size_t middle = x_result.nodes.empty() ? 0 : 1;
  std::size_t place = middle;
  for (const auto& server : x_world.servers()) {
    x_result.nodes.insert(x_result.nodes.begin() + static_cast<std::ptrdiff_t>(place++), server->node_name());
    std::vector<LogLine> merged;
    std::merge(x_result.log.begin(), x_result.log.end(), server->log().begin(), server->log().end(),
               std::back_inserter(merged), [](const LogLine& a, const LogLine& b) { return a.at < b.at; });
    x_result.log = std::move(merged);
    if (coverage != nullptr) coverage->add(*server);
  }
  x_result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return std::move(x_result);
}

bool ScenarioRun::build() {
  // Names first: the servers ask for those of their configurations while they start.
  for (const Setting* setting : {&x_file.common, &x_scenario.own}) {
    for (const Step& step : setting->steps) {
      const auto* name = std::get_if<NameStep>(&step.what);
      if (name == nullptr) break;
      x_step = &step;
      if (!(*this)(*name)) return false;
    }
    for (const SockAddr& address : setting->black_holes) x_world.network.swallow(address);
  }
  x_step = nullptr;
  return build_servers() && build_actors(x_file.common.actors) && build_actors(x_scenario.own.actors);
}

bool ScenarioRun::build_servers() {
  std::vector<const ServerSpec*> specs;
  for (const Setting* setting : {&x_file.common, &x_scenario.own}) {
    for (const ServerSpec& spec : setting->servers) {
      const auto same = std::find_if(specs.begin(), specs.end(),
                                     [&](const ServerSpec* other) { return other->name == spec.name; });
      if (same != specs.end())
        *same = &spec;
      else
        specs.push_back(&spec);
    }
  }
  if (specs.empty()) return fail("there is no server to test; `config FILE` names its configuration");
  const std::string folder = std::filesystem::path(x_file.path).parent_path().string();
  for (const ServerSpec* spec : specs) {
    if (spec->config.empty() && !spec->text)
      return fail(fmt::format("server {} has no configuration", spec->name), spec->range);
    LoadedConfig loaded = load_for_flow(*spec, folder, x_file.path, x_builtin);
    if (!loaded.problem.empty()) {
      fail(fmt::format("the configuration of {} is refused", spec->name), spec->range);
      x_result.failure->text = loaded.problem;
      return false;
    }
    std::string error;
    if (x_world.add_server(spec->name, std::move(loaded), error) == nullptr)
      return fail(fmt::format("server {} does not start: {}", spec->name, error), spec->range);
  }
  return true;
}

bool ScenarioRun::build_actors(const std::vector<ActorSpec>& specs) {
  for (const ActorSpec& spec : specs) {
    std::string uri;
    ActorSpec filled = spec;
    if (!expand(spec.uri, uri, variables())) return false;
    for (FieldLine& line : filled.fields) {
      std::string value;
      if (!expand(line.value, value, variables())) return false;
      line.value.text = std::move(value);
    }
    std::string error;
    if (x_world.add_actor(filled, uri, error) == nullptr) return fail(error, spec.range);
  }
  return true;
}

bool ScenarioRun::run_steps(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    if (!perform(step)) return false;
    x_last = x_world.clock.now();
  }
  return true;
}

bool ScenarioRun::perform(const Step& step) {
  x_step = &step;
  if (!std::visit([this](const auto& what) { return (*this)(what); }, step.what)) return false;
  const auto& passages = x_world.network.passages();
  for (; x_passages_seen < passages.size(); ++x_passages_seen) {
    const Passage& passage = passages[x_passages_seen];
    if (passage.fate == Passage::Fate::nowhere)
      return fail(
          fmt::format("{} sent `{}` to {}, where nobody is", passage.from, passage.first_line, passage.to));
  }
  return true;
}

/// What is on its way arrives; then nobody may have something unread, and no log an unexpected error.
bool ScenarioRun::run_end() {
  constexpr Instant kLongest = 60'000'000'000;
  const Instant end = x_world.clock.now() + kLongest;
  if (!run_until(x_world.clock.now())) return false;
  unsigned events = 0;
  while (x_world.network.travelling() != 0 && x_world.queue.next() <= end) {
    if (!run_one(events)) return false;
  }
  if (!run_until(x_world.clock.now())) return false;
  return quiet({}) && log_of_errors();
}

/// `events` counts those of one moment.
bool ScenarioRun::run_one(unsigned& events) {
  events = x_world.queue.next() == x_world.clock.now() ? events + 1 : 0;
  if (events > kMaxEvents) return fail("the simulated world does not come to rest");
  x_world.queue.run_one();
  return true;
}

bool ScenarioRun::run_until(Instant until) {
  unsigned events = 0;
  while (x_world.queue.next() <= until) {
    if (!run_one(events)) return false;
  }
  x_world.queue.run_until(until);
  return true;
}

std::optional<std::string> ScenarioRun::variable(std::string_view name) const {
  if (const auto found = x_variables.find(name); found != x_variables.end()) return found->second;
  const std::size_t dot = name.find('.');
  const std::string_view who = name.substr(0, dot);
  const std::string_view what =
      dot == std::string_view::npos ? std::string_view("address") : name.substr(dot + 1);
  for (const auto& actor : x_world.actors()) {
    if (actor->node_name() == who && dot != std::string_view::npos) return actor->variable(what);
  }
  for (const auto& server : x_world.servers()) {
    if (server->node_name() != who) continue;
    const SockAddr address = server->addresses().front();
    if (what == "address") return to_string(address);
    if (what == "host") return std::string(print_ip(address.ip, true).view());
    if (what == "port") return std::to_string(address.port);
  }
  return std::nullopt;
}

LookUp ScenarioRun::variables() const {
  return [this](std::string_view name) { return variable(name); };
}

bool ScenarioRun::expand(const Text& text, std::string& out, const LookUp& look_up) {
  std::string unknown;
  if (substitute(text.text, look_up, out, unknown))
    return out.size() <= kLongestText || fail("the text is longer than 256 KiB", text.range);
  return fail(fmt::format("unknown variable `{}`", unknown), text.range);
}

std::string ScenarioRun::last_script() const {
  for (const auto& server : x_world.servers()) {
    if (std::string place = server->script_place(); !place.empty()) return place;
  }
  return {};
}

bool matches_filter(std::string_view filter, std::string_view name) {
  if (filter.empty()) return true;
  if (filter.find_first_of("*?") == std::string_view::npos)
    return ifind(name, filter) != std::string_view::npos;
  std::size_t f = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (n < name.size()) {
    if (f < filter.size() && (filter[f] == '?' || to_lower(filter[f]) == to_lower(name[n])) &&
        filter[f] != '*') {
      ++f;
      ++n;
    } else if (f < filter.size() && filter[f] == '*') {
      star = f++;
      mark = n;
    } else if (star != std::string_view::npos) {
      f = star + 1;
      n = ++mark;
    } else {
      return false;
    }
  }
  while (f < filter.size() && filter[f] == '*') ++f;
  return f == filter.size();
}

std::vector<ScenarioResult> run_flow(const FlowFile& file, Builtin builtin, const RunOptions& options) {
  std::vector<ScenarioResult> results;
  const std::uint64_t seed = options.seed_given ? options.seed : file.seed.value_or(options.seed);
  for (const Scenario& scenario : file.scenarios) {
    if (!matches_filter(options.filter, scenario.name)) continue;
    results.push_back(ScenarioRun(file, scenario, builtin, seed).run(options.coverage));
  }
  return results;
}

}  // namespace ser::flow
