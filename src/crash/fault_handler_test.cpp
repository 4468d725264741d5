// SPDX-License-Identifier: Apache-2.0
// Deaths of forked processes, as the reaper finds them.
#include "crash/fault_handler.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "crash/watchdog.h"
#include "shm/test_world.h"

namespace ser::crash {
namespace {

using shm::FaultCause;
using shm::FaultReport;
using shm::Stage;

/// Runs `body` in a worker of its own; what waitpid() says of it.
template <class F>
int status_of(shm::World& world, F&& body) {
  world.slots.begin(0, shm::WorkerKind::datagram);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit none = {0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    FaultHandler handler;
    if (!handler.install(*world.slots.slot(0))) ::_exit(99);
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return status;
}

__attribute__((noinline)) void write_to(volatile int* at) {
  *at = 1;
}

__attribute__((noinline)) int deeper(volatile char* before, volatile bool* go_on) {
  volatile char room[4096];
  room[0] = before != nullptr ? before[0] : '\0';
  return *go_on ? deeper(room, go_on) + room[0] : 0;
}

bool in_this_program(std::uint64_t address) {
  Dl_info there{};
  Dl_info here{};
  return ::dladdr(reinterpret_cast<void*>(address), &there) != 0 &&
         ::dladdr(reinterpret_cast<void*>(&in_this_program), &here) != 0 && there.dli_fbase == here.dli_fbase;
}

TEST(FaultHandler, AWildWriteTellsWhereItWas) {
  shm::World world;
  const int status =
      status_of(world, [] { write_to(reinterpret_cast<volatile int*>(std::uintptr_t{0x1230})); });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
  const FaultReport& report = world.slots.slot(0)->fault;
  EXPECT_EQ(report.cause.load(), FaultCause::fault);
  EXPECT_EQ(report.signal, SIGSEGV);
  EXPECT_EQ(report.address, 0x1230U);
  ASSERT_GT(report.frame_count.load(), 2U);
  const std::uint64_t begin = reinterpret_cast<std::uint64_t>(&write_to);
  EXPECT_TRUE(report.frames[0] >= begin && report.frames[0] < begin + 64) << std::hex << report.frames[0];
  EXPECT_TRUE(in_this_program(report.frames[1]));
}

TEST(FaultHandler, EveryFaultIsTold) {
  shm::World world;
  for (const int signal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS}) {
    const int status = status_of(world, [signal] { ::raise(signal); });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), signal);
    EXPECT_EQ(world.slots.slot(0)->fault.cause.load(), FaultCause::fault);
    EXPECT_EQ(world.slots.slot(0)->fault.signal, signal);
  }
}

TEST(FaultHandler, TheEndOfTheStackIsTold) {
  shm::World world;
  const int status = status_of(world, [] {
    volatile bool go_on = true;
    ::_exit(deeper(nullptr, &go_on));
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
  const FaultReport& report = world.slots.slot(0)->fault;
  EXPECT_EQ(report.frame_count.load(), FaultReport::kMaxFrames);
  EXPECT_LT(report.stack_pointer - report.address, 65536U);
}

TEST(FaultHandler, AJumpToNowhereHasACaller) {
  shm::World world;
  const int status = status_of(world, [] {
    void (*volatile nowhere)() = nullptr;
    nowhere();
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
  const FaultReport& report = world.slots.slot(0)->fault;
  ASSERT_EQ(report.frame_count.load(), 2U);
  EXPECT_EQ(report.frames[0], 0U);
  EXPECT_TRUE(in_this_program(report.frames[1]));
}

TEST(FaultHandler, ASignalFromOutsideIsNoFault) {
  shm::World world;
  world.slots.begin(0, shm::WorkerKind::datagram);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit none = {0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    FaultHandler handler;
    if (!handler.install(*world.slots.slot(0)) || ::write(ready[1], "r", 1) != 1) ::_exit(99);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(pid, SIGSEGV);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
  EXPECT_EQ(world.slots.slot(0)->fault.cause.load(), FaultCause::outside);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(FaultHandler, AChildOfTheWorkerIsNotTheWorker) {
  shm::World world;
  const int status = status_of(world, [] {
    const pid_t child = ::fork();
    if (child == 0) ::abort();
    int inner = 0;
    ::waitpid(child, &inner, 0);
    ::_exit(WTERMSIG(inner));
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), SIGABRT);
  EXPECT_EQ(world.slots.slot(0)->fault.cause.load(), FaultCause::none);
}

TEST(Watchdog, TwoTicksOfOneMessageAreALoop) {
  shm::World world;
  world.slots.begin(0, shm::WorkerKind::datagram);
  shm::WorkerSlot& slot = *world.slots.slot(0);
  EXPECT_FALSE(watchdog_tick(slot));
  EXPECT_FALSE(watchdog_tick(slot)) << "nothing in hand";
  slot.stage.store(Stage::script);
  EXPECT_FALSE(watchdog_tick(slot));
  slot.message_serial.store(1);
  EXPECT_FALSE(watchdog_tick(slot)) << "another message";
  slot.stage.store(Stage::none);
  EXPECT_FALSE(watchdog_tick(slot));
  slot.stage.store(Stage::parsing);
  EXPECT_FALSE(watchdog_tick(slot)) << "it was away in between";
  EXPECT_TRUE(watchdog_tick(slot));
}

TEST(Watchdog, EndsALoopByAbort) {
  shm::World world;
  const int status = status_of(world, [&] {
    Watchdog watchdog;
    if (!watchdog.start(*world.slots.slot(0), 1)) ::_exit(99);
    world.slots.slot(0)->stage.store(Stage::script);
    volatile bool go_on = true;
    while (go_on) {
    }
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
  const FaultReport& report = world.slots.slot(0)->fault;
  EXPECT_EQ(report.cause.load(), FaultCause::watchdog);
  ASSERT_GT(report.frame_count.load(), 1U);
  EXPECT_TRUE(in_this_program(report.frames[0]));
}

TEST(Watchdog, LetsAWorkerBetweenMessagesBurn) {
  shm::World world;
  const int status = status_of(world, [&] {
    Watchdog watchdog;
    if (!watchdog.start(*world.slots.slot(0), 1)) ::_exit(99);
    shm::WorkerSlot& slot = *world.slots.slot(0);
    // Ten periods of CPU time, a new message in each turn.
    timespec used{};
    do {
      slot.message_serial.store(slot.message_serial.load() + 1);
      slot.stage.store(Stage::script);
      slot.stage.store(Stage::none);
      ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    } while (used.tv_sec == 0 && used.tv_nsec < 10'000'000);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace ser::crash
