// SPDX-License-Identifier: Apache-2.0
#include "srv/state_directory.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace ser::srv {
namespace {

namespace fs = std::filesystem;

class StateDirectory : public ::testing::Test {
 protected:
  StateDirectory() {
    std::string name = (fs::temp_directory_path() / "ser-state-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    x_top = name;
  }
  ~StateDirectory() override { fs::remove_all(x_top); }
  fs::path x_top;
  std::string x_error;
};

TEST_F(StateDirectory, IsMadeWithItsParentsAndFoundAgain) {
  const std::string path = x_top / "a/b/crashes";
  for (int i = 0; i < 2; ++i) {
    const Fd fd = make_state_directory(path, {}, x_error);
    ASSERT_TRUE(fd) << x_error;
    struct stat status = {};
    ASSERT_EQ(::fstat(fd.get(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700U);
  }
}

TEST_F(StateDirectory, RootGivesItToTheWorkersUser) {
  if (::geteuid() != 0) {
    EXPECT_TRUE(make_state_directory(x_top / "mine", {}, x_error)) << "only root can give away";
    return;
  }
  const Identity nobody{.uid = 65534, .gid = 65534};
  const Fd fd = make_state_directory(x_top / "given", nobody, x_error);
  ASSERT_TRUE(fd) << x_error;
  struct stat status = {};
  ASSERT_EQ(::fstat(fd.get(), &status), 0);
  EXPECT_EQ(status.st_uid, 65534U);
  EXPECT_EQ(status.st_gid, 65534U);
  EXPECT_TRUE(make_state_directory(x_top / "given", nobody, x_error)) << x_error;
  EXPECT_FALSE(make_state_directory(x_top / "given", {.uid = 65533}, x_error));
  EXPECT_THAT(x_error, ::testing::HasSubstr("belongs to user 65534, not to 65533"));
}

TEST_F(StateDirectory, WhatCannotBeIsTold) {
  std::ofstream(x_top / "file") << "x";
  EXPECT_FALSE(make_state_directory(x_top / "file", {}, x_error));
  EXPECT_THAT(x_error, ::testing::HasSubstr("cannot open the directory"));
  EXPECT_FALSE(make_state_directory(x_top / "file/below", {}, x_error));
  EXPECT_THAT(x_error, ::testing::HasSubstr("Not a directory"));
  fs::create_directory_symlink(x_top, x_top / "link");
  EXPECT_FALSE(make_state_directory(x_top / "link", {}, x_error)) << "a link is not followed";
}

}  // namespace
}  // namespace ser::srv
