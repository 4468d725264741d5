// SPDX-License-Identifier: Apache-2.0
#include "srv/replay.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "script/script.h"

namespace ser::srv {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

constexpr mod::ModuleSpec (*kBuiltin[])() = {script::describe_core};

class Replay : public ::testing::Test {
 protected:
  Replay() {
    std::string name = (fs::temp_directory_path() / "ser-replay-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    x_top = name;
    x_file.config = x_top / "ser.cfg";
    x_file.socket = "udp:192.0.2.1:5060";
    x_file.destination = "192.0.2.1:5060";
    x_file.source = "192.0.2.7:5070";
    x_file.message =
        "OPTIONS sip:a@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
        "192.0.2.7:5070;branch=z9hG4bK1\r\nMax-Forwards: "
        "70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: "
        "0\r\n\r\n";
    // An address that this machine does not have, a name nobody has, and a second socket.
    put("ser.cfg",
        "#!KAMAILIO\nlisten=udp:192.0.2.99:5062\nlisten=udp:no-such-name.invalid:5060\n"
        "request_route { forward(\"198.51.100.1\", 5070); }\n");
  }
  ~Replay() override { fs::remove_all(x_top); }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(x_top / name, std::ios::binary) << text;
  }
  int run(const std::string& config = {}) {
    put("a.crash", print(x_file));
    CommandLine line;
    line.task = Task::replay;
    line.replay_file = x_top / "a.crash";
    line.config_file_given = !config.empty();
    if (!config.empty()) line.config_file = config;
    CaptureStdout();
    CaptureStderr();
    const int status = replay(line, kBuiltin);
    x_out = GetCapturedStdout();
    x_err = GetCapturedStderr();
    return status;
  }

  fs::path x_top;
  crash::CrashFile x_file;
  std::string x_out, x_err;
};

TEST_F(Replay, PrintsWhatWouldBeSent) {
  EXPECT_EQ(run(), 0) << x_err;
  EXPECT_THAT(x_out,
              HasSubstr("bytes to 198.51.100.1:5070, not sent\nOPTIONS sip:a@198.51.100.1 SIP/2.0\r\n"));
  EXPECT_THAT(x_out, HasSubstr("Via: SIP/2.0/UDP 192.0.2.1:5060;")) << "the socket it came in on";
  EXPECT_THAT(x_err, HasSubstr("survived; 1 messages would have been sent"));
}

TEST_F(Replay, NamesAreNotLookedUp) {
  put("other.cfg", "#!KAMAILIO\nrequest_route { forward(\"sip.example.com\", 5070); }\n");
  EXPECT_EQ(run(x_top / "other.cfg"), 0) << x_err;
  EXPECT_THAT(x_out, HasSubstr("SIP/2.0 503 "));
}

TEST_F(Replay, WhatIsWrongIsOneLine) {
  EXPECT_EQ(run("/nonexistent.cfg"), 1);
  EXPECT_THAT(x_err, HasSubstr("/nonexistent.cfg"));
  x_file.message.clear();
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(x_err, HasSubstr("holds no message"));
  std::string error;
  EXPECT_FALSE(read_crash_file(x_top / "ser.cfg", x_file, error));
  EXPECT_THAT(error, HasSubstr("is no crash file: not a crash file of this version at byte 0"));
  EXPECT_FALSE(read_crash_file(x_top / "none", x_file, error));
  EXPECT_THAT(error, HasSubstr("No such file"));
}

}  // namespace
}  // namespace ser::srv
