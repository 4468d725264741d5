// SPDX-License-Identifier: Apache-2.0
// Collecting, ordering, printing and hinting.
#include "conf/diagnostic.h"

#include <gtest/gtest.h>

#include <array>

namespace ser::conf {
namespace {

TEST(Diagnostic, prints_line_caret_code_and_hint) {
  SourceMap sources;
  const std::uint32_t file = sources.add("a.cfg", "one\n\tt_rely();\r\nthree");
  const Diagnostic one{
      Severity::error, "E0301", {file, 2, 2, 6}, "unknown function `t_rely`", "did you mean `t_relay`?"};
  EXPECT_EQ(print(one, sources),
            "a.cfg:2:2: error: unknown function `t_rely` [E0301]\n"
            "  \tt_rely();\n"
            "  \t^~~~~~\n"
            "  hint: did you mean `t_relay`?\n");
}

TEST(Diagnostic, whole_file_and_no_file) {
  SourceMap sources;
  const std::uint32_t file = sources.add("a.cfg", "");
  EXPECT_EQ(print(Diagnostic{Severity::warning, "W1", {file, 0, 0, 0}, "m", ""}, sources),
            "a.cfg: warning: m [W1]\n");
  EXPECT_EQ(print(Diagnostic{Severity::notice, "N1", {9, 1, 1, 1}, "m", ""}, sources), "notice: m [N1]\n");
}

TEST(Diagnostic, control_bytes_utf8_and_long_lines) {
  SourceMap sources;
  const std::uint32_t file = sources.add("a", std::string("\x1b\xc3\xa4 x\n") + std::string(5000, 'y'));
  EXPECT_EQ(print(Diagnostic{Severity::error, "E1", {file, 1, 5, 1}, "m", ""}, sources),
            "a:1:5: error: m [E1]\n  ?\xc3\xa4 x\n     ^\n");
  const std::string text = print(Diagnostic{Severity::error, "E1", {file, 2, 4000, 2}, "m", ""}, sources);
  EXPECT_LT(text.size(), 400U);
  EXPECT_NE(text.find("^~"), std::string::npos);
  // A place behind the end of its line is shown at the end.
  EXPECT_NE(print(Diagnostic{Severity::error, "E1", {file, 1, 99, 5}, "m", ""}, sources).find("    ^\n"),
            std::string::npos);
}

TEST(Diagnostics, sorted_counted_and_summed_up) {
  SourceMap sources;
  const std::uint32_t file = sources.add("a", "x\ny\n");
  Diagnostics list;
  list.warning("W2", {file, 2, 1, 1}, "second");
  list.error("E1", {file, 1, 1, 1}, "first");
  list.notice("N3", {file, 2, 1, 1}, "third");
  ASSERT_EQ(list.sorted().size(), 3U);
  EXPECT_STREQ(list.sorted()[0].code, "E1");
  EXPECT_STREQ(list.sorted()[1].code, "W2");
  EXPECT_STREQ(list.sorted()[2].code, "N3");
  EXPECT_TRUE(print(list, sources).ends_with("1 error, 1 warning\n"));
  EXPECT_EQ(list.notices(), 1U);
}

TEST(Diagnostics, strict_turns_warnings_into_errors) {
  Diagnostics list;
  list.set_strict(true);
  list.warning("W1", {}, "m");
  list.notice("N1", {}, "m");
  EXPECT_EQ(list.errors(), 1U);
  EXPECT_EQ(list.warnings(), 0U);
  EXPECT_EQ(list.notices(), 1U);
  EXPECT_EQ(list.sorted()[0].severity, Severity::error);
}

TEST(Diagnostics, limit_keeps_errors) {
  Diagnostics list(2);
  list.warning("W1", {0, 1, 1, 1}, "m");
  list.error("E1", {0, 2, 1, 1}, "m");
  list.error("E2", {0, 3, 1, 1}, "m");
  list.error("E3", {0, 4, 1, 1}, "m");
  list.warning("W2", {0, 5, 1, 1}, "m");
  ASSERT_EQ(list.sorted().size(), 2U);
  EXPECT_STREQ(list.sorted()[0].code, "E1");
  EXPECT_STREQ(list.sorted()[1].code, "E2");
  EXPECT_EQ(list.errors(), 3U);
  EXPECT_EQ(list.dropped(), 3U);
}

TEST(Suggest, nearest_within_reason) {
  constexpr std::array<std::string_view, 6> names{"t_relay", "t_reply", "listen", "if", "debug", "xlog"};
  struct Row {
    std::string_view name;
    std::string_view meant;
  };
  constexpr Row kRows[] = {
      {"t_rely", "t_relay"}, {"lisetn", "listen"}, {"debgu", "debug"}, {"T_RELAY", "t_relay"},
      {"fi", "if"},          {"completely", ""},   {"", ""},           {"xlogg", "xlog"}};
  for (const Row& row : kRows) EXPECT_EQ(suggest(row.name, names), row.meant) << row.name;
  EXPECT_EQ(did_you_mean("xlgo", names), "did you mean `xlog`?");
  EXPECT_EQ(did_you_mean("zzzz", names), "");
}

TEST(SourceMap, lines) {
  SourceMap sources;
  const std::uint32_t file = sources.add("n", "a\r\n\nb");
  EXPECT_EQ(sources.line(file, 1), "a");
  EXPECT_EQ(sources.line(file, 2), "");
  EXPECT_EQ(sources.line(file, 3), "b");
  EXPECT_EQ(sources.line(file, 4), "");
  EXPECT_EQ(sources.line(file, 0), "");
  EXPECT_EQ(sources.line(file + 1, 1), "");
  EXPECT_EQ(sources.name(file), "n");
}

TEST(SourceRange, join_and_order) {
  EXPECT_EQ(join({0, 1, 3, 2}, {0, 1, 8, 4}).length, 9U);
  EXPECT_EQ(join({0, 1, 3, 2}, {0, 2, 8, 4}).length, 2U);
  EXPECT_EQ(join({0, 1, 3, 2}, {1, 1, 8, 4}).length, 2U);
  EXPECT_TRUE(precedes({0, 9, 9, 0}, {1, 1, 1, 0}));
  EXPECT_TRUE(precedes({0, 1, 9, 0}, {0, 2, 1, 0}));
  EXPECT_FALSE(precedes({0, 1, 1, 0}, {0, 1, 1, 5}));
}

}  // namespace
}  // namespace ser::conf
