// SPDX-License-Identifier: Apache-2.0
// Where the lines of a header end, found in one pass over its bytes: what the receive checks look at anyway,
// kept for the index.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ser::sip {

/// One physical line of a header. Left uninitialised on purpose: 128 of them stand on the stack of the hot
/// path.
struct LineEnd {
  std::uint16_t end;    ///< offset behind its LF
  std::uint16_t colon;  ///< offset of its first colon; 0: none
};

/// The lines of a header, the start line first. On the stack of who scans; Message::parse() copies what it
/// keeps.
struct LineIndex {
  static constexpr std::size_t kMaxLines = 128;
  enum class Verdict : std::uint8_t {
    complete,  ///< blank line found
    no_blank_line,
    bare_cr,   ///< a CR without LF before the blank line
    too_many,  ///< complete, but with more lines than fit: `lines` is of no use
  };
  std::array<LineEnd, kMaxLines> lines;
  std::uint16_t count = 0;       ///< lines before the blank one
  std::uint16_t blank_line = 0;  ///< offset of the blank line
  std::uint16_t header_end = 0;  ///< offset of the first body byte
};

/// Finds line ends (LF, with or without CR), first colons and the blank line of `text`, at most 65,535 bytes
/// of it, and sees whether every CR before the blank line has its LF. Reads no further than the block of 64
/// bytes the blank line is in. No allocation.
LineIndex::Verdict scan_lines(std::string_view text, LineIndex& out) noexcept;

}  // namespace ser::sip
