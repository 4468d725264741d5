// SPDX-License-Identifier: Apache-2.0
// The Record-Route header fields a request leaves with (RFC 3261 16.6 step 4).
#pragma once
#include <string_view>

#include "base/packet.h"
#include "base/result.h"
#include "proxy/run.h"

namespace ser::proxy {

/// Whole lines for the run's RouteState when the request leaves to `target`, to stand above all other header
/// fields, our Via too, as SER and its heirs write them: one, or two (RFC 5658) when it
/// leaves by another socket than it came in by; then the upper one faces the next hop, and both have `r2=on`.
/// In the arena. Errc::no_memory.
Result<std::string_view> record_route_lines(Run& run, const TxTarget& target) noexcept;

}  // namespace ser::proxy
