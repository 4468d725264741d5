// SPDX-License-Identifier: Apache-2.0
#include "load/check.h"

#include <strings.h>

#include <cstring>

namespace ser::bench {
namespace {

enum class Kind : std::uint8_t { other, via, max_forwards, record_route };

bool name_is(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || strncasecmp(line.data(), name.data(), name.size()) != 0) return false;
  std::size_t i = name.size();
  while (i < line.size() && (line[i] == ' ' || line[i] == '\t')) ++i;
  return i < line.size() && line[i] == ':';
}

Kind kind_of(std::string_view line) {
  switch (line.empty() ? '\0' : line[0] | 0x20) {
    case 'v':
      return name_is(line, "Via") || name_is(line, "v") ? Kind::via : Kind::other;
    case 'm':
      return name_is(line, "Max-Forwards") ? Kind::max_forwards : Kind::other;
    case 'r':
      return name_is(line, "Record-Route") ? Kind::record_route : Kind::other;
    default:
      return Kind::other;
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view value_of(std::string_view line) {
  return trim(line.substr(line.find(':') + 1));
}

/// The line at `at` without its CRLF; `next` is behind it. False: no CRLF.
bool take_line(std::string_view message, std::size_t at, std::string_view& line, std::size_t& next) {
  const void* end = std::memchr(message.data() + at, '\n', message.size() - at);
  if (end == nullptr) return false;
  const auto stop = static_cast<std::size_t>(static_cast<const char*>(end) - message.data());
  if (stop == at || message[stop - 1] != '\r') return false;
  line = message.substr(at, stop - 1 - at);
  next = stop + 1;
  return true;
}

bool add_vias(std::string_view value, Parts& out) {
  for (;;) {
    const std::size_t comma = value.find(',');
    if (out.via_count == Parts::kMaxVias) return false;
    out.vias[out.via_count++] = trim(value.substr(0, comma));
    if (comma == std::string_view::npos) return true;
    value.remove_prefix(comma + 1);
  }
}

/// Appends [at, next) to a block of neighbouring lines; false if they are not neighbours.
bool extend(std::string_view message, std::string_view& block, std::size_t at, std::size_t next) {
  const std::string_view line = message.substr(at, next - at);
  if (block.empty()) {
    block = line;
  } else if (block.data() + block.size() == line.data()) {
    block = {block.data(), block.size() + line.size()};
  } else {
    return false;
  }
  return true;
}

std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 160)) out += c >= ' ' && c < '\x7f' ? c : '.';
  if (text.size() > 160) out += "...";
  return out + "'";
}

std::string_view line_at(std::string_view message, std::size_t at) {
  while (at > 0 && message[at - 1] != '\n') --at;
  const std::size_t end = message.find('\n', at);
  return message.substr(at, end == std::string_view::npos ? end : end - at);
}

bool is_number(std::string_view text, unsigned value) {
  return text == std::to_string(value);
}

}  // namespace

bool find_id(std::string_view message, std::string_view id_prefix, Id& out) {
  const void* found = memmem(message.data(), message.size(), id_prefix.data(), id_prefix.size());
  if (found == nullptr) return false;
  const auto at =
      static_cast<std::size_t>(static_cast<const char*>(found) - message.data()) + id_prefix.size();
  if (message.size() - at < kSlotDigits + 1 + kSequenceDigits) return false;
  std::uint64_t slot = 0;
  if (!read_hex(message.data() + at, kSlotDigits, slot) || message[at + kSlotDigits] != '-') return false;
  out.slot = static_cast<std::uint32_t>(slot);
  return read_hex(message.data() + at + kSlotDigits + 1, kSequenceDigits, out.sequence);
}

const char* split(std::string_view message, Parts& out) {
  std::size_t at = 0;
  std::string_view line;
  if (!take_line(message, 0, line, at)) return "the first line does not end in CRLF";
  out.first_line = line;
  bool vias_together = true;
  bool routes_together = true;
  for (;;) {
    std::size_t next = 0;
    if (!take_line(message, at, line, next)) return "a header line does not end in CRLF";
    const Kind kind = kind_of(line);
    if (kind == Kind::via) {
      if (!add_vias(value_of(line), out)) return "more than four Via";
      vias_together = vias_together && extend(message, out.via_lines, at, next);
    } else if (kind == Kind::max_forwards) {
      if (!out.max_forwards.empty()) return "two Max-Forwards";
      out.max_forwards = value_of(line);
    } else if (kind == Kind::record_route) {
      if (out.record_route.empty()) out.record_route = value_of(line);
      routes_together = routes_together && extend(message, out.record_route_lines, at, next);
    } else if (out.rest.empty()) {
      out.rest = message.substr(at);
    }
    if (kind != Kind::other && !out.rest.empty()) out.scattered = true;
    if (line.empty()) break;
    at = next;
  }
  if (!vias_together) out.via_lines = {};
  if (!routes_together) out.record_route_lines = {};
  return nullptr;
}

bool own_via(std::string_view got, std::string_view sent_by, std::string_view branch) {
  constexpr std::string_view kProtocol = "SIP/2.0/UDP ";
  if (!got.starts_with(kProtocol)) return false;
  got.remove_prefix(kProtocol.size());
  if (!got.starts_with(sent_by)) return false;
  got.remove_prefix(sent_by.size());
  bool branch_seen = false;
  while (!got.empty()) {
    if (got.front() != ';') return false;
    got.remove_prefix(1);
    const std::size_t end = got.find(';');
    const std::string_view parameter = got.substr(0, end);
    got = end == std::string_view::npos ? std::string_view() : got.substr(end);
    if (parameter.starts_with("branch=")) {
      if (branch_seen || parameter.substr(7) != branch) return false;
      branch_seen = true;
    } else if (!parameter.starts_with("received=") && !parameter.starts_with("rport=")) {
      return false;
    }
  }
  return branch_seen;
}

bool Checker::fail(std::string text) {
  x_why = std::move(text);
  return false;
}

std::string_view Checker::branch(const Id& id) {
  static constexpr char kHex[] = "0123456789abcdef";
  x_branch = x_messages->id_prefix;
  for (unsigned i = kSlotDigits; i-- > 0;) x_branch += kHex[(id.slot >> (4 * i)) & 15];
  x_branch += '-';
  for (unsigned i = kSequenceDigits; i-- > 0;) x_branch += kHex[(id.sequence >> (4 * i)) & 15];
  return x_branch;
}

/// Line by line, with the touched header fields left out of `got`.
bool Checker::compare_lines(std::string_view what, std::string_view got, std::string_view want) {
  std::size_t at = 0;
  std::size_t want_at = 0;
  for (;;) {
    std::string_view line;
    std::size_t next = 0;
    if (!take_line(got, at, line, next)) return fail(std::string(what) + ": header ends early");
    at = next;
    if (kind_of(line) != Kind::other) continue;
    std::string_view wanted;
    if (!take_line(want, want_at, wanted, next)) return fail(std::string(what) + ": header too long");
    want_at = next;
    if (line != wanted)
      return fail(std::string(what) + ": " + quote(line) + " stands where " + quote(wanted) + " was sent");
    if (line.empty()) break;
  }
  if (got.substr(at) != want.substr(want_at)) {
    return fail(std::string(what) + ": the body differs (" + std::to_string(got.size() - at) +
                " bytes, sent " + std::to_string(want.size() - want_at) + ")");
  }
  return true;
}

bool Checker::compare_rest(std::string_view what, std::string_view got, std::string_view want) {
  if (got == want) return true;
  std::size_t i = 0;
  while (i < got.size() && i < want.size() && got[i] == want[i]) ++i;
  return fail(std::string(what) + ": differs from what was sent: " + quote(line_at(got, i)) + " for " +
              quote(line_at(want, i)) + ", lengths " + std::to_string(got.size()) + " and " +
              std::to_string(want.size()));
}

bool Checker::request(std::string_view got, std::string_view sent, Parts& parts, std::size_t route_size) {
  if (const char* wrong = split(got, parts)) return fail(std::string("request at the callee: ") + wrong);
  if (x_options->bare) return compare_rest("request at the callee", got, sent);
  const std::string_view want_line = x_messages->expected_request_line;
  if (got.substr(0, parts.first_line.size() + 2) != want_line) {
    return fail("request at the callee: request line " + quote(parts.first_line) + " instead of " +
                quote(want_line));
  }
  if (parts.via_count != 2)
    return fail("request at the callee: " + std::to_string(parts.via_count) + " Via, not 2");
  Id id;
  if (!find_id(parts.vias[1], x_messages->id_prefix, id) ||
      !own_via(parts.vias[1], x_messages->sent_by, branch(id))) {
    return fail("request at the callee: our Via is not intact below: " + quote(parts.vias[1]));
  }
  constexpr std::string_view kProtocol = "SIP/2.0/UDP ";
  const std::string_view top = parts.vias[0];
  const std::string_view by = top.substr(top.size() < kProtocol.size() ? top.size() : kProtocol.size());
  if (!top.starts_with(kProtocol) || !by.starts_with(x_server) || by.substr(x_server.size(), 1) != ";" ||
      by.find(";branch=z9hG4bK") == std::string_view::npos) {
    return fail("request at the callee: the top Via is not the server's: " + quote(top));
  }
  if (!is_number(parts.max_forwards, kMaxForwards - 1)) {
    return fail("request at the callee: Max-Forwards " + quote(parts.max_forwards) + " instead of " +
                std::to_string(kMaxForwards - 1));
  }
  const bool routed = !parts.record_route.empty();
  if (routed != x_options->record_route) {
    return fail(routed ? "request at the callee: a Record-Route that was not asked for"
                       : "request at the callee: no Record-Route");
  }
  if (routed && (parts.record_route.find(x_server) == std::string_view::npos ||
                 parts.record_route.find(";lr") == std::string_view::npos)) {
    return fail("request at the callee: Record-Route is not the server's: " + quote(parts.record_route));
  }
  const std::string_view want = sent.substr(x_messages->rest_offset + route_size);
  if (parts.scattered) return compare_lines("request at the callee", parts.rest, want);
  return compare_rest("request at the callee", parts.rest, want);
}

bool Checker::can_be_answered(const Parts& parts, std::size_t route_room) {
  if (!parts.via_lines.empty() && (parts.record_route.empty() || !parts.record_route_lines.empty()) &&
      parts.record_route_lines.size() <= route_room) {
    return true;
  }
  return fail("request at the callee: Via or Record-Route lines are scattered or too long");
}

/// `status`: how the first line begins.
bool Checker::reply_head(std::string_view got, const Id& id, std::string_view status, Parts& parts) {
  if (const char* wrong = split(got, parts)) return fail(std::string("reply: ") + wrong);
  if (!parts.first_line.starts_with(status)) return fail("reply: status line " + quote(parts.first_line));
  if (parts.via_count != 1) return fail("reply: " + std::to_string(parts.via_count) + " Via, not ours alone");
  if (!own_via(parts.vias[0], x_messages->sent_by, branch(id))) {
    return fail("reply: our Via is not intact: " + quote(parts.vias[0]));
  }
  return true;
}

bool Checker::forwarded_reply(std::string_view got, const Id& id, std::string_view record_route_lines) {
  x_messages->reply_tail.write(x_want, id.sequence, id.slot);
  const std::string_view want(x_want, x_messages->reply_tail.size());
  Parts parts;
  const std::string_view status(x_messages->status_line.data(), x_messages->status_line.size() - 2);
  if (!reply_head(got, id, status, parts)) return false;
  if (parts.first_line != status) return fail("reply: status line " + quote(parts.first_line));
  if (parts.record_route_lines != record_route_lines)
    return fail("reply: Record-Route is not what the callee sent");
  if (parts.scattered) return compare_lines("reply", parts.rest, want);
  return compare_rest("reply", parts.rest, want);
}

bool Checker::local_reply(std::string_view got, std::string_view sent, const Id& id, unsigned status) {
  if (x_options->bare) return compare_rest("reply", got, sent);
  Parts parts;
  if (!reply_head(got, id, "SIP/2.0 " + std::to_string(status) + ' ', parts)) return false;
  // The four header fields a reply copies, in the order the request has them: From, To, Call-ID, CSeq.
  std::string_view want[4];
  std::size_t at = x_messages->rest_offset;
  for (std::string_view& line : want) {
    if (!take_line(sent, at, line, at)) return fail("internal: request template");
  }
  bool seen[4] = {};
  bool length_seen = false;
  for (at = parts.first_line.size() + 2;;) {
    std::string_view line;
    if (!take_line(got, at, line, at)) return fail("reply: header ends early");
    if (line.empty()) break;
    for (unsigned i = 0; i < 4; ++i) {
      if (!name_is(line, want[i].substr(0, want[i].find(':')))) continue;
      const std::string_view have = value_of(line);
      const std::string_view value = value_of(want[i]);
      const bool to = i == 1 && !(status == 100 && have == value);
      const bool same = to ? have.starts_with(value) && have.substr(value.size()).starts_with(";tag=") &&
                                 have.size() > value.size() + 5
                           : have == value;
      if (!same || seen[i]) return fail("reply: " + quote(line) + " for " + quote(want[i]));
      seen[i] = true;
    }
    if (name_is(line, "Content-Length") || name_is(line, "l")) {
      if (length_seen || value_of(line) != "0")
        return fail("reply: " + quote(line) + " in a reply without body");
      length_seen = true;
    }
  }
  if (at != got.size()) return fail("reply: bytes after the header");
  for (unsigned i = 0; i < 4; ++i) {
    if (!seen[i]) return fail("reply: no " + quote(want[i].substr(0, want[i].find(':'))));
  }
  return true;
}

}  // namespace ser::bench
