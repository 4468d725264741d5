// SPDX-License-Identifier: Apache-2.0
// Every torture message of RFC 4475 and RFC 5118 through a whole worker that checks and forwards: its outcome
// is one that tests/torture/expected.json allows.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "modules/maxfwd/maxfwd.h"
#include "modules/sanity/sanity.h"
#include "modules/sl/sl.h"
#include "srv/testing/flow.h"

namespace ser {
namespace {

constexpr const char* kCheckAndForward = R"(#!KAMAILIO
loadmodule "sl.so"
loadmodule "maxfwd.so"
loadmodule "sanity.so"
# baddn has no blank line: the receive checks would drop it before anybody could answer 400.
receive_checks=no
request_route {
  if (!sanity_check("2050023", "7")) { exit; }
  if (!mf_process_maxfwd_header("70")) { sl_send_reply("483", "Too Many Hops"); exit; }
  forward("198.51.100.7", 5062);
}
)";

std::string read_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

struct Row {
  std::string file;
  std::vector<std::string> expect;
};

/// Strings between quotes in `text`.
std::vector<std::string> strings_in(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; (at = text.find('"', at)) != std::string_view::npos;) {
    const std::size_t end = text.find('"', at + 1);
    out.emplace_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return out;
}

/// The table holds objects with "expect": […] before "file": "…"; no string in it has a quote of its own.
std::vector<Row> table(const std::string& folder) {
  const std::string text = read_file(folder + "expected.json");
  std::vector<Row> rows;
  for (std::size_t at = 0; (at = text.find("\"expect\": [", at)) != std::string::npos;) {
    const std::size_t begin = at + 11;
    const std::size_t end = text.find(']', begin);
    const std::size_t file = text.find("\"file\": ", end) + 8;
    at = text.find('\n', file);
    rows.push_back({strings_in(std::string_view(text).substr(file, at - file)).at(0),
                    strings_in(std::string_view(text).substr(begin, end - begin))});
  }
  return rows;
}

/// The words of the table that tell what happened.
std::vector<std::string> outcome(const std::string& message, const std::vector<srv::testing::Sent>& sent) {
  if (sent.empty()) return {"drop"};
  const std::string& out = sent.front().bytes;
  if (message.starts_with("SIP/2.0")) return {"forward-response"};
  if (!out.starts_with("SIP/2.0 ")) return {"forward", "forward-trimmed"};
  return {out.substr(8, 3), out.substr(8, 1) + "xx"};
}

TEST(Torture, EveryMessageHasAnExpectedOutcome) {
  srv::testing::Flow flow(kCheckAndForward,
                          {modules::describe_sl, modules::describe_maxfwd, modules::describe_sanity});
  const std::string folder = SER_SOURCE_DIR "/tests/torture/";
  const std::vector<Row> rows = table(folder);
  EXPECT_EQ(rows.size(), 61U);
  for (const Row& row : rows) {
    const std::string message = read_file(folder + row.file);
    ASSERT_FALSE(message.empty()) << row.file;
    const auto sent = flow.feed(message);
    EXPECT_LE(sent.size(), 1U) << row.file;
    const std::vector<std::string> words = outcome(message, sent);
    const bool expected = std::any_of(words.begin(), words.end(), [&](const std::string& word) {
      return std::find(row.expect.begin(), row.expect.end(), word) != row.expect.end();
    });
    EXPECT_TRUE(expected) << row.file << ": " << words.front() << ", expected " << row.expect.front() << "\n"
                          << (sent.empty() ? "" : sent.front().bytes.substr(0, 300));
    if (words.front() != "forward") continue;
    const std::string body = message.substr(message.find("\r\n\r\n"));
    const std::string& out = sent.front().bytes;
    const std::string sent_body = out.substr(out.find("\r\n\r\n"));
    EXPECT_EQ(body.substr(0, sent_body.size()), sent_body) << row.file;
    EXPECT_NE(out.find("Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK"), std::string::npos) << row.file;
  }
}

TEST(Torture, NoPrefixOfAnyMessageAndNoFlippedByteDoesHarm) {
  srv::testing::Flow flow(kCheckAndForward,
                          {modules::describe_sl, modules::describe_maxfwd, modules::describe_sanity});
  const std::string folder = SER_SOURCE_DIR "/tests/torture/";
  std::size_t fed = 0;
  for (const Row& row : table(folder)) {
    const std::string message = read_file(folder + row.file);
    const std::size_t step = message.size() / 60 + 1;
    for (std::size_t at = 0; at < message.size(); at += step) {
      EXPECT_LE(flow.feed(message.substr(0, at)).size(), 1U);
      std::string flipped = message;
      flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
      EXPECT_LE(flow.feed(flipped).size(), 1U);
      fed += 2;
    }
  }
  // Each was dropped before parsing, or without a start line, or counted as a request or response.
  std::uint64_t counted = flow.counted("rcv_requests") + flow.counted("rcv_replies");
  for (const char* reason :
       {"keepalives", "runts", "check_start_line", "check_version", "check_no_blank_line", "check_bare_cr"})
    counted += flow.counted(reason);
  EXPECT_LE(counted, fed);
  EXPECT_GE(counted + flow.counted("bad_msg_hdr"), fed) << "nothing is lost uncounted";
}

}  // namespace
}  // namespace ser
