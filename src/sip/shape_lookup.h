// SPDX-License-Identifier: Apache-2.0
// Header ids for those who have the shape of a name at hand, as whoever walks over the lines of a message
// has.
#pragma once
#include <cstdint>
#include <string_view>

#include "sip/header_id.h"

namespace ser::sip {

/// As header_id(name), for a name whose shape (name_shape.h) is known: nearly always one comparison. A wrong
/// shape costs time and changes nothing.
HeaderId header_id(std::string_view name, std::uint8_t shape) noexcept;

}  // namespace ser::sip
