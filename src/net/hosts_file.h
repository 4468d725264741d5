// SPDX-License-Identifier: Apache-2.0
// /etc/hosts in memory: names to addresses and back.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/dns_message.h"

namespace ser::net {

/// Not thread-safe; lives in the event worker.
class HostsFile {
 public:
  /// Replaces the content by what `text` holds (hosts(5)). Lines that are not understood are skipped; at most
  /// 65,536 names.
  void parse(std::string_view text);
  /// Reads `path` if it is not what was read before (size and modification time). A file that is not there is
  /// empty.
  void refresh(const std::string& path);

  /// Answers A, AAAA and PTR for names of the file. False: the file does not know the name (or the type is
  /// another).
  bool answer(std::string_view name, DnsType type, DnsAnswer& out) const;

 private:
  std::unordered_map<std::string, std::vector<IpAddress>> x_names;
  std::unordered_map<std::string, std::string> x_reverse;
  std::int64_t x_modified = -1;
  std::int64_t x_size = -1;
};

}  // namespace ser::net
