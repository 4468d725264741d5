// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the vocabulary: addresses, numbers and the log line. The first byte selects.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/endpoint.h"
#include "base/log.h"
#include "base/text.h"

namespace {

using namespace ser;

void require(bool promise, const char* what) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

void address(std::string_view text) {
  const auto ip = parse_ip(text);
  if (!ip) return;
  for (const bool brackets : {false, true}) {
    const IpText printed = print_ip(*ip, brackets);
    const auto again = parse_ip(printed.view());
    require(again && *again == *ip, "a printed address is the same address");
  }
  sockaddr_storage native{};
  const SockAddr endpoint{*ip, 5060};
  endpoint.to_native(native);
  require(SockAddr::from(reinterpret_cast<const sockaddr*>(&native)) == endpoint,
          "the kernel's form is the same");
  require(ip->in_network(*ip, 128) && ip->in_network(*ip, 0), "every address is in its own network");
}

void log_line(std::string_view text) {
  MemoryLogSink sink;
  Logger log(sink, LogLevel::debug);
  log.set_prefix(text.substr(0, text.size() / 2));
  LOG(log, info, "{} {}", text, text.size());
  log.text(LogLevel::info, text);
  const std::string_view written = sink.text();
  std::size_t lines = 0;
  for (const char c : written) {
    const auto byte = static_cast<unsigned char>(c);
    lines += c == '\n' ? 1U : 0U;
    require((byte >= 0x20 && byte != 0x7F) || c == '\n' || c == '\t', "no control byte gets into the log");
  }
  require(lines <= 2, "a message cannot forge log lines");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0)
    address(text);
  else
    log_line(text);
  return 0;
}
