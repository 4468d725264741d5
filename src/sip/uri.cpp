// SPDX-License-Identifier: Apache-2.0
#include "sip/uri.h"

#include <array>
#include <cstring>

#include "base/text.h"

namespace ser::sip {

namespace {

enum : std::uint8_t {
  kUser = 1,
  kPassword = 2,
  kHost = 4,
  kParam = 8,
  kHeader = 16,
  kOpaque = 32,
  kV6 = 64,
  kScheme = 128
};

constexpr void allow(std::array<std::uint8_t, 256>& table, std::string_view chars, unsigned bits) {
  for (const char c : chars) {
    auto& cell = table[static_cast<unsigned char>(c)];
    cell = static_cast<std::uint8_t>(cell | bits);
  }
}

// One table for all parts: which characters may stand where (RFC 3261 25.1 plus what parse_uri() tolerates).
// The percent sign is in none of the escapable classes, so that only one test per character is needed.
constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> t{};
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr unsigned all = kUser | kPassword | kParam | kHeader | kOpaque;
  allow(t, letters, all | kHost | kScheme);
  allow(t, "0123456789", all | kHost | kScheme | kV6);
  allow(t, "abcdefABCDEF:.", kV6);
  allow(t, "-.", kHost | kScheme);
  allow(t, "_", kHost);
  allow(t, "+", kScheme);
  allow(t, "-_.!~*'()", all);
  allow(t, "&=+$,;?/", kUser | kOpaque);
  allow(t, "&=+$,#", kPassword | kOpaque);
  allow(t, "#|^{}`[]", kUser | kParam | kHeader);
  allow(t, "[]/:&+$=;,", kParam | kHeader | kOpaque);
  allow(t, "?", kHeader);
  allow(t, "@%#[]|^{}`\\", kOpaque);
  for (unsigned c = 0x80; c < 0x100; ++c) t[c] = kUser | kOpaque;
  return t;
}
constexpr auto kClasses = make_classes();

constexpr std::size_t kFine = static_cast<std::size_t>(-1);

/// Position of the first character that may not stand in a part of class `bit`; kFine when there is none.
std::size_t check(std::string_view part, std::uint8_t bit, bool escapes) noexcept {
  for (std::size_t i = 0; i < part.size(); ++i) {
    if ((kClasses[static_cast<unsigned char>(part[i])] & bit) != 0) continue;
    if (!escapes || part[i] != '%' || part.size() - i < 3 || hex_value(part[i + 1]) < 0 ||
        hex_value(part[i + 2]) < 0) {
      return i;
    }
    i += 2;
  }
  return kFine;
}

/// The scheme as one number in lower case: letters compare with one instruction then.
constexpr std::uint32_t word(std::string_view name) noexcept {
  std::uint32_t value = 0;
  for (const char c : name) value = value << 8 | static_cast<unsigned char>(c | 0x20);
  return value;
}

UriScheme scheme_of(std::string_view name) noexcept {
  if (name.size() != 3 && name.size() != 4) return UriScheme::other;
  switch (word(name)) {
    case word("sip"):
      return UriScheme::sip;
    case word("sips"):
      return UriScheme::sips;
    case word("tel"):
      return UriScheme::tel;
    default:
      return UriScheme::other;
  }
}

/// Reads one URI into `uri`. The members say false at the first fault, which is in `error` then.
struct Parser {
  std::string_view text;
  Uri& uri;
  Error error{};

  bool fail(const char* where, const char* what, Errc code = Errc::syntax) noexcept {
    error = {code, static_cast<std::uint32_t>(where - text.data()), what};
    return false;
  }

  bool part(std::string_view piece, std::uint8_t bit, const char* what) noexcept {
    const std::size_t bad = check(piece, bit, true);
    return bad == kFine || fail(piece.data() + bad, what);
  }

  bool user_info(std::string_view info) noexcept {
    std::size_t colon = 0;
    while (colon < info.size() && info[colon] != ':') ++colon;
    uri.user = info.substr(0, colon);
    uri.has_user = true;
    if (uri.user.empty()) return fail(info.data(), "empty user in URI");
    if (!part(uri.user, kUser, "illegal character in user of URI")) return false;
    if (colon == info.size()) return true;
    uri.has_password = true;
    uri.password = info.substr(colon + 1);
    return part(uri.password, kPassword, "illegal character in password of URI");
  }

  /// Moves `at` behind an IPv6 reference.
  bool ipv6_reference(const char*& at, const char* end) noexcept {
    unsigned colons = 0;
    const char* open = at++;
    while (at != end && (kClasses[static_cast<unsigned char>(*at)] & kV6) != 0)
      colons += *at++ == ':' ? 1U : 0U;
    if (at == end) return fail(open, "unclosed IPv6 reference in URI");
    if (*at != ']') return fail(at, "illegal character in IPv6 reference");
    if (colons < 2) return fail(open, "no IPv6 address in brackets");
    ++at;
    return true;
  }

  /// Moves `at` behind host and port.
  bool host_port(const char*& at, const char* end) noexcept {
    const char* begin = at;
    if (at != end && *at == '[') {
      if (!ipv6_reference(at, end)) return false;
    } else {
      while (at != end && (kClasses[static_cast<unsigned char>(*at)] & kHost) != 0) ++at;
      if (at == begin) return fail(at, "no host in URI");
    }
    uri.host = {begin, static_cast<std::size_t>(at - begin)};
    if (at == end || *at != ':') return true;
    const char* digits = ++at;
    std::uint32_t port = 0;
    for (; at != end && is_digit(*at); ++at) {
      port = port * 10 + static_cast<std::uint32_t>(*at - '0');
      if (port > 65535) return fail(digits, "port of URI out of range", Errc::out_of_range);
    }
    if (at == digits) return fail(digits, "bad port in URI");
    if (port == 0) return fail(digits, "port of URI out of range", Errc::out_of_range);
    uri.port = static_cast<std::uint16_t>(port);
    return true;
  }

  bool sip(std::string_view rest) noexcept {
    // An @ stands unescaped nowhere but after the user part, whatever else that part holds (`;`, `?`, `/`).
    const std::size_t at_sign = rest.find('@');
    if (at_sign != std::string_view::npos) {
      if (!user_info(rest.substr(0, at_sign))) return false;
      rest.remove_prefix(at_sign + 1);
    }
    const char* at = rest.data();
    const char* end = at + rest.size();
    if (!host_port(at, end)) return false;
    if (at == end) return true;
    const char mark = *at++;
    const std::string_view tail(at, static_cast<std::size_t>(end - at));
    if (mark == '?') {
      uri.headers = tail;
    } else if (mark == ';') {
      const std::size_t question = tail.find('?');
      uri.params = tail.substr(0, question);
      if (!part(uri.params, kParam, "illegal character in parameters of URI")) return false;
      if (question == std::string_view::npos) return true;
      uri.headers = tail.substr(question + 1);
    } else {
      return fail(at - 1, "illegal character in host of URI");
    }
    return part(uri.headers, kHeader, "illegal character in headers of URI");
  }

  bool tel(std::string_view rest) noexcept {
    const std::size_t end = rest.find(';');
    uri.user = rest.substr(0, end);
    uri.has_user = true;
    const bool global = !uri.user.empty() && uri.user[0] == '+';
    bool digit = false;
    for (std::size_t i = global ? 1 : 0; i < uri.user.size(); ++i) {
      const char c = uri.user[i];
      if (is_digit(c) || (!global && (c == '*' || c == '#' || hex_value(c) >= 0))) {
        digit = true;
      } else if (c != '-' && c != '.' && c != '(' && c != ')') {
        return fail(uri.user.data() + i, "illegal character in telephone number");
      }
    }
    if (!digit) return fail(rest.data(), "no digit in telephone number");
    if (end == std::string_view::npos) return true;
    uri.params = rest.substr(end + 1);
    return part(uri.params, kParam, "illegal character in parameters of URI");
  }

  bool run() noexcept {
    std::size_t colon = 0;
    while (colon < text.size() && (kClasses[static_cast<unsigned char>(text[colon])] & kScheme) != 0) ++colon;
    if (colon == text.size()) return fail(text.data(), "no scheme in URI");
    if (colon == 0 || text[colon] != ':' || !is_alpha(text[0]))
      return fail(text.data() + colon, "bad scheme in URI");
    uri.text = text;
    uri.scheme_text = text.substr(0, colon);
    uri.scheme = scheme_of(uri.scheme_text);
    const auto rest = text.substr(colon + 1);
    if (uri.is_sip()) return sip(rest);
    if (uri.scheme == UriScheme::tel) return tel(rest);
    if (rest.empty()) return fail(text.data() + colon, "nothing after the scheme of URI");
    uri.rest = rest;
    return part(rest, kOpaque, "illegal character in URI");
  }
};

/// Splits `piece` at the first `=`.
UriParam split_param(std::string_view piece) noexcept {
  const std::size_t equals = piece.find('=');
  if (equals == std::string_view::npos) return {piece, {}, false};
  return {piece.substr(0, equals), piece.substr(equals + 1), true};
}

}  // namespace

Result<Uri> parse_uri(std::string_view text) noexcept {
  Result<Uri> result{Uri{}};
  Parser parser{text, *result};
  if (!parser.run()) result = parser.error;
  return result;
}

bool next_uri_param(std::string_view& rest, UriParam& param) noexcept {
  while (!rest.empty()) {
    const auto piece = split_off(rest, ';');
    if (piece.empty()) continue;
    param = split_param(piece);
    return true;
  }
  return false;
}

bool next_uri_header(std::string_view& rest, UriParam& header) noexcept {
  while (!rest.empty()) {
    const auto piece = split_off(rest, '&');
    if (piece.empty()) continue;
    header = split_param(piece);
    return true;
  }
  return false;
}

std::optional<std::string_view> Uri::param(std::string_view name) const noexcept {
  std::string_view left = params;
  UriParam found;
  while (next_uri_param(left, found)) {
    if (iequals(found.name, name)) return found.value;
  }
  return std::nullopt;
}

std::uint16_t Uri::port_or_default() const noexcept {
  if (port != 0) return port;
  if (scheme == UriScheme::sips) return 5061;
  const auto transport = param("transport");
  return transport && iequals(*transport, "tls") ? 5061 : 5060;
}

std::string_view Uri::host_port() const noexcept {
  if (port == 0) return host;
  const char* end = host.data() + host.size() + 1;
  const char* last = text.data() + text.size();
  while (end != last && is_digit(*end)) ++end;
  return {host.data(), static_cast<std::size_t>(end - host.data())};
}

Result<std::size_t> unescape(std::string_view text, std::span<char> out) noexcept {
  std::size_t n = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (n == out.size()) return {Errc::no_space, "no room for the unescaped text"};
    char c = text[i];
    if (c == '%' && text.size() - i > 2) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high << 4 | low);
        i += 2;
      }
    }
    out[n++] = c;
  }
  return n;
}

Result<std::size_t> print_uri(const Uri& uri, std::span<char> out) noexcept {
  char digits[20];
  const std::size_t count = uri.port != 0 ? print_u64(digits, uri.port) : 0;
  std::array<std::string_view, 13> parts{};
  std::size_t n = 0;
  const auto add = [&](std::string_view before, std::string_view part) {
    parts[n++] = before;
    parts[n++] = part;
  };
  parts[n++] = uri.scheme_text;
  add(":", uri.scheme == UriScheme::other ? uri.rest : uri.user);
  if (uri.is_sip()) {
    if (uri.has_user && uri.has_password) add(":", uri.password);
    add(uri.has_user ? "@" : "", uri.host);
    if (count != 0) add(":", {digits, count});
  }
  if (!uri.params.empty()) add(";", uri.params);
  if (!uri.headers.empty()) add("?", uri.headers);
  std::size_t size = 0;
  for (const auto part : parts) {
    if (part.empty()) continue;
    if (part.size() > out.size() - size) return {Errc::no_space, "no room for the URI"};
    std::memcpy(out.data() + size, part.data(), part.size());
    size += part.size();
  }
  return size;
}

}  // namespace ser::sip
