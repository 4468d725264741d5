// SPDX-License-Identifier: Apache-2.0
#include "sip/message.h"

#include <algorithm>

#include "base/text.h"
#include "sip/scanner.h"

namespace ser::sip {

Result<Message*> Message::parse(std::string_view bytes, Arena& arena, StartLineError* bad_start) noexcept {
  if (bytes.size() > kMaxSize) return {Errc::too_long, "message longer than 65535 bytes"};
  while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n')) bytes.remove_prefix(1);
  auto* message = arena.make<Message>(bytes, arena);
  if (message == nullptr) return {Errc::no_memory, "no room for the message"};
  if (bad_start != nullptr) bad_start->error = {};
  const Result<void> parsed = parse_start_line(bytes, message->x_start);
  if (!parsed) {
    if (bad_start == nullptr || message->x_start.method_name.empty()) return parsed.error();
    bad_start->error = parsed.error();
  }
  const char* line_end = message->x_start.line.data() + message->x_start.line.size();
  message->x_scan = line_end + (*line_end == '\r' ? 2 : 1);
  return message;
}

void Message::note(Errc code, const char* what, const char* where) const noexcept {
  if (x_error.code == Errc::none) x_error = {code, static_cast<std::uint32_t>(where - x_bytes.data()), what};
}

void Message::finish(const char* line, const char* line_end) const noexcept {
  x_blank_line = static_cast<std::uint16_t>(line - x_bytes.data());
  x_header_end = static_cast<std::uint16_t>(line_end - x_bytes.data());
  x_scan = line_end;
  x_complete = true;
}

namespace {
/// Length of the blank line at `p`: 2, 1, or 0 when there is none.
std::size_t blank_line(const char* p, const char* end) noexcept {
  if (p == end || *p > '\r') return 0;
  if (*p == '\n') return 1;
  return *p == '\r' && end - p >= 2 && p[1] == '\n' ? 2 : 0;
}

/// SP or a control character: nearly no byte is, so this goes before is_lws().
bool is_low(char c) noexcept {
  return static_cast<unsigned char>(c) <= ' ';
}
}  // namespace

void Message::skip_rest(const char* line) const noexcept {
  while (line != nullptr && line != end()) {
    if (const std::size_t blank = blank_line(line, end()); blank != 0) return finish(line, line + blank);
    line = field_end(line, end());
  }
  finish(end(), end());
}

bool Message::new_chunk(const char* line) const noexcept {
  if (x_count == kMaxHeaders) {
    note(Errc::too_many, "too many header fields", line);
    return false;
  }
  auto* chunk = static_cast<HeaderField*>(
      x_arena->allocate((kChunkFields + 1) * sizeof(HeaderField), alignof(HeaderField)));
  if (chunk == nullptr) {
    note(Errc::no_memory, "no room for the header table", line);
    return false;
  }
  if (x_last == nullptr) {
    x_first = chunk;
  } else {
    auto* link = new (x_free) HeaderField;
    link->x_typed = chunk;
  }
  x_free = chunk;
  x_room = static_cast<std::uint8_t>(std::min<std::size_t>(kChunkFields, kMaxHeaders - x_count));
  return true;
}

/// The plain case is `Name: value CRLF`; everything else takes the slow road.
void Message::fill(HeaderField& field, const char* line, const char* line_end) const noexcept {
  field.x_line = line;
  field.x_offset = static_cast<std::uint16_t>(line - x_bytes.data());
  field.x_line_size = static_cast<std::uint16_t>(line_end - line);
  const char* colon = find_colon(line, line_end);
  if (colon == nullptr || colon == line) [[unlikely]] {
    return fill_malformed(field);
  }
  const char* name_end = colon;
  while (is_space(name_end[-1]) && --name_end != line) {
  }
  const std::string_view name{line, static_cast<std::size_t>(name_end - line)};
  field.x_id = header_id(name);
  if (field.x_id == HeaderId::other && !is_token(name)) [[unlikely]] {
    return fill_malformed(field);
  }
  field.x_name_size = static_cast<std::uint16_t>(name.size());
  const char* value = colon + 2;
  const char* value_end = line_end - 2;
  if (value >= value_end || colon[1] != ' ' || is_low(*value) || *value_end != '\r' ||
      is_low(value_end[-1])) {
    const std::string_view trimmed = trim({colon + 1, static_cast<std::size_t>(line_end - colon - 1)});
    // An empty value stands behind the colon, where an edit may fill it, not behind the line end.
    value = trimmed.empty() ? colon + 1 : trimmed.data();
    value_end = value + trimmed.size();
  }
  field.x_value_at = static_cast<std::uint16_t>(value - line);
  field.x_value_size = static_cast<std::uint16_t>(value_end - value);
}

void Message::fill_malformed(HeaderField& field) const noexcept {
  const std::string_view trimmed = trim(field.line());
  field.x_value_at = static_cast<std::uint16_t>(trimmed.data() - field.x_line);
  field.x_value_size = static_cast<std::uint16_t>(trimmed.size());
  field.x_malformed = true;
  note(Errc::syntax, "malformed header field", field.x_line);
}

const HeaderField* Message::index_until(std::size_t stop) const noexcept {
  if (x_complete) return nullptr;
  const char* line = x_scan;
  const char* const text_end = end();
  for (;;) {
    if (const std::size_t blank = blank_line(line, text_end); blank != 0) {
      finish(line, line + blank);
      return nullptr;
    }
    const char* line_end = field_end(line, text_end);
    if (line_end == nullptr) [[unlikely]] {
      note(Errc::incomplete, "no blank line after the header", text_end);
      finish(text_end, text_end);
      return nullptr;
    }
    if (x_room == 0 && !new_chunk(line)) [[unlikely]] {
      skip_rest(line);
      return nullptr;
    }
    --x_room;
    ++x_count;
    HeaderField* field = x_last = new (x_free++) HeaderField;
    fill(*field, line, line_end);
    x_scan = line = line_end;
    const auto id = static_cast<std::size_t>(field->x_id);
    if (id < kHotHeaders && x_hot[id] == nullptr) x_hot[id] = field;
    if (id == stop || stop == kAnyId) return field;
  }
}

const HeaderField* Message::next_field(const HeaderField* after) const noexcept {
  if (after == nullptr) return x_first != nullptr ? x_first : index_until(kAnyId);
  if (after == x_last) return index_until(kAnyId);
  const HeaderField* next = after + 1;
  return next->x_line != nullptr ? next : static_cast<const HeaderField*>(next->x_typed);
}

const HeaderField* Message::next_same(const HeaderField& after) const noexcept {
  const HeaderField* field = next_field(&after);
  while (field != nullptr && field->x_id != after.x_id) field = next_field(field);
  return field;
}

const HeaderField* Message::find(HeaderId id, std::size_t nth) const noexcept {
  const HeaderField* field = nullptr;
  if (const auto hot = static_cast<std::size_t>(id); hot < kHotHeaders && id != HeaderId::other) {
    field = x_hot[hot];
    // Not seen among the fields indexed so far: go on behind them.
    if (field == nullptr) field = index_until(hot);
    if (field == nullptr) return nullptr;
  } else {
    do {
      field = next_field(field);
      if (field == nullptr) return nullptr;
    } while (field->x_id != id);
  }
  for (; nth > 0 && field != nullptr; --nth) field = next_same(*field);
  return field;
}

const HeaderField* Message::find(std::string_view name, std::size_t nth) const noexcept {
  if (const HeaderId id = header_id(name); id != HeaderId::other) return find(id, nth);
  for (const HeaderField* field = next_field(nullptr); field != nullptr; field = next_field(field)) {
    if (field->x_id != HeaderId::other || field->x_malformed || !iequals(field->name(), name)) continue;
    if (nth-- == 0) return field;
  }
  return nullptr;
}

Result<void> Message::index_all() const noexcept {
  index_until(kNoId);
  if (x_error.code != Errc::none) return x_error;
  return {};
}

void Message::find_end(std::string_view* length) const noexcept {
  const char* line = x_scan;
  const char* const text_end = end();
  for (;;) {
    if (const std::size_t blank = blank_line(line, text_end); blank != 0) {
      x_blank_line = static_cast<std::uint16_t>(line - x_bytes.data());
      x_header_end = static_cast<std::uint16_t>(x_blank_line + blank);
      return;
    }
    const char* line_end = field_end(line, text_end);
    if (line_end == nullptr) {
      x_blank_line = x_header_end = static_cast<std::uint16_t>(x_bytes.size());
      return;
    }
    const char first = to_lower(*line);
    if (length != nullptr && length->data() == nullptr && (first == 'c' || first == 'l')) {
      const char* colon = find_colon(line, line_end);
      const char* name_end = colon != nullptr ? colon : line;
      while (name_end != line && is_space(name_end[-1])) --name_end;
      if (header_id({line, static_cast<std::size_t>(name_end - line)}) == HeaderId::content_length)
        *length = trim({colon + 1, static_cast<std::size_t>(line_end - colon - 1)});
    }
    line = line_end;
  }
}

std::size_t Message::header_end_offset() const noexcept {
  if (x_header_end == 0) find_end(nullptr);
  return x_header_end;
}

std::size_t Message::blank_line_offset() const noexcept {
  header_end_offset();
  return x_blank_line;
}

Result<std::uint32_t> Message::content_length() const noexcept {
  const auto length = get<hdr::ContentLength>();
  if (!length) return length.error();
  return (*length)->value;
}

std::string_view Message::body() const noexcept {
  std::string_view body = x_bytes.substr(header_end_offset());
  const auto length = content_length();
  if (length && *length < body.size()) body = body.substr(0, *length);
  return body;
}

std::size_t Message::find_wire_end() const noexcept {
  constexpr auto kLength = static_cast<std::size_t>(HeaderId::content_length);
  std::string_view text;
  const bool indexed = x_complete || x_hot[kLength] != nullptr;
  if (!x_complete) find_end(indexed ? nullptr : &text);
  const std::size_t room = x_bytes.size() - x_header_end;
  if (room == 0) return x_bytes.size();
  if (indexed) {
    const auto length = content_length();
    return x_header_end + (length ? std::min<std::size_t>(*length, room) : room);
  }
  if (text.data() == nullptr) return x_bytes.size();
  const auto length = parse_number(text, *x_arena, 0xFFFFFFFFU);
  return x_header_end + (length ? std::min<std::size_t>((*length)->value, room) : room);
}

std::string_view Message::wire_bytes() const noexcept {
  if (x_wire_end == 0) x_wire_end = static_cast<std::uint16_t>(find_wire_end());
  return x_bytes.substr(0, x_wire_end);
}

Error Message::keep_error(const HeaderField& field, const Error& error) const noexcept {
  Error kept = error;
  kept.offset += field.value_offset();
  field.x_typed = error.code == Errc::no_memory ? nullptr : x_arena->make<Error>(kept);
  field.x_verdict = field.x_typed == nullptr ? HeaderField::Verdict::no_memory : HeaderField::Verdict::bad;
  return kept;
}

Error Message::kept_error(const HeaderField& field) const noexcept {
  if (field.x_verdict == HeaderField::Verdict::bad) return *static_cast<const Error*>(field.x_typed);
  return {Errc::no_memory, field.value_offset(), "no room for the typed value"};
}

Result<const Via*> Message::via(std::size_t n) const noexcept {
  return nth<hdr::Via>(n);
}
Result<const NameAddr*> Message::route(std::size_t n) const noexcept {
  return nth<hdr::Route>(n);
}
Result<const NameAddr*> Message::record_route(std::size_t n) const noexcept {
  return nth<hdr::RecordRoute>(n);
}

}  // namespace ser::sip
