// SPDX-License-Identifier: Apache-2.0
// Batches of datagrams: one recvmmsg in, one sendmmsg per socket out. A worker's hottest system calls.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/endpoint.h"
#include "net/udp_socket.h"
#include "shm/slot.h"

namespace ser::net {

/// What the kernel reads and writes while it fills a batch. Lies in the segment, one per receiver: who is
/// killed inside the call, or before it has taken in what the call brought, leaves here what the kernel had
/// handed over, and loses nothing. A place whose msg_len is kUntouched holds no datagram. The kernel stores
/// msg_len after everything else of a datagram, and a kill takes effect when the call ends.
struct RxArea {
  static constexpr unsigned kPlaces = shm::kRxBatch;
  static constexpr std::uint32_t kUntouched = UINT32_MAX;

  union Name {
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  struct alignas(cmsghdr) Control {
    char bytes[96];
  };
  mmsghdr headers[kPlaces];
  iovec iov[kPlaces][2];
  Name names[kPlaces];
  Control control[kPlaces];

  /// Forgets all datagrams. Once, before the first receiver.
  void clear() noexcept {
    for (mmsghdr& header : headers) header.msg_len = kUntouched;
  }
};
static_assert(shm::Storable<RxArea>);

/// Receives from one shared, blocking socket. Owns no descriptor. One per worker.
class UdpReceiver {
 public:
  static constexpr unsigned kMaxBatch = RxArea::kPlaces;

  /// `area` outlives the receiver and was cleared once; what a predecessor left there stays for left_over().
  /// `drop_cell` (may be null) is shared by all receivers of the socket, in the segment: the kernel's counter
  /// of datagrams dropped at this socket as last seen by anybody. It must outlive the receiver. `id` is what
  /// entries say of the socket.
  UdpReceiver(const UdpSocket& socket, SocketId id, std::uint32_t* drop_cell, RxArea& area) noexcept;
  UdpReceiver(const UdpReceiver&) = delete;
  UdpReceiver& operator=(const UdpReceiver&) = delete;

  /// Memory of place `index` (< kMaxBatch), set before it is used and whenever a message kept its block.
  /// Leave one byte behind `block` out of `size` for the NUL. `spill` takes what does not fit; it may be
  /// empty.
  void set_slot(unsigned index, char* block, std::size_t size, char* spill, std::size_t spill_size) noexcept {
    x_area.iov[index][0] = {block, size};
    x_area.iov[index][1] = {spill, spill_size};
  }

  /// Sleeps until there is a datagram, then takes up to out.size() (at most kMaxBatch) that are there, and
  /// writes all of their entries but `block`. 0: interrupted by a signal, or an ICMP error was reported; look
  /// at the stop flag and call again. `flags` is for tests (MSG_DONTWAIT). Once the entries are published
  /// call taken().
  Result<unsigned> receive(std::span<shm::RxEntry> out, int flags = 0) noexcept;

  /// What a predecessor had received and not taken in, as receive() gives it; 0: nothing. Values out of
  /// range, which a wild write may have left, end it. Before the first receive(), after set_slot(); then
  /// taken().
  unsigned left_over(std::span<shm::RxEntry> out) noexcept;

  /// The first `count` places are free again: their datagrams are somebody else's duty now.
  void taken(unsigned count) noexcept {
    for (unsigned i = 0; i < count; ++i) x_area.headers[i].msg_len = RxArea::kUntouched;
  }

  /// Datagrams the kernel dropped for want of room, not yet counted by any receiver of this socket; resets.
  std::uint32_t take_drops() noexcept {
    const std::uint32_t n = x_drops;
    x_drops = 0;
    return n;
  }

 private:
  void read(unsigned place, shm::RxEntry& out) noexcept;
  void read_control(msghdr& header, shm::RxEntry& out) noexcept;
  void count_drops(std::uint32_t now) noexcept;

  int x_fd;
  SocketId x_id;
  bool x_v6;
  bool x_dual;
  std::uint32_t x_drops = 0;
  std::uint32_t* x_drop_cell;
  std::uint32_t x_own_cell = 0;
  SockAddr x_local;
  RxArea& x_area;
};

/// Why a datagram did not leave.
enum class SendFailure : std::uint8_t { full, too_big, unreachable, refused, denied, invalid, other };
inline constexpr unsigned kSendFailures = 7;
/// "full" (EAGAIN, ENOBUFS, ENOMEM), "too_big", "unreachable", "refused", "denied", "invalid", "other".
/// Static storage.
std::string_view to_string(SendFailure reason) noexcept;

/// What the batches so far came to. The caller adds it to its counters and clears it.
struct SendStats {
  std::uint32_t sent = 0;
  std::array<std::uint32_t, kSendFailures> failed{};
  int last_errno = 0;  ///< of the last failure, for a log line
  std::uint32_t failures() const noexcept {
    std::uint32_t n = 0;
    for (const auto f : failed) n += f;
    return n;
  }
};

/// One datagram to send. Plain data: the array may lie in a worker's slot in the segment.
struct TxDatagram {
  const char* data = nullptr;
  std::uint32_t size = 0;
  SocketId socket = kNoSocket;
  SockAddr to;
  IpAddress from_ip;  ///< source on a wildcard listener; none: the kernel chooses
};

/// A socket as the sender needs it, indexed by SocketId.
struct SendSocket {
  int fd = -1;  ///< -1: no UDP socket; datagrams for it count as invalid
  IpAddress::Family family = IpAddress::Family::none;
  bool wildcard = false;
  bool dual_stack = false;
  static SendSocket of(const UdpSocket& socket) noexcept {
    return {socket.fd.get(), socket.local.ip.family, socket.wildcard, socket.dual_stack};
  }
};

/// Sends on any socket of the server. Never blocks. One per worker.
class UdpSender {
 public:
  static constexpr unsigned kMaxBatch = 64;

  /// `sockets` outlives the sender.
  explicit UdpSender(std::span<const SendSocket> sockets) noexcept;
  UdpSender(const UdpSender&) = delete;
  UdpSender& operator=(const UdpSender&) = delete;

  /// Sends what is not yet marked in `done`: bit i is set when datagram i left or was given up, after each
  /// kernel call. So a successor that finds `done` in the slot sends the rest. Order is kept per socket. At
  /// most kMaxBatch datagrams.
  void send(std::span<const TxDatagram> batch, std::uint64_t& done, SendStats& stats) noexcept;

 private:
  union Name {
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  bool prepare(unsigned place, const TxDatagram& datagram, const SendSocket& socket) noexcept;
  void add_source(unsigned place, const TxDatagram& datagram, const SendSocket& socket) noexcept;
  void flush(int fd, unsigned count, std::uint64_t& done, SendStats& stats) noexcept;

  std::span<const SendSocket> x_sockets;
  std::array<mmsghdr, kMaxBatch> x_headers{};
  std::array<iovec, kMaxBatch> x_iov{};
  std::array<Name, kMaxBatch> x_names{};
  std::array<std::uint8_t, kMaxBatch> x_index{};
  struct alignas(cmsghdr) Control {
    std::array<char, 48> bytes;
  };
  std::array<Control, kMaxBatch> x_control;
};

}  // namespace ser::net
