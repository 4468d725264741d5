// SPDX-License-Identifier: Apache-2.0
// One byte that tells most header names apart: made of the first two letters, so that nobody needs to look
// for the colon of a line nobody asks for.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "sip/header_table.h"

namespace ser::sip {

inline constexpr std::size_t kShapes = 256;

namespace detail {
/// The factor gives every pair of letters that a name of the table begins with a shape of its own; any other
/// would be right, too. Case does not count.
constexpr std::uint8_t pair_shape(char first, char second) noexcept {
  return static_cast<std::uint8_t>((static_cast<unsigned char>(first) & 31U) * 24 +
                                   (static_cast<unsigned char>(second) & 31U));
}

constexpr std::array<std::uint8_t, 32> make_compact_shapes() {
  std::array<std::uint8_t, 32> shapes{};
  for (const HeaderRow& row : kHeaderTable) {
    if (row.compact != 0)
      shapes[static_cast<unsigned char>(row.compact) & 31U] = pair_shape(row.name[0], row.name[1]);
  }
  return shapes;
}
inline constexpr std::array<std::uint8_t, 32> kCompactShapes = make_compact_shapes();
}  // namespace detail

/// Whether the byte behind the first letter of a line says that it begins with no full name: no letter, no
/// dash. A colon or white space stands behind a compact name.
constexpr bool ends_compact_name(char second) noexcept {
  return (second & 0x40) == 0 && second != '-';
}

/// The shape of a name by its first two bytes; `second` is what follows when the name has one byte only. A
/// compact form has the shape of its full name.
constexpr std::uint8_t name_shape(char first, char second) noexcept {
  if (ends_compact_name(second)) [[unlikely]]
    return detail::kCompactShapes[static_cast<unsigned char>(first) & 31U];
  return detail::pair_shape(first, second);
}

/// The shape of a whole name, not empty.
constexpr std::uint8_t name_shape(std::string_view name) noexcept {
  return name_shape(name[0], name.size() == 1 ? ':' : name[1]);
}

/// Headers by shape: what those need who walk over the lines and want some of them. No two of the set may
/// have the same shape, which the compiler checks.
class ShapeSet {
 public:
  consteval ShapeSet(std::initializer_list<HeaderId> ids) {
    for (const HeaderId id : ids) {
      HeaderId& cell = x_ids[name_shape(header_row(id).name)];
      if (cell != HeaderId::other) throw "two headers of the set have one shape";
      cell = id;
    }
  }
  /// The one header of the set that a line of that shape may be; `other`: none.
  constexpr HeaderId candidate(std::uint8_t shape) const noexcept { return x_ids[shape]; }

 private:
  std::array<HeaderId, kShapes> x_ids{};
};

}  // namespace ser::sip
