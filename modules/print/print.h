// SPDX-License-Identifier: Apache-2.0
// Module print: SER's demonstration module.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_print();

}  // namespace ser::modules
