// SPDX-License-Identifier: Apache-2.0
// What the load tool was asked to do.
#pragma once
#include <cstdint>
#include <string>

#include "load/address.h"

namespace ser::bench {

enum class Workload {
  w1,    ///< request forwarded to our callee, which answers 200
  w6,    ///< request answered by the server itself
  w2,    ///< a call: INVITE 100 180 200 ACK BYE 200
  w3,    ///< its INVITE transaction alone: INVITE 100 180 200
  ring,  ///< INVITE 100 180, and no final answer: the transactions stay in the server
  pace,  ///< datagrams at an even pace; replies are counted but not required
};

/// Calls (load/calls.h), not single requests (load/exchange.h).
inline bool is_call(Workload workload) {
  return workload == Workload::w2 || workload == Workload::w3 || workload == Workload::ring;
}

struct Options {
  Workload workload = Workload::w1;
  std::string method = "OPTIONS";
  std::string ruri;                 ///< Request-URI sent; empty: one that suits the workload
  std::string expected_ruri;        ///< Request-URI the callee must see; empty: the one sent
  Address server;                   ///< where requests go
  Address caller;                   ///< first caller socket; port 0: any
  Address callee;                   ///< the callee's socket (all but w6 and pace)
  std::uint32_t sockets = 1;        ///< caller sockets, used in turn
  std::uint32_t window = 64;        ///< closed loop: transactions in flight
  double rate = 0;                  ///< open loop: transactions per second, evenly spaced; 0: closed loop
  std::uint64_t count = 100000;     ///< counted transactions
  std::uint64_t warmup = 0;         ///< transactions before them, checked but neither timed nor counted
  double seconds = 60;              ///< hard limit on the whole run
  std::uint32_t timeout_ms = 1000;  ///< unanswered for so long: lost
  std::uint64_t allow_lost = 0;
  bool allow_duplicates = false;
  bool record_route = false;  ///< the server must add Record-Route; else it must not
  bool bare = false;          ///< the server forwards bytes and knows no SIP: nothing may change
  bool spin = true;           ///< poll the sockets without sleeping
  int cpu = -1;               ///< pin to this core; -1: do not pin
  bool quiet = false;         ///< only the machine-readable line
  std::string record;  ///< open loop: file that gets a line for each transaction (record.h); empty: none
};

/// Reads the command line. Returns false after it has written why to stderr.
bool parse_options(int argc, char** argv, Options& out);
void print_usage();

}  // namespace ser::bench
