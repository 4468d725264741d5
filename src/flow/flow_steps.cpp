// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "flow/flow_parser_state.h"

namespace ser::flow {

namespace {

bool is_method(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::optional<std::uint16_t> status_of(std::string_view text) {
  if (text.size() != 3) return std::nullopt;
  const auto status = parse_u32(text, 699);
  if (!status || *status < 100) return std::nullopt;
  return static_cast<std::uint16_t>(*status);
}

constexpr std::string_view kVerbs[] = {"sends",   "replies", "receives", "acks",
                                       "cancels", "resends", "ignores"};

}  // namespace

template <class T>
void FlowParser::add_step(Cursor& cursor, T what) {
  x_setting->steps.push_back({cursor.whole(), std::move(what)});
}

bool FlowParser::step(std::string_view word, Cursor& cursor) {
  if (word == "after") {
    WaitStep step;
    step.time = cursor.duration("the time to wait").value_or(0);
    cursor.expect_end();
    add_step(cursor, step);
  } else if (word == "nothing" || word == "nobody") {
    quiet(cursor, word);
  } else if (word == "network" || word == "link") {
    link(cursor, word == "network");
  } else if (word == "lose" || word == "delay" || word == "duplicate") {
    packet_rule(cursor, word);
  } else if (word == "name") {
    dns_name(cursor);
  } else if (word == "log") {
    log(cursor);
  } else if (word == "counter") {
    counter(cursor);
  } else if (word == "set") {
    set(cursor);
  } else {
    return false;
  }
  return true;
}

bool FlowParser::is_server(std::string_view name) const {
  for (const Setting* setting : std::initializer_list<const Setting*>{&x_out.common, x_setting}) {
    for (const ServerSpec& server : setting->servers) {
      if (server.name == name) return true;
    }
  }
  return false;
}

bool FlowParser::actor_step(Cursor& cursor, const Text& actor) {
  const Text verb = cursor.word();
  if (is_server(actor.text)) {
    cursor.error("E0604", actor.range,
                 fmt::format("`{}` is a server: what it does is what is tested", actor.text));
    return false;
  }
  if (verb.text == "sends" || verb.text == "replies") {
    send(cursor, actor.text);
  } else if (verb.text == "acks" || verb.text == "cancels") {
    SendStep step;
    step.actor = actor.text;
    step.what = verb.text == "acks" ? SendStep::What::ack : SendStep::What::cancel;
    send_tail(cursor, step);
    step.block = block(false);
    add_step(cursor, std::move(step));
  } else if (verb.text == "resends") {
    SendStep step;
    step.actor = actor.text;
    step.what = SendStep::What::again;
    if (cursor.peek() != "to") step.method = cursor.word().text;
    send_tail(cursor, step);
    add_step(cursor, std::move(step));
  } else if (verb.text == "receives") {
    receive(cursor, actor.text);
  } else if (verb.text == "ignores") {
    if (cursor.at_end())
      cursor.error("E0602", cursor.here(), "what is ignored is missing",
                   "a method, a status such as 100 or 4xx, or everything");
    while (!cursor.at_end()) add_step(cursor, IgnoreStep{actor.text, cursor.word().text});
  } else {
    cursor.error("E0604", verb.range.length != 0 ? verb.range : actor.range,
                 fmt::format("`{}` is nothing an actor does", verb.text),
                 conf::did_you_mean(verb.text, kVerbs));
    return false;
  }
  return true;
}

void FlowParser::send(Cursor& cursor, const std::string& actor) {
  SendStep step;
  step.actor = actor;
  const Text word = cursor.word();
  if (word.text == "raw") {
    step.what = SendStep::What::raw;
    send_tail(cursor, step);
    const conf::SourceRange at = cursor.whole();
    step.block = block(false);
    if (!step.block.body || !step.block.fields.empty())
      cursor.error("E0602", at, "a raw message is written below, in lines `| text` or \"bytes\"");
  } else if (const auto status = status_of(word.text)) {
    step.what = SendStep::What::response;
    step.status = *status;
    std::string reason;
    const conf::SourceRange at = cursor.here();
    while (!cursor.at_end() && cursor.peek() != "to")
      reason += (reason.empty() ? "" : " ") + cursor.word().text;
    step.reason = {std::move(reason), at};
    if (cursor.take("to")) {
      const Text method = cursor.word();
      if (is_method(method.text))
        step.method = method.text;
      else
        step.to = method;
    }
    send_tail(cursor, step);
    step.block = block(false);
  } else if (is_method(word.text)) {
    step.method = word.text;
    const std::string_view next = cursor.peek();
    if (!next.empty() && next != "to" && next != "in") step.uri = cursor.word();
    send_tail(cursor, step);
    if (step.uri.text.empty() && !step.in_dialog)
      cursor.error("E0602", cursor.whole(), "the Request-URI is missing", "or `in dialog`");
    step.block = block(false);
  } else {
    cursor.error("E0602", word.range.length != 0 ? word.range : cursor.whole(),
                 "an actor sends a METHOD, a status such as 200, or `raw`");
    take_block(true);
    return;
  }
  add_step(cursor, std::move(step));
}

void FlowParser::send_tail(Cursor& cursor, SendStep& step) {
  while (!cursor.at_end()) {
    if (cursor.take("to")) {
      step.to = cursor.word();
    } else if (cursor.take("in")) {
      if (!cursor.take("dialog")) cursor.error("E0602", cursor.here(), "`in` goes with `dialog`");
      step.in_dialog = true;
    } else {
      cursor.expect_end();
    }
  }
}

void FlowParser::receive(Cursor& cursor, const std::string& actor) {
  ReceiveStep step;
  step.actor = actor;
  if (!receive_start(cursor, step)) {
    take_block(true);
    return;
  }
  receive_tail(cursor, step);
  if (!step.nothing) step.block = block(true);
  add_step(cursor, std::move(step));
}

bool FlowParser::receive_start(Cursor& cursor, ReceiveStep& step) {
  const Text word = cursor.word();
  if (word.text == "nothing") {
    step.nothing = true;
  } else if (const auto status = status_of(word.text)) {
    step.status_from = step.status_to = *status;
  } else if (word.text.size() == 3 && word.text.ends_with("xx") && word.text[0] >= '1' &&
             word.text[0] <= '6') {
    step.status_from = static_cast<std::uint16_t>((word.text[0] - '0') * 100);
    step.status_to = static_cast<std::uint16_t>(step.status_from + 99);
  } else if (is_method(word.text)) {
    step.method = word.text;
  } else {
    cursor.error("E0602", word.range.length != 0 ? word.range : cursor.whole(),
                 "an actor receives a METHOD, a status such as 200 or 4xx, or nothing");
    return false;
  }
  return true;
}

void FlowParser::receive_tail(Cursor& cursor, ReceiveStep& step) {
  constexpr std::string_view kWords[] = {"to", "from", "after", "within", "for"};
  while (!cursor.at_end()) {
    if (cursor.take("to")) {
      step.cseq_method = cursor.word().text;
    } else if (cursor.take("from")) {
      step.from = cursor.word();
    } else if (cursor.take("after")) {
      step.after = cursor.duration("the time");
    } else if (cursor.take("within") || (step.nothing && cursor.take("for"))) {
      step.within = cursor.duration("the time");
    } else if (!step.method.empty() && step.uri.text.empty()) {
      step.uri = cursor.word();
    } else if (step.status_from != 0) {
      const Text word = cursor.word();
      if (step.reason.text.empty())
        step.reason = word;
      else
        step.reason.text += " " + word.text;
    } else {
      const Text word = cursor.word();
      cursor.error("E0603", word.range, fmt::format("`{}` is too much here", word.text),
                   conf::did_you_mean(word.text, kWords));
    }
  }
}

void FlowParser::quiet(Cursor& cursor, std::string_view word) {
  WaitStep step;
  step.quiet = true;
  const bool words = word == "nothing" ? !cursor.at_end() && cursor.take("for")
                                       : cursor.take("receives") && cursor.take("anything");
  if (!words)
    cursor.error("E0602", cursor.whole(), "`nothing for 500ms` or `nobody receives anything [for 500ms]`");
  else if (word == "nothing" || cursor.take("for"))
    step.time = cursor.duration("the time").value_or(0);
  cursor.expect_end();
  add_step(cursor, step);
}

/// A declared actor or server; `any` is everybody.
std::string FlowParser::party(Cursor& cursor, bool servers) {
  const Text name = cursor.word();
  if (name.text == "any") return {};
  const bool known = x_parties.count(name.text) != 0 || (servers && name.text == "ser");
  if (!known) {
    std::vector<std::string_view> all(x_parties.begin(), x_parties.end());
    cursor.error("E0607", name.range, fmt::format("there is no actor or server `{}`", name.text),
                 conf::did_you_mean(name.text, all));
  }
  return name.text;
}

void FlowParser::link(Cursor& cursor, bool everywhere) {
  LinkStep step;
  if (!everywhere) {
    step.both_ways = !cursor.take("from");
    step.from = party(cursor);
    cursor.take("to");
    step.to = party(cursor);
  }
  bool any = false;
  while (!cursor.at_end()) {
    const Text word = cursor.word();
    if (word.text == "delay")
      step.properties.delay = cursor.duration("the delay");
    else if (word.text == "jitter")
      step.properties.jitter = cursor.duration("the jitter");
    else if (word.text == "loss")
      step.properties.loss = cursor.share("the loss");
    else if (word.text == "duplicates")
      step.properties.duplicates = cursor.share("the share of duplicates");
    else
      cursor.error("E0602", word.range, fmt::format("a link has no `{}`", word.text),
                   "delay, jitter, loss, duplicates");
    any = true;
  }
  if (!any)
    cursor.error("E0602", cursor.whole(), "what the link is like is missing",
                 "delay, jitter, loss, duplicates");
  add_step(cursor, step);
}

void FlowParser::packet_rule(Cursor& cursor, std::string_view word) {
  PacketRule rule;
  rule.what = word == "lose"    ? PacketRule::What::lose
              : word == "delay" ? PacketRule::What::delay
                                : PacketRule::What::duplicate;
  if (!cursor.take("next"))
    cursor.error("E0602", cursor.here(), fmt::format("`{} next [N] from A to B`", word));
  if (!cursor.at_end() && is_digit(cursor.peek()[0]))
    rule.count = static_cast<std::uint32_t>(cursor.number("the number of packets", 100000).value_or(1));
  if (cursor.take("from")) rule.from = party(cursor);
  if (cursor.take("to")) rule.to = party(cursor);
  if (cursor.take("by"))
    rule.by = cursor.duration("the time").value_or(0);
  else if (rule.what == PacketRule::What::delay)
    cursor.error("E0602", cursor.here(), "how long is missing", "delay next from A to B by 200ms");
  cursor.expect_end();
  add_step(cursor, rule);
}

void FlowParser::dns_name(Cursor& cursor) {
  NameStep step;
  step.name = cursor.word().text;
  const Text type = cursor.word();
  step.type = type.text;
  constexpr std::string_view kTypes[] = {"A", "AAAA", "SRV", "PTR"};
  if (std::find(std::begin(kTypes), std::end(kTypes), type.text) == std::end(kTypes))
    cursor.error("E0602", type.range.length != 0 ? type.range : cursor.whole(),
                 "the type is A, AAAA, SRV or PTR", "name bob.example.com A 198.51.100.7");
  Text record;
  const auto finish = [&] {
    if (!record.text.empty()) step.records.push_back(std::exchange(record, Text{}));
  };
  while (!cursor.at_end()) {
    const std::string_view next = cursor.peek();
    if (next == "ttl" || next == "after") {
      finish();
      cursor.word();
      if (next == "after")
        step.delay = cursor.duration("the delay").value_or(0);
      else
        step.ttl = static_cast<std::uint32_t>(cursor.number("the TTL", 604800).value_or(300));
      continue;
    }
    Text word = cursor.word();
    if (word.text == "nxdomain")
      step.outcome = NameStep::Outcome::no_name;
    else if (word.text == "nodata")
      step.outcome = NameStep::Outcome::no_data;
    else if (word.text == "fails")
      step.outcome = NameStep::Outcome::failure;
    else if (word.text == "times" && cursor.take("out"))
      step.outcome = NameStep::Outcome::timeout;
    else {
      const bool ends = word.text.ends_with(',');
      if (ends) word.text.pop_back();
      if (record.text.empty())
        record = std::move(word);
      else
        record.text += " " + word.text;
      if (ends || step.type != "SRV") finish();
    }
  }
  finish();
  if (step.outcome == NameStep::Outcome::records && step.records.empty())
    cursor.error("E0602", cursor.whole(), "the answer is missing",
                 "records, nxdomain, nodata, fails or `times out`");
  for (const Text& one : step.records) {
    if ((step.type == "A" || step.type == "AAAA") &&
        (!parse_ip(one.text) || parse_ip(one.text)->is_v4() != (step.type == "A")))
      cursor.error("E0602", one.range, fmt::format("not an address for {}", step.type));
    if (step.type == "SRV" && std::count(one.text.begin(), one.text.end(), ' ') != 3)
      cursor.error("E0602", one.range, "a record is PRIORITY WEIGHT PORT TARGET");
  }
  add_step(cursor, std::move(step));
}

void FlowParser::log(Cursor& cursor) {
  LogStep step;
  if (cursor.take("of")) step.server = party(cursor);
  const Text how = cursor.word();
  if (how.text == "lacks")
    step.what = LogStep::What::lacks;
  else if (how.text == "allows")
    step.what = LogStep::What::allows;
  else if (how.text != "contains")
    cursor.error("E0602", how.range.length != 0 ? how.range : cursor.whole(),
                 "a log contains, lacks or allows a text");
  if (cursor.peek().starts_with('/')) {
    if (auto pattern = cursor.pattern("the text", step.text)) step.pattern = std::move(*pattern);
  } else if (auto text = cursor.text("the text")) {
    step.text = std::move(*text);
  }
  cursor.expect_end();
  add_step(cursor, std::move(step));
}

void FlowParser::counter(Cursor& cursor) {
  CounterStep step;
  const Text name = cursor.word();
  const std::size_t dot = name.text.find('.');
  if (dot == std::string::npos)
    cursor.error("E0602", name.range, "a statistic is GROUP.NAME, such as core.rcv_requests");
  step.group = name.text.substr(0, dot);
  step.name = dot == std::string::npos ? "" : name.text.substr(dot + 1);
  if (cursor.take("of")) step.server = party(cursor);
  const Text compare = cursor.word();
  constexpr std::string_view kCompares[] = {"=", "!=", "<", "<=", ">", ">="};
  if (std::find(std::begin(kCompares), std::end(kCompares), compare.text) == std::end(kCompares))
    cursor.error("E0602", compare.range, "compared by = != < <= > or >=");
  step.compare = compare.text;
  step.value = cursor.number("the value", UINT64_MAX).value_or(0);
  cursor.expect_end();
  add_step(cursor, std::move(step));
}

void FlowParser::set(Cursor& cursor) {
  SetStep step;
  step.name = cursor.word().text;
  if (!cursor.take("=")) cursor.error("E0602", cursor.here(), "set NAME = VALUE");
  if (cursor.next_is_quoted()) {
    if (auto value = cursor.text("the value")) step.value = std::move(*value);
    cursor.expect_end();
  } else {
    step.value = cursor.rest();
  }
  add_step(cursor, std::move(step));
}

}  // namespace ser::flow
