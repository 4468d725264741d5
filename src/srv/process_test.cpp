// SPDX-License-Identifier: Apache-2.0
#include "srv/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace ser::srv {
namespace {

class PidFiles : public ::testing::Test {
 protected:
  PidFiles() {
    char name[] = "/tmp/ser-pid-XXXXXX";
    folder = ::mkdtemp(name);
    path = folder + "/ser.pid";
  }
  ~PidFiles() override {
    ::unlink(path.c_str());
    ::rmdir(folder.c_str());
  }
  void fill(const std::string& text) const { std::ofstream(path) << text; }
  std::string content() const {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  bool exists() const { return ::access(path.c_str(), F_OK) == 0; }
  /// A pid that ran a moment ago.
  static pid_t dead_pid() {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return pid;
  }

  std::string folder;
  std::string path;
  std::string error;
};

TEST_F(PidFiles, WrittenAndRemoved) {
  PidFile file;
  ASSERT_TRUE(file.write(path, ::getpid(), error)) << error;
  EXPECT_EQ(content(), std::to_string(::getpid()) + "\n");
  file.remove();
  EXPECT_FALSE(exists());
  file.remove();
}

TEST_F(PidFiles, StaleOnesAreReplaced) {
  for (const std::string& stale :
       {std::to_string(dead_pid()) + "\n", std::string("4194999999\n"), std::string("junk"), std::string(),
        std::string("-1\n"), std::string(200, '9')}) {
    fill(stale);
    PidFile file;
    ASSERT_TRUE(file.write(path, ::getpid(), error)) << stale << ": " << error;
    EXPECT_EQ(content(), std::to_string(::getpid()) + "\n") << stale;
  }
}

TEST_F(PidFiles, ALiveOneIsRefused) {
  fill(std::to_string(::getppid()) + "\n");
  PidFile file;
  EXPECT_FALSE(file.write(path, ::getpid(), error));
  EXPECT_NE(error.find("names the running process " + std::to_string(::getppid())), std::string::npos)
      << error;
  EXPECT_EQ(error.find('\n'), std::string::npos);
  file.remove();
  EXPECT_EQ(content(), std::to_string(::getppid()) + "\n") << "not ours, not removed";
}

TEST_F(PidFiles, SomebodyElsesIsLeftAtTheEnd) {
  PidFile file;
  ASSERT_TRUE(file.write(path, ::getpid(), error));
  fill("1\n");
  file.remove();
  EXPECT_EQ(content(), "1\n");
}

TEST_F(PidFiles, SymbolicLinksAndMissingFoldersAreErrors) {
  ASSERT_EQ(::symlink("/tmp/ser-pid-nowhere", path.c_str()), 0);
  PidFile file;
  EXPECT_FALSE(file.write(path, ::getpid(), error));
  EXPECT_NE(::access("/tmp/ser-pid-nowhere", F_OK), 0);
  EXPECT_FALSE(file.write("/nonexistent/ser.pid", ::getpid(), error));
  EXPECT_EQ(error, "cannot write pid file '/nonexistent/ser.pid': No such file or directory");
  EXPECT_TRUE(file.write("", ::getpid(), error)) << "none asked for";
}

TEST_F(PidFiles, AHeldOneIsReachedWithoutItsPath) {
  PidFile file;
  ASSERT_TRUE(file.write(path, ::getpid(), error)) << error;
  file.keep_hold();
  const std::string moved = folder + "-moved";
  ASSERT_EQ(::rename(folder.c_str(), moved.c_str()), 0);
  path = moved + "/ser.pid";
  file.remove();
  EXPECT_FALSE(exists());
  folder = moved;
}

TEST_F(PidFiles, AHeldOneIsEmptiedByWhoMayNotRemoveIt) {
  // For good, so in a child: without privileges, and the folder lets nobody else in.
  const pid_t pid = ::fork();
  if (pid == 0) {
    PidFile file;
    bool good = file.write(path, ::getpid(), error);
    file.keep_hold();
    good = good && ::chmod(folder.c_str(), 0500) == 0 && (::geteuid() != 0 || ::setuid(61234) == 0);
    file.remove();
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(exists());
  EXPECT_EQ(content(), "");
  ::chmod(folder.c_str(), 0700);
  PidFile next;
  EXPECT_TRUE(next.write(path, ::getpid(), error)) << error;
}

TEST_F(PidFiles, OfManyAtOnceOneWins) {
  fill(std::to_string(dead_pid()) + "\n");
  int gate[2];
  int result[2];
  ASSERT_EQ(::pipe(gate), 0);
  ASSERT_EQ(::pipe(result), 0);
  constexpr int kStarters = 12;
  std::array<pid_t, kStarters> pids{};
  for (pid_t& pid : pids) {
    pid = ::fork();
    if (pid != 0) continue;
    ::close(gate[1]);
    char byte = 0;
    [[maybe_unused]] ssize_t n = ::read(gate[0], &byte, 1);  // end of file for all at once
    PidFile file;
    byte = file.write(path, ::getpid(), error) ? 'w' : 'r';
    n = ::write(result[1], &byte, 1);
    ::pause();
    ::_exit(0);
  }
  ::close(gate[1]);
  int winners = 0;
  for (int i = 0; i < kStarters; ++i) {
    char byte = 0;
    ASSERT_EQ(::read(result[0], &byte, 1), 1);
    winners += byte == 'w' ? 1 : 0;
  }
  EXPECT_EQ(winners, 1);
  for (const pid_t pid : pids) {
    ::kill(pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
  }
  for (const int fd : {gate[0], result[0], result[1]}) ::close(fd);
}

TEST(Identities, NamesNumbersAndErrors) {
  Identity identity;
  std::string error;
  ASSERT_TRUE(resolve_identity("root", "", identity, error)) << error;
  EXPECT_EQ(identity.uid, 0);
  EXPECT_EQ(identity.gid, 0) << "a user brings its group";
  EXPECT_EQ(identity.user_name, "root");
  Identity number;
  ASSERT_TRUE(resolve_identity("61234", "61235", number, error));
  EXPECT_EQ(number.uid, 61234);
  EXPECT_EQ(number.gid, 61235);
  Identity none;
  ASSERT_TRUE(resolve_identity("", "", none, error));
  EXPECT_EQ(none.uid, -1);
  EXPECT_EQ(none.gid, -1);
  EXPECT_TRUE(may_become(none));
  EXPECT_FALSE(resolve_identity("no-such-user-here", "", none, error));
  EXPECT_EQ(error, "user 'no-such-user-here' does not exist; create it or correct the user parameter");
  EXPECT_FALSE(resolve_identity("", "no-such-group-here", none, error));
  EXPECT_EQ(error, "group 'no-such-group-here' does not exist; create it or correct the group parameter");
}

/// What happens in a child, since it is for good.
int in_child(int (*body)()) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Identities, PrivilegesAreGoneForGood) {
  EXPECT_EQ(
      in_child([] {
        Identity identity;
        identity.uid = ::geteuid() == 0 ? 61234 : static_cast<std::int64_t>(::geteuid());
        identity.gid = ::geteuid() == 0 ? 61234 : static_cast<std::int64_t>(::getegid());
        std::string error;
        if (!drop_privileges(identity, "", error)) return 1;
        if (::getuid() != static_cast<uid_t>(identity.uid) || ::getgid() != static_cast<gid_t>(identity.gid))
          return 2;
        return ::setuid(0) == 0 ? 3 : 0;
      }),
      0);
  std::string error;
  EXPECT_FALSE(drop_privileges({}, "/nonexistent", error));
  EXPECT_EQ(error.find("cannot change root to '/nonexistent'"), 0U) << error;
}

TEST(Daemons, TheStarterLearnsHowItWent) {
  // Ready: 0. Dead before: 1.
  EXPECT_EQ(in_child([] {
              Daemonizer daemon;
              if (!daemon.detach(true)) return 7;
              daemon.report_ready();
              ::_exit(0);
            }),
            0);
  EXPECT_EQ(in_child([] {
              Daemonizer daemon;
              if (!daemon.detach(true)) return 7;
              ::_exit(5);
            }),
            1);
}

TEST(Titles, ShownInTheArgumentArea) {
  std::array<char, 64> area{};
  const std::string words = std::string("ser") + '\0' + "-f" + '\0' + "x.cfg" + '\0';
  words.copy(area.data(), words.size());
  char* argv[] = {area.data(), area.data() + 4, area.data() + 7, nullptr};
  char* no_environment[] = {nullptr};
  char** environment = no_environment;
  ProcessTitle title(3, argv, &environment);
  title.set("ser: a title that is too long for it");
  EXPECT_EQ(std::string(area.data()), "ser: a title") << "cut, with its NUL inside the area";
  EXPECT_EQ(area[13], '\0');
  title.set("s");
  EXPECT_EQ(std::string(area.data(), 13), std::string("s") + std::string(12, '\0'));
  ProcessTitle().set("no effect");
  std::free(environment);
}

TEST(Cpus, AtLeastOne) {
  EXPECT_GE(usable_cpus(), 1U);
}

}  // namespace
}  // namespace ser::srv
