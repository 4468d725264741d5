// SPDX-License-Identifier: Apache-2.0
// The messages of RFC 4475 and RFC 5118 at the level of syntax: what must parse parses, what is malformed is
// refused by the parser whose matter it is. What a proxy does with them is tested with the proxy.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "sip/message.h"
#include "sip/test_arena.h"

namespace ser::sip {
namespace {

using namespace std::string_view_literals;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::filesystem::path torture_folder() {
  return std::filesystem::path(SER_SOURCE_DIR) / "tests/torture";
}

class Torture : public testing::Test {
 protected:
  /// The message of tests/torture/<rfc>/<name>.sip, which must have a start line that can at least be
  /// answered.
  const Message& load(std::string_view rfc, std::string_view name) {
    m_bytes = read_file(torture_folder() / rfc / (std::string(name) + ".sip"));
    const auto message = Message::parse(m_bytes, m_memory.arena, &m_start);
    EXPECT_TRUE(message) << name;
    return **message;
  }

  /// Name and code of everything wrong in the fields that a proxy reads.
  static std::string faults(const Message& m, const StartLineError& start) {
    std::string out;
    const auto note = [&out](const char* what, Errc code) {
      if (code != Errc::none) out += std::string(what) + ":" + to_string(code) + " ";
    };
    const auto check = [&](const char* what, const auto& result) {
      note(what, result ? Errc::none : result.error().code);
    };
    note("start", start.error.code);
    if (const auto all = m.index_all(); !all) note("index", all.error().code);
    std::size_t n = 0;
    while (m.via(n)) ++n;
    if (n == 0 || m.via(n).error().code != Errc::missing) check("via", m.via(n));
    check("from", m.get<hdr::From>());
    check("to", m.get<hdr::To>());
    check("cseq", m.get<hdr::CSeq>());
    check("call_id", m.get<hdr::CallId>());
    const auto optional = [&](const char* what, const auto& result) {
      if (!result && result.error().code != Errc::missing) note(what, result.error().code);
    };
    optional("max_forwards", m.get<hdr::MaxForwards>());
    optional("length", m.content_length());
    optional("contact", m.get<hdr::Contact>());
    optional("expires", m.get<hdr::Expires>());
    optional("type", m.get<hdr::ContentType>());
    optional("retry_after", m.get<hdr::RetryAfter>());
    optional("route", m.route(0));
    optional("record_route", m.record_route(0));
    return out;
  }

  std::string m_bytes;
  TestArena m_memory;
  StartLineError m_start;
};

TEST_F(Torture, Verdicts) {
  // All messages not named here must be without a fault. The file of baddn lacks the blank line.
  const struct {
    std::string_view name, faults;
  } rows[] = {
      {"badinv01", "via:syntax contact:syntax "},
      {"ncl", "length:syntax "},
      {"scalar02", "cseq:out_of_range max_forwards:out_of_range contact:out_of_range expires:out_of_range "},
      {"scalarlg", "cseq:out_of_range retry_after:out_of_range "},
      {"quotbal", "to:syntax "},
      {"lwsruri", "start:syntax "},
      {"lwsstart", "start:syntax "},
      {"trws", "start:syntax "},
      {"regbadct", "contact:syntax "},
      {"baddn", "index:incomplete from:syntax to:syntax "},
      {"badvers", "start:version "},
      {"insuf", "from:missing to:missing call_id:missing "},
  };
  std::size_t seen = 0;
  for (const char* rfc : {"rfc4475", "rfc5118"}) {
    for (const auto& entry : std::filesystem::directory_iterator(torture_folder() / rfc)) {
      const std::string name = entry.path().stem();
      ++seen;
      const std::string bytes = read_file(entry.path());
      TestArena memory;
      StartLineError start;
      const auto message = Message::parse(bytes, memory.arena, &start);
      if (name == "bigcode") {
        ASSERT_FALSE(message);
        EXPECT_EQ(message.error().code, Errc::out_of_range);
        continue;
      }
      ASSERT_TRUE(message) << name << ": " << message.error().what;
      const auto* row =
          std::find_if(std::begin(rows), std::end(rows), [&](const auto& r) { return r.name == name; });
      EXPECT_EQ(faults(**message, start), row == std::end(rows) ? ""sv : row->faults) << name;
    }
  }
  EXPECT_EQ(seen, 61U);
}

TEST_F(Torture, EveryPrefixIsSafe) {
  for (const char* name : {"wsinv", "intmeth", "longreq", "badinv01"}) {
    const std::string whole = read_file(torture_folder() / "rfc4475" / (std::string(name) + ".sip"));
    std::size_t with_fields = 0;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const std::string bytes = whole.substr(0, size);  // a new buffer, so that a sanitizer sees its end
      TestArena memory;
      StartLineError start;
      const auto message = Message::parse(bytes, memory.arena, &start);
      if (!message) continue;
      const std::string said = faults(**message, start);
      if ((*message)->headers_indexed() > 0 && !said.empty()) ++with_fields;
    }
    EXPECT_GT(with_fields, 100U) << name;
  }
}

TEST_F(Torture, Wsinv) {
  const Message& m = load("rfc4475", "wsinv");
  EXPECT_EQ(m.method(), Method::invite);
  EXPECT_EQ(m.start().uri, "sip:vivekg@chair-dnrc.example.com;unknownparam");
  const NameAddr& to = **m.get<hdr::To>();
  EXPECT_EQ(to.uri, "sip:vivekg@chair-dnrc.example.com");
  EXPECT_EQ(to.tag, "1918181833n");
  const NameAddr& from = **m.get<hdr::From>();
  EXPECT_EQ(from.display, R"("J Rosenberg \\\"")");
  EXPECT_EQ(from.uri, "sip:jdrosen@example.com");
  EXPECT_EQ(from.tag, "98asjd8");
  EXPECT_EQ((*m.get<hdr::MaxForwards>())->value, 68U);
  EXPECT_EQ((*m.get<hdr::CSeq>())->number, 9U);
  EXPECT_EQ((*m.get<hdr::CSeq>())->method, Method::invite);
  EXPECT_EQ((*m.get<hdr::CallId>())->text, "wsinv.ndaksdj@192.0.2.1");
  EXPECT_EQ(*m.content_length(), 150U);
  EXPECT_EQ(m.body().size(), 150U);

  const Via& top = **m.via(0);
  EXPECT_EQ(top.transport, "UDP");
  EXPECT_EQ(top.host, "192.0.2.2");
  EXPECT_EQ(top.branch, "390skdjuw");
  const Via& second = **m.via(1);
  EXPECT_EQ(second.transport, "TCP");
  EXPECT_EQ(second.host, "spindle.example.com");
  EXPECT_EQ(second.branch, "z9hG4bK9ikj8");
  const Via& third = **m.via(2);
  EXPECT_EQ(third.host, "192.168.255.111");
  EXPECT_EQ(third.branch, "z9hG4bK30239");
  EXPECT_EQ(third.field, second.field);
  EXPECT_FALSE(m.via(3));

  EXPECT_EQ(m.find(HeaderId::subject)->value(), "");
  EXPECT_EQ(m.find("NewFangledHeader")->value(), "newfangled value\r\n continued newfangled value");
  EXPECT_EQ(m.find("UnknownHeaderWithUnusualValue")->value(), ";;,,;;,;");
  EXPECT_EQ((*m.route(0))->uri, "sip:services.example.com;lr;unknownwith=value;unknown-no-value");
  const Contact& contact = **m.get<hdr::Contact>();
  EXPECT_EQ(contact.display, R"("Quoted string \"\"")");
  EXPECT_EQ(contact.q, 330);
  EXPECT_TRUE((*m.get<hdr::ContentType>())->is("application", "sdp"));
}

TEST_F(Torture, Intmeth) {
  const Message& m = load("rfc4475", "intmeth");
  constexpr std::string_view method = "!interesting-Method0123456789_*+`.%indeed'~";
  EXPECT_EQ(m.method(), Method::other);
  EXPECT_EQ(m.start().method_name, method);
  EXPECT_EQ((*m.get<hdr::CSeq>())->method_name, method);
  EXPECT_EQ((*m.get<hdr::CSeq>())->number, 139122385U);
  EXPECT_EQ((*m.via(0))->branch, "z9hG4bK-.!%66*_+`'~");
  const NameAddr& to = **m.get<hdr::To>();
  EXPECT_EQ(to.display, "\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7F\""sv);
  EXPECT_EQ(to.uri, "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com");
  const NameAddr& from = **m.get<hdr::From>();
  EXPECT_EQ(from.display, "token1~` token2'+_ token3*%!.-");
  EXPECT_EQ(from.tag, "_token~1'+`*%!-.");
  EXPECT_EQ((*m.get<hdr::MaxForwards>())->value, 255U);
  const HeaderField* extension = m.find("extensionHeader-!.%*+_`'~");
  ASSERT_NE(extension, nullptr);
  EXPECT_EQ(extension->value(), "\xEF\xBB\xBF\xE5\xA4\xA7\xE5\x81\x9C\xE9\x9B\xBB");
  EXPECT_EQ((*m.get<hdr::CallId>())->text, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
}

TEST_F(Torture, NamesAndMethodsAreNotUnescaped) {
  const Message& m = load("rfc4475", "esc02");
  EXPECT_EQ(m.method(), Method::other);
  EXPECT_EQ(m.start().method_name, "RE%47IST%45R");
  std::size_t contacts = 0;
  for (auto c = m.get<hdr::Contact>(); c; c = m.next_value<hdr::Contact>(**c)) ++contacts;
  EXPECT_EQ(contacts, 2U);
  EXPECT_EQ(m.find("C%6Fntact")->value(), "<sip:alias2@host2.example.com>");
}

TEST_F(Torture, BytesBeyondContentLength) {
  const Message& doubled = load("rfc4475", "dblreq");
  EXPECT_EQ(doubled.body(), "");
  EXPECT_EQ(doubled.wire_bytes().size(), doubled.header_end_offset());
  EXPECT_LT(doubled.wire_bytes().size(), doubled.bytes().size());
  TestArena memory;
  const std::string short_body = read_file(torture_folder() / "rfc4475/clerr.sip");
  const auto cut = Message::parse(short_body, memory.arena);
  ASSERT_TRUE(cut);
  EXPECT_EQ(*(*cut)->content_length(), 9999U);
  EXPECT_LT((*cut)->body().size(), 9999U);
  EXPECT_EQ((*cut)->wire_bytes(), short_body);
}

TEST_F(Torture, ManyVias) {
  const Message& m = load("rfc4475", "transports");
  std::string transports;
  for (auto via = m.via(0); via; via = m.next_value<hdr::Via>(**via))
    transports += std::string((*via)->transport) + " ";
  EXPECT_EQ(transports, "UDP SCTP TLS UNKNOWN TCP ");
}

TEST_F(Torture, Ipv6Vias) {
  const Message& mapped = load("rfc5118", "ipv4-mapped-ipv6");
  EXPECT_EQ((*mapped.via(0))->host, "[::ffff:192.0.2.10]");
  EXPECT_EQ((*mapped.via(0))->port, 19823);
  const Message& plain = load("rfc5118", "via-received-param-no-delim");
  EXPECT_EQ((*plain.via(0))->received, "2001:db8::9:255");
  const Message& bracketed = load("rfc5118", "via-received-param-with-delim");
  EXPECT_EQ((*bracketed.via(0))->received, "[2001:db8::9:255]");
}

TEST_F(Torture, ResponsesWithOddReasons) {
  const Message& utf8 = load("rfc4475", "unreason");
  EXPECT_EQ(utf8.status(), 200);
  EXPECT_TRUE(utf8.start().reason.starts_with("= 2**3 * 5**2 \xD0\xBD\xD0\xBE"));
  const Message& empty = load("rfc4475", "noreason");
  EXPECT_EQ(empty.status(), 100);
  EXPECT_EQ(empty.start().reason, "");
}

TEST_F(Torture, FirstOfRepeatedSingles) {
  const Message& m = load("rfc4475", "multi01");
  EXPECT_EQ((*m.get<hdr::CSeq>())->number, 5U);
  const HeaderField* second = m.find(HeaderId::cseq, 1);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ((*m.get<hdr::CSeq>(*second))->number, 59U);
  EXPECT_NE(m.find(HeaderId::to, 1), nullptr);
}

}  // namespace
}  // namespace ser::sip
