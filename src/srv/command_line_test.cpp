// SPDX-License-Identifier: Apache-2.0
#include "srv/command_line.h"

#include <gtest/gtest.h>

namespace ser::srv {
namespace {

CommandLine parse(std::vector<const char*> words) {
  return parse_command_line(words);
}

TEST(CommandLine, KamailioUnitLine) {
  const CommandLine line = parse({"-P", "/run/k.pid", "-f", "k.cfg", "-m", "64", "-M8", "-DD", "-E", "-A",
                                  "WITH_X", "-A", "P=5070", "-ludp:127.0.0.1:5080", "-n4"});
  EXPECT_TRUE(line.errors.empty());
  EXPECT_EQ(line.pid_file, "/run/k.pid");
  EXPECT_EQ(line.config_file, "k.cfg");
  EXPECT_EQ(line.shared_megabytes, 64);
  EXPECT_EQ(line.daemon_level, 2);
  EXPECT_TRUE(line.log_stderror);
  EXPECT_EQ(line.defines, (std::vector<std::string>{"WITH_X", "P=5070"}));
  EXPECT_EQ(line.listen, (std::vector<std::string>{"udp:127.0.0.1:5080"}));
  EXPECT_EQ(line.children, 4);
  ASSERT_EQ(line.notices.size(), 1U);  // -M
}

TEST(CommandLine, ModparamsAndLongOptions) {
  const CommandLine line =
      parse({"--modparam=corex:alias_subdomains:s:a:b", "--loadmodule", "tm.so", "--debug=-1", "--strict"});
  EXPECT_TRUE(line.errors.empty());
  ASSERT_EQ(line.modparams.size(), 1U);
  EXPECT_EQ(line.modparams[0].value, "a:b");
  EXPECT_EQ(line.load_modules, (std::vector<std::string>{"tm.so"}));
  EXPECT_EQ(line.debug, -1);
  EXPECT_TRUE(line.strict);
}

TEST(CommandLine, VersionIsSmallV) {
  EXPECT_EQ(parse({"-v"}).task, Task::version);
}

TEST(CommandLine, EveryErrorAtOnceWithAHint) {
  const CommandLine line = parse({"-q", "--chekc", "-n", "0", "ser.cfg", "--strict=1", "-f"});
  ASSERT_EQ(line.errors.size(), 6U);
  EXPECT_NE(line.errors[0].find("unknown option -q"), std::string::npos);
  EXPECT_NE(line.errors[1].find("did you mean --check?"), std::string::npos);
  EXPECT_NE(line.errors[2].find("out of range (1 to 1024)"), std::string::npos);
  EXPECT_NE(line.errors[3].find("did you mean '-f ser.cfg'?"), std::string::npos);
  EXPECT_NE(line.errors[4].find("takes no value"), std::string::npos);
  EXPECT_NE(line.errors[5].find("needs a value"), std::string::npos);
}

TEST(CommandLine, EveryKamailioLetterIsKnown) {
  for (const char letter : std::string_view("aAbcdDeEfgGhIKlLmMnNOPQrRStTuvVwWxXY")) {
    const std::string word = std::string("-") + letter;
    const CommandLine line = parse({word.c_str(), "1"});
    for (const std::string& error : line.errors)
      EXPECT_EQ(error.find("unknown option"), std::string::npos) << error;
    EXPECT_NE(help_text().find("-" + std::string(1, letter)), std::string::npos) << letter;
  }
}

TEST(CommandLine, ReplayTakesAFileAndOptions) {
  const CommandLine line = parse({"replay", "-f", "a.cfg", "a.crash", "--debug=3"});
  EXPECT_TRUE(line.errors.empty());
  EXPECT_EQ(line.task, Task::replay);
  EXPECT_EQ(line.replay_file, "a.crash");
  EXPECT_EQ(line.config_file, "a.cfg");
  EXPECT_EQ(parse({"replay"}).errors.size(), 1U);
  EXPECT_EQ(parse({"replay", "a", "b"}).errors.size(), 1U);
  EXPECT_EQ(parse({"-c", "replay"}).errors.size(), 1U) << "only as the first word";
}

TEST(CommandLine, CompletionsNameEveryLongOption) {
  for (const char* shell : {"bash", "zsh"})
    EXPECT_NE(completion_script(shell).find("--modparam="), std::string::npos) << shell;
  EXPECT_NE(completion_script("fish").find("-l modparam -r"), std::string::npos);
  EXPECT_EQ(completion_script("tcsh"), "");
}

}  // namespace
}  // namespace ser::srv
