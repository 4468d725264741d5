// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "flow/flow_parser_state.h"
#include "net/listener.h"

namespace ser::flow {

namespace {

bool is_name(std::string_view text) {
  if (text.empty() || !is_alpha(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

bool is_comment(std::string_view line) {
  const std::string_view text = trim(line);
  return text.empty() || text[0] == '#';
}

constexpr std::string_view kSettings[] = {"config", "define", "dialect", "listen", "alias",      "modparam",
                                          "strict", "server", "actor",   "seed",   "black-hole", "scenario"};
constexpr std::string_view kSteps[] = {"after", "nothing",   "nobody", "network", "link",    "lose",
                                       "delay", "duplicate", "name",   "log",     "counter", "set"};

}  // namespace

std::vector<std::string_view> keywords() {
  std::vector<std::string_view> all(std::begin(kSettings), std::end(kSettings));
  all.insert(all.end(), std::begin(kSteps), std::end(kSteps));
  return all;
}

FlowParser::FlowParser(FlowFile& out, std::string_view text, conf::Diagnostics& diagnostics)
    : x_out(out), x_diagnostics(diagnostics), x_setting(&out.common) {
  std::uint32_t number = 0;
  while (!text.empty()) {
    std::string_view line = split_off(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    x_lines.push_back({line, ++number});
  }
}

/// The lines that begin with a blank, up to the next one that does not. `raw`: comments and empty lines
/// belong to it.
FlowParser::Lines FlowParser::take_block(bool raw) {
  Lines block;
  std::size_t kept = 0;
  while (x_next < x_lines.size()) {
    const Line& line = x_lines[x_next];
    const bool blank = trim(line.text).empty();
    if (!blank && !is_space(line.text[0]) && (raw || !is_comment(line.text))) break;
    ++x_next;
    if (raw || !is_comment(line.text)) block.push_back(line);
    if (!blank) kept = block.size();
  }
  block.resize(std::min(kept, block.size()));
  return block;
}

void FlowParser::run() {
  while (x_next < x_lines.size()) {
    const Line& line = x_lines[x_next++];
    if (is_comment(line.text)) continue;
    if (is_space(line.text[0])) {
      Cursor cursor(line, x_out.source, x_diagnostics);
      cursor.error("E0604", cursor.whole(), "this line belongs to nothing",
                   "a line that begins with a blank goes with the step above it");
      take_block(true);
      continue;
    }
    statement(line);
  }
  if (x_out.scenarios.empty() && x_diagnostics.errors() == 0)
    x_diagnostics.error("E0605", {x_out.source, 0, 0, 0}, "there is no scenario in this file",
                        "scenario \"what is tested\" begins one");
}

void FlowParser::statement(const Line& line) {
  Cursor cursor(line, x_out.source, x_diagnostics);
  const Text first = cursor.word();
  if (setting(first.text, cursor, line) || step(first.text, cursor)) return;
  if (x_parties.count(first.text) != 0) {
    if (!actor_step(cursor, first)) take_block(true);
    return;
  }
  std::vector<std::string_view> known = keywords();
  for (const std::string& party : x_parties) known.push_back(party);
  std::string hint = conf::did_you_mean(first.text, known);
  if (hint.empty() && is_name(first.text))
    hint = fmt::format("`actor {} ADDRESS` declares an actor", first.text);
  cursor.error("E0604", first.range, fmt::format("`{}` is no step and no actor", first.text), hint);
  take_block(true);
}

ServerSpec& FlowParser::default_server() {
  for (ServerSpec& server : x_setting->servers) {
    if (server.name == "ser") return server;
  }
  ServerSpec fresh;
  // A scenario changes what is common, it does not begin anew.
  if (x_setting != &x_out.common) {
    for (const ServerSpec& server : x_out.common.servers) {
      if (server.name == "ser") fresh = server;
    }
  }
  x_parties.insert("ser");
  if (x_setting == &x_out.common) x_common_parties.insert("ser");
  x_setting->servers.push_back(std::move(fresh));
  return x_setting->servers.back();
}

bool FlowParser::setting(std::string_view word, Cursor& cursor, const Line& line) {
  if (word == "server") {
    server(cursor);
  } else if (word == "actor") {
    actor(cursor);
  } else if (word == "scenario") {
    scenario(cursor);
  } else if (word == "seed") {
    x_out.seed = cursor.number("the seed", UINT64_MAX);
    cursor.expect_end();
  } else if (word == "black-hole") {
    while (!cursor.at_end()) {
      if (const auto found = address(cursor, "what swallows packets"))
        x_setting->black_holes.push_back(*found);
    }
  } else if (word == "config" || word == "define" || word == "dialect" || word == "listen" ||
             word == "alias" || word == "modparam" || word == "strict") {
    server_setting(word, cursor, default_server(), line);
  } else {
    return false;
  }
  return true;
}

bool FlowParser::server_setting(std::string_view word, Cursor& cursor, ServerSpec& server, const Line& line) {
  if (server.range.line == 0) server.range = cursor.whole();
  const auto add_to = [&](std::vector<std::string>& list, std::string_view what) {
    if (auto value = cursor.text(what)) list.push_back(std::move(value->text));
    while (!cursor.at_end()) {
      if (auto value = cursor.text(what)) list.push_back(std::move(value->text));
    }
  };
  if (word == "config") {
    config(cursor, server, line);
  } else if (word == "define") {
    add_to(server.defines, "the name to define");
  } else if (word == "dialect") {
    const Text name = cursor.word();
    if (name.text != "ser" && name.text != "kamailio")
      cursor.error("E0602", name.range, "the dialect is ser or kamailio");
    server.dialect = name.text;
    cursor.expect_end();
  } else if (word == "listen") {
    while (!cursor.at_end()) {
      const Text value = cursor.word();
      const auto spec = net::parse_listen_text(value.text);
      if (!spec || (!parse_ip(spec->host) && spec->host != "*"))
        cursor.error("E0602", value.range, "not an address such as 192.0.2.9:5060 or udp:[2001:db8::9]:5060");
      server.listen.push_back(value.text);
    }
    if (server.listen.empty()) cursor.error("E0602", cursor.here(), "the address is missing");
  } else if (word == "alias") {
    add_to(server.aliases, "the name");
  } else if (word == "modparam") {
    add_to(server.modparams, "module:parameter:type:value");
  } else if (word == "strict") {
    server.strict = true;
    cursor.expect_end();
  } else {
    return false;
  }
  return true;
}

void FlowParser::config(Cursor& cursor, ServerSpec& server, const Line& line) {
  server.range = cursor.whole();
  server.config.clear();
  server.text.reset();
  server.text_dialect.clear();
  if (!cursor.at_end()) {
    if (cursor.next_is_quoted()) {
      if (auto path = cursor.text("the path")) server.config = std::move(path->text);
      cursor.expect_end();
    } else {
      server.config = cursor.rest().text;
    }
    return;
  }
  const Lines block = take_block(true);
  if (block.empty()) {
    cursor.error("E0602", cursor.whole(), "the configuration is missing",
                 "`config FILE`, or the configuration itself in indented lines below");
    return;
  }
  std::size_t indent = SIZE_MAX;
  for (const Line& one : block) {
    std::size_t blanks = 0;
    while (blanks < one.text.size() && is_space(one.text[blanks])) ++blanks;
    if (blanks < one.text.size()) indent = std::min(indent, blanks);
  }
  // Lines keep their numbers, so that what is wrong in it is found in the flow file.
  std::string text(line.number, '\n');
  std::uint32_t at = line.number;
  for (const Line& one : block) {
    for (; at + 1 < one.number; ++at) text += '\n';
    std::string_view shown = one.text.substr(std::min(indent, one.text.size()));
    if (server.text_dialect.empty() && &one == &block.front() && shown.starts_with("#!")) {
      const std::string_view first = trim(shown.substr(2));
      if (first == "SER") server.text_dialect = "ser";
      if (first == "KAMAILIO" || first == "OPENSER" || first == "ALL" || first == "MAXCOMPAT")
        server.text_dialect = "kamailio";
      if (!server.text_dialect.empty()) shown = {};
    }
    text += shown;
    text += '\n';
    at = one.number;
  }
  server.text = std::move(text);
}

void FlowParser::server(Cursor& cursor) {
  ServerSpec fresh;
  const Text name = cursor.word();
  fresh.name = name.text;
  fresh.range = name.range;
  if (!is_name(name.text)) cursor.error("E0602", name.range, "the server needs a name of letters and digits");
  cursor.expect_end();
  if (!x_parties.insert(name.text).second && name.text != "ser")
    cursor.error("E0606", name.range, fmt::format("there is already a `{}`", name.text));
  if (x_setting == &x_out.common) x_common_parties.insert(name.text);
  while (x_next < x_lines.size()) {
    const Line line = x_lines[x_next];
    if (!is_comment(line.text) && !is_space(line.text[0])) break;
    ++x_next;
    if (is_comment(line.text)) continue;
    Cursor inner(line, x_out.source, x_diagnostics);
    const Text word = inner.word();
    if (word.text == "config" && inner.at_end())
      inner.error("E0602", word.range, "a named server's configuration is a file: `config FILE`");
    else if (!server_setting(word.text, inner, fresh, line))
      inner.error("E0604", word.range, fmt::format("`{}` is no setting of a server", word.text),
                  "config, define, dialect, listen, alias, modparam, strict");
  }
  x_setting->servers.push_back(std::move(fresh));
}

std::optional<SockAddr> FlowParser::address(Cursor& cursor, std::string_view what) {
  const Text found = cursor.word();
  std::string_view host = found.text;
  std::uint16_t port = 5060;
  const auto whole = parse_ip(host);
  if (whole) return SockAddr{*whole, port};
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos) {
    const auto ip = parse_ip(host.substr(0, colon));
    const auto number = parse_u32(host.substr(colon + 1), 65535);
    if (ip && number && *number != 0) return SockAddr{*ip, static_cast<std::uint16_t>(*number)};
  }
  cursor.error("E0602", found.range, fmt::format("{} is an address such as 192.0.2.1:5070", what));
  return std::nullopt;
}

void FlowParser::actor(Cursor& cursor) {
  ActorSpec fresh;
  const Text name = cursor.word();
  fresh.name = name.text;
  fresh.range = name.range;
  const auto known = keywords();
  if (!is_name(name.text) || name.text == "ser" || name.text == "any" ||
      std::find(known.begin(), known.end(), name.text) != known.end())
    cursor.error("E0602", name.range,
                 "the actor needs a name of letters and digits that is no other word of flows");
  else if (!x_parties.insert(name.text).second)
    cursor.error("E0606", name.range, fmt::format("there is already a `{}`", name.text));
  if (x_setting == &x_out.common) x_common_parties.insert(name.text);
  if (const auto at = address(cursor, "where the actor lives")) fresh.address = *at;
  cursor.expect_end();
  fresh.fields = actor_fields(fresh);
  x_setting->actors.push_back(std::move(fresh));
}

void FlowParser::scenario(Cursor& cursor) {
  Scenario fresh;
  fresh.range = cursor.whole();
  if (auto name = cursor.text("the scenario's name")) fresh.name = std::move(name->text);
  cursor.expect_end();
  for (const Scenario& other : x_out.scenarios) {
    if (other.name == fresh.name)
      cursor.error("E0606", fresh.range, fmt::format("there is already a scenario \"{}\"", fresh.name));
  }
  x_out.scenarios.push_back(std::move(fresh));
  x_setting = &x_out.scenarios.back().own;
  x_parties = x_common_parties;
}

FlowFile parse_flow(std::string path, std::string text, conf::SourceMap& sources,
                    conf::Diagnostics& diagnostics) {
  FlowFile out;
  out.path = path;
  out.source = sources.add(std::move(path), std::move(text));
  FlowParser(out, sources.text(out.source), diagnostics).run();
  return out;
}

}  // namespace ser::flow
