// SPDX-License-Identifier: Apache-2.0
#include "sip/tags.h"

#include "base/text.h"
#include "sip/scanner.h"

namespace ser::sip {

namespace {

Result<void> check_list(std::string_view text, TokenList& list) noexcept {
  list.text = text;
  Cursor cursor(text);
  for (;;) {
    cursor.skip_lws();
    if (!cursor.token().empty()) ++list.count;
    cursor.skip_lws();
    if (cursor.at_end()) return {};
    if (!cursor.take(',')) return {Errc::syntax, "expected a list of tokens", cursor.offset()};
  }
}

}  // namespace

bool TokenList::next(std::string_view& rest, std::string_view& token) noexcept {
  while (!rest.empty()) {
    token = trim(split_off(rest, ','));
    if (!token.empty()) return true;
  }
  return false;
}

bool TokenList::contains(std::string_view token) const noexcept {
  std::string_view rest = text, each;
  while (next(rest, each)) {
    if (iequals(each, token)) return true;
  }
  return false;
}

Result<TokenList*> parse_token_list(std::string_view text, Arena& arena) noexcept {
  auto* list = arena.make<TokenList>();
  if (list == nullptr) return {Errc::no_memory, "arena exhausted"};
  TRY_VOID(check_list(text, *list));
  return list;
}

Result<MethodSet*> parse_method_set(std::string_view text, Arena& arena) noexcept {
  auto* set = arena.make<MethodSet>();
  if (set == nullptr) return {Errc::no_memory, "arena exhausted"};
  TRY_VOID(check_list(text, set->list));
  std::string_view rest = text, name;
  while (TokenList::next(rest, name)) {
    const Method method = parse_method(name);
    if (method != Method::other) set->bits |= 1U << static_cast<unsigned>(method);
  }
  return set;
}

std::optional<bool> allows(const Message& message, Method method) noexcept {
  const HeaderField* field = message.find(HeaderId::allow);
  if (field == nullptr) return std::nullopt;
  for (; field != nullptr; field = message.next_same(*field)) {
    const auto set = message.get<hdr::Allow>(*field);
    if (set && (*set)->contains(method)) return true;
  }
  return false;
}

}  // namespace ser::sip
