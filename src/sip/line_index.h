// SPDX-License-Identifier: Apache-2.0
// Where the header fields of a message lie, found in one pass over its bytes and without reading more
// of a name than its first letter and its length.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ser::sip {

/// The start line, or a header field with its continuation lines. It begins where the one before ends. Left
/// uninitialised on purpose: 128 of them stand on the stack of the hot path.
struct LineEnd {
  std::uint16_t end;    ///< offset behind its last LF
  std::uint16_t colon;  ///< offset of its first colon; 0: none
};

/// What a pass over a header says.
struct HeaderScan {
  std::uint32_t count =
      0;  ///< LineEnds there are, the start line first; more than were kept when room was short
  std::uint16_t blank_line = 0;  ///< offset of the blank line; of the end of the text when there is none
  std::uint16_t header_end = 0;  ///< offset of the first body byte; the same
  bool complete = false;         ///< the blank line was found
  bool bare_cr = false;          ///< a CR without LF stands before it
};

/// Where a scan puts what it finds about lines. The arrays are the caller's.
struct LineRoom {
  LineEnd* lines = nullptr;
  std::uint8_t* shapes = nullptr;  ///< of the names (name_shape.h); that of the start line means nothing
  std::size_t size = 0;            ///< elements of either
};

/// A scan with room for usual headers, made on the stack by who checks a datagram before it becomes a
/// message.
struct LineIndex {
  static constexpr std::size_t kRoom = 128;
  HeaderScan scan;
  std::array<LineEnd, kRoom> lines;
  std::array<std::uint8_t, kRoom> shapes;
};

/// Finds line ends (LF, with or without CR before it), folds, first colons and the blank line in at most
/// 65,535 bytes. Keeps the first room.size lines. Reads no further than the 64 bytes the blank line is in.
/// A line without LF at the end of the text is not counted.
HeaderScan scan_lines(std::string_view text, const LineRoom& room) noexcept;

/// How the bytes are looked at. All ways find the same, which tests and the fuzz target compare; scan_lines()
/// takes the fastest the processor has.
enum class ScanWay : std::uint8_t { bytewise, sse2, avx2 };
/// Whether this processor, and the program built for it, has that way.
bool can_scan(ScanWay way) noexcept;
/// `way` must be one that can_scan().
HeaderScan scan_lines(std::string_view text, const LineRoom& room, ScanWay way) noexcept;

inline void scan_lines(std::string_view text, LineIndex& index) noexcept {
  index.scan = scan_lines(text, {index.lines.data(), index.shapes.data(), index.lines.size()});
}

}  // namespace ser::sip
