// SPDX-License-Identifier: Apache-2.0
// Module pv: questions about script variables.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_pv();

}  // namespace ser::modules
