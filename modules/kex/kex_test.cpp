// SPDX-License-Identifier: Apache-2.0
#include "modules/kex/kex.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using mod::testing::TestWorker;

constexpr std::string_view kInvite = "INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\nCSeq: 1 INVITE\n\n";

TEST(Kex, Destination) {
  TestWorker worker(describe_kex);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("isdsturiset"), -1);
  EXPECT_EQ(worker.call("setdsturi", {"sip:10.0.0.10"}), 1);
  EXPECT_EQ(worker.state.dst_uri, "sip:10.0.0.10");
  EXPECT_EQ(worker.call("isdsturiset"), 1);
  EXPECT_EQ(worker.call("setdsturi", {"no uri"}), -1);
  EXPECT_EQ(worker.call("resetdsturi"), 1);
  EXPECT_EQ(worker.call("isdsturiset"), -1);
}

TEST(Kex, Myself) {
  TestWorker worker(describe_kex);
  worker.receive(kInvite);
  for (const std::string_view ours : {"sip:127.0.0.1", "sip:x@127.0.0.1:5060", "sip:[::1]", "127.0.0.1"})
    EXPECT_EQ(worker.call("is_myself", {ours}), 1) << ours;
  for (const std::string_view other : {"sip:127.0.0.1:5070", "sip:example.com", "192.0.2.1", ""})
    EXPECT_EQ(worker.call("is_myself", {other}), -1) << other;
}

TEST(Kex, ScriptFlags) {
  TestWorker worker(describe_kex);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("issflagset", {"31"}), -1);
  EXPECT_EQ(worker.call("setsflag", {"31"}), 1);
  EXPECT_EQ(worker.call("issflagset", {"31"}), 1);
  EXPECT_EQ(worker.call("resetsflag", {"31"}), 1);
  EXPECT_EQ(worker.call("issflagset", {"31"}), -1);
  EXPECT_EQ(worker.call("setsflag", {"32"}), -1);
  EXPECT_EQ(worker.call("resetsflag", {"-1"}), -1);
}

TEST(Kex, LogLevelAndAssignment) {
  TestWorker worker(describe_kex);
  worker.log.set_level(1);
  worker.receive(kInvite);
  EXPECT_EQ(worker.call("setdebug", {"3"}), 1);
  EXPECT_EQ(worker.log.level(), 3);
  EXPECT_EQ(worker.call("setdebug", {"99"}), -1);
  EXPECT_EQ(worker.call("resetdebug"), 1);
  EXPECT_EQ(worker.log.level(), 1);
  EXPECT_EQ(worker.call("pv_printf", {"out", "text"}), 1);
  EXPECT_EQ(worker.variable("out").value.text, "text");
}

}  // namespace
}  // namespace ser::modules
