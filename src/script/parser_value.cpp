// SPDX-License-Identifier: Apache-2.0
// Values of settings: numbers, words, strings, sockets.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "script/parser_state.h"

namespace ser::script {
namespace {

constexpr std::array<std::string_view, 6> kProtocols{"udp", "tcp", "tls", "sctp", "ws", "wss"};
constexpr std::array<std::string_view, 4> kTrueWords{"yes", "true", "on", "enable"};
constexpr std::array<std::string_view, 4> kFalseWords{"no", "false", "off", "disable"};

bool is_one_of(std::string_view word, const auto& list) noexcept {
  return std::any_of(list.begin(), list.end(), [word](std::string_view one) { return iequals(word, one); });
}

std::string_view protocol_of(std::string_view word) noexcept {
  const auto found = std::find_if(kProtocols.begin(), kProtocols.end(),
                                  [word](std::string_view one) { return iequals(word, one); });
  return found == kProtocols.end() ? std::string_view() : *found;
}

bool is_socket_list(std::string_view setting) noexcept {
  return setting == "listen" || setting == "alias";
}

}  // namespace

bool Parser::at_protocol() const noexcept {
  return at(TokenKind::identifier) && peek(1).kind == TokenKind::colon && !peek(1).space_before &&
         !protocol_of(peek().text).empty();
}

/// An address, `[IPv6]`, a host or interface name, a quoted one, or `*`. False after a report.
bool Parser::parse_host(std::string_view& host) {
  if (accept(TokenKind::left_bracket)) {
    if (!at(TokenKind::address)) {
      fail("E0210", peek().range,
           fmt::format("an IPv6 address expected after `[`, found {}", describe(peek())));
      return false;
    }
    host = take().text;
    return expect(TokenKind::right_bracket, "after the IPv6 address");
  }
  if (at(TokenKind::address) || at(TokenKind::star) || at(TokenKind::string)) {
    host = take().text;
    return true;
  }
  const bool next_line = first_on_line() && previous().kind == TokenKind::colon;
  if (at(TokenKind::identifier) && !next_line) {
    host = joined_word();
    return true;
  }
  fail("E0210", next_line ? behind_previous() : peek().range,
       fmt::format("an address or a host name expected, found {}", describe(peek())));
  return false;
}

/// The number after a `:`; 0 after a report.
std::uint32_t Parser::parse_port() {
  if (!at(TokenKind::integer) || peek().number < 0 || peek().number > 65535) {
    fail("E0211", peek().range,
         fmt::format("a port number (0 to 65535) expected, found {}", describe(peek())));
    return 0;
  }
  return static_cast<std::uint32_t>(take().number);
}

const SocketSpec* Parser::parse_socket() {
  SocketSpec* socket = x_ast.new_socket();
  socket->range = peek().range;
  if (at_protocol()) {
    socket->protocol = protocol_of(take().text);
    take();
  }
  if (accept(TokenKind::left_paren)) {
    bool good = parse_host(socket->host);
    while (good && accept(TokenKind::comma)) good = parse_host(socket->more_hosts.emplace_back());
    if (!good || !expect(TokenKind::right_paren, "after the list of addresses")) return socket;
  } else if (!parse_host(socket->host)) {
    return socket;
  }
  if (at(TokenKind::colon) && !peek().space_before) {
    take();
    socket->port = parse_port();
    if (at(TokenKind::minus) && !peek().space_before && peek(1).kind == TokenKind::integer) {
      take();
      socket->last_port = parse_port();
      if (socket->last_port < socket->port)
        fail("E0211", previous().range, "a range of ports ends below its beginning");
    }
  }
  socket->range = join(socket->range, previous().range);
  return socket;
}

void Parser::parse_socket_options(SocketSpec& socket) {
  while (!x_failed && at(TokenKind::identifier)) {
    if (at_word("advertise") || at_word("ADVERTISE") || (at_word("as") && !first_on_line())) {
      take();
      if (!parse_host(socket.advertise_host)) return;
      if (at(TokenKind::colon) && !peek().space_before) {
        take();
        socket.advertise_port = parse_port();
      }
    } else if ((at_word("name") || at_word("NAME")) && peek(1).kind != TokenKind::assign) {
      take();
      if (!at(TokenKind::string) && !at(TokenKind::identifier)) {
        expect(TokenKind::string, "after `name`");
        return;
      }
      socket.name = take().text;
    } else if (at_word("virtual") && peek(1).kind != TokenKind::assign) {
      take();
      socket.is_virtual = true;
    } else {
      return;
    }
  }
}

/// A word at the beginning of a line with more behind it is the next item, not a value that was put there.
bool Parser::begins_next_item() const noexcept {
  return first_on_line() && !first_on_line(1) && peek(1).kind != TokenKind::semicolon &&
         peek(1).kind != TokenKind::end;
}

SettingValue Parser::parse_value(std::string_view setting) {
  SettingValue value;
  value.range = peek().range;
  const bool host_follows = at(TokenKind::identifier) || at(TokenKind::address) ||
                            at(TokenKind::left_bracket) || at(TokenKind::left_paren) || at(TokenKind::star);
  const bool with_port = (at(TokenKind::address) || at(TokenKind::left_bracket)) || at_protocol();
  if (at(TokenKind::integer) || (at(TokenKind::minus) && peek(1).kind == TokenKind::integer)) {
    const bool negative = accept(TokenKind::minus);
    value.kind = ValueKind::number;
    value.number = negative ? -take().number : take().number;
    value.range = join(value.range, previous().range);
  } else if (at(TokenKind::string)) {
    value.kind = ValueKind::string;
    value.text = string_value();
  } else if (host_follows && (is_socket_list(setting) || at_protocol())) {
    value.kind = ValueKind::socket;
    const SocketSpec* socket = parse_socket();
    value.socket = socket;
    value.range = socket->range;
    if (setting == "listen" && !x_failed) {
      SocketSpec* changed = x_ast.new_socket();
      *changed = *socket;
      parse_socket_options(*changed);
      value.socket = changed;
    }
  } else if (host_follows && with_port) {
    value.kind = ValueKind::address;
    parse_host(value.text);
    value.range = join(value.range, previous().range);
  } else if (at(TokenKind::identifier) && !begins_next_item()) {
    value.kind = ValueKind::word;
    value.text = joined_word();
    value.is_boolean_word = is_one_of(value.text, kTrueWords) || is_one_of(value.text, kFalseWords);
    value.number = is_one_of(value.text, kTrueWords) ? 1 : 0;
    value.range = join(value.range, previous().range);
  } else {
    const bool gap = first_on_line();
    fail("E0212", gap ? behind_previous() : peek().range,
         fmt::format("a value expected after `=`, found {}", describe(peek())));
  }
  if (x_failed) value.kind = ValueKind::invalid;
  return value;
}

/// Whether the next token is one more value of a list. Lines do not end a value in this language, so a word
/// on the next line counts only if it cannot begin an item.
bool Parser::value_goes_on(std::string_view setting) const noexcept {
  if (!is_socket_list(setting)) return false;
  if (at(TokenKind::comma)) return false;
  if (at(TokenKind::string) || at(TokenKind::address) || at_protocol()) return true;
  if (at(TokenKind::left_bracket)) return true;
  if (!at(TokenKind::identifier) || at_item_start() || at_block_keyword()) return false;
  const TokenKind next = peek(1).kind;
  if (next == TokenKind::assign || next == TokenKind::left_brace || next == TokenKind::left_paren)
    return false;
  return !first_on_line();
}

}  // namespace ser::script
