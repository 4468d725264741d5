// SPDX-License-Identifier: Apache-2.0
#include "srv/batch_sink.h"

#include <cstring>

#include "srv/slot_world.h"
#include "srv/testing/live.h"

namespace ser::srv {
namespace {

using testing::address;
using testing::Peer;

class Sink : public ::testing::Test {
 protected:
  Sink() : x_socket(std::move(*net::open_udp_socket(address("127.0.0.1", 0), {}))) {
    sockets.push_back(net::SendSocket::of(x_socket));
  }
  BatchSink make() {
    return {world.slot(), world.slot().send_area, sockets, world.counters, world.server, world.log};
  }
  void put(BatchSink& sink, std::string_view bytes) const {
    const std::span<char> out = sink.reserve(bytes.size());
    ASSERT_GE(out.size(), bytes.size());
    std::memcpy(out.data(), bytes.data(), bytes.size());
    ASSERT_TRUE(sink.commit(bytes.size(), {address("127.0.0.1", peer.port), 0, {}}));
  }
  /// Everything that has come.
  std::vector<std::string> received() const {
    std::vector<std::string> all;
    for (std::string bytes = peer.receive(50); !bytes.empty(); bytes = peer.receive(50)) all.push_back(bytes);
    return all;
  }

  testing::SlotWorld world;
  Peer peer;
  std::vector<net::SendSocket> sockets;

 private:
  net::UdpSocket x_socket;
};

TEST_F(Sink, NothingLeavesBeforeTheFlush) {
  BatchSink sink = make();
  EXPECT_TRUE(sink.empty());
  put(sink, "one");
  put(sink, "two");
  EXPECT_FALSE(sink.empty());
  EXPECT_EQ(received().size(), 0U);
  sink.flush();
  EXPECT_TRUE(sink.empty());
  EXPECT_EQ(received(), (std::vector<std::string>{"one", "two"}));
  sink.flush();
  EXPECT_EQ(received().size(), 0U) << "nothing twice";
}

TEST_F(Sink, FlushesWhenSixtyFourAreQueued) {
  BatchSink sink = make();
  for (unsigned i = 0; i < shm::kTxBatch; ++i) put(sink, "n" + std::to_string(i));
  EXPECT_EQ(received().size(), 0U);
  put(sink, "n64");
  EXPECT_EQ(received().size(), 64U);
  sink.flush();
  EXPECT_EQ(received(), (std::vector<std::string>{"n64"}));
}

TEST_F(Sink, FlushesWhenTheAreaIsFull) {
  BatchSink sink = make();
  const std::string large(60000, 'x');
  put(sink, large);
  put(sink, large);
  EXPECT_EQ(received().size(), 0U);
  put(sink, large);
  EXPECT_EQ(received().size(), 2U);
  sink.flush();
  EXPECT_EQ(received().size(), 1U);
}

TEST_F(Sink, ReserveAsksForMoreThanIsWritten) {
  BatchSink sink = make();
  // Reserve may flush, commit must not: the span is written in between.
  for (unsigned i = 0; i < 200; ++i) {
    const std::string text = "message " + std::to_string(i);
    const std::span<char> out = sink.reserve(3000);
    ASSERT_EQ(out.size(), 3000U);
    std::memcpy(out.data(), text.data(), text.size());
    ASSERT_TRUE(sink.commit(text.size(), {address("127.0.0.1", peer.port), 0, {}}));
  }
  sink.flush();
  const auto all = received();
  ASSERT_EQ(all.size(), 200U);
  for (unsigned i = 0; i < 200; ++i) EXPECT_EQ(all[i], "message " + std::to_string(i));
}

TEST_F(Sink, TooLongForADatagram) {
  BatchSink sink = make();
  EXPECT_TRUE(sink.reserve(70000).empty());
  EXPECT_EQ(sink.reserve(66000).size(), 66000U) << "an upper bound may be a little above";
  const auto refused = sink.commit(65508, {address("127.0.0.1", peer.port), 0, {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::too_long);
  EXPECT_TRUE(sink.empty());
  put(sink, std::string(65507, 'y'));
  sink.flush();
  EXPECT_EQ(received().size(), 1U);
}

TEST_F(Sink, FailuresAreCountedByReasonAndTheRestGoes) {
  BatchSink sink = make();
  put(sink, "before");
  std::span<char> out = sink.reserve(3);
  std::memcpy(out.data(), "bad", 3);
  ASSERT_TRUE(sink.commit(3, {address("127.0.0.1", 9), 7, {}}));  // a socket that is not there
  put(sink, "after");
  sink.flush();
  EXPECT_EQ(received(), (std::vector<std::string>{"before", "after"}));
  EXPECT_EQ(world.counted("net", "send_invalid"), 1U);
  EXPECT_NE(world.lines.text().find("1 datagrams could not be sent"), std::string::npos)
      << world.lines.text();
}

TEST_F(Sink, ASuccessorSendsWhatWasLeft) {
  {
    BatchSink dead = make();
    for (const char* text : {"a", "b", "c"}) put(dead, text);
    world.slot().tx.sent.store(1);  // died after the first had left
    put(dead, "d");
    dead.message_finished();
    put(dead, "of a message in hand");
    [[maybe_unused]] const auto half = dead.reserve(100);  // and in the middle of a fifth
  }
  BatchSink successor = make();
  successor.adopt();
  EXPECT_FALSE(successor.empty());
  successor.flush();
  EXPECT_EQ(received(), (std::vector<std::string>{"b", "c", "d"}));
  EXPECT_TRUE(successor.empty());
  EXPECT_EQ(world.slot().tx.count.load(), 0U);
}

TEST_F(Sink, ADamagedBatchIsNotSent) {
  {
    BatchSink dead = make();
    for (const char* text : {"a", "b"}) put(dead, text);
    dead.message_finished();
  }
  world.slot().tx.entries[1].offset = shm::kSendArea - 1;
  world.slot().tx.entries[1].length = 2;
  BatchSink successor = make();
  successor.adopt();
  successor.flush();
  EXPECT_EQ(received(), (std::vector<std::string>{"a"})) << "what is sound goes out";
  world.slot().tx.count.store(shm::kTxBatch + 1);
  BatchSink next = make();
  next.adopt();
  EXPECT_TRUE(next.empty());
  EXPECT_EQ(world.slot().tx.count.load(), 0U);
}

}  // namespace
}  // namespace ser::srv
