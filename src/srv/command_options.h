// SPDX-License-Identifier: Apache-2.0
// The table behind the command line.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "srv/command_line.h"

namespace ser::srv {

struct CommandOption {
  char letter;                ///< 0: none
  std::string_view name;      ///< long name; empty: none
  std::string_view argument;  ///< what the value is called; empty: takes none
  std::string_view help;
  std::string_view no_effect;  ///< why it is accepted without effect; empty: it has one
  std::string (*store)(CommandLine&,
                       std::string_view value);  ///< what is wrong with the value; empty: nothing
};

/// Of the server and of `ser replay`.
std::span<const CommandOption> command_options() noexcept;
/// Of `ser test`. An argument "[=FILE]" may be left out.
std::span<const CommandOption> test_options() noexcept;
const CommandOption* find_option(std::span<const CommandOption> options, char letter) noexcept;
const CommandOption* find_option(std::span<const CommandOption> options, std::string_view name) noexcept;
/// The long name most like `name`; empty when none is near.
std::string_view nearest_option(std::span<const CommandOption> options, std::string_view name) noexcept;

}  // namespace ser::srv
