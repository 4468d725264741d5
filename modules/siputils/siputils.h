// SPDX-License-Identifier: Apache-2.0
// Module siputils: questions about the message, its Request-URI and other URIs.
#pragma once
#include "mod/spec.h"

namespace ser::modules {

mod::ModuleSpec describe_siputils();

}  // namespace ser::modules
