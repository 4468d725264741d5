// SPDX-License-Identifier: Apache-2.0
// The scripted name server of a simulated world.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "flow/flow_file.h"
#include "net/dns_message.h"

namespace ser::flow {

class Names {
 public:
  struct Answer {
    net::DnsAnswer answer;
    Instant delay = 0;     ///< ns
    bool timeout = false;  ///< no answer; the asker's own time-out decides
    bool scripted = false;
  };

  /// A `name` line; replaces an earlier one of the same name and type. False: a record is no good.
  bool set(const NameStep& step);
  /// What is not scripted does not exist (NXDOMAIN), at once; a name scripted for another type has no data of
  /// this one.
  Answer ask(std::string_view name, net::DnsType type) const;

 private:
  std::map<std::string, Answer> x_answers;  ///< by "name TYPE"
};

}  // namespace ser::flow
