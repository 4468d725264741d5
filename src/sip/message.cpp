// SPDX-License-Identifier: Apache-2.0
#include "sip/message.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "sip/scanner.h"

namespace ser::sip {

Result<Message*> Message::parse(std::string_view bytes, Arena& arena, StartLineError* bad_start,
                                const LineIndex* lines) noexcept {
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
  if (lines != nullptr) message->keep_lines(*lines);
  return message;
}

void Message::keep_lines(const LineIndex& lines) noexcept {
  const std::size_t count = lines.count > 0 ? lines.count - std::size_t{1} : 0;
  auto* kept = static_cast<LineEnd*>(x_arena->allocate(count * sizeof(LineEnd), alignof(LineEnd)));
  if (kept == nullptr) return;  // the slow way needs no memory
  std::memcpy(kept, lines.lines.data() + 1, count * sizeof(LineEnd));
  x_lines = kept;
  x_line_count = static_cast<std::uint16_t>(count);
  x_blank_line = lines.blank_line;
  x_header_end = lines.header_end;
  x_scanned = true;
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
void Message::fill(HeaderField& field, const Line& text) const noexcept {
  const char* const line = text.begin;
  const char* const line_end = text.end;
  const char* const colon = text.colon;
  field.x_line = line;
  field.x_offset = static_cast<std::uint16_t>(line - x_bytes.data());
  field.x_line_size = static_cast<std::uint16_t>(line_end - line);
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

bool Message::next_line(Line& line) const noexcept {
  line.begin = x_scan;
  if (x_scanned) [[likely]] {
    const char* const base = x_bytes.data();
    if (x_line_next == x_line_count) {
      x_scan = base + x_header_end;
      x_complete = true;
      return false;
    }
    const LineEnd& found = x_lines[x_line_next++];
    line.end = base + found.end;
    line.colon = found.colon != 0 ? base + found.colon : nullptr;
    while (is_space(*line.end))
      line.end = base + x_lines[x_line_next++].end;  // the blank line ends every fold
    return true;
  }
  if (const std::size_t blank = blank_line(line.begin, end()); blank != 0) {
    finish(line.begin, line.begin + blank);
    return false;
  }
  line.end = field_end(line.begin, end());
  if (line.end == nullptr) [[unlikely]] {
    note(Errc::incomplete, "no blank line after the header", end());
    finish(end(), end());
    return false;
  }
  line.colon = find_colon(line.begin, line.end);
  return true;
}

const HeaderField* Message::index_until(std::size_t stop) const noexcept {
  if (x_complete) return nullptr;
  Line line;
  while (next_line(line)) {
    if (x_room == 0 && !new_chunk(line.begin)) [[unlikely]] {
      skip_rest(line.begin);
      return nullptr;
    }
    --x_room;
    ++x_count;
    HeaderField* field = x_last = new (x_free++) HeaderField;
    fill(*field, line);
    x_scan = line.end;
    const auto id = static_cast<std::size_t>(field->x_id);
    if (id < kHotHeaders && x_hot[id] == nullptr) x_hot[id] = field;
    if (id == stop || stop == kAnyId) return field;
  }
  return nullptr;
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

std::size_t Message::header_end_offset() const noexcept {
  if (!x_scanned) index_until(kNoId);
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
  // Most messages have none; then there is nothing that Content-Length could cut.
  if (body.empty()) return body;
  const auto length = content_length();
  if (length && *length < body.size()) body = body.substr(0, *length);
  return body;
}

std::string_view Message::wire_bytes() const noexcept {
  const std::size_t body_size = body().size();
  return x_bytes.substr(0, header_end_offset() + body_size);
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
