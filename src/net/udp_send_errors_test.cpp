// SPDX-License-Identifier: Apache-2.0
// What the kernel may say to a send, one reason after the other, from a sendmmsg() of the test's own: one bad
// datagram neither holds up nor takes along the others of its batch.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "net/udp_batch.h"

namespace {

/// Errors the call below has made up; for EINTR and the first ECONNREFUSED it fails only so often.
unsigned calls_to_fail = ~0U;

}  // namespace

/// Stands in front of libc's. A datagram "E<number>" fails with that errno; as in the kernel, those before it
/// leave, and the error is told only when it is the first of a call.
extern "C" int sendmmsg(int fd, mmsghdr* headers, unsigned count, int flags) {
  for (unsigned i = 0; i < count; ++i) {
    const iovec& bytes = headers[i].msg_hdr.msg_iov[0];
    const std::string text(static_cast<const char*>(bytes.iov_base), bytes.iov_len);
    if (text.starts_with("E") && calls_to_fail != 0) {
      if (i != 0) return static_cast<int>(i);
      --calls_to_fail;
      errno = std::atoi(text.c_str() + 1);
      return -1;
    }
    if (::syscall(SYS_sendmmsg, fd, &headers[i], 1U, flags) != 1) return i != 0 ? static_cast<int>(i) : -1;
  }
  return static_cast<int>(count);
}

namespace ser::net {
namespace {

struct Pair {
  Pair()
      : from(*open_udp_socket({*parse_ip("127.0.0.1"), 0}, {}, true)),
        to(*open_udp_socket({*parse_ip("127.0.0.1"), 0}, {}, true)) {}
  SendStats send(const std::vector<std::string>& texts, unsigned fail = ~0U) {
    const SendSocket sockets[] = {SendSocket::of(from)};
    UdpSender sender(sockets);
    std::vector<TxDatagram> batch;
    for (const std::string& text : texts)
      batch.push_back({text.data(), static_cast<std::uint32_t>(text.size()), 0, to.local, {}});
    std::uint64_t done = 0;
    SendStats stats;
    calls_to_fail = fail;
    sender.send(batch, done, stats);
    EXPECT_EQ(done, (std::uint64_t{1} << texts.size()) - 1) << "all are settled";
    return stats;
  }
  std::string received() const {
    std::string all;
    char text[64];
    for (ssize_t n = 0; (n = ::recv(to.fd.get(), text, sizeof text, MSG_DONTWAIT)) > 0;)
      all.append(text, static_cast<std::size_t>(n));
    return all;
  }
  UdpSocket from, to;
};

TEST(SendErrors, EachIsCountedByItsReasonAndTheOthersLeaveInOrder) {
  struct Case {
    int error;
    SendFailure reason;
  };
  for (const Case& c :
       {Case{EAGAIN, SendFailure::full}, Case{ENOBUFS, SendFailure::full}, Case{ENOMEM, SendFailure::full},
        Case{EMSGSIZE, SendFailure::too_big}, Case{ENETUNREACH, SendFailure::unreachable},
        Case{EHOSTUNREACH, SendFailure::unreachable}, Case{ENETDOWN, SendFailure::unreachable},
        Case{EHOSTDOWN, SendFailure::unreachable}, Case{EADDRNOTAVAIL, SendFailure::unreachable},
        Case{ECONNREFUSED, SendFailure::refused}, Case{EPERM, SendFailure::denied},
        Case{EACCES, SendFailure::denied}, Case{EINVAL, SendFailure::invalid},
        Case{EAFNOSUPPORT, SendFailure::invalid}, Case{EDESTADDRREQ, SendFailure::invalid},
        Case{EIO, SendFailure::other}}) {
    Pair pair;
    const std::string bad = "E" + std::to_string(c.error);
    const SendStats stats = pair.send({"a", bad, "b", bad, bad, "c"});
    EXPECT_EQ(pair.received(), "abc") << bad;
    EXPECT_EQ(stats.sent, 3U) << bad;
    EXPECT_EQ(stats.failures(), 3U) << bad;
    EXPECT_EQ(stats.failed[static_cast<std::size_t>(c.reason)], 3U) << bad << " " << to_string(c.reason);
    EXPECT_EQ(stats.last_errno, c.error);
  }
}

TEST(SendErrors, TheFirstAndTheLastOfABatch) {
  Pair pair;
  const std::string bad = "E" + std::to_string(EPERM);
  EXPECT_EQ(pair.send({bad, "a", bad}).failures(), 2U);
  EXPECT_EQ(pair.received(), "a");
  EXPECT_EQ(pair.send({bad}).sent, 0U);
}

TEST(SendErrors, AnInterruptedCallIsMadeAgain) {
  Pair pair;
  const std::string text = "E" + std::to_string(EINTR);
  const SendStats stats = pair.send({"a", text, "b"}, 3);
  EXPECT_EQ(stats.failures(), 0U);
  EXPECT_EQ(pair.received(), "a" + text + "b");
}

TEST(SendErrors, TheLateEchoOfAnotherDatagramCostsThisOneNothing) {
  Pair pair;
  const std::string text = "E" + std::to_string(ECONNREFUSED);
  const SendStats stats = pair.send({"a", text, "b"}, 1);
  EXPECT_EQ(stats.failures(), 0U);
  EXPECT_EQ(pair.received(), "a" + text + "b");
}

}  // namespace
}  // namespace ser::net
