// SPDX-License-Identifier: Apache-2.0
// Calls: INVITE 100 180 200 ACK BYE 200 (w2), the INVITE alone (w3), or one that only rings (ring).
#pragma once
#include "load/call_texts.h"
#include "load/engine.h"

namespace ser::bench {

/// The callee sends 180 and 200 at once, the caller ACK and BYE at once. A call is complete when each of its
/// messages came, each once, in whatever order; what came too early is counted as overtaking.
class Calls : public Engine {
 public:
  explicit Calls(const Options& options);

 protected:
  std::string add_caller(const Address& local, std::uint32_t run) override;
  void begin(std::uint32_t slot, std::size_t caller) override;
  void on_reply(std::size_t caller, std::string_view got, std::int64_t now, Outcome& out) override;
  void on_request(std::string_view got, std::int64_t now, Outcome& out) override;
  void on_timeout(std::uint32_t slot, Outcome& out) override;
  void on_end(Outcome& out) override;

 private:
  static constexpr std::size_t kRouteRoom = 256;
  /// What came: bits.
  enum Came : unsigned {
    kInvite = 1,
    kTrying = 2,
    kRinging = 4,
    kAnswer = 8,
    kAck = 16,
    kBye = 32,
    kByeAnswer = 64,
  };
  struct Slot {
    unsigned came = 0;
    std::size_t caller = 0;
    std::int64_t latency = 0;    ///< from the INVITE to its last reply
    std::size_t route_size = 0;  ///< of the Route lines in ACK and BYE
    std::size_t recorded_size = 0;
    char recorded[kRouteRoom];  ///< Record-Route lines the callee sent back
    char invite[kMaxMessage], ack[kMaxMessage], bye[kMaxMessage];
  };

  bool take(const Id& id, Came what, const char* name, Outcome& out);
  void invited(const Id& id, std::string_view got, Outcome& out);
  void confirmed(const Id& id, std::string_view got, Outcome& out);
  void ended(const Id& id, std::string_view got, Outcome& out);
  void reply_to_invite(const Id& id, std::string_view got, std::int64_t now, Outcome& out);
  void send_inside(Slot& slot, const Id& id, Outcome& out);
  void finish(const Id& id, Outcome& out);  ///< if nothing more is to come

  std::deque<CallTexts> x_texts;  ///< by caller
  std::vector<Slot> x_slots;
  unsigned x_wanted = 0;            ///< all bits of a complete call
  std::uint64_t x_missing[7] = {};  ///< of lost calls, by the first message that did not come
};

}  // namespace ser::bench
