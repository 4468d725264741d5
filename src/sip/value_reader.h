// SPDX-License-Identifier: Apache-2.0
// Internal: what the parsers of header values have in common.
#pragma once
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "sip/scanner.h"

namespace ser::sip {

/// The value in the arena, where it lives as long as the message. Errc::no_memory.
template <class T>
Result<T*> keep(Arena& arena, const T& value) noexcept {
  T* kept = arena.make<T>(value);
  if (kept == nullptr) return {Errc::no_memory, "no room for a typed value"};
  return kept;
}

/// Is there nothing left but LWS? Errc::syntax with the offset.
inline Result<void> at_end(Cursor& cursor) noexcept {
  cursor.skip_lws();
  if (!cursor.at_end()) return {Errc::syntax, "unexpected text after value", cursor.offset()};
  return {};
}

/// `;name=value …`, up to whatever is no further parameter, LWS before it included. `each` sees every
/// parameter and may refuse it by a Result<void>. `params` reaches from the first `;` to the end of the last
/// parameter; it is left alone when there is none. Errc::syntax with the offset.
template <class F>
Result<void> read_params(Cursor& cursor, std::string_view& params, F each) noexcept {
  cursor.skip_lws();
  const char* begin = cursor.position();
  while (cursor.take_separator(';')) {
    Param param;
    if (!scan_param(cursor, param)) return {Errc::syntax, "malformed parameter", cursor.offset()};
    TRY_VOID(each(param));
    params = {begin, static_cast<std::size_t>(param.end - begin)};
  }
  return {};
}

/// Where a value ends whose parameters are read and whose other parts end at `end`.
inline const char* end_of(std::string_view params, const char* end) noexcept {
  return params.empty() ? end : params.data() + params.size();
}

/// A comma list of values, each a T in the arena, in order; `first`, if given, is the room of the first.
/// `read(cursor, T&)` reads one; behind it stands a comma or the end. Its errors get the offset.
/// Errc::syntax, no_memory.
template <class T, class F>
Result<T*> read_list(std::string_view text, Arena& arena, F read, T* first = nullptr) noexcept {
  Cursor cursor(text);
  T* last = nullptr;
  do {
    T* value = last == nullptr && first != nullptr ? first : arena.make<T>();
    if (value == nullptr) return {Errc::no_memory, "no room for a typed value"};
    const Result<void> got = read(cursor, *value);
    if (!got) return {got.error().code, got.error().what, cursor.offset()};
    if (last == nullptr) {
      first = value;
    } else {
      last->next = value;
    }
    last = value;
  } while (cursor.take(','));
  TRY_VOID(at_end(cursor));
  return first;
}

}  // namespace ser::sip
