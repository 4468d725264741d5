// SPDX-License-Identifier: Apache-2.0
// Route processing: which of the Route values are ours, and where the request goes next (RFC 3261 16.4, 16.6
// step 6). Understands strict routers before and behind us.
#pragma once
#include "proxy/run.h"

namespace ser::modules {

struct LooseRouteOptions {
  bool doubles = true;        ///< two Record-Routes of ours (`r2=on`) go together
  bool force_socket = false;  ///< leave by the socket our Route names, also when it is one alone
  bool socket_names = false;  ///< find that socket by `sn`
  bool only_loose = false;    ///< a Request-URI that is us is no sign of a strict router before us
};

/// The results of loose_route() in scripts.
inline constexpr std::int32_t kRouted = 1;
inline constexpr std::int32_t kNotRouted = -1;
inline constexpr std::int32_t kPreloadedOnlyUs = -3;

/// Removes our values, sets destination or Request-URI. Calling it again for the same message changes nothing
/// more.
std::int32_t loose_route(proxy::Run& run, const LooseRouteOptions& options) noexcept;

/// The request has no To tag, so its Route set was not learned from a dialog.
bool is_preloaded(const sip::Message& message) noexcept;

}  // namespace ser::modules
