// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

namespace ser {

const char* to_string(Errc code) noexcept {
  switch (code) {
    case Errc::none:
      return "none";
    case Errc::incomplete:
      return "incomplete";
    case Errc::syntax:
      return "syntax";
    case Errc::too_long:
      return "too_long";
    case Errc::too_many:
      return "too_many";
    case Errc::out_of_range:
      return "out_of_range";
    case Errc::missing:
      return "missing";
    case Errc::unsupported:
      return "unsupported";
    case Errc::version:
      return "version";
    case Errc::overlap:
      return "overlap";
    case Errc::no_memory:
      return "no_memory";
    case Errc::no_space:
      return "no_space";
    case Errc::not_found:
      return "not_found";
    case Errc::exists:
      return "exists";
    case Errc::refused:
      return "refused";
    case Errc::system:
      return "system";
    case Errc::pending:
      return "pending";
    case Errc::suspended:
      return "suspended";
  }
  return "unknown";
}

}  // namespace ser
