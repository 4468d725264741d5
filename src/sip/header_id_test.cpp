// SPDX-License-Identifier: Apache-2.0
#include "sip/header_id.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sip/header_table.h"
#include "sip/method.h"
#include "sip/name_pattern.h"
#include "sip/scanner.h"

namespace ser::sip {
namespace {

std::string change_case(std::string_view text, bool upper) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(upper ? std::toupper(c) : std::tolower(c));
  return out;
}

TEST(NamePattern, MatchesWhatTheLookUpFinds) {
  std::vector<std::string> names{"X", "T", "X-Unknown", "Tp", "Cseq-", "A-Name-That-Is-Far-Too-Long-For-Any"};
  for (const HeaderRow& row : kHeaderTable) {
    if (row.id == HeaderId::other) continue;
    names.emplace_back(row.name);
    names.push_back(change_case(row.name, true));
    names.push_back(std::string(row.name) + "x");
    // One byte anywhere decides, the last but one, too: head, tail and middle of a name must be looked at.
    for (std::size_t i = 1; i < row.name.size(); ++i)
      names.push_back(std::string(row.name).replace(i, 1, "~"));
    if (row.compact != 0) names.emplace_back(1, row.compact);
  }
  for (const std::string& name : names) {
    for (const char* behind : {":", ": ", " \t:1", ": value\r\n\r\n", ""}) {
      const std::string text = name + behind;
      const HeaderId id = header_id(name);
      for (const HeaderRow& row : kHeaderTable) {
        if (row.id == HeaderId::other) continue;
        const std::size_t expected = row.id == id && *behind != '\0' ? name.size() : 0;
        ASSERT_EQ(match_name(text, row.id), expected) << text << ' ' << row.name;
      }
    }
  }
}

TEST(NamePattern, ALineEndBeforeTheColonEndsTheName) {
  for (const char* text :
       {"To\r\n: a long value", "To\n : a long value", "t\r\n: x", "To", "t", "", "To   ", "t "})
    EXPECT_EQ(match_name(text, HeaderId::to), 0U) << text;
  EXPECT_EQ(match_name("t:", HeaderId::to), 1U);
  EXPECT_EQ(match_name("To:", HeaderId::to), 2U);
  EXPECT_EQ(match_name("tO :", HeaderId::to), 2U);
}

TEST(HeaderId, EveryRowIsFoundInAnyCase) {
  for (const HeaderRow& row : kHeaderTable) {
    if (row.id == HeaderId::other) continue;
    EXPECT_EQ(header_id(row.name), row.id) << row.name;
    EXPECT_EQ(header_id(change_case(row.name, true)), row.id) << row.name;
    EXPECT_EQ(header_id(change_case(row.name, false)), row.id) << row.name;
    EXPECT_EQ(to_string(row.id), row.name);
    EXPECT_TRUE(is_token(row.name)) << row.name;
    if (row.compact != 0) {
      EXPECT_EQ(header_id(std::string_view(&row.compact, 1)), row.id) << row.name;
      EXPECT_EQ(header_id(std::string(1, static_cast<char>(std::toupper(row.compact)))), row.id) << row.name;
    }
  }
}

TEST(HeaderId, CompactFormsAreThoseOfTheRegistry) {
  std::string letters;
  for (char c = 'a'; c <= 'z'; ++c) {
    if (header_id(std::string_view(&c, 1)) != HeaderId::other) letters += c;
  }
  EXPECT_EQ(letters, "abcdefijklmnorstuvxy");
}

TEST(HeaderId, OneByteChangedIsAnotherName) {
  for (const HeaderRow& row : kHeaderTable) {
    std::string name(row.name);
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char saved = name[i];
      for (int c = 0; c < 256; ++c) {
        name[i] = static_cast<char>(c);
        const bool same = std::tolower(static_cast<unsigned char>(saved)) == std::tolower(c);
        if (same) {
          EXPECT_EQ(header_id(name), row.id);
        } else {
          EXPECT_NE(header_id(name), row.id) << row.name << " at " << i << " byte " << c;
        }
      }
      name[i] = saved;
    }
    EXPECT_TRUE(name.empty() || header_id(name.substr(1)) != row.id);
    EXPECT_TRUE(name.empty() || header_id(name + "x") != row.id);
  }
}

TEST(HeaderId, UnknownNames) {
  for (const char* name :
       {"", "q", "1", "-", "X-Foo", "Vi", "Viaa", "Content_Length", "Content-Lengt", "P-", "ab"}) {
    EXPECT_EQ(header_id(name), HeaderId::other) << name;
  }
  EXPECT_EQ(header_id(std::string(70000, 'a')), HeaderId::other);
  EXPECT_EQ(to_string(HeaderId::other), "");
}

TEST(Method, ByNameAndBack) {
  std::set<std::string_view> names;
  for (int m = 1; m <= static_cast<int>(Method::publish); ++m) {
    const std::string_view name = to_string(static_cast<Method>(m));
    EXPECT_TRUE(names.insert(name).second);
    EXPECT_EQ(parse_method(name), static_cast<Method>(m)) << name;
    EXPECT_EQ(parse_method(change_case(name, false)), Method::other) << name;
    EXPECT_EQ(parse_method(name.substr(0, name.size() - 1)), Method::other) << name;
    std::string changed(name);
    for (char& c : changed) {
      const char saved = std::exchange(c, '*');
      EXPECT_EQ(parse_method(changed), Method::other) << changed;
      c = saved;
    }
  }
  EXPECT_EQ(names.size(), 14U);
  for (const char* name : {"", "A", "NEWMETHOD", "INVITEX", "BYF", "RE%47IST%45R", "PUBLISX", "REGISTES"}) {
    EXPECT_EQ(parse_method(name), Method::other) << name;
  }
  EXPECT_EQ(to_string(Method::other), "");
}

}  // namespace
}  // namespace ser::sip
