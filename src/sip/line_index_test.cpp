// SPDX-License-Identifier: Apache-2.0
#include "sip/line_index.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sip/message.h"
#include "sip/test_arena.h"

namespace ser::sip {
namespace {

using Verdict = LineIndex::Verdict;

/// The same by looking at every byte.
Verdict slow_scan(std::string_view text, std::vector<LineEnd>& lines, std::size_t& blank,
                  std::size_t& header_end) {
  bool bare = false;
  std::size_t line = 0;
  std::size_t colon = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) bare = true;
    if (text[i] == ':' && colon == 0) colon = i;
    if (text[i] != '\n') continue;
    if (i == line || (i == line + 1 && text[line] == '\r')) {
      blank = line;
      header_end = i + 1;
      return bare ? Verdict::bare_cr : Verdict::complete;
    }
    lines.push_back({static_cast<std::uint16_t>(i + 1), static_cast<std::uint16_t>(colon)});
    line = i + 1;
    colon = 0;
  }
  return bare ? Verdict::bare_cr : Verdict::no_blank_line;
}

/// Texts of all kinds of line ends and lengths, the same on every run.
std::string make_text(unsigned seed) {
  std::string text = "a";  // offset 0 cannot be told from "no colon", and no start line begins with one
  std::uint32_t state = seed * 2654435761U + 1;
  const auto next = [&state] { return state = state * 1664525U + 1013904223U, state >> 16; };
  const unsigned lines = next() % 20;
  for (unsigned i = 0; i < lines; ++i) {
    const unsigned size = next() % 90 + 1;
    for (unsigned j = 0; j < size; ++j) text += next() % 29 == 0 ? ':' : static_cast<char>('a' + next() % 26);
    if (next() % 40 == 0) text += "\rx";
    text += next() % 5 == 0 ? "\n" : "\r\n";
  }
  if (next() % 6 != 0) text += next() % 3 == 0 ? "\n" : "\r\n";
  text += "body\r:\n\r\nmore\n\n";
  return text;
}

TEST(LineIndex, AgreesWithABytewiseScan) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const std::string text = make_text(seed);
    std::vector<LineEnd> lines;
    std::size_t blank = 0;
    std::size_t header_end = 0;
    const Verdict expected = slow_scan(text, lines, blank, header_end);
    LineIndex index;
    ASSERT_EQ(scan_lines(text, index), expected) << seed;
    if (expected != Verdict::complete) continue;
    ASSERT_EQ(index.count, lines.size());
    EXPECT_EQ(index.blank_line, blank);
    EXPECT_EQ(index.header_end, header_end);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_EQ(index.lines[i].end, lines[i].end) << seed;
      EXPECT_EQ(index.lines[i].colon, lines[i].colon) << seed;
    }
  }
}

TEST(LineIndex, EveryLengthAroundABlock) {
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string text = std::string(size, 'x') + "\r\n\r\n";
    LineIndex index;
    ASSERT_EQ(scan_lines(text, index), Verdict::complete) << size;
    EXPECT_EQ(index.header_end, size == 0 ? 2 : size + 4);
    EXPECT_EQ(scan_lines(std::string(size, 'x') + "\r", index), Verdict::bare_cr) << size;
    EXPECT_EQ(scan_lines(std::string(size, 'x') + "\r\n", index),
              size == 0 ? Verdict::complete : Verdict::no_blank_line)
        << size;
    EXPECT_EQ(scan_lines(std::string(size, 'x') + "\ry\r\n\r\n", index), Verdict::bare_cr) << size;
    EXPECT_EQ(scan_lines(std::string(size, 'x') + "\r\n\r\n\rz", index), Verdict::complete) << size;
  }
}

TEST(LineIndex, TooManyLinesAreToldAndCounted) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "a: b\r\n";
  text += "\r\n";
  LineIndex index;
  EXPECT_EQ(scan_lines(text, index), Verdict::too_many);
}

TEST(LineIndex, MessageIndexesTheSameWithAndWithoutIt) {
  const std::string text =
      "OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nSubject: one\r\n two\r\n\tthree\r\nbroken line\r\n : "
      "no name\r\nl: 3\r\nTo\t : <sip:b@x>\r\n"
      "X-Empty:\r\n\r\nabcdef";
  TestArena plain_arena;
  TestArena quick_arena;
  LineIndex lines;
  ASSERT_EQ(scan_lines(text, lines), Verdict::complete);
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
