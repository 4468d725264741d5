// SPDX-License-Identifier: Apache-2.0
// Module sanity: is the message what RFC 3261 asks for, and if not, the answer it asks for.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_sanity();

}  // namespace ser::modules
