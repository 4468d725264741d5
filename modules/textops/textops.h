// SPDX-License-Identifier: Apache-2.0
// Module textops (and textopsx): search and change header fields, body and Request-URI as text.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_textops();

}  // namespace ser::modules
