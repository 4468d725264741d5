// SPDX-License-Identifier: Apache-2.0
#include "sip/edit.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "sip/scanner.h"

namespace ser::sip {

namespace {

// Bounds what a script can spend on edits that come in descending order.
constexpr std::uint32_t kMaxSteps = 1U << 22;

bool same_branch(std::uint16_t a, std::uint16_t b) noexcept {
  return a == b || a == kAllBranches || b == kAllBranches;
}

/// Do two edits touch the same bytes? An insertion touches what is removed around it, not what is removed
/// beside it.
bool collide(const Edit& a, const Edit& b) noexcept {
  if (!same_branch(a.branch, b.branch)) return false;
  if (a.removed == 0 && b.removed == 0) return false;
  return a.offset < b.end() && b.offset < a.end();
}

bool is_removal(const Edit& edit) noexcept {
  return edit.removed != 0 && edit.text.empty();
}

/// The removal `outer` leaves nothing of `inner` in any copy of the message.
bool takes_over(const Edit& outer, const Edit& inner) noexcept {
  return is_removal(outer) && (outer.branch == kAllBranches || outer.branch == inner.branch) &&
         outer.offset <= inner.offset && inner.end() <= outer.end();
}

}  // namespace

Result<EditList::Place> EditList::find_place(const Edit& wanted) noexcept {
  Place place;
  bool search = true;
  for (Edit* edit = x_first; edit != nullptr; edit = edit->next) {
    if (++x_steps > kMaxSteps) return {Errc::too_many, "too many edits out of order"};
    if (edit->offset > wanted.end()) break;
    search = search && edits_in_order(*edit, wanted);
    if (collide(*edit, wanted)) {
      if (is_removal(wanted) && takes_over(*edit, wanted)) {
        place.needed = false;
        return place;
      }
      if (!takes_over(wanted, *edit)) return {Errc::overlap, "edits overlap", wanted.offset};
      place.takes_over = true;
      continue;
    }
    if (search) place.after = edit;
  }
  return place;
}

void EditList::drop_within(const Edit& removal) noexcept {
  Edit* last = nullptr;
  for (Edit** link = &x_first; *link != nullptr;) {
    Edit& edit = **link;
    if (collide(edit, removal)) {
      *link = edit.next;
      x_text_bytes -= edit.text.size();
      --x_count;
      continue;
    }
    last = &edit;
    link = &edit.next;
  }
  x_last = last;
}

Result<void> EditList::add(std::size_t offset, std::size_t removed, std::string_view text,
                           std::uint16_t branch, TextLife life) noexcept {
  const std::size_t size = x_message->bytes().size();
  if (offset > size || removed > size - offset) return {Errc::out_of_range, "edit outside the message"};
  if (removed == 0 && text.empty()) return {};
  if (branch == kAllBranches) branch = x_branch;
  Edit wanted{static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(removed), text, branch, nullptr};
  Place place{x_last};
  // An edit behind everything that is there can neither collide nor change the order; a removal that begins
  // where the last insertion stands comes after it anyway.
  if (wanted.offset < x_max_end || (x_last != nullptr && !edits_in_order(*x_last, wanted))) {
    TRY(place, find_place(wanted));
    if (!place.needed) return {};
  }
  if (life == TextLife::copy && !text.empty()) {
    wanted.text = x_arena->copy(text);
    if (wanted.text.data() == nullptr) return {Errc::no_memory, "arena exhausted"};
  }
  Edit* edit = x_arena->make<Edit>(wanted);
  if (edit == nullptr) return {Errc::no_memory, "arena exhausted"};
  if (place.takes_over) drop_within(wanted);
  Edit*& link = place.after == nullptr ? x_first : place.after->next;
  edit->next = link;
  link = edit;
  if (edit->next == nullptr) x_last = edit;
  x_text_bytes += text.size();
  x_max_end = std::max(x_max_end, edit->end());
  ++x_count;
  return {};
}

Result<void> EditList::replace(std::string_view part, std::string_view with, std::uint16_t branch,
                               TextLife life) noexcept {
  const std::string_view bytes = x_message->bytes();
  // Compared as numbers: a view from elsewhere must not be taken for one of ours.
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const auto at = reinterpret_cast<std::uintptr_t>(part.data());
  if (at < begin || at - begin > bytes.size()) return {Errc::out_of_range, "not a part of the message"};
  return add(at - begin, part.size(), with, branch, life);
}

Result<void> EditList::remove(std::string_view part, std::uint16_t branch) noexcept {
  return replace(part, {}, branch, TextLife::stable);
}

Result<void> EditList::insert_at(std::size_t offset, std::string_view text, std::uint16_t branch,
                                 TextLife life) noexcept {
  return add(offset, 0, text, branch, life);
}

Result<void> EditList::add_lines(std::size_t offset, std::string_view lines, std::uint16_t branch,
                                 TextLife life) noexcept {
  TRY_VOID(check_header_lines(lines));
  return add(offset, 0, lines, branch, life);
}

Result<void> EditList::insert_before(const HeaderField& field, std::string_view lines, std::uint16_t branch,
                                     TextLife life) noexcept {
  return add_lines(field.offset(), lines, branch, life);
}

Result<void> EditList::insert_after(const HeaderField& field, std::string_view lines, std::uint16_t branch,
                                    TextLife life) noexcept {
  return add_lines(field.offset() + field.line().size(), lines, branch, life);
}

Result<void> EditList::append_header(std::string_view lines, std::uint16_t branch, TextLife life) noexcept {
  return add_lines(x_message->blank_line_offset(), lines, branch, life);
}

Result<void> EditList::append_field(std::string_view name, std::string_view value,
                                    std::uint16_t branch) noexcept {
  if (!is_token(name)) return {Errc::syntax, "header name is no token"};
  if (!is_header_value(value)) return {Errc::syntax, "CR, LF or NUL in a header value"};
  const std::size_t size = name.size() + value.size() + 4;
  auto* line = static_cast<char*>(x_arena->allocate(size, 1));
  if (line == nullptr) return {Errc::no_memory, "arena exhausted"};
  std::memcpy(line, name.data(), name.size());
  std::memcpy(line + name.size(), ": ", 2);
  if (!value.empty()) std::memcpy(line + name.size() + 2, value.data(), value.size());
  std::memcpy(line + size - 2, "\r\n", 2);
  return add(x_message->blank_line_offset(), 0, {line, size}, branch, TextLife::stable);
}

Result<void> check_header_lines(std::string_view lines) noexcept {
  std::size_t at = 0;
  while (at < lines.size()) {
    const auto offset = static_cast<std::uint32_t>(at);
    const std::size_t end = lines.find('\n', at);
    if (end == std::string_view::npos || end == at || lines[end - 1] != '\r') {
      return {Errc::syntax, "header line does not end with CRLF", offset};
    }
    const auto line = lines.substr(at, end - 1 - at);
    if (line.find('\r') != std::string_view::npos || line.find('\0') != std::string_view::npos) {
      return {Errc::syntax, "CR or NUL inside a header line", offset};
    }
    if (at == 0 || line.empty() || !is_space(line[0])) {
      Cursor cursor(line);
      const bool named = !cursor.token().empty();
      while (cursor.next_is(' ') || cursor.next_is('\t')) cursor.advance(1);
      if (!named || !cursor.next_is(':')) return {Errc::syntax, "not a header line", offset};
    } else if (trim(line).empty()) {
      return {Errc::syntax, "blank continuation line", offset};
    }
    at = end + 1;
  }
  return {};
}

bool is_header_value(std::string_view text) noexcept {
  // Eight bytes at a time, the last word overlapping: is one of them below SO? Then it is looked at closely,
  // for it may be a harmless TAB.
  constexpr std::uint64_t ones = 0x0101010101010101U;
  const auto suspicious = [](const char* p) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    return ((word - ones * 14) & ~word & (ones << 7)) != 0;
  };
  if (text.size() >= 8) {
    const char* const last = text.data() + text.size() - 8;
    bool found = suspicious(last);
    for (const char* p = text.data(); p < last; p += 8) found = found || suspicious(p);
    if (!found) return true;
  }
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0') return false;
  }
  return true;
}

}  // namespace ser::sip
