// SPDX-License-Identifier: Apache-2.0
#include "sip/message.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "sip/header_table.h"
#include "sip/name_pattern.h"
#include "sip/scanner.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ser::sip {

namespace {

/// Lines are kept in steps of this many, which a processor copies and compares at once.
constexpr std::size_t kStep = 16;

constexpr std::array<std::uint8_t, kHeaderIds> make_id_shapes() {
  std::array<std::uint8_t, kHeaderIds> shapes{};
  for (const HeaderRow& row : kHeaderTable) {
    if (!row.name.empty()) shapes[static_cast<std::size_t>(row.id)] = name_shape(row.name);
  }
  return shapes;
}
constexpr std::array<std::uint8_t, kHeaderIds> kIdShapes = make_id_shapes();

/// For each shape the first header of the table that has it.
constexpr std::array<HeaderId, kShapes> make_usual_ids() {
  std::array<HeaderId, kShapes> ids{};
  for (const HeaderRow& row : kHeaderTable) {
    if (row.name.empty()) continue;
    HeaderId& id = ids[name_shape(row.name)];
    if (id == HeaderId::other) id = row.id;
  }
  return ids;
}
constexpr std::array<HeaderId, kShapes> kUsualIds = make_usual_ids();

/// The name that ends at a colon, without white space before that; empty: there is none, or no colon.
std::string_view name_before(const char* line, const char* colon) noexcept {
  if (colon == nullptr) return {};
  while (colon != line && is_space(colon[-1])) --colon;
  return {line, static_cast<std::size_t>(colon - line)};
}

/// The number in `: 123 CRLF`, which begins at `colon`, if it stands there just so: up to five digits,
/// nothing else.
std::optional<std::uint32_t> read_plain_number(const char* colon, const char* line_end) noexcept {
  const std::ptrdiff_t digits = line_end - colon - 4;
  if (digits < 1 || digits > 5 || colon[0] != ':' || colon[1] != ' ' || line_end[-2] != '\r')
    return std::nullopt;
  std::uint32_t value = 0;
  for (const char* p = colon + 2; p != line_end - 2; ++p) {
    if (!is_digit(*p)) return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(*p - '0');
  }
  return value;
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
  LineIndex scanned;
  if (lines == nullptr) {
    scan_lines(bytes, scanned);
    lines = &scanned;
  }
  if (bad_start != nullptr) bad_start->error = {};
  const Result<void> parsed = lines->scan.count != 0
                                  ? read_start_line({bytes.data(), lines->ends[0]}, message->x_start)
                                  : parse_start_line(bytes, message->x_start);
  if (!parsed) {
    if (bad_start == nullptr || message->x_start.method_name.empty()) return parsed.error();
    bad_start->error = parsed.error();
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
  // One step more of shapes, so that a step can be read from any of them.
  const std::size_t steps = (count + kStep - 1) / kStep;
  const std::size_t size = steps * kStep * (sizeof(std::uint16_t) + 1) + kStep;
  auto* ends = static_cast<std::uint16_t*>(x_arena->allocate(size, alignof(std::uint16_t)));
  if (ends == nullptr) return false;
  auto* shapes = reinterpret_cast<std::uint8_t*>(ends + steps * kStep);
  if (count <= LineIndex::kRoom) {
    for (std::size_t i = 0; i < steps * kStep; i += kStep) {
      std::memcpy(ends + i, lines.ends.data() + i, kStep * sizeof(std::uint16_t));
      std::memcpy(shapes + i, lines.shapes.data() + i, kStep);
    }
  } else {
    scan_lines(x_bytes, {ends, shapes, count});
  }
  std::memset(shapes + count, 0, kStep);
  x_ends = ends + 1;
  x_shapes = shapes + 1;
  x_line_count = static_cast<std::uint16_t>(count - 1);
  return true;
}

void Message::note(Errc code, const char* what, std::size_t offset) const noexcept {
  if (x_error.code == Errc::none || offset < x_error.offset)
    x_error = {code, static_cast<std::uint32_t>(offset), what};
}

HeaderField* Message::new_field(std::size_t line) const noexcept {
  if (x_fields == nullptr) x_fields = x_arena->make_array<HeaderField*>(x_line_count);
  HeaderField* field = x_fields == nullptr ? nullptr : x_arena->make<HeaderField>();
  if (field == nullptr) [[unlikely]] {
    note(Errc::no_memory, "no room for a header field", first_field_offset());
    return nullptr;
  }
  const std::size_t begin = line_begin(line);
  field->x_line = x_bytes.data() + begin;
  field->x_number = static_cast<std::uint16_t>(line);
  field->x_offset = static_cast<std::uint16_t>(begin);
  field->x_line_size = static_cast<std::uint16_t>(x_ends[line] - begin);
  x_fields[line] = field;
  ++x_count;
  return field;
}

const HeaderField* Message::field(std::size_t line) const noexcept {
  if (x_fields != nullptr && x_fields[line] != nullptr) return x_fields[line];
  HeaderField* field = new_field(line);
  if (field != nullptr) read_name(*field, x_shapes[line]);
  return field;
}

void Message::read_name(HeaderField& field, std::uint8_t shape) const noexcept {
  const char* const line = field.x_line;
  const char* const line_end = line + field.x_line_size;
  const HeaderId usual = kUsualIds[shape];
  if (usual != HeaderId::other) {
    if (const std::size_t size = match_name(from_offset(field.x_offset), usual); size != 0)
      return set_name(field, usual, size);
  }
  const char* const colon = find_near(line, line_end, ':');
  const std::string_view name = name_before(line, colon);
  if (name.empty()) return set_malformed(field);
  const HeaderId id = header_id(name);
  if (id == HeaderId::other && !is_token(name)) return set_malformed(field);
  set_name(field, id, name.size());
}

/// The plain case is `Name: value CRLF`; everything else takes the slow road.
void Message::set_name(HeaderField& field, HeaderId id, std::size_t size) noexcept {
  field.x_id = id;
  field.x_name_size = static_cast<std::uint16_t>(size);
  const char* const line_end = field.x_line + field.x_line_size;
  const char* colon = field.x_line + size;
  if (*colon != ':') [[unlikely]]
    colon = find_near(colon, line_end, ':');
  const char* value = colon + 2;
  const char* value_end = line_end - 2;
  if (value >= value_end || colon[1] != ' ' || is_low(*value) || *value_end != '\r' ||
      is_low(value_end[-1])) {
    const std::string_view trimmed = trim({colon + 1, static_cast<std::size_t>(line_end - colon - 1)});
    // An empty value stands behind the colon, where an edit may fill it, not behind the line end.
    value = trimmed.empty() ? colon + 1 : trimmed.data();
    value_end = value + trimmed.size();
  }
  field.x_value_at = static_cast<std::uint16_t>(value - field.x_line);
  field.x_value_size = static_cast<std::uint16_t>(value_end - value);
}

void Message::set_malformed(HeaderField& field) const noexcept {
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
  for (; (line = find_shape(shape, line)) < x_line_count; ++line) {
    const std::size_t size = match_name(from_offset(line_begin(line)), id);
    if (size == 0) continue;
    if (x_fields != nullptr && x_fields[line] != nullptr) return x_fields[line];
    HeaderField* found = new_field(line);
    if (found != nullptr) set_name(*found, id, size);
    return found;
  }
  return nullptr;
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
  const std::uint8_t shape = name_shape(name);
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
  if (x_too_many) note(Errc::too_many, "too many header fields", x_ends[x_line_count - 1]);
  if (!x_has_blank_line) note(Errc::incomplete, "no blank line after the header", x_bytes.size());
  if (x_error.code != Errc::none) return x_error;
  return {};
}

Result<std::uint32_t> Message::content_length() const noexcept {
  const auto length = get<hdr::ContentLength>();
  if (!length) return length.error();
  return (*length)->value;
}

std::size_t Message::body_size() const noexcept {
  const std::size_t size = x_bytes.size() - x_header_end;
  // Most messages have none; then there is nothing that Content-Length could cut.
  if (size == 0) return 0;
  const std::uint8_t shape = kIdShapes[static_cast<std::size_t>(HeaderId::content_length)];
  for (std::size_t line = 0; (line = find_shape(shape, line)) < x_line_count; ++line) {
    const std::size_t name = match_name(from_offset(line_begin(line)), HeaderId::content_length);
    if (name == 0) continue;
    const char* const colon = x_bytes.data() + line_begin(line) + name;
    if (const auto length = read_plain_number(colon, x_bytes.data() + x_ends[line]); length)
      return std::min<std::size_t>(size, *length);
    break;
  }
  const auto length = content_length();
  return length ? std::min<std::size_t>(size, *length) : size;
}

std::string_view Message::wire_bytes() const noexcept {
  if (x_wire_size == 0) x_wire_size = static_cast<std::uint16_t>(x_header_end + body_size());
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

Result<const Via*> Message::parse_top_via() const noexcept {
  // It is the first line of nearly all.
  const std::uint8_t shape = kIdShapes[static_cast<std::size_t>(HeaderId::via)];
  const HeaderField* first = nullptr;
  if (x_fields == nullptr && x_line_count != 0 && x_shapes[0] == shape) [[likely]] {
    const std::size_t size = match_name(from_offset(line_begin(0)), HeaderId::via);
    HeaderField* field = size != 0 ? new_field(0) : nullptr;
    if (field != nullptr) set_name(*field, HeaderId::via, size);
    first = field;
  }
  const auto found = first != nullptr ? parse_typed<hdr::Via>(*first) : nth<hdr::Via>(0);
  if (found) x_top_via = *found;
  return found;
}
Result<const NameAddr*> Message::route(std::size_t n) const noexcept {
  return nth<hdr::Route>(n);
}
Result<const NameAddr*> Message::record_route(std::size_t n) const noexcept {
  return nth<hdr::RecordRoute>(n);
}

}  // namespace ser::sip
