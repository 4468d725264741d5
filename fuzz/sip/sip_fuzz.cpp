// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the message library. The first byte selects what the rest is; besides not crashing, what
// must hold is checked: a broken promise aborts.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/text.h"
#include "sip/auth.h"
#include "sip/derive.h"
#include "sip/dialog_id.h"
#include "sip/edit.h"
#include "sip/framing.h"
#include "sip/header_id.h"
#include "sip/line_index.h"
#include "sip/message.h"
#include "sip/reply.h"
#include "sip/sanity.h"
#include "sip/tags.h"
#include "sip/uri.h"
#include "sip/uri_compare.h"
#include "sip/via.h"
#include "sip/via_stamp.h"
#include "sip/writer.h"

namespace {

using namespace ser;       // NOLINT(google-build-using-namespace)
using namespace ser::sip;  // NOLINT(google-build-using-namespace)

void require(bool promise, const char* what) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

struct Room {
  HeapChunks heap;
  alignas(16) std::array<char, 2048> block{};
  Arena arena{block.data(), block.size(), heap};
};

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

template <class... H>
std::size_t get_each(const Message& m) {
  return (std::size_t{m.get<H>() ? 1U : 0U} + ... + 0U);
}

void get_all(const Message& m) {
  get_each<hdr::Via, hdr::From, hdr::To, hdr::ReferTo, hdr::ReferredBy, hdr::ReplyTo, hdr::Route,
           hdr::RecordRoute, hdr::Path, hdr::ServiceRoute, hdr::PAssertedIdentity, hdr::PPreferredIdentity,
           hdr::RemotePartyId, hdr::Diversion, hdr::Contact, hdr::CSeq, hdr::MaxForwards, hdr::Expires,
           hdr::MinExpires, hdr::ContentLength, hdr::RSeq, hdr::MaxBreadth, hdr::RAck, hdr::SessionExpires,
           hdr::MinSe, hdr::RetryAfter, hdr::Timestamp, hdr::CallId, hdr::ContentType, hdr::Event,
           hdr::Privacy, hdr::Reason, hdr::Authorization, hdr::ProxyAuthorization, hdr::WwwAuthenticate,
           hdr::ProxyAuthenticate, hdr::AuthenticationInfo, hdr::Supported, hdr::Require, hdr::ProxyRequire,
           hdr::Unsupported, hdr::AllowEvents, hdr::Allow>(m);
}

void check_fields(const Message& m) {
  std::size_t count = 0;
  const HeaderField* last = nullptr;
  for (const HeaderField* f = m.next_field(nullptr); f != nullptr; f = m.next_field(f)) {
    require(inside(f->line(), m.bytes()) && inside(f->value(), f->line()) && inside(f->name(), f->line()),
            "field views");
    require(m.bytes().data() + f->offset() == f->line().data(), "field offset");
    require(f->malformed() || f->id() == header_id(f->name()), "the id of a field is that of its name");
    require(last == nullptr || last->line().data() + last->line().size() == f->line().data(),
            "fields follow each other");
    last = f;
    ++count;
  }
  require(count == m.headers_indexed() && m.headers_complete(), "all fields are indexed");
}

/// White space before the first `;` changes nothing, but takes a Via off the short way of its parser.
void check_via(const Via& via, Arena& arena) {
  if (via.params.empty()) return;
  const auto at = static_cast<std::size_t>(via.params.data() - via.text.data());
  std::string spaced(via.text);
  spaced.insert(at, 1, ' ');
  const auto again = parse_via(spaced, arena);
  if (!again && again.error().code == Errc::no_memory) return;
  require(bool{again}, "both ways parse");
  require((*again)->transport == via.transport && (*again)->sent_by == via.sent_by &&
              (*again)->port == via.port && (*again)->branch == via.branch &&
              (*again)->received == via.received && (*again)->maddr == via.maddr &&
              (*again)->params == via.params && (*again)->has_rport == via.has_rport &&
              (*again)->rport == via.rport && (*again)->rport_text == via.rport_text &&
              (*again)->ttl == via.ttl,
          "both ways find the same");
}

void fuzz_message(std::string_view bytes) {
  Room room;
  StartLineError bad_start;
  const auto parsed = Message::parse(bytes, room.arena, &bad_start);
  if (!parsed) return;
  const Message& m = **parsed;
  for (std::size_t n = 0; n < 4; ++n) {
    const auto via = m.via(n);
    if (!via) continue;
    require(inside((*via)->text, bytes) && inside((*via)->host, (*via)->text), "Via views");
    Room other;
    check_via(**via, other.arena);
  }
  get_all(m);
  get_all(m);
  check_fields(m);
  require(m.wire_bytes().size() <= m.bytes().size() && inside(m.body(), m.bytes()),
          "body lies in the message");
  if (m.is_request()) {
    check_request(m, {.checks = 0xFFFFFFFF, .uris = 15});
    check_request(m);
  } else {
    check_response(m);
  }
  (void)dialog_id(m);
  (void)parse_uri(m.start().uri);
  for (const HeaderField* f = m.find(HeaderId::contact); f != nullptr; f = m.next_same(*f)) {
    if (const auto contact = m.get<hdr::Contact>(*f)) (void)parse_uri((*contact)->uri);
  }
}

/// A message indexed by the lines found before parsing is the message indexed without them.
void fuzz_line_index(std::string_view bytes) {
  LineIndex lines;
  if (bytes.empty() || bytes.size() > Message::kMaxSize || bytes.front() == '\r' || bytes.front() == '\n')
    return;
  scan_lines(bytes, lines);
  for (const ScanWay way : {ScanWay::bytewise, ScanWay::sse2, ScanWay::avx2}) {
    if (!can_scan(way)) continue;
    LineIndex same;
    same.scan = scan_lines(bytes, {same.ends.data(), same.shapes.data(), same.ends.size()}, way);
    const std::size_t kept = std::min<std::size_t>(lines.scan.count, LineIndex::kRoom);
    require(same.scan.count == lines.scan.count && same.scan.blank_line == lines.scan.blank_line &&
                same.scan.header_end == lines.scan.header_end && same.scan.complete == lines.scan.complete &&
                same.scan.bare_cr == lines.scan.bare_cr &&
                std::memcmp(same.ends.data(), lines.ends.data(), kept * sizeof lines.ends[0]) == 0 &&
                std::memcmp(same.shapes.data(), lines.shapes.data(), kept) == 0,
            "all ways of scanning find the same");
  }
  require(lines.scan.blank_line <= lines.scan.header_end && lines.scan.header_end <= bytes.size(),
          "lines lie in the text");
  Room room_a, room_b;
  StartLineError bad_a, bad_b;
  const auto parsed_a = Message::parse(bytes, room_a.arena, &bad_a);
  const auto parsed_b = Message::parse(bytes, room_b.arena, &bad_b, &lines);
  require(bool{parsed_a} == bool{parsed_b}, "lines do not change what parses");
  if (!parsed_a) return;
  const Message& a = **parsed_a;
  const Message& b = **parsed_b;
  require(a.header_end_offset() == b.header_end_offset() && a.blank_line_offset() == b.blank_line_offset(),
          "the header ends at the same place");
  const auto whole_a = a.index_all();
  const auto whole_b = b.index_all();
  require(bool{whole_a} == bool{whole_b}, "the header is as good");
  require(a.headers_indexed() == b.headers_indexed() && a.body() == b.body(),
          "as many fields, the same body");
  const HeaderField* of_b = b.next_field(nullptr);
  for (const HeaderField* f = a.next_field(nullptr); f != nullptr;
       f = a.next_field(f), of_b = b.next_field(of_b)) {
    require(of_b != nullptr && f->id() == of_b->id() && f->line().data() == of_b->line().data() &&
                f->line() == of_b->line() && f->name() == of_b->name() && f->value() == of_b->value(),
            "the same fields");
  }
}

void fuzz_uri(std::string_view text) {
  const auto left = split_off(text, '|');
  const auto a = parse_uri(left);
  const auto b = parse_uri(text);
  for (const auto* uri : {&a, &b}) {
    if (!*uri) continue;
    require(equal(**uri, **uri), "a URI equals itself");
    std::string out((*uri)->text.size() + 8, '\0');
    const auto size = print_uri(**uri, out);
    require(bool{size}, "a URI prints in its own size");
    const auto again = parse_uri(std::string_view(out).substr(0, *size));
    require(again && again->user == (*uri)->user && again->host == (*uri)->host &&
                again->port == (*uri)->port && again->params == (*uri)->params &&
                again->headers == (*uri)->headers && again->rest == (*uri)->rest,
            "a printed URI has the same parts");
    const auto aor = canonical_aor(**uri, out);
    require(aor || (*uri)->scheme == UriScheme::other, "every sip and tel URI has an AoR");
    (void)(*uri)->port_or_default();
    (void)(*uri)->host_port();
  }
  if (a && b) require(equal(*a, *b) == equal(*b, *a), "equality is symmetric");
}

void fuzz_framing(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t piece = static_cast<unsigned char>(bytes[0]) % 64 + 1U;
  bytes.remove_prefix(1);
  StreamFramer framer({4096, 6000});
  StreamFramer whole_framer({4096, 6000});
  std::string buffer, messages, whole_messages;
  bool broken = false;
  for (std::size_t at = 0; at < bytes.size() && !broken; at += piece) {
    buffer += bytes.substr(at, piece);
    for (;;) {
      const Frame frame = framer.next(buffer);
      require(frame.consumed <= buffer.size(), "no more consumed than there is");
      broken = frame.kind == Frame::Kind::error;
      if (broken || frame.kind == Frame::Kind::need_more) break;
      require(frame.consumed > 0, "progress");
      if (frame.kind == Frame::Kind::message) messages += std::string(frame.bytes) + '|';
      buffer.erase(0, frame.consumed);
    }
  }
  for (std::string_view rest = bytes;;) {
    const Frame frame = whole_framer.next(rest);
    if (frame.kind == Frame::Kind::need_more || frame.kind == Frame::Kind::error) break;
    if (frame.kind == Frame::Kind::message) whole_messages += std::string(frame.bytes) + '|';
    rest.remove_prefix(frame.consumed);
  }
  require(messages == whole_messages, "the cut of the stream makes no difference");
}

void fuzz_auth(std::string_view text) {
  Room room;
  if (const auto c = parse_credentials(text, room.arena)) {
    require(inside((*c)->raw, text) && inside((*c)->username, (*c)->raw), "credential views");
    std::string out((*c)->username.size(), '\0');
    require(bool{unquote((*c)->username, out)}, "unquoted text is never longer");
    (void)(*c)->complete();
  }
  (void)parse_challenge(text, room.arena);
  (void)parse_authentication_info(text, room.arena);
  (void)parse_token_list(text, room.arena);
  (void)parse_method_set(text, room.arena);
}

/// Edits whose places and texts come from the message's own bytes, then write, then parse again.
void fuzz_edits(std::string_view bytes) {
  Room room;
  const auto parsed = Message::parse(bytes, room.arena);
  if (!parsed) return;
  const Message& m = **parsed;
  std::string out(bytes.size() + 100000, '\0');
  auto size = write(m, nullptr, {}, out);
  require(size && std::string_view(out).substr(0, *size) == m.wire_bytes(),
          "a message without edits stays as it is");
  Room again;
  const auto copy = Message::parse(std::string_view(out).substr(0, *size), again.arena);
  require(bool{copy}, "what was written parses");
  require((*copy)->start().line == m.start().line && (*copy)->body() == m.body(),
          "what was written is the same message");
  (void)m.index_all();
  (void)(*copy)->index_all();
  require((*copy)->headers_indexed() == m.headers_indexed(), "the same header fields");

  EditList edits(room.arena, m);
  std::uint32_t seed = 2166136261U;
  for (const char c : bytes.substr(0, 256)) seed = (seed ^ static_cast<unsigned char>(c)) * 16777619U;
  const std::size_t total = m.bytes().size();
  for (unsigned i = 0; i < 24; ++i) {
    seed = seed * 1664525U + 1013904223U;
    const std::size_t at = (seed >> 8) % (total + 1);
    const std::size_t count = std::min<std::size_t>((seed >> 4) % 9, total - at);
    const auto branch = static_cast<std::uint16_t>(seed % 3 == 0 ? kAllBranches : seed % 3);
    (void)edits.replace(m.bytes().substr(at, count), std::string_view("<edit>").substr(seed % 7), branch);
  }
  for (const std::uint16_t branch : {kAllBranches, std::uint16_t{1}, std::uint16_t{2}}) {
    const std::size_t bound = written_size(m, &edits, {.branch = branch, .request_uri = "sip:x@y"});
    size = write(m, &edits, {.branch = branch, .request_uri = "sip:x@y"},
                 std::span(out).first(std::min(bound, out.size())));
    require(size || size.error().code == Errc::overlap, "the bound suffices");
  }
}

void fuzz_reply(std::string_view bytes) {
  Room room;
  StartLineError bad_start;
  const auto parsed = Message::parse(bytes, room.arena, &bad_start);
  if (!parsed || (*parsed)->is_response()) return;
  const Message& m = **parsed;
  for (const std::uint16_t status : std::array<std::uint16_t, 3>{100, 200, 400}) {
    const ReplySpec spec{.status = status, .to_tag = "t", .server = "s", .via = {"192.0.2.1", 5062, true}};
    std::string out(reply_size(m, spec), '\0');
    const auto size = write_reply(m, spec, out);
    require(bool{size}, "the bound of a reply suffices");
    Room again;
    const auto reply = Message::parse(std::string_view(out).substr(0, *size), again.arena);
    require(reply && (*reply)->status() == status, "a reply parses");
    if (m.via(0)) {
      const auto via = (*reply)->via(0);
      require(via && (*via)->rport == 5062 && (*via)->received == "192.0.2.1", "the Via is stamped");
      require((*via)->branch == (*m.via(0))->branch, "the branch comes back");
    }
    if (!m.index_all()) continue;
    require(bool{(*reply)->index_all()}, "a reply is well formed");
    if (m.find(HeaderId::content_length) == nullptr) require((*reply)->body().empty(), "no body");
  }
  std::string out(bytes.size() + 1000, '\0');
  if (const auto size = write_cancel(m, {}, out)) {
    Room again;
    const auto cancel = Message::parse(std::string_view(out).substr(0, *size), again.arena, &bad_start);
    require(cancel && (*cancel)->method() == Method::cancel && (*cancel)->via(0), "a CANCEL parses");
  }
}

void check_derived(const Result<std::size_t>& size, std::string_view out, Method method) {
  require(size || size.error().code != Errc::no_space, "the bound of a derived request suffices");
  if (!size) return;
  Room room;
  const std::string bytes(out.substr(0, *size));
  const auto parsed = Message::parse(bytes, room.arena);
  require(parsed && (*parsed)->method() == method, "a derived request parses");
  require((*parsed)->index_all() && (*parsed)->body().empty(), "a derived request is well formed");
  const auto cseq = (*parsed)->get<hdr::CSeq>();
  require(cseq && (*cseq)->method == method, "its CSeq names its method");
  if (const auto via = (*parsed)->via(0)) require(!(*parsed)->via(1), "it has one Via");
  for (const HeaderId id : {HeaderId::via, HeaderId::from, HeaderId::to, HeaderId::call_id}) {
    require((*parsed)->find(id) != nullptr && (*parsed)->find(id, 1) == nullptr,
            "what is copied is there once");
  }
}

/// A request as sent, NUL, a response: CANCEL and ACK from bytes, ACK for a 2xx from messages.
void fuzz_derive(std::string_view text) {
  const std::string sent(split_off(text, '\0'));
  const std::string answer(text);
  std::string out(derived_size(sent, answer, {}), '\0');
  check_derived(write_cancel(sent, {}, out), out, Method::cancel);
  Room room;
  const auto response = Message::parse(answer, room.arena);
  if (!response) return;
  check_derived(write_ack(sent, **response, {}, out), out, Method::ack);
  const auto invite = Message::parse(sent, room.arena);
  if (!invite) return;
  out.resize(2 * (sent.size() + 3 * answer.size()) + 1000);
  check_derived(write_ack_2xx(**invite, **response, {.via = "Via: SIP/2.0/UDP a\r\n"}, out), out,
                Method::ack);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // std::string keeps the NUL behind the bytes that a message needs, and its own allocation shows overruns.
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0:
      fuzz_message(bytes);
      break;
    case 1:
      fuzz_line_index(bytes);
      break;
    case 2:
      fuzz_uri(bytes);
      break;
    case 3:
      fuzz_framing(bytes);
      break;
    case 4:
      fuzz_auth(bytes);
      break;
    case 5:
      fuzz_edits(bytes);
      break;
    case 6:
      fuzz_reply(bytes);
      break;
    default:
      fuzz_derive(bytes);
      break;
  }
  return 0;
}
