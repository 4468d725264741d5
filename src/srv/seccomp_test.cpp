// SPDX-License-Identifier: Apache-2.0
#include "srv/seccomp.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace ser::srv {
namespace {

/// Runs `body` behind the filter in a child: its exit status, or 1000 and the signal it died of.
template <class F>
int behind_filter(F&& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit none = {0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (!forbid_system_calls()) ::_exit(99);
    ::_exit(body());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

int errno_of(int result) {
  return result >= 0 ? 0 : errno;
}

TEST(Seccomp, ProgramsAreNotRun) {
  EXPECT_EQ(behind_filter([] { return ::execl("/bin/true", "true", nullptr); }), 1000 + SIGSYS);
  EXPECT_EQ(behind_filter([] { return static_cast<int>(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }),
            1000 + SIGSYS);
}

TEST(Seccomp, FilesAreNotWritten) {
  for (const int how : {O_WRONLY, O_RDWR, O_RDONLY | O_CREAT, O_RDONLY | O_TRUNC}) {
    EXPECT_EQ(behind_filter([how] { return errno_of(::open("/dev/null", how, 0600)); }), EPERM) << how;
    EXPECT_EQ(behind_filter([how] {
                return errno_of(static_cast<int>(::syscall(SYS_openat, AT_FDCWD, "/dev/null", how, 0600)));
              }),
              EPERM)
        << how;
  }
  EXPECT_EQ(behind_filter([] { return errno_of(::truncate("/dev/null", 0)); }), EPERM);
}

TEST(Seccomp, TheRestGoesOn) {
  EXPECT_EQ(behind_filter([] { return errno_of(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }), 0);
  EXPECT_EQ(behind_filter([] { return errno_of(::socket(AF_INET, SOCK_DGRAM, 0)); }), 0);
  EXPECT_EQ(behind_filter([] { return errno_of(::socket(AF_UNIX, SOCK_DGRAM, 0)); }), 0);
}

}  // namespace
}  // namespace ser::srv
