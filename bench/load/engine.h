// SPDX-License-Identifier: Apache-2.0
// The loop of caller and callee: one thread, both roles. What they say to each other is the workload's:
// Exchange (a request and its reply) and Calls.
#pragma once
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "load/check.h"
#include "load/histogram.h"
#include "load/options.h"
#include "load/template.h"
#include "load/udp.h"

namespace ser::bench {

/// What a run came to. "Transaction": what the workload repeats, a whole call included.
struct Outcome {
  std::string error;            ///< empty: all well
  std::uint64_t started = 0;    ///< with warm-up
  std::uint64_t completed = 0;  ///< counted transactions that got all they were to get
  std::uint64_t lost = 0;
  std::uint64_t lost_requests = 0;  ///< of these, never seen by the callee
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
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  /// Runs to the end. Bounded by count and by time in any case.
  void run(Outcome& out);

 protected:
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
    SendQueue queue;
    Order order;
  };
  /// One place in the window.
  struct Place {
    std::uint64_t sequence = 0;
    std::int64_t since = 0;  ///< when it was begun; open loop: when it should have been
    bool busy = false;
  };

  // What the workload does.

  /// Texts and checks of one more caller. Errors: the reason.
  virtual std::string add_caller(const Address& local, std::uint32_t run) = 0;
  /// The first request of place `slot` goes into the caller's queue.
  virtual void begin(std::uint32_t slot, std::size_t caller) = 0;
  virtual void on_reply(std::size_t caller, std::string_view got, std::int64_t now, Outcome& out) = 0;
  virtual void on_request(std::string_view got, std::int64_t now, Outcome& out) = 0;
  /// Nothing more is waited for in place `slot`; its time is over.
  virtual void on_timeout(std::uint32_t slot, Outcome& out) = 0;
  /// After the last message, with no error so far.
  virtual void on_end(Outcome& out) = 0;

  // What all of them need.

  const Options& options() const { return x_options; }
  bool has_callee() const {
    return x_options.workload != Workload::w6 && x_options.workload != Workload::pace;
  }
  std::size_t place_count() const { return x_places.size(); }
  const Place& place(std::uint32_t slot) const { return x_places[slot]; }
  bool is_current(const Id& id) const {
    return x_places[id.slot].busy && x_places[id.slot].sequence == id.sequence;
  }
  std::size_t caller_count() const { return x_callers.size(); }
  Caller& caller(std::size_t index) { return x_callers[index]; }
  Order& callee_order() { return x_callee_order; }
  std::uint64_t begun() const { return x_next; }
  std::uint64_t last() const { return x_end; }
  /// The callee sends `head`, then the template's text. False, with an error in `out`: too long.
  bool answer(std::initializer_list<std::string_view> head, const Template& tail, const Id& id, Outcome& out);
  /// A message of a transaction that is over. True: tolerated.
  bool stray(Outcome& out, const char* what);
  /// Counts it, unless it belongs to the warm-up.
  void complete(std::uint32_t slot, std::int64_t latency, Outcome& out);
  void release(std::uint32_t slot);

 private:
  bool open(Outcome& out);
  void start_due(std::int64_t now, Outcome& out);
  void start_one(std::int64_t since);
  void receive_replies(std::size_t index, std::int64_t now, Outcome& out);
  void receive_requests(std::int64_t now, Outcome& out);
  void expire(std::int64_t now, Outcome& out);
  void wait(std::int64_t now) const;
  bool flush(Outcome& out);

  Options x_options;
  std::vector<Caller> x_callers;
  Socket x_callee;
  SendQueue x_callee_queue;
  Order x_callee_order;
  ReceiveBatch x_received;
  std::vector<Place> x_places;
  std::vector<std::uint32_t> x_free;
  std::deque<Id> x_in_flight;   ///< in the order of sending; finished ones leave when they come to the front
  std::vector<char> x_replies;  ///< SendQueue::kRoom buffers for the callee's replies
  unsigned x_next_reply = 0;
  std::uint64_t x_next = 0;  ///< next sequence number
  std::uint64_t x_end = 0;   ///< one past the last
  std::int64_t x_begin = 0;  ///< open loop: time of sequence number 0
  std::int64_t x_counted_since = 0;
  std::int64_t x_last_sent = 0;  ///< open loop
  std::int64_t x_deadline = 0;
  std::int64_t x_next_expiry = 0;
};

/// Nanoseconds of CLOCK_MONOTONIC.
std::int64_t now_ns();

}  // namespace ser::bench
