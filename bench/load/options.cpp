// SPDX-License-Identifier: Apache-2.0
#include "load/options.h"

#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ser::bench {
namespace {

bool parse_number(const char* name, const char* text, double min, double max, double& out) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= min && value <= max)) {
    std::fprintf(stderr, "ser-load: --%s '%s': a number from %.0f to %.0f is needed\n", name, text, min, max);
    return false;
  }
  out = value;
  return true;
}

bool parse_address(const char* name, const char* text, Address& out) {
  if (out.parse(text)) return true;
  std::fprintf(
      stderr, "ser-load: --%s '%s': a loopback address and port is needed, as 127.0.0.1:5060 or [::1]:5060\n",
      name, text);
  return false;
}

enum Letter : int {
  kWorkload = 256,
  kMethod,
  kRuri,
  kExpectRuri,
  kTo,
  kCaller,
  kCallee,
  kSockets,
  kWindow,
  kRate,
  kCount,
  kWarmup,
  kSeconds,
  kTimeout,
  kAllowLost,
  kAllowDuplicates,
  kRecordRoute,
  kBare,
  kNoSpin,
  kCpu,
  kQuiet,
  kHelp,
  kPace,
  kRecord
};

constexpr option kLong[] = {
    {"workload", required_argument, nullptr, kWorkload},
    {"pace", no_argument, nullptr, kPace},
    {"method", required_argument, nullptr, kMethod},
    {"ruri", required_argument, nullptr, kRuri},
    {"expect-ruri", required_argument, nullptr, kExpectRuri},
    {"to", required_argument, nullptr, kTo},
    {"caller", required_argument, nullptr, kCaller},
    {"callee", required_argument, nullptr, kCallee},
    {"sockets", required_argument, nullptr, kSockets},
    {"window", required_argument, nullptr, kWindow},
    {"rate", required_argument, nullptr, kRate},
    {"count", required_argument, nullptr, kCount},
    {"warmup", required_argument, nullptr, kWarmup},
    {"seconds", required_argument, nullptr, kSeconds},
    {"timeout", required_argument, nullptr, kTimeout},
    {"allow-lost", required_argument, nullptr, kAllowLost},
    {"allow-duplicates", no_argument, nullptr, kAllowDuplicates},
    {"record-route", no_argument, nullptr, kRecordRoute},
    {"bare", no_argument, nullptr, kBare},
    {"no-spin", no_argument, nullptr, kNoSpin},
    {"cpu", required_argument, nullptr, kCpu},
    {"quiet", no_argument, nullptr, kQuiet},
    {"record", required_argument, nullptr, kRecord},
    {"help", no_argument, nullptr, kHelp},
    {nullptr, 0, nullptr, 0},
};

bool parse_workload(const char* text, Workload& out) {
  constexpr struct {
    const char* name;
    Workload workload;
  } kKnown[] = {{"w1", Workload::w1}, {"w2", Workload::w2},     {"w3", Workload::w3},
                {"w6", Workload::w6}, {"ring", Workload::ring}, {"pace", Workload::pace}};
  for (const auto& known : kKnown) {
    if (std::strcmp(text, known.name) != 0) continue;
    out = known.workload;
    return true;
  }
  std::fprintf(stderr, "ser-load: --workload '%s': known are w1, w2, w3, w6, ring, pace\n", text);
  return false;
}

/// Applies one option that is a number; `name` is its long name.
bool set_number(int letter, const char* name, Options& out) {
  double value = 0;
  switch (letter) {
    case kSockets:
      if (!parse_number(name, optarg, 1, 64, value)) return false;
      out.sockets = static_cast<std::uint32_t>(value);
      return true;
    case kWindow:
      if (!parse_number(name, optarg, 1, 4096, value)) return false;
      out.window = static_cast<std::uint32_t>(value);
      return true;
    case kRate:
      return parse_number(name, optarg, 1, 1e6, out.rate);
    case kCount:
      if (!parse_number(name, optarg, 1, 1e8, value)) return false;
      out.count = static_cast<std::uint64_t>(value);
      return true;
    case kWarmup:
      if (!parse_number(name, optarg, 0, 1e8, value)) return false;
      out.warmup = static_cast<std::uint64_t>(value);
      return true;
    case kSeconds:
      return parse_number(name, optarg, 1, 3600, out.seconds);
    case kTimeout:
      if (!parse_number(name, optarg, 1, 60000, value)) return false;
      out.timeout_ms = static_cast<std::uint32_t>(value);
      return true;
    case kAllowLost:
      if (!parse_number(name, optarg, 0, 1e8, value)) return false;
      out.allow_lost = static_cast<std::uint64_t>(value);
      return true;
    case kCpu:
      if (!parse_number(name, optarg, 0, 1023, value)) return false;
      out.cpu = static_cast<int>(value);
      return true;
    default:
      return false;
  }
}

bool set_one(int letter, const char* name, Options& out) {
  switch (letter) {
    case kWorkload:
      return parse_workload(optarg, out.workload);
    case kPace:
      out.workload = Workload::pace;
      return true;
    case kMethod:
      if (std::strcmp(optarg, "OPTIONS") != 0 && std::strcmp(optarg, "MESSAGE") != 0) {
        std::fprintf(stderr, "ser-load: --method '%s': known are OPTIONS, MESSAGE\n", optarg);
        return false;
      }
      out.method = optarg;
      return true;
    case kRuri:
      out.ruri = optarg;
      return true;
    case kExpectRuri:
      out.expected_ruri = optarg;
      return true;
    case kTo:
      return parse_address(name, optarg, out.server);
    case kCaller:
      return parse_address(name, optarg, out.caller);
    case kCallee:
      return parse_address(name, optarg, out.callee);
    case kAllowDuplicates:
      out.allow_duplicates = true;
      return true;
    case kRecordRoute:
      out.record_route = true;
      return true;
    case kBare:
      out.bare = true;
      return true;
    case kNoSpin:
      out.spin = false;
      return true;
    case kQuiet:
      out.quiet = true;
      return true;
    case kRecord:
      out.record = optarg;
      return true;
    default:
      return set_number(letter, name, out);
  }
}

bool complete(Options& out) {
  if (out.server.length == 0) {
    std::fprintf(stderr, "ser-load: --to is missing\n");
    return false;
  }
  const bool v6 = out.server.native.ss_family == AF_INET6;
  if (out.caller.length == 0 && !out.caller.parse(v6 ? "[::1]:0" : "127.0.0.1:0")) return false;
  const bool answered_by_us = out.workload == Workload::w1 || is_call(out.workload);
  if (answered_by_us && out.callee.length == 0) {
    std::fprintf(stderr, "ser-load: this workload needs --callee: the address the server forwards to\n");
    return false;
  }
  if (!out.record.empty() && (out.rate == 0 || out.workload == Workload::pace || is_call(out.workload))) {
    std::fprintf(stderr, "ser-load: --record needs w1 or w6 at a --rate\n");
    return false;
  }
  if (out.workload == Workload::pace) {
    if (out.rate == 0) {
      std::fprintf(stderr, "ser-load: --pace needs --rate\n");
      return false;
    }
    out.spin = false;
  }
  if (is_call(out.workload)) out.method = "INVITE";
  if (out.ruri.empty()) out.ruri = answered_by_us ? "sip:bob@example.org" : "sip:" + out.server.text();
  if (out.expected_ruri.empty()) out.expected_ruri = out.ruri;
  return true;
}

}  // namespace

void print_usage() {
  std::puts(
      "ser-load: SIP load over UDP on the loopback interface; every message is checked byte for byte.\n"
      "  --workload NAME        w1: a request forwarded to our callee and answered there\n"
      "                         w2: a call, INVITE 100 180 200 ACK BYE 200\n"
      "                         w3: its INVITE transaction alone, INVITE 100 180 200\n"
      "                         w6: a request answered by the server\n"
      "                         ring: INVITE 100 180, and no final answer: the transactions stay in the "
      "server\n"
      "                         pace (or --pace): datagrams at an even pace, replies not required\n"
      "  --to ADDR:PORT         the server (loopback only)\n"
      "  --callee ADDR:PORT     where the server forwards to; we answer there (all but w6 and pace)\n"
      "  --caller ADDR:PORT     our first caller socket (default: any port)\n"
      "  --sockets N            caller sockets, used in turn (1)\n"
      "  --method OPTIONS|MESSAGE (w1, w6), --ruri URI, --expect-ruri URI\n"
      "  --window N             closed loop: transactions (or calls) in flight (64)\n"
      "  --rate R               open loop: R transactions (or calls) a second, evenly spaced\n"
      "  --count N              counted transactions or calls (100000)\n"
      "  --warmup N             transactions before them, checked but not counted (0)\n"
      "  --seconds S            hard limit on the run (60)\n"
      "  --timeout MS           unanswered for so long means lost (1000)\n"
      "  --record-route         the server must add Record-Route to what is no ACK nor BYE (default: must "
      "not)\n"
      "  --bare                 the server knows no SIP: nothing may change on the way\n"
      "  --allow-lost N, --allow-duplicates   for tests that kill servers\n"
      "  --record FILE          open loop: a line for each transaction: number, when due, sent, first seen "
      "by the\n"
      "                         callee, first answered (ns of the monotonic clock, 0: never), replies, "
      "status;\n"
      "                         then other final statuses than 200 are counted, no failure\n"
      "  --no-spin              sleep between messages instead of polling\n"
      "  --cpu N                pin to core N\n"
      "  --quiet                only the machine-readable line\n"
      "Exit: 0 all well, 1 anything lost or wrong, 2 bad usage.");
}

bool parse_options(int argc, char** argv, Options& out) {
  for (;;) {
    int index = 0;
    const int letter = getopt_long(argc, argv, "", kLong, &index);
    if (letter == -1) break;
    if (letter == '?') return false;
    if (letter == kHelp) {
      print_usage();
      std::exit(0);
    }
    if (!set_one(letter, kLong[index].name, out)) return false;
  }
  if (optind < argc) {
    std::fprintf(stderr, "ser-load: unexpected argument '%s'\n", argv[optind]);
    return false;
  }
  return complete(out);
}

}  // namespace ser::bench
