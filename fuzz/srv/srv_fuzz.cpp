// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the server: a datagram through the whole pipeline with one of a few configurations, the
// checks before it, and the command line. The first byte selects.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "fuzz/world.h"
#include "sip/message.h"
#include "sip/reply.h"
#include "srv/command_line.h"
#include "srv/receive_checks.h"

namespace {

using namespace ser;
using fuzz::require;
using fuzz::Sent;
using fuzz::World;

/// A router, and whether it leaves Via and bodies to the core.
struct Router {
  std::string_view text;
  bool plain = true;
};

/// What routers do: forward, answer, rewrite, fork, read, edit.
constexpr Router kRouters[] = {
    {R"cfg(#!SER
loadmodule "sl.so"
loadmodule "maxfwd.so"
route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); break; };
  if (method == "OPTIONS") { sl_send_reply("200", "OK"); break; };
  forward(uri:host, uri:port);
}
)cfg"},
    {R"cfg(#!SER
loadmodule "sl.so"
route {
  forward(192.0.2.8, 5080);
}
)cfg"},
    {R"cfg(#!SER
loadmodule "sl.so"
route {
  prefix("9"); strip(1); append_branch("sip:other@known.example"); append_branch();
  if (uri =~ "sip:.*@srv") { rewritehostport("known.example:5070"); };
  if (method == "INVITE") { sl_send_reply("302", "Moved"); break; };
  if (src_ip == 192.0.2.0/24) { force_rport(); };
  forward();
}
)cfg"},
    {R"cfg(#!KAMAILIO
loadmodule "sl.so"
loadmodule "maxfwd.so"
request_route {
  $var(a) = $ru + $rU + $rd + $rp + $fu + $fU + $fd + $ft + $tu + $tU + $td + $tt + $ci + $cs + $ua + $rb;
  $avp(b) = $hdr(Contact);
  if ($ml > 4000 || $var(a) =~ "a.*b$") { sl_send_reply("513", "$var(a)");
exit;
}
switch ($rm) {
  case "REGISTER":
    sl_send_reply("403", "No");
    exit;
  case "INVITE":
    $ru = "sip:" + $rU + "@known.example";
    break;
  default:
    $rU = "x";
}
$du = "sip:192.0.2.9:5062";
forward();
}
reply_route {
  if ($rs == 486) {
    drop;
  }
}
)cfg"},
    {R"cfg(#!KAMAILIO
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sanity.so"
request_route {
  if (!sanity_check("17895", "7")) exit;
  if (has_totag()) {
    if (loose_route()) { forward(); exit; }
    sl_send_reply("404", "Not here");
    exit;
  }
  remove_hf("Route");
  if (is_method("INVITE|SUBSCRIBE")) { add_rr_param(";a=b"); record_route(); }
  if (is_present_hf("User-Agent")) { append_hf("X-Seen: $ua\r\n"); insert_hf("X-First: 1\r\n"); }
  $du = "sip:192.0.2.9:5062";
  forward();
}
)cfg"},
    {R"cfg(#!SER
loadmodule "sl.so"
loadmodule "textops.so"
route {
  if (search("[0-9]{3,5}a")) { replace("[A-Z]+b", "changed"); };
  replace_all("e", "EE"); subst("/^From:(.*)$/From:\1;x=y/ig"); subst_uri("/^sip:(.*)@/sip:9\1@/");
  subst_user("/^9(.*)$/8\1/"); append_to_reply("X-Reply: 1\r\n");
  if (search_body("abc")) { sl_send_reply("488", "Not Acceptable Here"); break; };
  forward(192.0.2.8, 5080);
}
)cfg",
     false},
};

struct Room {
  HeapChunks heap;
  alignas(16) std::array<char, 2048> block{};
  Arena arena{block.data(), block.size(), heap};
};

/// Number of Via values; nullopt when one is malformed.
std::optional<std::size_t> count_vias(const sip::Message& message) {
  for (std::size_t n = 0;; ++n) {
    const auto via = message.via(n);
    if (via) continue;
    if (via.error().code != Errc::missing) return std::nullopt;
    return n;
  }
}

/// Everything that leaves is SIP, has the Via it must have and the body that came.
void check_sent(const sip::Message& in, const std::vector<Sent>& sent, bool plain) {
  const auto vias = count_vias(in);
  for (const Sent& packet : sent) {
    Room room;
    const auto parsed = sip::Message::parse(packet.bytes, room.arena);
    require(bool{parsed}, "what is sent is a SIP message");
    const sip::Message& out = **parsed;
    if (!plain || !in.index_all() || !vias) continue;
    const auto out_vias = count_vias(out);
    require(bool{out_vias}, "good Via stay good");
    if (out.is_response() && in.is_request()) {
      require(*out_vias == *vias, "a local reply has the Via of the request");
      continue;
    }
    require(out.is_request() == in.is_request(), "no request is made from a response");
    require(*out_vias == (in.is_request() ? *vias + 1 : *vias - 1),
            "one Via on a request, one off a response");
    require(out.body() == in.body(), "bodies are left alone");
  }
}

srv::DatagramKind kind_of(std::string_view bytes, bool full) {
  sip::LineIndex lines;
  return srv::check_datagram(bytes, full, lines);
}

/// A response to what was forwarded finds its way back to where the request came from.
void answer_forwarded(World& world, const sip::Message& request, const Sent& forwarded) {
  Room room;
  const auto parsed = sip::Message::parse(forwarded.bytes, room.arena);
  if (!parsed || (*parsed)->is_response() || !(*parsed)->via(1)) return;
  const sip::ReplySpec spec{.status = 180, .to_tag = "t"};
  std::string out(sip::reply_size(**parsed, spec), '\0');
  const auto size = sip::write_reply(**parsed, spec, out);
  require(bool{size}, "a forwarded request can be answered");
  out.resize(*size);
  if (kind_of(out, true) != srv::DatagramKind::sip) return;
  const std::uint64_t strays = world.counted(world.count().stray_replies);
  const auto back = world.receive(out, forwarded.target.to);
  require(world.counted(world.count().stray_replies) == strays, "a response to our own Via is known as ours");
  for (const Sent& packet : back) {
    Room other;
    const auto reply = sip::Message::parse(packet.bytes, other.arena);
    require(reply && (*reply)->is_response() && (*reply)->via(0), "a response is passed on as one");
    require((*(*reply)->via(0))->branch == (*request.via(0))->branch, "under the Via it came with");
  }
}

void datagram(World& world, std::string_view bytes, bool plain, bool checks) {
  world.settings().receive_checks = checks;
  const auto sent = world.receive(bytes);
  require(sent.size() <= 16, "one message is no flood");
  const std::string_view stripped = srv::strip_leading_lines(srv::strip_trailing_nul(bytes.substr(0, 65535)));
  const std::string copy(stripped);
  Room room;
  sip::StartLineError bad_start;
  const auto parsed = sip::Message::parse(copy, room.arena, &bad_start);
  if (!parsed) {
    require(sent.empty(), "what is no message is not answered");
    return;
  }
  if (!(*parsed)->via(0)) {
    require(sent.empty(), "without a Via nobody is answered");
    return;
  }
  check_sent(**parsed, sent, plain);
  if (!plain) return;
  for (const Sent& packet : sent) {
    if ((*parsed)->is_request()) answer_forwarded(world, **parsed, packet);
  }
}

void command_line(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty() && words.size() < 64) words.emplace_back(split_off(text, '\n'));
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  const srv::CommandLine line = srv::parse_command_line(arguments);
  require(line.daemon_level >= 0, "levels are counted");
  require(line.errors.size() <= words.size() * 2, "an error for each word at most");
}

void checks(std::string_view bytes) {
  const auto full = kind_of(bytes, true);
  const auto light = kind_of(bytes, false);
  require(light == srv::DatagramKind::sip || light == full, "the full checks find what the light ones find");
  require(srv::strip_trailing_nul(bytes).size() <= bytes.size(), "stripping takes off");
}

/// The worlds are made once: compiling for each input would be most of the work.
struct Worlds {
  std::vector<std::unique_ptr<World>> all;
  Worlds() {
    for (const Router& router : kRouters) {
      all.push_back(std::make_unique<World>(router.text, script::ParseOptions{}));
      if (!all.back()->good()) std::fputs(all.back()->report().c_str(), stderr);
      require(all.back()->good(), "the configurations of this target are good");
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Worlds worlds;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const unsigned selector = data[0];
  const unsigned choice = selector % (std::size(kRouters) + 2);
  if (choice == 0)
    command_line(bytes);
  else if (choice == 1)
    checks(bytes);
  else
    datagram(*worlds.all[choice - 2], bytes, kRouters[choice - 2].plain, selector < 128);
  return 0;
}
