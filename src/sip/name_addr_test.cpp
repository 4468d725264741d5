// SPDX-License-Identifier: Apache-2.0
#include "sip/name_addr.h"

#include <gtest/gtest.h>

#include <string>

#include "sip/contact.h"
#include "sip/test_arena.h"

namespace ser::sip {
namespace {

using namespace std::string_view_literals;

TEST(NameAddr, Forms) {
  const struct {
    std::string_view text, display, uri, params, tag;
    bool angle;
  } rows[] = {
      {"sip:a@b", "", "sip:a@b", "", "", false},
      {"sip:a@b;tag=x", "", "sip:a@b", ";tag=x", "x", false},
      {"<sip:a@b;lr>;tag=x", "", "sip:a@b;lr", ";tag=x", "x", true},
      {"<sip:a@b;tag=in>", "", "sip:a@b;tag=in", "", "", true},
      {"caller<sip:a@b>;TAG = y ", "caller", "sip:a@b", ";TAG = y", "y", true},
      {"T. Watson  <sip:a@b>", "T. Watson", "sip:a@b", "", "", true},
      {"\"J \\\"R\\\\\" <sip:a@b?h=v,w>;x=\"a;tag=no\";tag=z", "\"J \\\"R\\\\\"", "sip:a@b?h=v,w",
       ";x=\"a;tag=no\";tag=z", "z", true},
      {"\"a\"\r\n <sip:a@b>\r\n ;\r\n tag=1", "\"a\"", "sip:a@b", ";\r\n tag=1", "1", true},
      {"< sip:a@b >", "", "sip:a@b", "", "", true},
      {"\xD0\x9F <tel:+1-2>", "\xD0\x9F", "tel:+1-2", "", "", true},
      {"isbn:2983792873", "", "isbn:2983792873", "", "", false},
      {"sip:null-%00-null@example.com", "", "sip:null-%00-null@example.com", "", "", false},
      {"sip:a@b ; taG=1;tagx=2", "", "sip:a@b", "; taG=1;tagx=2", "1", false},
  };
  for (const auto& row : rows) {
    TestArena memory;
    const auto value = parse_name_addr(row.text, memory.arena);
    ASSERT_TRUE(value) << row.text << ": " << value.error().what << value.error().offset;
    EXPECT_EQ((*value)->display, row.display) << row.text;
    EXPECT_EQ((*value)->uri, row.uri) << row.text;
    EXPECT_EQ((*value)->params, row.params) << row.text;
    EXPECT_EQ((*value)->tag, row.tag) << row.text;
    EXPECT_EQ((*value)->angle, row.angle) << row.text;
    EXPECT_EQ((*value)->text, row.text.substr(0, row.text.find_last_not_of(' ') + 1));
    EXPECT_EQ((*value)->next, nullptr);
  }
}

TEST(NameAddr, Refused) {
  const struct {
    std::string_view text;
    std::uint32_t offset;
  } rows[] = {
      {"", 0},
      {"a@b", 1},
      {"sip:", 4},
      {"<sip:a", 0},
      {"<>", 0},
      {"<a@b>", 0},
      {"<sip:>", 0},
      {"<:a>", 0},
      {"<sip:a b>", 0},
      {"\"a <sip:a@b>", 12},
      {"\"a\" sip:a@b", 4},
      {"\"a\"", 3},
      {"Bell, Alexander <sip:a@b>;tag=43", 4},
      {"a b sip:c", 7},
      {"sip:a@b?h=v", 7},
      {"sip:a\"b", 5},
      {"sip:a@b c", 8},
      {"sip:a@b,sip:c@d", 7},
      {"<sip:a@b> x", 10},
      {"<sip:a@b>;", 10},
      {"<sip:a@b>;;", 10},
      {"<sip:a@b>;tag", 13},
      {"<sip:a@b>;tag=", 14},
      {"<sip:a@b>;tag=\"x\"", 17},
      {"<sip:a@b>;tag=1;tag=1", 21},
      {"<sip:a@b>\r;tag=1", 9},
      {"<sip:a@b>;x=\"y", 14},
      {"sip:a@b\0"sv, 7},
  };
  for (const auto& row : rows) {
    TestArena memory;
    const auto value = parse_name_addr(row.text, memory.arena);
    ASSERT_FALSE(value) << row.text;
    EXPECT_EQ(value.error().code, Errc::syntax) << row.text;
    EXPECT_EQ(value.error().offset, row.offset) << row.text;
  }
}

TEST(NameAddr, Lists) {
  TestArena memory;
  const auto route =
      parse_route_list("<sip:a;lr>, \"b, <c>\" <sip:b;lr>;x=\",\"\r\n , <sip:c>", memory.arena);
  ASSERT_TRUE(route);
  EXPECT_EQ((*route)->uri, "sip:a;lr");
  EXPECT_EQ((*route)->next->display, "\"b, <c>\"");
  EXPECT_EQ((*route)->next->text, "\"b, <c>\" <sip:b;lr>;x=\",\"");
  EXPECT_EQ((*route)->next->next->uri, "sip:c");
  EXPECT_EQ((*route)->next->next->next, nullptr);

  for (const char* bad : {"sip:a", "<sip:a>,", "<sip:a>,,<sip:b>", ",<sip:a>", "<sip:a> <sip:b>", ""}) {
    const auto refused = parse_route_list(bad, memory.arena);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Errc::syntax);
  }
  const auto identity = parse_name_addr_list("sip:a@b, tel:+1;x=y", memory.arena);
  ASSERT_TRUE(identity);
  EXPECT_EQ((*identity)->uri, "sip:a@b");
  EXPECT_EQ((*identity)->next->uri, "tel:+1");
  EXPECT_EQ((*identity)->next->params, ";x=y");
}

TEST(NameAddr, OutOfRoom) {
  TestArena memory(0);
  std::string many = "<sip:a>";
  for (int i = 0; i < 20; ++i) many += ",<sip:a>";
  const auto route = parse_route_list(many, memory.arena);
  ASSERT_FALSE(route);
  EXPECT_EQ(route.error().code, Errc::no_memory);
  const auto contact = parse_contact(many, memory.arena);
  ASSERT_FALSE(contact);
  EXPECT_EQ(contact.error().code, Errc::no_memory);
}

TEST(Contact, Everything) {
  TestArena memory;
  const auto contact = parse_contact(
      "\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n newvalue ;\r\n secondparam ; q "
      "= 0.33,"
      "<sip:b@c>;expires=3600;+sip.instance=\"<urn:uuid:1>\";reg-id=7;methods=\"INVITE,BYE\";received=\"sip:"
      "1.2.3.4\", "
      "sip:x@y;expires=zz;q=1",
      memory.arena);
  ASSERT_TRUE(contact) << contact.error().offset;
  const Contact& first = **contact;
  EXPECT_EQ(first.display, "\"Quoted string \\\"\\\"\"");
  EXPECT_EQ(first.uri, "sip:jdrosen@example.com");
  EXPECT_EQ(first.q, 330);
  EXPECT_FALSE(first.has_expires);
  EXPECT_FALSE(first.star);
  EXPECT_TRUE(first.angle);
  const Contact& second = *first.next;
  EXPECT_TRUE(second.has_expires);
  EXPECT_EQ(second.expires, 3600U);
  EXPECT_EQ(second.instance, "<urn:uuid:1>");
  EXPECT_EQ(second.reg_id, 7U);
  EXPECT_EQ(second.methods, "INVITE,BYE");
  EXPECT_EQ(second.received, "sip:1.2.3.4");
  EXPECT_EQ(second.q, Contact::kNoQ);
  const Contact& third = *second.next;
  EXPECT_EQ(third.expires, 3600U);
  EXPECT_EQ(third.q, 1000);
  EXPECT_FALSE(third.angle);
  EXPECT_EQ(third.text, "sip:x@y;expires=zz;q=1");
  EXPECT_EQ(third.next, nullptr);
}

TEST(Contact, StarAndQ) {
  const struct {
    std::string_view q;
    int value;
  } rows[] = {{"0", 0}, {"1", 1000}, {"0.5", 500}, {"0.05", 50}, {"0.123", 123}, {"1.000", 1000}, {"0.", 0}};
  for (const auto& row : rows) {
    TestArena memory;
    const std::string text = "<sip:a>;q=" + std::string(row.q);
    const auto contact = parse_contact(text, memory.arena);
    ASSERT_TRUE(contact) << text;
    EXPECT_EQ((*contact)->q, row.value);
  }
  TestArena memory;
  const auto star = parse_contact(" * ", memory.arena);
  ASSERT_TRUE(star);
  EXPECT_TRUE((*star)->star);
  EXPECT_EQ((*star)->text, "*");
  const auto name = parse_contact("* <sip:a>", memory.arena);
  ASSERT_TRUE(name);
  EXPECT_FALSE((*name)->star);
  EXPECT_EQ((*name)->display, "*");
}

TEST(Contact, Refused) {
  const struct {
    std::string_view text;
    Errc code;
  } rows[] = {
      {"", Errc::syntax},
      {"*,<sip:a>", Errc::syntax},
      {"<sip:a>,*", Errc::syntax},
      {"*;expires=0", Errc::syntax},
      {"\"Joe\" <sip:joe@example.org>;;;;", Errc::syntax},
      {"sip:user@example.com?Route=%3Csip:sip.example.com%3E", Errc::syntax},
      {"<sip:a>,", Errc::syntax},
      {"<sip:a> b", Errc::syntax},
      {"<sip:a>;q", Errc::syntax},
      {"<sip:a>;q=\"1\"", Errc::syntax},
      {"<sip:a>;q=1;q=1", Errc::syntax},
      {"<sip:a>;q=x", Errc::syntax},
      {"<sip:a>;q=0.1234", Errc::syntax},
      {"<sip:a>;q=0.1x", Errc::syntax},
      {"<sip:a>;q=1.001", Errc::out_of_range},
      {"<sip:a>;q=2", Errc::out_of_range},
      {"<sip:a>;q=99999999999999999999", Errc::out_of_range},
      {"<sip:a>;expires=280297596632815", Errc::out_of_range},
      {"<sip:a>;expires=1;expires=1", Errc::syntax},
      {"<sip:a>;reg-id=0", Errc::out_of_range},
      {"<sip:a>;reg-id=2147483648", Errc::out_of_range},
      {"<sip:a>;reg-id=a", Errc::syntax},
      {"<sip:a>;reg-id=1;reg-id=1", Errc::syntax},
  };
  for (const auto& row : rows) {
    TestArena memory;
    const auto contact = parse_contact(row.text, memory.arena);
    ASSERT_FALSE(contact) << row.text;
    EXPECT_EQ(contact.error().code, row.code) << row.text;
  }
}

}  // namespace
}  // namespace ser::sip
