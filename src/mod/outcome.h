// SPDX-License-Identifier: Apache-2.0
// Outcome: what a script function answers.
#pragma once
#include <cstdint>

namespace ser::mod {

/// The return code the script sees ($rc) and what the machine does next.
struct Outcome {
  enum class Flow : std::uint8_t {
    next,     ///< go on; code > 0 is true, < 0 false. Code 0 ends the run as `stop` does (SER script machine
              ///< rules)
    stop,     ///< end the run (exit)
    suspend,  ///< the answer comes later; the run is resumed with it (proxy/suspender.h)
    again,  ///< what is missing comes later; then the function is called once more, as if for the first time
  };
  std::int32_t code = 1;
  Flow flow = Flow::next;

  constexpr bool waits() const noexcept { return flow == Flow::suspend || flow == Flow::again; }

  static constexpr Outcome yes(std::int32_t code = 1) noexcept { return {code, Flow::next}; }
  static constexpr Outcome no(std::int32_t code = -1) noexcept { return {code, Flow::next}; }
  static constexpr Outcome stop() noexcept { return {0, Flow::stop}; }
  /// After proxy::suspend().
  static constexpr Outcome suspend() noexcept { return {0, Flow::suspend}; }
  /// After Errc::suspended. The function must have had no effect before.
  static constexpr Outcome again() noexcept { return {0, Flow::again}; }
  static constexpr Outcome from(bool truth) noexcept { return truth ? yes() : no(); }
};

}  // namespace ser::mod
