// SPDX-License-Identifier: Apache-2.0
#include "srv/overload.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ser::srv {
namespace {

constexpr unsigned kFull = shm::kRxBatch;
constexpr Instant kMillisecond = 1'000'000;

/// Feeds batches, a millisecond apart.
struct Worker {
  explicit Worker(std::uint32_t batches) : overload(batches) {}
  Overload::Verdict batch(unsigned received, shm::Pressure pressure = shm::Pressure::normal) {
    now += kMillisecond;
    last = overload.on_batch(received, pressure, now);
    if (last.backlog.began) ++began;
    if (last.backlog.ended) ++ended;
    if (last.backlog.tell) ++told;
    if (last.switched) overload.refusing() ? ++on : --on;
    return last;
  }
  /// The batch number, from 1, that is the first one refused; 0: none of them was.
  unsigned until_refused(unsigned most) {
    for (unsigned i = 1; i <= most; ++i) {
      if (batch(kFull).admission == Admission::overload) return i;
    }
    return 0;
  }
  Overload overload;
  Overload::Verdict last;
  Instant now = 5'000 * kMillisecond;
  int began = 0, ended = 0, told = 0, on = 0;
};

TEST(Overload, ManyFullBatchesInARow) {
  Worker worker(128);
  EXPECT_EQ(worker.until_refused(200), 128U);
  EXPECT_EQ(worker.began, 1);
  EXPECT_EQ(worker.on, 1);
  EXPECT_EQ(worker.batch(kFull).admission, Admission::overload) << "and so it stays";
  EXPECT_EQ(worker.began, 1);
}

TEST(Overload, ABatchThatIsNotFullBreaksTheRow) {
  Worker worker(128);
  EXPECT_EQ(worker.until_refused(127), 0U);
  EXPECT_EQ(worker.batch(kFull - 1).admission, Admission::open);
  EXPECT_EQ(worker.until_refused(127), 0U);
  EXPECT_EQ(worker.until_refused(1), 1U);
}

TEST(Overload, LetsGoWhenTheQueueRanDry) {
  Worker worker(128);
  worker.until_refused(128);
  EXPECT_EQ(worker.batch(kFull / 2 + 1).admission, Admission::overload) << "nearly full is not dry";
  EXPECT_EQ(worker.batch(kFull / 2).admission, Admission::open);
  EXPECT_EQ(worker.on, 0);
  EXPECT_EQ(worker.ended, 0) << "it may come back at once";
  EXPECT_EQ(worker.until_refused(100), 8U) << "and then less is enough";
  EXPECT_EQ(worker.began, 1) << "of one episode";
  EXPECT_EQ(worker.on, 1);
}

TEST(Overload, IsOverAfterASecondOfCalm) {
  Worker worker(128);
  worker.until_refused(128);
  for (int i = 0; i < 999; ++i) worker.batch(1);
  EXPECT_EQ(worker.ended, 0);
  worker.batch(1);
  EXPECT_EQ(worker.ended, 1);
  EXPECT_EQ(worker.until_refused(200), 128U) << "from the start again";
  EXPECT_EQ(worker.began, 2);
}

TEST(Overload, APauseEndsItWhateverComesThen) {
  Worker worker(128);
  worker.until_refused(128);
  worker.now += Episode::kCalm;
  EXPECT_EQ(worker.batch(kFull).admission, Admission::open);
  EXPECT_EQ(worker.ended, 1);
  EXPECT_EQ(worker.on, 0);
  EXPECT_EQ(worker.until_refused(200), 127U) << "the batch that ended it was full";
}

TEST(Overload, ZeroSwitchesBacklogOffAndNotMemory) {
  Worker worker(0);
  EXPECT_EQ(worker.until_refused(10'000), 0U);
  EXPECT_EQ(worker.batch(1, shm::Pressure::high).admission, Admission::memory);
}

TEST(Overload, SmallThresholdsHaveARoomToReturn) {
  Worker worker(1);
  EXPECT_EQ(worker.until_refused(5), 1U);
  worker.batch(1);
  EXPECT_EQ(worker.until_refused(5), 2U);
}

TEST(Overload, MemoryRefusesWhilePressureLasts) {
  Worker worker(128);
  const Overload::Verdict first = worker.batch(1, shm::Pressure::high);
  EXPECT_EQ(first.admission, Admission::memory);
  EXPECT_TRUE(first.memory.began && first.memory.tell);
  EXPECT_EQ(worker.batch(2, shm::Pressure::exhausted).admission, Admission::memory);
  EXPECT_FALSE(worker.last.notable());
  EXPECT_EQ(worker.batch(1).admission, Admission::open) << "at once";
  worker.now += Episode::kCalm;
  const Overload::Verdict over = worker.batch(1);
  EXPECT_TRUE(over.memory.ended && over.memory.tell);
  EXPECT_EQ(worker.began, 0);
}

TEST(Overload, MemoryIsNamedWhenBothHold) {
  Worker worker(4);
  EXPECT_EQ(worker.until_refused(4), 4U);
  EXPECT_EQ(worker.batch(kFull, shm::Pressure::high).admission, Admission::memory);
  EXPECT_EQ(worker.batch(kFull).admission, Admission::overload);
}

TEST(Overload, LinesAreFewEpisodesAreCounted) {
  Worker worker(4);
  for (int i = 0; i < 20; ++i) {
    worker.until_refused(4);
    worker.now += Episode::kCalm;
    worker.batch(1);
  }
  EXPECT_EQ(worker.began, 20);
  EXPECT_EQ(worker.ended, 20);
  EXPECT_EQ(worker.told, 4) << "two beginnings ten seconds apart, and their ends";
}

}  // namespace
}  // namespace ser::srv
