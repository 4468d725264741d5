// SPDX-License-Identifier: Apache-2.0
// Starting: every failure is one clear line and leaves nothing behind. And what a successor finds in a dead
// worker's slot.
#include "srv/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstring>
#include <set>
#include <thread>

#include "crash/fingerprint.h"
#include "srv/statistics.h"
#include "srv/testing/live.h"
#include "srv/worker.h"

namespace ser::srv {
namespace {

using testing::address;
using testing::forwarding_config;
using testing::free_port;
using ::testing::HasSubstr;
using testing::lines_named;
using testing::numbered_request;
using testing::Peer;
using testing::Prepared;

std::string config(const std::string& settings) {
  return "#!KAMAILIO\nworkdir=\".\"\nchildren=1\n" + settings + "\nrequest_route { drop; }\n";
}
std::string listen_on(std::uint16_t port, const std::string& host = "127.0.0.1") {
  return "listen=udp:" + host + ":" + std::to_string(port) + "\n";
}
bool is_free(std::uint16_t port) {
  return static_cast<bool>(net::open_udp_socket(address("127.0.0.1", port), {}));
}

TEST(Start, EveryFailureIsOneLine) {
  const Peer occupied;
  const std::uint16_t port = free_port();
  struct Row {
    std::string text;
    const char* expected;
  };
  const Row rows[] = {
      {listen_on(occupied.port), "the port is in use by another program; stop it"},
      {listen_on(port) + listen_on(occupied.port), "the port is in use by another program; stop it"},
      {listen_on(port, "192.0.2.1"), "this machine does not have the address (ip_free_bind=yes"},
      {listen_on(port, "no-such-host.invalid"), "no-such-host.invalid"},
      {listen_on(port) + "user=\"no-such-user-here\"", "user 'no-such-user-here' does not exist"},
      {listen_on(port) + "group=\"no-such-group-here\"", "group 'no-such-group-here' does not exist"},
      {listen_on(port) + "chroot=\"/nonexistent\"",
       "chroot directory '/nonexistent': No such file or directory"},
      {listen_on(port) + "socket_workers=1000\n" + listen_on(free_port()) + "socket_workers=1000\n" +
           listen_on(free_port()),
       "2003 workers are more than 1024; lower children"},
  };
  for (const Row& row : rows) {
    Prepared world(config(row.text));
    EXPECT_FALSE(world.ready) << row.text;
    EXPECT_THAT(world.server->error(), HasSubstr(row.expected));
    EXPECT_EQ(world.server->error().find('\n'), std::string::npos) << world.server->error();
    EXPECT_EQ(world.log.text(), "") << "said once, by who started it";
  }
  EXPECT_TRUE(is_free(port)) << "nothing is left behind";
}

TEST(Start, AsManyWorkersAsThereCanBeSlotsHaveRoom) {
  Prepared world(config("socket_workers=1022\n" + listen_on(free_port())));
  EXPECT_TRUE(world.ready) << world.server->error();
  EXPECT_EQ(world.server->posts().size(), 1024U);
}

// A sanitizer's own address space is far above any such limit.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Start, LittleAddressSpaceIsAClearError) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit limit{std::uint64_t{1} << 30, std::uint64_t{1} << 30};
    ::setrlimit(RLIMIT_AS, &limit);
    Prepared world(config("socket_workers=500\n" + listen_on(free_port())));
    const std::string& error = world.server->error();
    ::_exit(!world.ready && error.find("too small for the buffers of 502 workers") != std::string::npos &&
                    error.find('\n') == std::string::npos
                ? 0
                : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}
#endif

/// Says no.
class NoSpawner final : public Spawner {
 public:
  explicit NoSpawner(int allowed) : x_allowed(allowed) {}
  Result<void> spawn_reaper(const ReaperContext& /*context*/) override { return {Errc::system, "fork"}; }
  Result<void> spawn(const WorkerContext& /*context*/) override {
    if (x_allowed-- <= 0) return {Errc::system, "fork", EAGAIN};
    ++x_running;
    return {};
  }
  bool reap(WorkerExit& out) override {
    if (x_running == 0 || !x_stopping) return false;
    out = {};
    out.slot = static_cast<std::uint16_t>(--x_running);
    return true;
  }
  bool interrupt(std::uint16_t /*slot*/) noexcept override { return x_stopping = true; }
  bool kill(std::uint16_t /*slot*/) noexcept override { return true; }
  std::size_t running() const noexcept override { return x_running; }

 private:
  int x_allowed;
  std::size_t x_running = 0;
  bool x_stopping = false;
};

class Late : public ::testing::Test {
 protected:
  Late() {
    char name[] = "/tmp/ser-start-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~Late() override { ::rmdir(folder.c_str()); }
  bool is_empty() const { return ::rmdir(folder.c_str()) == 0 && ::mkdir(folder.c_str(), 0700) == 0; }
  std::string folder;
};

TEST_F(Late, FailuresAfterTheForkLeaveNoPidFile) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Supervisor::block_signals();
  struct Row {
    std::vector<std::string> words;
    std::string settings;
    int allowed;
    const char* expected;
  };
  const std::string good = folder + "/ser.pid";
  const Row rows[] = {
      {{"-P", good, "-G", "/nonexistent/x"}, "", 9, "cannot write pid file '/nonexistent/x'"},
      {{"-P", good, "-w", "/nonexistent"}, "", 9, "cannot change to working directory '/nonexistent'"},
      {{"-P", good, "-G", folder + "/ser.pgid"},
       "",
       0,
       "cannot start a worker: Resource temporarily unavailable"},
      {{"-P", good}, "", 2, "cannot start a worker: Resource temporarily unavailable"},
  };
  for (const Row& row : rows) {
    std::vector<const char*> words;
    for (const std::string& word : row.words) words.push_back(word.c_str());
    static constexpr mod::ModuleSpec (*kBuiltin[])() = {script::describe_core};
    const CommandLine line = parse_command_line(words);
    const auto loaded = load_configuration(line, kBuiltin, config(listen_on(free_port())));
    SystemClock clock;
    MemoryLogSink log;
    Server server(*loaded, make_server_config(loaded->configuration, line), clock, log);
    ASSERT_TRUE(server.prepare()) << server.error();
    NoSpawner spawner(row.allowed);
    EXPECT_EQ(server.run(spawner, nullptr), 1);
    EXPECT_THAT(server.error(), HasSubstr(row.expected));
    EXPECT_EQ(server.error().find('\n'), std::string::npos);
    EXPECT_TRUE(is_empty()) << row.expected;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Statistics, EveryCounterEveryWorkerEveryAccount) {
  Prepared world(config(listen_on(free_port())));
  ASSERT_TRUE(world.ready) << world.server->error();
  Shared& shared = world.server->shared();
  shared.slots->begin(0, shm::WorkerKind::datagram);
  Counters page = shared.pages->page(0);
  page.add(shared.core.received_requests, 41);
  shared.pages->page(1).add(shared.core.received_requests, 1);
  const std::string text = statistics_text(shared);
  EXPECT_THAT(text, ::testing::StartsWith("core.rcv_requests 42\n"));
  EXPECT_THAT(text, HasSubstr("\ncore.rcv_requests{worker=\"1\"} 41\n"));
  EXPECT_THAT(text, HasSubstr("\nnet.kernel_drops 0\n"));
  EXPECT_THAT(text, HasSubstr("\nshm.used{owner=\"messages\"} "));
  EXPECT_THAT(text, HasSubstr("\ntimer.armed 0\n"));
  std::set<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    EXPECT_EQ(std::count(line.begin(), line.end(), ' '), 1) << line;
    EXPECT_TRUE(names.insert(line.substr(0, line.find(' '))).second) << line;
    at = end + 1;
  }
}

TEST(Statistics, FileIsReplacedWhole) {
  char name[] = "/tmp/ser-stat-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  const std::string path = folder + "/stat";
  std::string error;
  ASSERT_TRUE(write_statistics_file(path, "a 1\nb 2\n", error)) << error;
  ASSERT_TRUE(write_statistics_file(path, "c 3\n", error)) << error;
  char text[32]{};
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(::read(fd.get(), text, sizeof text), 4);
  EXPECT_STREQ(text, "c 3\n");
  EXPECT_FALSE(write_statistics_file(folder + "/none/stat", "x", error));
  EXPECT_THAT(error, HasSubstr("cannot write statistics to"));
  ::unlink(path.c_str());
  EXPECT_EQ(::rmdir(folder.c_str()), 0) << "no temporary file is left";
}

/// A worker that died in slot 0 with a batch in hand, and its successor in this thread.
class Successor : public ::testing::Test {
 protected:
  Successor() : port(free_port()), world(forwarding_config(port, callee.port, 1)) {
    EXPECT_TRUE(world.ready) << world.server->error();
    shared = &world.server->shared();
    slot = shared->slots->slot(0);
    dead = shared->slots->begin(0, shm::WorkerKind::datagram);
  }
  /// Message `i` as received and not begun.
  void receive(unsigned i, std::string_view bytes) {
    shm::Actor actor(dead, nullptr, nullptr);
    shm::RxEntry& entry = slot->rx.entries[i];
    entry.block = static_cast<char*>(shared->heap->alloc(actor, shm::kRxBlock, shared->message_account));
    const std::size_t head = std::min(bytes.size(), shm::kRxBlock - 1);
    bytes.copy(entry.block, head);
    bytes.substr(head).copy(slot->spill + i * shm::kSpillBytes, bytes.size() - head);
    entry.length = static_cast<std::uint32_t>(bytes.size());
    entry.flags = bytes.size() > head ? shm::kRxSpilled : 0;
    entry.socket = 0;
    entry.from = address("127.0.0.1", caller.port);
    entry.to = address("127.0.0.1", port);
  }
  /// What the supervisor has done after a death.
  void reap() {
    shared->slots->mark_dead(0, SIGKILL);
    ThreadSpawner spawner;
    const auto place = static_cast<std::uint16_t>(world.server->posts().size());
    const shm::WorkerId reaper = shared->slots->begin(place, shm::WorkerKind::reaper);
    ASSERT_TRUE(spawner.spawn_reaper({*shared, reaper, {dead, shm::WorkerKind::datagram}}));
    WorkerExit reaped;
    ASSERT_TRUE(spawner.reap(reaped));
    reaper_status = reaped.status;
  }
  /// Runs the successor until what it does at its start is done, then stops it.
  void succeed() {
    reap();
    ASSERT_EQ(reaper_status, 0);
    const shm::WorkerId id = shared->slots->begin(0, shm::WorkerKind::datagram);
    std::thread worker(
        [&] { ASSERT_EQ(make_worker({*shared, id, shm::WorkerKind::datagram, 0, 1, -1})->run(), 0); });
    while (slot->state.load() != shm::WorkerState::sleeping) std::this_thread::yield();
    shared->slots->stop(0);
    caller.send("stop", port);  // a runt brings it back from the kernel
    worker.join();
  }
  std::vector<std::string> forwarded() const {
    std::vector<std::string> ids;
    for (std::string request = callee.receive(100); !request.empty(); request = callee.receive(100)) {
      const std::string line = lines_named(request, "Call-ID");
      ids.push_back(line.substr(9, line.size() - 11));
    }
    return ids;
  }

  Peer caller, callee;
  std::uint16_t port;
  Prepared world;
  Shared* shared = nullptr;
  shm::WorkerSlot* slot = nullptr;
  shm::WorkerId dead;
  int reaper_status = -1;
};

TEST_F(Successor, HandlesWhatWasReceivedAndNotBegun) {
  std::string large = numbered_request(4, caller.port);
  large.replace(large.find("Content-Length: 0"), 17, "Content-Length: 5000");
  large += std::string(5000, 'b');
  for (unsigned i = 0; i < 3; ++i) receive(i, numbered_request(i + 1, caller.port));
  receive(3, large);
  slot->rx.next.store(1);  // the first one killed it
  slot->rx.count.store(4);
  succeed();
  EXPECT_EQ(forwarded(), (std::vector<std::string>{"2", "3", "4"}));
  EXPECT_EQ(slot->rx.count.load(), 0U);
  EXPECT_EQ(slot->stage.load(), shm::Stage::none);
}

TEST_F(Successor, ALargeDatagramNeedsNoRoomInTheSegment) {
  std::string large = numbered_request(4, caller.port);
  large.replace(large.find("Content-Length: 0"), 17, "Content-Length: 5000");
  large += std::string(5000, 'b');
  receive(0, large);
  for (unsigned i = 1; i < shm::kRxBatch; ++i) receive(i, "");
  slot->rx.count.store(1);
  shared->heap->set_limit(0);  // no span can be had; what is there is for small cells
  succeed();
  EXPECT_EQ(forwarded(), (std::vector<std::string>{"4"}));
}

TEST_F(Successor, DropsWhatIsInQuarantine) {
  const std::string deadly = numbered_request(1, caller.port);
  const std::uint64_t looks =
      crash::fingerprint(shared->crash.key, deadly, address("127.0.0.1", caller.port).ip);
  shm::Actor reaper(dead, nullptr, nullptr);
  for (int i = 0; i < 3; ++i)
    shared->quarantine->note_death(reaper, looks, shm::Stage::script, shared->clock->now());
  std::string harmless = numbered_request(2, caller.port);
  harmless.insert(harmless.find("Call-ID"), "Subject: other looks\r\n");
  receive(0, deadly);
  receive(1, harmless);
  slot->rx.next.store(0);
  slot->rx.count.store(2);
  slot->rx.at = shared->clock->now();
  succeed();
  EXPECT_EQ(forwarded(), (std::vector<std::string>{"2"}));
  EXPECT_EQ(world.counted("core", "quarantine_drops"), 1U);
  EXPECT_THAT(statistics_text(*shared), HasSubstr("\ncore.quarantined 1\n"));
  EXPECT_THAT(statistics_text(*shared), HasSubstr(",stage=\"script\",deaths=\"3\"} 600\n"));
}

TEST_F(Successor, SendsWhatWasFinishedAndFreesTheRest) {
  const std::string finished = numbered_request(7, caller.port);
  finished.copy(slot->send_area, finished.size());
  slot->tx.entries[0] = {
      0, static_cast<std::uint32_t>(finished.size()), {address("127.0.0.1", callee.port), 0, {}}};
  slot->tx.count.store(1);
  receive(0, numbered_request(8, caller.port));
  slot->rx.next.store(1);
  slot->rx.count.store(1);
  shm::Actor actor(dead, nullptr, nullptr);
  ASSERT_NE(shared->heap->alloc(actor, 5000, shared->message_account), nullptr);  // a chunk of its arena
  succeed();
  EXPECT_EQ(forwarded(), (std::vector<std::string>{"7"}));
  EXPECT_EQ(shared->heap->account_use(shared->message_account).cells, shm::kRxBatch) << "its receive blocks";
  EXPECT_TRUE(shared->heap->verify());
  EXPECT_THAT(world.log.text(), HasSubstr("1 cells of a dead worker freed"));
}

TEST_F(Successor, FindsWhatTheKernelHadJustHandedOver) {
  // Killed inside the receive call, or right after it: nothing is published, the kernel's marks are all there
  // is.
  for (unsigned i = 0; i < 3; ++i) caller.send(numbered_request(i + 1, caller.port), port);
  {
    net::UdpReceiver receiver(shared->udp[0], 0, shared->drop_cells[0], *shared->slot_areas[0].receive);
    for (unsigned i = 0; i < shm::kRxBatch; ++i) {
      receive(i, "");
      receiver.set_slot(i, slot->rx.entries[i].block, shm::kRxBlock - 1, slot->spill + i * shm::kSpillBytes,
                        shm::kSpillBytes - 1);
    }
    const auto received = receiver.receive(slot->rx.entries);
    ASSERT_TRUE(received);
    ASSERT_EQ(*received, 3U);
    for (shm::RxEntry& entry : slot->rx.entries) entry.length = 0;  // it died before it had read them
  }
  succeed();
  EXPECT_EQ(forwarded(), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(shared->heap->account_use(shared->message_account).cells, shm::kRxBatch);
}

TEST_F(Successor, ADamagedSlotIsRefusedByTheReaper) {
  for (int damage = 0; damage < 5; ++damage) {
    receive(0, numbered_request(9, caller.port));
    slot->rx.next.store(0);
    slot->rx.count.store(1);
    slot->tx.count.store(0);
    switch (damage) {
      case 0:
        slot->rx.count.store(17);
        break;
      case 1:
        slot->tx.count.store(65);
        break;
      case 2:
        slot->rx.entries[0].length = 1U << 20;
        break;
      case 3:
        slot->rx.entries[0].block = slot->send_area;
        break;
      default:
        slot->tx.entries[0] = {shm::kSendArea - 10, 11, {address("127.0.0.1", callee.port), 0, {}}};
        slot->tx.count.store(1);
        break;
    }
    reap();
    EXPECT_EQ(reaper_status, kExitDamaged) << damage;
  }
  EXPECT_EQ(slot->reaped.load(), 0U) << "no successor may start";
}

TEST_F(Successor, TheReaperFreesWhatTheDeadOneLockedAndOwned) {
  shm::SlotOwnerCheck check(*shared->slots);
  shm::Actor actor(dead, &slot->held, &check);
  auto* lock = shared->segment.reserve_object<shm::FutexLock>();
  ASSERT_EQ(lock->lock(actor, shm::LockLevel::module), shm::LockOutcome::taken);
  ASSERT_NE(shared->heap->alloc(actor, 5000, shared->message_account), nullptr);
  reap();
  EXPECT_EQ(reaper_status, 0);
  EXPECT_EQ(lock->word(), 0U);
  EXPECT_EQ(shared->heap->account_use(shared->message_account).cells, 0U);
  EXPECT_EQ(slot->reaped.load(), dead.incarnation);
  EXPECT_EQ(slot->swept.load(), dead.incarnation);
  EXPECT_TRUE(shared->heap->verify());
}

}  // namespace
}  // namespace ser::srv
