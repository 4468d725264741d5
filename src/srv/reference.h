// SPDX-License-Identifier: Apache-2.0
// Reference pages of the server itself, made from the tables it works by (`ser --doc`, docs/reference).
#pragma once
#include <span>
#include <string>

#include "mod/spec.h"

namespace ser::srv {

/// Every core parameter as Markdown: type, default, range, effect; those without effect with the reason.
std::string core_parameters_page();

/// Every statistic as Markdown: of the core, of the workers, and of `modules`.
std::string statistics_page(std::span<const mod::ModuleSpec> modules);

}  // namespace ser::srv
