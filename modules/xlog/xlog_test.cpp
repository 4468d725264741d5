// SPDX-License-Identifier: Apache-2.0
#include "modules/xlog/xlog.h"

#include "mod/test_run.h"

namespace ser::modules {
namespace {

using mod::testing::TestWorker;

constexpr std::string_view kInvite = "INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a\nCSeq: 1 INVITE\n\n";

TEST(Xlog, LevelsAndText) {
  struct Case {
    std::string_view function, level;
    LogLevel written;
  };
  for (const Case& c : {Case{"xlog", "", LogLevel::error}, Case{"xlog", "L_INFO", LogLevel::info},
                        Case{"xlog", "L_ALERT", LogLevel::alert}, Case{"xlog", "3", LogLevel::debug},
                        Case{"xlog", "nonsense", LogLevel::error}, Case{"xdbg", "", LogLevel::debug},
                        Case{"xinfo", "", LogLevel::info}, Case{"xnotice", "", LogLevel::notice},
                        Case{"xwarn", "", LogLevel::warning}, Case{"xerr", "", LogLevel::error},
                        Case{"xbug", "", LogLevel::bug}, Case{"xcrit", "", LogLevel::critical},
                        Case{"xalert", "", LogLevel::alert}}) {
    TestWorker worker(describe_xlog);
    worker.receive(kInvite);
    EXPECT_EQ(c.level.empty() ? worker.call(c.function, {"hello\n"})
                              : worker.call(c.function, {c.level, "hello\n"}),
              1);
    ASSERT_EQ(worker.lines.lines.size(), 1U) << c.function;
    EXPECT_EQ(worker.lines.lines[0].first, c.written) << c.function << c.level;
    EXPECT_EQ(worker.lines.lines[0].second, "<script>: hello");
  }
}

TEST(Xlog, LineNumberPrefixAndCut) {
  TestWorker worker(describe_xlog);
  worker.param("prefix", "-xlog: ");
  worker.param("buf_size", "80");
  worker.receive(kInvite);
  worker.state.script.line = 42;
  EXPECT_EQ(worker.call("xlogl", {"L_WARN", "here"}), 1);
  EXPECT_EQ(worker.lines.lines.back().second, "-xlog: 42: here");
  EXPECT_EQ(worker.call("xdbgl", {"there"}), 1);
  EXPECT_EQ(worker.lines.lines.back().second, "-xlog: 42: there");
  EXPECT_EQ(worker.call("xlog", {"facility", "L_WARN", std::string(200, 'x')}), 1);
  EXPECT_EQ(worker.lines.lines.back().second, "-xlog: " + std::string(80, 'x'));
  worker.log.set_level(0);
  const std::size_t before = worker.lines.lines.size();
  EXPECT_EQ(worker.call("xinfo", {"quiet"}), 1);
  EXPECT_EQ(worker.lines.lines.size(), before);
}

TEST(Xlog, MethodFilter) {
  TestWorker worker(describe_xlog);
  worker.param("methods_filter", "8");
  worker.receive(kInvite);
  worker.call("xlogm", {"L_ERR", "seen"});
  EXPECT_EQ(worker.lines.lines.size(), 1U);
  worker.receive("SIP/2.0 200 OK\nVia: SIP/2.0/UDP a\nCSeq: 1 BYE\n\n");
  worker.call("xlogm", {"L_ERR", "not seen"});
  EXPECT_EQ(worker.lines.lines.size(), 1U);
}

}  // namespace
}  // namespace ser::modules
