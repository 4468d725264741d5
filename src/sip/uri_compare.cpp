// SPDX-License-Identifier: Apache-2.0
#include "sip/uri_compare.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.h"

namespace ser::sip {

namespace {

constexpr std::size_t kMaxPieces = 32;

/// Parameters or headers of one URI, indexed once so that a comparison stays linear in the text.
struct Pieces {
  std::array<UriParam, kMaxPieces> list{};
  std::size_t count = 0;
  bool too_many = false;

  using Next = bool (*)(std::string_view&, UriParam&) noexcept;
  Pieces(std::string_view text, Next next) noexcept {
    UriParam piece;
    while (next(text, piece)) {
      if (count == kMaxPieces) {
        too_many = true;
        return;
      }
      list[count++] = piece;
    }
  }

  const UriParam* find(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      if (equal_escaped(list[i].name, name, true)) return &list[i];
    }
    return nullptr;
  }
};

bool is_reserved(char c) noexcept {
  return std::string_view(";/?:@&=+$,").find(c) != std::string_view::npos;
}

/// Takes one character off: 0..255 a plain one, 256 + byte an escaped one of the reserved set.
unsigned take(std::string_view& text) noexcept {
  if (text[0] == '%' && text.size() > 2) {
    const int high = hex_value(text[1]);
    const int low = hex_value(text[2]);
    if (high >= 0 && low >= 0) {
      const auto byte = static_cast<unsigned>(high << 4 | low);
      text.remove_prefix(3);
      return is_reserved(static_cast<char>(byte)) ? 256 + byte : byte;
    }
  }
  const auto byte = static_cast<unsigned char>(text[0]);
  text.remove_prefix(1);
  return byte;
}

bool is_special(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 5> names{"transport", "user", "ttl", "method", "maddr"};
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view special) { return equal_escaped(name, special, true); });
}

/// Half of the comparison: what `a` has must match in `b`, or be of no meaning there.
bool params_match(const Pieces& a, const Pieces& b) noexcept {
  for (std::size_t i = 0; i < a.count; ++i) {
    const UriParam& mine = a.list[i];
    if (a.find(mine.name) != &mine) continue;  // the first of a name counts, as Uri::param() has it
    const UriParam* other = b.find(mine.name);
    if (other == nullptr) {
      if (is_special(mine.name)) return false;
      continue;
    }
    // Methods are the one case-sensitive parameter (RFC 3261 7.1).
    const bool ignore_case = !equal_escaped(mine.name, "method", true);
    if (!equal_escaped(mine.value, other->value, ignore_case)) return false;
  }
  return true;
}

bool headers_match(const Pieces& a, const Pieces& b) noexcept {
  if (a.count != b.count) return false;
  std::uint32_t used = 0;
  for (std::size_t i = 0; i < a.count; ++i) {
    std::size_t j = 0;
    while (j < b.count && ((used >> j & 1U) != 0 || !equal_escaped(a.list[i].name, b.list[j].name, true) ||
                           !equal_escaped(a.list[i].value, b.list[j].value, true))) {
      ++j;
    }
    if (j == b.count) return false;
    used |= 1U << j;
  }
  return true;
}

bool equal_sip(const Uri& a, const Uri& b) noexcept {
  if (a.port != b.port || a.has_user != b.has_user || a.has_password != b.has_password) return false;
  if (!iequals(a.host, b.host)) return false;
  if (!equal_escaped(a.user, b.user, false) || !equal_escaped(a.password, b.password, false)) return false;
  if (a.params.empty() && b.params.empty() && a.headers.empty() && b.headers.empty()) return true;
  const Pieces pa(a.params, next_uri_param);
  const Pieces pb(b.params, next_uri_param);
  const Pieces ha(a.headers, next_uri_header);
  const Pieces hb(b.headers, next_uri_header);
  if (pa.too_many || pb.too_many || ha.too_many || hb.too_many) return false;
  return params_match(pa, pb) && params_match(pb, pa) && headers_match(ha, hb);
}

bool is_separator(char c) noexcept {
  return c == '-' || c == '.' || c == '(' || c == ')';
}

/// Numbers without regard to visual separators and to the case of hex digits.
bool equal_digits(std::string_view a, std::string_view b) noexcept {
  for (;;) {
    while (!a.empty() && is_separator(a[0])) a.remove_prefix(1);
    while (!b.empty() && is_separator(b[0])) b.remove_prefix(1);
    if (a.empty() || b.empty()) return a.empty() && b.empty();
    if (to_lower(a[0]) != to_lower(b[0])) return false;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
}

/// RFC 3966: parameters in any order, all of them in both.
bool tel_params_match(const Pieces& a, const Pieces& b) noexcept {
  for (std::size_t i = 0; i < a.count; ++i) {
    const UriParam& mine = a.list[i];
    if (a.find(mine.name) != &mine) continue;
    const UriParam* other = b.find(mine.name);
    if (other == nullptr) return false;
    const bool number = iequals(mine.name, "ext") ||
                        (iequals(mine.name, "phone-context") && !mine.value.empty() && mine.value[0] == '+');
    if (!(number ? equal_digits(mine.value, other->value) : equal_escaped(mine.value, other->value, true)))
      return false;
  }
  return true;
}

bool equal_tel(const Uri& a, const Uri& b) noexcept {
  if (!equal_digits(a.user, b.user)) return false;
  const Pieces pa(a.params, next_uri_param);
  const Pieces pb(b.params, next_uri_param);
  if (pa.too_many || pb.too_many) return false;
  return tel_params_match(pa, pb) && tel_params_match(pb, pa);
}

}  // namespace

bool equal_escaped(std::string_view a, std::string_view b, bool ignore_case) noexcept {
  while (!a.empty() && !b.empty()) {
    unsigned x = take(a);
    unsigned y = take(b);
    if (ignore_case && x < 128 && y < 128) {
      x = static_cast<unsigned char>(to_lower(static_cast<char>(x)));
      y = static_cast<unsigned char>(to_lower(static_cast<char>(y)));
    }
    if (x != y) return false;
  }
  return a.empty() && b.empty();
}

bool equal(const Uri& a, const Uri& b) noexcept {
  if (a.text == b.text) return true;
  if (a.scheme != b.scheme) return false;
  switch (a.scheme) {
    case UriScheme::sip:
    case UriScheme::sips:
      return equal_sip(a, b);
    case UriScheme::tel:
      return equal_tel(a, b);
    case UriScheme::other:
      break;
  }
  return iequals(a.scheme_text, b.scheme_text) && a.rest == b.rest;
}

Result<std::string_view> canonical_aor(const Uri& uri, std::span<char> out) noexcept {
  if (uri.scheme == UriScheme::other) return {Errc::unsupported, "no address-of-record in this scheme"};
  std::size_t n = 0;
  bool full = false;
  const auto put = [&](char c) {
    if (n == out.size()) {
      full = true;
    } else {
      out[n++] = c;
    }
  };
  for (const char c : uri.scheme_text) put(to_lower(c));
  put(':');
  if (uri.scheme == UriScheme::tel) {
    for (const char c : uri.user) {
      if (!is_separator(c)) put(to_lower(c));
    }
  } else {
    if (uri.has_user) {
      TRY(const std::size_t size, unescape(uri.user, out.subspan(n)));
      n += size;
      put('@');
    }
    for (const char c : uri.host) put(to_lower(c));
    if (uri.port != 0) {
      char digits[20];
      put(':');
      for (std::size_t i = 0, count = print_u64(digits, uri.port); i < count; ++i) put(digits[i]);
    }
  }
  if (full) return {Errc::no_space, "no room for the address-of-record"};
  return std::string_view(out.data(), n);
}

}  // namespace ser::sip
