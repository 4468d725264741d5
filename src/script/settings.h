// SPDX-License-Identifier: Apache-2.0
// Checks the core parameters of a configuration against the table in conf/core_parameter.h.
#pragma once
#include "conf/diagnostic.h"
#include "script/ast.h"

namespace ser::script {

/// Unknown names, wrong types and numbers out of range are errors; parameters without effect get one notice,
/// those of parts not built yet one warning. Aliases are renamed to the name of the table, a SER script's
/// `debug` and `memlog` are left as written.
void check_settings(Ast& ast, conf::Diagnostics& diagnostics);

}  // namespace ser::script
