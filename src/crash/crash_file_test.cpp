// SPDX-License-Identifier: Apache-2.0
#include "crash/crash_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crash/crash_directory.h"
#include "crash/test_world.h"

namespace ser::crash {
namespace {

using namespace std::string_literals;

CrashFile sample() {
  CrashFile file;
  file.time = 1'795'449'696;
  file.version = "ser 0.1.0";
  file.config = "/etc/ser/ser.cfg";
  file.cause = Cause::watchdog;
  file.signal = 6;
  file.code = -6;
  file.core = true;
  file.address = 0xFFFF'FFFF'FFFF'FFFF;
  file.worker = shm::WorkerKind::datagram;
  file.slot = 3;
  file.incarnation = 0xFFFF'FFFF;
  file.pid = 4711;
  file.stage = shm::Stage::script;
  file.script = "/etc/ser/ser.cfg:12";
  file.fingerprint = 0x0123'4567'89AB'CDEF;
  file.deaths = 3;
  file.quarantined = true;
  file.socket = "udp:192.0.2.1:5060";
  file.source = "[2001:db8::1]:5060";
  file.destination = "192.0.2.1:5060";
  file.frames = {"0x1 /usr/sbin/ser+0x1", "0x2"};
  file.notes = {"a note"};
  file.message = "OPTIONS sip:a SIP/2.0\r\n\r\n\0\xFF message: 3\n\n"s;
  return file;
}

TEST(CrashFile, RoundTrip) {
  const std::string text = print(sample());
  const auto parsed = parse_crash_file(text);
  ASSERT_TRUE(parsed) << parsed.error().what << " at " << parsed.error().offset;
  EXPECT_EQ(print(*parsed), text);
  EXPECT_EQ(parsed->message, sample().message);
  EXPECT_EQ(parsed->frames, sample().frames);
  EXPECT_EQ(parsed->incarnation, 0xFFFF'FFFFU);
  EXPECT_EQ(parsed->code, -6);
  EXPECT_EQ(parsed->time, sample().time);
  EXPECT_EQ(parsed->stage, shm::Stage::script);
  EXPECT_TRUE(parsed->quarantined && parsed->core);
  EXPECT_TRUE(text.starts_with("ser crash file 1\ntime: 2026-11-23T")) << text;
  EXPECT_NE(text.find("\nsignal: 6 SIGABRT\n"), std::string::npos);
  ASSERT_TRUE(parse_crash_file(print(CrashFile{})));
}

TEST(CrashFile, TextsCannotForgeLines) {
  CrashFile file = sample();
  file.error = "one\nmessage: 0\n\n";
  file.version = std::string(5000, 'v');
  const auto parsed = parse_crash_file(print(file));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->error, "one.message: 0..");
  EXPECT_EQ(parsed->version.size(), CrashFile::kMaxText);
}

TEST(CrashFile, TheReaderIsStrict) {
  const std::string good = print(sample());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& text : {
           std::string(),
           std::string("ser crash file 2\n"),
           good.substr(0, good.size() - 1),
           good + "x",
           good.substr(0, 40),
           with("file 1\n", "file 1"),
           with("time: 2026-11", "time: 2026-13"),
           with("slot: 3", "slot: 03"),
           with("slot: 3", "slot: -3"),
           with("slot: 3", "slut: 3"),
           with("slot: 3", "slot: 99999999999"),
           with("core: yes", "core: YES"),
           with("core: yes", "core yes"),
           with("stage: script", "stage: ?"),
           with("0x0123", "0x123"),
           with("6 SIGABRT", "6 SIGSEGV"),
           with("version: ser", "version: \x01"),
           with("slot: 3\n", "slot: 3\nslot: 3\n"),
           with("frame: 0x2\nnote: a note", "note: a note\nframe: 0x2"),
           with("message: 40\n\n", "message: 40\n"),
           with("config: ", "config: " + std::string(5000, 'c')),
           with("message: 40", "message: 99999999"),
       })
    EXPECT_FALSE(parse_crash_file(text)) << text.substr(0, 100);
  std::string many = good;
  for (std::size_t i = 0; i < CrashFile::kMaxLines; ++i) many.insert(many.find("note: a"), "note: more\n");
  EXPECT_EQ(parse_crash_file(many).error().code, Errc::too_many);
}

TEST(CrashDirectory, WritesInOneStepForItsOwnerOnly) {
  testing::TemporaryDirectory directory;
  const CrashDirectory files(directory.fd());
  const std::string name = CrashDirectory::name_of(1'795'449'696, 4711, 3, 7);
  EXPECT_TRUE(name.starts_with("20261123-") && name.ends_with("-4711-3.7.crash")) << name;
  ASSERT_TRUE(files.write(name, "text"));
  EXPECT_EQ(directory.read(name), "text");
  struct stat status{};
  ASSERT_EQ(::fstatat(directory.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(directory.names().size(), 1U);
  EXPECT_FALSE(files.write("../x.crash", "text"));
  EXPECT_FALSE(files.write("x.cfg", "text"));
  EXPECT_EQ(CrashDirectory(-1).write(name, "text").error().code, Errc::system);
}

TEST(CrashDirectory, FollowsNoLinkAndLeavesOthersFilesAlone) {
  testing::TemporaryDirectory directory;
  std::ofstream(directory.path() / "notes.txt") << "mine";
  std::filesystem::create_symlink("notes.txt", directory.path() / "b.crash.unfinished");
  std::filesystem::create_symlink("notes.txt", directory.path() / "b.crash");
  const CrashDirectory files(directory.fd(), 2);
  ASSERT_TRUE(files.write("b.crash", "text"));
  ASSERT_TRUE(files.write("c.crash", "text"));
  ASSERT_TRUE(files.write("d.crash", "text"));
  EXPECT_EQ(directory.read("notes.txt"), "mine");
  EXPECT_EQ(directory.names(), (std::vector<std::string>{"c.crash", "d.crash", "notes.txt"}));
}

}  // namespace
}  // namespace ser::crash
