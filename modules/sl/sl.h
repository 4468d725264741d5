// SPDX-License-Identifier: Apache-2.0
// Module sl: answers made here without a transaction, and the ACKs to them.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_sl();

}  // namespace ser::modules
