// SPDX-License-Identifier: Apache-2.0
// Fuzz target of ser::crash: the first byte selects crash file or fingerprint, the rest is its input.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crash/crash_file.h"
#include "crash/fingerprint.h"

namespace {

void crash_file(std::string_view bytes) {
  const auto file = ser::crash::parse_crash_file(bytes);
  if (!file) return;
  const std::string printed = ser::crash::print(*file);
  const auto again = ser::crash::parse_crash_file(printed);
  if (!again || ser::crash::print(*again) != printed || again->message != file->message) std::abort();
}

void fingerprint(std::string_view bytes) {
  constexpr ser::HashKey kKey{1, 2};
  const ser::IpAddress source = ser::IpAddress::v4(192, 0, 2, 1);
  const std::uint64_t one = ser::crash::fingerprint(kKey, bytes, source);
  // Leading line ends are not the message's.
  if (one == 0 || one != ser::crash::fingerprint(kKey, "\r\n" + std::string(bytes), source)) std::abort();
  // Nor does the body count.
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::string head = std::string(bytes.substr(0, bytes.find('\n'))) + std::string(kEnd);
  if (head.front() != '\r' && head.front() != '\n' &&
      ser::crash::fingerprint(kKey, head, source) !=
          ser::crash::fingerprint(kKey, head + std::string(bytes), source))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0)
    crash_file(bytes);
  else
    fingerprint(bytes);
  return 0;
}
