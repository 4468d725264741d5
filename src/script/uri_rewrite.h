// SPDX-License-Identifier: Apache-2.0
// Changes to parts of the current Request-URI: set_host(), $rU = …, strip() and their kin.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "proxy/run.h"

namespace ser::script {

enum class UriPart : std::uint8_t { host, host_port, user, user_password, port };

/// Replaces one part of the current Request-URI; the rest stays as written. An empty user removes it with its
/// password, an empty port removes the port. Errc::syntax: the current URI is malformed, or `text` could not
/// stand in a URI.
Result<void> rewrite_uri(proxy::Run& run, UriPart part, std::string_view text) noexcept;
/// prefix("+"): text before the user.
Result<void> prefix_user(proxy::Run& run, std::string_view text) noexcept;
/// strip(n), strip_tail(n): n bytes off the user; longer than it: the user is removed.
Result<void> strip_user(proxy::Run& run, std::int64_t count, bool tail) noexcept;

/// Adds `;user=phone` to a sip URI that has no user parameter; a tel URI stays as it is.
Result<void> mark_user_phone(proxy::Run& run) noexcept;

}  // namespace ser::script
