// SPDX-License-Identifier: Apache-2.0
// Calls through the real workers as threads, with module tm: ThreadSanitizer sees receivers, event worker and
// timer worker at the same transactions.
#include <signal.h>

#include <chrono>
#include <map>
#include <thread>

#include "modules/tm/tm.h"
#include "srv/testing/live.h"

namespace ser::srv {
namespace {

using testing::free_port;
using testing::lines_named;
using testing::number_of;
using testing::Peer;
using testing::Prepared;
using testing::response_to;

constexpr unsigned kCalls = 240;
constexpr std::chrono::seconds kPatience{60};

std::string config(std::uint16_t port, std::uint16_t callee) {
  const std::string there = "\"127.0.0.1\", " + std::to_string(callee);
  return "#!KAMAILIO\nlisten=udp:127.0.0.1:" + std::to_string(port) +
         "\nchildren=3\nworkdir=\".\"\nloadmodule \"tm.so\"\n"
         "modparam(\"tm\", \"fr_timer\", 1500)\nmodparam(\"tm\", \"wt_timer\", 300)\n"
         "request_route {\n"
         "  if (method == \"CANCEL\") { t_relay_cancel(); exit; }\n"
         "  if (method == \"ACK\") { t_check_trans(); exit; }\n"
         "  t_on_reply(\"REPLY\"); t_on_failure(\"FAILED\");\n"
         "  t_relay(" +
         there + ");\n}\nonreply_route[REPLY] { setflag(1); }\nfailure_route[FAILED] {\n" +
         "  if (t_check_status(\"404\")) t_relay(" + there + ");\n}\n";
}

std::string request(const char* method, unsigned number, std::uint16_t caller) {
  const std::string id = std::to_string(number);
  return testing::crlf(
      std::string(method) + " sip:u@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:" + std::to_string(caller) +
      ";branch=z9hG4bK" + id +
      "\nMax-Forwards: 70\nFrom: <sip:a@127.0.0.1>;tag=1\nTo: <sip:u@127.0.0.1>\nCall-ID: " + id +
      "\nCSeq: 1 " + method + "\nContent-Length: 0\n\n");
}

/// Both ends of the calls; what the callee does goes by the number of the call.
struct Ends {
  explicit Ends(std::uint16_t to) : server(to) {}

  void begin(unsigned number) {
    // Twice, so that two workers have it at once.
    caller.send(request("INVITE", number, caller.port), server);
    caller.send(request("INVITE", number, caller.port), server);
  }
  /// What has come in the meantime; false: nothing.
  bool work() {
    bool any = false;
    for (std::string got = callee.receive(1); !got.empty(); got = callee.receive(0)) {
      any = true;
      if (got.starts_with("INVITE ")) answer(got);
      if (got.starts_with("CANCEL ")) callee.send(response_to(got, "200 OK"), server);
    }
    for (std::string got = caller.receive(0); !got.empty(); got = caller.receive(0)) {
      any = true;
      take(got);
    }
    return any;
  }
  void answer(const std::string& invite) {
    const unsigned number = number_of(invite);
    const unsigned before = seen[lines_named(invite, "Via")]++;
    switch (number % 5) {
      case 0:
        callee.send(response_to(invite, "180 Ringing"), server);
        callee.send(response_to(invite, "183 Session Progress"), server);
        callee.send(response_to(invite, "200 OK"), server);
        break;
      case 1:
        callee.send(response_to(invite, "486 Busy Here"), server);
        callee.send(response_to(invite, "486 Busy Here"), server);
        break;
      case 2:
        // The failure route tries again: another branch.
        if (before == 0 && !tried[number]) {
          tried[number] = true;
          callee.send(response_to(invite, "404 Not Found"), server);
        } else {
          callee.send(response_to(invite, "200 OK"), server);
        }
        break;
      case 3:
        callee.send(response_to(invite, "180 Ringing"), server);
        caller.send(request("CANCEL", number, caller.port), server);
        callee.send(response_to(invite, "487 Request Terminated"), server);
        break;
      default:
        break;  // silence: 408
    }
  }
  void take(const std::string& response) {
    if (lines_named(response, "CSeq").find("INVITE") == std::string::npos) return;
    const int status = std::stoi(response.substr(8, 3));
    if (status < 200) return;
    const unsigned number = number_of(response);
    finals[number] = status;
    if (status >= 300) caller.send(request("ACK", number, caller.port), server);
  }

  std::uint16_t server;
  Peer caller, callee;
  std::map<std::string, unsigned> seen;
  std::map<unsigned, bool> tried;
  std::map<unsigned, int> finals;
};

TEST(TmThreads, CallsThroughThreeReceivers) {
  const std::uint16_t port = free_port();
  Ends ends(port);
  Prepared world(config(port, ends.callee.port), std::nullopt, {script::describe_core, modules::describe_tm});
  ASSERT_TRUE(world.ready) << world.server->error();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Supervisor::block_signals();
  int status = -1;
  std::thread supervisor([&] {
    ThreadSpawner spawner;
    status = world.server->run(spawner, nullptr);
  });
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (unsigned number = 1; number <= kCalls; ++number) {
    ends.begin(number);
    if (number % 8 == 0) ends.work();
  }
  const auto all_ended = [&] {
    return ends.finals.size() == kCalls &&
           world.counted("tm", "finished") == world.counted("tm", "transactions");
  };
  while (!all_ended() && std::chrono::steady_clock::now() < end) ends.work();
  // The supervisor waits for it. NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread)
  pthread_kill(supervisor.native_handle(), SIGTERM);
  supervisor.join();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ends.finals.size(), kCalls);
  static constexpr int kExpected[] = {200, 486, 200, 487, 408};
  for (const auto& [number, final] : ends.finals)
    EXPECT_EQ(final, kExpected[number % 5]) << "call " << number;
  EXPECT_EQ(world.counted("tm", "finished"), world.counted("tm", "transactions"));
  shm::Heap& heap = *world.server->shared().heap;
  EXPECT_EQ(heap.account_use(heap.account("transactions")).cells, 0U);
  EXPECT_EQ(world.counted("tm", "no_memory"), 0U);
  EXPECT_EQ(world.server->shared().timers->armed(), 0U);
}

}  // namespace
}  // namespace ser::srv
