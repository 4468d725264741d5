// SPDX-License-Identifier: Apache-2.0
// Runs that wait for names, in a real server with a name server on the loopback: workers as threads, and as
// processes of which one is killed.
#include <signal.h>
#include <sys/wait.h>

#include <set>
#include <thread>

#include "srv/testing/live.h"
#include "srv/testing/name_server.h"

namespace ser::srv {
namespace {

using testing::free_port;
using testing::NameServer;
using testing::number_of;
using testing::numbered_request;
using testing::Peer;
using testing::Prepared;

constexpr unsigned kRequests = 200;

std::string waiting_config(std::uint16_t port, std::uint16_t names) {
  return "#!KAMAILIO\nlisten=udp:127.0.0.1:" + std::to_string(port) +
         "\nchildren=2\nworkdir=\".\"\ndebug=1\n" + "dns_servers=\"127.0.0.1:" + std::to_string(names) +
         "\"\ndns_try_ipv6=no\n" + "request_route { forward(); }\n";
}

/// Request `number`, to a host of one of `hosts` names and the callee's port.
std::string request_to(unsigned number, const Peer& caller, const Peer& callee, unsigned hosts) {
  std::string text = numbered_request(number, caller.port);
  const std::string uri =
      "sip:u@h" + std::to_string(number % hosts) + ".example:" + std::to_string(callee.port);
  return text.replace(text.find("sip:u@127.0.0.1"), 15, uri);
}

std::set<unsigned> receive_all(const Peer& callee, unsigned count, int timeout_ms) {
  std::set<unsigned> arrived;
  while (arrived.size() < count) {
    const std::string request = callee.receive(timeout_ms);
    if (request.empty()) break;
    arrived.insert(number_of(request));
  }
  return arrived;
}

/// The supervisor in a child of the test, whose children the workers are. The segment is shared with the
/// test.
class ServerProcess {
 public:
  explicit ServerProcess(Prepared& world) : x_pid(::fork()) {
    if (x_pid != 0) return;
    Supervisor::block_signals();
    Logger log(world.log);
    ProcessTitle title;
    ForkSpawner spawner(log, title, {});
    ::_exit(world.server->run(spawner, nullptr));
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() {
    ::kill(x_pid, SIGTERM);
    int status = 0;
    EXPECT_EQ(::waitpid(x_pid, &status, 0), x_pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }

 private:
  pid_t x_pid;
};

bool eventually(const std::function<bool()>& what, int limit_ms = 5000) {
  for (int i = 0; i < limit_ms && !what(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return what();
}

/// SIGKILL to the worker in a slot, once it is there.
bool kill_worker(const shm::WorkerSlot& slot) {
  pid_t pid = 0;
  return eventually([&] { return (pid = slot.pid.load()) > 1; }) && ::kill(pid, SIGKILL) == 0;
}

TEST(SuspendLive, ThreadsWaitForNamesAndForNoneThatIsKnown) {
  const NameServer names("127.0.0.1");
  const Peer caller, callee;
  const std::uint16_t port = free_port();
  Prepared world(waiting_config(port, names.port));
  ASSERT_TRUE(world.ready) << world.server->error();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Supervisor::block_signals();
  std::thread supervisor([&] {
    ThreadSpawner spawner;
    EXPECT_EQ(world.server->run(spawner, nullptr), 0);
  });
  std::set<unsigned> arrived;
  for (unsigned first = 1; first <= kRequests; first += 20) {
    for (unsigned i = first; i < first + 20; ++i) caller.send(request_to(i, caller, callee, 50), port);
    arrived.merge(receive_all(callee, 20, 5000));
  }
  EXPECT_EQ(arrived.size(), kRequests);
  EXPECT_TRUE(caller.receive(0).empty()) << "nobody was answered 503";
  EXPECT_TRUE(eventually([&] { return world.counted("core", "suspended") == 0; }));
  EXPECT_GT(world.counted("core", "suspended_total"), 40U);
  // The supervisor waits for it. NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread)
  pthread_kill(supervisor.native_handle(), SIGTERM);
  supervisor.join();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(SuspendLive, AStopAnswersThoseWhoWait) {
  NameServer names("127.0.0.1");
  names.hold();
  const Peer caller, callee;
  const std::uint16_t port = free_port();
  Prepared world(waiting_config(port, names.port));
  ASSERT_TRUE(world.ready) << world.server->error();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Supervisor::block_signals();
  std::thread supervisor([&] {
    ThreadSpawner spawner;
    EXPECT_EQ(world.server->run(spawner, nullptr), 0);
  });
  for (unsigned i = 1; i <= 10; ++i) caller.send(request_to(i, caller, callee, 10), port);
  EXPECT_TRUE(eventually([&] { return world.counted("core", "suspended") == 10; }));
  // The supervisor waits for it. NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread)
  pthread_kill(supervisor.native_handle(), SIGTERM);
  supervisor.join();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(caller.receive(1000).starts_with("SIP/2.0 503 "));
}

TEST(SuspendLive, TheEventWorkerIsKilledWhileAHundredWait) {
  NameServer names("127.0.0.1");
  names.hold();
  const Peer caller, callee;
  const std::uint16_t port = free_port();
  Prepared world(waiting_config(port, names.port));
  ASSERT_TRUE(world.ready) << world.server->error();
  const ServerProcess server(world);
  constexpr unsigned kWaiting = 100;
  for (unsigned i = 1; i <= kWaiting; ++i) caller.send(request_to(i, caller, callee, 60), port);
  EXPECT_TRUE(eventually([&] { return world.counted("core", "suspended") == kWaiting; }))
      << world.counted("core", "suspended");
  const Shared& shared = world.server->shared();
  shm::WorkerSlot& event = *shared.slots->slot(2);
  ASSERT_EQ(event.kind.load(), shm::WorkerKind::event);
  // Twice: while they wait, and while they are being resumed.
  EXPECT_TRUE(kill_worker(event));
  EXPECT_TRUE(eventually(
      [&] { return event.incarnation.load() == 2 && world.counted("core", "suspended") == kWaiting; }));
  const std::uint64_t resumed = event.messages.load();
  names.release();
  EXPECT_TRUE(eventually([&] { return event.messages.load() > resumed + 10; }));
  EXPECT_TRUE(kill_worker(event));
  const std::set<unsigned> arrived = receive_all(callee, kWaiting, 3000);
  EXPECT_GE(arrived.size(), kWaiting - 1) << "at most the run in hand is lost";
  EXPECT_TRUE(caller.receive(0).empty()) << "nobody was answered 503";
  EXPECT_TRUE(eventually([&] {
    for (std::uint32_t i = 0; i < shared.suspended->capacity(); ++i) {
      if (shared.suspended->look(i).stage != proxy::SuspendedRuns::Stage::free) return false;
    }
    return shared.timers->armed() == 0;
  }));
}

TEST(SuspendLive, AKilledTimerWorkerDelaysNoDeadline) {
  NameServer names("127.0.0.1");
  names.hold();
  const Peer caller, callee;
  const std::uint16_t port = free_port();
  Prepared world("#!KAMAILIO\ndns_suspend_timeout=600\n" + waiting_config(port, names.port).substr(11));
  ASSERT_TRUE(world.ready) << world.server->error();
  const ServerProcess server(world);
  for (unsigned i = 1; i <= 20; ++i) caller.send(request_to(i, caller, callee, 20), port);
  EXPECT_TRUE(eventually([&] { return world.counted("core", "suspended") == 20; }));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(kill_worker(*world.server->shared().slots->slot(3)));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(caller.receive(2000).starts_with("SIP/2.0 503 ")) << i;
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took, std::chrono::milliseconds(1500));
  EXPECT_EQ(world.counted("core", "suspended_timed_out"), 20U);
}

}  // namespace
}  // namespace ser::srv
