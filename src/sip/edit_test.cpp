// SPDX-License-Identifier: Apache-2.0
#include "sip/edit.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sip/test_message.h"
#include "sip/writer.h"

namespace ser::sip {
namespace {

using testing::lf;
using testing::TestMessage;

const std::string kRequest =
    lf("INVITE sip:bob@example.com SIP/2.0\n"
       "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\n"
       "Max-Forwards: 70\n"
       "X-Odd :  folded\n\t value \n"
       "From: <sip:a@example.com>;tag=1\n"
       "To: <sip:b@example.com>\n"
       "Content-Length: 4\n"
       "\n"
       "body");

struct EditTest : ::testing::Test {
  TestMessage m{kRequest};
  EditList edits{m.arena(), *m};

  std::string out(const WriteOptions& options = {}) {
    std::string buffer(written_size(*m, &edits, options), '\0');
    const auto size = write(*m, &edits, options, buffer);
    EXPECT_TRUE(size) << (size ? "" : size.error().what);
    buffer.resize(size ? *size : 0);
    return buffer;
  }
  /// What replaced must be one occurrence of `part` in the request.
  std::string with(std::string_view part, std::string_view replacement) {
    std::string text = kRequest;
    const auto at = text.find(part);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, part.size(), replacement);
  }
  std::string_view part(std::string_view text) {
    return m->bytes().substr(m->bytes().find(text), text.size());
  }
};

TEST_F(EditTest, NothingChangesNothing) {
  EXPECT_EQ(out(), kRequest);
  EXPECT_TRUE(edits.empty());
}

TEST_F(EditTest, ReplaceInsertRemove) {
  ASSERT_TRUE(edits.replace(part("70"), "69"));
  EXPECT_EQ(out(), with("70", "69"));
  ASSERT_TRUE(edits.remove(part("X-Odd :  folded\r\n\t value \r\n")));
  ASSERT_TRUE(edits.insert_before(*m->find(HeaderId::via), "Via: new\r\n"));
  ASSERT_TRUE(edits.insert_after(*m->find(HeaderId::to), "X-After: To\r\n"));
  ASSERT_TRUE(edits.append_header("X-Last: 1\r\n"));
  ASSERT_TRUE(edits.append_field("X-Very-Last", "2"));
  EXPECT_EQ(out(), lf("INVITE sip:bob@example.com SIP/2.0\n"
                      "Via: new\n"
                      "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\n"
                      "Max-Forwards: 69\n"
                      "From: <sip:a@example.com>;tag=1\n"
                      "To: <sip:b@example.com>\n"
                      "X-After: To\n"
                      "Content-Length: 4\n"
                      "X-Last: 1\n"
                      "X-Very-Last: 2\n"
                      "\n"
                      "body"));
}

TEST_F(EditTest, OverlapsAreRefused) {
  ASSERT_TRUE(edits.remove(part("Max-Forwards: 70\r\n")));
  EXPECT_EQ(edits.replace(part("70"), "69").error().code, Errc::overlap);
  EXPECT_EQ(edits.remove(part("branch=z9hG4bK1\r\nMax")).error().code, Errc::overlap);
  EXPECT_EQ(edits.insert_at(m->find(HeaderId::max_forwards)->offset() + 3U, "x").error().code, Errc::overlap);
  EXPECT_EQ(edits.replace(part("Max-Forwards: 70\r\n"), "x").error().code, Errc::overlap);
  // The same removal again is one; beside it everything is free.
  EXPECT_TRUE(edits.remove(part("Max-Forwards: 70\r\n")));
  EXPECT_EQ(edits.count(), 1U);
  EXPECT_TRUE(edits.insert_before(*m->find(HeaderId::max_forwards), "A: 1\r\n"));
  EXPECT_TRUE(edits.insert_after(*m->find(HeaderId::max_forwards), "B: 1\r\n"));
  EXPECT_EQ(out(), with("Max-Forwards: 70\r\n", "A: 1\r\nB: 1\r\n"));
}

TEST_F(EditTest, ARemovalTakesOverWhatLiesWithinIt) {
  const std::string_view line = part("Max-Forwards: 70\r\n");
  ASSERT_TRUE(edits.insert_before(*m->find(HeaderId::max_forwards), "A: 1\r\n"));
  ASSERT_TRUE(edits.replace(line.substr(0, 3), "MAX"));
  ASSERT_TRUE(edits.remove(line.substr(3, 1)));
  ASSERT_TRUE(edits.insert_at(m->find(HeaderId::max_forwards)->offset() + 5U, "!"));
  ASSERT_TRUE(edits.replace(part("70"), "6", 2));
  ASSERT_TRUE(edits.replace(part("70"), "69", 1));
  ASSERT_TRUE(edits.replace(part("a@example.com"), "z"));
  ASSERT_TRUE(edits.remove(line));
  EXPECT_EQ(edits.count(), 3U);
  EXPECT_EQ(edits.text_bytes(), 7U);
  ASSERT_TRUE(edits.insert_after(*m->find(HeaderId::max_forwards), "B: 1\r\n"));
  ASSERT_TRUE(edits.remove(line.substr(3, 5))) << "a part of what is gone";
  EXPECT_EQ(edits.count(), 4U);
  std::string text = with("Max-Forwards: 70\r\n", "A: 1\r\nB: 1\r\n");
  text.replace(text.find("a@example.com"), 13, "z");
  EXPECT_EQ(out(), text);
  EXPECT_EQ(out({.branch = 1}), text);
}

TEST_F(EditTest, TheLastEditIsTakenOver) {
  ASSERT_TRUE(edits.remove(part("ody")));
  ASSERT_TRUE(edits.remove(m->body()));
  ASSERT_TRUE(edits.insert_at(kRequest.size(), "!"));
  EXPECT_EQ(edits.count(), 2U);
  EXPECT_EQ(out(), [&] {
    std::string all = with("\r\n\r\nbody", "\r\n\r\n!");
    return all.replace(all.find("h: 4"), 4, "h: 1");
  }());
}

TEST_F(EditTest, NothingIsTakenOverWhereSomethingWouldBeLost) {
  const std::string_view line = part("Max-Forwards: 70\r\n");
  ASSERT_TRUE(edits.replace(part("70"), "69"));
  EXPECT_EQ(edits.replace(line, "Max-Forwards: 1\r\n").error().code, Errc::overlap) << "not a removal";
  EXPECT_EQ(edits.remove(line.substr(0, 15)).error().code, Errc::overlap) << "a part of the replacement";
  EXPECT_EQ(edits.remove(line, 1).error().code, Errc::overlap) << "the others' copy keeps it";
  EXPECT_EQ(out(), with("70", "69"));
  EXPECT_EQ(edits.count(), 1U);
}

TEST_F(EditTest, OrderAtOnePlaceIsThatOfInsertion) {
  const auto& via = *m->find(HeaderId::via);
  ASSERT_TRUE(edits.append_header("Z: 9\r\n"));
  for (const char* line : {"A: 1\r\n", "A: 2\r\n", "A: 3\r\n"}) ASSERT_TRUE(edits.insert_before(via, line));
  ASSERT_TRUE(edits.remove(via.line()));
  ASSERT_TRUE(edits.insert_before(via, "A: 4\r\n"));
  EXPECT_EQ(out(), [&] {
    std::string text =
        with("Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n", "A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n");
    return text.insert(text.find("\r\n\r\n") + 2, "Z: 9\r\n");
  }());
}

TEST_F(EditTest, Branches) {
  ASSERT_TRUE(edits.replace(part("70"), "1", 1));
  ASSERT_TRUE(edits.replace(part("70"), "2", 2));
  EXPECT_EQ(edits.replace(part("70"), "x", 2).error().code, Errc::overlap);
  EXPECT_EQ(edits.replace(part("70"), "x").error().code, Errc::overlap);
  EXPECT_EQ(out(), kRequest);
  EXPECT_EQ(out({.branch = 1}), with("70", "1"));
  EXPECT_EQ(out({.branch = 2}), with("70", "2"));
  EXPECT_EQ(out({.branch = 3}), kRequest);
  // Removed for one branch, then for all: all lose it.
  ASSERT_TRUE(edits.remove(part("<sip:b@example.com>"), 1));
  ASSERT_TRUE(edits.remove(part("<sip:b@example.com>")));
  ASSERT_TRUE(edits.remove(part("<sip:b@example.com>"), 3));
  EXPECT_EQ(out(), with("<sip:b@example.com>", ""));
  EXPECT_EQ(out({.branch = 3}), with("<sip:b@example.com>", ""));
}

TEST_F(EditTest, BadArguments) {
  EXPECT_EQ(edits.insert_at(kRequest.size() + 1, "x").error().code, Errc::out_of_range);
  EXPECT_EQ(edits.replace("elsewhere", "x").error().code, Errc::out_of_range);
  EXPECT_TRUE(edits.insert_at(3, ""));
  EXPECT_TRUE(edits.empty());
  for (const std::string_view lines :
       {std::string_view("X: 1"), std::string_view("X: 1\n"), std::string_view("X: 1\r\n\r\n"),
        std::string_view("X: \r1\r\n"), std::string_view("X: \0\r\n", 6), std::string_view(": 1\r\n"),
        std::string_view("X\r\n"), std::string_view(" x: 1\r\n"), std::string_view("X: 1\r\n \r\n"),
        std::string_view("X: 1\r\nINVITE sip:x SIP/2.0\r\n")}) {
    EXPECT_EQ(edits.append_header(lines).error().code, Errc::syntax) << lines;
  }
  EXPECT_TRUE(edits.append_header("X: 1\r\n 2\r\nY : 3\r\n"));
  EXPECT_EQ(edits.append_field("X", "a\r\nEvil: b").error().code, Errc::syntax);
  EXPECT_EQ(edits.append_field("X", std::string_view("\0", 1)).error().code, Errc::syntax);
  EXPECT_EQ(edits.append_field("X:", "a").error().code, Errc::syntax);
}

TEST_F(EditTest, WriterOptions) {
  ASSERT_TRUE(edits.insert_before(*m->find(HeaderId::via), "Record-Route: <sip:p;lr>\r\n"));
  ASSERT_TRUE(edits.replace(part("70"), "5"));
  const auto offset = m->find(HeaderId::via)->offset();
  const auto hops = static_cast<std::uint32_t>(part("70").data() - m->bytes().data());
  const std::vector<Edit> extra{{offset, 0, "Via: ours\r\n"}, {hops - 14, 18, ""}};
  EXPECT_EQ(out({.request_uri = "sip:new@host:5070", .extra = extra}), [&] {
    std::string text = with("bob@example.com", "new@host:5070");
    text.erase(text.find("Max-Forwards"), 18);
    return text.insert(text.find("Via:"), "Via: ours\r\nRecord-Route: <sip:p;lr>\r\n");
  }());
  // A partial overlap of the two sources is an error, not a mangled message.
  const std::vector<Edit> clash{{hops + 1, 4, "x"}};
  std::string buffer(2000, '\0');
  EXPECT_EQ(write(*m, &edits, {.extra = clash}, buffer).error().code, Errc::overlap);
}

TEST_F(EditTest, NoSpace) {
  ASSERT_TRUE(edits.append_header("X: 1\r\n"));
  std::string buffer(kRequest.size() + 6, '\0');
  EXPECT_TRUE(write(*m, &edits, {}, buffer));
  for (std::size_t size = 0; size < buffer.size(); ++size) {
    ASSERT_EQ(write(*m, &edits, {}, std::span(buffer).first(size)).error().code, Errc::no_space) << size;
  }
}

TEST_F(EditTest, BodyEditsFixContentLength) {
  ASSERT_TRUE(edits.replace(part("ody"), "igger body"));
  EXPECT_EQ(out(), [&] {
    std::string text = with("ody", "igger body");
    return text.replace(text.find("h: 4"), 4, "h: 11");
  }());
  EditList other(m.arena(), *m);
  ASSERT_TRUE(other.insert_at(m->header_end_offset(), "123456"));
  edits = other;
  EXPECT_NE(out().find("Content-Length: 10\r\n\r\n123456body"), std::string::npos);
  EditList gone(m.arena(), *m);
  ASSERT_TRUE(gone.remove(m->body()));
  edits = gone;
  EXPECT_NE(out().find("Content-Length: 0\r\n\r\n"), std::string::npos);
  EditList branches(m.arena(), *m);
  ASSERT_TRUE(branches.insert_at(kRequest.size(), "!!", 1));
  edits = branches;
  EXPECT_EQ(out(), kRequest);
  EXPECT_NE(out({.branch = 1}).find("Content-Length: 6\r\n\r\nbody!!"), std::string::npos);
}

TEST(Writer, CutsBehindContentLengthAndAddsItToStreams) {
  const TestMessage cut(lf("INVITE sip:a@b SIP/2.0\nl: 2\n\nabINVITE sip:evil@b SIP/2.0\n\n"));
  std::string out(500, '\0');
  auto size = write(*cut, nullptr, {}, out);
  ASSERT_TRUE(size);
  EXPECT_EQ(out.substr(0, *size), lf("INVITE sip:a@b SIP/2.0\nl: 2\n\nab"));
  const TestMessage none(lf("INVITE sip:a@b SIP/2.0\nX: 1\n\nabc"));
  size = write(*none, nullptr, {.require_content_length = true}, out);
  ASSERT_TRUE(size);
  EXPECT_EQ(out.substr(0, *size), lf("INVITE sip:a@b SIP/2.0\nX: 1\nContent-Length: 3\n\nabc"));
}

TEST(Writer, LargeBinaryBodyUntouched) {
  std::string body;
  for (unsigned i = 0; i < 60000; ++i) body += static_cast<char>(i * 7 % 256);
  const std::string head =
      "MESSAGE sip:a@b SIP/2.0\r\nv: x\r\nWeIrD:\t \x80\xff q\r\nContent-Length: 60000\r\n\r\n";
  TestMessage m(head + body);
  EditList edits(m.arena(), *m);
  ASSERT_TRUE(edits.append_header("X: 1\r\n"));
  std::string out(written_size(*m, &edits, {}), '\0');
  const auto size = write(*m, &edits, {}, out);
  ASSERT_TRUE(size);
  out.resize(*size);
  EXPECT_EQ(out, head.substr(0, head.size() - 2) + "X: 1\r\n\r\n" + body);
}

TEST(EditList, ManyEditsInOrderAreCheapAndDisorderIsBounded) {
  TestMessage m("MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 40000\r\n\r\n" + std::string(40000, 'a'));
  EditList edits(m.arena(), *m);
  const auto body = m->body();
  for (std::size_t i = 0; i < body.size(); i += 4)
    ASSERT_TRUE(edits.replace(body.substr(i, 1), "bb", kAllBranches, TextLife::stable));
  EXPECT_EQ(edits.count(), 10000U);
  std::string out(written_size(*m, &edits, {}), '\0');
  const auto size = write(*m, &edits, {}, out);
  ASSERT_TRUE(size);
  EXPECT_NE(out.find("Content-Length: 50000\r\n"), std::string::npos);
  Result<void> last;
  for (std::size_t i = body.size() - 2; last && i >= 4; i -= 4)
    last = edits.replace(body.substr(i, 1), "c", kAllBranches, TextLife::stable);
  EXPECT_EQ(last.error().code, Errc::too_many);
}

}  // namespace
}  // namespace ser::sip
