// SPDX-License-Identifier: Apache-2.0
// Where the header fields of a message lie, found in one pass over its bytes and without reading more
// of a name than its first two letters.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ser::sip {

/// What a pass over a header says.
struct HeaderScan {
  std::uint32_t count = 0;       ///< lines, the start line first; more than were kept when room was short
  std::uint16_t blank_line = 0;  ///< offset of the blank line; of the end of the text when there is none
  std::uint16_t header_end = 0;  ///< offset of the first body byte; the same
  bool complete = false;         ///< the blank line was found
  bool bare_cr = false;          ///< a CR without LF stands before it
};

/// Where a scan puts what it finds about lines. The arrays are the caller's. A line is the start line or a
/// header field with its continuation lines; it begins where the one before ends.
struct LineRoom {
  std::uint16_t* ends = nullptr;  ///< offsets behind the last LF of each
  /// Of the names (name_shape.h), for one line more: that behind the header may be written, too. What stands
  /// for the start line means nothing.
  std::uint8_t* shapes = nullptr;
  std::size_t size = 0;  ///< elements of ends
};

/// A scan with room for usual headers, made on the stack by who checks a datagram before it becomes a
/// message. The arrays are left uninitialised on purpose: this is the hot path.
struct LineIndex {
  static constexpr std::size_t kRoom = 128;
  HeaderScan scan;
  std::array<std::uint16_t, kRoom> ends;
  std::array<std::uint8_t, kRoom + 1> shapes;
};

/// Finds line ends (LF, with or without CR before it), folds and the blank line in at most 65,535 bytes.
/// Keeps the first room.size lines. Reads no further than the 64 bytes the blank line is in. A line without
/// LF at the end of the text is not counted.
HeaderScan scan_lines(std::string_view text, const LineRoom& room) noexcept;

/// How the bytes are looked at. All ways find the same, which tests and the fuzz target compare; scan_lines()
/// takes the fastest the processor has.
enum class ScanWay : std::uint8_t { bytewise, sse2, avx2 };
/// Whether this processor, and the program built for it, has that way.
bool can_scan(ScanWay way) noexcept;
/// `way` must be one that can_scan().
HeaderScan scan_lines(std::string_view text, const LineRoom& room, ScanWay way) noexcept;

inline void scan_lines(std::string_view text, LineIndex& index) noexcept {
  index.scan = scan_lines(text, {index.ends.data(), index.shapes.data(), index.ends.size()});
}

}  // namespace ser::sip
