// SPDX-License-Identifier: Apache-2.0
#include "sip/writer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "sip/output.h"

namespace ser::sip {

namespace {

constexpr std::string_view kContentLength = "Content-Length: ";

/// Gives the edits of three sources in the order in which they are applied.
class Merge {
 public:
  Merge(const EditList* list, const WriteOptions& options, std::span<const Edit> own) noexcept
      : x_list(list != nullptr ? list->first() : nullptr),
        x_extra(options.extra),
        x_own(own),
        x_branch(options.branch) {}

  const Edit* next() noexcept {
    while (x_list != nullptr && x_list->branch != kAllBranches && x_list->branch != x_branch)
      x_list = x_list->next;
    const Edit* best = x_list;
    if (!x_extra.empty() && (best == nullptr || edits_in_order(x_extra.front(), *best)))
      best = &x_extra.front();
    if (!x_own.empty() && (best == nullptr || edits_in_order(x_own.front(), *best))) best = &x_own.front();
    if (best == nullptr) return nullptr;
    if (best == x_list) {
      x_list = x_list->next;
    } else if (!x_own.empty() && best == &x_own.front()) {
      x_own = x_own.subspan(1);
    } else {
      x_extra = x_extra.subspan(1);
    }
    return best;
  }

 private:
  const Edit* x_list;
  std::span<const Edit> x_extra;
  std::span<const Edit> x_own;
  std::uint16_t x_branch;
};

/// Size of the body after all edits.
std::size_t edited_body_size(Merge merge, std::size_t header_end, std::size_t end) noexcept {
  std::size_t size = end - header_end;
  std::size_t cursor = 0;
  while (const Edit* edit = merge.next()) {
    if (edit->offset > end) break;
    if (edit->offset < cursor) continue;
    cursor = std::max<std::size_t>(cursor, std::min<std::size_t>(edit->end(), end));
    if (edit->offset >= header_end) size += edit->text.size();
    if (cursor > header_end) size -= cursor - std::max<std::size_t>(edit->offset, header_end);
  }
  return size;
}

/// The edits the writer makes itself, with room for the text of the second.
struct OwnEdits {
  std::array<Edit, 2> edits{};
  std::size_t count = 0;
  std::array<char, kContentLength.size() + 24> text{};

  std::span<const Edit> span() const noexcept { return {edits.data(), count}; }
};

bool touches_body(const EditList* list, const WriteOptions& options, std::size_t header_end) noexcept {
  // An insertion exactly at the start of the body has max_end == header_end.
  if (list != nullptr && list->max_end() >= header_end) return true;
  return std::any_of(options.extra.begin(), options.extra.end(),
                     [&](const Edit& edit) { return edit.end() >= header_end; });
}

void fix_content_length(const Message& message, const EditList* list, const WriteOptions& options,
                        std::size_t end, OwnEdits& own) noexcept {
  const std::size_t header_end = message.header_end_offset();
  const bool touched = touches_body(list, options, header_end);
  if (!touched && !options.require_content_length) return;
  const HeaderField* field = message.find(HeaderId::content_length);
  if (field == nullptr && !options.require_content_length) return;
  const std::size_t before = end - std::min(header_end, end);
  const std::size_t size =
      touched ? edited_body_size(Merge(list, options, own.span()), header_end, end) : before;
  if (field != nullptr && size == before) return;
  Edit& edit = own.edits[own.count++];
  Output text(own.text);
  if (field != nullptr) {
    edit.offset = field->value_offset();
    edit.removed = static_cast<std::uint32_t>(field->value().size());
    text.number(size);
  } else {
    edit.offset = static_cast<std::uint32_t>(message.blank_line_offset());
    text.put(kContentLength);
    text.number(size);
    text.put("\r\n");
  }
  edit.text = {own.text.data(), text.size()};
}

}  // namespace

std::size_t written_size(const Message& message, const EditList* edits,
                         const WriteOptions& options) noexcept {
  std::size_t size = message.wire_bytes().size() + options.request_uri.size() + kContentLength.size() + 24;
  if (edits != nullptr) size += edits->text_bytes();
  for (const Edit& edit : options.extra) size += edit.text.size();
  return size;
}

Result<std::size_t> write(const Message& message, const EditList* edits, const WriteOptions& options,
                          std::span<char> out) noexcept {
  const std::string_view bytes = message.wire_bytes();
  OwnEdits own;
  if (!options.request_uri.empty() && message.is_request()) {
    const std::string_view uri = message.start().uri;
    own.edits[own.count++] = {static_cast<std::uint32_t>(uri.data() - bytes.data()),
                              static_cast<std::uint32_t>(uri.size()), options.request_uri};
  }
  fix_content_length(message, edits, options, bytes.size(), own);

  Merge merge(edits, options, own.span());
  Output output(out);
  std::size_t cursor = 0;
  while (const Edit* edit = merge.next()) {
    if (edit->offset > bytes.size()) break;
    const std::size_t end = std::min<std::size_t>(edit->end(), bytes.size());
    if (edit->offset < cursor) {
      if (end <= cursor) continue;
      return {Errc::overlap, "edits of two sources overlap", edit->offset};
    }
    output.put(bytes.substr(cursor, edit->offset - cursor));
    output.put(edit->text);
    cursor = end;
  }
  output.put(bytes.substr(cursor));
  return output.finish();
}

}  // namespace ser::sip
