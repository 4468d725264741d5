// SPDX-License-Identifier: Apache-2.0
// Module kex: destination URI, script flags, log level.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_kex();

}  // namespace ser::modules
