// SPDX-License-Identifier: Apache-2.0
// Fuzz target of transactions without I/O. The first byte selects what the rest is; besides not crashing,
// what must hold is checked: a broken promise aborts.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "proxy/via_token.h"
#include "sip/message.h"
#include "txn/client_machine.h"
#include "txn/loop.h"
#include "txn/response_choice.h"
#include "txn/server_machine.h"

namespace {

using namespace ser;       // NOLINT(google-build-using-namespace)
using namespace ser::txn;  // NOLINT(google-build-using-namespace)

void require(bool promise, const char* what) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

struct Room {
  HeapChunks heap;
  alignas(16) std::array<char, 2048> block{};
  Arena arena{block.data(), block.size(), heap};
};

/// A request, and the same with our Via on top of it, as if it had come back.
void fuzz_loop(std::string_view bytes) {
  constexpr HashKey kKey{1, 2};
  Room room;
  const auto parsed = sip::Message::parse(bytes, room.arena);
  if (!parsed || (*parsed)->is_response()) return;
  const sip::Message& m = **parsed;
  const std::uint32_t hash = loop_hash(m, kKey);
  require(hash != 0 && hash == loop_hash(m, kKey), "the hash is one and not 0");
  require(!is_loop(m, kKey, hash), "nobody knows our key");
  if (const auto breadth = incoming_breadth(m)) require(*breadth <= kMaxBreadth, "the limit holds");
  const auto top = m.via(0);
  if (!top) return;
  std::array<char, proxy::kMaxToken> token{};
  const std::size_t size =
      proxy::write_token(kKey, {.kind = proxy::ViaToken::Kind::stateful, .loop_hash = hash}, **top, token);
  std::string back(m.bytes());
  const std::string ours = "Via: SIP/2.0/UDP us;branch=" + std::string(token.data(), size) + "\r\n";
  back.insert(m.first_field_offset(), ours);
  Room again;
  const auto returned = sip::Message::parse(back, again.arena);
  if (!returned) return;  // Too long by now, perhaps.
  require(loop_hash(**returned, kKey) == hash, "a Via more does not change the hash");
  const auto below = (*returned)->via(1);
  if (below && (*below)->text == (*top)->text)
    require(is_loop(**returned, kKey, hash), "our Via is known again");
}

template <class Machine, class Event>
void fuzz_machine(std::string_view bytes, unsigned kinds) {
  if (bytes.empty()) return;
  Machine m{};
  m.invite = (bytes[0] & 1) != 0;
  m.reliable = (bytes[0] & 2) != 0;
  TimerValues values;
  values.wait = (bytes[0] & 4) != 0 ? kSecond : 0;
  values.trying_after = (bytes[0] & 8) != 0 ? 0 : values.trying_after;
  values.t1 = (bytes[0] & 16) != 0 ? 0 : values.t1;
  Instant now = 1;
  bool done = false;
  const auto take = [&](Event event) {
    const auto actions = step(m, event, now, values);
    require(!done || !actions.any(), "nothing after done");
    done = done || actions.done;
    require(!done || next_due(m) == 0, "no deadline after done");
    require(next_due(m) >= 0, "time does not overflow");
  };
  for (std::size_t i = 1; i + 1 < bytes.size(); i += 2) {
    now += static_cast<Instant>(static_cast<unsigned char>(bytes[i])) << (i % 5 * 8);
    Event event;
    event.kind = static_cast<typename Event::Kind>(static_cast<unsigned char>(bytes[i + 1]) % kinds);
    if constexpr (requires { event.status; }) {
      event.status = static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[i + 1]) + 100U);
    }
    take(event);
  }
  for (int steps = 0; next_due(m) != 0; ++steps) {
    require(steps < 100, "it ends");
    now = next_due(m) > now ? next_due(m) : now;
    take({});
  }
}

void fuzz_choice(std::string_view bytes) {
  if (bytes.size() < 2) return;
  std::array<BranchStatus, kMaxBranches + 2> branches{};
  std::size_t count = 0;
  const Upstream up{.invite = (bytes[0] & 1) != 0,
                    .cancelled = (bytes[0] & 2) != 0,
                    .keep_503 = (bytes[0] & 4) != 0,
                    .status = static_cast<std::uint16_t>((bytes[0] & 8) != 0 ? 404 : 0)};
  const std::size_t index = static_cast<unsigned char>(bytes[1]);
  for (std::size_t i = 2; i + 1 < bytes.size() && count < branches.size(); i += 2) {
    const auto status = static_cast<std::uint16_t>(100U + static_cast<unsigned char>(bytes[i]) * 600U / 256U);
    BranchStatus b = BranchStatus::received(status, (bytes[i + 1] & 1) != 0);
    b.local = (bytes[i + 1] & 2) != 0 && b.finished;
    b.dropped = (bytes[i + 1] & 4) != 0;
    branches[count++] = b;
  }
  const std::span<const BranchStatus> all(branches.data(), count);
  const Decision d = decide(all, index, up);
  for (const Choice& c : {d.choice, choose_final(all, up)}) {
    if (c.branch != kNoBranch) {
      require(c.branch < count && all[c.branch].finished && !all[c.branch].dropped && !all[c.branch].local,
              "a response that is there");
      require(all[c.branch].status == c.status, "its own status");
      require((c.challenges >> c.branch & 1U) == 0, "its own challenges are in it");
    }
    require(up.invite || c.status != 408, "RFC 4320 4.2");
    require(c.challenges == 0 || c.status == 401 || c.status == 407, "challenges go with 401 and 407");
    require(static_cast<std::size_t>(std::bit_width(c.challenges)) <= count, "of branches that are there");
  }
  require(d.act != Decision::Act::finish || up.status == 0, "one final");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // std::string keeps the NUL behind the bytes that a message needs, and its own allocation shows overruns.
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      fuzz_loop(bytes);
      break;
    case 1:
      fuzz_machine<ClientMachine, ClientEvent>(bytes, 8);
      break;
    case 2:
      fuzz_machine<ServerMachine, ServerEvent>(bytes, 9);
      break;
    default:
      fuzz_choice(bytes);
      break;
  }
  return 0;
}
