// SPDX-License-Identifier: Apache-2.0
// `ser replay FILE`: the message of a crash file once more, in this process and without a network.
#pragma once
#include <span>
#include <string>

#include "crash/crash_file.h"
#include "mod/spec.h"
#include "srv/command_line.h"

namespace ser::srv {

/// Reads and parses the file `path`. False: `error` is one line that says why.
bool read_crash_file(const std::string& path, crash::CrashFile& out, std::string& error);

/// The task of the command line: reads the crash file and the configuration (that of -f, else the one the
/// file names), makes what one receiver has but no socket, and takes the message through the pipeline. What
/// would be sent is printed to standard output, the log and what is going on to standard error. Host names
/// count as not yet resolved; nothing is sent anywhere. The watchdog runs as in a worker.
///
/// Returns the exit status: 0 when the message was survived, 1 on any error. A message that still kills ends
/// the process by its signal.
int replay(const CommandLine& line, std::span<mod::ModuleSpec (*const)()> builtin);

}  // namespace ser::srv
