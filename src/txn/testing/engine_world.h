// SPDX-License-Identifier: Apache-2.0
// For tests: engines of several workers over one segment, without a script. The test is the network, the
// clock and the routes.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/test_services.h"
#include "proxy/via_token.h"
#include "shm/chunk_source.h"
#include "shm/inbox.h"
#include "shm/test_world.h"
#include "shm/timers.h"
#include "txn/engine.h"

namespace ser::txn::testing {

using proxy::testing::address;
using proxy::testing::crlf;
using proxy::testing::lines_named;
using proxy::testing::Sent;

/// Stands still until told to jump; several threads read it.
class SharedClock final : public Clock {
 public:
  Instant now() noexcept override { return x_now.load(std::memory_order_relaxed); }
  std::int64_t wall_seconds() noexcept override { return now() / kSecond; }
  void advance_ms(std::int64_t ms) noexcept { x_now.fetch_add(ms * kMillisecond, std::memory_order_relaxed); }

 private:
  std::atomic<Instant> x_now{1000 * kSecond};
};

/// Runs what the test says in place of a block.
class TestRoutes final : public proxy::RouteRunner {
 public:
  proxy::RouteEnd run_route(std::uint16_t block, proxy::Run& run) noexcept override {
    return on_route ? on_route(block, run) : proxy::RouteEnd::done;
  }
  std::function<proxy::RouteEnd(std::uint16_t, proxy::Run&)> on_route;
};

/// All that is made before the first worker. Slots 0 to 6 are for workers, 7 is the reaper's.
struct EngineWorld : shm::World {
  EngineWorld()
      : timers(*shm::Timers::create(segment)),
        events(*shm::Inbox::create(segment, 64, -1)),
        root(segment.reserve_object<Root>()),
        account(heap.account("transactions")) {}

  SharedClock clock;
  shm::Timers timers;
  shm::Inbox events;
  Root* root;
  shm::AccountId account;
  EngineConfig config;
};

class Worker final : private proxy::MessageKeeper {
 public:
  static constexpr std::uint32_t kEventType = 1;

  /// `with_script`: false for a timer worker.
  Worker(EngineWorld& world, std::uint16_t slot, bool with_script = true)
      : actor(world.worker(slot)),
        x_world(world),
        x_chunks(world.heap, actor, 0),
        shared{world.segment, world.heap, actor, world.timers, world.events, x_chunks, this, nullptr},
        services{x_base.log,
                 world.clock,
                 x_base.random,
                 x_base.sink,
                 x_base.counters,
                 x_base.names,
                 nullptr,
                 x_base.count,
                 x_base.sockets,
                 x_base.settings,
                 world.segment.header().branch_key,
                 {},
                 nullptr,
                 slot,
                 nullptr,
                 with_script ? &routes : nullptr,
                 &shared},
        counters(add_counters()),
        engine(*world.root, world.config, counters, services, world.account, kEventType) {
    x_base.listen("192.0.2.9", 5060);
  }

  /// A request is relayed to its Request-URI by a transaction, which `on_created` may change before; a
  /// response is the engine's. What left because of it.
  std::vector<Sent> receive(std::string_view text) {
    sink().sent.clear();
    auto* block = static_cast<char*>(x_world.heap.alloc(actor, shm::kRxBlock, 0, shm::Priority::reserve));
    EXPECT_NE(block, nullptr);
    EXPECT_LT(text.size(), shm::kRxBlock);
    x_block = block;
    text.copy(block, text.size());
    block[text.size()] = '\0';
    const std::size_t used = (text.size() + 8) & ~std::size_t{7};
    {
      Arena arena(block + used, shm::kRxBlock - used, x_chunks);
      handle({block, text.size()}, arena);
    }
    x_world.heap.free(actor, std::exchange(x_block, nullptr));
    return sink().sent;
  }
  /// As a timer worker: what is due now. As an event worker: what is in the inbox.
  std::vector<Sent> fire() {
    sink().sent.clear();
    x_world.timers.expire(actor, x_world.clock.now(), 1000, [this](const shm::TimerEvent& event) {
      engine.on_clock(
          {static_cast<std::uint32_t>(event.words[0]), static_cast<std::uint32_t>(event.words[1])});
    });
    return sink().sent;
  }
  std::vector<Sent> drain() {
    sink().sent.clear();
    for (shm::Event event; x_world.events.pop(event);)
      engine.on_clock(
          {static_cast<std::uint32_t>(event.words[0]), static_cast<std::uint32_t>(event.words[1])});
    return sink().sent;
  }
  std::vector<Sent> put_right() {
    sink().sent.clear();
    engine.put_right();
    return sink().sent;
  }
  /// Takes the transaction as its only branch's request names it; the test goes on as its holder.
  Access acquire(TransactionId id) { return engine.acquire(*engine.at(id), id.generation); }
  std::vector<Sent> release(TransactionId id) {
    sink().sent.clear();
    engine.release(*engine.at(id));
    return sink().sent;
  }
  std::uint64_t counted(CounterId id) const { return x_base.counters.value(id); }
  proxy::testing::RecordingSink& sink() { return x_base.sink; }

  shm::Actor actor;
  TestRoutes routes;
  std::function<void(Transaction&)> on_created;

 private:
  EngineWorld& x_world;
  proxy::testing::TestServices x_base;
  shm::SlotChunks x_chunks;
  char* x_block = nullptr;

 public:
  proxy::SharedServices shared;
  proxy::Services services;
  EngineCounters counters;
  Engine engine;

 private:
  EngineCounters add_counters() {
    CounterTable& table = x_base.table;
    const auto add = [&table](const char* name) { return table.add("tm", name, "."); };
    const EngineCounters made{add("created"),    add("finished"), add("local"),    add("retransmissions"),
                              add("sent_again"), add("replied"),  add("cancels"),  add("timeouts"),
                              add("stray"),      add("full"),     add("no_memory")};
    x_base.cells.assign(table.size(), 0);
    x_base.counters = Counters(x_base.cells);
    return made;
  }
  Result<void> keep(const proxy::Run& /*run*/, shm::Owner owner, proxy::KeptMessage& kept) noexcept override {
    kept.block = std::exchange(x_block, nullptr);
    x_world.heap.transfer(kept.block, owner);
    return {};
  }
  void handle(std::string_view bytes, Arena& arena) {
    auto parsed = sip::Message::parse(bytes, arena);
    ASSERT_TRUE(parsed) << parsed.error().what << "\n" << bytes;
    auto* state = arena.make<proxy::RunState>();
    ASSERT_NE(state, nullptr);
    state->message = *parsed;
    state->rx = {bytes, address("192.0.2.1", 5070), address("192.0.2.9", 5060), 0, Proto::udp, 0};
    proxy::Run run(*state, services);
    if (run.is_request())
      handle_request(run);
    else
      handle_response(run);
  }
  void handle_request(proxy::Run& run) {
    TransactionId id;
    if (run.message().method() == sip::Method::cancel) {
      engine.cancel(run);
    } else if (engine.match(run, id) == Engine::Found::nothing &&
               run.message().method() != sip::Method::ack) {
      if (auto made = engine.create(run)) {
        if (on_created) on_created(**made);
        static_cast<void>(engine.relay(**made, run));
      }
    }
    engine.end_of_run(run);
  }
  void handle_response(proxy::Run& run) {
    proxy::RunState& state = run.state();
    const auto top = run.message().via(0);
    const auto below = run.message().via(1);
    const auto token = proxy::read_token(services.via_key, (*top)->branch, below ? *below : nullptr);
    state.kind = proxy::RouteKind::reply;
    if (token) {
      state.via_is_ours = state.via_is_stateful = true;
      state.via_branch_index = token->branch_index;
      state.via_cell = token->cell;
      state.via_generation = token->generation;
    }
    engine.on_response(run);
  }
};

/// A request of a client at 192.0.2.1:5070 for a callee at 198.51.100.7.
inline std::string request(std::string_view method, std::string_view branch, std::string_view more = "") {
  return crlf(std::string(method) +
              " sip:bob@198.51.100.7 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK" +
              std::string(branch) + "\nMax-Forwards: 70\nFrom: <sip:alice@example.com>;tag=a1\n" +
              "To: <sip:bob@example.com>\nCall-ID: " + std::string(branch) + "@192.0.2.1\nCSeq: 1 " +
              std::string(method) + "\n" + std::string(more) + "Content-Length: 0\n\n");
}

/// The callee's answer to a request that left here.
inline std::string response(std::string_view request, std::string_view status) {
  std::string out = "SIP/2.0 " + std::string(status) + "\r\n";
  for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"}) out += lines_named(request, name);
  return out + "Content-Length: 0\r\n\r\n";
}

/// The name of the transaction in the branch of a request that left here.
inline TransactionId id_of(std::string_view sent) {
  const std::size_t at = sent.find("branch=z9hG4bK");
  const auto token =
      at == std::string_view::npos
          ? std::nullopt
          : proxy::parse_token(sent.substr(at + 7, sent.find_first_of(";\r", at + 7) - at - 7));
  if (!token) return {};
  return {token->cell, token->generation};
}

/// "INVITE", "180", "200" …: what left, in order.
inline std::vector<std::string> kinds(const std::vector<Sent>& sent) {
  std::vector<std::string> out;
  for (const Sent& each : sent) {
    const std::string& bytes = each.bytes;
    out.push_back(bytes.starts_with("SIP/2.0 ") ? bytes.substr(8, 3) : bytes.substr(0, bytes.find(' ')));
  }
  return out;
}

/// Lets time pass until no timer is armed: at most ten minutes.
inline void run_out(EngineWorld& world, Worker& timer, Worker& event) {
  for (int i = 0; i < 600 && world.timers.armed() != 0; ++i) {
    world.clock.advance_ms(1000);
    timer.fire();
    event.drain();
  }
}

}  // namespace ser::txn::testing
