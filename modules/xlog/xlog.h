// SPDX-License-Identifier: Apache-2.0
// Module xlog: log lines of the script.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_xlog();

}  // namespace ser::modules
