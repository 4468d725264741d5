// SPDX-License-Identifier: Apache-2.0
#include "sip/message.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "sip/header_table.h"
#include "sip/scanner.h"
#include "sip/shape_lookup.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ser::sip {

namespace {

/// Behind the shapes of a message, so that sixteen can be read from any of them.
constexpr std::size_t kShapePadding = 16;

constexpr std::array<std::uint8_t, kHeaderIds> make_id_shapes() {
  std::array<std::uint8_t, kHeaderIds> shapes{};
  for (const HeaderRow& row : kHeaderTable) {
    if (!row.name.empty())
      shapes[static_cast<std::size_t>(row.id)] = name_shape(row.name[0], row.name.size());
  }
  return shapes;
}
constexpr std::array<std::uint8_t, kHeaderIds> kIdShapes = make_id_shapes();

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
  auto* kept = static_cast<LineEnd*>(
      x_arena->allocate(count * (sizeof(LineEnd) + 1) + kShapePadding, alignof(LineEnd)));
  if (kept == nullptr) return false;
  auto* shapes = reinterpret_cast<std::uint8_t*>(kept + count);
  if (count <= LineIndex::kRoom) {
    std::memcpy(kept, lines.lines.data(), count * sizeof(LineEnd));
    std::memcpy(shapes, lines.shapes.data(), count);
  } else {
    scan_lines(x_bytes, {kept, shapes, count});
  }
  std::memset(shapes + count, kNoShape, kShapePadding);
  x_first_line = kept[0].end;
  x_lines = kept + 1;
  x_shapes = shapes + 1;
  x_line_count = static_cast<std::uint16_t>(count - 1);
  return true;
}

void Message::note(Errc code, const char* what, std::size_t offset) const noexcept {
  if (x_error.code == Errc::none || offset < x_error.offset)
    x_error = {code, static_cast<std::uint32_t>(offset), what};
}

const HeaderField* Message::field(std::size_t line) const noexcept {
  if (x_fields == nullptr) x_fields = x_arena->make_array<HeaderField*>(x_line_count);
  if (x_fields != nullptr) [[likely]] {
    HeaderField*& field = x_fields[line];
    if (field != nullptr) return field;
    field = x_arena->make<HeaderField>();
    if (field != nullptr) [[likely]] {
      fill(*field, line);
      return field;
    }
  }
  note(Errc::no_memory, "no room for a header field", x_first_line);
  return nullptr;
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
  field.x_number = static_cast<std::uint16_t>(number);
  field.x_offset = static_cast<std::uint16_t>(begin);
  field.x_line_size = static_cast<std::uint16_t>(found.end - begin);
  if (found.colon <= begin) [[unlikely]] {
    return fill_malformed(field);
  }
  const char* name_end = colon;
  while (is_space(name_end[-1]) && --name_end != line) {
  }
  const std::string_view name{line, static_cast<std::size_t>(name_end - line)};
  field.x_id = header_id(name, x_shapes[number]);
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

std::size_t Message::find_shape(std::uint8_t shape, std::size_t line) const noexcept {
#ifdef __SSE2__
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(shape));
  for (; line < x_line_count; line += 16) {
    __m128i shapes;
    std::memcpy(&shapes, x_shapes + line, 16);
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(shapes, wanted)));
    if (found != 0) return line + static_cast<unsigned>(std::countr_zero(found));
  }
  return x_line_count;
#else
  while (line < x_line_count && x_shapes[line] != shape) ++line;
  return line;
#endif
}

const HeaderField* Message::find_from(HeaderId id, std::size_t line) const noexcept {
  const std::uint8_t shape = kIdShapes[static_cast<std::size_t>(id)];
  while ((line = find_shape(shape, line)) < x_line_count) {
    const HeaderField* candidate = field(line++);
    if (candidate == nullptr || candidate->x_id == id) return candidate;
  }
  return nullptr;
}

bool Message::next_line(const ShapeSet& set, std::size_t from, Line& line) const noexcept {
  const std::size_t count = x_line_count;
  while (from < count && !set.may_hold(x_shapes[from])) ++from;
  if (from == count) return false;
  const std::size_t begin = line_begin(from);
  const LineEnd& found = x_lines[from];
  const char* const text = x_bytes.data() + begin;
  std::size_t size = found.colon - begin;
  while (size != 0 && is_space(text[size - 1])) --size;
  line.id = header_id({text, size}, x_shapes[from]);
  line.text = {text, found.end - begin};
  line.number = from;
  return true;
}

const HeaderField* Message::next_field(const HeaderField* after) const noexcept {
  const std::size_t line = after == nullptr ? 0 : std::size_t{after->x_number} + 1;
  return line < x_line_count ? field(line) : nullptr;
}

const HeaderField* Message::next_same(const HeaderField& after) const noexcept {
  if (after.x_id != HeaderId::other) return find_from(after.x_id, std::size_t{after.x_number} + 1);
  const HeaderField* next = next_field(&after);
  while (next != nullptr && next->x_id != HeaderId::other) next = next_field(next);
  return next;
}

const HeaderField* Message::find(HeaderId id, std::size_t nth) const noexcept {
  const HeaderField* found = nullptr;
  if (id != HeaderId::other) {
    found = find_from(id, 0);
  } else {
    found = next_field(nullptr);
    while (found != nullptr && found->x_id != id) found = next_field(found);
  }
  for (; nth > 0 && found != nullptr; --nth) found = next_same(*found);
  return found;
}

const HeaderField* Message::find(std::string_view name, std::size_t nth) const noexcept {
  if (const HeaderId id = header_id(name); id != HeaderId::other) return find(id, nth);
  if (name.empty()) return nullptr;
  const std::uint8_t shape = name_shape(name[0], name.size());
  for (std::size_t line = 0; (line = find_shape(shape, line)) < x_line_count; ++line) {
    const HeaderField* candidate = field(line);
    if (candidate == nullptr) return nullptr;
    if (candidate->x_malformed || !iequals(candidate->name(), name)) continue;
    if (nth-- == 0) return candidate;
  }
  return nullptr;
}

Result<void> Message::index_all() const noexcept {
  for (std::size_t line = 0; line < x_line_count; ++line) {
    if (field(line) == nullptr) break;
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
  std::string_view body = x_bytes;
  body.remove_prefix(x_header_end);
  // Most messages have none; then there is nothing that Content-Length could cut.
  if (body.empty()) return body;
  const auto length = content_length();
  if (length && *length < body.size()) body = body.substr(0, *length);
  return body;
}

std::string_view Message::wire_bytes() const noexcept {
  if (x_wire_size == 0) x_wire_size = static_cast<std::uint16_t>(x_header_end + body().size());
  return {x_bytes.data(), x_wire_size};
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
  // Everybody asks for the first one, several times.
  if (n == 0 && x_top_via != nullptr) return x_top_via;
  const auto found = nth<hdr::Via>(n);
  if (n == 0 && found) x_top_via = *found;
  return found;
}
Result<const NameAddr*> Message::route(std::size_t n) const noexcept {
  return nth<hdr::Route>(n);
}
Result<const NameAddr*> Message::record_route(std::size_t n) const noexcept {
  return nth<hdr::RecordRoute>(n);
}

}  // namespace ser::sip
