// SPDX-License-Identifier: Apache-2.0
// What caller and callee of a call say: INVITE, 180 and 200 to it, ACK, BYE and its 200.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "load/check.h"
#include "load/options.h"
#include "load/template.h"

namespace ser::bench {

/// The messages of a call from one caller's address, and their checks. Stays where it is: the checks point
/// into it.
class CallTexts {
 public:
  CallTexts(const Options& options, const Address& caller, std::uint32_t run);
  CallTexts(const CallTexts&) = delete;
  CallTexts& operator=(const CallTexts&) = delete;
  /// Every text has room in kMaxMessage bytes, with `route_room` bytes of Route lines.
  bool fits(std::size_t route_room) const;

  Messages ringing;  ///< the INVITE and its 180
  Messages answer;   ///< the INVITE and its 200
  Messages ack;      ///< the ACK, which has no reply
  Messages bye;      ///< the BYE and its 200

 private:
  Options x_beginning, x_inside;  ///< Record-Route belongs to what begins a dialog, and not inside of it

 public:
  Checker check_ringing, check_answer, check_ack, check_bye;
};

/// The Route lines of a request inside of the dialog: the Record-Route of its 2xx, last first (RFC
/// 3261 12.1.2).
std::string route_lines(std::string_view record_route_lines);

}  // namespace ser::bench
