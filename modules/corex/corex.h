// SPDX-License-Identifier: Apache-2.0
// Module corex: sockets, extended flags, sending of plain data.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_corex();

}  // namespace ser::modules
