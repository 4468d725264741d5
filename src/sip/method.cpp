// SPDX-License-Identifier: Apache-2.0
#include "sip/method.h"

#include <array>

namespace ser::sip {

namespace {
constexpr std::array<std::string_view, 15> kNames{"",          "INVITE",   "ACK",   "CANCEL",  "BYE",
                                                  "OPTIONS",   "REGISTER", "PRACK", "UPDATE",  "INFO",
                                                  "SUBSCRIBE", "NOTIFY",   "REFER", "MESSAGE", "PUBLISH"};

Method only(std::string_view name, Method method) noexcept {
  return name == to_string(method) ? method : Method::other;
}
}  // namespace

Method parse_method(std::string_view name) noexcept {
  if (name.size() < 3) return Method::other;
  switch (name.size() << 8 | static_cast<unsigned char>(name[0])) {
    case 3 << 8 | 'A':
      return only(name, Method::ack);
    case 3 << 8 | 'B':
      return only(name, Method::bye);
    case 4 << 8 | 'I':
      return only(name, Method::info);
    case 5 << 8 | 'P':
      return only(name, Method::prack);
    case 5 << 8 | 'R':
      return only(name, Method::refer);
    case 6 << 8 | 'C':
      return only(name, Method::cancel);
    case 6 << 8 | 'I':
      return only(name, Method::invite);
    case 6 << 8 | 'N':
      return only(name, Method::notify);
    case 6 << 8 | 'U':
      return only(name, Method::update);
    case 7 << 8 | 'M':
      return only(name, Method::message);
    case 7 << 8 | 'O':
      return only(name, Method::options);
    case 7 << 8 | 'P':
      return only(name, Method::publish);
    case 8 << 8 | 'R':
      return only(name, Method::register_);
    case 9 << 8 | 'S':
      return only(name, Method::subscribe);
    default:
      return Method::other;
  }
}

std::string_view to_string(Method method) noexcept {
  return kNames[static_cast<std::size_t>(method)];
}

}  // namespace ser::sip
