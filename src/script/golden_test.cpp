// SPDX-License-Identifier: Apache-2.0
// Whole configurations against their recorded syntax trees and diagnostics. SER_UPDATE_GOLDEN=1 in the
// environment records them anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "script/parser.h"
#include "script/syntax_dump.h"

namespace ser::script {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  std::string text;
  std::size_t errors = 0;
};

Outcome read(const fs::path& path) {
  DiskSourceReader disk;
  ReadProblem problem;
  // Named without folders, so that golden files hold no paths of a machine.
  MemorySourceReader reader;
  conf::SourceMap sources;
  conf::Diagnostics diagnostics;
  const auto ast = parse_text(path.filename().string(), disk.read(path.string(), problem).value_or(""),
                              reader, {}, sources, diagnostics);
  return {dump_syntax(*ast) + "----\n" + conf::print(diagnostics, sources), diagnostics.errors()};
}

void compare(const fs::path& config, const fs::path& golden) {
  const std::string text = read(config).text;
  if (std::getenv("SER_UPDATE_GOLDEN") != nullptr) std::ofstream(golden) << text;
  DiskSourceReader disk;
  ReadProblem problem;
  EXPECT_EQ(text, disk.read(golden.string(), problem).value_or("no golden file")) << golden;
}

const fs::path kTests = fs::path(SER_SOURCE_DIR) / "tests";

TEST(Golden, kamailio_router) {
  const fs::path config = kTests / "golden/script/kamailio_router.cfg";
  EXPECT_EQ(read(config).errors, 0U);
  compare(config, kTests / "golden/script/kamailio_router.ast.txt");
}

TEST(Golden, ser_router) {
  const fs::path config = kTests / "golden/script/ser_router.cfg";
  EXPECT_EQ(read(config).errors, 0U);
  compare(config, kTests / "golden/script/ser_router.ast.txt");
}

TEST(Golden, faults) {
  const fs::path config = kTests / "golden/script/faults.cfg";
  EXPECT_GT(read(config).errors, 20U);
  compare(config, kTests / "golden/script/faults.ast.txt");
}

TEST(Golden, files_in_the_shape_of_ser_0_8) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(kTests / "configs/ser-0.8")) {
    ++count;
    const Outcome outcome = read(entry.path());
    EXPECT_EQ(outcome.errors, 0U) << entry.path() << outcome.text;
    EXPECT_TRUE(outcome.text.starts_with("dialect SER: ")) << entry.path();
    compare(entry.path(), kTests / "golden/script" / (entry.path().stem().string() + ".ast.txt"));
  }
  EXPECT_GE(count, 4U);
}

/// SER's own example files are not ours to ship; where they lie beside the checkout they are read too.
TEST(Golden, files_of_ser_0_8_beside_the_checkout) {
  const fs::path folder = fs::path(SER_SOURCE_DIR) / "../shared/configs/ser-0.8";
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const Outcome outcome = read(entry.path());
    EXPECT_EQ(outcome.errors, 0U) << entry.path() << outcome.text;
    EXPECT_TRUE(outcome.text.starts_with("dialect SER: ")) << entry.path();
  }
  EXPECT_EQ(fs::exists(folder), !none);
}

}  // namespace
}  // namespace ser::script
