// SPDX-License-Identifier: Apache-2.0
// Messages of fixed length with fields that change from transaction to transaction, and the texts we send.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/options.h"

namespace ser::bench {

inline constexpr std::size_t kMaxMessage = 2048;
inline constexpr unsigned kSequenceDigits = 12;
inline constexpr unsigned kSlotDigits = 5;

/// Text with fields of fixed width; copying and patching one costs some tens of nanoseconds.
class Template {
 public:
  Template() = default;
  /// In `text` a run of '\x01' (12 bytes) stands for the sequence number in hex, '\x02' (5) for the slot in
  /// hex,
  /// '\x03' (9) for a decimal number made from the sequence number (CSeq).
  explicit Template(std::string text);
  /// What stands for sequence number and slot in a text.
  static std::string sequence();
  static std::string slot();
  std::size_t size() const { return x_text.size(); }
  std::string_view text() const { return x_text; }
  /// The whole message to `out` (room for size()).
  void write(char* out, std::uint64_t sequence, std::uint32_t slot) const;
  /// Only the fields that depend on the sequence number, in a copy written before.
  void patch(char* out, std::uint64_t sequence) const;

 private:
  struct Field {
    std::size_t offset;
    char kind;
  };
  std::string x_text;
  std::vector<Field> x_fields;
};

/// What a transaction's messages are made from.
struct Messages {
  Template request;  ///< as the caller sends it; the first lines are request line, Via, Max-Forwards
  std::string status_line = "SIP/2.0 200 OK\r\n";  ///< of the callee's reply
  Template reply_tail;    ///< the callee's reply after its Via and Record-Route lines: From … body
  std::string id_prefix;  ///< what stands before slot and sequence number in our Via branch
  std::string sent_by;    ///< host:port of our Via
  std::size_t request_line_size = 0;  ///< with CRLF
  std::size_t rest_offset = 0;        ///< of the first header field after Max-Forwards in the request
  std::string expected_request_line;  ///< as the callee must see it, with CRLF
};

inline constexpr unsigned kMaxForwards = 70;

/// `run` tells this run's messages from those of others; one set per caller socket (its address is in Via and
/// Contact).
Messages make_messages(const Options& options, const Address& caller, std::uint32_t run);

/// A session description of `who`, told from others by `sequence`.
std::string session_text(const std::string& who, const std::string& sequence);
/// Eight lower-case hex digits.
std::string hex_text(std::uint32_t value);

/// Reads exactly `digits` lower-case hex digits.
bool read_hex(const char* at, unsigned digits, std::uint64_t& out);

}  // namespace ser::bench
