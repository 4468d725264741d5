// SPDX-License-Identifier: Apache-2.0
#include "sip/method.h"

#include <array>

namespace ser::sip {

namespace {
constexpr std::array<std::string_view, 15> kNames{"",          "INVITE",   "ACK",   "CANCEL",  "BYE",
                                                  "OPTIONS",   "REGISTER", "PRACK", "UPDATE",  "INFO",
                                                  "SUBSCRIBE", "NOTIFY",   "REFER", "MESSAGE", "PUBLISH"};

/// The first and the last four bytes of a name; of three, the three. With the size that is all of any name
/// but SUBSCRIBE, which has one byte between them.
constexpr std::uint64_t key(const char* p, std::size_t size) noexcept {
  const auto byte = [p](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(p[i])}; };
  if (size < 4) return byte(0) | byte(1) << 8 | byte(2) << 16;
  const std::size_t t = size - 4;
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24 | byte(t) << 32 | byte(t + 1) << 40 |
         byte(t + 2) << 48 | byte(t + 3) << 56;
}
constexpr std::uint64_t key(Method method) noexcept {
  const std::string_view name = kNames[static_cast<std::size_t>(method)];
  return key(name.data(), name.size());
}
}  // namespace

Method parse_method(std::string_view name) noexcept {
  if (name.size() < 3) return Method::other;
  const std::uint64_t word = key(name.data(), name.size());
  const auto only = [word](Method method, std::uint64_t wanted) {
    return word == wanted ? method : Method::other;
  };
  switch (name.size() << 8 | static_cast<unsigned char>(name[0])) {
    case 3 << 8 | 'A':
      return only(Method::ack, key(Method::ack));
    case 3 << 8 | 'B':
      return only(Method::bye, key(Method::bye));
    case 4 << 8 | 'I':
      return only(Method::info, key(Method::info));
    case 5 << 8 | 'P':
      return only(Method::prack, key(Method::prack));
    case 5 << 8 | 'R':
      return only(Method::refer, key(Method::refer));
    case 6 << 8 | 'C':
      return only(Method::cancel, key(Method::cancel));
    case 6 << 8 | 'I':
      return only(Method::invite, key(Method::invite));
    case 6 << 8 | 'N':
      return only(Method::notify, key(Method::notify));
    case 6 << 8 | 'U':
      return only(Method::update, key(Method::update));
    case 7 << 8 | 'M':
      return only(Method::message, key(Method::message));
    case 7 << 8 | 'O':
      return only(Method::options, key(Method::options));
    case 7 << 8 | 'P':
      return only(Method::publish, key(Method::publish));
    case 8 << 8 | 'R':
      return only(Method::register_, key(Method::register_));
    case 9 << 8 | 'S':
      return name[4] == 'C' ? only(Method::subscribe, key(Method::subscribe)) : Method::other;
    default:
      return Method::other;
  }
}

std::string_view to_string(Method method) noexcept {
  return kNames[static_cast<std::size_t>(method)];
}

}  // namespace ser::sip
