// SPDX-License-Identifier: Apache-2.0
#include "sip/numeric.h"

#include <gtest/gtest.h>

#include "sip/simple.h"
#include "sip/test_arena.h"

namespace ser::sip {
namespace {

using namespace std::string_view_literals;

template <class R>
Errc code_of(const R& result) {
  return result ? Errc::none : result.error().code;
}

TEST(Numeric, Numbers) {
  const struct {
    std::string_view text;
    std::uint32_t max;
    Errc code;
    std::uint32_t value;
  } rows[] = {
      {"70", 255, Errc::none, 70},
      {"0068", 255, Errc::none, 68},
      {"\r\n 5 ", 255, Errc::none, 5},
      {"255", 255, Errc::none, 255},
      {"256", 255, Errc::out_of_range, 0},
      {"4294967295", 0xFFFFFFFFU, Errc::none, 0xFFFFFFFFU},
      {"4294967296", 0xFFFFFFFFU, Errc::out_of_range, 0},
      {"10000000000000000000000000000000000000000000", 0xFFFFFFFFU, Errc::out_of_range, 0},
      {"-999", 255, Errc::syntax, 0},
      {"+1", 255, Errc::syntax, 0},
      {"", 255, Errc::syntax, 0},
      {"1 2", 255, Errc::syntax, 0},
      {"1x", 255, Errc::syntax, 0},
      {"0x1", 255, Errc::syntax, 0},
      {"1\0"sv, 255, Errc::syntax, 0},
  };
  for (const auto& row : rows) {
    TestArena memory;
    const auto number = parse_number(row.text, memory.arena, row.max);
    EXPECT_EQ(code_of(number), row.code) << row.text;
    EXPECT_EQ(number ? (*number)->value : 0, row.value);
  }
}

TEST(Numeric, CSeq) {
  TestArena memory;
  const auto cseq = parse_cseq("0009\r\n  INVITE", memory.arena);
  ASSERT_TRUE(cseq);
  EXPECT_EQ((*cseq)->number, 9U);
  EXPECT_EQ((*cseq)->method, Method::invite);
  const auto odd = parse_cseq("139122385 !interesting-Method0123456789_*+`.%indeed'~", memory.arena);
  ASSERT_TRUE(odd);
  EXPECT_EQ((*odd)->method, Method::other);
  EXPECT_EQ((*odd)->method_name, "!interesting-Method0123456789_*+`.%indeed'~");
  const struct {
    std::string_view text;
    Errc code;
  } rows[] = {{"", Errc::syntax},        {"INVITE", Errc::syntax},
              {"1", Errc::syntax},       {"1 ", Errc::syntax},
              {"1INVITE", Errc::syntax}, {"1 INVITE x", Errc::syntax},
              {"1 INV@", Errc::syntax},  {"4294967296 INVITE", Errc::out_of_range}};
  for (const auto& row : rows) EXPECT_EQ(code_of(parse_cseq(row.text, memory.arena)), row.code) << row.text;
}

TEST(Numeric, RAck) {
  TestArena memory;
  const auto rack = parse_rack("776656 1 INVITE", memory.arena);
  ASSERT_TRUE(rack);
  EXPECT_EQ((*rack)->rseq, 776656U);
  EXPECT_EQ((*rack)->cseq, 1U);
  EXPECT_EQ((*rack)->method, Method::invite);
  EXPECT_EQ((*rack)->method_name, "INVITE");
  EXPECT_EQ(code_of(parse_rack("1 INVITE", memory.arena)), Errc::syntax);
  EXPECT_EQ(code_of(parse_rack("1 2", memory.arena)), Errc::syntax);
  EXPECT_EQ(code_of(parse_rack("1 4294967296 INVITE", memory.arena)), Errc::out_of_range);
}

TEST(Numeric, SessionExpires) {
  TestArena memory;
  const auto uas = parse_session_expires("1800 ; Refresher = UAS ;x", memory.arena);
  ASSERT_TRUE(uas);
  EXPECT_EQ((*uas)->seconds, 1800U);
  EXPECT_EQ((*uas)->refresher, SessionExpires::Refresher::uas);
  EXPECT_EQ((*uas)->params, "; Refresher = UAS ;x");
  const auto uac = parse_session_expires("90;refresher=uac", memory.arena);
  ASSERT_TRUE(uac);
  EXPECT_EQ((*uac)->refresher, SessionExpires::Refresher::uac);
  const auto plain = parse_session_expires("90", memory.arena);
  ASSERT_TRUE(plain);
  EXPECT_EQ((*plain)->refresher, SessionExpires::Refresher::none);
  EXPECT_EQ(code_of(parse_session_expires("90;refresher=me", memory.arena)), Errc::syntax);
  EXPECT_EQ(code_of(parse_session_expires("90;", memory.arena)), Errc::syntax);
  EXPECT_EQ(code_of(parse_session_expires("90 x", memory.arena)), Errc::syntax);
}

TEST(Numeric, RetryAfterAndTimestamp) {
  TestArena memory;
  const auto after = parse_retry_after("18000 (in a (nested) meeting);duration=3600", memory.arena);
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)->seconds, 18000U);
  EXPECT_EQ((*after)->params, ";duration=3600");
  EXPECT_EQ(code_of(parse_retry_after("949302838503028349304023988", memory.arena)), Errc::out_of_range);
  EXPECT_EQ(code_of(parse_retry_after("1 (x", memory.arena)), Errc::syntax);
  const struct {
    std::string_view text, stamp, delay;
  } rows[] = {{"54", "54", ""}, {"54.32", "54.32", ""}, {"54. 1.5 ", "54.", "1.5"}};
  for (const auto& row : rows) {
    const auto stamp = parse_timestamp(row.text, memory.arena);
    ASSERT_TRUE(stamp) << row.text;
    EXPECT_EQ((*stamp)->stamp, row.stamp);
    EXPECT_EQ((*stamp)->delay, row.delay);
  }
  for (const char* bad : {"", "x", ".5", "1 x", "1 2 3", "1x"}) {
    EXPECT_EQ(code_of(parse_timestamp(bad, memory.arena)), Errc::syntax) << bad;
  }
}

TEST(Simple, CallId) {
  TestArena memory;
  const auto id = parse_call_id("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{", memory.arena);
  ASSERT_TRUE(id);
  EXPECT_EQ((*id)->text.size(), 42U);
  for (const char* bad : {"", "@a", "a@", "a b", "a@b@c", "a,b", "\xC3\xA4"}) {
    EXPECT_EQ(code_of(parse_call_id(bad, memory.arena)), Errc::syntax) << bad;
  }
}

TEST(Simple, ContentType) {
  TestArena memory;
  const auto type = parse_content_type("Multipart / mixed ; boundary=\"a b\"", memory.arena);
  ASSERT_TRUE(type);
  EXPECT_TRUE((*type)->is("multipart", "MIXED"));
  EXPECT_FALSE((*type)->is("multipart", "alternative"));
  EXPECT_EQ((*type)->params, "; boundary=\"a b\"");
  for (const char* bad : {"", "text", "text/", "/plain", "text/plain x", "text/plain;", "text/plain;a=\"b"}) {
    EXPECT_EQ(code_of(parse_content_type(bad, memory.arena)), Errc::syntax) << bad;
  }
}

TEST(Simple, EventPrivacyReason) {
  TestArena memory;
  const auto event = parse_event("presence.winfo;ID=7;x", memory.arena);
  ASSERT_TRUE(event);
  EXPECT_EQ((*event)->package, "presence.winfo");
  EXPECT_EQ((*event)->id, "7");
  EXPECT_EQ((*event)->params, ";ID=7;x");
  for (const char* bad : {"", ";id=1", "a b", "a;"}) {
    EXPECT_EQ(code_of(parse_event(bad, memory.arena)), Errc::syntax) << bad;
  }
  const struct {
    std::string_view text;
    unsigned values;
  } privacy[] = {{"id", Privacy::kId},
                 {"none", Privacy::kNone},
                 {"Header;session ; USER", Privacy::kHeader | Privacy::kSession | Privacy::kUser},
                 {"id,critical", Privacy::kId | Privacy::kCritical},
                 {"history;new", Privacy::kHistory | Privacy::kOther}};
  for (const auto& row : privacy) {
    const auto value = parse_privacy(row.text, memory.arena);
    ASSERT_TRUE(value) << row.text;
    EXPECT_EQ((*value)->values, row.values) << row.text;
    EXPECT_EQ((*value)->text, row.text);
  }
  for (const char* bad : {"", "id;", ";id", "id user", "@"}) {
    EXPECT_EQ(code_of(parse_privacy(bad, memory.arena)), Errc::syntax) << bad;
  }
  const auto reason = parse_reason("SIP ;cause=200 ;text=\"Call completed\" , Q.850;cause=16", memory.arena);
  ASSERT_TRUE(reason);
  EXPECT_EQ((*reason)->protocol, "SIP");
  EXPECT_EQ((*reason)->cause, 200);
  EXPECT_EQ((*reason)->reason_text, "Call completed");
  ASSERT_NE((*reason)->next, nullptr);
  EXPECT_EQ((*reason)->next->protocol, "Q.850");
  EXPECT_EQ((*reason)->next->params, ";cause=16");
  EXPECT_EQ((*reason)->next->next, nullptr);
  EXPECT_EQ(code_of(parse_reason("SIP;cause=99999999999", memory.arena)), Errc::out_of_range);
  for (const char* bad : {"", "SIP,", "SIP;cause=x", "SIP x", ";cause=1"}) {
    EXPECT_EQ(code_of(parse_reason(bad, memory.arena)), Errc::syntax) << bad;
  }
}

TEST(Numeric, OutOfRoom) {
  TestArena memory(0);
  ASSERT_NE(memory.arena.allocate(memory.arena.room(), 1), nullptr);
  EXPECT_EQ(code_of(parse_number("1", memory.arena, 9)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_cseq("1 INVITE", memory.arena)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_rack("1 1 INVITE", memory.arena)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_session_expires("1", memory.arena)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_retry_after("1", memory.arena)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_timestamp("1", memory.arena)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_call_id("1", memory.arena)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_content_type("a/b", memory.arena)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_event("a", memory.arena)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_privacy("id", memory.arena)), Errc::no_memory);
  EXPECT_EQ(code_of(parse_reason("SIP", memory.arena)), Errc::no_memory);
}

}  // namespace
}  // namespace ser::sip
