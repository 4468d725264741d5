// SPDX-License-Identifier: Apache-2.0
// One byte that tells nearly all header names apart: made of the first letter and the length.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "base/text.h"
#include "sip/header_table.h"

namespace ser::sip {

/// Never the shape of a name: lines without one, and room behind the last line.
inline constexpr std::uint8_t kNoShape = 0;
inline constexpr std::size_t kShapes = 256;

namespace detail {
/// The factor keeps apart what usual messages hold; any other would be right, too. Case does not count.
constexpr std::uint8_t long_name_shape(char first, std::size_t size) noexcept {
  return static_cast<std::uint8_t>(((static_cast<unsigned char>(first) & 31U) * 11 + size) | 0x80);
}

constexpr std::array<std::uint8_t, 32> make_compact_shapes() {
  std::array<std::uint8_t, 32> shapes{};
  for (std::size_t letter = 0; letter < shapes.size(); ++letter)
    shapes[letter] = long_name_shape(static_cast<char>(letter), 1);
  for (const HeaderRow& row : kHeaderTable) {
    if (row.compact != 0)
      shapes[static_cast<unsigned char>(row.compact) & 31U] = long_name_shape(row.name[0], row.name.size());
  }
  return shapes;
}
inline constexpr std::array<std::uint8_t, 32> kCompactShapes = make_compact_shapes();
}  // namespace detail

/// The shape of a name that begins with `first` and has `size` > 0 bytes. A compact form has that of its full
/// name, so that all names of one header have the same.
constexpr std::uint8_t name_shape(char first, std::size_t size) noexcept {
  return size == 1 ? detail::kCompactShapes[static_cast<unsigned char>(first) & 31U]
                   : detail::long_name_shape(first, size);
}

/// A set of headers as those who walk over the lines need it: a line whose shape is not in it is none of
/// them.
class ShapeSet {
 public:
  constexpr ShapeSet(std::initializer_list<HeaderId> ids) {
    for (const HeaderId id : ids) {
      const std::string_view name = header_row(id).name;
      x_in[name_shape(name[0], name.size())] = true;
    }
  }
  constexpr bool may_hold(std::uint8_t shape) const noexcept { return x_in[shape]; }

 private:
  std::array<bool, kShapes> x_in{};
};

}  // namespace ser::sip
