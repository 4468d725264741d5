// SPDX-License-Identifier: Apache-2.0
#include "crash/recorder.h"

#include <signal.h>
#include <sys/mman.h>

#include "crash/fingerprint.h"
#include "crash/test_world.h"

namespace ser::crash {
namespace {

using shm::FaultCause;
using shm::Stage;
using testing::CrashWorld;
using testing::kMessage;

TEST(Recorder, AFaultIsWrittenAndCounted) {
  CrashWorld world;
  world.slot().fault.signal = SIGSEGV;
  world.slot().fault.address = 0x10;
  world.slot().fault.stack_pointer = 0x7fff'0000'0000;
  world.slot().fault.frames[0] = reinterpret_cast<std::uint64_t>(&parse_crash_file);
  world.slot().fault.frame_count.store(1);
  world.slot().fault.cause.store(FaultCause::fault);
  world.slot().set_error("it hurts");
  const Recorded recorded = world.record(world.death(SIGSEGV));
  ASSERT_EQ(recorded.file, Recorded::File::written);
  EXPECT_TRUE(recorded.counted && recorded.has_message && !recorded.quarantined);
  EXPECT_EQ(recorded.deaths, 1U);
  const CrashFile file = world.file(recorded);
  EXPECT_EQ(file.message, kMessage);
  EXPECT_EQ(file.cause, Cause::fault);
  EXPECT_EQ(file.signal, SIGSEGV);
  EXPECT_EQ(file.address, 0x10U);
  EXPECT_EQ(file.stage, Stage::script);
  EXPECT_EQ(file.script, "b.cfg:12");
  EXPECT_EQ(file.source, "192.0.2.7:5070");
  EXPECT_EQ(file.destination, "192.0.2.1:5060");
  EXPECT_EQ(file.socket, "udp:192.0.2.1:5060");
  EXPECT_EQ(file.fingerprint, fingerprint(world.key, kMessage, IpAddress::v4(192, 0, 2, 7)));
  EXPECT_EQ(file.deaths, 1U);
  EXPECT_EQ(file.error, "it hurts");
  EXPECT_EQ(file.config, "/etc/ser/ser.cfg");
  ASSERT_EQ(file.frames.size(), 1U);
  EXPECT_NE(file.frames[0].find(" /usr/sbin/ser+0x"), std::string::npos) << file.frames[0];
  EXPECT_TRUE(file.notes.empty());
}

TEST(Recorder, AThirdDeathQuarantines) {
  CrashWorld world;
  EXPECT_FALSE(world.record(world.death(SIGABRT)).quarantined);
  EXPECT_FALSE(world.record(world.death(SIGABRT)).quarantined);
  const Recorded third = world.record(world.death(SIGABRT));
  EXPECT_TRUE(third.quarantined);
  EXPECT_TRUE(world.quarantine.holds(third.fingerprint, world.clock.now()));
  EXPECT_TRUE(world.file(third).quarantined);
}

TEST(Recorder, DeathsFromOutsideLeaveAFileAndNoCount) {
  CrashWorld world;
  const Recorded killed = world.record(world.death(SIGKILL));
  EXPECT_EQ(killed.file, Recorded::File::written);
  EXPECT_EQ(world.file(killed).cause, Cause::outside);
  EXPECT_EQ(world.file(killed).message, kMessage);
  EXPECT_FALSE(killed.counted);
  world.slot().fault.cause.store(FaultCause::outside);  // kill -SEGV
  EXPECT_FALSE(world.record(world.death(SIGSEGV)).counted);
  Death left = world.death(0);
  left.status = 3;
  const Recorded exited = world.record(left);
  EXPECT_FALSE(exited.counted);
  EXPECT_EQ(world.file(exited).status, 3);
  EXPECT_TRUE(world.quarantine.list(world.clock.now()).empty());
}

TEST(Recorder, BetweenMessagesThereIsNoneInHand) {
  CrashWorld world;
  for (const Stage stage : {Stage::none, Stage::flush}) {
    world.slot().stage.store(stage);
    EXPECT_EQ(world.record(world.death(SIGKILL)).file, Recorded::File::nothing);
    EXPECT_EQ(world.record(world.death(0)).file, Recorded::File::nothing);
    const Recorded fault = world.record(world.death(SIGSEGV));
    EXPECT_EQ(fault.file, Recorded::File::written);
    EXPECT_FALSE(fault.counted || fault.has_message);
    EXPECT_EQ(world.file(fault).message, "");
  }
}

TEST(Recorder, TheWatchdogCountsAndAnAlarmStandsForTheFault) {
  EXPECT_EQ(cause_of({.signal = SIGABRT}, FaultCause::watchdog), Cause::watchdog);
  EXPECT_EQ(cause_of({.signal = SIGALRM}, FaultCause::fault), Cause::fault);
  EXPECT_EQ(cause_of({.signal = SIGALRM}, FaultCause::none), Cause::outside);
  EXPECT_EQ(cause_of({.signal = SIGSYS}, FaultCause::none), Cause::fault);
  EXPECT_EQ(cause_of({.signal = SIGTERM}, FaultCause::none), Cause::outside);
  EXPECT_EQ(cause_of({.signal = 0}, FaultCause::none), Cause::exit);
}

TEST(Recorder, ALargeDatagramIsPutTogether) {
  CrashWorld world;
  std::string large(kMessage);
  for (int i = 0; large.size() < 60'000; ++i) large += std::to_string(i);
  world.receive(large);
  EXPECT_TRUE(world.file(world.record(world.death(SIGSEGV))).message == large);
}

TEST(Recorder, NothingInADamagedSlotIsBelieved) {
  const auto damage = [](auto&& harm) {
    CrashWorld world;
    harm(world);
    const Recorded recorded = world.record(world.death(SIGSEGV));
    EXPECT_EQ(recorded.file, Recorded::File::written);
    CrashFile file = world.file(recorded);
    EXPECT_FALSE(file.notes.empty());
    return file;
  };
  damage([](CrashWorld& w) { w.slot().magic = 0; });
  damage([](CrashWorld& w) { w.slot().rx_index.store(4'000'000'000); });
  damage([](CrashWorld& w) { w.slot().rx.count.store(17); });
  damage([](CrashWorld& w) { w.slot().stage.store(static_cast<Stage>(77)); });
  damage([](CrashWorld& w) { w.slot().rx.entries[0].length = 0xFFFF'FFFF; });
  damage([](CrashWorld& w) { w.slot().rx.entries[0].block = nullptr; });
  damage([](CrashWorld& w) { w.slot().rx.entries[0].block += 16; });
  damage([](CrashWorld& w) { w.slot().script.store(nullptr); });
  damage([](CrashWorld& w) { w.place->file = 9; });
  damage([](CrashWorld& w) { w.slot().fault.cause.store(FaultCause::fault); });
  // Inside of the segment, and not to be read.
  const CrashFile file = damage([](CrashWorld& w) {
    char* page = w.segment.base() + (w.segment.size() / 2 & ~(shm::kPage - 1));
    ASSERT_EQ(::mprotect(page, shm::kPage, PROT_NONE), 0);
    w.slot().rx.entries[0].block = page;
  });
  EXPECT_EQ(file.message, "");
  // The message survives a damaged place in the script.
  EXPECT_EQ(damage([](CrashWorld& w) {
              w.slot().script.store(reinterpret_cast<SourcePlace*>(w.segment.base() + w.segment.size() - 4));
            }).message,
            kMessage);
}

TEST(Recorder, WithoutADirectoryItOnlyCounts) {
  CrashWorld world;
  RecorderContext context{world.segment,
                          world.heap,
                          world.slots,
                          world.quarantine,
                          CrashDirectory(-1),
                          world.key,
                          world.clock,
                          "",
                          "",
                          "",
                          {},
                          {}};
  const Recorded recorded = Recorder(context).examine(world.death(SIGSEGV), world.reaper);
  EXPECT_EQ(recorded.file, Recorded::File::off);
  EXPECT_EQ(recorded.deaths, 1U);
}

TEST(Recorder, OnlyTheNewestFilesAreKept) {
  CrashWorld world;
  std::string newest;
  for (int i = 0; i < 5; ++i) {
    world.clock.advance_ms(1000);
    newest = world.record(world.death(SIGKILL)).name;
  }
  const auto names = world.directory.names();
  ASSERT_EQ(names.size(), 3U);
  EXPECT_EQ(names.back(), newest);
}

}  // namespace
}  // namespace ser::crash
