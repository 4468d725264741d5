// SPDX-License-Identifier: Apache-2.0
// Builds DNS messages for tests.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/endpoint.h"
#include "base/text.h"
#include "net/dns_message.h"

namespace ser::net {

/// Writes answers record by record; counts are kept in the header.
class DnsTestMessage {
 public:
  DnsTestMessage(std::string_view name, DnsType type, unsigned rcode = 0, unsigned flags = 0x8180) {
    u16(0x1234);
    u16(flags | rcode);
    for (const unsigned count : {1, 0, 0, 0}) u16(count);
    this->name(name);
    u16(static_cast<unsigned>(type));
    u16(1);
  }
  DnsTestMessage& a(std::string_view owner, unsigned ttl, const char* ip) {
    return address(owner, DnsType::a, ttl, ip, 4);
  }
  DnsTestMessage& aaaa(std::string_view owner, unsigned ttl, const char* ip) {
    return address(owner, DnsType::aaaa, ttl, ip, 16);
  }
  DnsTestMessage& cname(std::string_view owner, unsigned ttl, std::string_view target) {
    return named(owner, DnsType::cname, ttl, target);
  }
  DnsTestMessage& ptr(std::string_view owner, unsigned ttl, std::string_view target) {
    return named(owner, DnsType::ptr, ttl, target);
  }
  DnsTestMessage& srv(std::string_view owner, unsigned ttl, unsigned priority, unsigned weight, unsigned port,
                      std::string_view target) {
    head(owner, DnsType::srv, ttl);
    u16(static_cast<unsigned>(6 + target.size() + (target.empty() ? 1 : 2)));
    u16(priority);
    u16(weight);
    u16(port);
    name(target);
    return *this;
  }
  DnsTestMessage& soa(std::string_view owner, unsigned ttl, unsigned minimum) {
    name(owner);
    u16(static_cast<unsigned>(DnsType::soa));
    u16(1);
    u32(ttl);
    u16(22);
    name("");
    name("");
    for (int i = 0; i < 4; ++i) u32(7);
    u32(minimum);
    count(8);
    return *this;
  }
  /// Bytes as they are, for broken messages.
  DnsTestMessage& raw(std::string_view bytes) {
    x_bytes += bytes;
    return *this;
  }
  /// Counts one more record in the section whose count stands at `offset` of the header (6: answer, 8:
  /// authority).
  void count(std::size_t offset) { ++x_bytes[offset + 1]; }
  const std::string& bytes() const { return x_bytes; }
  std::string& bytes() { return x_bytes; }

 private:
  void u16(unsigned value) {
    x_bytes.push_back(static_cast<char>(value >> 8));
    x_bytes.push_back(static_cast<char>(value));
  }
  void u32(unsigned value) {
    u16(value >> 16);
    u16(value & 0xFFFF);
  }
  void name(std::string_view text) {
    while (!text.empty()) {
      const std::string_view label = split_off(text, '.');
      x_bytes.push_back(static_cast<char>(label.size()));
      x_bytes += label;
    }
    x_bytes.push_back('\0');
  }
  void head(std::string_view owner, DnsType type, unsigned ttl) {
    name(owner);
    u16(static_cast<unsigned>(type));
    u16(1);
    u32(ttl);
    count(6);
  }
  DnsTestMessage& address(std::string_view owner, DnsType type, unsigned ttl, const char* ip, unsigned size) {
    head(owner, type, ttl);
    u16(size);
    const IpAddress value = *parse_ip(ip);
    x_bytes.append(reinterpret_cast<const char*>(value.bytes.data()), size);
    return *this;
  }
  DnsTestMessage& named(std::string_view owner, DnsType type, unsigned ttl, std::string_view target) {
    head(owner, type, ttl);
    u16(static_cast<unsigned>(target.size() + 2));
    name(target);
    return *this;
  }
  std::string x_bytes;
};

}  // namespace ser::net
