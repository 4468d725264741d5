// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

namespace ser::srv {

/// Takes from this process, for good, what no worker needs and an intruder wants (`worker_seccomp`):
///   - running programs (execve, execveat), looking into other processes (ptrace, process_vm_readv and
///     _writev): SIGSYS, so that there is a crash file with the message that made it try;
///   - opening files for writing (open, openat, creat with O_WRONLY, O_RDWR, O_CREAT or O_TRUNC; truncate):
///     EPERM, for a module that cannot write its file goes on. Descriptors that are open stay as they are;
///   - openat2 and io_uring_setup, which hide their flags from the filter: ENOSYS;
///   - system calls of another ABI than the program's: the process is killed.
/// Everything else goes on: sockets, DNS, syslog, reading files. Sets no_new_privs. A child inherits it.
/// Errors: system.
Result<void> forbid_system_calls() noexcept;

}  // namespace ser::srv
