// SPDX-License-Identifier: Apache-2.0
// Module maxfwd: counts hops (RFC 3261 16.3 step 3, 16.6 step 3).
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_maxfwd();

}  // namespace ser::modules
