// SPDX-License-Identifier: Apache-2.0
// Fuzz target of ser::net: the first byte selects the parser, the rest is its input.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/dns_message.h"
#include "net/hosts_file.h"
#include "net/listener.h"

namespace {

using ser::net::DnsType;

/// The question is taken from the message itself, or nearly every input would end at "answer to another
/// name".
void dns(std::string_view bytes, DnsType type) {
  ser::net::DnsName name;
  char text[256];
  std::size_t size = 0;
  std::size_t at = 12;
  while (at < bytes.size() && bytes[at] > 0 && size + 64 < sizeof text) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at++]));
    for (std::size_t i = 0; i < length && i < 63 && at < bytes.size(); ++i) text[size++] = bytes[at++];
    text[size++] = '.';
  }
  if (!name.assign({text, size})) (void)name.assign("a");
  ser::net::DnsAnswer answer;
  const auto parsed = ser::net::parse_dns_answer(bytes, name.view(), type, answer);
  if (!parsed && answer.count != 0) std::abort();
  if (answer.count > ser::net::DnsAnswer::kMax) std::abort();
  for (unsigned i = 0; i < answer.count; ++i) {
    if (type == DnsType::srv && answer.srv[i].target.size > ser::net::DnsName::kMax) std::abort();
    if (i != 0 && type == DnsType::srv && answer.srv[i - 1].priority > answer.srv[i].priority) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      dns(bytes, DnsType::a);
      break;
    case 1:
      dns(bytes, DnsType::aaaa);
      break;
    case 2:
      dns(bytes, DnsType::srv);
      break;
    case 3:
      dns(bytes, DnsType::ptr);
      break;
    case 4: {
      const auto spec = ser::net::parse_listen_text(bytes);
      if (spec && spec->host.empty()) std::abort();
      break;
    }
    default: {
      ser::net::HostsFile hosts;
      hosts.parse(bytes);
      ser::net::DnsAnswer answer;
      if (hosts.answer("localhost", DnsType::a, answer) && answer.count > ser::net::DnsAnswer::kMax)
        std::abort();
    }
  }
  return 0;
}
