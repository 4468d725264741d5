// SPDX-License-Identifier: Apache-2.0
#include "sip/via.h"

#include <cstring>

#include "base/text.h"
#include "sip/scanner.h"
#include "sip/value_reader.h"

namespace ser::sip {

namespace {

constexpr char kUsualProtocol[] = "SIP/2.0/";
constexpr std::size_t kUsualSize = sizeof kUsualProtocol - 1;
constexpr std::string_view kUdpProtocol = "SIP/2.0/UDP ";
constexpr std::string_view kBranchParam = ";branch=";
constexpr std::string_view kRportParam = ";rport";

/// `SIP / 2.0 / transport LWS`; another name or version is legal, and needed to answer a SIP/7.0 request with
/// 505.
Result<void> read_protocol(Cursor& cursor, Via& via) noexcept {
  if (cursor.rest().size() > kUsualSize && std::memcmp(cursor.position(), kUsualProtocol, kUsualSize) == 0) {
    cursor.advance(kUsualSize);
    cursor.skip_lws();
  } else {
    const std::string_view name = cursor.token();
    if (name.empty() || !cursor.take_separator('/')) return {Errc::syntax, "malformed protocol in Via"};
    const std::string_view version = cursor.token();
    if (version.empty() || !cursor.take_separator('/')) return {Errc::syntax, "malformed protocol in Via"};
    via.other_version = version != "2.0" || !iequals(name, "SIP");
  }
  via.transport = cursor.token();
  if (via.transport.empty()) return {Errc::syntax, "Via without transport"};
  if (!cursor.skip_lws()) return {Errc::syntax, "no white space after transport in Via"};
  return {};
}

/// A port, TTL or the like that must be the whole of `text`.
Result<void> read_number(std::string_view text, std::uint64_t min, std::uint64_t max,
                         std::uint64_t& value) noexcept {
  Cursor cursor(text);
  if (!cursor.number(value) || !cursor.at_end()) return {Errc::syntax, "malformed number in Via"};
  if (value < min || value > max) return {Errc::out_of_range, "number out of range in Via"};
  return {};
}

/// `host [ : port ]`.
Result<void> read_sent_by(Cursor& cursor, Via& via) noexcept {
  via.host = cursor.host();
  if (via.host.empty()) return {Errc::syntax, "malformed host in Via"};
  via.sent_by = via.host;
  if (!cursor.next_is(':') && (!cursor.skip_lws() || !cursor.next_is(':'))) return {};
  cursor.advance(1);
  cursor.skip_lws();
  std::uint64_t port = 0;
  if (!cursor.number(port)) return {Errc::syntax, "malformed port in Via"};
  if (port == 0 || port > 65535) return {Errc::out_of_range, "port out of range in Via"};
  via.port = static_cast<std::uint16_t>(port);
  via.sent_by = cursor.since(via.host.data());
  return {};
}

Result<void> set_once(std::string_view& field, const Param& param) noexcept {
  if (!param.has_value || param.quoted) return {Errc::syntax, "malformed parameter in Via"};
  if (!field.empty()) return {Errc::syntax, "parameter twice in Via"};
  field = param.value;
  return {};
}

Result<void> apply_rport(const Param& param, Via& via) noexcept {
  if (via.has_rport) return {Errc::syntax, "parameter twice in Via"};
  via.has_rport = true;
  via.rport_text = param.has_value ? param.value : std::string_view(param.name.data() + param.name.size(), 0);
  if (!param.has_value) return {};
  std::uint64_t port = 0;
  Result<void> verdict = read_number(param.value, 1, 65535, port);
  via.rport = static_cast<std::uint16_t>(port);
  return verdict;
}

Result<void> apply_ttl(const Param& param, Via& via) noexcept {
  if (via.ttl >= 0) return {Errc::syntax, "parameter twice in Via"};
  std::uint64_t ttl = 0;
  Result<void> verdict = read_number(param.value, 0, 255, ttl);
  via.ttl = static_cast<std::int16_t>(ttl);
  return verdict;
}

/// Keeps the parameters that have a meaning for us; all others are only checked for their form.
Result<void> apply(const Param& param, Via& via) noexcept {
  switch (param.name.size() << 8 | static_cast<unsigned char>(to_lower(param.name[0]))) {
    case 6 << 8 | 'b':
      return is_word(param.name, "branch") ? set_once(via.branch, param) : Result<void>{};
    case 5 << 8 | 'r':
      return is_word(param.name, "rport") ? apply_rport(param, via) : Result<void>{};
    case 8 << 8 | 'r':
      return is_word(param.name, "received") ? set_once(via.received, param) : Result<void>{};
    case 5 << 8 | 'm':
      return is_word(param.name, "maddr") ? set_once(via.maddr, param) : Result<void>{};
    case 3 << 8 | 't':
      return iequals(param.name, "ttl") ? apply_ttl(param, via) : Result<void>{};
    default:
      return {};
  }
}

[[gnu::always_inline]] inline bool begins_with(const char* p, const char* end,
                                               std::string_view literal) noexcept {
  return static_cast<std::size_t>(end - p) >= literal.size() &&
         std::memcmp(p, literal.data(), literal.size()) == 0;
}

/// The form nearly every Via has: one value, no white space but after the transport, no quotes, no IPv6.
/// False: it is something else, perhaps malformed; then `via` may be half filled.
bool read_plain(std::string_view text, Via& via) noexcept {
  const auto view = [](const char* from, const char* to) {
    return std::string_view{from, static_cast<std::size_t>(to - from)};
  };
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  if (text.size() <= kUsualSize || std::memcmp(text.data(), kUsualProtocol, kUsualSize) != 0) return false;
  const char* from = text.data() + kUsualSize;
  const char* p =
      begins_with(text.data(), end, kUdpProtocol) ? from + 3 : run_end(begin, from, end, kTokenChar);
  if (p == from || p == end || *p != ' ') return false;
  via.transport = view(from, p);
  from = p + 1;
  p = run_end(begin, from, end, kHostChar);
  if (p == from) return false;
  via.host = view(from, p);
  if (p != end && *p == ':') {
    std::uint32_t port = 0;
    const char* const digits = ++p;
    const char* const most = end - p > 5 ? p + 5 : end;
    for (unsigned digit; p != most && (digit = static_cast<unsigned char>(*p) - unsigned{'0'}) <= 9; ++p)
      port = port * 10 + digit;
    if (p == digits || port == 0 || port > 65535) return false;
    via.port = static_cast<std::uint16_t>(port);
  }
  via.sent_by = view(from, p);
  if (p != end) via.params = view(p, end);
  while (p != end) {
    // The two that nearly every Via has, as they are nearly always written.
    if (begins_with(p, end, kBranchParam) && via.branch.empty()) {
      from = p + kBranchParam.size();
      p = run_end(begin, from, end, kValueChar);
      if (p == from) return false;
      via.branch = view(from, p);
      continue;
    }
    if (begins_with(p, end, kRportParam) && !via.has_rport) {
      const char* const behind = p + kRportParam.size();
      if (behind == end || *behind == ';') {
        via.has_rport = true;
        via.rport_text = view(behind, behind);
        p = behind;
        continue;
      }
    }
    if (*p != ';') return false;
    Param param;
    from = p + 1;
    p = run_end(begin, from, end, kTokenChar);
    if (p == from) return false;
    param.name = view(from, p);
    if (p != end && *p == '=') {
      from = p + 1;
      p = run_end(begin, from, end, kValueChar);
      if (p == from) return false;
      param.value = view(from, p);
      param.has_value = true;
    }
    if (!apply(param, via)) return false;
  }
  via.text = text;
  return true;
}

/// One value, up to a comma or the end.
Result<void> read_value(Cursor& cursor, Via& via) noexcept {
  cursor.skip_lws();
  const char* begin = cursor.position();
  TRY_VOID(read_protocol(cursor, via));
  TRY_VOID(read_sent_by(cursor, via));
  const char* value_end = via.sent_by.data() + via.sent_by.size();
  TRY_VOID(read_params(cursor, via.params, [&](const Param& param) { return apply(param, via); }));
  value_end = end_of(via.params, value_end);
  while (cursor.next_is('(')) {
    if (!cursor.comment()) return {Errc::syntax, "comment not closed in Via"};
    value_end = cursor.position();
    cursor.skip_lws();
  }
  via.text = {begin, static_cast<std::size_t>(value_end - begin)};
  return {};
}

}  // namespace

Result<Via*> parse_via(std::string_view text, Arena& arena) noexcept {
  Via* first = arena.make<Via>();
  if (first == nullptr) return {Errc::no_memory, "no room for a Via"};
  if (read_plain(text, *first)) return first;
  *first = Via{};
  return read_list<Via>(text, arena, read_value, first);
}

}  // namespace ser::sip
