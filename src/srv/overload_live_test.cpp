// SPDX-License-Identifier: Apache-2.0
// Refusals by a real worker on a real socket: a queue that was full before it began, and a segment that is
// full.
#include <gmock/gmock.h>
#include <signal.h>

#include <thread>
#include <vector>

#include "srv/testing/live.h"

namespace ser::srv {
namespace {

using testing::forwarding_config;
using testing::free_port;
using ::testing::HasSubstr;
using testing::numbered_request;
using testing::Peer;
using testing::Prepared;
using testing::response_to;
using ::testing::StartsWith;

/// Worker threads and their supervisor, until the end of the scope.
class Running {
 public:
  explicit Running(Prepared& world) {
    pthread_sigmask(SIG_SETMASK, nullptr, &x_before);
    Supervisor::block_signals();  // before the threads, which inherit it
    x_supervisor = std::thread([&world] {
      ThreadSpawner spawner;
      EXPECT_EQ(world.server->run(spawner, nullptr), 0);
    });
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    // The supervisor waits for it. NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread)
    pthread_kill(x_supervisor.native_handle(), SIGTERM);
    x_supervisor.join();
    pthread_sigmask(SIG_SETMASK, &x_before, nullptr);
  }

 private:
  sigset_t x_before{};
  std::thread x_supervisor;
};

std::string request(std::string_view method, unsigned number, std::uint16_t caller, bool in_dialog = false) {
  std::string text = numbered_request(number, caller);
  for (std::size_t at = text.find("OPTIONS"); at != std::string::npos; at = text.find("OPTIONS", at + 1))
    text.replace(at, 7, method);
  const std::string to = "To: <sip:u@127.0.0.1>";
  if (in_dialog) text.insert(text.find(to) + to.size(), ";tag=2");
  return text;
}

unsigned drain(const Peer& peer, std::string_view begin) {
  unsigned count = 0;
  for (std::string got = peer.receive(300); !got.empty(); got = peer.receive(300))
    count += got.starts_with(begin);
  return count;
}

TEST(OverloadLive, AQueueThatWasFullIsServedByTheRule) {
  const Peer caller;
  const Peer callee;
  const std::uint16_t port = free_port();
  Prepared world("#!KAMAILIO\noverload_batches=1\n" + forwarding_config(port, callee.port, 1).substr(11));
  ASSERT_TRUE(world.ready) << world.server->error();
  // Batches of 1, 2, 4 and 8, two of 16, and one of 4. Every fourth is inside of a dialog.
  constexpr unsigned kBefore = 15;
  constexpr unsigned kFull = 32;
  constexpr unsigned kAfter = 4;
  unsigned refused = 0;
  for (unsigned i = 0; i < kBefore + kFull + kAfter; ++i) {
    const bool in_dialog = i % 4 == 3;
    caller.send(request(in_dialog ? "INFO" : "INVITE", i, caller.port, in_dialog), port);
    refused += !in_dialog && i >= kBefore && i < kBefore + kFull;
  }
  {
    const Running running(world);
    EXPECT_EQ(drain(caller, "SIP/2.0 503 "), refused);
    EXPECT_EQ(drain(callee, "I"), kBefore + kFull + kAfter - refused);
  }
  EXPECT_EQ(world.counted("core", "refused_overload"), refused);
  EXPECT_EQ(world.counted("core", "overload_entered"), 1U);
  EXPECT_EQ(world.counted("core", "overload"), 0U) << "it ran dry";
  EXPECT_EQ(world.counted("net", "batches"), 7U);
  EXPECT_THAT(world.log.text(), HasSubstr("overload: the receive queue does not run dry"));
}

TEST(OverloadLive, AFullSegmentRefusesNewRequestsAndRecovers) {
  const Peer caller;
  const Peer callee;
  const std::uint16_t port = free_port();
  Prepared world(forwarding_config(port, callee.port, 2), 8);
  ASSERT_TRUE(world.ready) << world.server->error();
  shm::Heap& heap = *world.server->shared().heap;
  ASSERT_EQ(heap.use().limit, 8U << 20);
  const Running running(world);
  caller.send(request("INVITE", 1, caller.port), port);
  EXPECT_THAT(callee.receive(2000), StartsWith("INVITE "));

  // As a module that holds more and more would.
  shm::Actor holder = shm::Actor::system();
  std::vector<void*> cells;
  while (void* cell = heap.alloc(holder, 1000, 0)) cells.push_back(cell);
  ASSERT_NE(heap.pressure(), shm::Pressure::normal);
  for (const char* method : {"INVITE", "REGISTER", "SUBSCRIBE"}) {
    caller.send(request(method, 2, caller.port), port);
    const std::string answer = caller.receive(2000);
    EXPECT_THAT(answer, StartsWith("SIP/2.0 503 ")) << method;
    EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: ")) << method;
  }
  // What was begun goes on, also with sixty kilobytes that need a cell of their own.
  std::string large = request("INFO", 3, caller.port, true);
  large.replace(large.find("Content-Length: 0"), 17, "Content-Length: 60000");
  large += std::string(60000, 'x');
  caller.send(large, port);
  const std::string forwarded = callee.receive(2000);
  EXPECT_THAT(forwarded, StartsWith("INFO "));
  EXPECT_GT(forwarded.size(), 60000U);
  callee.send(response_to(forwarded), port);
  EXPECT_THAT(caller.receive(2000), StartsWith("SIP/2.0 200 "));
  caller.send(request("OPTIONS", 4, caller.port), port);
  EXPECT_THAT(callee.receive(2000), StartsWith("OPTIONS ")) << "a health check";

  for (void* cell : cells) heap.free(holder, cell);
  ASSERT_EQ(heap.pressure(), shm::Pressure::normal);
  caller.send(request("INVITE", 5, caller.port), port);
  EXPECT_THAT(callee.receive(2000), StartsWith("INVITE "));
  EXPECT_EQ(world.counted("core", "refused_memory"), 3U);
  EXPECT_EQ(world.counted("core", "refused_overload"), 0U);
  EXPECT_EQ(world.counted("core", "arena_exhausted"), 0U);
  EXPECT_TRUE(heap.verify());
  EXPECT_THAT(world.log.text(), HasSubstr("the segment is nearly full"));
}

}  // namespace
}  // namespace ser::srv
