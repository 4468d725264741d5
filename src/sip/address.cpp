// SPDX-License-Identifier: Apache-2.0
#include "sip/address.h"

#include "base/text.h"

namespace ser::sip {

namespace {

/// `scheme ":" something`, visible characters only.
bool is_uri_like(std::string_view uri) noexcept {
  if (uri.empty() || !is_alpha(uri[0])) return false;
  Cursor cursor(uri);
  cursor.run(kSchemeChar);
  return cursor.take(':') && !cursor.at_end() && is_visible(uri);
}

Result<void> scan_angle(Cursor& cursor, Address& address) noexcept {
  const std::string_view rest = cursor.rest().substr(1);
  const std::size_t close = rest.find('>');
  if (close == std::string_view::npos) return {Errc::syntax, "angle bracket not closed"};
  address.uri = trim(rest.substr(0, close));
  if (!is_uri_like(address.uri)) return {Errc::syntax, "malformed URI"};
  cursor.advance(close + 2);
  address.angle = true;
  address.end = cursor.position();
  return {};
}

bool is_display_char(char c) noexcept {
  return is_class(c, kTokenChar) || static_cast<unsigned char>(c) >= 0x80;
}

/// Tokens without quotes, up to the `<`.
Result<void> scan_display_tokens(Cursor& cursor, Address& address) noexcept {
  while (!cursor.next_is('<')) {
    const char* word = cursor.position();
    while (!cursor.at_end() && is_display_char(*cursor.position())) cursor.advance(1);
    if (cursor.position() == word) return {Errc::syntax, "malformed display name or URI"};
    address.display = cursor.since(address.begin);
    cursor.skip_lws();
  }
  return {};
}

/// A URI without brackets, the cursor at its first byte.
Result<void> scan_bare_uri(Cursor& cursor, Address& address) noexcept {
  const char* begin = cursor.position();
  while (!cursor.at_end()) {
    const char c = *cursor.position();
    if (c == ';' || c == ',' || is_lws(c)) break;
    if (c == '?' || !is_class(c, kUriChar)) return {Errc::syntax, "malformed URI without angle brackets"};
    cursor.advance(1);
  }
  address.uri = cursor.since(begin);
  address.end = cursor.position();
  if (!is_uri_like(address.uri)) return {Errc::syntax, "malformed URI"};
  return {};
}

}  // namespace

Result<void> scan_address(Cursor& cursor, Address& address) noexcept {
  cursor.skip_lws();
  address.begin = cursor.position();
  if (cursor.next_is('"')) {
    std::string_view inside;
    if (!cursor.quoted_string(inside)) return {Errc::syntax, "display name not closed"};
    address.display = cursor.since(address.begin);
    cursor.skip_lws();
    if (!cursor.next_is('<')) return {Errc::syntax, "no URI after display name"};
    return scan_angle(cursor, address);
  }
  if (!cursor.next_is('<')) {
    Cursor ahead = cursor;
    ahead.token();
    if (ahead.next_is(':')) return scan_bare_uri(cursor, address);
    TRY_VOID(scan_display_tokens(cursor, address));
  }
  return scan_angle(cursor, address);
}

}  // namespace ser::sip
