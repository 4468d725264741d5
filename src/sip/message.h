// SPDX-License-Identifier: Apache-2.0
// Message: one received SIP message. Immutable bytes, header fields read on demand, typed values parsed once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "sip/hdr.h"
#include "sip/header_field.h"
#include "sip/line_index.h"
#include "sip/name_pattern.h"
#include "sip/name_shape.h"
#include "sip/start_line.h"

namespace ser::sip {

/// What is wrong with a start line that could still be answered. code == Errc::none: nothing.
struct StartLineError {
  Error error;
};

/// A SIP message. Lives in its arena with everything it points to (but for the bytes, which may lie outside
/// it and must live as long), has no destructor, no vtable and no pointer to code, so it may stand in shared
/// memory. Reading functions are const though they index and parse on demand: one thread at a time.
class Message {
 public:
  /// Longest message, in bytes.
  static constexpr std::size_t kMaxSize = 65535;
  /// Most header fields; index_all() says Errc::too_many beyond.
  static constexpr std::size_t kMaxHeaders = 1024;

  /// Parses the start line only; indexes no header field. `bytes` must not change while the message lives,
  /// and a NUL must follow them. Empty lines before the start line are skipped (RFC 3261 7.5) and are no part
  /// of bytes(). With `bad_start`, a start line that is wrong but answerable (see parse_start_line: wrong
  /// version, syntax error of what is a request beyond doubt) is reported there and the message is returned;
  /// otherwise it is the error. Errc::too_long, incomplete, syntax, version, out_of_range, no_memory.
  /// `lines`, if given, is what scan_lines() found in exactly `bytes`, which then have no empty lines before
  /// the start line.
  static Result<Message*> parse(std::string_view bytes, Arena& arena, StartLineError* bad_start = nullptr,
                                const LineIndex* lines = nullptr) noexcept;

  const StartLine& start() const noexcept { return x_start; }
  bool is_request() const noexcept { return x_start.is_request; }
  bool is_response() const noexcept { return !x_start.is_request; }
  Method method() const noexcept { return x_start.method; }
  /// 100..699 in a response, 0 in a request.
  std::uint16_t status() const noexcept { return x_start.status; }
  std::string_view bytes() const noexcept { return x_bytes; }
  Arena& arena() const noexcept { return *x_arena; }
  /// The handle on the same chunks in the process that goes on with this message.
  void set_arena(Arena& arena) noexcept { x_arena = &arena; }

  /// The nth (0 = first) header field of a known name, or nullptr. Indexes only as far as needed. Not for
  /// `other`.
  const HeaderField* find(HeaderId id, std::size_t nth = 0) const noexcept;
  /// The same by name, any case, full or compact: for names without an id.
  const HeaderField* find(std::string_view name, std::size_t nth = 0) const noexcept;
  /// The field after `after` in message order, nullptr = the first; nullptr at the end. Indexes on.
  const HeaderField* next_field(const HeaderField* after) const noexcept;
  /// The next field of the same id after `after` (of a known id): walks all of a kind in linear time.
  const HeaderField* next_same(const HeaderField& after) const noexcept;

  /// One header field as it stands, for those who copy lines: nothing is parsed or kept.
  struct Line {
    HeaderId id = HeaderId::other;
    std::string_view text;   ///< with continuation lines and line end
    std::size_t number = 0;  ///< for field_at()
  };
  /// The first line from number `from` on whose name is in `set`; `line` is filled then. False: no more.
  bool next_line(const ShapeSet& set, std::size_t from, Line& line) const noexcept;
  /// The field of a line that next_line() found; nullptr when there is no memory.
  const HeaderField* field_at(const Line& line) const noexcept { return field(line.number); }

  /// Indexes everything. Errc::syntax: a line that is no header field (the fields after it are indexed all
  /// the same); too_many; incomplete: the blank line is missing (the fields before are good); no_memory.
  /// Offsets are in bytes().
  Result<void> index_all() const noexcept;
  /// Header fields indexed so far.
  std::size_t headers_indexed() const noexcept { return x_count; }
  /// Everything is indexed, or cannot be.
  bool headers_complete() const noexcept { return x_count == x_line_count; }
  /// Offset of the first header field, behind the start line. Indexes nothing.
  std::size_t first_field_offset() const noexcept { return x_ends == nullptr ? 0 : line_begin(0); }
  /// Offset of the first body byte; bytes().size() when there is no blank line.
  std::size_t header_end_offset() const noexcept { return x_header_end; }
  /// Offset of the blank line's first byte, where a header field may be appended.
  std::size_t blank_line_offset() const noexcept { return x_blank_line; }

  /// Bytes after the blank line, cut to Content-Length when that is good and smaller.
  std::string_view body() const noexcept { return {x_bytes.data() + x_header_end, body_size()}; }
  /// Value of the first Content-Length. Errc::missing when absent.
  Result<std::uint32_t> content_length() const noexcept;
  /// What may be relayed over UDP: bytes() without what lies after Content-Length (RFC 3261 18.3).
  std::string_view wire_bytes() const noexcept;

  /// Typed value of the first field of that header, parsed once; the verdict, good and bad, is kept.
  /// Errc::missing when there is no such field. Error offsets are in bytes().
  template <class H>
  Result<const typename H::Value*> get() const noexcept {
    const HeaderField* field = find(H::id);
    if (field == nullptr) return {Errc::missing, "header field missing"};
    return get<H>(*field);
  }
  /// Typed value of this field, which must be of H::id (else Errc::refused).
  template <class H>
  Result<const typename H::Value*> get(const HeaderField& field) const noexcept {
    using Value = typename H::Value;
    if (field.x_verdict == HeaderField::Verdict::good && field.x_id == H::id) [[likely]] {
      return static_cast<const Value*>(field.x_typed);
    }
    return parse_typed<H>(field);
  }
  /// The nth value (0 = first) of a list header over all its fields and comma lists; fields are indexed and
  /// parsed no further than needed. Errc::missing when there are fewer; the error of a malformed field on the
  /// way.
  template <class H>
  Result<const typename H::Value*> nth(std::size_t n) const noexcept;
  /// The value after `value` (obtained from this message) over all fields: all of a list in linear time.
  template <class H>
  Result<const typename H::Value*> next_value(const typename H::Value& value) const noexcept;

  /// n-th Via, 0 = top. via(0) indexes the first Via only.
  Result<const Via*> via(std::size_t n) const noexcept {
    if (n != 0) return nth<hdr::Via>(n);
    // Everybody asks for the first one, several times.
    return x_top_via != nullptr ? Result<const Via*>(x_top_via) : parse_top_via();
  }
  Result<const NameAddr*> route(std::size_t n) const noexcept;
  Result<const NameAddr*> record_route(std::size_t n) const noexcept;

 private:
  friend ser::Arena;

  Message(std::string_view bytes, Arena& arena) noexcept : x_bytes(bytes), x_arena(&arena) {}

  bool keep_lines(const LineIndex& lines) noexcept;
  /// The field of that line, read if it was not; nullptr: no memory.
  const HeaderField* field(std::size_t line) const noexcept;
  /// A row for that line, which has none yet, with all but what the name says; nullptr: no memory.
  HeaderField* new_field(std::size_t line) const noexcept;
  void read_name(HeaderField& field, std::uint8_t shape) const noexcept;
  /// The name has `size` bytes: what is left is where the value lies.
  static void set_name(HeaderField& field, HeaderId id, std::size_t size) noexcept;
  void set_malformed(HeaderField& field) const noexcept;
  Result<const Via*> parse_top_via() const noexcept;
  std::size_t body_size() const noexcept;
  /// The first line from `line` on whose name has that shape; x_line_count: none. Sixteen lines at a time.
  std::size_t find_shape(std::uint8_t shape, std::size_t line) const noexcept;
  std::string_view from_offset(std::size_t offset) const noexcept {
    return {x_bytes.data() + offset, x_bytes.size() - offset};
  }
  /// First field of the id from `line` on. Reads no other.
  const HeaderField* find_from(HeaderId id, std::size_t line) const noexcept;
  std::size_t line_begin(std::size_t line) const noexcept {
    return x_ends[static_cast<std::ptrdiff_t>(line) - 1];
  }
  /// Remembers the first thing wrong with the header.
  void note(Errc code, const char* what, std::size_t offset) const noexcept;
  /// Keeps the error as the field's verdict and gives it back with its offset in the message.
  Error keep_error(const HeaderField& field, const Error& error) const noexcept;
  Error kept_error(const HeaderField& field) const noexcept;

  template <class H>
  Result<const typename H::Value*> parse_typed(const HeaderField& field) const noexcept;

  std::string_view x_bytes;
  Arena* x_arena;
  StartLine x_start;
  const std::uint16_t* x_ends = nullptr;     // of each header field, and before them of the start line
  const std::uint8_t* x_shapes = nullptr;    // of their names; up to the next multiple of sixteen may be read
  mutable HeaderField** x_fields = nullptr;  // parallel, made when the first is asked for; nullptr: unread
  mutable const Via* x_top_via = nullptr;    // once it was parsed
  mutable Error x_error;
  mutable std::uint16_t x_count = 0;      // fields read
  mutable std::uint16_t x_wire_size = 0;  // of wire_bytes(), once asked for
  std::uint16_t x_line_count = 0;
  std::uint16_t x_blank_line = 0;
  std::uint16_t x_header_end = 0;
  bool x_has_blank_line = false;
  bool x_too_many = false;
};

inline bool Message::next_line(const ShapeSet& set, std::size_t from, Line& line) const noexcept {
  for (const std::size_t count = x_line_count; from < count; ++from) {
    const HeaderId id = set.candidate(x_shapes[from]);
    if (id == HeaderId::other) continue;
    const std::size_t begin = line_begin(from);
    if (match_name(from_offset(begin), id) == 0) continue;
    line = {id, {x_bytes.data() + begin, x_ends[from] - begin}, from};
    return true;
  }
  return false;
}

template <class H>
Result<const typename H::Value*> Message::parse_typed(const HeaderField& field) const noexcept {
  using Value = typename H::Value;
  if (field.x_id != H::id) return {Errc::refused, "header field of another name"};
  if (field.x_verdict != HeaderField::Verdict::unknown) return kept_error(field);
  Result<Value*> parsed = H::parse(field.value(), *x_arena);
  if (!parsed) return keep_error(field, parsed.error());
  if constexpr (requires(Value v) { v.field; }) {
    // The nodes were made a moment ago in our arena; they are const only for the readers to come.
    for (Value* v = *parsed; v != nullptr; v = const_cast<Value*>(v->next)) v->field = &field;
  }
  field.x_typed = *parsed;
  field.x_verdict = HeaderField::Verdict::good;
  return static_cast<const Value*>(*parsed);
}

template <class H>
Result<const typename H::Value*> Message::nth(std::size_t n) const noexcept {
  using Value = typename H::Value;
  for (const HeaderField* field = find(H::id); field != nullptr; field = next_same(*field)) {
    Result<const Value*> first = get<H>(*field);
    if (!first) return first;
    for (const Value* value = *first; value != nullptr; value = value->next) {
      if (n-- == 0) return value;
    }
  }
  return {Errc::missing, "fewer values"};
}

template <class H>
Result<const typename H::Value*> Message::next_value(const typename H::Value& value) const noexcept {
  if (value.next != nullptr) return value.next;
  const HeaderField* field = next_same(*value.field);
  if (field == nullptr) return {Errc::missing, "no further value"};
  return get<H>(*field);
}

}  // namespace ser::sip
