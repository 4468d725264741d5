// SPDX-License-Identifier: Apache-2.0
// What a flow file says, after reading: servers, actors, scenarios and their steps. Plain data with
// positions.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/packet.h"
#include "conf/source_map.h"
#include "mod/regex.h"

namespace ser::flow {

/// Text as written, `${name}` not yet replaced, and where it stands.
struct Text {
  std::string text;
  conf::SourceRange range;
};

/// A regular expression and the names of its groups, by number; "" for groups without a name.
struct Pattern {
  std::shared_ptr<const mod::Regex> regex;
  std::vector<std::string> groups;
};

/// One line of a block: what a header field, the body or the Request-URI is or shall be.
struct FieldLine {
  enum class How : std::uint8_t { value, pattern, contains, lacks, present, absent, count, save };
  std::string name;  ///< header field name; "uri" and "body" are the message's own
  How how = How::value;
  Text value;  ///< value, contains, lacks: text; pattern: as written; save: name of the variable
  Pattern pattern;
  std::uint32_t count = 0;
  conf::SourceRange range;
};

/// The lines below a step.
struct Block {
  std::vector<FieldLine> fields;
  std::vector<std::string> order;  ///< header names in the order wanted; empty: any
  conf::SourceRange order_range;
  std::optional<Text> body;  ///< `|` lines and "…" pieces, line ends included
};

/// `alice sends INVITE sip:bob@example.com`, `bob sends 180 Ringing`, `alice sends raw`.
struct SendStep {
  enum class What : std::uint8_t { request, response, raw, again, ack, cancel };
  What what = What::request;
  std::string actor;
  std::string method;  ///< request; response: of the request that is answered, empty: the last one; again:
                       ///< what the first line of the message begins with, empty: the last one sent
  Text uri;            ///< request; empty: the dialog's target
  std::uint16_t status = 0;
  Text reason;
  Text to;  ///< address, actor or server; empty: as RFC 3261 says
  bool in_dialog = false;
  Block block;
};

/// `bob receives INVITE sip:bob@example.com within 2s`.
struct ReceiveStep {
  std::string actor;
  bool nothing = false;           ///< receives nothing [for `within`]
  std::string method;             ///< empty: a response
  std::uint16_t status_from = 0;  ///< 200, or 400 for 4xx
  std::uint16_t status_to = 0;    ///< the same, or 499
  Text uri;                       ///< empty: any
  Text reason;                    ///< empty: any
  std::string cseq_method;        ///< `to INVITE`; empty: any
  Text from;                      ///< where it must come from; empty: anywhere
  std::optional<Instant> after;   ///< ns since the last step: not earlier
  std::optional<Instant> within;  ///< ns since the last step: not later
  Block block;
};

/// `bob ignores 100`, `bob ignores OPTIONS`, `bob ignores everything`.
struct IgnoreStep {
  std::string actor, what;
};
/// `after 32s`; with `quiet` `nothing for 32s`: nobody may receive anything.
struct WaitStep {
  Instant time = 0;
  bool quiet = false;
};

/// What happens to packets of a link.
struct LinkProperties {
  std::optional<Instant> delay, jitter;    ///< ns
  std::optional<double> loss, duplicates;  ///< 0..1
};
/// `link alice ser delay 20ms loss 5%`, `network delay 10ms`.
struct LinkStep {
  std::string from, to;  ///< empty: everybody
  bool both_ways = true;
  LinkProperties properties;
};
/// `lose next 2 from bob to ser`.
struct PacketRule {
  enum class What : std::uint8_t { lose, delay, duplicate };
  What what = What::lose;
  std::uint32_t count = 1;
  std::string from, to;  ///< empty: anybody
  Instant by = 0;        ///< delay, and of the duplicate
};

/// `name bob.example.com A 198.51.100.7 ttl 60 after 200ms`.
struct NameStep {
  enum class Outcome : std::uint8_t { records, no_name, no_data, failure, timeout };
  std::string name;
  std::string type;  ///< A, AAAA, SRV, PTR
  Outcome outcome = Outcome::records;
  std::vector<Text> records;
  std::uint32_t ttl = 300;  ///< seconds
  Instant delay = 0;
};

/// `log contains "…"`, `log allows "…"`, `log lacks "…"`, `log matches /…/`.
struct LogStep {
  enum class What : std::uint8_t { contains, lacks, allows };
  What what = What::contains;
  std::string server;  ///< empty: any
  Text text;
  Pattern pattern;  ///< regex set: instead of text
};
/// `counter core.rcv_requests = 3`.
struct CounterStep {
  std::string group, name, server;
  std::string compare;  ///< = != < <= > >=
  std::uint64_t value = 0;
};
/// `set name = text`.
struct SetStep {
  std::string name;
  Text value;
};

struct Step {
  conf::SourceRange range;
  std::variant<SendStep, ReceiveStep, IgnoreStep, WaitStep, LinkStep, PacketRule, NameStep, LogStep,
               CounterStep, SetStep>
      what;
};

/// A server under test.
struct ServerSpec {
  std::string name = "ser";
  conf::SourceRange range;
  std::string config;               ///< path of the configuration; empty: `text`
  std::optional<std::string> text;  ///< inline; its lines have the numbers of the flow file
  std::string text_dialect;         ///< what the first line of the inline text says; empty: nothing
  std::string dialect;              ///< forced; empty: as the file says
  std::vector<std::string> defines, listen, aliases, modparams;
  std::string module_path;  ///< -L of the command line
  bool strict = false;
};

struct ActorSpec {
  std::string name;
  conf::SourceRange range;
  SockAddr address;
  Text uri;  ///< empty: sip:NAME@host
  std::vector<FieldLine> fields;
};

/// What stands before the first `scenario` holds for all of them, what stands in one for this one.
struct Setting {
  std::vector<ServerSpec> servers;
  std::vector<ActorSpec> actors;
  std::vector<SockAddr> black_holes;  ///< addresses that swallow packets
  std::vector<Step> steps;
};
struct Scenario {
  std::string name;
  conf::SourceRange range;
  Setting own;
};
struct FlowFile {
  std::string path;
  std::uint32_t source = 0;  ///< index in the SourceMap
  std::optional<std::uint64_t> seed;
  Setting common;
  std::vector<Scenario> scenarios;
};

}  // namespace ser::flow
