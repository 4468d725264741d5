// SPDX-License-Identifier: Apache-2.0
// What each step does.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "flow/scenario_run.h"

namespace ser::flow {

namespace {

std::string time_text(Instant ns) {
  return fmt::format("{:.3f} s", static_cast<double>(ns) / 1e9);
}

}  // namespace

SockAddr ScenarioRun::default_server(const Actor& actor) const {
  const auto& servers = x_world.servers();
  for (const auto& server : servers) {
    for (const SockAddr& address : server->addresses()) {
      if (address.ip.family == actor.spec().address.ip.family) return address;
    }
  }
  return servers.front()->addresses().front();
}

bool ScenarioRun::destination(const Actor& actor, const SendStep& step, SockAddr& to) {
  if (step.to.text.empty()) {
    if (!to.valid()) to = default_server(actor);
    return true;
  }
  std::string text;
  if (!expand(step.to, text, variables())) return false;
  if (const Actor* other = x_world.actor(text)) {
    to = other->spec().address;
    return true;
  }
  if (const Server* server = x_world.server(text)) {
    to = server->addresses().front();
    return true;
  }
  // An address, or a server's other port.
  const std::size_t colon = text.rfind(':');
  const auto port = parse_u32(std::string_view(text).substr(colon + 1), 65535);
  const std::string host = text.substr(0, colon);
  const Server* server = x_world.server(host);
  const auto ip = server != nullptr ? Result<IpAddress>(server->addresses().front().ip) : parse_ip(host);
  if (colon == std::string::npos || !port || !ip)
    return fail(fmt::format("`{}` is no actor, server or address", text), step.to.range);
  to = {*ip, static_cast<std::uint16_t>(*port)};
  return true;
}

bool ScenarioRun::make_draft(Actor& actor, const SendStep& step, Draft& draft) {
  std::string uri;
  std::string reason;
  if (!expand(step.uri, uri, variables()) || !expand(step.reason, reason, variables())) return false;
  switch (step.what) {
    case SendStep::What::request:
      draft = actor.request(step.method, uri, step.in_dialog);
      break;
    case SendStep::What::response:
      draft = actor.response(step.status, reason, step.method);
      break;
    case SendStep::What::ack:
      draft = actor.ack();
      break;
    case SendStep::What::cancel:
      draft = actor.cancel();
      break;
    case SendStep::What::raw:
    case SendStep::What::again:
      break;
  }
  return draft.problem.empty() || fail(draft.problem);
}

/// Fields of the flow take the place of the template's of the same name; several of one name stand together.
bool ScenarioRun::set_fields(const Block& block, Draft& draft) {
  auto& fields = draft.text.fields;
  std::vector<std::string> done;
  for (const FieldLine& line : block.fields) {
    const auto names_it = [&](const MessageText::Field& field) { return same_header(field.name, line.name); };
    const bool first = std::none_of(done.begin(), done.end(),
                                    [&](const std::string& other) { return same_header(other, line.name); });
    if (line.how == FieldLine::How::absent) {
      std::erase_if(fields, names_it);
      continue;
    }
    auto place = fields.end();
    std::optional<std::string> own;
    if (const auto found = std::find_if(fields.begin(), fields.end(), names_it); found != fields.end()) {
      own = found->value;
      if (first) {
        place = fields.erase(found, found + 1);
        const auto at = place - fields.begin();
        std::erase_if(fields, names_it);
        place = fields.begin() + std::min(at, static_cast<std::ptrdiff_t>(fields.size()));
      } else {
        place = std::find_if(fields.rbegin(), fields.rend(), names_it).base();
      }
    }
    const std::string cseq = draft.text.value("CSeq");
    const std::string via = draft.text.value("Via");
    const std::string from = draft.text.value("From");
    const std::string call_id = draft.text.value("Call-ID");
    std::string value;
    const LookUp look_up = [&](std::string_view name) -> std::optional<std::string> {
      if (name == "default") return own;
      if (name == "branch") return param_of(same_header(line.name, "Via") && own ? *own : via, "branch");
      if (name == "tag") return param_of(same_header(line.name, "From") && own ? *own : from, "tag");
      if (name == "call-id") return same_header(line.name, "Call-ID") && own ? own : call_id;
      if (name == "cseq") return cseq.substr(0, cseq.find(' '));
      return variable(name);
    };
    if (!expand(line.value, value, look_up)) return false;
    fields.insert(place, {line.name, value});
    done.push_back(line.name);
  }
  return true;
}

bool ScenarioRun::apply_block(const Block& block, Draft& draft) {
  if (!set_fields(block, draft)) return false;
  if (block.body && !expand(*block.body, draft.text.body, variables())) return false;
  const auto named = [&](const char* name) {
    return std::any_of(block.fields.begin(), block.fields.end(),
                       [&](const FieldLine& line) { return same_header(line.name, name); });
  };
  if (!draft.text.body.empty() && draft.text.find("Content-Type") == nullptr && !named("Content-Type"))
    draft.text.fields.push_back(
        {"Content-Type", draft.text.body.starts_with("v=0") ? "application/sdp" : "text/plain"});
  if (!named("Content-Length"))
    draft.text.fields.push_back({"Content-Length", std::to_string(draft.text.body.size())});
  return true;
}

bool ScenarioRun::operator()(const SendStep& step) {
  Actor& actor = *x_world.actor(step.actor);
  if (!run_until(x_world.clock.now())) return false;
  if (step.what == SendStep::What::again) {
    const Datagram* last = actor.sent(step.method);
    if (last == nullptr) return fail(fmt::format("{} has sent no such message", step.actor));
    Datagram again = *last;
    if (!step.to.text.empty() && !destination(actor, step, again.to)) return false;
    actor.send_again(again);
    return run_until(x_world.clock.now());
  }
  Draft draft;
  std::string bytes;
  if (step.what == SendStep::What::raw) {
    if (!expand(*step.block.body, bytes, variables())) return false;
  } else {
    if (!make_draft(actor, step, draft) || !apply_block(step.block, draft)) return false;
    bytes = draft.text.bytes();
  }
  if (!destination(actor, step, draft.to)) return false;
  if (bytes.size() > kLongestDatagram)
    return fail(fmt::format("{} bytes are more than a datagram holds", bytes.size()));
  actor.send(std::move(bytes), draft.to);
  return run_until(x_world.clock.now());
}

void ScenarioRun::drop_ignored(Actor& actor) {
  while (!actor.inbox.empty()) {
    const Datagram datagram = actor.inbox.front().datagram;
    const MessageText message = MessageText::parse(datagram.bytes);
    const bool ignored = std::any_of(actor.ignored.begin(), actor.ignored.end(),
                                     [&](const std::string& what) { return ignores(what, message); });
    if (!ignored) return;
    actor.learn(message, datagram);
    actor.inbox.pop_front();
  }
}

bool ScenarioRun::await(Actor& actor, Instant until) {
  unsigned events = 0;
  for (;;) {
    drop_ignored(actor);
    if (!actor.inbox.empty()) return true;
    if (x_world.queue.next() > until) break;
    if (!run_one(events)) return false;
  }
  x_world.queue.run_until(until);
  return false;
}

bool ScenarioRun::operator()(const ReceiveStep& step) {
  Actor& actor = *x_world.actor(step.actor);
  if (step.nothing) {
    const bool came = await(actor, x_last + step.within.value_or(0));
    return !came && !x_result.failure ? true : quiet(step.actor);
  }
  const Instant patience = step.within ? *step.within : step.after ? *step.after + kSlack : kPatience;
  if (!await(actor, x_last + patience)) return !x_result.failure && nothing_came(actor, step, patience);
  const Arrival arrival = actor.inbox.front();
  actor.inbox.pop_front();
  return accept(actor, step, arrival);
}

bool ScenarioRun::nothing_came(const Actor& actor, const ReceiveStep& step, Instant waited) {
  fail(fmt::format("{} received nothing within {}", actor.node_name(), time_text(waited)));
  x_result.failure->script = last_script();
  x_result.failure->rows.push_back(
      {step.method.empty() ? std::to_string(step.status_from) : step.method, "(nothing)", true});
  return false;
}

bool ScenarioRun::accept(Actor& actor, const ReceiveStep& step, const Arrival& arrival) {
  const MessageText message = MessageText::parse(arrival.datagram.bytes);
  Comparison found = compare(step, message, variables());
  if (!found.equal) {
    const std::string what = !found.problem.empty() ? found.problem
                             : found.range.line != 0
                                 ? fmt::format("what {} received is not as expected", step.actor)
                                 : fmt::format("{} received another message", step.actor);
    fail(what, found.range);
    x_result.failure->rows = std::move(found.rows);
    x_result.failure->script = arrival.datagram.script;
    return false;
  }
  if (!check_arrival(step, arrival)) {
    x_result.failure->script = arrival.datagram.script;
    return false;
  }
  for (auto& [name, value] : found.saved) x_variables[name] = value;
  actor.learn(message, arrival.datagram);
  return true;
}

bool ScenarioRun::check_arrival(const ReceiveStep& step, const Arrival& arrival) {
  const Instant since = arrival.at + SimClock::kStart - x_last;
  if (step.after && since + kSlack < *step.after)
    return fail(
        fmt::format("it came {} after the last step, not {}", time_text(since), time_text(*step.after)));
  if (step.within && since > *step.within)
    return fail(fmt::format("it came {} after the last step, not within {}", time_text(since),
                            time_text(*step.within)));
  if (step.from.text.empty()) return true;
  std::string from;
  if (!expand(step.from, from, variables())) return false;
  const Node* node = x_world.network.at(arrival.datagram.from);
  const std::string address = to_string(arrival.datagram.from);
  if (from == address || (node != nullptr && node->node_name() == from)) return true;
  return fail(fmt::format("it came from {}{}, not from {}", node != nullptr ? node->node_name() + " at " : "",
                          address, from),
              step.from.range);
}

bool ScenarioRun::operator()(const IgnoreStep& step) {
  x_world.actor(step.actor)->ignored.push_back(step.what);
  return true;
}

/// Nobody, or not this one, has something unread.
bool ScenarioRun::quiet(const std::string& name) {
  for (const auto& actor : x_world.actors()) {
    if (!name.empty() && actor->node_name() != name) continue;
    drop_ignored(*actor);
    if (actor->inbox.empty()) continue;
    const Arrival& arrival = actor->inbox.front();
    const MessageText message = MessageText::parse(arrival.datagram.bytes);
    fail(fmt::format("{} received `{}` at {}, which nobody expected", actor->node_name(), message.first_line,
                     time_text(arrival.at)));
    Failure& failure = *x_result.failure;
    failure.script = arrival.datagram.script;
    failure.rows.push_back({"(nothing)", message.first_line, true});
    for (const MessageText::Field& field : message.fields)
      failure.rows.push_back({"", field.name + ": " + field.value, false});
    return false;
  }
  return true;
}

bool ScenarioRun::operator()(const WaitStep& step) {
  if (step.quiet && (!run_until(x_world.clock.now()) || !quiet({}))) return false;
  return run_until(x_last + step.time) && (!step.quiet || quiet({}));
}

bool ScenarioRun::operator()(const LinkStep& step) {
  x_world.network.set_link(step);
  return true;
}
bool ScenarioRun::operator()(const PacketRule& step) {
  x_world.network.add_rule(step);
  return true;
}
bool ScenarioRun::operator()(const NameStep& step) {
  NameStep filled = step;
  for (Text& record : filled.records) {
    std::string text;
    if (!expand(record, text, variables())) return false;
    record.text = std::move(text);
  }
  return x_world.names.set(filled) || fail("a record of this name is no good; at most 8 fit");
}
bool ScenarioRun::operator()(const SetStep& step) {
  return expand(step.value, x_variables[step.name], variables());
}

bool ScenarioRun::operator()(const LogStep& step) {
  if (!run_until(x_world.clock.now())) return false;
  std::string text;
  if (step.pattern.regex == nullptr && !expand(step.text, text, variables())) return false;
  mod::Matcher matcher;
  bool found = false;
  for (const auto& server : x_world.servers()) {
    if (!step.server.empty() && server->node_name() != step.server) continue;
    for (std::size_t i = 0; i < server->log().size(); ++i) {
      const std::string& line = server->log()[i].text;
      const bool here = step.pattern.regex != nullptr
                            ? step.pattern.regex->match(matcher, line) == mod::Regex::Verdict::match
                            : line.find(text) != std::string::npos;
      if (!here) continue;
      found = true;
      x_allowed.emplace(server.get(), i);
      if (step.what == LogStep::What::lacks) return fail(fmt::format("the log has: {}", line));
    }
  }
  if (step.what == LogStep::What::allows) x_allows.push_back(&step);
  if (step.what != LogStep::What::contains || found) return true;
  fail("the log has no such line");
  x_result.failure->script = last_script();
  return false;
}

bool ScenarioRun::log_of_errors() {
  const std::vector<const LogStep*> allows = x_allows;
  for (const LogStep* step : allows) {
    if (!(*this)(*step)) return false;
  }
  for (const auto& server : x_world.servers()) {
    for (std::size_t i = 0; i < server->log().size(); ++i) {
      const LogLine& line = server->log()[i];
      if (line.level > LogLevel::error || x_allowed.count({server.get(), i}) != 0) continue;
      x_step = nullptr;
      return fail(fmt::format("unexpected {} in the log of {}: {}", to_string(line.level),
                              server->node_name(), line.text));
    }
  }
  return true;
}

bool ScenarioRun::operator()(const CounterStep& step) {
  if (!run_until(x_world.clock.now())) return false;
  std::uint64_t value = 0;
  bool known = false;
  for (const auto& server : x_world.servers()) {
    if (!step.server.empty() && server->node_name() != step.server) continue;
    const auto one = server->counter(step.group, step.name);
    known = known || one.has_value();
    value += one.value_or(0);
  }
  if (!known)
    return fail(
        fmt::format("there is no statistic {}.{}; `ser --doc=statistics` lists them", step.group, step.name));
  const std::string& c = step.compare;
  const bool good = c == "="    ? value == step.value
                    : c == "!=" ? value != step.value
                    : c == "<"  ? value < step.value
                    : c == "<=" ? value <= step.value
                    : c == ">"  ? value > step.value
                                : value >= step.value;
  return good || fail(fmt::format("{}.{} is {}", step.group, step.name, value));
}

}  // namespace ser::flow
