// SPDX-License-Identifier: Apache-2.0
// Golden files: tests/golden/check holds configurations and what is said about them, tests/golden/program
// what they become. SER_UPDATE_GOLDEN=1 writes them anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "script/test_world.h"

namespace ser::script::test {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  const std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> inputs(const char* folder) {
  std::vector<fs::path> list;
  for (const auto& entry : fs::directory_iterator(fs::path(SER_SOURCE_DIR) / "tests/golden" / folder)) {
    if (entry.path().extension() == ".cfg") list.push_back(entry.path());
  }
  std::sort(list.begin(), list.end());
  return list;
}

void compare(const fs::path& input, const std::string& result) {
  fs::path expected = input;
  expected.replace_extension(".out");
  if (std::getenv("SER_UPDATE_GOLDEN") != nullptr) std::ofstream(expected, std::ios::binary) << result;
  EXPECT_EQ(result, read(expected)) << input.filename();
}

TEST(ProgramGolden, Diagnostics) {
  const auto list = inputs("check");
  ASSERT_FALSE(list.empty());
  for (const fs::path& input : list) {
    const World world(read(input));
    compare(input, world.report);
  }
}

TEST(ProgramGolden, Programs) {
  const auto list = inputs("program");
  ASSERT_FALSE(list.empty());
  for (const fs::path& input : list) {
    const World world(read(input));
    ASSERT_NE(world.configuration.program, nullptr) << input.filename() << '\n' << world.report;
    compare(input, world.report + dump(*world.configuration.program));
  }
}

/// Read in SER's dialect, and nothing is said but what is not built yet. Returns how many there are.
std::size_t check_configurations_of_ser(const fs::path& folder) {
  // What they use of modules that are not linked into this test is said once, where the module is loaded.
  std::size_t count = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    World world(read(entry.path()));
    ++count;
    for (const conf::Diagnostic& one : world.diagnostics.sorted()) {
      const bool known = std::string_view(one.code) == "E0501" || one.severity == conf::Severity::notice ||
                         one.message.find("is not built yet") != std::string::npos;
      EXPECT_TRUE(known) << entry.path().filename() << '\n' << conf::print(one, world.sources);
    }
    EXPECT_EQ(world.configuration.dialect, Dialect::ser);
  }
  return count;
}

TEST(ProgramGolden, ConfigurationsOfSer08) {
  EXPECT_GE(check_configurations_of_ser(fs::path(SER_SOURCE_DIR) / "tests/configs/ser-0.8"), 4U);
  // SER's own example files are not ours to ship; they are read too where they lie beside the checkout.
  const fs::path beside = fs::path(SER_SOURCE_DIR) / "../shared/configs/ser-0.8";
  EXPECT_EQ(check_configurations_of_ser(beside) != 0, fs::exists(beside));
}

}  // namespace
}  // namespace ser::script::test
