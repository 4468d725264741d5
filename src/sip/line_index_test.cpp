// SPDX-License-Identifier: Apache-2.0
#include "sip/line_index.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "sip/message.h"
#include "sip/test_arena.h"

namespace ser::sip {
namespace {

/// The same by looking at every byte.
HeaderScan slow_scan(std::string_view text, std::vector<std::uint16_t>& ends) {
  HeaderScan scan;
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) scan.bare_cr = true;
    if (text[i] != '\n') continue;
    if (i == line || (i == line + 1 && text[line] == '\r')) {
      scan.blank_line = static_cast<std::uint16_t>(line);
      scan.header_end = static_cast<std::uint16_t>(i + 1);
      scan.complete = true;
      break;
    }
    line = i + 1;
    if (!ends.empty() && line < text.size() && (text[line] == ' ' || text[line] == '\t')) continue;
    ends.push_back(static_cast<std::uint16_t>(line));
  }
  if (!scan.complete) scan.blank_line = scan.header_end = static_cast<std::uint16_t>(text.size());
  scan.count = static_cast<std::uint32_t>(ends.size());
  return scan;
}

/// Texts of all kinds of line ends and lengths, the same on every run.
std::string make_text(unsigned seed) {
  std::string text = "a";
  std::uint32_t state = seed * 2654435761U + 1;
  const auto next = [&state] { return state = state * 1664525U + 1013904223U, state >> 16; };
  const unsigned lines = next() % 20;
  for (unsigned i = 0; i < lines; ++i) {
    const unsigned size = next() % 90 + 1;
    if (next() % 7 == 0) text += next() % 2 == 0 ? ' ' : '\t';
    for (unsigned j = 0; j < size; ++j) text += next() % 29 == 0 ? ':' : static_cast<char>('a' + next() % 26);
    if (next() % 40 == 0) text += "\rx";
    text += next() % 5 == 0 ? "\n" : "\r\n";
  }
  if (next() % 6 != 0) text += next() % 3 == 0 ? "\n" : "\r\n";
  text += "body\r:\n\r\nmore\n\n";
  return text;
}

TEST(LineIndex, AllNamesOfAHeaderHaveOneShape) {
  for (const HeaderRow& row : kHeaderTable) {
    if (row.name.empty()) continue;
    const std::uint8_t shape = name_shape(row.name);
    EXPECT_EQ(name_shape(to_lower(row.name[0]), row.name[1]), shape) << row.name;
    EXPECT_EQ(name_shape(row.name[0], static_cast<char>(row.name[1] ^ (is_alpha(row.name[1]) ? 0x20 : 0))),
              shape);
    if (row.compact == 0) continue;
    for (const char behind : {':', ' ', '\t'}) {
      EXPECT_EQ(name_shape(row.compact, behind), shape) << row.name;
      EXPECT_EQ(name_shape(static_cast<char>(row.compact - 'a' + 'A'), behind), shape) << row.name;
    }
  }
}

class LineIndexWays : public ::testing::TestWithParam<ScanWay> {
 protected:
  bool able() const { return can_scan(GetParam()); }
  static void scan(std::string_view text, LineIndex& index) {
    index.scan = scan_lines(text, {index.ends.data(), index.shapes.data(), index.ends.size()}, GetParam());
  }
};
INSTANTIATE_TEST_SUITE_P(All, LineIndexWays,
                         ::testing::Values(ScanWay::bytewise, ScanWay::sse2, ScanWay::avx2));

TEST_P(LineIndexWays, AgreesWithASlowScan) {
  for (unsigned seed = 0; able() && seed < 2000; ++seed) {
    const std::string text = make_text(seed);
    std::vector<std::uint16_t> ends;
    const HeaderScan expected = slow_scan(text, ends);
    LineIndex index;
    scan(text, index);
    std::size_t begin = 0;
    ASSERT_EQ(index.scan.count, expected.count) << seed;
    EXPECT_EQ(index.scan.complete, expected.complete) << seed;
    EXPECT_EQ(index.scan.bare_cr, expected.bare_cr) << seed;
    EXPECT_EQ(index.scan.blank_line, expected.blank_line) << seed;
    EXPECT_EQ(index.scan.header_end, expected.header_end) << seed;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      EXPECT_EQ(index.ends[i], ends[i]) << seed;
      const std::uint8_t shape = i == 0 ? std::uint8_t{0} : name_shape(text[begin], text[begin + 1]);
      EXPECT_EQ(index.shapes[i], shape) << seed;
      begin = ends[i];
    }
  }
}

TEST_P(LineIndexWays, EveryLengthAroundABlock) {
  for (std::size_t size = 1; able() && size < 300; ++size) {
    const std::string x(size, 'x');
    LineIndex index;
    scan(x + "\r\n\r\n", index);
    EXPECT_TRUE(index.scan.complete && !index.scan.bare_cr) << size;
    EXPECT_EQ(index.scan.header_end, size + 4);
    scan(x + "\r", index);
    EXPECT_TRUE(!index.scan.complete && index.scan.bare_cr) << size;
    scan(x + "\r\n", index);
    EXPECT_TRUE(!index.scan.complete && !index.scan.bare_cr) << size;
    scan(x + "\ry\r\n\r\n", index);
    EXPECT_TRUE(index.scan.complete && index.scan.bare_cr) << size;
    scan(x + "\r\n\r\n\rz", index);
    EXPECT_TRUE(index.scan.complete && !index.scan.bare_cr) << size;
  }
}

TEST(LineIndex, MoreLinesThanRoomAreCounted) {
  std::string text = "OPTIONS sip:b@x SIP/2.0\r\n";
  for (int i = 0; i < 200; ++i) text += "a: b\r\n";
  LineIndex lines;
  scan_lines(text + "\r\n", lines);
  EXPECT_EQ(lines.scan.count, 201U);
  TestArena arena;
  const std::string whole = text + "\r\n";
  const auto message = Message::parse(whole, arena.arena, nullptr, &lines);
  ASSERT_TRUE(message);
  EXPECT_TRUE((*message)->index_all());
  EXPECT_EQ((*message)->headers_indexed(), 200U);
  EXPECT_EQ((*message)->find(HeaderId::accept_contact, 199)->value(), "b");
}

TEST(LineIndex, FindsFieldsBeyondTheFirstSixteen) {
  std::string text = "OPTIONS sip:b@x SIP/2.0\r\n";
  for (int i = 0; i < 40; ++i) text += "X-Some-" + std::to_string(i) + ": " + std::to_string(i) + "\r\n";
  text += "Route: <sip:r@x>\r\nl \t: 0\r\n\r\n";
  TestArena arena;
  const auto message = Message::parse(text, arena.arena);
  ASSERT_TRUE(message);
  EXPECT_EQ((*message)->find(HeaderId::expires), nullptr);
  EXPECT_EQ((*message)->find(HeaderId::route)->value(), "<sip:r@x>");
  EXPECT_EQ((*message)->find(HeaderId::content_length)->value(), "0");
  EXPECT_EQ((*message)->find("x-some-31")->value(), "31");
  EXPECT_EQ((*message)->find("x-some-40"), nullptr);
}

TEST(LineIndex, LinesAreToldApartWithoutBeingRead) {
  const std::string text =
      "OPTIONS sip:b@x SIP/2.0\r\nSubject: s\r\nv: SIP/2.0/UDP a\r\nbroken\r\nTo \t: <sip:b@x>,\r\n more\r\n"
      "Contact: <sip:c@x>\r\ni: 1\r\n\r\n";
  TestArena arena;
  const auto message = Message::parse(text, arena.arena);
  ASSERT_TRUE(message);
  constexpr ShapeSet kSet{HeaderId::via, HeaderId::to, HeaderId::call_id};
  std::vector<std::pair<HeaderId, std::string>> found;
  Message::Line line;
  for (std::size_t from = 0; (*message)->next_line(kSet, from, line); from = line.number + 1)
    found.emplace_back(line.id, line.text);
  const std::vector<std::pair<HeaderId, std::string>> expected{
      {HeaderId::via, "v: SIP/2.0/UDP a\r\n"},
      {HeaderId::to, "To \t: <sip:b@x>,\r\n more\r\n"},
      {HeaderId::call_id, "i: 1\r\n"}};
  EXPECT_EQ(found, expected);
  EXPECT_EQ((*message)->headers_indexed(), 0U);
  EXPECT_EQ((*message)->field_at(line)->value(), "1");
  EXPECT_EQ((*message)->headers_indexed(), 1U);
}

TEST(LineIndex, FindReadsOnlyWhatItMay) {
  const std::string text =
      "INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nMax-Forwards : 70\r\nFrom: "
      "<sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n"
      "Call-ID: 1\r\nCSeq: 1 INVITE\r\nvia: SIP/2.0/UDP c;branch=z9hG4bK2\r\nv: SIP/2.0/UDP "
      "d;branch=z9hG4bK3\r\nContent-Length: 0\r\n\r\n";
  TestArena arena;
  const auto message = Message::parse(text, arena.arena);
  ASSERT_TRUE(message);
  EXPECT_EQ((*message)->headers_indexed(), 0U);
  EXPECT_EQ((*(*message)->via(0))->host, "a");
  EXPECT_EQ((*message)->headers_indexed(), 1U);
  EXPECT_EQ((*message)->find(HeaderId::max_forwards)->value(), "70");
  EXPECT_EQ((*message)->headers_indexed(), 2U);
  EXPECT_EQ((*(*message)->via(2))->host, "d");
  EXPECT_EQ((*message)->headers_indexed(), 4U);
  EXPECT_EQ((*message)->wire_bytes().size(), text.size());
  EXPECT_EQ((*message)->headers_indexed(), 4U);
  EXPECT_TRUE((*message)->index_all());
  EXPECT_EQ((*message)->headers_indexed(), 9U);
  EXPECT_EQ((*message)->find(HeaderId::via, 1)->value(), "SIP/2.0/UDP c;branch=z9hG4bK2");
}

TEST(LineIndex, MessageIndexesTheSameWithAndWithoutIt) {
  const std::string text =
      "OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nSubject: one\r\n two\r\n\tthree\r\nbroken line\r\n : "
      "no name\r\nl: 3\r\nTo\t : <sip:b@x>\r\n"
      "X-Empty:\r\n\r\nabcdef";
  TestArena plain_arena;
  TestArena quick_arena;
  LineIndex lines;
  scan_lines(text, lines);
  const auto plain = Message::parse(text, plain_arena.arena);
  const auto quick = Message::parse(text, quick_arena.arena, nullptr, &lines);
  ASSERT_TRUE(plain && quick);
  EXPECT_EQ((*quick)->header_end_offset(), text.size() - 6);
  EXPECT_EQ((*quick)->headers_indexed(), 0U);
  EXPECT_EQ((*plain)->header_end_offset(), text.size() - 6);
  const HeaderField* a = nullptr;
  const HeaderField* b = nullptr;
  do {
    a = (*plain)->next_field(a);
    b = (*quick)->next_field(b);
    ASSERT_EQ(a == nullptr, b == nullptr);
    if (a == nullptr) break;
    EXPECT_EQ(a->id(), b->id());
    EXPECT_EQ(a->name(), b->name());
    EXPECT_EQ(a->value(), b->value());
    EXPECT_EQ(a->line(), b->line());
    EXPECT_EQ(a->malformed(), b->malformed());
  } while (true);
  EXPECT_EQ((*plain)->wire_bytes(), (*quick)->wire_bytes());
  EXPECT_EQ((*quick)->body(), "abc");
  EXPECT_EQ((*plain)->blank_line_offset(), (*quick)->blank_line_offset());
  EXPECT_EQ((*plain)->index_all().error().code, (*quick)->index_all().error().code);
}

}  // namespace
}  // namespace ser::sip
