// SPDX-License-Identifier: Apache-2.0
// Messages in a byte stream (RFC 3261 18.3): where one ends and the next begins; keep-alives of RFC 5626.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace ser::sip {

/// Limits of a stream. A message over them is an error and the connection has to be closed.
struct FramingLimits {
  std::uint32_t header_bytes = 65535;   ///< first line and header fields, blank line included
  std::uint32_t message_bytes = 65535;  ///< with the body
};

/// What stands at the front of the buffered bytes.
struct Frame {
  enum class Kind : std::uint8_t {
    need_more,  ///< nothing whole yet
    message,    ///< `bytes` is one message
    ping,       ///< CRLF CRLF: answer with one CRLF (RFC 5626 4.4.1)
    pong,       ///< a single CRLF: the answer to ours, or a stray line end before a message
    error       ///< the stream cannot be followed any more: `error` tells why
  };
  Kind kind = Kind::need_more;
  std::string_view bytes;    ///< the message; of an error the header part when it was whole, for a reply
  std::size_t consumed = 0;  ///< take so many bytes off the front of the buffer before the next call
  Error error;
};

/// Follows one stream. The caller appends what it reads to a buffer, calls next() with all of it, takes
/// `consumed` bytes off, and goes on until need_more. Every byte is looked at a bounded number of times
/// however small the pieces are in which they arrive. After an error every call gives the same error. No
/// allocation.
class StreamFramer {
 public:
  explicit StreamFramer(FramingLimits limits = {}) noexcept : x_limits(limits) {}

  Frame next(std::string_view buffered) noexcept;

  /// Bytes the message at the front will have in all; 0 while its header part is not complete. Lets the
  /// caller make room.
  std::size_t expected() const noexcept { return x_header_end == 0 ? 0 : x_header_end + x_body; }

 private:
  Frame fail(Errc code, const char* what, std::string_view header) noexcept;
  bool find_header_end(std::string_view buffered) noexcept;

  FramingLimits x_limits;
  std::size_t x_line = 0;        // start of the line being read
  std::size_t x_scanned = 0;     // no line end before this offset but those already seen
  std::size_t x_header_end = 0;  // offset of the first body byte, 0: unknown
  std::size_t x_body = 0;
  bool x_half_ping = false;  // the last thing was a lone CRLF: another one makes it a ping
  Error x_error;
};

/// Content-Length of a header part (first line to blank line) without indexing it: full and compact name,
/// folds. Errc::missing; syntax for no number or two different ones; out_of_range above 2^32 - 1.
Result<std::uint32_t> find_content_length(std::string_view header) noexcept;

}  // namespace ser::sip
