// SPDX-License-Identifier: Apache-2.0
// ser-bare: the floor. Moves datagrams as a proxy or a local responder would and looks at none of their
// bytes.
#include <getopt.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "load/address.h"

namespace ser::bench {
namespace {

constexpr std::size_t kRoom = 4096;

struct Plan {
  Address listen;
  Address client;  ///< requests come from here and replies go there
  Address target;  ///< requests go there; none: echo
  unsigned batch = 16;
  unsigned workers = 1;
  bool single = false;
};

bool from_target(const Plan& plan, const sockaddr_storage& from) {
  // Both kinds of address have their port at the same place.
  sockaddr_in a{};
  sockaddr_in b{};
  std::memcpy(&a, &from, sizeof a);
  std::memcpy(&b, &plan.target.native, sizeof b);
  return a.sin_port == b.sin_port;
}

const Address& next_hop(const Plan& plan, const sockaddr_storage& from) {
  return from_target(plan, from) ? plan.client : plan.target;
}

/// recvmmsg, then sendmmsg of all that came.
[[noreturn]] void run_batched(const Plan& plan, int fd) {
  std::vector<char> memory(plan.batch * kRoom);
  std::vector<sockaddr_storage> names(plan.batch);
  std::vector<iovec> iovecs(plan.batch);
  std::vector<mmsghdr> headers(plan.batch);
  const bool echo = plan.target.length == 0;
  for (;;) {
    for (unsigned i = 0; i < plan.batch; ++i) {
      iovecs[i] = {memory.data() + i * kRoom, kRoom};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_iov = &iovecs[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_name = &names[i];
      headers[i].msg_hdr.msg_namelen = sizeof names[i];
    }
    const int count = ::recvmmsg(fd, headers.data(), plan.batch, MSG_WAITFORONE, nullptr);
    if (count <= 0) continue;
    const auto received = static_cast<unsigned>(count);
    for (unsigned i = 0; i < received; ++i) {
      iovecs[i].iov_len = headers[i].msg_len;
      if (echo) continue;
      const Address& hop = next_hop(plan, names[i]);
      std::memcpy(&names[i], &hop.native, hop.length);
      headers[i].msg_hdr.msg_namelen = hop.length;
    }
    for (unsigned sent = 0; sent < received;) {
      const int n = ::sendmmsg(fd, headers.data() + sent, received - sent, 0);
      sent += n > 0 ? static_cast<unsigned>(n) : errno == EINTR ? 0U : 1U;
    }
  }
}

/// recvfrom and sendto, one by one.
[[noreturn]] void run_single(const Plan& plan, int fd) {
  std::vector<char> buffer(kRoom);
  for (;;) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    auto* name = reinterpret_cast<sockaddr*>(&from);
    const ssize_t size = ::recvfrom(fd, buffer.data(), buffer.size(), 0, name, &length);
    if (size < 0) continue;
    const auto bytes = static_cast<std::size_t>(size);
    if (plan.target.length == 0) {
      (void)::sendto(fd, buffer.data(), bytes, 0, name, length);
    } else {
      const Address& hop = next_hop(plan, from);
      (void)::sendto(fd, buffer.data(), bytes, 0, hop.raw(), hop.length);
    }
  }
}

void serve(const Plan& plan, int fd) {
  if (plan.single) run_single(plan, fd);
  run_batched(plan, fd);
}

bool parse(int argc, char** argv, Plan& plan) {
  constexpr option kLong[] = {{"listen", required_argument, nullptr, 'l'},
                              {"client", required_argument, nullptr, 'c'},
                              {"to", required_argument, nullptr, 't'},
                              {"batch", required_argument, nullptr, 'b'},
                              {"workers", required_argument, nullptr, 'w'},
                              {"single", no_argument, nullptr, 's'},
                              {nullptr, 0, nullptr, 0}};
  for (int c = 0; (c = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
    bool good = true;
    if (c == 'l') good = plan.listen.parse(optarg);
    if (c == 'c') good = plan.client.parse(optarg);
    if (c == 't') good = plan.target.parse(optarg);
    if (c == 'b') plan.batch = static_cast<unsigned>(std::strtoul(optarg, nullptr, 10));
    if (c == 'w') plan.workers = static_cast<unsigned>(std::strtoul(optarg, nullptr, 10));
    if (c == 's') plan.single = true;
    if (!good || c == '?') return false;
  }
  const bool forwards = plan.target.length != 0;
  return optind == argc && plan.listen.length != 0 && forwards == (plan.client.length != 0) &&
         plan.batch >= 1 && plan.batch <= 256 && plan.workers >= 1 && plan.workers <= 64;
}

int bare_main(int argc, char** argv) {
  Plan plan;
  if (!parse(argc, argv, plan)) {
    std::fputs(
        "ser-bare --listen ADDR:PORT [--client ADDR:PORT --to ADDR:PORT] [--single] [--batch N] [--workers "
        "N]\n"
        "Loopback addresses only. With --to a forwarder between client and target, else an echo.\n",
        stderr);
    return 2;
  }
  const int fd = ::socket(plan.listen.native.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int bytes = 4 << 20;
  if (fd >= 0) (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (fd < 0 || ::bind(fd, plan.listen.raw(), plan.listen.length) != 0) {
    std::perror("ser-bare: cannot listen");
    return 1;
  }
  for (unsigned i = 1; i < plan.workers; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve(plan, fd);
    }
    if (child < 0) std::perror("ser-bare: fork");
  }
  serve(plan, fd);
  return 0;
}

}  // namespace
}  // namespace ser::bench

int main(int argc, char** argv) {
  return ser::bench::bare_main(argc, argv);
}
