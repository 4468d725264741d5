// SPDX-License-Identifier: Apache-2.0
// The real workers on real sockets: as threads, where ThreadSanitizer sees them, and as processes.
#include "srv/testing/live.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "srv/statistics.h"

namespace ser::srv {
namespace {

using testing::forwarding_config;
using testing::free_port;
using testing::number_of;
using testing::numbered_request;
using testing::Peer;
using testing::Prepared;
using testing::response_to;

constexpr unsigned kRequests = 2000;
constexpr unsigned kWindow = 40;

/// Requests from caller through the server to callee and their responses back, a window at a time. Numbers
/// seen at both ends.
struct Traffic {
  Peer caller, callee;
  std::set<unsigned> arrived, answered;

  void round(unsigned first, unsigned count, std::uint16_t server) {
    for (unsigned i = first; i < first + count; ++i) caller.send(numbered_request(i, caller.port), server);
    for (unsigned i = 0; i < count; ++i) {
      const std::string request = callee.receive(2000);
      if (request.empty()) break;
      arrived.insert(number_of(request));
      callee.send(response_to(request), server);
    }
    for (unsigned i = 0; i < count; ++i) {
      const std::string response = caller.receive(2000);
      if (response.empty()) break;
      answered.insert(number_of(response));
    }
  }
};

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST(Threads, TwoThousandRequestsWhileStatisticsAreRead) {
  Traffic traffic;
  const std::uint16_t port = free_port();
  Prepared world(forwarding_config(port, traffic.callee.port, 4));
  ASSERT_TRUE(world.ready) << world.server->error();
  // Here, so that the threads to come inherit it.
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Supervisor::block_signals();
  int status = -1;
  std::thread supervisor([&] {
    ThreadSpawner spawner;
    status = world.server->run(spawner, nullptr);
  });
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done.load())
      EXPECT_NE(statistics_text(world.server->shared()).find("core.rcv_requests "), std::string::npos);
  });
  for (unsigned first = 1; first <= kRequests; first += kWindow) traffic.round(first, kWindow, port);
  done.store(true);
  reader.join();
  EXPECT_EQ(traffic.arrived.size(), kRequests);
  EXPECT_EQ(traffic.answered.size(), kRequests);
  pthread_kill(supervisor.native_handle(), SIGUSR1);
  const auto begin = std::chrono::steady_clock::now();
  // The supervisor waits for it. NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread)
  pthread_kill(supervisor.native_handle(), SIGTERM);
  supervisor.join();
  EXPECT_LT(seconds_since(begin), 1.0);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(world.counted("core", "rcv_requests"), kRequests);
  EXPECT_EQ(world.counted("core", "fwd_requests"), kRequests);
  EXPECT_EQ(world.counted("core", "fwd_replies"), kRequests);
  EXPECT_EQ(world.counted("core", "worker_deaths"), 0U);
  EXPECT_NE(world.log.text().find("Thank you for flying ser"), std::string::npos);
  EXPECT_NE(world.log.text().find("core.fwd_requests 2000"), std::string::npos)
      << "SIGUSR1 writes statistics";
}

TEST(Threads, MessagesAroundTheBlockAndFarAboveIt) {
  Traffic traffic;
  const std::uint16_t port = free_port();
  Prepared world(forwarding_config(port, traffic.callee.port, 1));
  ASSERT_TRUE(world.ready) << world.server->error();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Supervisor::block_signals();
  std::thread supervisor([&] {
    ThreadSpawner spawner;
    EXPECT_EQ(world.server->run(spawner, nullptr), 0);
  });
  std::vector<std::size_t> sizes;
  for (std::size_t size = shm::kRxBlock - 20; size <= shm::kRxBlock + 20; ++size) sizes.push_back(size);
  for (const std::size_t size : {4096U, 16384U, 60000U}) sizes.push_back(size);
  for (const std::size_t size : sizes) {
    std::string request = numbered_request(1, traffic.caller.port);
    request.replace(request.find("Content-Length: 0"), 17, "Content-Length: 70000");
    std::string body(size - request.size(), 'x');
    body.back() = '!';
    traffic.caller.send(request + body, port);
    const std::string forwarded = traffic.callee.receive(2000);
    EXPECT_TRUE(forwarded.ends_with("\r\n\r\n" + body)) << size;
  }
  // The supervisor waits for it. NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread)
  pthread_kill(supervisor.native_handle(), SIGTERM);
  supervisor.join();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// The supervisor in a child of the test; its workers are that one's children. The segment is shared with the
/// test.
class ForkedServer {
 public:
  explicit ForkedServer(Prepared& world) : x_world(world) {
    x_pid = ::fork();
    if (x_pid != 0) return;
    Supervisor::block_signals();
    Logger log(world.log);
    ProcessTitle title;
    ForkSpawner spawner(log, title, {});
    ::_exit(world.server->run(spawner, nullptr));
  }
  ~ForkedServer() {
    if (x_pid > 0) stop(SIGKILL);
  }
  /// The wait status.
  int stop(int signal) {
    ::kill(x_pid, signal);
    int status = 0;
    EXPECT_EQ(::waitpid(x_pid, &status, 0), x_pid);
    x_pid = 0;
    return status;
  }
  const shm::WorkerSlot& slot(std::size_t index) const {
    return *x_world.server->shared().slots->slot(static_cast<std::uint16_t>(index));
  }
  /// Waits until every worker sleeps; false after five seconds.
  /// And what the dead left is put right.
  bool all_sleep() const {
    for (int tries = 0; tries < 1000; ++tries) {
      bool all = true;
      for (std::size_t i = 0; i < x_world.server->posts().size(); ++i) {
        all = all && slot(i).state.load() == shm::WorkerState::sleeping &&
              slot(i).swept.load() == slot(i).reaped.load();
      }
      if (all) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

 private:
  Prepared& x_world;
  pid_t x_pid = 0;
};

TEST(Processes, AKilledWorkerIsReplacedAndTheRestGoesOn) {
  Traffic traffic;
  const std::uint16_t port = free_port();
  Prepared world(forwarding_config(port, traffic.callee.port, 4));
  ASSERT_TRUE(world.ready) << world.server->error();
  ForkedServer server(world);
  ASSERT_TRUE(server.all_sleep());
  traffic.round(1, kWindow, port);
  ASSERT_TRUE(server.all_sleep());
  EXPECT_EQ(traffic.answered.size(), kWindow);
  const shm::Heap& heap = *world.server->shared().heap;
  const shm::HeapUse start = heap.use();

  // Each of the four once, in the middle of a window.
  unsigned first = kWindow + 1;
  for (std::uint16_t victim = 0; victim < 4; ++victim) {
    const std::uint32_t incarnation = server.slot(victim).incarnation.load();
    for (unsigned i = 0; i < kWindow; ++i) {
      if (i == kWindow / 2) ::kill(server.slot(victim).pid.load(), SIGKILL);
      traffic.caller.send(numbered_request(first + i, traffic.caller.port), port);
    }
    for (std::string request = traffic.callee.receive(500); !request.empty();
         request = traffic.callee.receive(200))
      traffic.arrived.insert(number_of(request));
    first += kWindow;
    ASSERT_TRUE(server.all_sleep());
    EXPECT_EQ(server.slot(victim).incarnation.load(), incarnation + 1);
  }
  const unsigned sent = first - 1;
  EXPECT_GE(traffic.arrived.size(), sent - 4) << "at most the one in hand for each death";
  traffic.round(first, kWindow, port);
  EXPECT_EQ(traffic.answered.size(), 2 * kWindow) << "nobody is missing";
  ASSERT_TRUE(server.all_sleep());
  const shm::HeapUse end = heap.use();
  EXPECT_EQ(end.cells, start.cells);
  EXPECT_EQ(end.used, start.used);
  EXPECT_TRUE(heap.verify());
  EXPECT_EQ(world.counted("core", "worker_deaths"), 4U);
  EXPECT_EQ(world.counted("core", "respawns"), 4U);

  const auto begin = std::chrono::steady_clock::now();
  const int status = server.stop(SIGTERM);
  EXPECT_LT(seconds_since(begin), 1.0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Processes, AnOverwrittenSegmentIsMadeAnew) {
  Traffic traffic;
  const std::uint16_t port = free_port();
  Prepared world(forwarding_config(port, traffic.callee.port, 2));
  ASSERT_TRUE(world.ready) << world.server->error();
  ForkedServer server(world);
  ASSERT_TRUE(server.all_sleep());
  traffic.round(1, 4, port);
  EXPECT_EQ(traffic.answered.size(), 4U);
  ASSERT_TRUE(server.all_sleep());

  // What Heap::report() does when a check word is wrong. Who sees it first leaves with its batch done.
  world.server->shared().segment.header().corruptions.store(1);
  // What is in hand when the workers are replaced is lost, so both sides send again, as phones do.
  std::string request;
  for (int tries = 0; tries < 20 && request.empty(); ++tries) {
    traffic.caller.send(numbered_request(5, traffic.caller.port), port);
    request = traffic.callee.receive(500);
  }
  ASSERT_EQ(number_of(request), 5U);
  // The new workers have the key of the old ones: the Via of that request still proves itself.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  std::string response;
  for (int tries = 0; tries < 20 && response.empty(); ++tries) {
    traffic.callee.send(response_to(request), port);
    response = traffic.caller.receive(500);
  }
  EXPECT_EQ(number_of(response), 5U);
  while (!traffic.callee.receive(50).empty()) {
  }
  while (!traffic.caller.receive(50).empty()) {
  }
  traffic.round(6, kWindow, port);
  EXPECT_EQ(traffic.answered.size(), 4U + kWindow);
  const int status = server.stop(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Processes, WorkersEndWithTheirSupervisor) {
  Traffic traffic;
  Prepared world(forwarding_config(free_port(), traffic.callee.port, 2));
  ASSERT_TRUE(world.ready) << world.server->error();
  std::vector<pid_t> pids;
  {
    ForkedServer server(world);
    ASSERT_TRUE(server.all_sleep());
    for (std::size_t i = 0; i < world.server->posts().size(); ++i) pids.push_back(server.slot(i).pid.load());
    EXPECT_EQ(WTERMSIG(server.stop(SIGKILL)), SIGKILL);
  }
  EXPECT_EQ(pids.size(), 4U) << "two receivers, the event worker, the timer";
  for (const pid_t pid : pids) {
    // Orphans are reaped by somebody else, or stay zombies: what counts is that they run no more.
    bool gone = false;
    for (int tries = 0; tries < 200 && !gone; ++tries) {
      std::string state(64, '\0');
      const Fd stat(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
      const ssize_t n = stat ? ::read(stat.get(), state.data(), state.size()) : 0;
      gone = n <= 0 || state.find(") Z ") != std::string::npos;
      if (!gone) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(gone) << pid;
  }
}

}  // namespace
}  // namespace ser::srv
