// SPDX-License-Identifier: Apache-2.0
// The loop of caller and callee: one thread, both roles.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "load/check.h"
#include "load/histogram.h"
#include "load/options.h"
#include "load/record.h"
#include "load/template.h"
#include "load/udp.h"

namespace ser::bench {

/// What a run came to.
struct Outcome {
  std::string error;            ///< empty: all well
  std::uint64_t started = 0;    ///< with warm-up
  std::uint64_t completed = 0;  ///< counted transactions that got their right reply
  std::uint64_t lost = 0;
  std::uint64_t lost_requests = 0;  ///< of these, never seen by the callee (w1)
  std::uint64_t duplicates = 0;
  std::uint64_t overtaken_requests = 0;  ///< arrived after a message that was sent four or more later
  std::uint64_t overtaken_replies = 0;
  std::uint64_t refused = 0;  ///< answered with another status than 200 (only where a record is kept)
  std::uint64_t drops = 0;    ///< datagrams the kernel dropped because a socket of ours was full
  std::uint64_t late = 0;     ///< open loop: sent more than 1 ms after their time
  bool cut = false;           ///< the time limit ended the run
  double seconds = 0;         ///< of the counted part
  std::size_t request_bytes = 0;
  Histogram latency;
};

class Engine {
 public:
  explicit Engine(const Options& options);
  /// Runs to the end. Bounded by count and by time in any case.
  void run(Outcome& out);

 private:
  struct Slot {
    std::uint64_t sequence = 0;
    std::int64_t since = 0;  ///< when it was sent; open loop: when it should have been
    bool busy = false;
    bool prepared = false;  ///< the request's fixed text stands already
    bool at_callee = false;
    std::uint16_t route_size = 0;
    char request[kMaxMessage];
    char route[256];  ///< Record-Route lines the callee sent back
  };
  /// Counts messages that arrive after one sent four or more later on the same socket.
  struct Order {
    std::uint64_t newest = 0;
    bool arrived(std::uint64_t index) {
      if (index > newest) newest = index;
      return newest - index >= 4;
    }
  };
  struct Caller {
    Socket socket;
    Messages messages;
    std::unique_ptr<Checker> checker;
    SendQueue queue;
    Order order;
  };

  bool open(Outcome& out);
  void start_due(std::int64_t now, Outcome& out);
  void start_one(std::int64_t since);
  void receive_replies(Caller& caller, std::int64_t now, Outcome& out);
  void one_reply(Caller& caller, std::string_view got, std::int64_t now, Outcome& out);
  void receive_requests(std::int64_t now, Outcome& out);
  void one_request(std::string_view got, std::int64_t now, Outcome& out);
  void expire(std::int64_t now, Outcome& out);
  void release(std::uint32_t slot);
  bool stray(Outcome& out, const char* what);
  void wait(std::int64_t now) const;
  bool flush(Outcome& out);
  bool note_reply(const Id& id, std::string_view got, std::int64_t now);
  Caller& caller_of(std::uint64_t sequence) { return x_callers[sequence % x_callers.size()]; }

  Options x_options;
  std::vector<Caller> x_callers;
  Socket x_callee;
  SendQueue x_callee_queue;
  Order x_callee_order;
  ReceiveBatch x_received;
  std::vector<Slot> x_slots;
  std::vector<std::uint32_t> x_free;
  std::deque<Id> x_in_flight;   ///< in the order of sending; finished ones leave when they come to the front
  std::vector<char> x_replies;  ///< SendQueue::kRoom buffers for the callee's replies
  unsigned x_next_reply = 0;
  std::vector<Record> x_records;  ///< by sequence number; empty: none are kept
  std::uint64_t x_next = 0;       ///< next sequence number
  std::uint64_t x_end = 0;        ///< one past the last
  std::int64_t x_begin = 0;       ///< open loop: time of sequence number 0
  std::int64_t x_counted_since = 0;
  std::int64_t x_last_sent = 0;  ///< open loop
  std::int64_t x_deadline = 0;
  std::int64_t x_next_expiry = 0;
};

}  // namespace ser::bench
