// SPDX-License-Identifier: Apache-2.0
// ser-load: caller and callee over UDP; checks every message and reports rate and latency.
#include <sched.h>

#include <cstdio>
#include <memory>
#include <string>

#include "load/calls.h"
#include "load/exchange.h"
#include "load/options.h"

namespace ser::bench {
namespace {

const char* name_of(Workload workload) {
  switch (workload) {
    case Workload::w1:
      return "w1";
    case Workload::w2:
      return "w2";
    case Workload::w3:
      return "w3";
    case Workload::w6:
      return "w6";
    case Workload::ring:
      return "ring";
    case Workload::pace:
      break;
  }
  return "pace";
}

std::string json_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c >= ' ' && c < '\x7f' ? c : '.';
  }
  return out;
}

void print_human(const Options& options, const Outcome& out) {
  const double rate = out.seconds > 0 ? static_cast<double>(out.completed) / out.seconds : 0;
  std::fprintf(stderr, "%s %s to %s: %llu %s in %.3f s, %.0f/s, %zu bytes a request%s\n",
               name_of(options.workload), options.method.c_str(), options.server.text().c_str(),
               static_cast<unsigned long long>(out.completed),
               options.workload == Workload::pace ? "replies"
               : is_call(options.workload)        ? "calls"
                                                  : "transactions",
               out.seconds, rate, out.request_bytes, out.cut ? " (cut by --seconds)" : "");
  std::fprintf(stderr, "  latency us: p50 %.0f, p99 %.0f, max %.0f\n", out.latency.quantile_us(0.5),
               out.latency.quantile_us(0.99), out.latency.max_us());
  std::fprintf(
      stderr,
      "  sent %llu, lost %llu, duplicates %llu, overtaken by four or more: requests %llu, replies %llu",
      static_cast<unsigned long long>(out.started), static_cast<unsigned long long>(out.lost),
      static_cast<unsigned long long>(out.duplicates),
      static_cast<unsigned long long>(out.overtaken_requests),
      static_cast<unsigned long long>(out.overtaken_replies));
  if (options.rate > 0) std::fprintf(stderr, ", sent late %llu", static_cast<unsigned long long>(out.late));
  std::fprintf(stderr, "\n");
}

void print_json(const Options& options, const Outcome& out) {
  const double rate = out.seconds > 0 ? static_cast<double>(out.completed) / out.seconds : 0;
  std::printf(
      "{\"workload\": \"%s\", \"method\": \"%s\", \"ok\": %s, \"error\": \"%s\", \"transactions\": %llu, "
      "\"sent\": %llu, "
      "\"seconds\": %.6f, \"rate\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"lost\": "
      "%llu, "
      "\"lost_requests\": %llu, \"duplicates\": %llu, \"refused\": %llu, \"drops\": %llu, "
      "\"retransmissions\": 0, \"overtaken_requests\": %llu, "
      "\"overtaken_replies\": %llu, \"late\": %llu, \"cut\": %s, \"request_bytes\": %zu}\n",
      name_of(options.workload), options.method.c_str(), out.error.empty() ? "true" : "false",
      json_text(out.error).c_str(), static_cast<unsigned long long>(out.completed),
      static_cast<unsigned long long>(out.started), out.seconds, rate, out.latency.quantile_us(0.5),
      out.latency.quantile_us(0.99), out.latency.max_us(), static_cast<unsigned long long>(out.lost),
      static_cast<unsigned long long>(out.lost_requests), static_cast<unsigned long long>(out.duplicates),
      static_cast<unsigned long long>(out.refused), static_cast<unsigned long long>(out.drops),
      static_cast<unsigned long long>(out.overtaken_requests),
      static_cast<unsigned long long>(out.overtaken_replies), static_cast<unsigned long long>(out.late),
      out.cut ? "true" : "false", out.request_bytes);
}

int load_main(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) return 2;
  if (options.cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(options.cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
      std::perror("ser-load: cannot pin to the core of --cpu");
      return 2;
    }
  }
  std::unique_ptr<Engine> engine;
  if (is_call(options.workload))
    engine = std::make_unique<Calls>(options);
  else
    engine = std::make_unique<Exchange>(options);
  Outcome out;
  engine->run(out);
  if (!options.quiet) print_human(options, out);
  print_json(options, out);
  if (out.error.empty()) return 0;
  std::fprintf(stderr, "ser-load: FAILED: %s\n", out.error.c_str());
  return 1;
}

}  // namespace
}  // namespace ser::bench

int main(int argc, char** argv) {
  return ser::bench::load_main(argc, argv);
}
