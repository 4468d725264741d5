// SPDX-License-Identifier: Apache-2.0
// Every core parameter (`name = value`) of Kamailio 5.6 and SER 0.8, by name: honoured, waiting for a part
// that is not built yet, or accepted with the reason why it has no effect.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace ser::conf {

enum class ParameterType : std::uint8_t {
  integer,           ///< number between min and max
  boolean,           ///< yes/true/on/enable, no/false/off/disable, 0, or any other number (true)
  string,            ///< string or bare word
  string_or_number,  ///< string, bare word or number (user, group, tos)
  sockets,           ///< list of sockets or hosts; may be repeated
  size,              ///< number of bytes
};

enum class ParameterStatus : std::uint8_t {
  honoured,  ///< has its effect; `help` says which
  later,     ///< one warning "not built yet"; `help` says with what it comes
  accepted,  ///< one notice "has no effect: …" with `help` as the reason
};

/// Where a name comes from. A name of the other dialect is accepted all the same.
enum class ParameterOrigin : std::uint8_t { both, ser, kamailio, ours };

struct CoreParameter {
  std::string_view name;
  ParameterType type;
  ParameterStatus status;
  ParameterOrigin origin;
  std::int64_t min;                ///< integer and size only
  std::int64_t max;                ///< integer and size only
  std::string_view default_value;  ///< as a script would write it; empty: none
  std::string_view help;           ///< one line without a full stop
};

/// By name or alias (`uid`, `wdir` …), case-sensitive as in the family; null when unknown. Use
/// CoreParameter::name from then on: it is the same for all aliases.
const CoreParameter* find_core_parameter(std::string_view name) noexcept;

/// All parameters, without aliases, for checks and generated pages.
std::span<const CoreParameter> honoured_parameters() noexcept;
std::span<const CoreParameter> accepted_parameters() noexcept;

/// All names and aliases, as candidates for hints.
std::span<const std::string_view> core_parameter_names() noexcept;

/// The level with Kamailio's numbers (LogLevel) that a SER script's `debug`, `memlog` or `log(level, …)`
/// means. SER has -3 alert, -2 critical, -1 and 0 errors, 1 warnings, 2 notices, 3 info, 4 and more debug.
constexpr int log_level_of_ser(std::int64_t level) noexcept {
  if (level > 4) return 3;
  if (level >= 0) return static_cast<int>(level) - 1;
  return level == -1 ? -1 : level == -2 ? -2 : -5;
}

}  // namespace ser::conf
