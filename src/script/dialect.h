// SPDX-License-Identifier: Apache-2.0
// Which of the two languages a script is written in (SER 0.8.x or Kamailio's), and why we think so.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ser::script {

enum class Dialect : std::uint8_t { ser, kamailio };

/// "SER", "Kamailio". Static storage.
std::string_view to_string(Dialect dialect) noexcept;

/// Value of `--dialect`: "ser", "kamailio" (any case; "openser" and "opensips" mean Kamailio's). nullopt:
/// unknown.
std::optional<Dialect> dialect_from_name(std::string_view name) noexcept;

/// The reading taken and the sentence that `-c` prints about it.
struct DialectChoice {
  Dialect dialect = Dialect::kamailio;
  std::string reason;  ///< such as "its first line is `#!SER`"
};

/// Decides by the first line (`#!SER`, `#!KAMAILIO`, `#!OPENSER`, `#!ALL`, `#!MAXCOMPAT`, also with `!!`).
/// Without one a text is SER's if it has `route{` and no `#!` directive, `request_route`, `$` variable or
/// `event_route` outside of comments and strings; else Kamailio's (DESIGN 2.15). `forced` wins over all. One
/// linear scan.
DialectChoice choose_dialect(std::string_view text, std::optional<Dialect> forced = std::nullopt);

}  // namespace ser::script
