// SPDX-License-Identifier: Apache-2.0
// `ser test FILE…`.
#pragma once
#include "flow/server.h"
#include "srv/command_line.h"

namespace ser::flow {

/// The task of the command line: reads the flow files, runs their scenarios, reports to standard output,
/// writes the files asked for. Faults of flow files go to standard error. Returns the exit status: 0 all
/// passed, 1 a failure, or a file that cannot be read or is at fault.
int run_tests(const srv::CommandLine& line, Builtin builtin);

}  // namespace ser::flow
