// SPDX-License-Identifier: Apache-2.0
// URIs made from URIs. The results lie in the arena; empty when they would be no URI or the arena is
// exhausted.
#pragma once
#include <string_view>

#include "base/arena.h"
#include "sip/uri.h"

namespace ser::modules {

/// `uri` with one more parameter, in front of its headers.
std::string_view with_uri_param(Arena& arena, std::string_view uri, std::string_view param) noexcept;
/// `uri` without the parameter; empty also when it has none of that name.
std::string_view without_uri_param(Arena& arena, std::string_view uri, std::string_view name) noexcept;
/// RFC 3261 19.1.6: number without visual separators, parameters in lower case, `user=phone`.
std::string_view tel_to_sip(Arena& arena, const sip::Uri& tel, std::string_view host) noexcept;

}  // namespace ser::modules
