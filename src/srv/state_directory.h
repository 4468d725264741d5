// SPDX-License-Identifier: Apache-2.0
// Where the server keeps what outlives it.
#pragma once
#include <string>

#include "base/fd.h"
#include "srv/process.h"

namespace ser::srv {

/// The default of `state_dir`: $STATE_DIRECTORY (systemd's StateDirectory=), else /var/lib/ser for root, else
/// $XDG_STATE_HOME/ser or ~/.local/state/ser. Empty: none of these is known.
std::string default_state_dir();

/// Opens the directory `path`, made with all its parents (mode 0700) where it is missing. Root gives it to
/// `identity` when it is root's. Empty: `error` says what and why. Never follows a link at the end of `path`.
Fd make_state_directory(const std::string& path, const Identity& identity, std::string& error);

}  // namespace ser::srv
