// SPDX-License-Identifier: Apache-2.0
#include "sip/sanity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "sip/reply.h"
#include "sip/test_message.h"
#include "sip/writer.h"

namespace ser::sip {
namespace {

using testing::lf;
using testing::TestMessage;

const std::string kGood =
    "INVITE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@h>;tag=1\nTo: "
    "<sip:b@h>\nCall-ID: i\n"
    "CSeq: 1 INVITE\nMax-Forwards: 70\n";

struct SanityCase {
  const char* remove;  ///< taken out of kGood
  const char* put;     ///< what comes in its place; at the end of the header when `remove` is empty
  std::uint32_t check;
  std::uint16_t status;
};

TEST(Sanity, OneFaultEach) {
  const SanityCase rows[] = {
      {"sip:b@h", "nope:b@h", check::kScheme, 416},
      {"sip:b@h", "<sip:b@h>", check::kScheme, 400},
      {"sip:b@h", "sip:2001:db8::10", check::kRequestUri, 400},
      {"sip:b@h", "sip:b@h?Route=x", check::kRequestUri, 400},
      {"Via: SIP/2.0/UDP h;branch=z9hG4bK1\n", "", check::kVia1, 400},
      {"UDP h", "UDP h;;,;", check::kVia1, 400},
      {"SIP/2.0/UDP", "SIP/3.0/UDP", check::kVia1, 400},
      {"From: <sip:a@h>;tag=1\n", "", check::kRequiredHeaders, 400},
      {"To: <sip:b@h>\n", "", check::kRequiredHeaders, 400},
      {"Call-ID: i\n", "", check::kRequiredHeaders, 400},
      {"CSeq: 1 INVITE\n", "", check::kRequiredHeaders, 400},
      {"1 INVITE", "4294967296 INVITE", check::kCSeqValue, 400},
      {"1 INVITE", "1 OPTIONS", check::kCSeqMethod, 400},
      {"1 INVITE", "x INVITE", check::kCSeqValue, 400},
      {"", "Content-Length: 1\n", check::kContentLength, 400},
      {"", "Content-Length: -1\n", check::kContentLength, 400},
      {"", "l: 1\nl: 0\n", check::kDuplicateHeaders, 400},
      {"", "t: <sip:b@h>\n", check::kDuplicateHeaders, 400},
      {"", "Expires: 99999999999999999999\n", check::kExpires, 400},
      {": 70", ": 300", check::kMaxForwards, 400},
      {"<sip:a@h>", "<sip:a b@h>", check::kParseUris, 400},
      {"<sip:b@h>", "\"x <sip:b@h>", check::kParseUris, 400},
      {";tag=1", ";tag=1;tag=2", check::kDuplicateTags, 400},
      {"", "Proxy-Require: a\n", check::kProxyRequire, 420},
      {"", "no colon here\n", check::kHeaderLines, 400},
  };
  for (const SanityCase& row : rows) {
    std::string text = kGood;
    const std::string_view remove = row.remove;
    text.replace(remove.empty() ? text.size() : text.find(remove), remove.size(), row.put);
    const TestMessage m(lf(text + "\n"));
    const auto failure = check_request(*m);
    ASSERT_TRUE(failure) << text;
    EXPECT_EQ(failure->check, row.check) << text << failure->reason;
    EXPECT_EQ(failure->status, row.status) << text;
    EXPECT_FALSE(failure->reason.empty());
    EXPECT_FALSE(check_request(*m, {.checks = check::kStrictRequest & ~row.check, .uris = 0}) &&
                 check_request(*m, {.checks = 0}))
        << text;
  }
}

TEST(Sanity, GoodOnesPass) {
  for (const char* more : {"", "Content-Length: 0\n", "l: 0\nl: 0\n", "Expires: 4294967295\n",
                           "Proxy-Require: foo, BAR\n", "Contact: *\n", "Proxy-Require:\n"}) {
    const TestMessage m(lf(kGood + more + "\n"));
    const std::string_view supported[] = {"foo", "bar"};
    const auto failure = check_request(*m, {.uris = 15, .supported = supported});
    EXPECT_FALSE(failure) << more << failure->reason;
  }
}

TEST(Sanity, UnsupportedListsWhatIsUnknown) {
  const TestMessage m(lf(kGood + "Proxy-Require: a,foo ,b\nProxy-Require: c\n\n"));
  const std::string_view supported[] = {"FOO"};
  const auto failure = check_request(*m, {.supported = supported});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->status, 420);
  EXPECT_EQ(failure->unsupported, "a, b, c");
}

TEST(Sanity, ChecksOutsideTheStrictSet) {
  const TestMessage m(lf(kGood + "Authorization: Digest username=\"a\"\nContact: <nope>\n\n"));
  EXPECT_FALSE(check_request(*m));
  EXPECT_EQ(check_request(*m, {.checks = check::kDigest})->check, check::kDigest);
  EXPECT_FALSE(check_request(*m, {.checks = check::kAuthorization}));
  EXPECT_EQ(check_request(*m, {.checks = check::kParseUris, .uris = check::kUriContact})->reason,
            "Bad Contact Header");
  const TestMessage bad(lf(kGood + "Authorization: Digest username\n\n"));
  EXPECT_EQ(check_request(*bad, {.checks = check::kAuthorization})->check, check::kAuthorization);
}

TEST(Sanity, Responses) {
  const std::string good = "Via: SIP/2.0/UDP h\nFrom: <sip:a@h>\nTo: <sip:b@h>\nCall-ID: i\nCSeq: 1 X\n";
  EXPECT_FALSE(check_response(*TestMessage(lf("SIP/2.0 200 OK\n" + good + "\n"))));
  EXPECT_FALSE(
      check_response(*TestMessage(lf("SIP/2.0 200 OK\n" + good + "Via: SIP/2.0/UDP 192.0.2.1\n\n"))));
  for (const char* second :
       {"255.255.255.255", "224.0.0.1", "0.0.0.0", "h;received=255.255.255.255", "[ff02::1]"}) {
    const TestMessage m(lf("SIP/2.0 200 OK\n" + good + "Via: SIP/2.0/UDP " + second + "\n\n"));
    const auto failure = check_response(*m);
    ASSERT_TRUE(failure) << second;
    EXPECT_EQ(failure->check, check::kNextVia);
  }
}

TEST(Sanity, StartLine) {
  EXPECT_EQ(start_line_failure({Errc::version, 0, ""}).status, 505);
  EXPECT_EQ(start_line_failure({Errc::syntax, 0, ""}).status, 400);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

struct TortureRow {
  std::string file;
  std::vector<std::string> expect;
};

/// The rows of expected.json: "expect" is a list of strings, "file" comes after it.
std::vector<TortureRow> torture_rows(const std::string& json) {
  std::vector<TortureRow> rows;
  std::size_t at = 0;
  const auto quoted = [&json](std::size_t& from) {
    const std::size_t begin = json.find('"', from) + 1;
    const std::size_t end = json.find('"', begin);
    from = end + 1;
    return json.substr(begin, end - begin);
  };
  while ((at = json.find("\"expect\"", at)) != std::string::npos) {
    TortureRow row;
    at = json.find('[', at);
    const std::size_t close = json.find(']', at);
    while (json.find('"', at) < close) row.expect.push_back(quoted(at));
    at = json.find("\"file\"", close) + 6;
    row.file = quoted(at);
    rows.push_back(row);
  }
  return rows;
}

/// A rejected request is answered when its first Via tells where to.
std::string rejected(const Message& m, std::uint16_t status, std::string_view file) {
  if (!m.via(0) || m.method() == Method::ack) return "drop";
  std::string out(reply_size(m, {.status = status, .to_tag = "t"}), '\0');
  const auto size = write_reply(m, {.status = status, .to_tag = "t"}, out);
  EXPECT_TRUE(size) << file;
  if (!size) return "no reply";
  const TestMessage reply(std::string_view(out).substr(0, *size));
  EXPECT_EQ(reply->status(), status) << file;
  EXPECT_TRUE(reply->via(0)) << file;
  EXPECT_TRUE(reply->index_all()) << file;
  return std::to_string(status);
}

/// What a proxy that forwards everything to one next hop does with a datagram.
std::string outcome(const std::string& bytes, const std::string& file) {
  HeapChunks heap;
  alignas(16) char block[4096];
  Arena arena(block, sizeof block, heap);
  StartLineError bad_start;
  const auto parsed = Message::parse(bytes, arena, &bad_start);
  if (!parsed) return "drop";
  const Message& m = **parsed;
  if (bad_start.error.code != Errc::none)
    return rejected(m, start_line_failure(bad_start.error).status, file);
  std::string out(written_size(m, nullptr, {}), '\0');
  const auto size = write(m, nullptr, {}, out);
  EXPECT_TRUE(size) << file;
  const bool same = size && std::string_view(out).substr(0, *size) == m.bytes();
  const bool cut = size && !same && m.bytes().starts_with(std::string_view(out).substr(0, *size));
  if (m.is_response()) return !check_response(m) && m.via(1) && (same || cut) ? "forward-response" : "drop";
  if (const auto failure = check_request(m)) return rejected(m, failure->status, file);
  const auto hops = m.get<hdr::MaxForwards>();
  if (hops && (*hops)->value == 0) return rejected(m, 483, file);
  return same ? "forward" : (cut ? "forward-trimmed" : "mangled");
}

TEST(TortureOutcome, Rfc4475AndRfc5118) {
  const std::string folder = std::string(SER_SOURCE_DIR) + "/tests/torture/";
  const auto rows = torture_rows(read_file(folder + "expected.json"));
  ASSERT_EQ(rows.size(), 61U);
  for (const TortureRow& row : rows) {
    const std::string bytes = read_file(folder + row.file);
    ASSERT_FALSE(bytes.empty()) << row.file;
    const std::string got = outcome(bytes, row.file);
    const bool listed = std::any_of(row.expect.begin(), row.expect.end(), [&](const std::string& want) {
      return want == got || (want == "4xx" && got.size() == 3 && got[0] == '4');
    });
    EXPECT_TRUE(listed) << row.file << ": " << got << ", the first expected one is " << row.expect.front();
  }
}

}  // namespace
}  // namespace ser::sip
