// SPDX-License-Identifier: Apache-2.0
#include "crash/safe_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

namespace ser::crash {

SafeReader::SafeReader() noexcept {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  x_reader = Fd(ends[0]);
  x_writer = Fd(ends[1]);
}

bool SafeReader::copy(void* to, const void* from, std::size_t bytes) const noexcept {
  constexpr std::size_t kPiece = 4096;  // PIPE_BUF: all of it or nothing
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  while (bytes > 0) {
    const std::size_t piece = std::min(bytes, kPiece);
    const ssize_t written = ::write(x_writer.get(), in, piece);
    if (written <= 0 || ::read(x_reader.get(), out, static_cast<std::size_t>(written)) != written)
      return false;
    if (written != static_cast<ssize_t>(piece)) return false;
    out += piece;
    in += piece;
    bytes -= piece;
  }
  return true;
}

}  // namespace ser::crash
