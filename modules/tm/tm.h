// SPDX-License-Identifier: Apache-2.0
// Module tm: stateful proxying (RFC 3261 16 and 17). The engine is src/txn; here it gets its script
// functions, parameters and variables, with the names and answers of SER's and Kamailio's tm and tmx.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_tm();

}  // namespace ser::modules
