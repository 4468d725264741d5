// SPDX-License-Identifier: Apache-2.0
// Module rr: Route and Record-Route (RFC 3261 16.4, 16.6, 16.12).
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_rr();

}  // namespace ser::modules
