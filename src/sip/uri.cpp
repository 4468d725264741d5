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

struct Parser {
  std::string_view text;
  Uri uri;

  Error at(const char* where, const char* what, Errc code = Errc::syntax) const noexcept {
    return {code, static_cast<std::uint32_t>(where - text.data()), what};
  }

  Result<void> part(std::string_view part, std::uint8_t bit, const char* what) const noexcept {
    const std::size_t bad = check(part, bit, true);
    if (bad != kFine) return at(part.data() + bad, what);
    return {};
  }

  Result<void> user_info(std::string_view info) noexcept {
    const std::size_t colon = info.find(':');
    uri.user = info.substr(0, colon);
    uri.has_user = true;
    if (uri.user.empty()) return at(info.data(), "empty user in URI");
    TRY_VOID(part(uri.user, kUser, "illegal character in user of URI"));
    if (colon == std::string_view::npos) return {};
    uri.has_password = true;
    uri.password = info.substr(colon + 1);
    return part(uri.password, kPassword, "illegal character in password of URI");
  }

  Result<void> host_port(std::string_view hp) noexcept {
    std::size_t end = 0;
    if (!hp.empty() && hp[0] == '[') {
      end = hp.find(']');
      if (end == std::string_view::npos) return at(hp.data(), "unclosed IPv6 reference in URI");
      const auto inner = hp.substr(1, end - 1);
      const std::size_t bad = check(inner, kV6, false);
      if (bad != kFine) return at(inner.data() + bad, "illegal character in IPv6 reference");
      const std::size_t colon = inner.find(':');
      if (colon == std::string_view::npos || inner.find(':', colon + 1) == std::string_view::npos) {
        return at(hp.data(), "no IPv6 address in brackets");
      }
      ++end;
    } else {
      while (end < hp.size() && (kClasses[static_cast<unsigned char>(hp[end])] & kHost) != 0) ++end;
      if (end == 0) return at(hp.data(), "no host in URI");
    }
    uri.host = hp.substr(0, end);
    if (end == hp.size()) return {};
    if (hp[end] != ':') return at(hp.data() + end, "illegal character in host of URI");
    const auto digits = hp.substr(end + 1);
    const auto port = parse_u32(digits);
    if (!port) return at(digits.data(), "bad port in URI");
    if (*port == 0 || *port > 65535) return at(digits.data(), "port of URI out of range", Errc::out_of_range);
    uri.port = static_cast<std::uint16_t>(*port);
    return {};
  }

  Result<Uri> sip(std::string_view rest) noexcept {
    // An @ stands unescaped nowhere but after the user part, whatever else that part holds (`;`, `?`, `/`).
    const std::size_t at_sign = rest.find('@');
    if (at_sign != std::string_view::npos) {
      TRY_VOID(user_info(rest.substr(0, at_sign)));
      rest.remove_prefix(at_sign + 1);
    }
    const std::size_t end = rest.find_first_of(";?");
    TRY_VOID(host_port(rest.substr(0, end)));
    if (end == std::string_view::npos) return uri;
    if (rest[end] == ';') {
      rest.remove_prefix(end + 1);
      const std::size_t question = rest.find('?');
      uri.params = rest.substr(0, question);
      TRY_VOID(part(uri.params, kParam, "illegal character in parameters of URI"));
      if (question == std::string_view::npos) return uri;
      uri.headers = rest.substr(question + 1);
    } else {
      uri.headers = rest.substr(end + 1);
    }
    TRY_VOID(part(uri.headers, kHeader, "illegal character in headers of URI"));
    return uri;
  }

  Result<Uri> tel(std::string_view rest) noexcept {
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
        return at(uri.user.data() + i, "illegal character in telephone number");
      }
    }
    if (!digit) return at(rest.data(), "no digit in telephone number");
    if (end == std::string_view::npos) return uri;
    uri.params = rest.substr(end + 1);
    TRY_VOID(part(uri.params, kParam, "illegal character in parameters of URI"));
    return uri;
  }
};

UriScheme scheme_of(std::string_view name) noexcept {
  if (name.size() == 3 && iequals(name, "sip")) return UriScheme::sip;
  if (name.size() == 4 && iequals(name, "sips")) return UriScheme::sips;
  if (name.size() == 3 && iequals(name, "tel")) return UriScheme::tel;
  return UriScheme::other;
}

/// Splits `piece` at the first `=`.
UriParam split_param(std::string_view piece) noexcept {
  const std::size_t equals = piece.find('=');
  if (equals == std::string_view::npos) return {piece, {}, false};
  return {piece.substr(0, equals), piece.substr(equals + 1), true};
}

}  // namespace

Result<Uri> parse_uri(std::string_view text) noexcept {
  Parser parser{text, {}};
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {Errc::syntax, "no scheme in URI"};
  const auto scheme = text.substr(0, colon);
  if (scheme.empty() || !is_alpha(scheme[0])) return {Errc::syntax, "bad scheme in URI"};
  const std::size_t bad = check(scheme, kScheme, false);
  if (bad != kFine) return {Errc::syntax, "bad scheme in URI", static_cast<std::uint32_t>(bad)};
  parser.uri.text = text;
  parser.uri.scheme_text = scheme;
  parser.uri.scheme = scheme_of(scheme);
  const auto rest = text.substr(colon + 1);
  switch (parser.uri.scheme) {
    case UriScheme::sip:
    case UriScheme::sips:
      return parser.sip(rest);
    case UriScheme::tel:
      return parser.tel(rest);
    case UriScheme::other:
      break;
  }
  if (rest.empty())
    return {Errc::syntax, "nothing after the scheme of URI", static_cast<std::uint32_t>(colon)};
  TRY_VOID(parser.part(rest, kOpaque, "illegal character in URI"));
  parser.uri.rest = rest;
  return parser.uri;
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
