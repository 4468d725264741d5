// SPDX-License-Identifier: Apache-2.0
// Edits: the changes somebody wants in a message before it leaves (SER's lumps). The bytes themselves never
// change.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "sip/message.h"

namespace ser::sip {

/// Edits of this branch go into every outgoing copy.
inline constexpr std::uint16_t kAllBranches = 0xFFFF;

/// One change: `removed` bytes at `offset` of the message make room for `text`. Either may be empty.
struct Edit {
  std::uint32_t offset = 0;
  std::uint32_t removed = 0;
  std::string_view text;
  std::uint16_t branch = kAllBranches;
  Edit* next = nullptr;

  std::uint32_t end() const noexcept { return offset + removed; }
};

/// The order in which edits are applied: by offset, and insertions before a removal at the same place.
constexpr bool edits_in_order(const Edit& a, const Edit& b) noexcept {
  return a.offset < b.offset || (a.offset == b.offset && (a.removed == 0 || b.removed != 0));
}

/// What happens to a text handed in.
enum class TextLife : std::uint8_t {
  copy,   ///< it is copied into the arena
  stable  ///< it lives as long as the arena anyway: literals, text already in the arena
};

/// The changes to one message, kept in the order in which they are applied; insertions at one place keep the
/// order in which they were made. Lives in the message's arena, trivially destructible. Adding in ascending
/// order costs the same however many there are. A removal takes over what was changed within it before, as
/// long as nobody else's copy loses by that, and to remove a part of what is removed already is accepted and
/// changes nothing. Other overlaps of edits of the same or of all branches are refused with Errc::overlap: a
/// part of an edit, a replacement around one, a text into the middle of something removed, which nobody would
/// see. An edit that begins where another ends is beside it. Further errors: out_of_range (not part of the
/// message), no_memory, too_many (edits far out of order, in the ten thousands), syntax (checked texts).
class EditList {
 public:
  EditList(Arena& arena, const Message& message) noexcept : x_arena(&arena), x_message(&message) {}

  /// `part` is a view into the message's bytes(). The replacement is not checked.
  Result<void> replace(std::string_view part, std::string_view with, std::uint16_t branch = kAllBranches,
                       TextLife life = TextLife::copy) noexcept;
  Result<void> remove(std::string_view part, std::uint16_t branch = kAllBranches) noexcept;
  /// The text is not checked.
  Result<void> insert_at(std::size_t offset, std::string_view text, std::uint16_t branch = kAllBranches,
                         TextLife life = TextLife::copy) noexcept;

  /// Whole header lines, each with its CRLF, checked by check_header_lines().
  Result<void> insert_before(const HeaderField& field, std::string_view lines,
                             std::uint16_t branch = kAllBranches, TextLife life = TextLife::copy) noexcept;
  Result<void> insert_after(const HeaderField& field, std::string_view lines,
                            std::uint16_t branch = kAllBranches, TextLife life = TextLife::copy) noexcept;
  /// After the last header field, before the blank line. Indexes everything.
  Result<void> append_header(std::string_view lines, std::uint16_t branch = kAllBranches,
                             TextLife life = TextLife::copy) noexcept;
  /// `Name: value` as the last header field. The name must be a token, the value hold no CR, LF or NUL.
  Result<void> append_field(std::string_view name, std::string_view value,
                            std::uint16_t branch = kAllBranches) noexcept;

  const Edit* first() const noexcept { return x_first; }
  bool empty() const noexcept { return x_first == nullptr; }
  std::uint32_t count() const noexcept { return x_count; }
  /// Sum of the texts of all edits.
  std::size_t text_bytes() const noexcept { return x_text_bytes; }
  /// The largest offset that an edit touches; 0 when there is none.
  std::uint32_t max_end() const noexcept { return x_max_end; }
  const Message& message() const noexcept { return *x_message; }
  /// From here on edits of all branches are edits of this one: what a branch route adds. kAllBranches ends
  /// it.
  void set_branch(std::uint16_t branch) noexcept { x_branch = branch; }
  /// The handle on the same chunks in the process that goes on with the message.
  void set_arena(Arena& arena) noexcept { x_arena = &arena; }

 private:
  Result<void> add(std::size_t offset, std::size_t removed, std::string_view text, std::uint16_t branch,
                   TextLife life) noexcept;
  Result<void> add_lines(std::size_t offset, std::string_view lines, std::uint16_t branch,
                         TextLife life) noexcept;
  /// Where a new edit goes.
  struct Place {
    Edit* after = nullptr;    // nullptr: to the front
    bool needed = true;       // false: what it removes is removed already
    bool takes_over = false;  // edits within it are to be dropped
  };
  Result<Place> find_place(const Edit& wanted) noexcept;
  void drop_within(const Edit& removal) noexcept;

  Arena* x_arena;
  const Message* x_message;
  Edit* x_first = nullptr;
  Edit* x_last = nullptr;
  std::size_t x_text_bytes = 0;
  std::uint32_t x_max_end = 0;
  std::uint32_t x_count = 0;
  std::uint16_t x_branch = kAllBranches;
  std::uint32_t x_steps = 0;  // steps spent on edits out of order
};

/// Is the text one header line or several: no NUL, every CR before LF and every LF after CR, a CRLF at the
/// end, no empty line, and every line either `token:` or the continuation of one? Empty text is good.
/// Errc::syntax with the offset.
Result<void> check_header_lines(std::string_view lines) noexcept;

/// May the text be a header value: no CR, LF or NUL?
bool is_header_value(std::string_view text) noexcept;

}  // namespace ser::sip
