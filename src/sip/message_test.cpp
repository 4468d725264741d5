// SPDX-License-Identifier: Apache-2.0
#include "sip/message.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "sip/test_arena.h"

namespace ser::sip {
namespace {

using namespace std::string_view_literals;

/// A message that must parse, with what keeps it alive.
struct Parsed {
  explicit Parsed(std::string text, std::size_t limit = std::size_t{1} << 20)
      : bytes(std::move(text)), memory(limit) {
    const auto result = Message::parse(bytes, memory.arena);
    if (result) message = *result;
  }
  const Message* operator->() const { return message; }

  std::string bytes;
  TestArena memory;
  const Message* message = nullptr;
};

constexpr std::string_view kInvite =
    "INVITE sip:bob@example.com SIP/2.0\n"
    "Max-Forwards: 70\n"
    "X-One: 1\n"
    "Via: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b;branch=z9hG4bK2\n"
    "f: <sip:alice@example.com>;tag=x\n"
    "To: <sip:bob@example.com>\n"
    "v:\n SIP/2.0/UDP c;branch=z9hG4bK3\n"
    "x-one : 2\n"
    "Call-ID: 1@a\n"
    "CSeq: 1 INVITE\n"
    "Content-Length: 4\n"
    "\n"
    "bodyextra";

TEST(Message, LazyIndex) {
  Parsed m(crlf(kInvite));
  ASSERT_NE(m.message, nullptr);
  EXPECT_TRUE(m->is_request());
  EXPECT_FALSE(m->is_response());
  EXPECT_EQ(m->method(), Method::invite);
  EXPECT_EQ(m->status(), 0);
  EXPECT_EQ(m->headers_indexed(), 0U);
  ASSERT_TRUE(m->via(0));
  EXPECT_EQ((*m->via(0))->host, "a");
  EXPECT_EQ(m->headers_indexed(), 1U);  // the lines before it are seen, not read
  EXPECT_EQ((*m->via(1))->host, "b");
  EXPECT_EQ(m->headers_indexed(), 1U);
  EXPECT_EQ((*m->via(2))->host, "c");
  EXPECT_EQ(m->headers_indexed(), 2U);
  EXPECT_NE(m->find(HeaderId::max_forwards), nullptr);
  EXPECT_EQ(m->headers_indexed(), 3U);
  EXPECT_NE(m->find("X-ONE"), nullptr);
  EXPECT_EQ(m->headers_indexed(), 4U);
  EXPECT_FALSE(m->headers_complete());
  EXPECT_EQ(m->find("X-ONE", 1)->value(), "2");
  EXPECT_EQ(m->headers_indexed(), 5U);
  EXPECT_EQ(m->find(HeaderId::route), nullptr);
  EXPECT_EQ(m->headers_indexed(), 5U);
  EXPECT_EQ(m->wire_bytes().size(), m->bytes().size() - 5);
  EXPECT_EQ(m->headers_indexed(), 5U);  // a plain Content-Length is read where it stands
  EXPECT_TRUE(m->index_all());
  EXPECT_EQ(m->headers_indexed(), 10U);
  EXPECT_TRUE(m->headers_complete());
  const auto missing = m->via(3);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::missing);
}

TEST(Message, ABodyEndsWhereContentLengthSays) {
  const struct {
    const char* line;
    std::size_t size;
  } rows[] = {
      {"Content-Length: 3", 3},   {"l: 3", 3},       {"CONTENT-LENGTH : 3", 3},       {"Content-Length:3", 3},
      {"Content-Length:  3 ", 3}, {"l:\r\n 3", 3},   {"Content-Length: 00003", 3},    {"l: 000003", 3},
      {"Content-Length: 0", 0},   {"l: 9", 5},       {"Content-Length: 99999", 5},    {"l: 4294967295", 5},
      {"Content-Length: 3x", 5},  {"l: +3", 5},      {"Content-Length: ", 5},         {"l: 3\r\n 1", 5},
      {"Content-Type: 3", 5},     {"Contact: 3", 5}, {"Content-Length: 2\r\nl: 4", 2}};
  for (const auto& row : rows) {
    Parsed m(std::string("OPTIONS sip:b SIP/2.0\r\n") + row.line + "\r\n\r\nabcde");
    ASSERT_NE(m.message, nullptr);
    EXPECT_EQ(m->wire_bytes().size(), m->header_end_offset() + row.size) << row.line;
    EXPECT_EQ(m->body().size(), row.size) << row.line;
    // The typed value says the same.
    const auto length = m->content_length();
    EXPECT_EQ(std::min<std::size_t>(length ? *length : 5, 5), row.size) << row.line;
  }
}

TEST(Message, FieldsAreViewsOfTheBytes) {
  Parsed m(crlf(kInvite));
  const HeaderField* via = m->find(HeaderId::via, 1);
  ASSERT_NE(via, nullptr);
  EXPECT_EQ(via->name(), "v");
  EXPECT_EQ(via->value(), "SIP/2.0/UDP c;branch=z9hG4bK3");
  EXPECT_EQ(via->line(), "v:\r\n SIP/2.0/UDP c;branch=z9hG4bK3\r\n");
  EXPECT_EQ(via->offset(), m->bytes().find("v:\r\n"));
  EXPECT_EQ(m->bytes().substr(via->value_offset(), 3), "SIP");
  EXPECT_EQ((*m->via(2))->field, via);
  EXPECT_EQ((*m->via(1))->field, m->find(HeaderId::via));
  EXPECT_EQ(m->find(HeaderId::via, 2), nullptr);
  EXPECT_EQ(m->find("F"), m->find(HeaderId::from));
  EXPECT_EQ(m->find("nothing"), nullptr);
  const HeaderField* odd = m->find("x-one", 1);
  EXPECT_EQ(odd->name(), "x-one");
  EXPECT_EQ(odd->line(), "x-one : 2\r\n");
}

TEST(Message, IterationKeepsOrderAndKinds) {
  Parsed m(crlf(kInvite));
  std::string names;
  for (const HeaderField* f = m->next_field(nullptr); f != nullptr; f = m->next_field(f)) {
    names += std::string(f->name()) + " ";
  }
  EXPECT_EQ(names, "Max-Forwards X-One Via f To v x-one Call-ID CSeq Content-Length ");
  std::string hosts;
  for (auto via = m->via(0); via; via = m->next_value<hdr::Via>(**via)) hosts += (*via)->host;
  EXPECT_EQ(hosts, "abc");
  EXPECT_EQ(m->next_same(*m->find(HeaderId::to)), nullptr);
}

TEST(Message, BodyAndWireBytes) {
  Parsed m(crlf(kInvite));
  EXPECT_EQ(m->body(), "body");
  EXPECT_EQ(m->bytes().substr(m->header_end_offset()), "bodyextra");
  EXPECT_EQ(m->bytes().substr(m->blank_line_offset(), 3), "\r\nb");
  EXPECT_EQ(m->wire_bytes(), m->bytes().substr(0, m->bytes().size() - 5));
  EXPECT_EQ(*m->content_length(), 4U);
  const struct {
    std::string_view header, body;
    Errc length;
  } rows[] = {{"", "abc", Errc::missing},
              {"l: 3\n", "abc", Errc::none},
              {"l: 9\n", "abc", Errc::none},
              {"l: 0\n", "", Errc::none},
              {"l: -1\n", "abc", Errc::syntax},
              {"l: 1\nl: 2\n", "a", Errc::none},
              {"l: 99999999999\n", "abc", Errc::out_of_range}};
  for (const auto& row : rows) {
    Parsed n(crlf("BYE sip:a SIP/2.0\n" + std::string(row.header) + "\n") + "abc");
    EXPECT_EQ(n->body(), row.body) << row.header;
    EXPECT_EQ(n->wire_bytes().size(), n->bytes().size() - 3 + row.body.size()) << row.header;
    const auto length = n->content_length();
    EXPECT_EQ(length ? Errc::none : length.error().code, row.length) << row.header;
  }
}

TEST(Message, VerdictsAreKept) {
  Parsed m(crlf("BYE sip:a SIP/2.0\nMax-Forwards: 70\nCSeq:  x BYE\nTo: <sip:a>\n\n"));
  const auto good = m->get<hdr::MaxForwards>();
  ASSERT_TRUE(good);
  EXPECT_EQ(*m->get<hdr::MaxForwards>(), *good);
  const auto bad = m->get<hdr::CSeq>();
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Errc::syntax);
  EXPECT_EQ(bad.error().offset, m->find(HeaderId::cseq)->value_offset());
  const std::size_t room = m->arena().room();
  const auto again = m->get<hdr::CSeq>();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().offset, bad.error().offset);
  EXPECT_EQ(again.error().what, bad.error().what);
  EXPECT_EQ(m->arena().room(), room);
  const auto absent = m->get<hdr::Event>();
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Errc::missing);
  // A field of another header is refused whether it was parsed or not.
  for (const HeaderId id : {HeaderId::to, HeaderId::max_forwards, HeaderId::cseq}) {
    const auto wrong = m->get<hdr::From>(*m->find(id));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Errc::refused);
  }
}

TEST(Message, MalformedViaStopsTheWalk) {
  Parsed m(crlf("BYE sip:a SIP/2.0\nVia: SIP/2.0/UDP a\nVia: SIP/2.0/UDP b;;\nVia: SIP/2.0/UDP c\n\n"));
  EXPECT_TRUE(m->via(0));
  for (const std::size_t n : {1U, 2U, 5U}) {
    const auto via = m->via(n);
    ASSERT_FALSE(via);
    EXPECT_EQ(via.error().code, Errc::syntax);
  }
}

TEST(Message, Routes) {
  Parsed m(
      crlf("BYE sip:a SIP/2.0\nRoute: <sip:1;lr>,<sip:2;lr>\nRecord-Route: <sip:r;lr>\nRoute: <sip:3>\n\n"));
  EXPECT_EQ((*m->route(0))->uri, "sip:1;lr");
  EXPECT_EQ((*m->route(2))->uri, "sip:3");
  EXPECT_EQ((*m->record_route(0))->uri, "sip:r;lr");
  EXPECT_FALSE(m->record_route(1));
  EXPECT_EQ((*m->nth<hdr::Route>(1))->uri, "sip:2;lr");
}

TEST(Message, LineEnds) {
  Parsed lf("\r\n\n\r\nBYE sip:a SIP/2.0\nTo: x\n y\nFrom: z\r\n\nbody");
  ASSERT_NE(lf.message, nullptr);
  EXPECT_TRUE(lf->bytes().starts_with("BYE"));
  EXPECT_TRUE(lf->index_all());
  EXPECT_EQ(lf->find(HeaderId::to)->value(), "x\n y");
  EXPECT_EQ(lf->body(), "body");
  EXPECT_EQ(lf->bytes().substr(lf->blank_line_offset()), "\nbody");

  // CR alone ends nothing: the second "name" is part of the value, and no typed parser accepts it.
  Parsed cr("BYE sip:a SIP/2.0\r\nTo: <sip:x>\rFrom: z\r\n\r\n");
  EXPECT_TRUE(cr->index_all());
  EXPECT_EQ(cr->headers_indexed(), 1U);
  EXPECT_FALSE(cr->get<hdr::To>());
  Parsed line("BYE sip:a SIP/2.0\r\n\rTo: <sip:x>\r\n\r\n");
  EXPECT_FALSE(line->index_all());
}

TEST(Message, MalformedLinesDoNotHideTheRest) {
  const struct {
    std::string_view line;
    bool good;
  } rows[] = {{"no colon\n", false},     {": x\n", false},      {" folded first\n", false},
              {"a b: c\n", false},       {"a\n b: c\n", false}, {"\xC3\xA4: c\n", false},
              {"a@b: c\n", false},       {"a:\n", true},        {"a \t: b\n", true},
              {"!%*_+`'~.-: x\n", true}, {"a:\n \n", true},     {"a: b: c\n", true}};
  for (const auto& row : rows) {
    Parsed m(crlf("BYE sip:a SIP/2.0\n" + std::string(row.line) + "Max-Forwards: 1\n\n"));
    const auto all = m->index_all();
    EXPECT_EQ(static_cast<bool>(all), row.good) << row.line;
    EXPECT_EQ(m->headers_indexed(), 2U) << row.line;
    const HeaderField* first = m->next_field(nullptr);
    EXPECT_EQ(first->malformed(), !row.good) << row.line;
    EXPECT_EQ(first->name().empty(), !row.good) << row.line;
    EXPECT_EQ(first->line(), crlf(row.line));
    EXPECT_TRUE(m->get<hdr::MaxForwards>()) << row.line;
    EXPECT_EQ(m->find(""), nullptr);
    if (all) continue;
    EXPECT_EQ(all.error().code, Errc::syntax);
    EXPECT_EQ(all.error().offset, first->offset());
  }
}

TEST(Message, BlankLineMissing) {
  for (const std::string_view tail :
       {""sv, "Trunc"sv, "Trunc: x"sv, "Trunc: x\r"sv, "\r"sv, "Trunc: x\r\n y"sv}) {
    Parsed m("BYE sip:a SIP/2.0\r\nMax-Forwards: 1\r\n" + std::string(tail));
    const auto all = m->index_all();
    ASSERT_FALSE(all) << tail;
    EXPECT_EQ(all.error().code, Errc::incomplete);
    EXPECT_EQ(all.error().offset, m->bytes().size());
    EXPECT_EQ(m->headers_indexed(), 1U);
    EXPECT_TRUE(m->get<hdr::MaxForwards>());
    EXPECT_EQ(m->header_end_offset(), m->bytes().size());
    EXPECT_EQ(m->body(), "");
    EXPECT_EQ(m->wire_bytes(), m->bytes());
  }
}

TEST(Message, ManyFields) {
  std::string text = "BYE sip:a SIP/2.0\r\n";
  for (int i = 0; i < 1030; ++i) text += i % 3 == 0 ? "Via: SIP/2.0/UDP a\r\n" : "a: b\r\n";
  text += "To: <sip:last>\r\n\r\nbody";
  Parsed m(text);
  const auto all = m->index_all();
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, Errc::too_many);
  EXPECT_EQ(m->headers_indexed(), Message::kMaxHeaders);
  EXPECT_EQ(m->find(HeaderId::to), nullptr);
  EXPECT_EQ(m->body(), "body");
  std::size_t fields = 0;
  for (const HeaderField* f = m->next_field(nullptr); f != nullptr; f = m->next_field(f)) ++fields;
  EXPECT_EQ(fields, Message::kMaxHeaders);
  EXPECT_EQ(m->find(HeaderId::via, 341)->value(), "SIP/2.0/UDP a");
  EXPECT_EQ(m->find(HeaderId::via, 342), nullptr);
}

TEST(Message, Limits) {
  TestArena memory;
  const std::string longest = "BYE sip:a SIP/2.0\r\nX: " + std::string(65535 - 26, 'x') + "\r\n\r\n";
  ASSERT_EQ(longest.size(), 65535U);
  const auto good = Message::parse(longest, memory.arena);
  ASSERT_TRUE(good);
  EXPECT_TRUE((*good)->index_all());
  EXPECT_EQ((*good)->header_end_offset(), 65535U);
  EXPECT_EQ((*good)->find("x")->value().size(), 65535U - 26);
  const auto bad = Message::parse(longest + "x", memory.arena);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Errc::too_long);
  for (const std::string_view text : {""sv, "\r\n\r\n"sv, "BYE"sv, "\0\0"sv}) {
    const auto nothing = Message::parse(text, memory.arena);
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().code, Errc::incomplete);
  }
}

TEST(Message, OutOfRoom) {
  const std::string text = crlf(kInvite);
  {
    alignas(16) char block[64];
    HeapChunks heap;
    Arena arena(block, sizeof block, heap, 0);
    const auto message = Message::parse(text, arena);
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().code, Errc::no_memory);
  }
  // Room for the message, then for the table, then for one typed value more each time: never a crash, and the
  // end of the header is found in any case.
  bool table_failed = false;
  bool value_failed = false;
  for (std::size_t size = 0; size < 3000; size += 8) {
    alignas(16) char block[3000];
    HeapChunks heap;
    Arena arena(block, size, heap, 0);
    const auto message = Message::parse(text, arena);
    if (!message) continue;
    const auto all = (*message)->index_all();
    if (!all) {
      EXPECT_EQ(all.error().code, Errc::no_memory);
      EXPECT_EQ(text.substr((*message)->header_end_offset()), "bodyextra");
      table_failed = true;
      continue;
    }
    for (int i = 0; i < 2; ++i) {
      const auto via = (*message)->via(0);
      if (via) continue;
      EXPECT_EQ(via.error().code, Errc::no_memory);
      value_failed = true;
    }
  }
  EXPECT_TRUE(table_failed);
  EXPECT_TRUE(value_failed);
}

TEST(Message, BadStartLineCanBeAnswered) {
  const struct {
    std::string_view line;
    Errc code;
    bool kept;
  } rows[] = {{"OPTIONS sip:a SIP/7.0\r\n", Errc::version, true},
              {"OPTIONS sip:a;  b SIP/2.0\r\n", Errc::syntax, true},
              {"nonsense\r\n", Errc::syntax, false},
              {"SIP/2.0 999 x\r\n", Errc::out_of_range, false}};
  for (const auto& row : rows) {
    const std::string text = std::string(row.line) + "Via: SIP/7.0/UDP a\r\n\r\n";
    TestArena memory;
    const auto strict = Message::parse(text, memory.arena);
    ASSERT_FALSE(strict);
    EXPECT_EQ(strict.error().code, row.code);
    StartLineError why;
    const auto liberal = Message::parse(text, memory.arena, &why);
    ASSERT_EQ(static_cast<bool>(liberal), row.kept) << row.line;
    if (!row.kept) continue;
    EXPECT_EQ(why.error.code, row.code);
    EXPECT_EQ((*liberal)->method(), Method::options);
    EXPECT_EQ((*(*liberal)->via(0))->host, "a");
  }
  TestArena memory;
  StartLineError why{{Errc::system, 1, "old"}};
  const std::string good = crlf(kInvite);
  EXPECT_TRUE(Message::parse(good, memory.arena, &why));
  EXPECT_EQ(why.error.code, Errc::none);
}

TEST(Message, MovesToAnotherArenaHandle) {
  Parsed m(crlf(kInvite));
  TestArena other;
  const_cast<Message*>(m.message)->set_arena(other.arena);
  EXPECT_EQ(&m->arena(), &other.arena);
  EXPECT_TRUE(m->via(2));
  EXPECT_LT(other.arena.room() + other.arena.borrowed(), 256U + 8192U);
  static_assert(std::is_trivially_destructible_v<Message> && !std::is_polymorphic_v<Message>);
}

TEST(Message, EveryTagParses) {
  Parsed m(crlf(
      "SUBSCRIBE sip:a SIP/2.0\nRefer-To: <sip:a>\nReferred-By: sip:b\nReply-To: sip:c\nPath: <sip:d>\n"
      "Service-Route: <sip:e>\nP-Asserted-Identity: sip:f, tel:+1\nP-Preferred-Identity: sip:g\n"
      "Remote-Party-ID: <sip:h>;party=calling\nDiversion: <sip:i>;reason=no-answer\nContact: *\nExpires: 1\n"
      "Min-Expires: 2\nRSeq: 3\nMax-Breadth: 4\nRAck: 1 2 INVITE\nSession-Expires: 5\nMin-SE: 6\n"
      "Retry-After: 7\nTimestamp: 8\nCall-ID: j\nContent-Type: a/b\nEvent: k\nPrivacy: id\n"
      "Reason: SIP;cause=9\n\n"));
  EXPECT_EQ((*m->get<hdr::ReferTo>())->uri, "sip:a");
  EXPECT_EQ((*m->get<hdr::ReferredBy>())->uri, "sip:b");
  EXPECT_EQ((*m->get<hdr::ReplyTo>())->uri, "sip:c");
  EXPECT_EQ((*m->get<hdr::Path>())->uri, "sip:d");
  EXPECT_EQ((*m->get<hdr::ServiceRoute>())->uri, "sip:e");
  EXPECT_EQ((*m->nth<hdr::PAssertedIdentity>(1))->uri, "tel:+1");
  EXPECT_EQ((*m->get<hdr::PPreferredIdentity>())->uri, "sip:g");
  EXPECT_EQ((*m->get<hdr::RemotePartyId>())->uri, "sip:h");
  EXPECT_EQ((*m->get<hdr::Diversion>())->uri, "sip:i");
  EXPECT_TRUE((*m->get<hdr::Contact>())->star);
  EXPECT_EQ((*m->get<hdr::Expires>())->value, 1U);
  EXPECT_EQ((*m->get<hdr::MinExpires>())->value, 2U);
  EXPECT_EQ((*m->get<hdr::RSeq>())->value, 3U);
  EXPECT_EQ((*m->get<hdr::MaxBreadth>())->value, 4U);
  EXPECT_EQ((*m->get<hdr::RAck>())->cseq, 2U);
  EXPECT_EQ((*m->get<hdr::SessionExpires>())->seconds, 5U);
  EXPECT_EQ((*m->get<hdr::MinSe>())->seconds, 6U);
  EXPECT_EQ((*m->get<hdr::RetryAfter>())->seconds, 7U);
  EXPECT_EQ((*m->get<hdr::Timestamp>())->stamp, "8");
  EXPECT_EQ((*m->get<hdr::CallId>())->text, "j");
  EXPECT_EQ((*m->get<hdr::ContentType>())->subtype, "b");
  EXPECT_EQ((*m->get<hdr::Event>())->package, "k");
  EXPECT_EQ((*m->get<hdr::Privacy>())->values, Privacy::kId);
  EXPECT_EQ((*m->get<hdr::Reason>())->cause, 9);
}

}  // namespace
}  // namespace ser::sip
