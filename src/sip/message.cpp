// SPDX-License-Identifier: Apache-2.0
#include "sip/message.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "sip/header_table.h"
#include "sip/scanner.h"

namespace ser::sip {

namespace {

/// What a name must look like to be worth reading: nearly all fields of a message are told apart by it.
struct NameShape {
  char letter = 0;   // lower case
  char compact = 0;  // the same; NUL: none
  std::uint8_t size = 0;
};

constexpr std::array<NameShape, kHeaderIds> make_shapes() {
  std::array<NameShape, kHeaderIds> shapes{};
  for (const HeaderRow& row : kHeaderTable) {
    if (row.name.empty()) continue;
    shapes[static_cast<std::size_t>(row.id)] = {to_lower(row.name[0]), row.compact,
                                                static_cast<std::uint8_t>(row.name.size())};
  }
  return shapes;
}

constexpr std::array<NameShape, kHeaderIds> kShapes = make_shapes();

bool may_be(const NameShape& shape, const char* name, std::size_t size) noexcept {
  const char letter = static_cast<char>(name[0] | 0x20);
  if (size == shape.size) return letter == shape.letter;
  if (size == 1) return letter == shape.compact;
  return size > 1 && is_space(name[size - 1]);  // white space before the colon
}

/// SP or a control character: nearly no byte is, so this goes before is_lws().
bool is_low(char c) noexcept {
  return static_cast<unsigned char>(c) <= ' ';
}

}  // namespace

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
  LineIndex scanned;
  if (lines == nullptr) {
    scan_lines(bytes, scanned);
    lines = &scanned;
  }
  if (!message->keep_lines(*lines)) return {Errc::no_memory, "no room for the header table"};
  return message;
}

bool Message::keep_lines(const LineIndex& lines) noexcept {
  const HeaderScan& scan = lines.scan;
  x_blank_line = scan.blank_line;
  x_header_end = scan.header_end;
  x_has_blank_line = scan.complete;
  if (scan.count == 0) return true;  // only a start line without line end, which parse_start_line() refused
  const std::size_t count = std::min<std::size_t>(scan.count, kMaxHeaders + 1);
  x_too_many = scan.count > count;
  auto* kept = static_cast<LineEnd*>(x_arena->allocate(count * sizeof(LineEnd), alignof(LineEnd)));
  if (kept == nullptr) return false;
  if (count <= LineIndex::kRoom) {
    std::memcpy(kept, lines.lines.data(), count * sizeof(LineEnd));
  } else {
    scan_lines(x_bytes, {kept, count});
  }
  x_first_line = kept[0].end;
  x_lines = kept + 1;
  x_line_count = static_cast<std::uint16_t>(count - 1);
  return true;
}

void Message::note(Errc code, const char* what, std::size_t offset) const noexcept {
  if (x_error.code == Errc::none || offset < x_error.offset)
    x_error = {code, static_cast<std::uint32_t>(offset), what};
}

bool Message::make_fields() const noexcept {
  if (x_fields != nullptr || x_line_count == 0) return x_line_count != 0;
  x_fields = x_arena->make_array<HeaderField>(x_line_count);
  if (x_fields == nullptr) note(Errc::no_memory, "no room for the header table", x_first_line);
  return x_fields != nullptr;
}

const HeaderField& Message::field(std::size_t line) const noexcept {
  HeaderField& field = x_fields[line];
  if (field.x_line == nullptr) fill(field, line);
  return field;
}

/// The plain case is `Name: value CRLF`; everything else takes the slow road.
void Message::fill(HeaderField& field, std::size_t number) const noexcept {
  const std::size_t begin = line_begin(number);
  const LineEnd& found = x_lines[number];
  const char* const line = x_bytes.data() + begin;
  const char* const line_end = x_bytes.data() + found.end;
  const char* const colon = x_bytes.data() + found.colon;
  ++x_count;
  field.x_line = line;
  field.x_offset = static_cast<std::uint16_t>(begin);
  field.x_line_size = static_cast<std::uint16_t>(found.end - begin);
  if (found.colon <= begin) [[unlikely]] {
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
  note(Errc::syntax, "malformed header field", field.x_offset);
}

const HeaderField* Message::find_from(HeaderId id, std::size_t line) const noexcept {
  if (!make_fields()) return nullptr;
  const NameShape shape = kShapes[static_cast<std::size_t>(id)];
  std::size_t begin = line_begin(line);
  for (; line < x_line_count; begin = x_lines[line++].end) {
    const std::size_t colon = x_lines[line].colon;
    if (colon <= begin || !may_be(shape, x_bytes.data() + begin, colon - begin)) continue;
    if (const HeaderField& candidate = field(line); candidate.x_id == id) return &candidate;
  }
  return nullptr;
}

const HeaderField* Message::next_field(const HeaderField* after) const noexcept {
  if (!make_fields()) return nullptr;
  const std::size_t line = after == nullptr ? 0 : static_cast<std::size_t>(after - x_fields) + 1;
  return line < x_line_count ? &field(line) : nullptr;
}

const HeaderField* Message::next_same(const HeaderField& after) const noexcept {
  if (after.x_id != HeaderId::other)
    return find_from(after.x_id, static_cast<std::size_t>(&after - x_fields) + 1);
  const HeaderField* next = next_field(&after);
  while (next != nullptr && next->x_id != HeaderId::other) next = next_field(next);
  return next;
}

const HeaderField* Message::find(HeaderId id, std::size_t nth) const noexcept {
  const HeaderField* found = nullptr;
  if (const auto hot = static_cast<std::size_t>(id); id == HeaderId::other) {
    found = next_field(nullptr);
    if (found != nullptr && found->x_id != id) found = next_same(*found);
  } else if (hot >= kHotHeaders) {
    found = find_from(id, 0);
  } else if (x_hot[hot] == kUnknown) {
    found = find_from(id, 0);
    if (found != nullptr)
      x_hot[hot] = static_cast<std::uint16_t>(found - x_fields + 1);
    else if (x_fields != nullptr)
      x_hot[hot] = kAbsent;
  } else if (x_hot[hot] != kAbsent) {
    found = &x_fields[x_hot[hot] - 1];
  }
  for (; nth > 0 && found != nullptr; --nth) found = next_same(*found);
  return found;
}

const HeaderField* Message::find(std::string_view name, std::size_t nth) const noexcept {
  if (const HeaderId id = header_id(name); id != HeaderId::other) return find(id, nth);
  if (name.empty() || name.size() > 255 || !make_fields()) return nullptr;
  const NameShape shape{static_cast<char>(name[0] | 0x20), 0, static_cast<std::uint8_t>(name.size())};
  std::size_t begin = x_first_line;
  for (std::size_t line = 0; line < x_line_count; begin = x_lines[line++].end) {
    const std::size_t colon = x_lines[line].colon;
    if (colon <= begin || !may_be(shape, x_bytes.data() + begin, colon - begin)) continue;
    const HeaderField& candidate = field(line);
    if (candidate.x_malformed || !iequals(candidate.name(), name)) continue;
    if (nth-- == 0) return &candidate;
  }
  return nullptr;
}

Result<void> Message::index_all() const noexcept {
  if (make_fields()) {
    for (std::size_t line = 0; line < x_line_count; ++line) field(line);
  }
  if (x_too_many) note(Errc::too_many, "too many header fields", x_lines[x_line_count - 1].end);
  if (!x_has_blank_line) note(Errc::incomplete, "no blank line after the header", x_bytes.size());
  if (x_error.code != Errc::none) return x_error;
  return {};
}

std::size_t Message::header_end_offset() const noexcept {
  return x_header_end;
}

std::size_t Message::blank_line_offset() const noexcept {
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
  return x_bytes.substr(0, x_header_end + body().size());
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
