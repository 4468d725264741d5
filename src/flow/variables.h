// SPDX-License-Identifier: Apache-2.0
// ${name} in flow files.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ser::flow {

using Variables = std::map<std::string, std::string, std::less<>>;
/// What a name stands for; nullopt: nothing known.
using LookUp = std::function<std::optional<std::string>(std::string_view)>;

/// `text` with each ${name} replaced; `$${` stands for `${`. False: `unknown` is the name nobody knows.
bool substitute(std::string_view text, const LookUp& look_up, std::string& out, std::string& unknown);

}  // namespace ser::flow
