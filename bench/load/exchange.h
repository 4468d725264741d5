// SPDX-License-Identifier: Apache-2.0
// Requests and their replies: w1, w6 and pace.
#pragma once
#include <memory>

#include "load/engine.h"
#include "load/record.h"

namespace ser::bench {

class Exchange : public Engine {
 public:
  explicit Exchange(const Options& options);

 protected:
  std::string add_caller(const Address& local, std::uint32_t run) override;
  void begin(std::uint32_t slot, std::size_t caller) override;
  void on_reply(std::size_t caller, std::string_view got, std::int64_t now, Outcome& out) override;
  void on_request(std::string_view got, std::int64_t now, Outcome& out) override;
  void on_timeout(std::uint32_t slot, Outcome& out) override;
  void on_end(Outcome& out) override;

 private:
  struct Slot {
    bool prepared = false;  ///< the request's fixed text stands already
    bool at_callee = false;
    std::uint16_t route_size = 0;
    char request[kMaxMessage];
    char route[256];  ///< Record-Route lines the callee sent back
  };
  struct Texts {
    Messages messages;
    std::unique_ptr<Checker> checker;
  };
  bool note_reply(const Id& id, std::string_view got, std::int64_t now);

  std::deque<Texts> x_texts;  ///< by caller; in place, as checkers point to their messages
  std::vector<Slot> x_slots;
  std::vector<Record> x_records;  ///< by sequence number; empty: none are kept
};

}  // namespace ser::bench
